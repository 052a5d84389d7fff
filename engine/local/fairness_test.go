package local_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// slow is an observation that takes a second.
type slow struct{}

func (slow) Spec() engine.ActionSpec {
	return engine.ActionSpec{Name: "test.slow", Summary: "Takes a second.", Effect: engine.Observe}
}

func (slow) Observe(context.Context, engine.Call) (engine.Observation, error) {
	time.Sleep(time.Second) //nolint:forbidigo // virtual: a call that takes a while
	return engine.Observation{}, nil
}

const slowSweep = `
name: main
steps:
  - id: all
    uses: bench.numbers
  - id: each
    foreach: steps.all.list
    as: n
    concurrency: 64
    uses: test.slow
`

func TestALongSweepDoesNotDelayAnIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := make(chan time.Time, 1)
		f := newFixture(t, fine, func(c *local.Config) { c.Workers = 64 })
		actions, err := engine.NewActions(act(func(context.Context) error { first <- time.Now(); return nil }), numbers{10_000}, slow{})
		if err != nil {
			t.Fatal(err)
		}
		f.actions, f.config.Actions = actions, actions
		if f.Engine, err = local.New(f.config); err != nil {
			t.Fatal(err)
		}
		sweep, over := f.start(t, slowSweep), make(chan error, 1)
		began := time.Now()
		go func() {
			_, err := f.Drive(t.Context(), sweep)
			over <- err
		}()
		time.Sleep(60*time.Second + 500*time.Millisecond) //nolint:forbidigo // virtual: in the middle of the sweep
		asked := time.Now()
		incident := f.start(t, "name: incident\nsteps:\n  - uses: test.act\n")
		if _, err := f.Drive(t.Context(), incident); err != nil {
			t.Fatal(err)
		}
		if waited := (<-first).Sub(asked); waited > time.Second {
			t.Errorf("the incident waited %s for its first step", waited)
		}
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 160*time.Second {
			t.Errorf("the sweep took %s; 64 at a time need 157 s", took)
		}
	})
}
