package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestOneEngine(t *testing.T) {
	path := newPath(t)
	holds(t, path, false)
	s := open(t, path, Options{Mode: Engine, Command: "drawbridge serve"})
	holds(t, path, true)

	_, err := Open(path, Options{Mode: Engine})
	if !errors.Is(err, engine.ErrLocked) || !strings.Contains(err.Error(), "by drawbridge serve (pid ") {
		t.Errorf("a second engine: got the error %v", err)
	}
	commit(t, s, first("run_1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, false)
	if again := open(t, path, Options{Mode: Engine}); again.Epoch() != s.Epoch()+1 {
		t.Errorf("epoch %d follows %d", again.Epoch(), s.Epoch())
	}
}

func holds(t *testing.T, path string, want bool) {
	t.Helper()
	h, held, err := Locked(path)
	if err != nil || held != want {
		t.Errorf("locked: got %t, %v, want %t", held, err, want)
	}
	if held && (h.PID != os.Getpid() || h.Command != "drawbridge serve" || time.Since(h.Started) > time.Minute) {
		t.Errorf("the holder is %v", h)
	}
}

// TestLinkedDatabase: another name of the same file is no other lock.
func TestLinkedDatabase(t *testing.T) {
	path := newPath(t)
	open(t, path, Options{Mode: Engine})
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if _, err := Open(link, Options{Mode: Engine}); !errors.Is(err, engine.ErrLocked) {
		t.Errorf("got the error %v, want %v", err, engine.ErrLocked)
	}
	if _, held, err := Locked(link); err != nil || !held {
		t.Errorf("locked: %t, %v", held, err)
	}
}

// TestPatience: somebody who looks who holds the lock has it for a moment; an
// engine that starts then waits, but not for ever.
func TestPatience(t *testing.T) {
	broken := errors.New("no locks here")
	for name, c := range map[string]struct {
		free time.Duration // when the lock gets free
		err  error
		want bool
	}{
		"free":         {0, nil, true},
		"soon free":    {lockPatience / 2, nil, true},
		"held":         {time.Hour, nil, false},
		"not possible": {time.Hour, broken, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := patiently(func() (bool, error) { return time.Since(start) >= c.free, c.err })
				if got != c.want || !errors.Is(err, c.err) || time.Since(start) > lockPatience {
					t.Errorf("got %t, %v after %v", got, err, time.Since(start))
				}
			})
		})
	}
}

// TestLookersTogether: those who look do not take each other for the holder.
func TestLookersTogether(t *testing.T) {
	path := lockName(newPath(t))
	check(t, os.WriteFile(path, nil, private))
	looking, err := os.Open(path)
	check(t, err)
	defer looking.Close()
	if got, err := flock(looking, unix.LOCK_SH|unix.LOCK_NB); err != nil || !got {
		t.Fatalf("got %t, %v", got, err)
	}
	other, err := os.Open(path)
	check(t, err)
	defer other.Close()
	if held, err := heldByOther(other); err != nil || held {
		t.Errorf("held: %t, %v", held, err)
	}
}

// TestTakenOver: when the lock file was removed and a second engine started,
// the first one stops at its next commit, and for good.
func TestTakenOver(t *testing.T) {
	path := newPath(t)
	old := open(t, path, Options{Mode: Engine})
	commit(t, old, first("run_1"))
	if err := os.Remove(lockName(old.Path())); err != nil {
		t.Fatal(err)
	}
	young := open(t, path, Options{Mode: Engine})
	for range 2 {
		if err := old.Commit(t.Context(), numbered("run_1", 1)); !errors.Is(err, engine.ErrLocked) {
			t.Errorf("got the error %v, want %v", err, engine.ErrLocked)
		}
	}
	commit(t, young, numbered("run_1", 1))
}

func TestUnreadableHolder(t *testing.T) {
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	if err := os.WriteFile(lockName(s.Path()), []byte("{half"), private); err != nil {
		t.Fatal(err)
	}
	h, held, err := Locked(path)
	if err != nil || !held || h.String() != "another engine" {
		t.Errorf("got %v, %t, %v", h, held, err)
	}
}
