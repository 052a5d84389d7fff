package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/storetest"
)

// childEnv makes the test binary one of the processes that tests start.
const childEnv = "DRAWBRIDGE_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		os.Exit(child(role, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) engine.Store { return open(t, newPath(t), Options{Mode: Engine}) })
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "runs.db") }

// open opens a store that the test closes, at the latest when it ends.
func open(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// closed makes a database with one run in it and closes it.
func closed(t testing.TB) string {
	t.Helper()
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	commit(t, s, first("run_1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// first is the first batch of a run.
func first(id string) engine.Batch {
	return engine.Batch{
		Bundles: []engine.Bundle{{Hash: "b", Name: "test"}},
		Runs:    []engine.RunRecord{{ID: id, Playbook: "test", Hash: "b", Status: engine.RunRunning, CreatedAt: time.Unix(1, 0)}},
	}
}

// numbered is the batch that appends event seq to a run, with a step of its own.
func numbered(run string, seq uint64) engine.Batch {
	return engine.Batch{
		Events: []engine.Event{{Run: run, Seq: seq, At: time.Unix(1, 0), Kind: "step_done"}},
		Steps: []engine.StepRecord{{
			Run: run, Path: fmt.Sprintf("s%d", seq), Attempt: 1, Status: engine.StepSucceeded, StartedAt: time.Unix(int64(seq), 0),
		}},
	}
}

func commit(t testing.TB, s *Store, b engine.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// journalLength is how many events of a run are in the database.
func journalLength(t testing.TB, s *Store, run string) int {
	t.Helper()
	events, err := s.Events(t.Context(), run, 0)
	if err != nil {
		t.Fatal(err)
	}
	return len(events)
}

// raw opens the file past the store, as any other program would.
func raw(t testing.TB, path string) conn {
	t.Helper()
	c, err := openConn(dsn(path, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// meddle runs a script past the store.
func meddle(t testing.TB, path, script string) {
	t.Helper()
	c := raw(t, path)
	if err := c.exec(script); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// eventually waits until a condition holds that another goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
