package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
)

// TestKilledEngine kills an engine at random moments: whatever commit returned
// for is there, to a command that reads and to the next engine.
func TestKilledEngine(t *testing.T) {
	path := newPath(t)
	acknowledged := map[string]uint64{}
	kills := 10
	if testing.Short() {
		kills = 3
	}
	for kill := range kills {
		killed(t, path, 1+rand.IntN(300), acknowledged)
		if _, held, err := Locked(path); err != nil || held {
			t.Fatalf("kill %d: the lock of a dead engine holds: %v", kill, err)
		}
		reader := open(t, path, Options{Mode: ReadOnly})
		complete(t, reader, acknowledged)
		engine := open(t, path, Options{Mode: Engine})
		complete(t, engine, acknowledged)
		intact(t, engine)
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		if kill%2 == 0 { // else the next one finds what a kill left behind
			if err := engine.Close(); err != nil {
				t.Fatal(err)
			}
		}
		_ = engine.Close()
	}
}

// killed lets a child commit until so many lines came, kills it, and notes
// everything it acknowledged before it died.
func killed(t *testing.T, path string, lines int, acknowledged map[string]uint64) {
	t.Helper()
	cmd, out := start(t, "commit", path)
	for n := 1; out.Scan(); n++ {
		var run string
		var seq uint64
		if _, err := fmt.Sscanf(out.Text(), "%s %d", &run, &seq); err != nil {
			continue // the line it was killed in
		}
		acknowledged[run] = max(acknowledged[run], seq)
		if n == lines {
			kill(t, cmd)
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() > 0 {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// complete makes sure that every acknowledged commit is there, with all of its
// records, and that what is there has no gaps.
func complete(t *testing.T, s *Store, acknowledged map[string]uint64) {
	t.Helper()
	for run, seq := range acknowledged {
		last, err := lastOf(t.Context(), s, run)
		if err != nil {
			t.Fatal(err)
		}
		if last < seq {
			t.Errorf("%s: event %d was acknowledged, and %d is the last", run, seq, last)
		}
		n, err := s.number(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		var steps uint64
		if err := s.readers.QueryRowContext(t.Context(), "SELECT count(*) FROM step WHERE run = ?", n).Scan(&steps); err != nil {
			t.Fatal(err)
		}
		if steps != last {
			t.Errorf("%s: %d events and %d steps", run, last, steps)
		}
	}
}

func intact(t *testing.T, s *Store) {
	t.Helper()
	for _, check := range []string{"PRAGMA integrity_check", "SELECT count(*) FROM pragma_foreign_key_check"} {
		var verdict string
		if err := s.readers.QueryRowContext(t.Context(), check).Scan(&verdict); err != nil || verdict != "ok" && verdict != "0" {
			t.Errorf("%s: %s, %v", check, verdict, err)
		}
	}
}
