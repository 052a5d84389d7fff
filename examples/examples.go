// Package examples holds playbooks to start from. Each says in its first lines
// when to use it, and has its tests beside it; the suite checks and runs all of
// them.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml connectors/*.yaml
var files embed.FS

// Files are the examples with their tests and the configuration they go with,
// drawbridge.yaml, and the connector files, in connectors.
func Files() fs.FS { return files }
