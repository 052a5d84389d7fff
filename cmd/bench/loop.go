package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
)

const (
	loopMemoryBound = 64 << 20 // bytes above a loop over a handful
	linearBound     = 1.5      // times as long per item, in a loop ten times as long
	handful         = 10
)

const loopPlaybook = `inputs:
  n: { type: integer }
steps:
  - id: people
    uses: bench.count
    with: { n: "${{ inputs.n }}" }
  - id: each
    foreach: steps.people.users
    as: user
    key: user.id
    label: user.email
    concurrency: 16
    uses: bench.touch
    with: { id: "${{ user.id }}" }
`

// loop is a process to be measured: one run with a loop over n items.
func loop(ctx context.Context, n int, dir string) (err error) {
	b, err := newBed(dir, loopPlaybook) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	return b.run(ctx, map[string]any{"n": int64(n)})
}

// measureLoop compares loops of different lengths with each other.
func measureLoop(ctx context.Context, t *table, s sizes, dir, _ string) error {
	taken := map[int]measured{}
	for _, n := range []int{handful, s.items / 10, s.items} {
		here, err := os.MkdirTemp(dir, "loop-")
		if err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		if taken[n], err = itself(ctx, here, nil, childLoop, strconv.Itoa(n), here); err != nil {
			return fmt.Errorf("looping over %d items: %w", n, err)
		}
	}
	idle, short, long := taken[handful], taken[s.items/10], taken[s.items]
	above := long.memory - idle.memory
	t.add(row{
		what: fmt.Sprintf("foreach over %d items, memory", s.items), here: mebibytes(long.memory), floor: mebibytes(idle.memory),
		ratio: "+" + mebibytes(above), bound: "≤ +" + mebibytes(loopMemoryBound), missed: above > loopMemoryBound,
	})
	each, before := (long.time-idle.time)/10, short.time-idle.time
	ratio := each.Seconds() / before.Seconds()
	t.add(row{
		what: "  its time per item, beside a tenth of them", here: seconds(long.time), floor: seconds(short.time),
		ratio: fmt.Sprintf("%.2f", ratio), bound: fmt.Sprintf("≤ %.1f", linearBound), missed: ratio > linearBound,
	})
	return nil
}
