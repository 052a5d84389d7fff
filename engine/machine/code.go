package machine

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// code is a program with what is looked up in it again and again.
type code struct {
	prog  *program.Program
	ids   map[string]*program.Node
	calls map[string]*code          // called playbooks seen so far
	reads [][]expression.Path       // by node: what its inputs read, once asked for
	none  map[string]map[string]any // by id: a step that did not run
}

func newCode(p *program.Program) *code {
	c := &code{
		prog:  p,
		ids:   make(map[string]*program.Node),
		calls: make(map[string]*code),
		none:  make(map[string]map[string]any),
		reads: make([][]expression.Path, len(p.Nodes)),
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

// argumentReads is what the given inputs of a node read, all together.
func (c *code) argumentReads(n *program.Node, given []program.Assignment) []expression.Path {
	if n.Index < 0 || n.Index >= len(c.reads) {
		return readsOf(given)
	}
	if c.reads[n.Index] == nil {
		c.reads[n.Index] = readsOf(given)
	}
	return c.reads[n.Index]
}

func readsOf(given []program.Assignment) []expression.Path {
	all := []expression.Path{}
	for _, a := range given {
		all = append(all, a.Value.Reads()...)
	}
	slices.SortFunc(all, func(a, b expression.Path) int { return slices.Compare(a, b) })
	return slices.CompactFunc(all, func(a, b expression.Path) bool { return slices.Equal(a, b) })
}
