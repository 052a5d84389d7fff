package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// How often a target is read back while its service may still show an old state.
const (
	firstPoll = 100 * time.Millisecond
	lastPoll  = 2 * time.Second
)

// verdict is what reading a target back has told.
type verdict int

const (
	unknown   verdict = iota // it cannot be read, or shows neither state
	happened                 // the target is as the change makes it
	didNot                   // it is as it was before, and no old state is shown any more
	abandoned                // the run is not carried out any more
)

// question is what a target is read back for.
type question struct {
	target        string
	before, after []byte    // the states, as they are stored
	until         time.Time // from then on, what is read is no old state any more
	trust         bool      // the service has answered: the state before is believed at once
}

// settleIntent finds out what became of a change that an earlier drive began
// and whose result is not known. It is nil when the change did not happen, and
// may be made again.
func (c *change) settleIntent(calls context.Context) *answer {
	intent := c.job.intent
	over := intent.StartedAt.Add(c.drive.wholeLimit(c.job))
	if c.drive.began.Before(over) { // the process that made the call has ended since
		over = c.drive.began
	}
	v, subject, err := c.settle(calls, question{
		target: intent.Target.ID, before: intent.Before, after: intent.After, until: over.Add(c.settleTime(intent.Connection)),
	})
	c.drive.engine.config.Log.Info("read back a change whose result was unknown",
		"run", c.drive.record.ID, "step", intent.Path, "target", intent.Target.ID, "happened", v == happened, "known", v != unknown)
	switch {
	case v == happened:
		return c.happened(*intent, subject)
	case v == didNot, errors.Is(err, errBlind) && subject.Repeatable:
		return nil
	case v == abandoned:
		return &answer{left: true}
	case subject.Blind:
		return c.endBlind(*intent, err)
	default:
		return &answer{open: c.openFailure(intent.Target, err)}
	}
}

// readBack finds out what became of a change whose call has failed in a way
// that does not tell. The bool is whether the target was changed, or may have been.
func (c *change) readBack(calls context.Context, failure *engine.Failure) (*answer, bool) {
	v, _, err := c.settle(calls, question{
		target: c.facts.target.ID, before: c.facts.before, after: c.facts.after,
		until: c.drive.engine.config.Clock.Now().Add(c.settleTime(c.facts.connection)),
		trust: failure.Class == engine.ClassTransient,
	})
	switch v {
	case happened:
		c.facts.outcome = engine.OutcomeDone
		return c.answer(c.seen.preview.Outputs), true
	case didNot:
		if failure.Class == engine.ClassUnsettled { // it is settled now, and trying again may help
			failure.Class = engine.ClassTransient
		}
		return c.drive.failed(c.job, c.facts, failure), true
	case abandoned:
		return &answer{left: true}, true
	default:
		return &answer{open: c.openFailure(c.facts.target, errors.Join(failure, err))}, true
	}
}

// settle reads the target until its state tells whether the change happened,
// at the longest until an old state cannot be shown any more.
func (c *change) settle(calls context.Context, q question) (verdict, engine.Subject, error) {
	clock := c.drive.engine.config.Clock
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		final := !clock.Now().Before(q.until)
		v, subject, err := c.ask(calls, q, final)
		if calls.Err() != nil {
			return abandoned, subject, err
		}
		if v != unknown || final || isHopeless(err) {
			return v, subject, err
		}
		timer, stop := clock.Timer(min(wait, q.until.Sub(clock.Now())))
		select {
		case <-timer:
		case <-calls.Done():
		case <-c.drive.closing:
			stop()
			return abandoned, subject, nil
		}
		stop()
	}
}

// ask reads the target once.
func (c *change) ask(calls context.Context, q question, final bool) (verdict, engine.Subject, error) {
	ctx, cancel := context.WithTimeout(calls, c.drive.engine.config.ChangeTimeout)
	defer cancel()
	subject, err := c.read(ctx)
	if err != nil {
		return unknown, subject, fmt.Errorf("reading it back: %w", err)
	}
	state, err := engine.EncodeJSON(subject.State)
	if err != nil {
		return unknown, subject, fmt.Errorf("reading it back: %w", err)
	}
	redact := c.drive.engine.config.Redact
	stored, err := redact.JSON(state)
	switch {
	case err != nil:
		return unknown, subject, fmt.Errorf("reading it back: %w", err)
	case redact.String(subject.Target.ID) != q.target:
		return unknown, subject, fmt.Errorf("reading it back found another target, %s", subject.Target.ID)
	case subject.Blind:
		return unknown, subject, errBlind
	case bytes.Equal(stored, q.after):
		return happened, subject, nil
	case !bytes.Equal(stored, q.before):
		return unknown, subject, errors.New("it is neither as it was before nor as it would be after")
	case final || q.trust:
		return didNot, subject, nil
	default:
		return unknown, subject, nil
	}
}

// errBlind is why a target is not read back: it would show nothing.
var errBlind = engine.Fail(engine.ClassUnsettled, "blind", "nothing that can be read shows it")

// isHopeless reports whether reading again soon would fail the same way.
func isHopeless(err error) bool {
	var f *engine.Failure
	return errors.As(err, &f) && !f.Retryable()
}

// happened answers for a change that an earlier call has made: its record says
// what was before, and the outputs are those the change would have had.
func (c *change) happened(mine engine.StepRecord, now engine.Subject) *answer {
	c.facts.connection, c.facts.arguments, c.facts.target = mine.Connection, mine.Arguments, mine.Target
	c.facts.before, c.facts.after, c.facts.inverse = mine.Before, mine.After, mine.Inverse
	c.facts.outcome, c.since = engine.OutcomeDone, mine.StartedAt
	if mine.Of == "" {
		c.drive.ledger.Recall(engine.StepRecord{
			Effect: engine.Change, Outcome: engine.OutcomeDone, Connection: mine.Connection, Target: mine.Target,
		})
	}
	state, err := engine.DecodeJSON(mine.Before, engine.DictOf(engine.TypeAny()))
	if err != nil {
		return c.drive.failed(c.job, c.facts, engine.AsFailure(fmt.Errorf("reading the state before: %w", err)))
	}
	now.State, _ = state.(map[string]any)
	preview, err := guarded(c.drive, c.input, func() (engine.Preview, error) { return c.action.Preview(c.input, now) })
	if err != nil {
		return c.drive.failed(c.job, c.facts, engine.AsFailure(err))
	}
	if now.Blind && preview.Outputs == nil { // what the service answered then is not kept
		return &answer{event: c.job.done([]byte("{}"), c.facts.outcome, nil), facts: c.facts}
	}
	return c.answer(preview.Outputs)
}

// settleTime is how long reads of a connection may lag.
func (c *change) settleTime(connection string) time.Duration {
	for _, conn := range c.input.Connections {
		if conn.Name == connection && conn.Settle != nil {
			return *conn.Settle
		}
	}
	return engine.DefaultSettle
}

func (c *change) openFailure(target *engine.Target, err error) *engine.Failure {
	return c.drive.clean(engine.Fail(engine.ClassUnsettled, "unsettled",
		"nobody knows whether %s of %s (%s) happened: %s", c.input.Action, target.ID, c.job.step.Call.Path, err))
}
