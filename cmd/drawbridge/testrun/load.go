package testrun

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Runner carries tests out. All its fields are required.
type Runner struct {
	// Config is the configuration that goes with a playbook.
	Config func(playbook string) (*config.Config, []yamldoc.Diagnostic)
	// Read reads test files and playbooks.
	Read playbooks.ReadFile
}

// File is a test file with its playbook, ready to be carried out.
type File struct {
	Suite   *playbooktest.Suite
	Program *program.Program

	bundle engine.Bundle
	paths  map[string]string // of the playbooks, by name
	conf   *config.Config

	actions *engine.Actions // of the binary, and of the configuration's connectors
}

// Load reads a test file and the playbook it is about. With an error among the
// diagnostics the file is nil.
func (r *Runner) Load(path string) (*File, []yamldoc.Diagnostic) {
	data, err := r.Read(path)
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(path, "read", "the file cannot be read: %v", cause(err))}
	}
	suite, problems := playbooktest.Parse(path, data)
	if suite == nil {
		return nil, problems
	}
	if _, err := r.Read(suite.Playbook); err != nil {
		return nil, append(problems, suite.PlaybookMissing())
	}
	conf, more := r.Config(suite.Playbook)
	problems = append(problems, more...)
	if conf == nil {
		return nil, problems
	}
	f := &File{Suite: suite, conf: conf, paths: map[string]string{}}
	problems = append(problems, r.compile(f)...)
	if yamldoc.HasErrors(problems) {
		return nil, yamldoc.Sort(problems)
	}
	return f, yamldoc.Sort(problems)
}

// compile checks the playbook, and the tests against it.
func (r *Runner) compile(f *File) []yamldoc.Diagnostic {
	bundle, problems := playbooks.Load(r.Read, f.Suite.Playbook)
	if yamldoc.HasErrors(problems) {
		return problems
	}
	catalog := f.conf.Catalog()
	actions, err := engine.NewActions(f.conf.Actions()...)
	if err != nil {
		return append(problems, yamldoc.NewDiagnostic(f.Suite.Playbook, "actions", "%v", err))
	}
	f.actions = actions
	env := playbooks.Environment{Actions: actions, Catalog: &catalog}
	if f.conf.Path != "" { // without a configuration there is nobody to ask
		env.Asking = &playbooks.Asking{Notify: f.conf.Notify, People: f.conf.People}
	}
	prog, more := playbooks.Compile(bundle, env)
	problems = append(problems, more...)
	if prog == nil {
		return problems
	}
	data, err := bundle.Encode()
	if err != nil {
		return append(problems, yamldoc.NewDiagnostic(f.Suite.Playbook, "read", "%v", err))
	}
	f.Program, f.bundle = prog, engine.Bundle{Hash: prog.Hash, Name: prog.Name, Data: data}
	f.locate(bundle)
	return append(problems, f.Suite.Bind(prog)...)
}

// locate notes which file each program is of.
func (f *File) locate(bundle playbooks.Bundle) {
	var each func(source string, p *program.Program)
	each = func(source string, p *program.Program) {
		f.paths[p.Hash] = bundle.Sources[source].Path
		for name, called := range p.Calls {
			each(name, called)
		}
	}
	each(bundle.Root, f.Program)
}

// Files are the test files under a path: the file itself, or in a folder, at
// any depth, *.test.yaml without what stands in folders whose names begin with
// a dot. A folder without one is an error.
func Files(path string) ([]string, *yamldoc.Diagnostic) {
	var files []string
	err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && at != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && (at == path || strings.HasSuffix(d.Name(), playbooktest.Extension)):
			files = append(files, testOf(at))
		}
		return nil
	})
	if err != nil {
		d := yamldoc.NewDiagnostic(path, "read", "the file cannot be read: %v", cause(err))
		return nil, &d
	}
	if len(files) == 0 {
		d := yamldoc.NewDiagnostic(path, "no-tests", "there is no test in this folder").
			WithHint("tests are *%s files, beside their playbooks", playbooktest.Extension)
		return nil, &d
	}
	return files, nil
}

// testOf is the test file that a path means: that of a playbook is beside it.
func testOf(path string) string {
	if strings.HasSuffix(path, playbooktest.Extension) {
		return path
	}
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + playbooktest.Extension
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	return path
}

// cause is a file error without the path, which is named already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
