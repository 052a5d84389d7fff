package testrun_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/testrun"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

const examples = "../../../examples"

// newRunner reads files from the disk, and knows the configuration of the examples.
func newRunner(tb testing.TB) *testrun.Runner {
	tb.Helper()
	return &testrun.Runner{Read: playbooks.OSFiles, Config: func(string) (*config.Config, []yamldoc.Diagnostic) {
		return config.Load(filepath.Join(examples, "drawbridge.yaml"), providers.All())
	}}
}

func load(tb testing.TB, runner *testrun.Runner, path string) *testrun.File {
	tb.Helper()
	file, problems := runner.Load(path)
	if file == nil || len(problems) > 0 {
		tb.Fatalf("\n%s", yamldoc.Render(problems))
	}
	return file
}

// TestExamples runs the tests of every example, of which each has several, and
// all of which together reach everything.
func TestExamples(t *testing.T) {
	runner := newRunner(t)
	paths, problem := playbooks.Files(examples)
	if problem != nil || len(paths) < 5 {
		t.Fatalf("%v, %v", paths, problem)
	}
	var files []*testrun.File
	for _, path := range paths {
		file := load(t, runner, strings.TrimSuffix(path, ".yaml")+".test.yaml")
		if len(file.Suite.Cases) < 5 {
			t.Errorf("%s has only %d tests", path, len(file.Suite.Cases))
		}
		files = append(files, file)
	}
	report := runner.RunAll(t.Context(), files, testrun.Options{})
	for _, r := range report.Results {
		if len(r.Failures) > 0 {
			t.Errorf("%s:\n%s%v", r.Case.Name, yamldoc.Render(r.Failures), r.Notes)
		}
	}
	for _, c := range report.Coverage {
		if c.Percent < 100 {
			t.Errorf("%s: %.0f %%, %v", c.Playbook, c.Percent, c.Uncovered)
		}
	}
}

// TestEveryTestFileIsOfAnExample finds those that the suite would not run.
func TestEveryTestFileIsOfAnExample(t *testing.T) {
	found, err := fs.Glob(os.DirFS(examples), "*.test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if _, err := os.Stat(filepath.Join(examples, strings.TrimSuffix(name, ".test.yaml")+".yaml")); err != nil {
			t.Errorf("%s is beside no playbook", name)
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	runner := newRunner(b)
	file := load(b, runner, filepath.Join(examples, "sweep-dormant-users.test.yaml"))
	for b.Loop() {
		if r := runner.Run(b.Context(), file, file.Suite.Cases[0]); len(r.Failures) > 0 {
			b.Fatal(yamldoc.Render(r.Failures))
		}
	}
}
