package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// recordBegin puts the beginning of a step that may last into the history. An
// action's call is recorded by the driver.
func (m *Machine) recordBegin(f *frame) {
	switch f.node.Form {
	case program.FormApprove, program.FormWait:
		m.emit(PutStep{Step: m.record(f, engine.StepWaiting)})
	case program.FormSteps, program.FormForeach, program.FormParallel, program.FormSwitch,
		program.FormWhile, program.FormCall, program.FormTry:
		m.emit(PutStep{Step: m.record(f, engine.StepStarted)})
	default: // ends as it begins
	}
}

// recordEnd puts the end of a step into the history, except where the driver
// gave its answer and so knows more of it.
func (m *Machine) recordEnd(f *frame, e ending) {
	if f.call != nil && f.call.answered {
		return
	}
	r := m.record(f, e.status)
	ended := m.now
	r.EndedAt, r.Error = &ended, e.failure
	if f.node.Form == program.FormReturn {
		r.Why = shortened(e.reason)
	}
	m.emit(PutStep{Step: r})
}

func (m *Machine) record(f *frame, status engine.StepStatus) engine.StepRecord {
	n := f.node
	r := engine.StepRecord{
		Run: m.start.run, Path: f.path, Attempt: 1, Form: string(n.Form),
		Status: status, StartedAt: f.began,
	}
	if n.Uses != nil && (f.kind == kindItem || n.Form == program.FormUses) {
		r.Form, r.Action, r.Effect = string(program.FormUses), n.Uses.Action, n.Uses.Effect
		r.Connection = n.Uses.Connection.Name
	}
	if f.call != nil {
		r.Attempt = f.call.attempt + 1
	}
	return r
}
