package local_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// limited is a playbook of which one run may be under way.
func limited(more string) string {
	return "name: main\nconcurrency: { max: 1" + more + " }\ninputs:\n  who: { type: string, default: a }\nsteps:\n  - id: one\n    uses: test.act\n"
}

// busyness counts the calls under way.
type busyness struct{ now, most atomic.Int64 }

func (b *busyness) act(ctx context.Context) error {
	b.most.Store(max(b.most.Load(), b.now.Add(1)))
	defer b.now.Add(-1)
	select {
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	return ctx.Err()
}

func TestOneTooManyQueues(t *testing.T) {
	var b busyness
	inHouse(t, b.act, func(t *testing.T, h *house) {
		stop := h.serve(0)
		var runs []string
		for range 5 {
			runs = append(runs, h.queue(limited("")))
			h.pass(time.Millisecond)
		}
		h.pass(25 * time.Second)
		h.stands(runs[1], engine.RunSucceeded) // the oldest first
		h.stands(runs[2], engine.RunRunning)
		h.stands(runs[3], engine.RunQueued)
		stop()
		h.restart()
		defer h.serve(0)()
		h.pass(40 * time.Second)
		for _, run := range runs {
			h.stands(run, engine.RunSucceeded)
		}
		if b.most.Load() != 1 {
			t.Errorf("%d were under way at once", b.most.Load())
		}
	})
}

func TestOneTooManyIsNotStarted(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		first := h.started(h.submit(limited(", strategy: skip"), false))
		h.restart() // it is the store that counts
		_, err := h.submit(limited(", strategy: skip"), false)
		if !errors.Is(err, local.ErrBusy) || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), "of main there may be 1") {
			t.Errorf("got %v", err)
		}
		if _, err := h.Drive(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		h.started(h.submit(limited(", strategy: skip"), false))
	})
}

func TestARunThatIsThereIsNotBusy(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		req := h.request(t, limited(", strategy: skip"))
		req.Key = "sweep@noon"
		first, created, err := h.StartOnce(t.Context(), req)
		if err != nil || !created {
			t.Fatal(created, err)
		}
		if again, created, err := h.StartOnce(t.Context(), req); err != nil || created || again != first {
			t.Errorf("got %s, %v, %v", again, created, err)
		}
		req.Key = "sweep@one"
		if _, created, err := h.StartOnce(t.Context(), req); !errors.Is(err, local.ErrBusy) || created {
			t.Errorf("got %v, %v", created, err)
		}
	})
}

func TestDrivingAQueuedRunByHand(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		first, second := h.started(h.submit(limited(""), false)), h.started(h.submit(limited(""), false))
		if _, err := h.Drive(t.Context(), second); !errors.Is(err, local.ErrBusy) {
			t.Errorf("got %v", err)
		}
		h.stands(second, engine.RunQueued)
		for _, run := range []string{first, second} {
			if r, err := h.Drive(t.Context(), run); err != nil || r.Status != engine.RunSucceeded {
				t.Errorf("it is %s, %v", r.Status, err)
			}
		}
	})
}

func TestGroupsAreCountedApart(t *testing.T) {
	inHouse(t, fine, func(t *testing.T, h *house) {
		start := func(who string) engine.RunRecord {
			req := h.request(t, limited(", key: inputs.who"))
			req.Inputs = map[string]any{"who": who}
			r, err := h.store.Run(t.Context(), h.started(h.Start(t.Context(), req)))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		for _, want := range []struct {
			who    string
			status engine.RunStatus
		}{{"a", engine.RunRunning}, {"b", engine.RunRunning}, {"a", engine.RunQueued}} {
			if r := start(want.who); r.Group != "main/"+want.who || r.Status != want.status {
				t.Errorf("%s: it is %s in %q", want.who, r.Status, r.Group)
			}
		}
	})
}

// TestFullGroupsHideNoOther: however many runs wait for a place, one that has a
// place is found.
func TestFullGroupsHideNoOther(t *testing.T) {
	inHouse(t, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(t *testing.T, h *house) {
		req := h.request(t, limited(", key: inputs.who"))
		h.programs[req.Bundle.Hash] = req.Program
		req.Queue = true
		start := func(who string) string {
			req.Inputs = map[string]any{"who": who}
			return h.started(h.Start(t.Context(), req))
		}
		for i := range 1500 {
			for range 2 {
				start(strings.Repeat("x", i+1))
			}
		}
		// Every group but the last has a run under way.
		left, err := h.store.Due(t.Context(), time.Now(), 1500)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range left {
			rewritten(t, h.fixture, r.ID, func(r *engine.RunRecord) {
				at := time.Now().Add(time.Hour)
				r.Status, r.WakeAt = engine.RunWaiting, &at
			})
		}
		free := start("free")
		defer h.serve(4)()
		h.pass(time.Second)
		h.stands(free, engine.RunRunning)
	}, func(c *local.Config) { c.Grace = time.Second })
}

func TestRetriesCount(t *testing.T) {
	var fails atomic.Bool
	fails.Store(true)
	inHouse(t, func(context.Context) error {
		if fails.Load() {
			return engine.Fail(engine.ClassPermanent, "broken", "it is broken")
		}
		return nil
	}, func(t *testing.T, h *house) {
		first := h.started(h.submit(limited(""), false))
		if r, err := h.Drive(t.Context(), first); err != nil || r.Status != engine.RunFailed {
			t.Fatalf("it is %s, %v", r.Status, err)
		}
		h.started(h.submit(limited(""), false))
		again := h.started(h.Retry(t.Context(), first, engine.Actor{Name: "sam"}))
		if r := h.stands(again, engine.RunQueued); r.Group != "main/" {
			t.Errorf("it counts with %q", r.Group)
		}
	})
}
