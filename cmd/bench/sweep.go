package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	tenant, err := startTenant(ctx, binary, s.users)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.stop()) }()
	project, err := tenant.project(dir, "sweep", sweepPlaybook)
	if err != nil {
		return err
	}
	var ours, bare []measured
	for range s.sweeps {
		m, err := process(ctx, project, tenant.environ(), binary, "run", "sweep.yaml")
		if err != nil {
			return fmt.Errorf("sweeping: %w", err)
		}
		ours = append(ours, m)
		if m, err = itself(ctx, project, tenant.environ(), childBare, tenant.URL, tenant.Account); err != nil {
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

// tenant is a simulated tenant in a process of its own.
type tenant struct {
	URL     string            `json:"url"`
	Account string            `json:"account"`
	Env     map[string]string `json:"env"`

	process *exec.Cmd
}

func startTenant(ctx context.Context, binary string, users int) (*tenant, error) {
	t := &tenant{process: exec.CommandContext(ctx, binary, "sim", "-o", "json", "--listen", "127.0.0.1:0", "--users", strconv.Itoa(users))}
	stdout, err := t.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the tenant: %w", err)
	}
	if err := t.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the tenant: %w", err)
	}
	if err := json.NewDecoder(stdout).Decode(t); err != nil {
		return nil, errors.Join(fmt.Errorf("reading where the tenant is: %w", err), t.stop())
	}
	return t, nil
}

func (t *tenant) stop() error {
	if err := t.process.Process.Kill(); err != nil {
		return fmt.Errorf("stopping the tenant: %w", err)
	}
	_ = t.process.Wait() // it was killed
	return nil
}

func (t *tenant) environ() []string {
	var out []string
	for name, value := range t.Env {
		out = append(out, name+"="+value)
	}
	return out
}

// project makes a folder with a configuration for the tenant and one playbook.
func (t *tenant) project(dir, name, playbook string) (string, error) {
	project := filepath.Join(dir, name)
	if err := os.MkdirAll(project, 0o700); err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	config := fmt.Sprintf(`connections:
  1password: { provider: onepassword, account: %s, base_url: %q, client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  slack:     { provider: slack, webhook_url: env://SLACK_WEBHOOK }
`, t.Account, t.URL)
	for file, text := range map[string]string{"drawbridge.yaml": config, name + ".yaml": playbook} {
		if err := os.WriteFile(filepath.Join(project, file), []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("writing %s: %w", file, err)
		}
	}
	return project, nil
}
