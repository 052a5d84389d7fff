package transport

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Turn waits until the connection's pace allows one more request, which is
// over when done is called. That wait is ours and not the service's: it does
// not count against the time for attempts of the Retry it is in. Do takes turns
// by itself; it is for services that do not speak HTTP.
func (c *Client) Turn(ctx context.Context) (done func(), err error) {
	began := c.opts.Now()
	defer func() { queued(ctx, c.opts.Now().Sub(began)) }()
	done = func() {}
	if c.permits != nil {
		if err := c.permits.Acquire(ctx, 1); err != nil {
			return done, err //nolint:wrapcheck // classified by the caller
		}
		done = func() { c.permits.Release(1) }
	}
	if err := c.pace(ctx); err != nil {
		done()
		return func() {}, err
	}
	return done, nil
}

// pace waits out what the service asked for, and then until the limiter lets
// one more go: so that all who waited do not go at once.
func (c *Client) pace(ctx context.Context) error {
	for {
		if err := c.waitOut(ctx); err != nil {
			return err
		}
		now := c.opts.Now()
		slot := c.limiter.ReserveN(now, 1)
		wait := slot.DelayFrom(now)
		if wait <= 0 {
			return nil
		}
		if err := c.opts.Sleep(ctx, wait); err != nil {
			slot.CancelAt(c.opts.Now())
			return err
		}
		if c.pausedFor() <= 0 {
			return nil
		}
	}
}

// waitOut waits until the service may be called. What would take longer than
// the time for attempts is a failure that says when.
func (c *Client) waitOut(ctx context.Context) error {
	for {
		wait := c.pausedFor()
		switch {
		case wait <= 0:
			return nil
		case wait > retryWindow:
			return &engine.Failure{
				Class: engine.ClassTransient, Code: CodeRateLimited, NotBefore: c.opts.Now().Add(wait),
				Message: "the service asked not to be called for the next " + engine.FormatDuration(wait.Round(time.Second)),
			}
		}
		if err := c.opts.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (c *Client) pausedFor() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused.Sub(c.opts.Now())
}

// Pause makes every caller wait until a time, because the service has said that
// no call is left before; at most an hour from now counts.
func (c *Client) Pause(until time.Time) {
	if latest := c.opts.Now().Add(maxPause); until.After(latest) {
		until = latest
	}
	if until.After(c.opts.Now()) {
		c.pause(until)
	}
}

// pause makes every caller wait, because the service asked one of them to.
func (c *Client) pause(until time.Time) {
	c.mu.Lock()
	later := until.After(c.paused)
	if later {
		c.paused = until
	}
	c.mu.Unlock()
	if later {
		c.opts.Penalized(until)
	}
}

// queue is how long the attempts of one Retry have waited for their turns.
type queue struct {
	outer *queue
	total atomic.Int64 // nanoseconds
}

type queueKey struct{}

// queueing is a context whose attempts' waits for their turns are summed up.
func queueing(ctx context.Context) (context.Context, *queue) {
	outer, _ := ctx.Value(queueKey{}).(*queue)
	q := &queue{outer: outer}
	return context.WithValue(ctx, queueKey{}, q), q
}

// queued notes such a wait, for the Retry it is part of and those around it.
func queued(ctx context.Context, waited time.Duration) {
	q, _ := ctx.Value(queueKey{}).(*queue)
	for ; q != nil; q = q.outer {
		q.total.Add(int64(waited))
	}
}

func (q *queue) waited() time.Duration { return time.Duration(q.total.Load()) }
