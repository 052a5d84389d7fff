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
	defer kill(errEnded)
	if err := d.turn(ctx, calls); err != nil {
		if late := d.land(kill, d.forget); late != nil {
			d.engine.config.Log.Warn("the calls under way could not be awaited", "run", d.record.ID, "error", late)
		}
		return err
	}
	if d.record.Status.Final() || d.record.Status == engine.RunUnsettled {
		return nil
	}
	return d.interrupt(calls, kill)
}

// turn is the loop: what happened is applied and recorded, what follows from
// it is begun. calls outlives ctx: it is the context of what must be allowed
// to finish.
func (d *drive) turn(ctx, calls context.Context) error {
	if err := d.resume(calls); err != nil {
		return err
	}
	for !d.record.Status.Final() {
		if len(d.events) == 0 && d.idle() {
			return d.unsettle(calls)
		}
		d.await(ctx, calls)
		if d.fault != nil || ctx.Err() != nil {
			return d.fault
		}
		if err := d.advance(calls); err != nil {
			return err
		}
	}
	return nil
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

// resume marks the run as running and issues again what it was waiting for.
func (d *drive) resume(calls context.Context) error {
	if d.record.Status != engine.RunRunning || d.record.Error != nil {
		d.record.Status, d.record.Error, d.changed = engine.RunRunning, nil, true
	}
	if _, over := d.machine.Done(); over || d.changed {
		if _, err := d.apply(calls, nil); err != nil {
			return err
		}
	}
	d.reorder(d.machine.Outstanding())
	d.wake, _ = d.machine.NextWake()
	return nil
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
	return nil
}

// idle reports whether nothing can happen any more by itself.
func (d *drive) idle() bool {
	return len(d.ready) == 0 && len(d.flights) == 0 && d.wake.IsZero()
}

// await begins what there are slots for and returns when something has
// happened, or ctx is cancelled.
func (d *drive) await(ctx, calls context.Context) {
	for ctx.Err() == nil {
		d.launchReady(ctx, calls)
		d.collect()
		if len(d.events) > 0 || d.idle() {
			return
		}
		d.awaitOne(ctx, calls)
	}
}

func (d *drive) launchReady(ctx, calls context.Context) {
	for len(d.ready) > 0 {
		select {
		case d.engine.slots <- struct{}{}:
			d.launch(ctx, calls)
		default:
			return
		}
	}
}

// awaitOne begins one call or waits for one thing to happen.
func (d *drive) awaitOne(ctx, calls context.Context) {
	var slot chan<- struct{} // a run with nothing to begin waits for none
	if len(d.ready) > 0 {
		slot = d.engine.slots
	}
	due, stop := d.timer()
	defer stop()
	select {
	case <-ctx.Done():
	case slot <- struct{}{}:
		d.launch(ctx, calls)
	case a := <-d.answers:
		d.take(a)
	case ev := <-d.inbox:
		d.events = append(d.events, ev)
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
	if d.wake.IsZero() {
		return nil, func() {}
	}
	return d.engine.config.Clock.Timer(d.wake.Sub(d.engine.config.Clock.Now()))
}
