// Command drawbridge runs security playbooks: YAML files that find accounts,
// decide, act and tell people.
package main

import (
	"os"
	"runtime/debug"
	_ "time/tzdata" // a small container has no time zones of its own

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/cli"
)

func main() {
	// A sweep's memory is mostly pages that are garbage at once: collecting
	// twice as often costs little time and keeps the peak near what is in use.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	os.Exit(cli.Main(os.Args[1:]))
}
