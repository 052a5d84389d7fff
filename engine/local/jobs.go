package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// job is something the machine asked for that takes time: the call of an
// action, or the reading of a loop's items.
type job struct {
	frame   machine.FrameID
	step    machine.RunStep       // of a call
	wiring  *wiring               // of a call
	intent  *engine.StepRecord    // of a change that an earlier drive may have carried out
	earlier *engine.StepRecord    // of a change that an earlier attempt may have carried out
	collect *machine.CollectItems // of a reading; nil for a call
	stopped bool                  // it was asked to end before it began
	renewed bool                  // it was asked for in an earlier drive, and its timeout begins anew
	cancel  context.CancelCauseFunc
}

// answer is what came of a job.
type answer struct {
	job        *job
	event      machine.Event      // for the machine
	facts      *facts             // for the record of the step
	open       *engine.Failure    // nobody knows whether the change happened: the machine is told nothing
	left       bool               // cut off by the end of the process: it will be asked for again
	fault      error              // the store does not work: the run cannot go on
	population *engine.Population // of an observation
	grants     []engine.Grant     // of a temporary change, or ended by an undo: recorded with the answer
	withdrawn  []engine.Approval  // questions about those grants that nobody need answer any more
}

// order carries out what the machine asked for, or queues it.
func (d *drive) order(commands []machine.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case machine.RunStep:
			d.ready = append(d.ready, d.newJob(c))
		case machine.CollectItems:
			d.ready = append(d.ready, &job{frame: c.Frame, collect: &c})
		case machine.CancelStep:
			d.stop(c.Frame)
		case machine.AskApproval:
			if d.ahead == nil || !d.collected(c) {
				d.asking = append(d.asking, c)
			}
		}
	}
}

// reorder issues again what an earlier drive was asked for. The time during
// which nobody carried the run out counts against no call.
func (d *drive) reorder(commands []machine.Command) {
	d.order(commands)
	first := d.machine.Seq() == 1 // nothing has been carried out yet
	for _, j := range d.ready {
		due := j.step.Deadline
		j.renewed = !due.IsZero() && j.wiring.node.Timeout > 0 && (!first || due.Before(d.began))
	}
}

func (d *drive) newJob(c machine.RunStep) *job {
	j := &job{frame: c.Frame, step: c, wiring: d.wire(c.Call)}
	key := attempt{c.Call.Path, c.Call.Attempt}
	if intent, open := d.intents[key]; open {
		delete(d.intents, key)
		j.intent = &intent
	}
	if earlier, tried := d.uncertain[c.Call.Path]; tried {
		j.earlier = &earlier
	}
	return j
}

// stop asks a call to end. One that has not begun ends at once, except a change
// that may have happened: what became of it is found out first. A renewed call
// has its own idea of when its time is up, and only a person stops it earlier.
func (d *drive) stop(frame machine.FrameID) {
	if j, flying := d.flights[frame]; flying {
		if !j.renewed || d.cancelled {
			j.cancel(errStopped)
		}
		return
	}
	d.ready, d.held = append(d.ready, d.held...), nil
	i := slices.IndexFunc(d.ready, func(j *job) bool { return j.frame == frame && j.collect == nil })
	if i < 0 || d.ready[i].renewed && !d.cancelled {
		return
	}
	j := d.ready[i]
	j.stopped = true
	if j.intent == nil {
		d.ready = slices.Delete(d.ready, i, i+1)
		d.take(&answer{job: j, event: j.done(nil, "", cancelled())})
	}
}

// launch begins the first job that is ready; the caller has taken a slot.
func (d *drive) launch(ctx, calls context.Context) {
	j := d.ready[0]
	d.ready[0] = nil
	d.ready = d.ready[1:]
	step, cancel := context.WithCancelCause(ctx)
	j.cancel = cancel
	d.flights[j.frame] = j
	if j.stopped {
		cancel(errStopped)
	}
	go func() {
		defer cancel(nil)
		a := d.carry(step, calls, j)
		a.job = j
		d.engine.slots.release()
		select {
		case d.answers <- a:
		case <-d.gone:
		}
	}()
}

// carry does a job. step ends when the step is stopped or the run interrupted;
// calls outlives both by the grace.
func (d *drive) carry(step, calls context.Context, j *job) *answer {
	if j.collect != nil {
		return d.collectItems(step, j)
	}
	return d.call(step, calls, j)
}

// take notes an answer; called by the drive's own goroutine.
func (d *drive) take(a *answer) {
	delete(d.flights, a.job.frame)
	switch {
	case a.fault != nil:
		d.fault = a.fault
		return
	case a.left:
		return
	case a.open != nil:
		d.open[a.job.frame] = a.open
		return
	}
	if a.job.collect == nil && d.ahead == nil {
		d.note(a)
		d.noteGrants(a)
	}
	d.events = append(d.events, a.event)
}

// noteGrants records what has become of grants, and of the questions about them.
func (d *drive) noteGrants(a *answer) {
	now := instant(d.engine.config.Clock.Now())
	d.batch.Grants = append(d.batch.Grants, a.grants...)
	for _, g := range a.grants {
		d.audit(engine.AuditState(now, d.record.Actor, g))
	}
	d.batch.Approvals = append(d.batch.Approvals, a.withdrawn...)
	for _, q := range a.withdrawn {
		d.audit(engine.AuditClosing(q))
	}
}

// note keeps what the answer says for the record of the call, which is written
// with the answer.
func (d *drive) note(a *answer) {
	call, failure := a.job.step.Call, a.event.Failure
	record := a.facts.complete(engine.StepRecord{
		Run: d.record.ID, Path: call.Path, Attempt: call.Attempt, Form: string(program.FormUses), Action: call.Action,
		Effect: call.Effect, Status: statusOf(failure), Error: failure, StartedAt: call.At, Why: d.engine.config.Redact.String(call.Why),
	})
	d.records[a.job.frame] = record
	if record.Outcome == engine.OutcomeFailed && failure != nil && failure.Uncertain() {
		d.uncertain[call.Path] = record
	}
}

func statusOf(f *engine.Failure) engine.StepStatus {
	switch {
	case f == nil:
		return engine.StepSucceeded
	case f.Class == engine.ClassRefused:
		return engine.StepRefused
	case f.Class == engine.ClassCancelled:
		return engine.StepCancelled
	case f.Class == engine.ClassUnsettled:
		return engine.StepUnsettled
	default:
		return engine.StepFailed
	}
}

// done is the event that answers a call.
func (j *job) done(outputs []byte, outcome engine.Outcome, failure *engine.Failure) machine.Event {
	return machine.Event{
		Kind: machine.StepDone, Frame: j.frame, Attempt: j.step.Call.Attempt,
		Value: machine.Value{Inline: outputs}, Outcome: outcome, Failure: failure,
	}
}

func cancelled() *engine.Failure {
	return engine.Fail(engine.ClassCancelled, "cancelled", "the step was stopped")
}

// collectItems reads the items of a finished loop, as the list expressions see.
func (d *drive) collectItems(ctx context.Context, j *job) *answer {
	list, err := d.itemsOf(ctx, *j.collect)
	if err != nil && ctx.Err() != nil {
		return &answer{left: true}
	}
	if err != nil {
		return &answer{fault: err}
	}
	return &answer{event: machine.Event{Kind: machine.ItemsCollected, Frame: j.frame, Value: machine.Value{Inline: list}}}
}

func (d *drive) itemsOf(ctx context.Context, c machine.CollectItems) ([]byte, error) {
	if d.ahead != nil {
		return d.readAheadItems(ctx, c)
	}
	return d.readItems(ctx, c.Path)
}

// readItems encodes page by page: a loop may have had 100,000 items.
func (d *drive) readItems(ctx context.Context, path string) ([]byte, error) {
	q := engine.ItemQuery{Run: d.record.ID, Path: path, Limit: recordPage}
	out := []byte{'['}
	for {
		page, err := d.engine.config.Store.Items(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading the items of %s: %w", path, err)
		}
		for i := range page {
			if len(out) > 1 {
				out = append(out, ',')
			}
			data, err := engine.EncodeJSON(itemValue(page[i]))
			if err != nil {
				return nil, fmt.Errorf("encoding the items of %s: %w", path, err)
			}
			out = append(out, data...)
		}
		if len(page) < q.Limit {
			return append(out, ']'), nil
		}
		q.After += len(page)
	}
}

func itemValue(item engine.ItemRecord) map[string]any {
	v := map[string]any{"key": item.Key, "label": item.Label, "outcome": string(item.Outcome), "error": nil}
	if item.Error != nil {
		v["error"] = item.Error.Value()
	}
	return v
}
