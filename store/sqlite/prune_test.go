package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// over is a batch of a run that has ended, with a value of some size and steps.
func over(n, steps, bytes int) engine.Batch {
	id := fmt.Sprintf("run_%06d", n)
	at := time.Unix(int64(n), 0)
	data := []byte(strings.Repeat(fmt.Sprint(n, " "), bytes/len(fmt.Sprint(n, " "))))
	sum := sha256.Sum256(data)
	b := first(id)
	b.Runs[0].Status, b.Runs[0].CreatedAt, b.Runs[0].FinishedAt = engine.RunSucceeded, at, &at
	b.Values = []engine.StoredValue{{Ref: engine.Reference(hex.EncodeToString(sum[:])), Data: data}}
	for seq := range uint64(steps) {
		step := numbered(id, seq+1)
		b.Events, b.Steps = append(b.Events, step.Events...), append(b.Steps, step.Steps...)
	}
	return b
}

func prune(t *testing.T, s *Store, r engine.Retention) engine.Pruned {
	t.Helper()
	r.Now = time.Unix(1e6, 0)
	p, err := s.Prune(t.Context(), r)
	check(t, err)
	return p
}

// TestTheFileShrinks: what was removed is given back to the disk, and what is
// beside the file too.
func TestTheFileShrinks(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	for i := range 100 {
		commit(t, s, over(i, 10, 40<<10))
	}
	before, err := s.Usage(t.Context())
	check(t, err)
	p := prune(t, s, engine.Retention{Keep: 10})
	after, err := s.Usage(t.Context())
	check(t, err)
	if p.Runs != 90 || p.Values != 90 || after.Free != 0 || after.WAL != 0 || after.File > before.Pages*before.Page/5 || p.Bytes != after.File {
		t.Errorf("pruned %+v; it was %+v and is %+v", p, before, after)
	}
	intact(t, s)
	sound(t, s)
}

// TestSizeIsHeld: the newest runs stay, as many as there is room for.
func TestSizeIsHeld(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	for i := range 200 {
		commit(t, s, over(i, 3, 40<<10))
	}
	const limit = 4 << 20
	p := prune(t, s, engine.Retention{Bytes: limit})
	if p.Over || p.Bytes > limit*8/10 || p.Bytes < limit*3/10 {
		t.Errorf("%+v", p)
	}
	if _, err := s.Run(t.Context(), "run_000199"); err != nil {
		t.Error(err)
	}
	if p := prune(t, s, engine.Retention{Bytes: limit}); p.Runs != 0 {
		t.Errorf("again: %+v", p)
	}
	sound(t, s)
}

// TestManyParts: a run with more parts than one transaction removes is not seen
// any more as soon as it goes, and its number is not given to another one.
func TestManyParts(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	b := over(0, 20_000, 10)
	for i := range 20_000 {
		b.Items = append(b.Items, engine.ItemRecord{Run: "run_000000", Path: "x", Index: i, Outcome: engine.OutcomeDone, EndedAt: time.Unix(1, 0)})
	}
	commit(t, s, b)
	done := make(chan engine.Pruned)
	go func() {
		p, err := s.Prune(context.Background(), engine.Retention{Now: time.Unix(1e6, 0), Runs: time.Second})
		if err != nil {
			t.Error(err)
		}
		done <- p
	}()
	for n := 1; ; n++ {
		commit(t, s, numberedRun(n))
		if got := journalLength(t, s, fmt.Sprintf("new_%d", n)); got != 1 {
			t.Fatalf("a new run has %d events", got)
		}
		select {
		case p := <-done:
			if p.Runs != 1 || n < 3 {
				t.Errorf("pruned %+v while %d runs were started", p, n)
			}
			sound(t, s)
			return
		default:
		}
	}
}

func numberedRun(n int) engine.Batch {
	id := fmt.Sprintf("new_%d", n)
	b := numbered(id, 1)
	b.Bundles, b.Runs = first(id).Bundles, first(id).Runs
	return b
}

// TestPruningIsCutOff: what was begun is finished by the next one, and nobody
// sees half a run.
func TestPruningIsCutOff(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	commit(t, s, over(0, 5, 10))
	commit(t, s, over(1, 5, 10))
	check(t, s.Close())
	// as a process leaves it that dies between two transactions
	meddle(t, path, "PRAGMA foreign_keys = 0; INSERT INTO doomed SELECT n FROM run WHERE id = 'run_000000'; DELETE FROM run WHERE id = 'run_000000'")
	s = open(t, path, Options{Mode: Engine})
	sound(t, s)
	commit(t, s, numberedRun(1))
	prune(t, s, engine.Retention{})
	if _, err := s.Run(t.Context(), "run_000000"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got the error %v", err)
	}
	u, err := s.Usage(t.Context())
	check(t, err)
	if steps := u.Kinds[1]; steps.Name != "steps" || steps.Rows != 6 {
		t.Errorf("%+v are left", steps)
	}
	sound(t, s)
}

// TestCancelledPruning stops between two transactions.
func TestCancelledPruning(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, over(0, 5, 10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Prune(ctx, engine.Retention{Now: time.Unix(1e6, 0), Runs: time.Second}); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v", err)
	}
	commit(t, s, numberedRun(1))
}

// TestOnlyAnEnginePrunes: whoever has no lock removes nothing.
func TestOnlyAnEnginePrunes(t *testing.T) {
	path := closed(t)
	for _, mode := range []Mode{ReadOnly, Beside} {
		s := open(t, path, Options{Mode: mode})
		if _, err := s.Prune(t.Context(), engine.Retention{}); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got the error %v", err)
		}
		if err := s.Compact(t.Context()); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got the error %v", err)
		}
	}
}

// TestValuesOfTheTimeBefore: what the runs of an older version hold is not
// known, so as long as one of them is not over none of its values goes.
func TestValuesOfTheTimeBefore(t *testing.T) {
	s := open(t, firstVersion(t, oldRuns+"INSERT INTO value (ref, part, data) VALUES ('old', 0, x'00');"), Options{Mode: Engine})
	commit(t, s, engine.Batch{Values: []engine.StoredValue{{Ref: "new"}}})
	if p := prune(t, s, engine.Retention{}); p.Values != 1 {
		t.Errorf("%+v", p)
	}
	if _, err := s.Value(t.Context(), "old"); err != nil {
		t.Error(err)
	}
	r, err := s.Run(t.Context(), "run_1")
	check(t, err)
	r.Status = engine.RunSucceeded
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{r}})
	if p := prune(t, s, engine.Retention{}); p.Values != 1 {
		t.Errorf("%+v", p)
	}
}

// TestCompact prepares a file that was not made to shrink.
func TestCompact(t *testing.T) {
	path := closed(t)
	meddle(t, path, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA journal_mode = WAL")
	s := open(t, path, Options{Mode: Engine})
	for i := range 20 {
		commit(t, s, over(i, 3, 40<<10))
	}
	prune(t, s, engine.Retention{Keep: 1})
	u, err := s.Usage(t.Context())
	check(t, err)
	if u.Shrinks || u.Free == 0 {
		t.Fatalf("the test proves nothing: %+v", u)
	}
	check(t, s.Compact(t.Context()))
	if u, err = s.Usage(t.Context()); err != nil || !u.Shrinks || u.Free != 0 || u.WAL != 0 {
		t.Errorf("%+v, %v", u, err)
	}
	commit(t, s, numberedRun(1))
	sound(t, s)
}

// sound makes sure that nothing is wrong with a database but made-up references.
func sound(t *testing.T, s *Store) {
	t.Helper()
	v, err := s.Check(t.Context())
	if err != nil || len(v.Problems) > 0 {
		t.Errorf("the database has the problems %v, %v", v.Problems, err)
	}
}

// TestCheck finds what somebody has done to the file.
func TestCheck(t *testing.T) {
	for script, want := range map[string]string{
		"":                                  "",
		"UPDATE value SET data = x'00'":     "values",
		"DELETE FROM value WHERE part = 1":  "values",
		"DELETE FROM bundle":                "references",
		"DELETE FROM run":                   "references",
		"UPDATE audit SET actor = 'nobody'": "audit",
	} {
		path := newPath(t)
		s := open(t, path, Options{Mode: Engine})
		b := over(0, 3, 300<<10)
		b.Audit = []engine.AuditEntry{{Verb: "x", At: time.Unix(1, 0)}}
		commit(t, s, b)
		check(t, s.Close())
		if script != "" {
			meddle(t, path, "PRAGMA foreign_keys = 0; "+script)
		}
		v, err := open(t, path, Options{Mode: ReadOnly}).Check(t.Context())
		check(t, err)
		found := ""
		for _, p := range v.Problems {
			found = p.Where
		}
		if found != want {
			t.Errorf("%q: got the problems %v, want some of %q", script, v.Problems, want)
		}
	}
}

// TestBackup: a copy made while an engine writes is a whole database.
func TestBackup(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	for i := range 50 {
		commit(t, s, over(i, 3, 40<<10))
	}
	stop := commitWithoutPause(t, s)
	target := filepath.Join(t.TempDir(), "copy.db")
	reader := open(t, path, Options{Mode: ReadOnly})
	check(t, reader.Backup(t.Context(), target))
	stop()
	wantMode(t, target)
	if err := reader.Backup(t.Context(), target); !errors.Is(err, ErrExists) {
		t.Errorf("again: got the error %v, want %v", err, ErrExists)
	}
	copied := open(t, target, Options{Mode: ReadOnly})
	if _, err := copied.Run(t.Context(), "run_000049"); err != nil {
		t.Error(err)
	}
	intact(t, copied)
	sound(t, copied)
}

// TestBackupThatFails leaves no file.
func TestBackupThatFails(t *testing.T) {
	s := open(t, closed(t), Options{Mode: ReadOnly})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	target := filepath.Join(t.TempDir(), "copy.db")
	commit := s.Backup(ctx, filepath.Join(target, "no", "folder"))
	if !errors.Is(commit, ErrUnwritable) {
		t.Errorf("got the error %v", commit)
	}
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
