package playbooktest_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps"
)

// update rewrites the expected messages: go test ./playbooks/playbooktest -update.
var update = flag.Bool("update", false, "rewrite the golden files")

// compile compiles playbooks, of which playbook.yaml is the one to run.
func compile(tb testing.TB, sources map[string]string) *program.Program {
	tb.Helper()
	actions, err := engine.NewActions(steps.All()...)
	if err != nil {
		tb.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, text := range sources {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	bundle, problems := playbooks.Load(playbooks.FSFiles(files), "playbook.yaml")
	prog, more := playbooks.Compile(bundle, playbooks.Environment{Actions: actions})
	if all := append(problems, more...); prog == nil {
		tb.Fatalf("\n%s", yamldoc.Render(all))
	}
	return prog
}

// subject is the playbook that the mistakes are tests of.
func subject(tb testing.TB) *program.Program {
	tb.Helper()
	text, err := os.ReadFile("testdata/playbook.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return compile(tb, map[string]string{"playbook.yaml": string(text)})
}

// TestMistakes compares what is said of testdata/mistakes/*.txtar, each with
// one mistake, except those whose names begin with many-.
func TestMistakes(t *testing.T) {
	prog := subject(t)
	paths, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d mistakes, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			suite, problems := playbooktest.Parse(a.Files[0].Name, a.Files[0].Data)
			if suite != nil {
				problems = append(problems, suite.Bind(prog)...)
			}
			if many := strings.HasPrefix(name, "many-"); !many && len(problems) != 1 || many && len(problems) < 5 {
				t.Errorf("%d messages:\n%s", len(problems), yamldoc.Render(problems))
			}
			golden(t, path, a, yamldoc.Render(problems))
		})
	}
}

func golden(t *testing.T, path string, a *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		a.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(a.Files[i].Data), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
