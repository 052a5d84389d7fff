package machine

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// View is the run as it stands: its open steps, and the ended ones beside them.
func (m *Machine) View() View {
	v := View{Status: m.status(), Now: m.now}
	if m.root != nil {
		v.Root = sequenceViews(m.root)
	}
	return v
}

// status is the run's status as far as the machine knows it.
func (m *Machine) status() engine.RunStatus {
	switch {
	case m.result != nil:
		return m.result.status
	case m.start == nil:
		return engine.RunQueued
	case m.busy():
		return engine.RunRunning
	default:
		return engine.RunWaiting
	}
}

// busy reports whether something other than time is awaited.
func (m *Machine) busy() bool {
	busy := len(m.yields) > 0
	m.walk(func(f *frame) { busy = busy || f.call.running() || f.loop.collecting() })
	return busy
}

func sequenceViews(f *frame) []StepView {
	views := make([]StepView, 0, f.pc+len(f.kids))
	for i, n := range f.list[:f.pc] {
		v := StepView{Path: joined(f.path, n.Segment), Node: n.Index, Form: n.Form, Title: title(n), Status: statusBy(f.past[i])}
		if o := f.env.find(n.ID); o != nil {
			v.Failure = o.failure
		}
		views = append(views, v)
	}
	for _, kid := range f.kids {
		views = append(views, stepView(kid))
	}
	return views
}

// stepView shows an open step or item.
func stepView(f *frame) StepView {
	v := StepView{
		Path: f.path, Node: f.node.Index, Form: f.node.Form, Title: title(f.node),
		Status: engine.StepStarted, Wake: f.due,
	}
	if f.part.name == partItem {
		v.Title = f.env.item.label
		v.Form = program.FormUses
	}
	if f.ask != nil || f.pause != "" {
		v.Status = engine.StepWaiting
	}
	if f.call != nil {
		v.Failure = f.call.failure
		if f.call.waiting() {
			v.Status = engine.StepWaiting
		} else {
			v.Wake = time.Time{}
		}
	}
	if l := f.loop; l != nil {
		v.Total, v.Counts = l.total, l.counts.byOutcome()
	}
	for _, kid := range f.kids {
		v.Steps = append(v.Steps, kidViews(kid)...)
	}
	return v
}

// kidViews shows what is in a step: an item by itself, any other sequence by
// its steps.
func kidViews(kid *frame) []StepView {
	switch {
	case kid.kind != kindSequence:
		return []StepView{stepView(kid)}
	case kid.part.name == partItem:
		v := StepView{
			Path: kid.path, Node: kid.node.Index, Form: program.FormSteps, Title: kid.env.item.label,
			Status: engine.StepStarted, Steps: sequenceViews(kid),
		}
		return []StepView{v}
	default:
		return sequenceViews(kid)
	}
}

func (c *counts) byOutcome() map[engine.Outcome]int {
	out := make(map[engine.Outcome]int)
	for i, o := range outcomes() {
		if c[i] > 0 {
			out[o] = c[i]
		}
	}
	return out
}

func title(n *program.Node) string {
	switch {
	case n.Name != "":
		return n.Name
	case n.ID != "":
		return n.ID
	case n.Form == program.FormUses:
		return n.Uses.Action
	default:
		return string(n.Form)
	}
}

// statusBy is the status a letter stands for.
func statusBy(l byte) engine.StepStatus {
	for i, s := range statuses() {
		if letters[i] == l {
			return s
		}
	}
	return engine.StepSucceeded
}
