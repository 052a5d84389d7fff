package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drawbridge-soar/drawbridge/store/sqlite"
	"github.com/drawbridge-soar/drawbridge/store/sqlite/floor"
)

const (
	stepsPerRun = 40
	stepsBound  = 0.5 // of the bare driver's speed
)

// measureSteps lets 1, 16 and 64 runs go on at a time, step after step, and
// then the bare driver write as many rows and bytes in as many transactions.
// Both in turn, several times, and the fastest of each counts: what else the
// machine does slows one or the other.
func measureSteps(ctx context.Context, t *table, s sizes, dir, _ string) error {
	for _, runs := range []int{1, 16, 64} {
		total := max(s.steps/stepsPerRun/runs, 1) * runs * stepsPerRun
		if runs == 1 {
			total = max(total/4, stepsPerRun) // alone it is slow, and no less exact
		}
		var here, keyed, appended []time.Duration
		for range s.times {
			took, floors, err := measureOnce(ctx, dir, runs, total)
			if err != nil {
				return err
			}
			here, keyed, appended = append(here, took), append(keyed, floors[0]), append(appended, floors[1])
		}
		took, bare := slices.Min(here), slices.Min(keyed)
		ratio := bare.Seconds() / took.Seconds()
		t.add(row{
			what: fmt.Sprintf("durable steps, %d at a time", runs), here: perSecond(total, took), floor: perSecond(total, bare),
			ratio: fmt.Sprintf("%.2f", ratio), bound: fmt.Sprintf("≥ %.1f", stepsBound), missed: ratio < stepsBound,
		})
		// For those who want to know what finding a run again costs; no bound.
		bare = slices.Min(appended)
		t.add(row{
			what: "  beside rows that no key finds again", here: perSecond(total, took), floor: perSecond(total, bare),
			ratio: fmt.Sprintf("%.2f", bare.Seconds()/took.Seconds()),
		})
	}
	return nil
}

// measureOnce is how long the steps take, and how long the bare driver takes
// for the same rows with a key and without one.
func measureOnce(ctx context.Context, dir string, runs, total int) (took time.Duration, floors [2]time.Duration, err error) {
	here, err := os.MkdirTemp(dir, "steps-")
	if err != nil {
		return 0, floors, fmt.Errorf("making a folder: %w", err)
	}
	took, wrote, err := durableSteps(ctx, here, runs, total)
	if err != nil {
		return 0, floors, fmt.Errorf("measuring steps: %w", err)
	}
	for i, shape := range []floor.Table{floor.Keyed, floor.Appended} {
		folder, err := os.MkdirTemp(here, "floor-")
		if err != nil {
			return 0, floors, fmt.Errorf("making a folder: %w", err)
		}
		if floors[i], err = floor.Insert(ctx, folder, shape, wrote, runs); err != nil {
			return 0, floors, err
		}
	}
	return took, floors, nil
}

func perSecond(n int, d time.Duration) string { return fmt.Sprintf("%.0f/s", float64(n)/d.Seconds()) }

// durableSteps carries out total steps in runs of stepsPerRun.
func durableSteps(ctx context.Context, dir string, runs, total int) (took time.Duration, wrote sqlite.Stats, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "store"), 0o700); err != nil {
		return 0, wrote, fmt.Errorf("making a folder: %w", err)
	}
	b, err := newBed(filepath.Join(dir, "store"), stepsPlaybook()) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return 0, wrote, err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	before, began := b.store.Stats(), time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range runs {
		group.Go(func() error {
			for range total / stepsPerRun / runs {
				if err := b.run(ctx, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return time.Since(began), b.store.Stats().Minus(before), err
}

func stepsPlaybook() string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for range stepsPerRun {
		b.WriteString("  - uses: bench.touch\n    with: { id: ABCDEFGHIJKLMNOPQRSTUVWXYZ }\n")
	}
	return b.String()
}
