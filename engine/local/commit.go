package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// snapshotEvery is after how many events the state is stored anew: replaying
// that many costs less than a glance, and storing more often costs every step.
const snapshotEvery = 64

// errRecording begins the errors of a store that did not take a batch.
var errRecording = errors.New("recording")

// instant is a time as a run keeps it: in UTC, to the millisecond, the same
// after it was stored.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// apply feeds events to the machine, makes them and everything the machine
// asks to record durable in one commit, and returns the commands to be carried
// out now.
func (d *drive) apply(ctx context.Context, events []machine.Event) ([]machine.Command, error) {
	var orders []machine.Command
	for _, ev := range events {
		commands, err := d.applyOne(ev)
		if err != nil {
			return nil, err
		}
		orders = append(orders, commands...)
	}
	d.settleStatus()
	if d.ahead != nil {
		d.wake, _ = d.machine.NextWake()
		d.batch = engine.Batch{}
		return orders, nil
	}
	d.closeApprovals()
	if err := d.addSnapshot(); err != nil {
		return nil, err
	}
	if err := d.commit(ctx); err != nil {
		return nil, err
	}
	d.wake, _ = d.machine.NextWake()
	return orders, nil
}

// applyOne gives an event its number and time. A decision has the time at which
// it was made, as far as nothing has happened since.
func (d *drive) applyOne(ev machine.Event) ([]machine.Command, error) {
	now := d.now()
	if ev.At.IsZero() || ev.At.After(now) {
		ev.At = now
	}
	if ev.At.Before(d.last) {
		ev.At = d.last
	}
	ev.Seq = d.machine.Seq() + 1
	if len(ev.Value.Inline) > machine.InlineLimit && ev.Value.Ref == "" {
		ev.Value.Ref = referenceOf(ev.Value.Inline)
	}
	commands, err := d.machine.Apply(ev)
	if err != nil {
		return nil, fmt.Errorf("applying an event: %w", err)
	}
	d.last = ev.At
	d.cancelled = d.cancelled || ev.Kind == machine.CancelRequested
	if d.ahead != nil {
		return d.addRecords(commands), nil
	}
	d.takeSignal(ev)
	if err := d.addEvent(ev); err != nil {
		return nil, err
	}
	if record, ofCall := d.records[ev.Frame]; ofCall && ev.Kind == machine.StepDone {
		delete(d.records, ev.Frame)
		record.EndedAt = &ev.At
		d.batch.Steps = append(d.batch.Steps, record)
		d.auditResult(record)
	}
	if ev.Kind == machine.CancelRequested {
		d.audit(engine.AuditCancel(ev.At, d.record.ID, ev.Reason))
	}
	return d.addRecords(commands), nil
}

// now is the time of the next event: never before the last one, and not before
// a timer that has fired.
func (d *drive) now() time.Time {
	clock := d.engine.config.Clock.Now()
	at := instant(clock)
	if !d.wake.IsZero() && at.Before(d.wake) && !clock.Before(d.wake) {
		at = d.wake
	}
	if at.Before(d.last) {
		return d.last
	}
	return at
}

// addEvent puts an event into the batch; a large value goes beside it.
func (d *drive) addEvent(ev machine.Event) error {
	if ev.Value.Ref != "" {
		d.addValue(engine.StoredValue{Ref: ev.Value.Ref, Data: ev.Value.Inline})
		ev.Value.Inline = nil
	}
	data, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	d.batch.Events = append(d.batch.Events, engine.Event{Run: d.record.ID, Seq: ev.Seq, At: ev.At, Kind: string(ev.Kind), Data: data})
	return nil
}

func (d *drive) addValue(v engine.StoredValue) {
	same := func(other engine.StoredValue) bool { return other.Ref == v.Ref }
	if !slices.ContainsFunc(d.batch.Values, same) {
		d.batch.Values = append(d.batch.Values, v)
	}
}

// addRecords puts what the commands record into the batch and returns the others.
func (d *drive) addRecords(commands []machine.Command) []machine.Command {
	var orders []machine.Command
	for _, c := range commands {
		if d.ahead != nil && d.collected(c) {
			continue
		}
		switch c := c.(type) {
		case machine.PutValue:
			d.addValue(c.Value)
		case machine.PutItem:
			d.batch.Items = append(d.batch.Items, c.Item)
		case machine.PutStep:
			d.batch.Steps = append(d.batch.Steps, c.Step)
		default:
			orders = append(orders, c)
		}
	}
	return orders
}

// settleStatus takes over how the run ended, once it has.
func (d *drive) settleStatus() {
	result, over := d.machine.Done()
	if !over || d.record.Status.Final() {
		return
	}
	finished := d.last
	d.record.Status, d.record.Outputs, d.record.Error = result.Status, result.Outputs, result.Failure
	d.record.FinishedAt, d.record.WakeAt = &finished, nil
	d.changed = true
	if d.audited() {
		d.audit(engine.AuditEnd(d.record))
	}
}

// addSnapshot stores the state when enough has happened since the last time,
// and whenever the run stops here.
func (d *drive) addSnapshot() error {
	seq := d.machine.Seq()
	if seq == d.kept || seq < d.kept+snapshotEvery && d.record.Status == engine.RunRunning {
		return nil
	}
	data, err := d.machine.Snapshot()
	if err != nil {
		return fmt.Errorf("taking a snapshot: %w", err)
	}
	d.batch.Snapshots = []engine.Snapshot{{Run: d.record.ID, Seq: seq, Semantics: machine.Semantics, Data: data}}
	return nil
}

// commit makes the batch durable and tells of it.
func (d *drive) commit(ctx context.Context) error {
	if d.changed {
		d.batch.Runs = []engine.RunRecord{d.record}
	}
	if err := d.engine.config.Store.Commit(ctx, d.batch); err != nil {
		return fmt.Errorf("%w: %w", errRecording, err)
	}
	if len(d.batch.Snapshots) > 0 {
		d.kept = d.machine.Seq()
	}
	d.changed = false
	d.tell(d.batch)
	d.batch = engine.Batch{}
	return nil
}

func (d *drive) tell(b engine.Batch) {
	if d.engine.config.Watch == nil {
		return
	}
	d.engine.config.Watch(Progress{Run: d.record, Steps: b.Steps, Items: b.Items, View: d.machine.View})
}
