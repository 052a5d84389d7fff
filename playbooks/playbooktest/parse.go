package playbooktest

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Extension is how the names of test files end.
const Extension = ".test.yaml"

// DefaultGenerated is how many people a tenant has where it does not say.
const DefaultGenerated = 8

// maxGenerated keeps a test within milliseconds.
const maxGenerated = 10_000

// DefaultTime is what the clock shows where a test does not say: a Thursday noon.
func DefaultTime() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// Parse reads a test file. With an error among the diagnostics the suite is nil.
func Parse(path string, data []byte) (*Suite, []yamldoc.Diagnostic) {
	root, problems := yamldoc.Parse(path, data)
	r := &reader{constructs: constructs(), problems: problems}
	if root == nil {
		return nil, problems
	}
	s := r.file(path, root)
	found := yamldoc.Sort(r.problems)
	if yamldoc.HasErrors(found) {
		return nil, found
	}
	return s, found
}

func (r *reader) file(path string, root *yamldoc.Node) *Suite {
	g := r.keys(root, "file")
	s := &Suite{Path: path, Playbook: strings.TrimSuffix(path, Extension) + ".yaml"}
	if named := g["playbook"]; named.value != nil {
		s.at, s.Playbook = named.node, filepath.Join(filepath.Dir(path), filepath.FromSlash(g.text("playbook")))
	}
	common := &Case{Time: DefaultTime(), Tenant: Tenant{Generated: DefaultGenerated}}
	r.settings(g, common)
	seen := map[string]bool{}
	tests := r.list(g["tests"], "tests")
	if g.has("tests") && g["tests"].node.Kind() == yamldoc.List && len(tests) == 0 {
		r.add(g["tests"].node.Errorf("no-tests", "there is no test in it"))
	}
	for _, n := range tests {
		c := r.test(n, *common)
		if seen[c.Name] && c.Name != "" {
			r.add(c.name.Errorf("duplicate", "another test has this name already"))
		}
		seen[c.Name] = true
		s.Cases = append(s.Cases, c)
	}
	return s
}

func (r *reader) test(n *yamldoc.Node, c Case) *Case {
	g := r.keys(n, "test")
	c.Name, c.name = g.text("name"), n.FirstKey()
	if name := g["name"]; name.value != nil {
		c.name = name.node
		if strings.TrimSpace(c.Name) == "" || strings.Contains(c.Name, "\n") {
			r.add(name.node.Errorf("name", "the name of a test must be one line"))
		}
	}
	r.settings(g, &c)
	if g.has("expect") {
		c.Expect = r.expect(g["expect"])
	}
	return &c
}

// settings reads what a file says for all its tests and a test for itself.
func (r *reader) settings(g given, c *Case) {
	if at, ok := g["time"].value.(time.Time); ok {
		c.Time = at
	}
	c.inputs = merged(c.inputs, r.entries(g["inputs"]))
	if g.has("tenant") {
		c.Tenant = r.tenant(g["tenant"].node)
	}
	if g.has("faults") {
		c.Faults = r.faults(g["faults"])
	}
	if g.has("http") {
		c.Replies = r.replies(g["http"])
	}
	if g.has("observations") {
		c.observed = r.entries(g["observations"])
	}
	if g.has("approvals") {
		c.Approvals = r.decisions(g["approvals"])
	}
	if g.has("guard") {
		c.Guard = r.guard(g["guard"].node)
	}
	r.happenings(g, c)
}

// merged are the entries of both, of which the second take the first's place.
func merged(general, own []yamldoc.Entry) []yamldoc.Entry {
	out := slices.Clone(own)
	for _, e := range general {
		if !slices.ContainsFunc(own, func(o yamldoc.Entry) bool { return o.Name() == e.Name() }) {
			out = append(out, e)
		}
	}
	return out
}

func (r *reader) faults(v value) []Fault {
	var out []Fault
	for _, n := range r.list(v, "faults") {
		g := r.keys(n, "fault")
		f := Fault{
			Operation: g.text("operation"), Kind: g.text("kind"), After: g.integer("after", 0), Every: g.integer("every", 0),
			Times: g.integer("times", 1), RetryAfter: as[time.Duration](g, "retry_after"), Delay: as[time.Duration](g, "delay"),
		}
		if as[bool](g, "always") {
			f.Times = -1
			if g.has("times") {
				r.add(g["times"].key.Errorf("misplaced-key", "`times` and `always` contradict each other"))
			}
		}
		out = append(out, f)
	}
	return out
}

func (r *reader) decisions(v value) []Decision {
	var out []Decision
	for _, n := range r.list(v, "decisions") {
		g := r.keys(n, "decision")
		d := Decision{
			Step: g.text("step"), Answer: Answer(g.text("answer")), By: g.text("by"),
			Except: g.texts("except"), Reason: g.text("reason"), After: as[time.Duration](g, "after"),
			at: g["step"].node,
		}
		for _, name := range []string{"by", "except", "reason", "after"} {
			if d.Answer == Withheld && g.has(name) {
				r.add(g[name].key.Errorf("misplaced-key", "nobody answers, so there is no `%s`", name))
			}
		}
		out = append(out, d)
	}
	return out
}

func (r *reader) guard(n *yamldoc.Node) *program.Guard {
	g := r.keys(n, "guard")
	out := &program.Guard{Protect: g.texts("protect"), OnBlock: g.text("on_block")}
	if most, ok := g["max_changes"].value.(int64); ok {
		out.MaxChanges = &most
	}
	if most, ok := g["max_percent"].value.(float64); ok {
		out.MaxPercent = &most
		if most < 0 || most > 100 {
			r.add(g["max_percent"].node.Errorf("range", "max_percent must be between 0 and 100"))
		}
	}
	return out
}

// outcome is an expected outcome, or what holds where none is given.
func outcome(g given, otherwise engine.Outcome) engine.Outcome {
	if said := g.text("outcome"); said != "" {
		return engine.Outcome(said)
	}
	return otherwise
}
