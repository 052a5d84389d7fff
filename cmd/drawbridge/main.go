// Command drawbridge runs security playbooks: YAML files that find accounts,
// decide, act and tell people.
package main

import (
	"os"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
