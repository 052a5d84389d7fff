package playbooktest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Cover counts what of a playbook, and of those it calls, its tests have
// reached. The zero Cover is empty.
type Cover struct {
	playbooks map[string]*coverage // by path
}

// coverage is what there is in one playbook and what of it was reached.
type coverage struct {
	program *program.Program
	hit     map[point]bool
}

// point is one thing that can be reached: that a step runs, or that it is
// passed over.
type point struct {
	node    int
	skipped bool
}

// Uncovered is one thing no test has reached.
type Uncovered struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
}

// Coverage is how much of a playbook its tests reach.
type Coverage struct {
	Playbook  string      `json:"playbook"` // path
	Total     int         `json:"total"`
	Reached   int         `json:"reached"`
	Percent   float64     `json:"percent"`
	Uncovered []Uncovered `json:"uncovered"`
}

// Add takes in a playbook and what a run of it did. Paths are the files of the
// playbook and those it calls, by the name of each program.
func (c *Cover) Add(p *program.Program, path func(*program.Program) string, steps []engine.StepRecord) {
	if c.playbooks == nil {
		c.playbooks = map[string]*coverage{}
	}
	all := places(p)
	for _, at := range all {
		c.of(path(at.of), at.of)
	}
	for _, s := range steps {
		if at, known := all[plain(s.Path)]; known {
			c.of(path(at.of), at.of).hit[point{node: at.node.Index, skipped: s.Status == engine.StepSkipped}] = true
		}
	}
}

func (c *Cover) of(path string, p *program.Program) *coverage {
	if c.playbooks[path] == nil {
		c.playbooks[path] = &coverage{program: p, hit: map[point]bool{}}
	}
	return c.playbooks[path]
}

// Result is the coverage of every playbook, by path.
func (c *Cover) Result() []Coverage {
	var out []Coverage
	for path, of := range c.playbooks {
		out = append(out, of.result(path))
	}
	slices.SortFunc(out, func(a, b Coverage) int { return cmp.Compare(a.Playbook, b.Playbook) })
	return out
}

func (c *coverage) result(path string) Coverage {
	out := Coverage{Playbook: path, Uncovered: []Uncovered{}}
	for _, n := range c.program.Nodes {
		for _, p := range points(n) {
			out.Total++
			if c.hit[p] {
				out.Reached++
				continue
			}
			out.Uncovered = append(out.Uncovered, Uncovered{Line: n.Line, Column: n.Column, What: missed(n, p)})
		}
	}
	slices.SortStableFunc(out.Uncovered, func(a, b Uncovered) int { return cmp.Compare(a.Line, b.Line) })
	out.Percent = 100
	if out.Total > 0 {
		out.Percent = 100 * float64(out.Reached) / float64(out.Total)
	}
	return out
}

// points are what there is to reach of a step. An `if` with an `else`, a case
// and a catch are reached by the steps inside them.
func points(n *program.Node) []point {
	out := []point{{node: n.Index}}
	passes := n.If != nil && n.Else == nil || n.Form == program.FormSwitch && n.Default == nil
	if passes {
		out = append(out, point{node: n.Index, skipped: true})
	}
	return out
}

func missed(n *program.Node, p point) string {
	name := n.ID
	if name == "" {
		name = "this " + string(n.Form)
	}
	switch {
	case !p.skipped:
		return fmt.Sprintf("%s never runs", name)
	case n.If != nil:
		return fmt.Sprintf("the `if` of %s is never false", name)
	default:
		return fmt.Sprintf("a case of %s always matches", name)
	}
}
