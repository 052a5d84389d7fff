package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func frozen(id string) engine.Batch {
	return engine.Batch{Freezes: []engine.Freeze{{ID: id, Reason: "a test", By: engine.Actor{Name: "alice", Via: "cli"}, At: time.Unix(1, 0)}}}
}

// childFreezes writes freezes beside an engine and prints "freeze N" for every
// commit that returned.
func childFreezes(path string) error {
	s, err := Open(path, Options{Mode: Beside})
	for i := 0; err == nil && i < besideFreezes; i++ {
		id := fmt.Sprintf("freeze_%03d", i)
		if err = s.Commit(context.Background(), frozen(id)); err == nil {
			_, err = fmt.Println(id)
		}
	}
	if s == nil {
		return err
	}
	return errors.Join(err, s.Close())
}

const besideFreezes = 100

// TestFreezingBesideAnEngine: while an engine commits as fast as it can another
// process writes freezes; neither disturbs the other, and the engine sees each
// freeze as soon as its commit has returned.
func TestFreezingBesideAnEngine(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine, Command: "drawbridge serve"})
	stop := commitWithoutPause(t, s)
	cmd, out := start(t, "freeze", path)
	seen := 0
	for ; out.Scan(); seen++ {
		f, err := s.Frozen(t.Context())
		if err != nil || f.ID < out.Text() {
			t.Errorf("%s was written, the engine sees %q, %v", out.Text(), f.ID, err)
		}
	}
	stop()
	if err := cmd.Wait(); err != nil || seen != besideFreezes {
		t.Errorf("%d freezes, %v", seen, err)
	}
	holds(t, path, true) // still by this engine
	intact(t, s)
}

// commitWithoutPause drives so many runs that the writer never rests, until
// stop, which makes sure that all they committed is there.
func commitWithoutPause(t *testing.T, s *Store) (stop func()) {
	t.Helper()
	var (
		over      atomic.Bool
		wg        sync.WaitGroup
		committed [16]int
	)
	for i := range committed {
		run := fmt.Sprintf("run_%d", i)
		commit(t, s, first(run))
		wg.Go(func() {
			for again := true; again; again = !over.Load() { // once at least, however busy the machine is
				if err := s.Commit(context.Background(), numbered(run, uint64(committed[i])+1)); err != nil {
					t.Errorf("the engine: %v", err)
					return
				}
				committed[i]++
			}
		})
	}
	return func() {
		t.Helper()
		over.Store(true)
		wg.Wait()
		for i, want := range committed {
			if got := journalLength(t, s, fmt.Sprintf("run_%d", i)); got != want || want == 0 {
				t.Errorf("run %d: %d events after %d commits", i, got, want)
			}
		}
	}
}

func held(id string) engine.Batch {
	return engine.Batch{Holds: []engine.Hold{{ID: id, Target: "U1", Reason: "a test", By: engine.Actor{Name: "alice"}, At: time.Unix(1, 0)}}}
}

// TestHoldsBeside: a hold is written beside an engine, which sees it at once.
func TestHoldsBeside(t *testing.T) {
	path := closed(t)
	e, s := open(t, path, Options{Mode: Engine}), open(t, path, Options{Mode: Beside})
	both := held("hld_1")
	both.Freezes = frozen("freeze_1").Freezes
	commit(t, s, both)
	if holds, err := e.Holds(t.Context(), false); err != nil || len(holds) != 1 || holds[0].ID != "hld_1" {
		t.Errorf("the engine sees %v, %v", holds, err)
	}
	at, done := time.Unix(2, 0), held("hld_1")
	done.Holds[0].ReleasedAt, done.Holds[0].ReleasedBy = &at, &engine.Actor{Name: "bob"}
	commit(t, s, done)
	if holds, err := e.Holds(t.Context(), false); err != nil || len(holds) != 0 {
		t.Errorf("after the release the engine sees %v, %v", holds, err)
	}
}

// TestOnlyFreezesAndHoldsBeside: a store opened beside an engine writes nothing
// else, and not the freeze or hold either that comes with something else.
func TestOnlyFreezesAndHoldsBeside(t *testing.T) {
	path := closed(t)
	s := open(t, path, Options{Mode: Beside})
	if s.Epoch() != 0 {
		t.Errorf("its epoch is %d", s.Epoch())
	}
	run := first("run_2").Runs
	at := time.Unix(1, 0)
	for name, b := range map[string]engine.Batch{
		"a bundle":   {Bundles: []engine.Bundle{{Hash: "b1"}}},
		"a value":    {Values: []engine.StoredValue{{Ref: "v"}}},
		"a run":      {Runs: run},
		"an event":   {Events: numbered("run_1", 1).Events},
		"a step":     {Steps: numbered("run_1", 1).Steps},
		"an item":    {Items: []engine.ItemRecord{{Run: "run_1", Path: "a", Outcome: engine.OutcomeDone}}},
		"a plan":     {Plans: []engine.PlanRecord{{ID: "plan_1", Set: "v"}}},
		"an answer":  {Answers: []engine.Answer{{Owner: "run_1", Path: "a", Value: "v"}}},
		"approval":   {Approvals: []engine.Approval{{ID: "a", Run: "run_1", Kind: engine.ApprovalStep, Status: engine.ApprovalPending, Set: "v"}}},
		"a grant":    {Grants: []engine.Grant{{ID: "gnt_1", Run: "run_1", Access: engine.Gives, State: engine.GrantArmed}}},
		"a signal":   {Signals: []engine.Signal{{Run: "run_1", ID: "s", Name: "s"}}},
		"a schedule": {Schedules: []engine.ScheduleState{{ID: "sweep/0"}}},
		"a delivery": {Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1"}}},
		"a throttle": {Throttles: []engine.Throttle{{Connection: "op"}}},
		"a position": {Positions: []engine.Position{{Key: "k", Cursor: "c", Revision: 1}}},
		"a snapshot": {Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 1}}},
	} {
		b.Freezes, b.Holds = frozen("freeze_1").Freezes, held("hld_1").Holds
		if err := s.Commit(t.Context(), b); !errors.Is(err, ErrBeside) {
			t.Errorf("%s: got the error %v, want %v", name, err, ErrBeside)
		}
	}
	if f, err := s.Frozen(t.Context()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("frozen: got %v, %v", f, err)
	}
	if h, err := s.Holds(t.Context(), true); err != nil || len(h) > 0 {
		t.Errorf("held: got %v, %v", h, err)
	}

	commit(t, s, frozen("freeze_1"))
	thawed := frozen("freeze_1")
	thawed.Freezes[0].ThawedAt, thawed.Freezes[0].ThawedBy = &at, &engine.Actor{Name: "bob"}
	commit(t, s, thawed)
	if f, err := s.Frozen(t.Context()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after the thaw: got %v, %v", f, err)
	}
}

// TestBesideTakesNoLock: engines come and go while a store is open beside them.
func TestBesideTakesNoLock(t *testing.T) {
	path := closed(t)
	s := open(t, path, Options{Mode: Beside})
	holds(t, path, false)
	for i := range 2 {
		e := open(t, path, Options{Mode: Engine})
		commit(t, e, numbered("run_1", uint64(i)+1))
		id := fmt.Sprintf("freeze_%d", i)
		commit(t, s, frozen(id))
		if f, err := e.Frozen(t.Context()); err != nil || f.ID != id {
			t.Errorf("the engine sees %v, %v", f, err)
		}
		check(t, e.Close())
	}
	commit(t, s, frozen("freeze_2")) // also when there is no engine
}

// TestBesideLeavesOldDatabases: it never migrates, and creates nothing.
func TestBesideLeavesOldDatabases(t *testing.T) {
	path := firstVersion(t, oldRuns)
	before := contents(t, path)
	_, err := Open(path, Options{Mode: Beside})
	if !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), fmt.Sprintf("(version 1, this one is %d)", newestVersion(t))) {
		t.Errorf("got the error %v, want %v", err, ErrOlder)
	}
	if contents(t, path) != before {
		t.Error("the database changed")
	}
	none := newPath(t)
	if _, err := Open(none, Options{Mode: Beside}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got the error %v, want %v", err, engine.ErrNotFound)
	}
	if left, err := filepath.Glob(none + "*"); err != nil || len(left) > 0 {
		t.Errorf("opening created %v (%v)", left, err)
	}
}

// TestMigratedMeanwhile: when a newer engine migrates the database, nothing is
// written to it any more by a statement of this version.
func TestMigratedMeanwhile(t *testing.T) {
	path := closed(t)
	s := open(t, path, Options{Mode: Beside})
	commit(t, s, frozen("freeze_1"))
	newer := open(t, path, Options{Mode: Engine, migrations: withNext(t, "CREATE TABLE later (x INTEGER) STRICT;")})
	for range 2 {
		if err := s.Commit(t.Context(), frozen("freeze_2")); !errors.Is(err, ErrNewer) {
			t.Errorf("got the error %v, want %v", err, ErrNewer)
		}
	}
	if f, err := newer.Frozen(t.Context()); err != nil || f.ID != "freeze_1" {
		t.Errorf("got %v, %v", f, err)
	}
}

// TestPatienceBeside: a freeze waits longer for its turn than SQLite would.
func TestPatienceBeside(t *testing.T) {
	s := open(t, closed(t), Options{Mode: Beside})
	release := blocked(t, s)
	written := make(chan error, 1)
	go func() { written <- s.Commit(context.Background(), frozen("freeze_1")) }()
	other := raw(t, s.Path())
	check(t, other.exec("PRAGMA busy_timeout = 50"))
	if code, _ := codes(other.exec("BEGIN IMMEDIATE")); code != codeBusy { // ten times the turn
		t.Errorf("got the code %d", code)
	}
	select {
	case err := <-written:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	release()
	check(t, errors.Join(<-written, other.Close()))
}
