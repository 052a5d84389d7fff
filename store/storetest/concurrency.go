package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// together runs f for 0 … n-1 at the same time and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func readsAfterCommit(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_0", "run_1", "run_2", "run_3")
	together(4, func(i int) {
		id := fmt.Sprintf("run_%d", i)
		for seq := uint64(1); seq <= 20; seq++ {
			if err := s.Commit(t.Context(), engine.Batch{Events: journal(id, seq, seq)}); err != nil {
				t.Errorf("committing: %v", err)
				return
			}
			if got, err := s.Events(t.Context(), id, seq-1); err != nil || len(got) != 1 {
				t.Errorf("event %d of %s was committed; reading it: %v, %v", seq, id, got, err)
				return
			}
		}
	})
}

func concurrentCommits(t *testing.T, s engine.Store) {
	const writers, events = 16, 25
	together(writers, func(i int) {
		id := fmt.Sprintf("run_%d", i)
		b := engine.Batch{Bundles: []engine.Bundle{bundle()}, Runs: []engine.RunRecord{plainRun(id)}}
		for seq := uint64(1); seq <= events; seq++ {
			b.Events, b.Items = journal(id, seq, seq), []engine.ItemRecord{item(id, int(seq))}
			b.Steps = []engine.StepRecord{plainStep(id, fmt.Sprintf("contain[%d]", seq))}
			if err := s.Commit(t.Context(), b); err != nil {
				t.Errorf("committing: %v", err)
			}
			b = engine.Batch{}
		}
	})
	for i := range writers {
		id := fmt.Sprintf("run_%d", i)
		same(t, "the journal of "+id, must[[]engine.Event](t)(s.Events(t.Context(), id, 0)), journal(id, 1, events))
		same(t, "the steps of "+id, len(stepPaths(t, s, engine.StepQuery{Run: id})), events)
		same(t, "the items of "+id, len(indexes(t, s, engine.ItemQuery{Run: id, Path: "contain"})), events)
	}
}

// failingAmongOthers: every third committer sends batches that must fail.
func failingAmongOthers(t *testing.T, s engine.Store) {
	const writers, rounds = 12, 15
	withRuns(t, s, "shared")
	commit(t, s, engine.Batch{Events: journal("shared", 1, 1)})
	together(writers, func(i int) {
		id := fmt.Sprintf("run_%d", i)
		if err := s.Commit(t.Context(), engine.Batch{Runs: []engine.RunRecord{plainRun(id)}}); err != nil {
			t.Errorf("committing: %v", err)
		}
		for seq := uint64(1); seq <= rounds; seq++ {
			b, want := engine.Batch{Events: journal(id, seq, seq)}, error(nil)
			if i%3 == 0 {
				b.Events, want = []engine.Event{event(id, 1), event("shared", 1)}, engine.ErrConflict
			}
			if err := s.Commit(t.Context(), b); !errors.Is(err, want) {
				t.Errorf("%s: got the error %v, want %v", id, err, want)
			}
		}
	})
	for i := range writers {
		want := rounds
		if i%3 == 0 {
			want = 0
		}
		same(t, fmt.Sprintf("the journal of run_%d", i), len(seqs(t, s, fmt.Sprintf("run_%d", i))), want)
	}
}

// twoEngines: of two that append the same event, exactly one succeeds.
func twoEngines(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	for seq := uint64(1); seq <= 10; seq++ {
		var won, lost atomic.Int32
		together(2, func(int) {
			switch err := s.Commit(t.Context(), engine.Batch{Events: journal("run_1", seq, seq)}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, engine.ErrConflict):
				lost.Add(1)
			default:
				t.Errorf("committing: %v", err)
			}
		})
		if won.Load() != 1 || lost.Load() != 1 {
			t.Fatalf("event %d: %d succeeded, %d lost", seq, won.Load(), lost.Load())
		}
	}
}

func cancelledCommit(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, engine.Batch{Events: journal("run_1", 1, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want %v", err, context.Canceled)
	}
	same(t, "the journal", seqs(t, s, "run_1"), []uint64(nil))
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 1)})
}

// cancelledUnderWay cancels commits at any moment: where the error is the
// context's nothing was written, and where there is none everything was.
func cancelledUnderWay(t *testing.T, s engine.Store) {
	const writers, rounds = 8, 40
	together(writers, func(i int) {
		id := fmt.Sprintf("run_%d", i)
		if err := s.Commit(t.Context(), engine.Batch{Bundles: []engine.Bundle{bundle()}, Runs: []engine.RunRecord{plainRun(id)}}); err != nil {
			t.Errorf("committing: %v", err)
			return
		}
		written := uint64(0)
		for range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			switch err := s.Commit(ctx, engine.Batch{Events: journal(id, written+1, written+1)}); {
			case err == nil:
				written++
			case !errors.Is(err, context.Canceled):
				t.Errorf("committing: %v", err)
			}
			cancel()
			if got, err := s.Events(t.Context(), id, 0); err != nil || uint64(len(got)) != written {
				t.Errorf("%s: %d commits returned without an error, %d events are there (%v)", id, written, len(got), err)
				return
			}
		}
	})
}

func cancelledRead(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range reads(ctx, s) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got the error %v, want %v", name, err, context.Canceled)
		}
	}
}

// reads calls every read of a store that has run_1 and returns the errors.
func reads(ctx context.Context, s engine.Store) map[string]error {
	errs := map[string]error{}
	_, errs["Run"] = s.Run(ctx, "run_1")
	_, errs["Runs"] = s.Runs(ctx, engine.RunQuery{})
	_, errs["Bundle"] = s.Bundle(ctx, bundleHash)
	_, errs["Snapshot"] = s.Snapshot(ctx, "run_1")
	_, errs["Events"] = s.Events(ctx, "run_1", 0)
	_, errs["Steps"] = s.Steps(ctx, engine.StepQuery{Run: "run_1"})
	_, errs["Items"] = s.Items(ctx, engine.ItemQuery{Run: "run_1", Path: "contain"})
	_, errs["Value"] = s.Value(ctx, "v0")
	_, errs["Plan"] = s.Plan(ctx, "plan_1")
	_, errs["Plans"] = s.Plans(ctx, engine.PlanQuery{})
	_, errs["Answers"] = s.Answers(ctx, "run_1")
	_, errs["Approval"] = s.Approval(ctx, "appr_1")
	_, errs["Approvals"] = s.Approvals(ctx, engine.ApprovalQuery{})
	_, errs["Frozen"] = s.Frozen(ctx)
	_, errs["Undoes"] = s.Undoes(ctx, "run_1")
	_, errs["Grant"] = s.Grant(ctx, "gnt_1")
	_, errs["Grants"] = s.Grants(ctx, engine.GrantQuery{Run: "run_1"})
	_, errs["Holds"] = s.Holds(ctx, true)
	_, errs["Signals"] = s.Signals(ctx, "run_1")
	_, errs["Schedules"] = s.Schedules(ctx)
	_, errs["Throttles"] = s.Throttles(ctx)
	_, errs["Position"] = s.Position(ctx, "k")
	_, errs["RunByKey"] = s.RunByKey(ctx, "key")
	_, errs["Due"] = s.Due(ctx, noon(), 1)
	_, errs["Spent"] = s.Spent(ctx, "op", noon())
	return errs
}

// closing closes the store among commits: each is either written or refused.
func closing(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	together(9, func(i int) {
		if i == 4 {
			if err := s.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
			return
		}
		err := s.Commit(t.Context(), engine.Batch{Steps: []engine.StepRecord{plainStep("run_1", fmt.Sprintf("s%d", i))}})
		if err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Errorf("committing while it is closed: %v", err)
		}
	})
	if err := s.Commit(t.Context(), engine.Batch{Events: journal("run_1", 1, 1)}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("committing: got the error %v, want %v", err, engine.ErrClosed)
	}
	for name, err := range reads(t.Context(), s) {
		if !errors.Is(err, engine.ErrClosed) {
			t.Errorf("%s: got the error %v, want %v", name, err, engine.ErrClosed)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
