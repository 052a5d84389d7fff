package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

const (
	goodPlaybook   = "name: sweep\nsteps:\n  - set: { a: 1 }\n    id: one\n"
	betterPlaybook = "name: sweep\nsteps:\n  - set: { a: 1 }\n    id: one\n  - set: { a: 1 }\n    id: two\n"
	brokenPlaybook = "name: sweep\nsteps:\n  - uses: user.lisst\n"
)

// watching are folders over one that the test writes to.
type watching struct {
	*folders

	t        *testing.T
	file     string
	writes   int
	reported []string
}

func newWatching(t *testing.T) *watching {
	t.Helper()
	dir := t.TempDir()
	conf, problems := config.Parse(filepath.Join(dir, "drawbridge.yaml"), []byte("playbooks: [.]\n"), nil)
	if conf == nil {
		t.Fatal(problems)
	}
	a := &app{redactor: &secret.Redactor{}, log: slog.New(slog.DiscardHandler)}
	w := &watching{t: t, file: filepath.Join(dir, "sweep.yaml")}
	conf.Path = ""
	w.folders = &folders{conf: conf, check: a.checker(conf), report: func(text string) { w.reported = append(w.reported, text) }}
	return w
}

// write changes the file, visibly however coarse the clock of the disk is.
func (w *watching) write(text string) {
	w.t.Helper()
	w.writes++
	at := time.Date(2026, 1, 1, 0, 0, w.writes, 0, time.UTC)
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(w.file, at, at); err != nil {
		w.t.Fatal(err)
	}
	w.lookAgain()
}

func (w *watching) lookAgain() {
	w.t.Helper()
	if err := w.look(); err != nil {
		w.t.Fatal(err)
	}
}

// steps is how many steps the active version has; 0 where there is none.
func (w *watching) steps() int {
	list := w.list()
	if len(list) == 0 {
		return 0
	}
	return len(list[0].Program.Steps)
}

func TestWhatWasActiveStaysWhileItsFolderCannotBeRead(t *testing.T) {
	w := newWatching(t)
	w.write(goodPlaybook)
	folder := filepath.Dir(w.file)
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.lookAgain()
	}
	if w.steps() != 1 {
		t.Error("it is not active any more")
	}
	if len(w.reported) != 1 || !strings.Contains(w.reported[0], folder+" cannot be read") {
		t.Errorf("reported was %q", w.reported)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	if w.write(betterPlaybook); w.steps() != 2 {
		t.Error("the folder is back, and its playbook is not read again")
	}
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	if w.lookAgain(); w.steps() != 0 {
		t.Error("a playbook that was removed is still active")
	}
}

func TestAChangedPlaybookIsUsedOnceItPassesTheChecks(t *testing.T) {
	w := newWatching(t)
	w.lookAgain()
	if w.steps() != 0 {
		t.Fatal("there is a playbook in an empty folder")
	}
	w.write(goodPlaybook)
	if w.steps() != 1 {
		t.Errorf("a new one has %d steps", w.steps())
	}
	w.write(brokenPlaybook)
	if w.steps() != 1 || len(w.reported) != 1 || !strings.Contains(w.reported[0], "last good version stays active") || !strings.Contains(w.reported[0], "user.lisst") {
		t.Errorf("broken, it has %d steps, and this was said: %q", w.steps(), w.reported)
	}
	w.write(brokenPlaybook)
	if len(w.reported) != 1 {
		t.Errorf("the same mistake was reported again: %q", w.reported)
	}
	w.write(betterPlaybook)
	if w.steps() != 2 || len(w.reported) != 1 {
		t.Errorf("mended, it has %d steps, and this was said: %q", w.steps(), w.reported)
	}
	if got := w.list()[0]; got.Source != w.file || got.Bundle.Hash != got.Program.Hash || len(got.Bundle.Data) == 0 {
		t.Errorf("it is %+v", got)
	}
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	w.lookAgain()
	if w.steps() != 0 {
		t.Error("it is gone, and still active")
	}
}

func TestWhatIsBrokenFromTheStartIsNotActive(t *testing.T) {
	w := newWatching(t)
	w.write(brokenPlaybook)
	if w.steps() != 0 || len(w.reported) != 1 || !strings.Contains(w.reported[0], "until it is mended") {
		t.Errorf("it has %d steps, and this was said: %q", w.steps(), w.reported)
	}
}
