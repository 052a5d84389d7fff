package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/drawbridge-soar/drawbridge/cmd/simprocess"
)

const (
	sweepBound  = 1.3      // times as long as the bare client
	memoryBound = 96 << 20 // bytes, at its peak
)

// sweepPlaybook reads every account and keeps very few.
const sweepPlaybook = `steps:
  - id: found
    uses: user.list
    with: { where: 'email startsWith "mara.l" and state == "active"' }
`

// measureSweep lets the binary and a bare client read the same directory, in
// turn, so that what else the machine does meets both.
func measureSweep(ctx context.Context, t *table, s sizes, dir, binary string) (err error) {
	tenant, err := simprocess.Start(ctx, binary, s.users, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.Stop()) }()
	folder, err := project(tenant, dir, "sweep", sweepPlaybook)
	if err != nil {
		return err
	}
	var ours, bare []measured
	for range s.times {
		m, err := process(ctx, folder, tenant.Environ(), binary, "run", "sweep.yaml")
		if err != nil {
			return fmt.Errorf("sweeping: %w", err)
		}
		ours = append(ours, m)
		if m, err = itself(ctx, folder, tenant.Environ(), childBare, tenant.URL, tenant.Account); err != nil {
			return fmt.Errorf("sweeping with the bare client: %w", err)
		}
		bare = append(bare, m)
	}
	ratio := fastest(ours).time.Seconds() / fastest(bare).time.Seconds()
	t.add(row{
		what: fmt.Sprintf("sweep of %d users, with where:", s.users), here: seconds(fastest(ours).time), floor: seconds(fastest(bare).time),
		ratio: fmt.Sprintf("%.2f", ratio), bound: fmt.Sprintf("≤ %.1f", sweepBound), missed: ratio > sweepBound,
	})
	t.add(row{
		what: "  its memory, at the peak", here: mebibytes(peak(ours)), floor: mebibytes(peak(bare)),
		bound: "≤ " + mebibytes(memoryBound), missed: peak(ours) > memoryBound,
	})
	return nil
}

// project makes a folder with a configuration for the tenant and one playbook.
func project(t *simprocess.Tenant, dir, name, playbook string) (string, error) {
	folder := filepath.Join(dir, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	config := fmt.Sprintf(`connections:
  1password: { provider: onepassword, account: %s, base_url: %q, client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  slack:     { provider: slack, webhook_url: env://SLACK_WEBHOOK }
guard: { max_changes: 1000000, max_percent: 100 }
`, t.Account, t.URL)
	for file, text := range map[string]string{"drawbridge.yaml": config, name + ".yaml": playbook} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("writing %s: %w", file, err)
		}
	}
	return folder, nil
}
