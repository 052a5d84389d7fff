package playbooks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// update rewrites the expected messages: go test ./playbooks -update.
var update = flag.Bool("update", false, "rewrite the golden files")

// archives are the test files of a folder: playbook.yaml, those it calls, and
// the expected messages.
func archives(tb testing.TB, folder string) map[string]*txtar.Archive {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no test files in %s: %v", folder, err)
	}
	out := map[string]*txtar.Archive{}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		out[path] = a
	}
	return out
}

// compile loads and compiles the playbook.yaml of an archive.
func compile(tb testing.TB, a *txtar.Archive) (*program.Program, []yamldoc.Diagnostic) {
	tb.Helper()
	files := fstest.MapFS{}
	for _, f := range a.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	bundle, problems := Load(FSFiles(files), "playbook.yaml")
	if len(problems) > 0 {
		tb.Fatal(yamldoc.Render(problems))
	}
	return Compile(bundle, testEnvironment(tb))
}

// want is the section with the expected messages.
func want(a *txtar.Archive) *txtar.File {
	for i := range a.Files {
		if a.Files[i].Name == "want" {
			return &a.Files[i]
		}
	}
	a.Files = append(a.Files, txtar.File{Name: "want"})
	return &a.Files[len(a.Files)-1]
}

// golden compares with the expected section, or rewrites it.
func golden(t *testing.T, path string, a *txtar.Archive, got string) {
	t.Helper()
	expected := want(a)
	if *update {
		expected.Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(expected.Data), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for path, a := range archives(t, "mistakes") {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := compile(t, a)
			if yamldoc.HasErrors(problems) != (p == nil) {
				t.Errorf("errors %v, but a program %v", yamldoc.HasErrors(problems), p != nil)
			}
			if many := strings.HasPrefix(name, "many-"); !many && len(problems) != 1 || many && len(problems) < 5 {
				t.Errorf("%d messages", len(problems))
			}
			golden(t, path, a, yamldoc.Render(problems))
		})
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	for path, a := range archives(t, "valid") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			p, problems := compile(t, a)
			if len(problems) > 0 || p == nil {
				t.Fatalf("unexpected problems:\n%s", yamldoc.Render(problems))
			}
			golden(t, path, a, describe(p))
		})
	}
}

// trimmed is the gist of a diagnostic, for tables.
func trimmed(line, column int, code, suggestion string) string {
	return strings.TrimRight(fmt.Sprintf("%d:%d %s %s", line, column, code, suggestion), " ")
}
