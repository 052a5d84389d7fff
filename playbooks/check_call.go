package playbooks

import (
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// call checks the call of another playbook.
func (c *checker) call(s *step, in view) (*program.Call, engine.Type) {
	it := s.given["call"]
	name := s.text("call")
	call := &program.Call{Playbook: name}
	if it.wrong || !c.callable(it.node, name) {
		return call, engine.Type{}
	}
	called := c.program(name)
	doc := c.docs[name]
	if called == nil || doc == nil {
		return call, engine.Type{}
	}
	c.out.Calls[name] = called
	owner := inputOwner{name: "the playbook " + name, at: s.node.FirstKey()}
	call.Inputs = c.inputs(s.given["with"], called.Inputs, owner, in.on(s))
	c.changes = c.changes || called.Changes
	for _, u := range called.Unavailable {
		c.unavailable(fmt.Sprintf("%s in the playbook %s", u.What, name), it.key)
	}
	fields := make([]engine.Field, 0, len(called.Outputs))
	for _, o := range called.Outputs {
		fields = append(fields, engine.Field{Name: o.Name, Type: o.Type})
	}
	return call, engine.MapOf(fields...)
}

// callable reports a name that is none, that nothing answers to, or that leads
// back here.
func (c *checker) callable(n *yamldoc.Node, name string) bool {
	_, exists := c.bundle.Sources[name]
	switch {
	case !safeName(name):
		c.add(n.Errorf("name", "%q cannot be the name of a called playbook", name).
			WithHint("write the file's name without folder and extension: a-z, 0-9, - and _"))
	case !exists:
		c.add(n.Errorf("unknown-playbook", "there is no playbook %q beside this one", name).
			WithSuggestion(engine.Nearest(name, c.bundle.names())).WithHint("it would be the file %s.yaml in the same folder", name))
	case c.reaches(name, c.doc.name):
		c.add(n.Errorf("recursion", "the playbook %q calls this one again: a playbook cannot call itself", name).
			WithHint("use `foreach` or `while` to repeat something"))
	default:
		return true
	}
	return false
}
