package connector

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// maxFiles bounds what is taken from a folder.
const maxFiles = 1000

// Load reads and checks the connector files of a folder: *.yaml and *.yml, not
// in folders within it. A link that leads out of the folder is an error, and so
// is a folder without connector files, and a name that two files have. What has
// errors is not among the definitions.
func Load(folder string) ([]*Definition, []yamldoc.Diagnostic) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(folder, "read", "the folder of connectors cannot be read: %v", cause(err))}
	}
	defer func() { _ = root.Close() }() // only read from
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(folder, "read", "the folder of connectors cannot be read: %v", cause(err))}
	}
	var out []*Definition
	var problems []yamldoc.Diagnostic
	files := 0
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".yaml" && ext != ".yml" || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".test"+ext) {
			continue
		}
		if files++; files > maxFiles {
			return nil, append(problems, yamldoc.NewDiagnostic(folder, "read", "there are more than %d connector files", maxFiles))
		}
		d, more := loadFile(root, filepath.Join(folder, e.Name()), e.Name())
		problems = append(problems, more...)
		if d != nil {
			out = append(out, d)
		}
	}
	if files == 0 {
		problems = append(problems, yamldoc.NewDiagnostic(folder, "no-connectors", "there is no connector in this folder").WithHint("connectors are *.yaml files"))
	}
	return out, problems
}

func loadFile(root *os.Root, path, name string) (*Definition, []yamldoc.Diagnostic) {
	f, err := root.Open(name)
	if err != nil {
		d := yamldoc.NewDiagnostic(path, "read", "the connector cannot be read: %v", cause(err))
		if info, lerr := root.Lstat(name); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			d = d.WithHint("it is a link; one that leads out of the folder is not followed")
		}
		return nil, []yamldoc.Diagnostic{d}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, yamldoc.MaxSize+1))
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(path, "read", "the connector cannot be read: %v", cause(err))}
	}
	return Parse(path, data)
}

// cause is a file error without the path, which the diagnostic has already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Read is Parse of one file, named by itself.
func Read(path string) (*Definition, []yamldoc.Diagnostic) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, []yamldoc.Diagnostic{yamldoc.NewDiagnostic(path, "read", "the connector cannot be read: %v", cause(err))}
	}
	defer func() { _ = root.Close() }() // only read from
	return loadFile(root, path, filepath.Base(path))
}

// Distinct reports connectors that have the name of another, or a name that is
// taken: by a provider of the binary, or by its actions.
func Distinct(all []*Definition, taken func(name string) string) []yamldoc.Diagnostic {
	var out []yamldoc.Diagnostic
	seen := map[string]*Definition{}
	for _, d := range all {
		if by := taken(d.Name); by != "" {
			out = append(out, yamldoc.NewDiagnostic(d.Path, "name", "the connector cannot be called %q: %s", d.Name, by))
		}
		if first := seen[d.Name]; first != nil {
			out = append(out, yamldoc.NewDiagnostic(d.Path, "name", "the connector %q is in two files; the other is %s", d.Name, first.Path))
		}
		seen[d.Name] = d
	}
	return out
}
