package playbooks

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// document is a playbook whose keys and literals are checked, but nothing that
// needs types: its expressions are still text.
type document struct {
	name        string // of the bundle's source
	root        *yamldoc.Node
	title       string
	description string
	inputs      []engine.Field
	outputs     []yamldoc.Entry
	triggers    []*trigger
	triggersAt  *yamldoc.Node // the key; nil without triggers
	concurrency given
	guard       program.Guard
	guardAt     given
	steps       []*step
	byID        map[string]*step
	count       int // steps at any depth
}

// trigger is one element of `triggers:`.
type trigger struct {
	node *yamldoc.Node
	given
	program program.Trigger
}

// step is one element of a list of steps.
type step struct {
	node *yamldoc.Node
	given
	form    program.Form
	acts    bool // it calls an action: `uses`, also in a foreach
	id      string
	segment string // its part of a path
	parent  *step  // nil at the top
	within  string // the slot of the parent it stands in
	order   int    // in the file
	slots   []slot
	inner   map[string]given // retry, approve, wait
}

// slot is one list of steps inside a step.
type slot struct {
	kind  string // the key it stands under: steps, else, parallel, cases, default, try, …
	name  string // of a branch or case
	key   *yamldoc.Node
	steps []*step
}

// slot finds the list under a key; nil where there is none.
func (s *step) slot(kind string) []*step {
	for _, sl := range s.slots {
		if sl.kind == kind {
			return sl.steps
		}
	}
	return nil
}

// loops reports whether what is inside the step is carried out several times.
func (s *step) loops() bool {
	return s.form == program.FormForeach || s.form == program.FormWhile
}

// line is where the step begins.
func (s *step) line() int {
	line, _ := s.node.Position()
	return line
}

// given are the known keys of a construct as they were given.
type given map[string]item

// item is the value of a key: the literal where the key takes one.
type item struct {
	key   *yamldoc.Node
	node  *yamldoc.Node
	value any
	wrong bool // what stands there is reported already
}

func (g given) has(name string) bool {
	_, ok := g[name]
	return ok
}

// text is the literal of a key, or "".
func (g given) text(name string) string {
	s, _ := g[name].value.(string)
	return s
}

// texts is the literal list of text of a key.
func (g given) texts(name string) []string {
	list, _ := g[name].value.([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// textOr is the literal of a key, or a default where it is not given.
func (g given) textOr(name, fallback string) string {
	if s := g.text(name); s != "" {
		return s
	}
	return fallback
}

// integer is the literal of a key, or 1 where it is not given.
func (g given) integer(name string) int64 {
	if n, ok := g[name].value.(int64); ok {
		return n
	}
	return 1
}

// durationOr is the literal of a key, or a default where it is not given.
func (g given) durationOr(name string, fallback time.Duration) time.Duration {
	if d, ok := g[name].value.(time.Duration); ok {
		return d
	}
	return fallback
}
