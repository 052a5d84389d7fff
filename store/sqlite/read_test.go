package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// TestReadingWhileAnEngineRuns: a command that only reads sees what was
// committed, and cannot write.
func TestReadingWhileAnEngineRuns(t *testing.T) {
	path := newPath(t)
	writer := open(t, path, Options{Mode: Engine})
	commit(t, writer, first("run_1"))
	reader := open(t, path, Options{Mode: ReadOnly})
	for seq := uint64(1); seq <= 3; seq++ {
		commit(t, writer, numbered("run_1", seq))
		if got := journalLength(t, reader, "run_1"); got != int(seq) {
			t.Errorf("after %d commits %d events are seen", seq, got)
		}
	}
	if err := reader.Commit(t.Context(), numbered("run_1", 4)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("committing: got the error %v, want %v", err, ErrReadOnly)
	}
	if reader.Epoch() != 0 || reader.Stats() != (Stats{}) {
		t.Error("a reader has an epoch or has written")
	}
}

// TestReadingOutlivesTheEngine: the engine closes and another one comes while
// a command reads.
func TestReadingOutlivesTheEngine(t *testing.T) {
	path := newPath(t)
	one := open(t, path, Options{Mode: Engine})
	commit(t, one, first("run_1"))
	reader := open(t, path, Options{Mode: ReadOnly})
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if got := journalLength(t, reader, "run_1"); got != 0 {
		t.Errorf("%d events", got)
	}
	commit(t, open(t, path, Options{Mode: Engine}), numbered("run_1", 1))
	if got := journalLength(t, reader, "run_1"); got != 1 {
		t.Errorf("%d events", got)
	}
}

func TestReadingWritesNothing(t *testing.T) {
	path := closed(t)
	before := contents(t, path)
	s := open(t, path, Options{Mode: ReadOnly})
	if _, err := s.Run(t.Context(), "run_1"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if contents(t, path) != before {
		t.Error("the database changed")
	}
}

func TestReadingWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"no file":   filepath.Join(dir, "none.db"),
		"an empty":  filepath.Join(dir, "empty.db"),
		"no folder": filepath.Join(dir, "none", "none.db"),
	} {
		t.Run(name, func(t *testing.T) {
			want := engine.ErrNotFound
			switch name {
			case "an empty":
				if err := os.WriteFile(path, nil, private); err != nil {
					t.Fatal(err)
				}
			case "no folder":
				want = ErrUnopenable
			}
			for _, mode := range []Mode{ReadOnly, Beside} {
				if _, err := Open(path, Options{Mode: mode}); !errors.Is(err, want) {
					t.Errorf("mode %d: got the error %v, want %v", mode, err, want)
				}
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(dir, "none*"))
	if err != nil || len(left) > 0 {
		t.Errorf("looking created %v (%v)", left, err)
	}
}

// TestNoPermission: who may read the file but not write to it or beside it can
// list runs, and is told why nothing can be run.
func TestNoPermission(t *testing.T) {
	for name, c := range map[string]struct {
		folder, file os.FileMode
		owned        bool // by the one who tries; root makes all files otherwise
		want         error
	}{
		"a read-only folder": {0o555, 0o444, false, ErrUnwritable},
		"a read-only file":   {0o755, 0o400, true, ErrUnwritable},
		"somebody else's":    {0o777, 0o644, false, ErrPermissions},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getuid() != 0 && !c.owned && errors.Is(c.want, ErrPermissions) {
				t.Skip("it takes root to make a file that is somebody else's")
			}
			path := closed(t)
			dir := filepath.Dir(path)
			if os.Getuid() == 0 && c.owned {
				check(t, errors.Join(os.Chown(path, nobody, nobody), os.Chown(dir, nobody, nobody)))
			}
			check(t, errors.Join(os.Remove(lockName(path)), os.Chmod(path, c.file),
				os.Chmod(dir, c.folder), os.Chmod(filepath.Dir(dir), 0o755)))
			t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
			if got, want := asNobody(t, path), []string{"engine: " + c.want.Error(), "reads run_1"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// asNobody opens the database in a process without privileges.
func asNobody(t *testing.T, path string) (lines []string) {
	t.Helper()
	cmd, out := start(t, "unprivileged", path)
	for out.Scan() {
		lines = append(lines, out.Text())
	}
	check(t, cmd.Wait())
	return lines
}

// TestUnknownEnumeration: a status that this program does not know is an
// error, not a run of some other status.
func TestUnknownEnumeration(t *testing.T) {
	path := closed(t)
	meddle(t, path, "UPDATE run SET status = 'levitating'")
	s := open(t, path, Options{Mode: ReadOnly})
	if r, err := s.Run(t.Context(), "run_1"); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestBehind: exactly the texts with a prefix lie between it and what is behind it.
func TestBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 0xfe, 0xff}), 1, 4).Draw(t, "prefix"))
		text := string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 'b', 0xfe, 0xff}), 0, 6).Draw(t, "text"))
		end, bounded := behind(prefix)
		if within := text >= prefix && (!bounded || text < end); within != strings.HasPrefix(text, prefix) {
			t.Fatalf("%q begins with %q: %t, lies before %q: %t", text, prefix, !within, end, within)
		}
	})
}
