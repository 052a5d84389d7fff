//go:build cgo

package sqlite

import (
	"errors"
	"fmt"
	"testing"

	sqlite3 "github.com/mattn/go-sqlite3"
)

func engineError(code int) error { return sqlite3.Error{Code: sqlite3.ErrNo(code)} }

func TestExplain(t *testing.T) {
	for code, want := range map[int]error{
		codeBusy: ErrBusy, codeReadOnly: ErrUnwritable, codeIO: ErrDisk, codeCorrupt: ErrDamaged,
		codeFull: ErrFull, codeCantOpen: ErrUnopenable, codeNotADB: ErrForeign,
	} {
		err := explain(fmt.Errorf("writing: %w", engineError(code)))
		if !errors.Is(err, want) || !errors.Is(err, engineError(code)) {
			t.Errorf("code %d: got %v, want %v", code, err, want)
		}
	}
	if err := explain(nil); err != nil {
		t.Errorf("nothing is explained as %v", err)
	}
	other := errors.New("other")
	if err := explain(other); !errors.Is(err, other) || err.Error() != "other" {
		t.Errorf("got %v", err)
	}
}

func TestFatal(t *testing.T) {
	for code, want := range map[int]bool{codeIO: true, codeCorrupt: true, codeFull: false, codeBusy: false, codeConstraint: false} {
		if got := fatal(fmt.Errorf("committing: %w", engineError(code))); got != want {
			t.Errorf("code %d: got %t, want %t", code, got, want)
		}
	}
}

// TestFailedDisk: after the disk failed under a commit nothing more is written.
func TestFailedDisk(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, first("run_1"))
	if err := s.writer.judge(engineError(codeIO)); !errors.Is(err, ErrDisk) {
		t.Errorf("got the error %v, want %v", err, ErrDisk)
	}
	if err := s.Commit(t.Context(), numbered("run_1", 1)); !errors.Is(err, ErrDisk) {
		t.Errorf("got the error %v, want %v", err, ErrDisk)
	}
	if got := journalLength(t, s, "run_1"); got != 0 {
		t.Errorf("%d events", got)
	}
}
