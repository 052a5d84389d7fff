package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// checkConnectors checks the connector files among paths and under them, and
// leaves the paths that playbooks are to be looked for in. Those of the
// configuration were checked with it, and are not counted twice.
func checkConnectors(conf *config.Config, paths []string) (count int, rest []string, found []yamldoc.Diagnostic) {
	seen := map[string]bool{}
	for _, path := range paths {
		files, only := connectorFiles(path)
		for _, file := range files {
			if key := absolute(file); !seen[key] {
				seen[key] = true
				count++
				if !configured(conf, key) {
					_, problems := connector.Read(file)
					found = append(found, problems...)
				}
			}
		}
		if !only {
			rest = append(rest, path)
		}
	}
	return count, rest, found
}

// configured reports whether a file is one of the configuration's connectors.
func configured(conf *config.Config, path string) bool {
	for _, def := range conf.Connectors {
		if absolute(def.Path) == path {
			return true
		}
	}
	return false
}

// connectorFiles are the connector files that a path means: itself, or those in
// the folders called connectors under it. Only says that nothing else is meant.
func connectorFiles(path string) (files []string, only bool) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, false // said by whoever looks for playbooks
	case !info.IsDir():
		data, err := playbooks.OSFiles(path)
		if err != nil || !connector.IsFile(data) {
			return nil, false
		}
		return []string{path}, true
	}
	only = filepath.Base(absolute(path)) == playbooks.ConnectorsFolder
	_ = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // said by whoever looks for playbooks
		case d.IsDir() && at != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && filepath.Base(filepath.Dir(absolute(at))) == playbooks.ConnectorsFolder && playbooks.IsPlaybook(d.Name()):
			files = append(files, at)
		}
		return nil
	})
	return files, only
}
