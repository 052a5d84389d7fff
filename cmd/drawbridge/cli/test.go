package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/testrun"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

// testOptions are the flags of test.
type testOptions struct {
	run      string
	parallel int
	junit    string
	cover    bool
	coverMin float64
}

func (a *app) testCommand() *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Run the tests of playbooks against a simulated tenant",
		Long: `Runs *.test.yaml files, and all of them in folders: offline, against simulated
services, with a clock that nobody has to wait for. It says which expectation
does not hold, with file, line and column, and how much of each playbook the
tests reach. Exit code 0 when all passed, 1 when some failed, 2 when a test
file or a playbook has errors.`,
		Args: cobra.MinimumNArgs(1),
		RunE: work(func(ctx context.Context, args []string) error { return a.test(ctx, args, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.run, "run", "", "only the tests whose \"FILE: NAME\" matches this regular expression")
	flags.IntVar(&o.parallel, "parallel", 0, "how many at a time (default as many as there are processors)")
	flags.StringVar(&o.junit, "junit", "", "also write the results to this file, as JUnit XML")
	flags.BoolVar(&o.cover, "cover", false, "list what no test reaches")
	flags.Float64Var(&o.coverMin, "cover-min", 0, "fail where the tests reach less of a playbook than this percentage")
	return cmd
}

func (a *app) test(ctx context.Context, paths []string, o testOptions) error {
	var match *regexp.Regexp
	if o.run != "" {
		var err error
		if match, err = regexp.Compile(o.run); err != nil {
			return usage("--run must be a regular expression: %v", err)
		}
	}
	runner := &testrun.Runner{Config: a.configOf, Read: playbooks.OSFiles}
	files, problems := loadTests(runner, paths)
	report := runner.RunAll(ctx, files, testrun.Options{Match: match, Parallel: o.parallel})
	if err := a.showTests(report, problems, o); err != nil {
		return err
	}
	switch {
	case yamldoc.HasErrors(problems):
		return quit(exitUsage)
	case len(report.Results) == 0:
		return usage("no test matches %q", o.run)
	case report.Failed() > 0 || len(tooLittle(report, o.coverMin)) > 0:
		return quit(exitFailed)
	default:
		return nil
	}
}

// loadTests reads all test files, each once, in the order of the paths.
func loadTests(runner *testrun.Runner, paths []string) ([]*testrun.File, []yamldoc.Diagnostic) {
	var files []*testrun.File
	var problems []yamldoc.Diagnostic
	seen := map[string]bool{}
	for _, path := range paths {
		found, problem := testrun.Files(path)
		if problem != nil {
			problems = append(problems, *problem)
		}
		for _, file := range found {
			if seen[filepath.Clean(file)] {
				continue
			}
			seen[filepath.Clean(file)] = true
			loaded, more := runner.Load(file)
			problems = append(problems, more...)
			if loaded != nil {
				files = append(files, loaded)
			}
		}
	}
	return files, yamldoc.Sort(problems)
}

// configOf is the configuration that goes with a playbook: the one that is
// named or stands in the working directory, else the nearest one above the
// playbook, else one that reaches everything there is a simulator for.
func (a *app) configOf(playbook string) (*config.Config, []yamldoc.Diagnostic) {
	path, err := config.Find(a.configPath)
	if err == nil && path == "" {
		path, err = configAbove(playbook)
	}
	switch {
	case err != nil:
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(playbook, "read", "looking for the configuration: %v", err)}
	case path == "":
		return testrun.Standard()
	default:
		return config.Load(path, providers.All())
	}
}

// configAbove is the configuration in the folder of a file or the nearest one
// above it; "" where there is none.
func configAbove(file string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", fmt.Errorf("looking at %s: %w", file, err)
	}
	for {
		path := filepath.Join(dir, config.FileName)
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking at %s: %w", path, err)
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}
