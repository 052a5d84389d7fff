package machine

import (
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// What a wait waits for.
const (
	pauseTime   = "time"
	pauseSignal = "signal"
	pauseLimit  = "limit" // a time its own timeout comes before
)

// signal is one that came, and nobody has waited for yet.
type signal struct {
	name string
	body val
}

type signalState struct {
	Name string `json:"name"`
	Body Value  `json:"body,omitzero"`
}

// enterWait parks the run for a time or until a signal. While looking ahead the
// time passes at once, and what comes with a signal is known only after it.
func (m *Machine) enterWait(f *frame) (ending, bool) {
	f.deeds.ran = true
	w := f.node.Wait
	if w.Signal != "" {
		return m.awaitSignal(f)
	}
	until, fail := m.waitsUntil(f)
	switch {
	case fail != nil:
		return failed(fail), true
	case m.looking, !until.After(m.now):
		return succeeded(), true
	}
	f.pause = pauseTime
	if f.slot > 0 && f.due.Before(until) {
		f.pause = pauseLimit
		return ending{}, false
	}
	m.arm(f, until)
	return ending{}, false
}

func (m *Machine) waitsUntil(f *frame) (time.Time, *engine.Failure) {
	w := f.node.Wait
	computed := w.Until
	if !w.For.IsZero() {
		computed = w.For
	}
	v, fail := m.computed(f, computed)
	if fail != nil {
		return time.Time{}, fail
	}
	switch v := v.(type) {
	case time.Duration:
		return m.now.Add(min(v, longestWait)), nil
	case time.Time:
		return instant(v), nil
	}
	return time.Time{}, invalid(f.path, fmt.Errorf("%w: how long to wait is neither a duration nor a time", errInput))
}

// longestWait keeps times within the calendar.
const longestWait = 100 * 365 * 24 * time.Hour

func (m *Machine) awaitSignal(f *frame) (ending, bool) {
	name := f.node.Wait.Signal
	i := slices.IndexFunc(m.signals, func(s signal) bool { return s.name == name })
	switch {
	case i >= 0:
		body := m.signals[i].body
		m.signals = slices.Delete(m.signals, i, i+1)
		return m.gotSignal(body), true
	case m.looking:
		return ending{status: engine.StepSucceeded, after: f.path}, true
	}
	f.pause = pauseSignal
	return ending{}, false
}

// signalled gives a signal to the step that has waited longest for it, or keeps
// it for the first that will.
func (m *Machine) signalled(ev Event) {
	if m.root == nil {
		return
	}
	body := m.keepEvent(ev.Value)
	var first *frame
	m.walk(func(f *frame) {
		if f.pause == pauseSignal && f.node.Form == program.FormWait && f.node.Wait.Signal == ev.Name && (first == nil || f.id < first.id) {
			first = f
		}
	})
	if first == nil {
		m.signals = append(m.signals, signal{name: ev.Name, body: body})
		return
	}
	first.pause = ""
	m.finish(first, m.gotSignal(body))
}

func (m *Machine) gotSignal(body val) ending {
	raw := body.data
	if raw == nil {
		raw = []byte("null")
	}
	data := append(append([]byte(`{"body":`), raw...), '}')
	return ending{status: engine.StepSucceeded, value: m.keep(data)}
}

// Awaits are the names of the signals the run waits for now, sorted.
func (m *Machine) Awaits() []string {
	var names []string
	m.walk(func(f *frame) {
		if f.pause == pauseSignal && f.node.Wait.Signal != "" {
			names = append(names, f.node.Wait.Signal)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// passed lets a machine that looks ahead go on behind a wait.
func (m *Machine) passed(ev Event) {
	f := m.frames[ev.Frame]
	if f == nil || f.pause == "" || !m.looking {
		return
	}
	e := succeeded()
	if f.node.Wait.Signal != "" {
		e.after = f.path
	}
	f.pause = ""
	m.finish(f, e)
}
