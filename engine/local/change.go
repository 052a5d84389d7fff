package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// change is one call that changes a target: read → preview → nothing to do? →
// guard → intent, durably → perform → result.
type change struct {
	drive  *drive
	job    *job
	facts  *facts
	action engine.Changer
	input  engine.Call
	seen   sight
	armed  bool      // the grant of a temporary change is durable
	ended  bool      // that grant is over already
	since  time.Time // when an earlier call began that has made the change; zero: it was made just now
}

// sight is a target as it was read, and what the change would make of it.
type sight struct {
	subject engine.Subject
	preview engine.Preview
	equal   bool // there is nothing to do
}

// carry carries the change out, with the grant of a temporary one.
func (c *change) carry(step, calls context.Context) *answer {
	a := c.carryOut(step, calls)
	if c.drive.record.UndoOf != "" {
		return c.endUndone(calls, a)
	}
	if c.job.step.Call.For == 0 || a.fault != nil || a.left || a.open != nil || c.facts.of != "" || c.ended {
		return a
	}
	failure := a.event.Failure
	switch {
	case failure == nil && c.facts.outcome == engine.OutcomeDone:
		return c.granted(a)
	case failure != nil && c.armed && !failure.Uncertain():
		return c.voided(a)
	default: // an armed grant stays: its end finds out what there is to take back
		return a
	}
}

// carryOut carries the change out. step ends when the step is stopped, takes too
// long or the run is interrupted; once the intent is durable, only the end of
// calls cuts the change off.
func (c *change) carryOut(step, calls context.Context) *answer {
	if done := c.settled(); done != nil {
		ctx, stop := c.drive.limited(step, c.job)
		defer stop()
		return c.carryOver(ctx, *done)
	}
	if line := c.drive.may.line(c.job.step.Call); line != nil && line.Error != nil && line.Outcome != engine.OutcomeFailed && c.job.intent == nil {
		return c.refuseLine(line)
	}
	if c.job.intent != nil {
		if a := c.endedMeanwhile(calls); a != nil {
			return a
		}
		if a := c.settleIntent(calls); a != nil {
			return a
		}
	}
	ctx, done := c.drive.limited(step, c.job)
	defer done()
	release, err := c.look(ctx)
	if err != nil {
		return c.drive.failed(c.job, c.facts, c.drive.failure(ctx, c.job, err))
	}
	defer release()
	if refusal := c.asForeseen(); refusal != nil {
		return c.refuse(refusal)
	}
	if c.seen.equal {
		return c.joined(calls, c.nothingToDo())
	}
	refusal, err := c.refusal(calls)
	if err != nil {
		return &answer{fault: err}
	}
	if refusal != nil {
		return c.refuse(refusal)
	}
	a, changed := c.perform(ctx, calls)
	c.drive.ledger.Settle(c.facts.connection, *c.facts.target, changed)
	return a
}

// look reads the target, alone among the run's changes, and previews the
// change. release lets the next one at the target.
func (c *change) look(ctx context.Context) (release func(), err error) {
	subject, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	waited, release, err := c.drive.engine.targets.acquire(ctx, subject.Connection.Name, subject.Target.ID)
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", subject.Target.ID, err)
	}
	if waited {
		subject, err = c.read(ctx)
	}
	if err == nil {
		err = c.preview(subject)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (c *change) read(ctx context.Context) (engine.Subject, error) {
	subject, err := guarded(c.drive, c.input, func() (engine.Subject, error) { return c.action.Read(ctx, c.input) })
	if err != nil {
		return subject, err
	}
	if subject.Connection == nil || subject.Target.ID == "" {
		return subject, engine.Fail(engine.ClassPermanent, "outputs", "%s read a target without an id or connection", c.input.Action)
	}
	return subject, nil
}

// preview compares before with after, and notes both for the record.
func (c *change) preview(before engine.Subject) error {
	preview, err := guarded(c.drive, c.input, func() (engine.Preview, error) { return c.action.Preview(c.input, before) })
	if err != nil {
		return err
	}
	was, err := engine.EncodeJSON(before.State)
	if err != nil {
		return fmt.Errorf("encoding the state before: %w", err)
	}
	will, err := engine.EncodeJSON(preview.After)
	if err != nil {
		return fmt.Errorf("encoding the state after: %w", err)
	}
	c.seen = sight{subject: before, preview: preview, equal: bytes.Equal(was, will)}
	return c.note(was, will)
}

// note takes down what the record of the change says, without secrets.
func (c *change) note(was, will []byte) error {
	redact := c.drive.engine.config.Redact
	target := c.seen.subject.Target
	c.facts.connection = c.seen.subject.Connection.Name
	c.facts.target = &engine.Target{ID: redact.String(target.ID), Name: redact.String(target.Name)}
	var err, failed error
	c.facts.before, failed = redact.JSON(was)
	c.facts.after, err = redact.JSON(will)
	if err = errors.Join(failed, err); err != nil || c.seen.preview.Inverse == nil {
		return err
	}
	inverse := c.seen.preview.Inverse
	data, err := engine.EncodeJSON(map[string]any{"action": inverse.Action, "inputs": inverse.Inputs})
	if err != nil {
		return fmt.Errorf("encoding the inverse: %w", err)
	}
	c.facts.inverse, err = redact.JSON(data)
	return err
}

// refuse answers for a change that is not made.
func (c *change) refuse(refusal *engine.Failure) *answer {
	c.facts.outcome = engine.OutcomeRefused
	return c.drive.failed(c.job, c.facts, refusal)
}

// refuseLine answers for a line that was refused when it was foreseen, or that
// the approvers left out: its target is not even read.
func (c *change) refuseLine(line *engine.PlannedChange) *answer {
	c.facts.connection, c.facts.target = line.Connection, &engine.Target{ID: line.Target.ID, Name: line.Target.Name}
	c.facts.before, c.facts.after = line.Before, line.After
	return c.refuse(line.Error)
}

// asForeseen is why the change is not the one that was foreseen. Where an
// earlier attempt of this very step has begun it, it need not be.
func (c *change) asForeseen() *engine.Failure {
	if refusal := c.drive.rules.Protects(c.seen.subject); refusal != nil && !c.seen.equal {
		return refusal
	}
	line := c.drive.may.line(c.job.step.Call)
	if line == nil || c.job.intent != nil || c.job.earlier != nil {
		return nil
	}
	fingerprint := c.drive.engine.config.Redact.String(c.seen.subject.Connection.Print())
	mine := c.drive.ledger.Changed(c.facts.connection, *c.facts.target)
	return c.drive.may.admits(line, c.facts, fingerprint, c.seen.equal, mine)
}

// refusal is why the change may not be made now. Where it may, its target
// counts from now on. Errors are those of the store.
func (c *change) refusal(ctx context.Context) (*engine.Failure, error) {
	d := c.drive
	refusal, err := d.frozen(ctx)
	if err != nil || refusal != nil && !d.takesBack(c.input.Action) {
		return refusal, err
	}
	hold, err := c.hold(ctx)
	if err != nil || hold != nil {
		return hold, err
	}
	return d.ledger.Reserve(c.facts.connection, *c.facts.target), nil
}

// hold is the refusal of a change that a hold keeps from being made: what gives
// access, and what takes something back.
func (c *change) hold(ctx context.Context) (*engine.Failure, error) {
	if c.access() != engine.Gives && c.drive.record.UndoOf == "" {
		return nil, nil
	}
	s := c.seen.subject
	held, err := c.drive.engine.held(ctx, s.Connection.Name, append([]string{s.Target.ID, s.Target.Name}, s.Aliases...)...)
	if err != nil || held == nil {
		return nil, err
	}
	return heldBy(*held), nil
}

// withinBudget records the intent unless all runs together have used up what a
// connection may see changed. Nobody else looks at the budget meanwhile.
func (c *change) withinBudget(ctx context.Context, begun time.Time) (*engine.Failure, error) {
	d := c.drive
	budget := d.rules.Budget()
	if budget == nil || d.ledger.Passes(c.facts.connection, *c.facts.target) {
		return nil, c.writeIntent(ctx, begun)
	}
	d.engine.budget.Lock()
	defer d.engine.budget.Unlock()
	spent, err := d.engine.config.Store.Spent(ctx, c.facts.connection, begun.Add(-budget.Per))
	if err != nil {
		return nil, fmt.Errorf("reading the budget of %s: %w", c.facts.connection, err)
	}
	if spent >= budget.Changes {
		return engine.Fail(engine.ClassRefused, engine.CodeBudget, "all runs together have changed %d targets of %s within %s, and no more than %d may be",
			spent, c.facts.connection, engine.FormatDuration(budget.Per), budget.Changes), nil
	}
	return nil, c.writeIntent(ctx, begun)
}

// settled is the record of this very change in the run that is retried; nil
// where it has to be made.
func (c *change) settled() *engine.StepRecord {
	done, there := c.drive.settled[inquiry{c.job.step.Call.Path, c.facts.arguments}]
	if !there || done.Target == nil {
		return nil
	}
	return &done
}

// carryOver answers for a change that the run which is retried has made.
func (c *change) carryOver(ctx context.Context, done engine.StepRecord) *answer {
	subject, err := c.read(ctx)
	if err != nil {
		return c.drive.failed(c.job, c.facts, c.drive.failure(ctx, c.job, err))
	}
	a := c.happened(done, subject)
	if a.event.Failure == nil {
		a.event.Outcome, c.facts.outcome, c.facts.of = done.Outcome, done.Outcome, done.Of
	}
	return a
}

// nothingToDo answers for a target that is as it shall be: it was so before,
// or an earlier attempt of this very step has made it so after all.
func (c *change) nothingToDo() *answer {
	c.facts.outcome = engine.OutcomeUnchanged
	for _, mine := range []*engine.StepRecord{c.job.intent, c.job.earlier} {
		if mine != nil && mine.Target.ID == c.facts.target.ID && bytes.Equal(mine.After, c.facts.after) {
			return c.happened(*mine, c.seen.subject)
		}
	}
	return c.answer(c.seen.preview.Outputs)
}

// perform writes the intent and makes the change. The bool is whether the
// target was changed, or may have been.
func (c *change) perform(ctx, calls context.Context) (*answer, bool) {
	if ctx.Err() != nil {
		return c.drive.failed(c.job, c.facts, c.drive.failure(ctx, c.job, ctx.Err())), false
	}
	begun := c.drive.engine.config.Clock.Now()
	refusal, err := c.withinBudget(calls, begun)
	switch {
	case err != nil:
		return &answer{fault: err}, true
	case refusal != nil:
		return c.refuse(refusal), false
	}
	c.facts.outcome = engine.OutcomeFailed
	if errors.Is(context.Cause(ctx), errStopped) {
		return c.drive.failed(c.job, c.facts, cancelled()), false
	}
	limited, cancel := context.WithTimeoutCause(calls, c.limit(), errDeadline)
	defer cancel()
	outputs, err := c.attempts(limited)
	if err != nil {
		return c.performFailed(limited, calls, err)
	}
	c.facts.outcome = engine.OutcomeDone
	return c.answer(outputs), true
}

// limit is how long the service may take to carry the change out.
func (c *change) limit() time.Duration {
	if left, bounded := c.drive.timeLeft(c.job); bounded {
		return left
	}
	return c.drive.engine.config.ChangeTimeout
}

// performFailed reports a failure only where the change certainly did not
// happen, and finds that out where the failure does not say so.
func (c *change) performFailed(limited, calls context.Context, err error) (*answer, bool) {
	if c.isCertain(err) && limited.Err() == nil {
		return c.drive.failed(c.job, c.facts, engine.AsFailure(err)), false
	}
	failure := c.drive.failure(limited, c.job, err)
	if failure == nil { // cut off by the end of the process
		return &answer{left: true}, true
	}
	if c.seen.subject.Blind {
		return c.notSeen(failure), true
	}
	return c.readBack(calls, failure)
}

// writeIntent makes durable what is about to be done.
func (c *change) writeIntent(ctx context.Context, begun time.Time) error {
	call := c.job.step.Call
	record := c.facts.complete(engine.StepRecord{
		Run: c.drive.record.ID, Path: call.Path, Attempt: call.Attempt, Form: string(program.FormUses), Action: call.Action,
		Effect: engine.Change, Status: engine.StepStarted, StartedAt: instant(begun), Why: c.drive.engine.config.Redact.String(call.Why),
	})
	batch := engine.Batch{
		Steps: []engine.StepRecord{record}, Audit: []engine.AuditEntry{engine.AuditIntent(c.drive.record.Actor, record)},
	}
	if call.For > 0 { // its reversal is durable before it is made
		g := c.arm(begun)
		batch.Grants, c.armed = []engine.Grant{g}, true
		batch.Audit = append(batch.Audit, engine.AuditState(g.CreatedAt, c.drive.record.Actor, g))
	}
	if err := c.drive.engine.config.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return fmt.Errorf("recording the intent of %s: %w", call.Path, err)
	}
	return nil
}

// answer reports a change by its outcome.
func (c *change) answer(outputs map[string]any) *answer {
	data, failure := c.drive.encodeOutputs(c.job.wiring, outputs)
	if failure != nil {
		return c.drive.failed(c.job, c.facts, failure)
	}
	return &answer{event: c.job.done(data, c.facts.outcome, nil), facts: c.facts}
}
