package playbooks

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Checked is one playbook that Check looked at.
type Checked struct {
	Path        string
	Bundle      Bundle
	Program     *program.Program // nil where the playbook cannot be used
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
	seen := map[string]bool{}
	for _, path := range paths {
		files, problem := Files(path)
		if problem != nil {
			out = append(out, Checked{Path: path, Diagnostics: []yamldoc.Diagnostic{*problem}})
			continue
		}
		for _, file := range files {
			if seen[filepath.Clean(file)] {
				continue // named by itself and with its folder
			}
			seen[filepath.Clean(file)] = true
			bundle, problems := Load(OSFiles, file)
			var prog *program.Program
			if !yamldoc.HasErrors(problems) {
				var more []yamldoc.Diagnostic
				prog, more = Compile(bundle, env)
				problems = append(problems, more...)
			}
			out = append(out, Checked{Path: file, Bundle: bundle, Program: prog, Diagnostics: yamldoc.Sort(problems)})
		}
	}
	return out
}

// ConnectorsFolder is the name of folders that hold connector files, and no
// playbooks.
const ConnectorsFolder = "connectors"

// maxFiles bounds what is taken from a folder.
const maxFiles = 10_000

// Files are the playbooks under a path: the file itself, or in a folder, at
// any depth, *.yaml and *.yml without *.test.yaml, drawbridge.yaml and what
// stands in folders whose names begin with a dot, or that are called connectors.
func Files(path string) ([]string, *yamldoc.Diagnostic) {
	var files []string
	err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at == path && !d.IsDir():
			files = append(files, at)
		case d.IsDir() && at != path && (strings.HasPrefix(d.Name(), ".") || d.Name() == ConnectorsFolder):
			return filepath.SkipDir
		case !d.IsDir() && IsPlaybook(d.Name()):
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

// IsPlaybook reports whether a file of this name, in a folder of playbooks, is
// one: *.yaml and *.yml are, but for *.test.yaml, drawbridge.yaml and hidden files.
func IsPlaybook(name string) bool {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	switch {
	case strings.HasPrefix(name, ".") || stem == "drawbridge" || strings.HasSuffix(stem, ".test"):
		return false
	default:
		return ext == ".yaml" || ext == ".yml"
	}
}
