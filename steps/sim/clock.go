package sim

import (
	"context"
	"slices"
	"sync"
	"time"
)

// patience is how long the clock waits, in real time, for a run to say that it
// only waits for time. One that waits in another way, such as for a lock that
// a sleeping call holds, never says so.
const patience = 100 * time.Millisecond

// Clock is a simulated clock for one run: time passes only when everything
// waits for it, and then at once. It may be used by several goroutines.
type Clock struct {
	mu       sync.Mutex
	now      time.Time
	parked   *parking
	sleepers []*sleeper // in the order they are due
}

// parking is a run that waits for one of its calls, or until it is due.
type parking struct {
	due   time.Time
	calls int
	fire  chan time.Time
}

// sleeper is a call that waits.
type sleeper struct {
	due  time.Time
	fire chan time.Time
}

// NewClock makes a clock that shows a time.
func NewClock(now time.Time) *Clock { return &Clock{now: now.UTC()} }

// Now is the simulated time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass up to a moment; one that is over changes nothing.
func (c *Clock) Advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(to)
}

// Park says that a run waits until one of so many calls answers or the time is
// due; zero means for no time. stop says that it goes on.
func (c *Clock) Park(due time.Time, calls int) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &parking{due: due, calls: calls, fire: make(chan time.Time, 1)}
	c.parked = p
	c.settle()
	return p.fire, func() { c.unpark(p) }
}

func (c *Clock) unpark(p *parking) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked == p {
		c.parked = nil
	}
}

// Timer sends once d has passed; stop frees it earlier. It is for the calls of
// a run, which all must wait before time passes.
func (c *Clock) Timer(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &sleeper{due: c.now.Add(max(d, 0)), fire: make(chan time.Time, 1)}
	at, _ := slices.BinarySearchFunc(c.sleepers, s, func(a, b *sleeper) int {
		if a.due.After(b.due) {
			return 1
		}
		return -1 // those due at the same time go in the order they came
	})
	c.sleepers = slices.Insert(c.sleepers, at, s)
	c.settle()
	watch := time.AfterFunc(patience, func() { c.hurry(s) })
	return s.fire, func() {
		watch.Stop()
		c.forget(s)
	}
}

// Sleep waits for d of simulated time, or fails with the context.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	due, stop := c.Timer(d)
	defer stop()
	select {
	case <-due:
		return ctx.Err() //nolint:wrapcheck // classified by the caller
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the same
	}
}

func (c *Clock) forget(s *sleeper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.sleepers, s); i >= 0 {
		c.sleepers = slices.Delete(c.sleepers, i, i+1)
	}
}

// hurry lets time pass up to a sleeper that waits for a run that never says
// that it waits.
func (c *Clock) hurry(s *sleeper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for slices.Contains(c.sleepers, s) {
		if p := c.parked; p != nil && c.isDue(p) {
			c.ring(p)
		}
		c.wake()
	}
}

// settle lets time pass up to what is due next, if all there is waits for it.
func (c *Clock) settle() {
	p := c.parked
	switch {
	case p == nil || len(c.sleepers) < p.calls:
	case c.isDue(p):
		c.ring(p)
	case len(c.sleepers) > 0:
		c.wake()
	}
}

// isDue reports whether the run is what is due next.
func (c *Clock) isDue(p *parking) bool {
	return !p.due.IsZero() && (len(c.sleepers) == 0 || !p.due.After(c.sleepers[0].due))
}

// ring makes the run go on.
func (c *Clock) ring(p *parking) {
	c.parked = nil
	c.pass(p.due)
	p.fire <- c.now
}

// wake makes the first of those that sleep go on.
func (c *Clock) wake() {
	s := c.sleepers[0]
	c.sleepers = c.sleepers[1:]
	c.pass(s.due)
	s.fire <- c.now
}

func (c *Clock) pass(to time.Time) {
	if to.After(c.now) {
		c.now = to.UTC()
	}
}
