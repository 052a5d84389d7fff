package transport

import (
	"context"
	"errors"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The pauses between attempts when the service does not name one.
const (
	firstPause     = 250 * time.Millisecond
	firstRatePause = time.Second // after a 429
)

// verdict is a failure whose class does not decide whether to try again.
type verdict struct {
	error
	again bool
}

// Unwrap is the failure.
func (v verdict) Unwrap() error { return v.error }

// Retry calls the function until it succeeds, fails for good, or had three
// attempts within 15 seconds, not counting what they waited for their turns. The pauses grow, are jittered, and are as long
// as the service asked for. A service that asks for longer than there is time
// ends it, with the failure's NotBefore. Every error is an *engine.Failure or
// wraps one.
func (c *Client) Retry(ctx context.Context, call func(context.Context) error) error {
	started := c.opts.Now()
	ctx, queue := queueing(ctx)
	for attempt := 1; ; attempt++ {
		err := call(ctx)
		if err == nil {
			return nil
		}
		f := engine.AsFailure(err)
		again := f.Retryable()
		if v := (verdict{}); errors.As(err, &v) {
			err, again = v.error, v.again
		}
		if !again || attempt >= attempts || ctx.Err() != nil {
			return classified(err)
		}
		wait := c.wait(attempt, f)
		if c.opts.Now().Add(wait).Sub(started)-queue.waited() > retryWindow || c.opts.Sleep(ctx, wait) != nil {
			return classified(err)
		}
	}
}

// classified makes sure that what leaves this package is a failure.
func classified(err error) error {
	var f *engine.Failure
	if errors.As(err, &f) {
		return err
	}
	return engine.AsFailure(err)
}

// wait is how long to pause after a failed attempt.
func (c *Client) wait(attempt int, f *engine.Failure) time.Duration {
	if !f.NotBefore.IsZero() {
		return max(f.NotBefore.Sub(c.opts.Now()), 0)
	}
	pause := firstPause
	if f.Code == CodeRateLimited {
		pause = firstRatePause
	}
	pause <<= attempt - 1
	return pause/2 + time.Duration(c.opts.Jitter()*float64(pause))
}
