package local_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// leaping is a simulated clock that leaps to what a run waits for.
type leaping struct {
	mu     sync.Mutex
	now    time.Time
	parked []int // calls under way, each time a run waited
}

func (c *leaping) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *leaping) Timer(time.Duration) (<-chan time.Time, func()) { return nil, func() {} }

func (c *leaping) Park(due time.Time, calls int) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parked = append(c.parked, calls)
	rang := make(chan time.Time, 1)
	if calls == 0 && !due.IsZero() {
		c.now = due
		rang <- due
	}
	return rang, func() {}
}

func TestASimulatedClockIsToldWhenARunWaitsOnlyForTime(t *testing.T) {
	began := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	clock := &leaping{now: began}
	tries := 0
	f := newFixture(t, func(context.Context) error {
		if tries++; tries < 3 {
			return engine.Fail(engine.ClassTransient, "busy", "try again")
		}
		return nil
	}, func(c *local.Config) { c.Clock = clock })
	run := f.start(t, "steps:\n  - uses: test.act\n    retry: { attempts: 3, backoff: fixed, first: 5h, max: 5h }\n")
	record, err := f.Drive(t.Context(), run)
	if err != nil || record.Status != engine.RunSucceeded || tries != 3 {
		t.Fatalf("%s after %d tries, %v", record.Status, tries, err)
	}
	if took := clock.Now().Sub(began); took < 9*time.Hour || !slices.Contains(clock.parked, 0) {
		t.Errorf("%s passed; it waited with %v calls under way", took, clock.parked)
	}
}
