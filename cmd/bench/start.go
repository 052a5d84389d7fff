package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/cmd/simprocess"
)

// twoSteps looks somebody up and says so.
const twoSteps = `steps:
  - id: people
    uses: user.list
    with: { limit: 1 }
  - uses: message.send
    with: { text: "there is ${{ len(steps.people.users) }}" }
`

// measureStart times a whole short run, from the shell's point of view, beside
// a command that does nothing.
func measureStart(ctx context.Context, t *table, s sizes, dir, binary string) (err error) {
	tenant, err := simprocess.Start(ctx, binary, 0, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.Stop()) }()
	folder, err := project(tenant, dir, "short", twoSteps)
	if err != nil {
		return err
	}
	var runs, versions []measured
	for range s.starts {
		m, err := process(ctx, folder, tenant.Environ(), binary, "run", "short.yaml")
		if err != nil {
			return fmt.Errorf("timing a short run: %w", err)
		}
		runs = append(runs, m)
		if m, err = process(ctx, folder, nil, binary, "version"); err != nil {
			return fmt.Errorf("timing version: %w", err)
		}
		versions = append(versions, m)
	}
	t.add(row{
		what: "a run of two steps, beside `drawbridge version`", here: seconds(median(runs)), floor: seconds(median(versions)),
		ratio: fmt.Sprintf("%.1f", median(runs).Seconds()/median(versions).Seconds()),
	})
	return nil
}
