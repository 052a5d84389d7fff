package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
)

// enterTry begins the body of a try.
func (m *Machine) enterTry(f *frame) (ending, bool) {
	return m.attempt(f, partTry)
}

func (m *Machine) attempt(f *frame, name partName) (ending, bool) {
	child := m.open(f, part{name: name})
	e, done := m.launch(child)
	if !done {
		return ending{}, false
	}
	return m.tryEnded(f, child, e)
}

// tryEnded goes on after one of the three parts: a failure of the body that was
// not brought about from outside is caught; whatever happened, finally runs.
func (m *Machine) tryEnded(f, child *frame, e ending) (ending, bool) {
	if child.part.name == partFinally {
		return heavier(f.join, e), true
	}
	f.join = e
	if child.part.name == partTry && f.node.Catch != nil && f.stop == "" && caught(e) {
		m.remember(f, e)
		return m.attempt(f, partCatch)
	}
	if len(f.node.Finally) == 0 {
		return e, true
	}
	m.remember(f, e)
	return m.attempt(f, partFinally)
}

// caught reports whether a catch handles the ending. It never handles a refusal.
func caught(e ending) bool {
	return e.status == engine.StepFailed || e.status == engine.StepUnsettled
}
