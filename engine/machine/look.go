package machine

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// classUnforeseen is the class of what cannot be evaluated while looking ahead.
// It never leaves the machine. The failure's step is the one after which it can.
const classUnforeseen engine.Class = "unforeseen"

func unforeseen(after string) *engine.Failure {
	return &engine.Failure{Class: classUnforeseen, Code: string(classUnforeseen), Message: "known only after " + after, Step: after}
}

// Look is a copy of the run that looks ahead: approvals are taken as given, and
// what depends on an outcome that is known only later is passed over and said
// to be unforeseen. The copy is driven like any other machine, with real
// observations and previewed changes; the run itself is not touched.
func (m *Machine) Look() (*Machine, error) {
	snapshot, err := m.Snapshot()
	if err != nil {
		return nil, err
	}
	ahead, err := Restore(m.code.prog, snapshot, m.lookup())
	if err != nil {
		return nil, err
	}
	ahead.looking = true
	ahead.walk(func(f *frame) {
		if f.ask != nil || f.pause != "" {
			ahead.disarm(f)
		}
	})
	return ahead, nil
}

// lookup finds the large values of the state where they are: in memory.
func (m *Machine) lookup() Lookup {
	values := make(map[engine.Reference][]byte)
	keep := func(v val) {
		if v.ref != "" {
			values[v.ref] = v.data
		}
	}
	if m.start != nil {
		keep(m.start.trigger)
	}
	for _, s := range m.signals {
		keep(s.body)
	}
	m.walk(func(f *frame) {
		if f.ownsScope() {
			keep(f.env.inputs)
			for _, o := range f.env.results {
				keep(o.value)
			}
		}
		if f.call != nil {
			keep(f.call.inputs)
		}
		if f.loop != nil {
			keep(f.loop.items)
		}
	})
	return func(ref engine.Reference) ([]byte, error) {
		data, ok := values[ref]
		if !ok {
			return nil, damaged("a value of the run is not there")
		}
		return data, nil
	}
}

// foresee turns what could not be evaluated into a step that is passed over.
func (m *Machine) foresee(f *frame, e ending) ending {
	if e.failure != nil && e.failure.Class == classUnforeseen {
		e = ending{status: engine.StepSucceeded, after: e.failure.Step}
		by := changers(f.code, f.node, nil)
		f.deeds.by = united(f.deeds.by, by)
		f.deeds = f.deeds.with(deeds{after: e.after})
		m.emit(Unforeseen{Path: f.path, After: e.after, Changes: len(by) > 0})
	}
	return e
}

// changers are the steps at and below a node that change something, sorted.
func changers(c *code, n *program.Node, found []NodeRef) []NodeRef {
	if n.Uses != nil && n.Uses.Effect == engine.Change {
		found = united(found, []NodeRef{{Program: c.prog.Hash, Node: n.Index}})
	}
	lists := [][]*program.Node{n.Body, n.Else, n.Catch, n.Finally, n.Default}
	for _, b := range n.Branches {
		lists = append(lists, b.Steps)
	}
	for _, list := range lists {
		for _, inner := range list {
			found = changers(c, inner, found)
		}
	}
	if n.Call != nil {
		sub := c.called(n.Call.Playbook)
		for _, inner := range sub.prog.Steps {
			found = changers(sub, inner, found)
		}
	}
	return found
}

// united merges two sorted lists of steps.
func united(a, b []NodeRef) []NodeRef {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	out := slices.Concat(a, b)
	slices.SortFunc(out, compareRefs)
	return slices.Compact(out)
}

func compareRefs(a, b NodeRef) int {
	return cmp.Or(cmp.Compare(a.Program, b.Program), cmp.Compare(a.Node, b.Node))
}

func (f *frame) ref() NodeRef { return NodeRef{Program: f.code.prog.Hash, Node: f.node.Index} }

// earlier are the steps before a frame that changed something. What happens in
// another item or branch is beside it, and neither before nor after.
func earlier(f *frame) []NodeRef {
	var by []NodeRef
	for p := f.parent; p != nil; p = p.parent {
		if p.kind == kindStep && (p.node.Form == program.FormForeach || p.node.Form == program.FormParallel) {
			continue
		}
		by = united(by, p.deeds.by)
	}
	return by
}

// itemKey is the key of the innermost item around a frame.
func itemKey(f *frame) string {
	for e := f.env; e != nil; e = e.up {
		if e.item != nil {
			return e.item.key
		}
	}
	return ""
}

// row is the element of the innermost loop around a frame, where it comes from
// what a step has answered, and that step: a previewed change may know its
// target from it.
func (m *Machine) row(f *frame) (json.RawMessage, NodeRef) {
	if !m.looking || f.node.Uses.Effect != engine.Change {
		return nil, NodeRef{}
	}
	e := f.env
	for e != nil && e.item == nil {
		e = e.up
	}
	if e == nil {
		return nil, NodeRef{}
	}
	reads := e.code.readsOf(e.loop.List)
	if len(reads) != 1 || len(reads[0]) != 3 || reads[0][0] != "steps" {
		return nil, NodeRef{}
	}
	o := e.find(reads[0][1])
	if o == nil || o.node.Form != program.FormUses {
		return nil, NodeRef{}
	}
	return e.item.raw, NodeRef{Program: f.code.prog.Hash, Node: o.node.Index}
}

// Halted is why no change may follow any more; nil while changes may.
func (m *Machine) Halted() *engine.Failure { return m.halted }
