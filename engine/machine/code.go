package machine

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// code is a program with what is looked up in it again and again. Its maps are
// filled as they are asked, and never ranged over.
type code struct {
	prog   *program.Program
	ids    map[string]*program.Node
	calls  map[string]*code // called playbooks seen so far
	reads  map[*expression.Expression][]expression.Path
	inputs map[*program.Node][]expression.Path
	none   map[string]map[string]any // by id: a step that did not run
}

func newCode(p *program.Program) *code {
	c := &code{
		prog:   p,
		ids:    make(map[string]*program.Node),
		calls:  make(map[string]*code),
		none:   make(map[string]map[string]any),
		reads:  make(map[*expression.Expression][]expression.Path),
		inputs: make(map[*program.Node][]expression.Path),
	}
	for _, n := range p.Nodes {
		if n.ID != "" {
			c.ids[n.ID] = n
		}
	}
	return c
}

// called is the playbook of that name.
func (c *code) called(name string) *code {
	if c.calls[name] == nil {
		p := c.prog.Calls[name]
		if p == nil {
			p = &program.Program{Name: name}
		}
		c.calls[name] = newCode(p)
	}
	return c.calls[name]
}

// absent is a step that did not run, as expressions see it.
func (c *code) absent(id string) map[string]any {
	if v := c.none[id]; v != nil {
		return v
	}
	v := map[string]any{"status": string(engine.StepSkipped), "error": nil}
	if n := c.ids[id]; n != nil {
		for _, f := range n.Output.Fields {
			v[f.Name] = nil
		}
	}
	c.none[id] = v
	return v
}

// readsOf is what an expression reads.
func (c *code) readsOf(x *expression.Expression) []expression.Path {
	reads, known := c.reads[x]
	if !known {
		reads = x.Reads()
		c.reads[x] = reads
	}
	return reads
}

// inputReads is what the inputs or assignments of a node read, all together.
func (c *code) inputReads(n *program.Node, given []program.Assignment) []expression.Path {
	all, known := c.inputs[n]
	if known {
		return all
	}
	for _, a := range given {
		all = append(all, a.Value.Reads()...)
	}
	slices.SortFunc(all, slices.Compare[expression.Path])
	all = slices.CompactFunc(all, slices.Equal[expression.Path])
	c.inputs[n] = all
	return all
}
