// Command bench measures what Drawbridge costs beside a floor that does the
// least for the same: the bare SQLite driver, a bare HTTP client. Floors are
// measured in the same run, because machines differ and ratios do not much.
// Memory is the peak of a separate process. It exits with 1 where a bound is
// missed.
//
//	go run ./cmd/bench
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
)

// The words that make the binary a process to be measured.
const (
	childBare = "measured-bare-client"
	childLoop = "measured-loop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 3 && args[0] == childBare {
		return bareSweep(ctx, args[1], args[2])
	}
	if len(args) == 3 && args[0] == childLoop {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return fmt.Errorf("reading the number of items: %w", err)
		}
		debug.SetGCPercent(50) // as the command line does
		return loop(ctx, n, args[2])
	}
	s := fullSize()
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "small sizes, to see that it works; the figures mean nothing")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if *quick {
		s = quickSize()
	}
	return bench(ctx, s, out)
}

// sizes is how much is measured.
type sizes struct {
	steps   int // per measurement of durable steps
	users   int
	times   int // how often steps and sweeps are measured; the fastest counts
	items   int
	changes int  // that are looked ahead to
	starts  int  // of short commands; the median counts
	binding bool // whether a missed bound is an error
}

func fullSize() sizes {
	return sizes{steps: 20_000, users: 1_000_000, times: 5, items: 100_000, changes: 1000, starts: 15, binding: true}
}

func quickSize() sizes {
	return sizes{steps: 320, users: 3_000, times: 1, items: 500, changes: 60, starts: 2}
}

// bench measures everything and prints the table.
func bench(ctx context.Context, s sizes, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "drawbridge-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := filepath.Join(dir, "drawbridge")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/drawbridge-soar/drawbridge/cmd/drawbridge")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the binary: %w\n%s", err, text)
	}
	t := newTable(out)
	for _, measure := range []func(context.Context, *table, sizes, string, string) error{
		measureSteps, measureSweep, measureLoop, measureAhead, measureStart,
	} {
		if err := measure(ctx, t, s, dir, binary); err != nil {
			return err
		}
	}
	if missed := t.missed(); s.binding && missed > 0 {
		return fmt.Errorf("%d bounds were missed", missed)
	}
	return nil
}
