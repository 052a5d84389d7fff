package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func noon() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

func TestClockPassesOnlyWhereEverythingWaits(t *testing.T) {
	c := sim.NewClock(noon())
	due, stop := c.Park(noon().Add(time.Hour), 0)
	if at := <-due; !at.Equal(noon().Add(time.Hour)) {
		t.Errorf("the run went on at %s", at)
	}
	stop()

	// Two calls: the run is due before the second wakes, and the first before both.
	slept := make(chan string, 2)
	sleep := func(name string, d time.Duration) {
		if err := c.Sleep(t.Context(), d); err == nil {
			slept <- name
		}
	}
	go sleep("first", time.Minute)
	_, stopFirst := c.Park(noon().Add(time.Hour+2*time.Minute), 1)
	if who := <-slept; who != "first" {
		t.Errorf("%s woke", who)
	}
	stopFirst()
	parked, stop := c.Park(noon().Add(time.Hour+2*time.Minute), 1)
	go sleep("second", time.Hour)
	<-parked
	if now := c.Now(); !now.Equal(noon().Add(time.Hour + 2*time.Minute)) {
		t.Errorf("it is %s", now)
	}
	stop()
	_, stop = c.Park(time.Time{}, 1)
	defer stop()
	if who := <-slept; who != "second" {
		t.Errorf("%s woke", who)
	}
}

func TestClockDoesNotWaitForARunThatNeverParks(t *testing.T) {
	c := sim.NewClock(noon())
	if err := c.Sleep(t.Context(), time.Hour); err != nil || !c.Now().Equal(noon().Add(time.Hour)) {
		t.Errorf("%v, %s", err, c.Now())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Sleep(ctx, time.Hour); err == nil {
		t.Error("it slept although it was stopped")
	}
}
