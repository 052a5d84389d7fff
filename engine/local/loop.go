package local

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// landing is how long calls that were cut off may take to return. An action
// that ignores its context is left behind after that.
const landing = 5 * time.Second

// carryOut drives the machine until the run is over, unsettled or interrupted.
func (d *drive) carryOut(ctx context.Context) error {
	calls, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	defer close(d.gone)
	d.place = d.engine.slots.enter(d.record.Playbook)
	defer d.place.leave()
	defer kill(errEnded)
	if err := d.turn(ctx, calls); err != nil {
		if late := d.land(kill, d.forget); late != nil {
			d.engine.config.Log.Warn("the calls under way could not be awaited", "run", d.record.ID, "error", late)
		}
		return err
	}
	if d.record.Status.Final() || d.record.Status == engine.RunUnsettled || d.record.Status == engine.RunWaiting {
		return nil
	}
	return d.interrupt(calls, kill)
}

// turn is the loop: what happened is applied and recorded, what follows from
// it is begun. calls outlives ctx: it is the context of what must be allowed
// to finish.
func (d *drive) turn(ctx, calls context.Context) error {
	on, err := d.resume(ctx, calls)
	if err != nil || !on {
		return interrupted(ctx, err)
	}
	for !d.record.Status.Final() {
		over, err := d.step(ctx, calls)
		if err != nil || over || ctx.Err() != nil {
			return interrupted(ctx, err)
		}
	}
	return nil
}

// step waits until something has happened and applies it, or settles what the
// run may do. The bool reports that this drive is over.
func (d *drive) step(ctx, calls context.Context) (bool, error) {
	d.timeIsUp()
	switch {
	case len(d.events) > 0:
	case d.thinking():
		return false, d.reconsider(ctx)
	case d.parked():
		return true, d.park(calls, d.wake)
	case d.idle():
		return true, d.unsettle(calls)
	default:
		d.await(ctx, calls)
	}
	if d.fault != nil || ctx.Err() != nil {
		return true, d.fault
	}
	return false, d.advance(calls)
}

// parked reports whether nobody has to carry the run out now: it waits for people
// or signals, or for a time that is far off.
func (d *drive) parked() bool {
	if len(d.ready) > 0 || len(d.flights) > 0 {
		return false
	}
	if d.machine.Parked() {
		return true
	}
	patience := d.engine.patience()
	return patience > 0 && d.machine.Paused() && d.wake.Sub(d.engine.config.Clock.Now()) > patience
}

// interrupted is no error where looking ahead was cut off by the end of the
// process: the run is parked and looks ahead again when it goes on.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// timeIsUp tells the machine when a timer is due.
func (d *drive) timeIsUp() {
	if len(d.events) == 0 && !d.wake.IsZero() && !d.engine.config.Clock.Now().Before(d.wake) {
		d.events = append(d.events, machine.Event{Kind: machine.TimerDue})
	}
}

// unsettle parks a run in which nothing can happen any more until somebody
// knows what became of a change.
func (d *drive) unsettle(calls context.Context) error {
	if len(d.open) == 0 {
		return errors.New("nothing is left to do, and the run is not over")
	}
	messages := make([]string, 0, len(d.open))
	for _, frame := range slices.Sorted(maps.Keys(d.open)) {
		messages = append(messages, d.open[frame].Message)
	}
	first := *d.open[slices.Min(slices.Collect(maps.Keys(d.open)))]
	first.Message = strings.Join(messages, "; ")
	d.record.Status, d.record.Error, d.changed = engine.RunUnsettled, &first, true
	_, err := d.apply(calls, nil)
	return err
}

// forget drops what has happened: it cannot be recorded, and is found out again
// when the run is continued.
func (d *drive) forget() error {
	d.events = nil
	return nil
}

// interrupt lets what is under way finish, records it, and parks the run.
func (d *drive) interrupt(calls context.Context, kill context.CancelCauseFunc) error {
	durable := context.WithoutCancel(calls)
	err := d.land(kill, func() error { return d.advance(durable) })
	if err != nil || d.record.Status.Final() {
		return err
	}
	d.record.Status, d.changed = engine.RunInterrupted, true
	_, err = d.apply(durable, nil)
	return err
}

// land waits for the calls under way: for the grace, and then, cut off, a
// little longer. record is called whenever something has happened.
func (d *drive) land(kill context.CancelCauseFunc, record func() error) error {
	close(d.closing)
	grace, stop := d.engine.config.Clock.Timer(d.engine.config.Grace)
	defer stop()
	limit, stopLimit := d.engine.config.Clock.Timer(d.engine.config.Grace + landing)
	defer stopLimit()
	for {
		for len(d.events) > 0 {
			if err := record(); err != nil {
				return err
			}
		}
		if len(d.flights) == 0 {
			return d.fault
		}
		select {
		case a := <-d.answers:
			d.take(a)
		case ev := <-d.inbox:
			d.events = append(d.events, ev)
		case <-grace:
			kill(errEnded)
		case <-limit:
			d.engine.config.Log.Warn("left actions behind that ignore their context", "run", d.record.ID, "actions", len(d.flights))
			return d.fault
		}
	}
}

// resume marks the run as running, finds out what it may do, and issues again
// what it was waiting for. The bool is whether it goes on now.
func (d *drive) resume(ctx, calls context.Context) (bool, error) {
	if d.begun() && d.audited() {
		d.audit(engine.AuditResume(instant(d.engine.config.Clock.Now()), d.record.ID, d.record.Status))
	}
	if d.record.Status != engine.RunRunning || d.record.Error != nil {
		d.record.Status, d.record.Error, d.record.WakeAt, d.changed = engine.RunRunning, nil, nil, true
	}
	if _, over := d.machine.Done(); over || d.changed {
		if _, err := d.apply(calls, nil); err != nil {
			return false, err
		}
	}
	if on, err := d.begin(ctx); err != nil || !on {
		return false, err
	}
	if err := d.hear(calls); err != nil {
		return false, err
	}
	if err := d.hearSignals(calls); err != nil {
		return false, err
	}
	d.reorder(d.machine.Outstanding())
	if halting(d.events) {
		d.dropReady()
	}
	d.wake, _ = d.machine.NextWake()
	return true, nil
}

// begun reports whether the run was carried out before.
func (d *drive) begun() bool {
	fresh := d.record.Status == engine.RunRunning || d.record.Status == engine.RunQueued
	return !fresh || d.machine.Seq() > 1
}

// halting reports whether the run is about to be stopped.
func halting(events []machine.Event) bool {
	return slices.ContainsFunc(events, func(ev machine.Event) bool { return ev.Kind == machine.Halted })
}

// dropReady answers for calls that will not be begun any more. What became of a
// change that an earlier drive may have made is found out all the same.
func (d *drive) dropReady() {
	ready := d.ready
	d.ready = nil
	for _, j := range ready {
		if j.intent != nil {
			j.stopped = true
			d.ready = append(d.ready, j)
			continue
		}
		never := engine.Fail(engine.ClassCancelled, "cancelled", "it was not begun: the run was stopped before")
		d.take(&answer{job: j, event: j.done(nil, "", never)})
	}
}

// advance applies what has happened.
func (d *drive) advance(calls context.Context) error {
	if len(d.events) == 0 {
		return nil
	}
	n := min(len(d.events), mostEvents)
	events := d.events[:n]
	d.events = d.events[n:]
	commands, err := d.apply(calls, events)
	if err != nil {
		return err
	}
	d.order(commands)
	d.asking = slices.DeleteFunc(d.asking, func(q machine.AskApproval) bool {
		frame, asked := d.machine.Asked(q.Path)
		return !asked || frame != q.Frame
	})
	return nil
}

// idle reports whether nothing can happen any more by itself.
func (d *drive) idle() bool {
	return len(d.ready) == 0 && len(d.flights) == 0 && d.wake.IsZero()
}

// await begins what there are slots for and returns when something has
// happened, or ctx is cancelled.
func (d *drive) await(ctx, calls context.Context) {
	defer d.place.rest()
	for ctx.Err() == nil {
		d.launchReady(ctx, calls)
		d.collect()
		if len(d.events) > 0 || d.idle() || d.thinking() {
			return
		}
		d.awaitOne(ctx, calls)
	}
}

func (d *drive) launchReady(ctx, calls context.Context) {
	d.sortOut()
	for len(d.ready) > 0 && d.place.take() {
		d.launch(ctx, calls)
	}
}

// sortOut keeps back the changes that nobody has foreseen.
func (d *drive) sortOut() {
	if d.ahead != nil || !slices.ContainsFunc(d.ready, func(j *job) bool { return !d.licensed(j) }) {
		return
	}
	var fine, rest []*job
	for _, j := range d.ready {
		if d.licensed(j) {
			fine = append(fine, j)
		} else {
			rest = append(rest, j)
		}
	}
	d.ready = fine
	for _, j := range rest {
		d.hold(j)
	}
}

// awaitOne begins one call or waits for one thing to happen.
func (d *drive) awaitOne(ctx, calls context.Context) {
	var slot <-chan struct{} // a run with nothing to begin waits for none
	if len(d.ready) > 0 {
		slot = d.place.granted
	}
	due, stop := d.timer()
	defer stop()
	select {
	case <-ctx.Done():
	case <-slot:
		d.launch(ctx, calls)
	case a := <-d.answers:
		d.take(a)
	case ev := <-d.inbox:
		d.events = append(d.events, ev)
	case <-d.nudged:
		if err := d.hearSignals(calls); err != nil {
			d.fault = err
		}
	case <-due:
	}
	if !d.wake.IsZero() && !d.engine.config.Clock.Now().Before(d.wake) {
		d.events = append(d.events, machine.Event{Kind: machine.TimerDue})
	}
}

// collect takes the answers that are there already, so that they share a commit.
func (d *drive) collect() {
	for len(d.events) < mostEvents {
		select {
		case a := <-d.answers:
			d.take(a)
		default:
			return
		}
	}
}

func (d *drive) timer() (<-chan time.Time, func()) {
	if clock, ok := d.engine.config.Clock.(Simulated); ok {
		return clock.Park(d.wake, len(d.flights))
	}
	if d.wake.IsZero() {
		return nil, func() {}
	}
	return d.engine.config.Clock.Timer(d.wake.Sub(d.engine.config.Clock.Now()))
}
