package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
)

// enterBranches begins the branches of a parallel, in the order written.
func (m *Machine) enterBranches(f *frame) (ending, bool) {
	f.join = succeeded()
	for i := range f.node.Branches {
		if f.stop != "" {
			break
		}
		if e, done := m.run(f, part{name: partBranch, n: int64(i)}); done {
			m.joinBranch(f, e)
		}
	}
	return f.join, len(f.kids) == 0
}

func (m *Machine) branchEnded(f *frame, e ending) (ending, bool) {
	m.joinBranch(f, e)
	return f.join, len(f.kids) == 0
}

// joinBranch adds a branch's ending to what the parallel amounts to. A return
// stops the others, and what becomes of them then no longer counts, except a
// refusal.
func (m *Machine) joinBranch(f *frame, e ending) {
	if !f.join.returned || e.status == engine.StepRefused {
		f.join = heavier(f.join, e)
	}
	if e.returned && f.stop == "" {
		m.stop(f, stopReturn)
	}
}

// rounds carries out a while: its condition, its body, and again.
func (m *Machine) rounds(f *frame) (ending, bool) {
	for {
		if f.stop != "" {
			return m.stopped(f), true
		}
		if m.pause(f) {
			return ending{}, false
		}
		e, done := m.nextRound(f)
		if !done {
			return ending{}, false
		}
		if !e.fine() || f.round < 0 {
			return e, true
		}
	}
}

// over marks a while whose condition no longer holds.
const over = -1

// nextRound carries out one round, if there is another.
func (m *Machine) nextRound(f *frame) (ending, bool) {
	w := f.node.While
	f.env.index = f.round
	more, fail := m.condition(f.env, f.path, w.Condition)
	switch {
	case fail != nil:
		return failed(fail), true
	case !more:
		f.round = over
		return succeeded(), true
	case f.round >= w.Max:
		fail = engine.Fail(engine.ClassPermanent, "max_rounds", "its condition still holds after %d rounds", w.Max)
		fail.Step = f.path
		return failed(fail), true
	}
	f.env.results = nil
	f.round++
	return m.run(f, part{name: partRound, n: f.round - 1})
}

func (m *Machine) roundEnded(f *frame, e ending) (ending, bool) {
	if !e.fine() {
		return e, true
	}
	return m.rounds(f)
}

// nextTurn goes on with a loop that paused.
func (m *Machine) nextTurn(f *frame) (ending, bool) {
	if f.loop != nil {
		return m.fill(f)
	}
	return m.rounds(f)
}
