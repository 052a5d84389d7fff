package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/drawbridge-soar/drawbridge/cmd/simprocess"
)

const (
	aheadBound       = 1.5      // times as long as without looking ahead
	aheadRequests    = 1        // more for each change
	aheadMemoryBound = 16 << 20 // bytes above a tenth of the changes
)

// lookPlaybook is the observation alone, which nothing is looked ahead for.
const lookPlaybook = `steps:
  - id: found
    uses: user.list
    with: { where: 'email endsWith "@branch.example.com"' }
`

const aheadPlaybook = lookPlaybook + `  - id: contain
    foreach: steps.found.users
    as: user
    key: user.id
    label: user.email
    concurrency: 16
    uses: user.suspend
    with: { id: "${{ user.id }}" }
`

// deeds is what the same changes took.
type deeds struct {
	whole    measured // `run`: it looks ahead, and then makes them
	bare     measured // the observation, and the changes of a saved plan: nobody looks ahead
	requests [2]int   // of the whole, and of the bare
}

// measureAhead compares a run that looks ahead with the same observation and
// the same changes by themselves.
func measureAhead(ctx context.Context, t *table, s sizes, dir, binary string) error {
	var all, few []deeds
	for range s.times {
		for _, n := range []int{s.changes, s.changes / 10} {
			d, err := makeChanges(ctx, dir, binary, n)
			if err != nil {
				return fmt.Errorf("making %d changes: %w", n, err)
			}
			if n == s.changes {
				all = append(all, d)
			} else {
				few = append(few, d)
			}
		}
	}
	whole, bare := fastest(those(all, func(d deeds) measured { return d.whole })), fastest(those(all, func(d deeds) measured { return d.bare }))
	ratio := whole.time.Seconds() / bare.time.Seconds()
	t.add(row{
		what: fmt.Sprintf("a run of %d changes, looking ahead", s.changes), here: seconds(whole.time), floor: seconds(bare.time),
		ratio: fmt.Sprintf("%.2f", ratio), bound: fmt.Sprintf("≤ %.1f", aheadBound), missed: ratio > aheadBound,
	})
	n := float64(s.changes)
	with, without := float64(all[0].requests[0])/n, float64(all[0].requests[1])/n
	t.add(row{
		what: "  its requests per change", here: fmt.Sprintf("%.2f", with), floor: fmt.Sprintf("%.2f", without),
		ratio: fmt.Sprintf("%+.2f", with-without), bound: fmt.Sprintf("≤ +%d", aheadRequests), missed: with-without > aheadRequests,
	})
	most, least := peak(those(all, func(d deeds) measured { return d.whole })), peak(those(few, func(d deeds) measured { return d.whole }))
	t.add(row{
		what: "  its memory, beside a tenth of them", here: mebibytes(most), floor: mebibytes(least),
		ratio: "+" + mebibytes(most-least), bound: "≤ +" + mebibytes(aheadMemoryBound), missed: most-least > aheadMemoryBound,
	})
	return nil
}

func those(all []deeds, which func(deeds) measured) []measured {
	out := make([]measured, len(all))
	for i, d := range all {
		out[i] = which(d)
	}
	return out
}

// makeChanges makes n changes in a new tenant, and in another one that is the
// same.
func makeChanges(ctx context.Context, dir, binary string, n int) (deeds, error) {
	var d deeds
	err := inTenant(ctx, dir, binary, n, func(w workplace) error {
		var err error
		d.whole, d.requests[0], err = w.do(ctx, "run", "ahead.yaml")
		return err
	})
	if err != nil {
		return d, err
	}
	err = inTenant(ctx, dir, binary, n, func(w workplace) error {
		if _, _, err := w.do(ctx, "plan", "ahead.yaml"); err != nil {
			return err
		}
		look, asked, err := w.do(ctx, "run", "look.yaml")
		if err != nil {
			return err
		}
		changes, changed, err := w.do(ctx, "apply", "last")
		d.bare, d.requests[1] = measured{time: look.time + changes.time, memory: max(look.memory, changes.memory)}, asked+changed
		return err
	})
	return d, err
}

// workplace is a project for a tenant.
type workplace struct {
	binary string
	folder string
	tenant *simprocess.Tenant
}

// inTenant does something in a new tenant, where so many accounts have an
// address of the branch.
func inTenant(ctx context.Context, dir, binary string, n int, do func(workplace) error) (err error) {
	here, err := os.MkdirTemp(dir, "ahead-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	tenant, err := simprocess.Start(ctx, binary, 0, 0, "--hijacked", strconv.Itoa(n+castHijacked))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.Stop()) }()
	folder, err := project(tenant, here, "ahead", aheadPlaybook)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "look.yaml"), []byte(lookPlaybook), 0o600); err != nil {
		return fmt.Errorf("writing the playbook: %w", err)
	}
	return do(workplace{binary: binary, folder: folder, tenant: tenant})
}

// castHijacked is how many of the tenant's hijacked accounts have another address.
const castHijacked = 3

// do runs a command and counts the requests that reached the tenant meanwhile.
func (w workplace) do(ctx context.Context, args ...string) (measured, int, error) {
	before, err := requests(ctx, w.tenant.URL)
	if err != nil {
		return measured{}, 0, err
	}
	m, err := process(ctx, w.folder, w.tenant.Environ(), w.binary, args...)
	if err != nil {
		return m, 0, err
	}
	after, err := requests(ctx, w.tenant.URL)
	return m, after - before, err
}

// requests is how often the tenant was asked for anything.
func requests(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_sim/state", http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("counting requests: %w", err)
	}
	var state struct {
		Counts map[string]int `json:"counts"`
	}
	if err := bareCall(req, &state); err != nil {
		return 0, fmt.Errorf("counting requests: %w", err)
	}
	sum := 0
	for _, n := range state.Counts {
		sum += n
	}
	return sum, nil
}
