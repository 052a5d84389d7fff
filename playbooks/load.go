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

// OSFiles reads from the file system, and no more of a file than is allowed. A
// link that leads out of the file's folder is not followed: what a playbook
// calls stands in its folder.
func OSFiles(path string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("opening the folder of a playbook: %w", err)
	}
	defer func() { _ = root.Close() }() // only read from
	f, err := root.Open(filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("opening playbook: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, yamldoc.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading playbook: %w", err)
	}
	return data, nil
}

// FSFiles reads from a file system, with slash-separated paths.
func FSFiles(fsys fs.FS) ReadFile {
	return func(path string) ([]byte, error) {
		return fs.ReadFile(fsys, filepath.ToSlash(filepath.Clean(path)))
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
			source, problem := readCalled(read, strings.TrimSuffix(path, filepath.Base(path)), called)
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
func readCalled(read ReadFile, folder, name string) (*Source, *yamldoc.Diagnostic) {
	for _, ext := range []string{".yaml", ".yml"} {
		path := folder + name + ext
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
