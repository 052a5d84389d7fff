package machine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// env is the names visible at a place, beside those of the places around it: a
// playbook's inputs, a loop's variable and index, the results of steps. It dies
// with the playbook, item or round it belongs to.
type env struct {
	up      *env // nil where a playbook begins: nothing of its caller is visible
	code    *code
	results []*outcome // by node index

	inputs val            // of a playbook
	given  map[string]any // inputs, decoded

	loop    *program.Foreach // of an item
	item    *item
	index   int64
	indexed bool // there is an index
}

// outcome is the result of a step.
type outcome struct {
	node    *program.Node
	status  engine.StepStatus
	failure *engine.Failure
	value   val
	after   string         // while looking ahead: its outputs are known only after this path
	view    map[string]any // as expressions see it, with the outputs decoded so far
}

// put adds a step's result, or replaces it.
func (e *env) put(o *outcome) {
	i, found := slices.BinarySearchFunc(e.results, o.node.Index, func(o *outcome, index int) int {
		return cmp.Compare(o.node.Index, index)
	})
	if found {
		e.results[i] = o
		return
	}
	e.results = slices.Insert(e.results, i, o)
}

// find looks a step's result up, from the inside out.
func (e *env) find(id string) *outcome {
	n := e.code.ids[id]
	if n == nil {
		return nil
	}
	for ; e != nil; e = e.up {
		i, found := slices.BinarySearchFunc(e.results, n.Index, func(o *outcome, index int) int {
			return cmp.Compare(o.node.Index, index)
		})
		if found {
			return e.results[i]
		}
	}
	return nil
}

// home is the scope of the playbook itself.
func (e *env) home() *env {
	for e.up != nil {
		e = e.up
	}
	return e
}

// names are the values an expression reads, under their root names.
func (m *Machine) names(e *env, reads []expression.Path) (map[string]any, error) {
	values := make(map[string]any, 4)
	values["run"] = m.runNames()
	for _, path := range reads {
		if err := m.bind(values, e, path); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (m *Machine) bind(values map[string]any, e *env, path expression.Path) error {
	if path[0] == "steps" {
		return bindSteps(values, e, path[1:])
	}
	if _, done := values[path[0]]; done {
		return nil
	}
	var err error
	switch path[0] {
	case "inputs":
		values["inputs"], err = e.home().decodedInputs()
	case "trigger":
		values["trigger"], err = m.triggerFor(e)
	default:
		err = e.bindLoop(values, path[0])
	}
	return err
}

// triggerFor is what triggered the run, for the playbook that was; a playbook
// that is called was not.
func (m *Machine) triggerFor(e *env) (any, error) {
	if e.home() != m.root.env {
		return nil, nil
	}
	v, err := decode(m.start.trigger.data, engine.Maybe(program.TriggerType(e.code.prog.Triggers)))
	if err != nil {
		return nil, fmt.Errorf("trigger: %w", err)
	}
	return v, nil
}

func (e *env) decodedInputs() (map[string]any, error) {
	if e.given == nil {
		v, err := decode(e.inputs.data, engine.MapOf(e.code.prog.Inputs...))
		if err != nil {
			return nil, fmt.Errorf("inputs: %w", err)
		}
		e.given, _ = v.(map[string]any)
	}
	return e.given, nil
}

// bindLoop gives a loop variable or the index its value.
func (e *env) bindLoop(values map[string]any, name string) error {
	for ; e != nil; e = e.up {
		switch {
		case e.loop != nil && variable(e.loop) == name:
			v, err := e.item.decode(e.loop.Elem)
			values[name] = v
			return err
		case name == "index" && e.indexed:
			values[name] = e.index
			return nil
		}
	}
	return nil
}

func variable(fe *program.Foreach) string {
	if fe.As == "" {
		return "item"
	}
	return fe.As
}

func (it *item) decode(t engine.Type) (any, error) {
	if !it.decoded {
		v, err := decode(it.raw, t)
		if err != nil {
			return nil, err
		}
		it.value, it.decoded = v, true
	}
	return it.value, nil
}

// bindSteps adds what an expression reads of steps: one output of one, all of
// one, or all of all.
func bindSteps(values map[string]any, e *env, path expression.Path) error {
	steps, _ := values["steps"].(map[string]any)
	if steps == nil {
		steps = make(map[string]any, 2)
		values["steps"] = steps
	}
	if len(path) > 0 {
		return e.bindStep(steps, path)
	}
	for _, n := range e.code.prog.Nodes {
		if n.ID == "" {
			continue
		}
		if err := e.bindStep(steps, expression.Path{n.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) bindStep(steps map[string]any, path expression.Path) error {
	id := path[0]
	o := e.find(id)
	if o == nil {
		steps[id] = e.code.absent(id)
		return nil
	}
	if o.after != "" {
		return unforeseen(o.after)
	}
	if o.view == nil {
		o.view = map[string]any{"status": string(o.status), "error": nil}
		if o.failure != nil {
			o.view["error"] = o.failure.Value()
		}
	}
	steps[id] = o.view
	if len(path) > 1 {
		return o.reveal(path[1])
	}
	for _, field := range o.node.Output.Fields {
		if err := o.reveal(field.Name); err != nil {
			return err
		}
	}
	return nil
}

// reveal decodes one output of a step, once. A step that gave none has nulls.
func (o *outcome) reveal(name string) error {
	if _, done := o.view[name]; done {
		return nil
	}
	if o.value.data == nil {
		o.view[name] = nil
		return nil
	}
	t := engine.TypeAny()
	if field, declared := o.node.Output.Field(name); declared {
		t = field.Type
	}
	raw := member(o.value.data, name)
	v, err := decode(raw, t)
	if err != nil {
		return fmt.Errorf("steps.%s.%s: %w", o.node.ID, name, err)
	}
	o.view[name] = v
	return nil
}

// forget drops what was decoded of large values: after a loop has frozen its
// list, nobody may want it again.
func (m *Machine) forget(e *env, reads []expression.Path) {
	for _, path := range reads {
		switch {
		case path[0] == "steps" && len(path) > 1:
			if o := e.find(path[1]); o != nil && o.value.ref != "" {
				o.view = nil
			}
		case path[0] == "inputs" && e.home().inputs.ref != "":
			e.home().given = nil
		}
	}
}

// runNames is `run` as expressions see it.
func (m *Machine) runNames() map[string]any {
	s := m.start
	if s.names == nil {
		s.names = map[string]any{
			"id": s.run, "time": s.at, "attempt": int64(s.attempt),
			"actor": s.actor.Name,
		}
	}
	return s.names
}
