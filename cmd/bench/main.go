// Command bench measures what Drawbridge costs beside a floor that does the
// least for the same: the bare SQLite driver, a bare HTTP client. Floors are
// measured in the same run, because machines differ and ratios do not much.
// Memory is the peak of a separate process. It exits with 1 where a bound is
// missed.
//
//	go run ./cmd/bench
//	go run ./cmd/bench -only parked
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// The words that make the binary a process to be measured.
const (
	childBare   = "measured-bare-client"
	childLoop   = "measured-loop"
	childPark   = "measured-parking"
	childParked = "measured-parked"
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
	if len(args) > 1 && slices.Contains([]string{childLoop, childPark, childParked}, args[0]) {
		debug.SetGCPercent(50) // as the command line does
		return child(ctx, args[0], args[1:len(args)-1], args[len(args)-1])
	}
	s := fullSize()
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "small sizes, to see that it works; the figures mean nothing")
	only := flags.String("only", "", "measure only this: "+strings.Join(slices.Sorted(maps.Keys(measures())), ", "))
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if *quick {
		s = quickSize()
	}
	s.only = *only
	return bench(ctx, s, out)
}

// child is a process to be measured, in a folder.
func child(ctx context.Context, name string, numbers []string, dir string) error {
	n := make([]int, 2)
	for i, text := range numbers {
		var err error
		if n[i%2], err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("reading how many: %w", err)
		}
	}
	switch name {
	case childPark:
		return park(ctx, n[0], n[1], dir)
	case childParked:
		return serveParked(ctx, n[0], dir)
	default:
		return loop(ctx, n[0], dir)
	}
}

// measure adds its lines to the table. dir is for its files.
type measure func(ctx context.Context, t *table, s sizes, dir, binary string) error

func measures() map[string]measure {
	return map[string]measure{
		"steps": measureSteps, "sweep": measureSweep, "loop": measureLoop, "ahead": measureAhead, "start": measureStart, "parked": measureParked,
	}
}

// chosen are the measures that are asked for, in their order.
func chosen(only string) ([]measure, error) {
	if only != "" {
		m, known := measures()[only]
		if !known {
			return nil, fmt.Errorf("nothing is called %q", only)
		}
		return []measure{m}, nil
	}
	return []measure{measureSteps, measureSweep, measureLoop, measureAhead, measureStart, measureParked}, nil
}

// sizes is how much is measured.
type sizes struct {
	steps   int // per measurement of durable steps
	users   int
	times   int // how often steps and sweeps are measured; the fastest counts
	items   int
	changes int // that are looked ahead to
	starts  int // of short commands; the median counts
	parked  int // runs
	due     int // of them, at one moment
	only    string
	binding bool // whether a missed bound is an error
}

func fullSize() sizes {
	return sizes{steps: 20_000, users: 1_000_000, times: 5, items: 100_000, changes: 1000, starts: 15, parked: 100_000, due: 1000, binding: true}
}

func quickSize() sizes {
	return sizes{steps: 320, users: 3_000, times: 1, items: 500, changes: 60, starts: 2, parked: 300, due: 20}
}

// bench measures everything and prints the table.
func bench(ctx context.Context, s sizes, out io.Writer) (err error) {
	all, err := chosen(s.only)
	if err != nil {
		return err
	}
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
	for _, measure := range all {
		if err := measure(ctx, t, s, dir, binary); err != nil {
			return err
		}
	}
	if missed := t.missed(); s.binding && missed > 0 {
		return fmt.Errorf("%d bounds were missed", missed)
	}
	return nil
}
