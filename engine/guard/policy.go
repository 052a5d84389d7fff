package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Policy is one entry of `policy:`: what the playbooks it is about may use, so
// that whoever can write a playbook cannot thereby act on everything. It holds
// for all that a run does, called playbooks included.
type Policy struct {
	// Playbooks are the names it is about, with * and ?; letter case does not
	// count. The entry that fits the playbook that is run is the one that holds.
	Playbooks []string
	// Connections and Actions are what may be used, with * and ?, exactly as
	// they are written; empty allows any.
	Connections []string
	Actions     []string
	// Approve is who must approve every run that changes something, also where
	// the playbook has no `approve` step; nil for nobody.
	Approve *PolicyApproval
}

// PolicyApproval is the approval a policy wants.
type PolicyApproval struct {
	By      []string      // people, and groups as group:NAME; empty: anybody known
	Needs   int           // distinct people
	Timeout time.Duration // without a decision by then the run ends denied; 0: it waits for ever
}

// AllowsConnection reports whether the policy lets a connection be used.
func (p Policy) AllowsConnection(name string) bool { return allows(p.Connections, name) }

// AllowsAction reports whether the policy lets an action be called.
func (p Policy) AllowsAction(name string) bool { return allows(p.Actions, name) }

func allows(entries []string, name string) bool {
	return len(entries) == 0 || anyMatches(entries, exactly, name)
}

// Violation is something a playbook must not do.
type Violation struct {
	Playbook string // name of the playbook that says it
	// Called is the name by which it is called, the key of Program.Calls; ""
	// for the playbook that is run.
	Called  string
	Line    int // of the step; 0 where the playbook as a whole is refused
	Column  int
	Message string
}

// policy is the entry that decides for a playbook.
func (c Configuration) policy(playbook string) (Policy, bool) {
	i := slices.IndexFunc(c.Policies, func(p Policy) bool { return anyMatches(p.Playbooks, folded, Fold(playbook)) })
	if i < 0 {
		return Policy{}, false
	}
	return c.Policies[i], true
}

// Approval is what must approve every run of a playbook that changes
// something; nil where nothing must.
func (c Configuration) Approval(playbook string) *PolicyApproval {
	p, _ := c.policy(playbook)
	return p.Approve
}

// Check finds what a playbook, or one it calls, would do against the policy.
// The first entry that fits the playbook's name decides for all of it; a
// playbook that none fits is refused as a whole. Without policies there is
// nothing to find. Connections says which connections a step acts through.
func (c Configuration) Check(root *program.Program, connections func(*program.Uses) ([]string, error)) []Violation {
	if len(c.Policies) == 0 {
		return nil
	}
	p, ok := c.policy(root.Name)
	if !ok {
		return []Violation{{Playbook: root.Name, Message: fmt.Sprintf("no entry of `policy:` in the configuration is about the playbook %q", root.Name)}}
	}
	check := policyCheck{policy: p, connections: connections, seen: map[*program.Program]bool{}}
	check.program(root, "")
	return check.found
}

// policyCheck gathers what is against one policy.
type policyCheck struct {
	policy      Policy
	connections func(*program.Uses) ([]string, error)
	seen        map[*program.Program]bool
	found       []Violation
}

func (c *policyCheck) program(p *program.Program, called string) {
	if c.seen[p] {
		return
	}
	c.seen[p] = true
	for _, n := range p.Nodes {
		for _, why := range c.node(n) {
			c.found = append(c.found, Violation{Playbook: p.Name, Called: called, Line: n.Line, Column: n.Column, Message: why})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Calls)) {
		c.program(p.Calls[name], name)
	}
}

// node says what a step does against the policy.
func (c *policyCheck) node(n *program.Node) []string {
	var why []string
	var names []string
	if n.Uses != nil {
		if !c.policy.AllowsAction(n.Uses.Action) {
			why = append(why, c.refuse("action", n.Uses.Action, c.policy.Actions))
		}
		used, err := c.connections(n.Uses)
		if err != nil { // a connection nobody can name is not an allowed one
			why = append(why, fmt.Sprintf("nobody knows through which connection %s acts: %v", n.Uses.Action, err))
		}
		names = used
	}
	if n.Approve != nil && n.Approve.Notify != "" {
		names = append(names, n.Approve.Notify)
	}
	for _, name := range names {
		if !c.policy.AllowsConnection(name) {
			why = append(why, c.refuse("connection", name, c.policy.Connections))
		}
	}
	return why
}

func (c *policyCheck) refuse(what, name string, allowed []string) string {
	return fmt.Sprintf("the configuration's policy for %s does not allow the %s %s; it allows %s",
		strings.Join(c.policy.Playbooks, ", "), what, name, strings.Join(allowed, ", "))
}
