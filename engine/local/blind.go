package local

import (
	"context"
	"errors"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// How often a change that may be made twice is made while nobody knows whether
// it was, and how long the first pause between is. The next is twice as long.
const (
	blindTries = 3
	blindPause = time.Second
)

// isCertain reports whether a change that failed like this was not made. Of one
// that no read shows, a service that was busy is believed.
func (c *change) isCertain(err error) bool {
	var f *engine.Failure
	if !errors.As(err, &f) || f.Code == codeCrash {
		return false
	}
	return !f.Uncertain() || c.seen.subject.Blind && f.Class == engine.ClassTransient
}

// attempts makes the change, again where that is as good as once and nobody knows
// whether it was made.
func (c *change) attempts(ctx context.Context) (map[string]any, error) {
	subject := c.seen.subject
	pause := blindPause
	for try := 1; ; try++ {
		outputs, err := guarded(c.drive, c.input, func() (map[string]any, error) {
			return c.action.Perform(ctx, c.input, subject)
		})
		again := subject.Blind && subject.Repeatable && try < blindTries
		if err == nil || !again || c.isCertain(err) || !c.pause(ctx, pause) {
			return outputs, err
		}
		pause *= 2
	}
}

// pause waits; false where there is no time for it.
func (c *change) pause(ctx context.Context, d time.Duration) bool {
	timer, stop := c.drive.engine.config.Clock.Timer(d)
	defer stop()
	select {
	case <-timer:
		return ctx.Err() == nil
	case <-ctx.Done():
	case <-c.drive.closing:
	}
	return false
}

// notSeen answers for a change that no read shows, and whose call has failed in
// a way that does not tell whether it was made.
func (c *change) notSeen(failure *engine.Failure) *answer {
	if c.seen.subject.Repeatable {
		select {
		case <-c.drive.closing: // whoever carries the run on makes it again
			return &answer{left: true}
		default:
		}
	}
	c.facts.outcome = engine.OutcomeUnsettled
	return c.drive.failed(c.job, c.facts, c.openFailure(c.facts.target, failure))
}

// endBlind answers for a change that no read shows and of which only the intent
// is known. Waiting would tell no more, so its step is over.
func (c *change) endBlind(intent engine.StepRecord, err error) *answer {
	c.facts.connection, c.facts.arguments, c.facts.target = intent.Connection, intent.Arguments, intent.Target
	c.facts.before, c.facts.after, c.facts.outcome = intent.Before, intent.After, engine.OutcomeUnsettled
	return c.drive.failed(c.job, c.facts, c.openFailure(intent.Target, err))
}
