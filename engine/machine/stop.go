package machine

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// stop is why a frame is being stopped: what is in flight is awaited, open
// finally blocks run, and nothing else begins. The first reason stays.
type stop string

const (
	stopCancel  stop = "cancel"  // a person asked for it
	stopHalt    stop = "halt"    // no change may follow; what is in flight is not even asked to stop
	stopReturn  stop = "return"  // a return beside it unwinds the playbook
	stopTimeout stop = "timeout" // of this frame or one around it
)

// stop stops a frame and all that is open in it, except for a finally.
func (m *Machine) stop(f *frame, why stop) {
	if f.stop == "" {
		f.stop = why
		if !f.call.running() {
			m.disarm(f)
		}
	}
	switch {
	case f.call.running():
		m.stopCall(f, why)
	case f.call.waiting():
		f.call.state = callIdle
		m.cut = append(m.cut, f)
	case f.loop.collecting():
		m.cut = append(m.cut, f)
	case f.ask != nil, f.pause != "":
		f.ask, f.pause = nil, ""
		m.cut = append(m.cut, f)
	}
	for _, kid := range f.kids {
		if kid.part.name != partFinally {
			m.stop(kid, why)
		}
	}
}

// stopCall asks a running call to stop, once. One that was asked for by the
// very event that stops it has not begun, and never does.
func (m *Machine) stopCall(f *frame, why stop) {
	c := f.call
	switch {
	case c.since == m.seq:
		m.commands = slices.DeleteFunc(m.commands, func(cmd Command) bool {
			run, ok := cmd.(RunStep)
			return ok && run.Frame == f.id
		})
		c.attempt--
		c.state = callIdle
		m.cut = append(m.cut, f)
	case why != stopHalt && !c.stopping:
		c.stopping = true
		m.disarm(f)
		m.emit(CancelStep{Frame: f.id})
	}
}

// dropCut ends the stopped frames that wait for nothing.
func (m *Machine) dropCut() {
	for len(m.cut) > 0 {
		f := m.cut[0]
		m.cut = m.cut[1:]
		if m.frames[f.id] == f {
			m.finish(f, m.stopped(f))
		}
	}
}

// cancel stops the run for a person.
func (m *Machine) cancel(reason string) {
	if m.root == nil || m.cancelled != nil {
		return
	}
	if reason == "" {
		reason = "the run was cancelled"
	}
	m.cancelled = engine.Fail(engine.ClassCancelled, "cancelled", "%s", reason)
	m.stop(m.root, stopCancel)
}

// halts reports whether a refusal with this code is about the whole run, and
// not about one target.
func halts(code string) bool {
	switch code {
	case engine.CodeMaxChanges, engine.CodeMaxPercent, engine.CodeBudget, engine.CodeFrozen,
		engine.CodePolicy, engine.CodeOutside, engine.CodeDenied, engine.CodeExpired:
		return true
	default:
		return false
	}
}

// haltedBy takes from outside that no change may follow.
func (m *Machine) haltedBy(ev Event) {
	if m.root == nil {
		return
	}
	fail := *ev.Failure
	m.halt(&fail)
}

// halt stops the run because no change may follow.
func (m *Machine) halt(fail *engine.Failure) {
	if m.halted == nil {
		m.halted = fail
	}
	m.stop(m.root, stopHalt)
}

// stopped is how a frame ends that was stopped before its end.
func (m *Machine) stopped(f *frame) ending {
	return ending{status: engine.StepCancelled, failure: m.reason(f)}
}

// reason says why a frame was stopped.
func (m *Machine) reason(f *frame) *engine.Failure {
	var fail engine.Failure
	switch {
	case f.stop == stopCancel && m.cancelled != nil:
		fail = *m.cancelled
	case f.stop == stopHalt && m.halted != nil:
		fail = *engine.Fail(m.halted.Class, m.halted.Code, "%s before this could be done", haltedWords(m.halted.Code))
	case f.stop == stopReturn:
		fail = *engine.Fail(engine.ClassCancelled, "returned", "the playbook returned before it ended")
	default:
		fail = *engine.Fail(engine.ClassCancelled, "timeout", "the time of a step around it was up")
	}
	if fail.Step == "" {
		fail.Step = f.path
	}
	return &fail
}

// haltedWords says in a few words why no change may follow.
func haltedWords(code string) string {
	switch code {
	case engine.CodeFrozen:
		return "changes were frozen"
	case engine.CodeDenied:
		return "the run was denied"
	case engine.CodeExpired:
		return "the time to approve was over"
	case engine.CodeOutside:
		return "the run left what was approved"
	case engine.CodePolicy:
		return "the policy stopped the run"
	default:
		return "the limit on changes was reached"
	}
}
