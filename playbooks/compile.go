package playbooks

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Environment is what playbooks are checked against.
type Environment struct {
	Actions *engine.Actions
	// Catalog is the connections of the configuration. Without it, what needs
	// one is not checked: whether connections exist, offer the capability and
	// are not ambiguous. Say so to whoever asked for the check.
	Catalog *engine.Catalog
	// Asking is what the configuration says of approvals. Without it, whether
	// anybody can give one and hears of it is not checked: so a run that has
	// begun goes on when people come and go.
	Asking *Asking
	// Serving is what the configuration says of runs that nobody starts by hand.
	// Without it, whether webhooks are configured and anybody hears of such runs
	// is not checked: that is no concern of a run by hand.
	Serving *Serving
}

// Asking is whom approvals ask, and how they are told.
type Asking struct {
	Notify string // connection that tells them where a step names none; "" for none
	People []engine.Person
}

// Serving is which webhooks there are, and who hears of runs.
type Serving struct {
	Webhooks []string // names, in any order
	Notify   string   // connection that hears of runs that did not succeed; "" for none
}

// Compile checks a bundle and makes a program of it. It reports everything
// wrong in all its playbooks at once, sorted; with an error among them the
// program is nil. The same bundle and environment always give the same program.
func Compile(b Bundle, env Environment) (*program.Program, []yamldoc.Diagnostic) {
	c := &compiler{
		env: env, bundle: b,
		docs: map[string]*document{}, calls: map[string][]string{},
		programs: map[string]*program.Program{}, begun: map[string]bool{},
	}
	c.parse()
	p := c.program(b.Root)
	problems := yamldoc.Sort(c.problems)
	if yamldoc.HasErrors(problems) {
		return nil, problems
	}
	return p, problems
}

// compiler checks the playbooks of one bundle.
type compiler struct {
	env      Environment
	bundle   Bundle
	docs     map[string]*document
	calls    map[string][]string // by caller
	programs map[string]*program.Program
	begun    map[string]bool
	problems []yamldoc.Diagnostic
}

func (c *compiler) parse() {
	root, exists := c.bundle.Sources[c.bundle.Root]
	switch {
	case !exists:
		c.problems = append(c.problems, yamldoc.NewDiagnostic(c.bundle.Root, "read", "the playbook is not in its bundle"))
		return
	case len(c.bundle.Sources) > maxPlaybooks:
		c.problems = append(c.problems, yamldoc.NewDiagnostic(root.Path, "too-many-playbooks", "it calls more than %d playbooks", maxPlaybooks-1))
		return
	}
	for _, name := range c.bundle.names() {
		doc, problems := parseDocument(c.bundle.Sources[name])
		c.problems = append(c.problems, clipProblems(problems)...)
		if doc != nil {
			c.docs[name], c.calls[name] = doc, doc.calls()
		}
	}
}

// program is the program of one playbook, made once. While it is being made,
// as a call in a circle would ask, and where it cannot be read, it is nil.
func (c *compiler) program(name string) *program.Program {
	doc := c.docs[name]
	if doc == nil || c.begun[name] {
		return c.programs[name]
	}
	c.begun[name] = true
	check := &checker{compiler: c, doc: doc, loops: map[string]*program.Foreach{}}
	check.out = &program.Program{
		Name: doc.title, Description: doc.description, Hash: c.bundle.part(name, c.calls).Hash(),
		Inputs: doc.inputs, Guard: doc.guard, Calls: map[string]*program.Program{},
	}
	check.playbook()
	c.problems = append(c.problems, clipProblems(check.problems)...)
	c.programs[name] = check.out
	return check.out
}

// reaches reports whether a playbook calls another, perhaps by way of more.
func (c *compiler) reaches(from, to string) bool {
	seen := map[string]bool{}
	todo := []string{from}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if name == to {
			return true
		}
		if !seen[name] {
			seen[name] = true
			todo = append(todo, c.calls[name]...)
		}
	}
	return false
}

// checker checks one playbook and builds its program.
type checker struct {
	*compiler
	doc      *document
	out      *program.Program
	problems []yamldoc.Diagnostic
	reads    []expression.Path           // of every expression so far
	loops    map[string]*program.Foreach // by the id of their step
	changes  bool                        // something so far changes something
	returned bool                        // something so far may have ended the playbook
}

func (c *checker) add(d yamldoc.Diagnostic) { c.problems = append(c.problems, d) }

func (c *checker) playbook() {
	var seen []visible
	c.out.Steps, seen = c.sequence(c.doc.steps, view{})
	c.outputs(view{}.and(seen...).afterReturn())
	c.triggers()
	c.out.Concurrency = c.concurrency()
	c.guard()
	c.out.Changes = c.changes
	for id, loop := range c.loops {
		loop.ItemsRead = c.readsItems(id)
	}
}

// readsItems reports whether an expression reads steps.<id>.items, by name or
// as a part of more.
func (c *checker) readsItems(id string) bool {
	items := expression.Path{"steps", id, "items"}
	return slices.ContainsFunc(c.reads, func(p expression.Path) bool {
		n := min(len(p), len(items))
		return slices.Equal(p[:n], items[:n])
	})
}

func (c *checker) outputs(at view) {
	for _, e := range c.doc.outputs {
		v, t := c.value(e.Value, e.Name(), engine.TypeAny(), at)
		c.out.Outputs = append(c.out.Outputs, program.Output{Name: e.Name(), Type: t, Value: v})
	}
}

// guard notes the limits that cannot be kept yet: a run must not begin on the
// promise of one that nobody checks.
func (c *checker) guard() {
	g := c.doc.guardAt
	if ask := g["on_block"]; g.text("on_block") == "ask" {
		c.heard(ask.node, "on_block: ask")
	}
	for _, entry := range g["protect"].node.Items() {
		if strings.HasPrefix(entry.Text(), "directory-group:") {
			c.unavailable("guard.protect of a directory group", entry)
		}
	}
}

// unavailable notes what this version checks but cannot carry out.
func (c *checker) unavailable(what string, at *yamldoc.Node) {
	line, column := at.Position()
	c.out.Unavailable = append(c.out.Unavailable, program.Unavailable{What: what, Line: line, Column: column})
}
