package machine

import (
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// call is an action's call: a step with `uses`, or an item of a foreach over one.
type call struct {
	state    callState
	attempt  int
	inputs   val
	asked    time.Time       // when this attempt was asked for
	deadline time.Time       // of this attempt; zero: none
	stopping bool            // it was asked to stop
	expired  bool            // because its time was up
	answered bool            // its end is known from the driver, who records it
	since    uint64          // the event that led to this attempt; not part of the state
	failure  *engine.Failure // the last attempt's, while waiting
	lasts    time.Duration   // of a temporary change; 0: for ever
}

type callState string

const (
	callIdle    callState = ""
	callRunning callState = "running" // the driver has it
	callWaiting callState = "waiting" // for the next attempt
)

func (c *call) running() bool { return c != nil && c.state == callRunning }

func (c *call) waiting() bool { return c != nil && c.state == callWaiting }

// invoke begins the call of an action: inputs are evaluated once, for all attempts.
func (m *Machine) invoke(f *frame) (ending, bool) {
	f.call = &call{}
	uses := f.node.Uses
	args, fail := m.arguments(f, uses.Inputs, uses.Declared)
	if fail != nil {
		return failed(fail), true
	}
	data, err := engine.EncodeJSON(args)
	if err != nil {
		return failed(invalid(f.path, err)), true
	}
	f.call.inputs = m.keepOwn(data)
	if f.call.lasts, fail = m.lasting(f); fail != nil {
		return failed(fail), true
	}
	m.ask(f)
	return ending{}, false
}

// lasting is how long a temporary change lasts.
func (m *Machine) lasting(f *frame) (time.Duration, *engine.Failure) {
	if f.node.For == nil {
		return 0, nil
	}
	v, fail := m.computed(f, f.node.For.Duration)
	if fail != nil {
		return 0, fail
	}
	d, ok := v.(time.Duration)
	if !ok || d <= 0 {
		return 0, invalid(f.path, fmt.Errorf("%w: `for` is %v; how long something lasts is more than nothing", errInput, v))
	}
	if most := f.node.For.Most; most > 0 && d > most {
		return 0, invalid(f.path, fmt.Errorf("%w: `for` is %s, longer than the %s that `max` lets it last", errInput, engine.FormatDuration(d), engine.FormatDuration(most)))
	}
	return d, nil
}

// ask begins the next attempt.
func (m *Machine) ask(f *frame) {
	c := f.call
	c.state, c.asked, c.since = callRunning, m.now, m.seq
	c.attempt++
	c.failure, c.deadline = nil, time.Time{}
	if f.node.Timeout > 0 {
		c.deadline = m.now.Add(f.node.Timeout)
		m.arm(f, c.deadline)
	}
	m.emit(m.runStep(f))
}

func (m *Machine) runStep(f *frame) RunStep {
	c, uses := f.call, f.node.Uses
	row, of := m.row(f)
	end := ended(f.node)
	return RunStep{
		Frame:    f.id,
		Deadline: c.deadline,
		Call: Call{
			Path: f.path, Attempt: c.attempt, Node: f.node.Index, Program: f.code.prog.Hash,
			Action: uses.Action, Effect: uses.Effect, Connection: uses.Connection,
			Inputs: c.inputs.data, At: c.asked, Why: why(f),
			For: c.lasts, AtEnd: end.AtEnd, Most: end.Most, Warn: end.Warn,
			Earlier: earlier(f), Item: itemKey(f), Row: row, RowOf: of,
		},
	}
}

// ended is what a step says of the end of its change; nothing where it is for ever.
func ended(n *program.Node) program.Temporary {
	if n.For == nil {
		return program.Temporary{}
	}
	return *n.For
}

// stepDone takes the answer to a RunStep, unless it is for another attempt or
// a step that is over.
func (m *Machine) stepDone(ev Event) {
	f := m.frames[ev.Frame]
	if f == nil || !f.call.running() || f.call.attempt != ev.Attempt {
		return
	}
	m.disarm(f)
	f.call.state, f.call.answered = callIdle, true
	if ev.Failure != nil {
		m.callFailed(f, *ev.Failure)
		return
	}
	f.deeds = f.deedsOf(ev.Outcome)
	m.finish(f, ending{status: engine.StepSucceeded, value: m.keepEvent(ev.Value), after: ev.Unforeseen})
}

func (f *frame) deedsOf(o engine.Outcome) deeds {
	d := deeds{ran: true}
	if f.node.Uses.Effect == engine.Change {
		d.unchanged = o == engine.OutcomeUnchanged
		d.changed = !d.unchanged
	}
	if d.changed {
		d.by = []NodeRef{f.ref()}
	}
	return d
}

func (m *Machine) callFailed(f *frame, fail engine.Failure) {
	c := f.call
	notBefore := instant(fail.NotBefore)
	fail.NotBefore = time.Time{}
	if fail.Step == "" {
		fail.Step = f.path
	}
	if c.expired && fail.Class == engine.ClassCancelled {
		fail = *m.timeoutOf(f)
	}
	f.deeds.ran = true
	if f.node.Uses.Effect == engine.Change && fail.Uncertain() {
		f.deeds.by = []NodeRef{f.ref()}
	}
	switch {
	case fail.Class == engine.ClassRefused && halts(fail.Code):
		m.halt(&fail)
		m.finish(f, failed(&fail))
	case f.stop != "" && fail.Class == engine.ClassCancelled:
		m.finish(f, m.stopped(f))
	case f.stop == "" && fail.Retryable() && attemptsLeft(f.node.Retry, c.attempt):
		m.wait(f, &fail, notBefore)
	default:
		m.finish(f, failed(&fail))
	}
}

// wait parks a call until its next attempt.
func (m *Machine) wait(f *frame, fail *engine.Failure, notBefore time.Time) {
	c := f.call
	c.state, c.failure, c.answered, c.stopping, c.expired = callWaiting, fail, false, false, false
	wake := m.now.Add(backoff(f.node.Retry, c.attempt))
	if notBefore.After(wake) {
		wake = notBefore
	}
	m.arm(f, wake)
}

func attemptsLeft(r *program.Retry, made int) bool { return r != nil && made < r.Attempts }

// backoff is how long to wait after that many attempts.
func backoff(r *program.Retry, made int) time.Duration {
	d := r.First
	for i := 1; r.Backoff == "exponential" && i < made && d < maxBackoff; i++ {
		d *= 2
	}
	if r.Max > 0 {
		d = min(d, r.Max)
	}
	return min(d, maxBackoff)
}

// maxBackoff keeps doubling from overflowing.
const maxBackoff = 365 * 24 * time.Hour
