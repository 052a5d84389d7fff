package machine

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// ask is an approve that waits for people.
type ask struct {
	Title string `json:"title"`
}

// enterApproval asks people. While looking ahead, nobody is asked and the
// answer is yes: what would follow is what they are asked about.
func (m *Machine) enterApproval(f *frame) (ending, bool) {
	title, fail := m.text(f.env, f.path, f.node.Approve.Title)
	if fail != nil {
		return failed(fail), true
	}
	f.ask = &ask{Title: title}
	f.deeds.ran = true
	if timeout := f.node.Approve.Timeout; timeout > 0 && !m.looking {
		m.arm(f, m.now.Add(timeout))
	}
	m.emit(f.question())
	if m.looking {
		return approved(true), true
	}
	return ending{}, false
}

func (f *frame) question() AskApproval {
	a := f.node.Approve
	return AskApproval{
		Frame: f.id, Path: f.path, Title: f.ask.Title, Expires: f.due,
		By: a.By, Needs: max(1, a.Needs), Notify: a.Notify,
	}
}

func approved(yes bool) ending {
	data := []byte(`{"approved":false}`)
	if yes {
		data = []byte(`{"approved":true}`)
	}
	return ending{status: engine.StepSucceeded, value: val{data: data}}
}

// decided takes what people said, unless the step is over.
func (m *Machine) decided(ev Event) {
	f := m.frames[ev.Frame]
	if f == nil || f.ask == nil {
		return
	}
	if ev.Failure == nil {
		f.ask = nil
		m.finish(f, approved(true))
		return
	}
	m.deny(f, *ev.Failure)
}

// expireApproval is no decision in time.
func (m *Machine) expireApproval(f *frame) {
	m.deny(f, *engine.Fail(engine.ClassRefused, engine.CodeExpired, "nobody approved it within %s", engine.FormatDuration(f.node.Approve.Timeout)))
}

// deny ends the run as denied, unless the step says to go on.
func (m *Machine) deny(f *frame, fail engine.Failure) {
	f.ask = nil
	if f.node.Approve.OnDeny == "continue" {
		m.finish(f, approved(false))
		return
	}
	fail.Class, fail.Step = engine.ClassRefused, f.path
	if !slices.Contains([]string{engine.CodeDenied, engine.CodeExpired}, fail.Code) {
		fail.Code = engine.CodeDenied
	}
	m.halt(&fail)
	m.finish(f, failed(&fail))
}

// Parked reports whether the run waits for people or signals, and for nothing
// else but the end of the time they have.
func (m *Machine) Parked() bool {
	asking, other := false, len(m.yields) > 0
	m.walk(func(f *frame) {
		asking = asking || f.ask != nil || f.pause == pauseSignal
		other = other || f.call.running() || f.call.waiting() || f.loop.collecting() || f.pause == pauseTime || f.pause == pauseLimit
	})
	return asking && !other
}

// Paused reports whether the run waits for nothing but times, people and signals:
// nothing is under way, and no call waits for its next attempt.
func (m *Machine) Paused() bool {
	paused, other := false, len(m.yields) > 0
	m.walk(func(f *frame) {
		paused = paused || f.ask != nil || f.pause != ""
		other = other || f.call.running() || f.call.waiting() || f.loop.collecting()
	})
	return paused && !other
}

// Asked reports the path of the question a frame still waits with.
func (m *Machine) Asked(path string) (FrameID, bool) {
	var found FrameID
	m.walk(func(f *frame) {
		if f.ask != nil && f.path == path && f.node.Form == program.FormApprove {
			found = f.id
		}
	})
	return found, found != 0
}
