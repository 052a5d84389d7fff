package playbooks

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// ReadFile reads a file by its path. An error that is fs.ErrNotExist says that
// there is none.
type ReadFile func(path string) ([]byte, error)

// OSFiles reads from the file system, and no more of a file than is allowed.
func OSFiles(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening playbook: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, yamldoc.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading playbook: %w", err)
	}
	return data, nil
}

// FSFiles reads from a file system, with slash-separated paths.
func FSFiles(fsys fs.FS) ReadFile {
	return func(path string) ([]byte, error) {
		return fs.ReadFile(fsys, filepath.ToSlash(path)) //nolint:wrapcheck // OSFiles is the same with os
	}
}

// Load reads a playbook and all it calls, which stand in the same folder. A
// called playbook that is not there is left to Compile, which points at the
// call. The diagnostics here are about files that cannot be read.
func Load(read ReadFile, path string) (Bundle, []yamldoc.Diagnostic) {
	name := nameOf(path)
	b := Bundle{Root: name, Sources: map[string]Source{}}
	data, err := read(path)
	if err != nil {
		return b, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(path, "read", "%s", cause(err))}
	}
	b.Sources[name] = Source{Name: name, Path: path, Data: data}
	var problems []yamldoc.Diagnostic
	todo := []string{name}
	for len(todo) > 0 && len(b.Sources) <= maxPlaybooks {
		doc, _ := parseDocument(b.Sources[todo[0]])
		todo = todo[1:]
		if doc == nil {
			continue
		}
		for _, called := range doc.calls() {
			if _, have := b.Sources[called]; have {
				continue
			}
			source, problem := readCalled(read, filepath.Dir(path), called)
			if problem != nil {
				problems = append(problems, *problem)
			}
			if source != nil {
				b.Sources[called] = *source
				todo = append(todo, called)
			}
		}
	}
	return b, problems
}

// nameOf is the name a file is called by.
func nameOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// readCalled finds a called playbook beside its caller; nil where there is none.
func readCalled(read ReadFile, dir, name string) (*Source, *yamldoc.Diagnostic) {
	for _, ext := range []string{".yaml", ".yml"} {
		path := filepath.Join(dir, name+ext)
		data, err := read(path)
		switch {
		case err == nil:
			return &Source{Name: name, Path: path, Data: data}, nil
		case !errors.Is(err, fs.ErrNotExist):
			d := yamldoc.NewDiagnostic(path, "read", "%s", cause(err))
			return nil, &d
		}
	}
	return nil, nil
}

// cause is an error without the path, which the diagnostic has already.
func cause(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return "the file cannot be read: " + err.Error()
}

// Checked is one playbook that Check looked at.
type Checked struct {
	Path        string
	Bundle      Bundle
	Diagnostics []yamldoc.Diagnostic
}

// OK reports whether the playbook can be used.
func (c Checked) OK() bool { return !yamldoc.HasErrors(c.Diagnostics) }

// Check checks playbooks: the files named, and all playbooks in the folders
// named. A path that cannot be read, and a folder without playbooks, is an
// error of its own. A mistake in a playbook that several others call is
// reported for each of them; yamldoc.Sort of all diagnostics has it once.
func Check(env Environment, paths ...string) []Checked {
	var out []Checked
	for _, path := range paths {
		files, problem := Files(path)
		if problem != nil {
			out = append(out, Checked{Path: path, Diagnostics: []yamldoc.Diagnostic{*problem}})
			continue
		}
		for _, file := range files {
			bundle, problems := Load(OSFiles, file)
			if !yamldoc.HasErrors(problems) {
				_, more := Compile(bundle, env)
				problems = append(problems, more...)
			}
			out = append(out, Checked{Path: file, Bundle: bundle, Diagnostics: yamldoc.Sort(problems)})
		}
	}
	return out
}

// maxFiles bounds what is taken from a folder.
const maxFiles = 10_000

// Files are the playbooks under a path: the file itself, or in a folder, at
// any depth, *.yaml and *.yml without *.test.yaml, drawbridge.yaml and what
// stands in folders whose names begin with a dot.
func Files(path string) ([]string, *yamldoc.Diagnostic) {
	var files []string
	err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at == path && !d.IsDir():
			files = append(files, at)
		case d.IsDir() && at != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && isPlaybook(d.Name()):
			files = append(files, at)
		}
		if len(files) > maxFiles {
			return fmt.Errorf("there are more than %d playbooks", maxFiles)
		}
		return nil
	})
	if err != nil {
		d := yamldoc.NewDiagnostic(path, "read", "%s", cause(err))
		return nil, &d
	}
	if len(files) == 0 {
		d := yamldoc.NewDiagnostic(path, "no-playbooks", "there is no playbook in this folder").WithHint("playbooks are *.yaml and *.yml files")
		return nil, &d
	}
	return files, nil
}

func isPlaybook(name string) bool {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	switch {
	case strings.HasPrefix(name, ".") || stem == "drawbridge" || strings.HasSuffix(stem, ".test"):
		return false
	default:
		return ext == ".yaml" || ext == ".yml"
	}
}
