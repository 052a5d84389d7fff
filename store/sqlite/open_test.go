package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestFilesAreForTheOwner(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // the most open there is
	path := newPath(t)
	s := open(t, path, Options{Mode: Engine})
	commit(t, s, first("run_1"))
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		wantMode(t, name)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	open(t, path, Options{Mode: Engine})
	wantMode(t, path)
}

func wantMode(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != private {
		t.Errorf("%s: got %v, %v, want %v", filepath.Base(name), info.Mode(), err, private)
	}
}

// TestOddPaths: a path is a path, whatever an URL would make of it.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"what?mode=memory", "100%.db", "a b#c.db", "file:x", ":memory:", "ünï.db"} {
		path := filepath.Join(t.TempDir(), name)
		commit(t, open(t, path, Options{Mode: Engine}), first("run_1"))
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotOurs: what is no database of ours is refused and stays as it is.
func TestNotOurs(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want error
	}{
		"text":            {write("this is a diary, not a database, and it is longer than a header of a hundred bytes, which SQLite looks at\n"), ErrForeign},
		"a few bytes":     {write("x"), ErrForeign},
		"another program": {script("CREATE TABLE t (x); PRAGMA user_version = 1"), ErrForeign},
		"another id":      {script("CREATE TABLE t (x); PRAGMA application_id = 252006674"), ErrForeign},
		"newer":           {ours("PRAGMA user_version = 99"), ErrNewer},
		"changed":         {ours("UPDATE migration SET checksum = zeroblob(32)"), ErrChanged},
		"incomplete":      {ours("DELETE FROM migration"), ErrChanged},
		"a folder":        {func(t *testing.T, path string) { check(t, os.Mkdir(path, 0o700)) }, ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			c.make(t, path)
			before, _ := os.ReadFile(path)
			for _, mode := range []Mode{Engine, ReadOnly, Beside} {
				if _, err := Open(path, Options{Mode: mode}); !errors.Is(err, c.want) {
					t.Errorf("mode %d: got the error %v, want %v", mode, err, c.want)
				}
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file changed")
			}
			if _, held, err := Locked(path); held || err != nil {
				t.Errorf("the lock is held: %v", err)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) { check(t, os.WriteFile(path, []byte(text), private)) }
}

func script(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) { meddle(t, path, text) }
}

// ours makes a database of ours and changes it.
func ours(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		check(t, os.Rename(closed(t), path))
		meddle(t, path, text)
	}
}

// TestForeignFileStaysAsItIs: a file that is no database, named by mistake,
// keeps its content and its permissions.
func TestForeignFileStaysAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	check(t, os.WriteFile(path, []byte("buy milk, and bread"), 0o644))
	if _, err := Open(path, Options{Mode: Engine}); !errors.Is(err, ErrForeign) {
		t.Errorf("got the error %v, want %v", err, ErrForeign)
	}
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != 0o644 {
		t.Errorf("its permissions are %v now", info.Mode())
	}
}

// TestOlder: a database of the version before is copied aside and migrated.
func TestOlder(t *testing.T) {
	path := closed(t)
	later := Options{Mode: Engine, migrations: withNext(t, "CREATE TABLE later (x INTEGER) STRICT;")}
	reading := later
	reading.Mode = ReadOnly
	if _, err := Open(path, reading); !errors.Is(err, ErrOlder) {
		t.Errorf("reading: got the error %v, want %v", err, ErrOlder)
	}
	commit(t, open(t, path, later), numbered("run_1", 1))
	if got := journalLength(t, open(t, path, reading), "run_1"); got != 1 {
		t.Errorf("%d events after the migration", got)
	}
	aside := copies(t, path)
	if len(aside) != 1 {
		t.Fatalf("copies: %v", aside)
	}
	wantMode(t, aside[0])
	if got := journalLength(t, open(t, aside[0], Options{Mode: ReadOnly}), "run_1"); got != 0 {
		t.Errorf("%d events in the copy", got)
	}
	if _, err := Open(path, Options{Mode: ReadOnly}); !errors.Is(err, ErrNewer) {
		t.Errorf("the version before: got the error %v, want %v", err, ErrNewer)
	}
}

// TestFailedMigration: nothing of it remains, and the version before goes on.
func TestFailedMigration(t *testing.T) {
	path := closed(t)
	_, err := Open(path, Options{Mode: Engine, migrations: withNext(t, "CREATE TABLE later (x INTEGER) STRICT; CREATE TABLE run (x);")})
	if err == nil || !strings.Contains(err.Error(), "_later.sql") {
		t.Errorf("got the error %v", err)
	}
	if left := copies(t, path); len(left) > 0 {
		t.Errorf("copies remain: %v", left)
	}
	commit(t, open(t, path, Options{Mode: Engine}), numbered("run_1", 1))
}

func withNext(t *testing.T, script string) fs.FS {
	t.Helper()
	files := fstest.MapFS{fmt.Sprintf("%04d_later.sql", newestVersion(t)+1): {Data: []byte(script)}}
	known, err := Options{}.known()
	check(t, err)
	for _, m := range known {
		files[m.name] = &fstest.MapFile{Data: []byte(m.script)}
	}
	return files
}

// newestVersion is the version of the databases that this package makes.
func newestVersion(t *testing.T) int {
	t.Helper()
	known, err := Options{}.known()
	check(t, err)
	return len(known)
}

func copies(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(fmt.Sprintf("%s.v%d-*.bak", path, newestVersion(t)))
	check(t, err)
	return found
}

func TestMisnumberedMigrations(t *testing.T) {
	for _, names := range [][]string{{"0002_b.sql"}, {"0001_a.sql", "0003_c.sql"}, {"first.sql"}} {
		files := fstest.MapFS{}
		for _, name := range names {
			files[name] = &fstest.MapFile{}
		}
		if _, err := Open(newPath(t), Options{Mode: Engine, migrations: files}); err == nil {
			t.Errorf("%v were taken", names)
		}
	}
}

// TestSettings: a connection whose settings are not what was asked for is none.
func TestSettings(t *testing.T) {
	path := closed(t)
	c, err := openConn(writerDSN(path), writerSettings())
	check(t, err)
	if n, err := c.integer("PRAGMA auto_vacuum"); err != nil || n != 2 {
		t.Errorf("auto_vacuum: %d, %v", n, err)
	}
	check(t, c.Close())
	for _, wrong := range writerSettings() {
		wrong.want = "9"
		if _, err := openConn(writerDSN(path), []setting{wrong}); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: got the error %v, want %v", wrong.name, err, ErrSettings)
		}
	}
	if _, err := openConn(readerDSN(path, false), writerSettings()); !errors.Is(err, ErrSettings) {
		t.Errorf("a reader that shall write: got the error %v, want %v", err, ErrSettings)
	}
}

func TestNoPath(t *testing.T) {
	if _, err := Open("", Options{Mode: Engine}); !errors.Is(err, ErrUnopenable) {
		t.Errorf("got the error %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "such.db"), Options{Mode: Engine}); !errors.Is(err, ErrUnopenable) {
		t.Errorf("got the error %v", err)
	}
}
