// Package examples holds playbooks to start from. Each says in its first lines
// when to use it; the suite checks all of them and runs them against the
// simulated tenant.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml
var files embed.FS

// Files are the examples and the configuration they go with, drawbridge.yaml.
func Files() fs.FS { return files }
