package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
)

// proceed runs the steps of a sequence from where it stands until one has to
// wait or the sequence ends.
func (m *Machine) proceed(f *frame) (ending, bool) {
	for f.pc < len(f.list) {
		if f.stop != "" {
			return m.stopped(f), true
		}
		child := m.open(f, part{name: partStep})
		e, done := m.launch(child)
		if !done {
			return ending{}, false
		}
		if e, done = m.stepEnded(f, child, e); done {
			return e, true
		}
	}
	return succeeded(), true
}

// stepEnded moves a sequence past a step. The bool reports whether the sequence
// ends with it.
func (m *Machine) stepEnded(f, child *frame, e ending) (ending, bool) {
	f.pc++
	f.past = append(f.past, letter(e.status))
	switch {
	case e.fine():
		return ending{}, false
	case e.returned:
		return returned(e.reason), true
	case child.node.Continue && f.stop == "" && e.status != engine.StepCancelled:
		m.spoilt = true
		return ending{}, false
	default:
		return ending{status: e.status, failure: e.failure}, true
	}
}

func returned(reason string) ending {
	return ending{status: engine.StepSucceeded, returned: true, reason: reason}
}

// statuses are the final statuses of steps, in the order of their letters.
func statuses() [7]engine.StepStatus {
	return [...]engine.StepStatus{
		engine.StepSucceeded, engine.StepPartial, engine.StepFailed, engine.StepSkipped,
		engine.StepRefused, engine.StepCancelled, engine.StepUnsettled,
	}
}

const letters = "spfkrcu"

// letter is how a sequence remembers a step's status, in one byte.
func letter(s engine.StepStatus) byte {
	for i, known := range statuses() {
		if known == s {
			return letters[i]
		}
	}
	return 's'
}
