// Package simprocess runs a simulated tenant in a process of its own, for
// programs that measure or kill the command line and must not share its fate.
package simprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
)

// Tenant is a simulated tenant that runs until Stop.
type Tenant struct {
	URL     string            `json:"url"`
	Account string            `json:"account"`
	Env     map[string]string `json:"env"` // the variables that hold its credentials

	process *exec.Cmd
}

// Start runs `binary sim` on a free port of this machine and waits until it
// says where it listens. No users means the usual number; the same seed gives
// the same people. More are flags of `sim`.
func Start(ctx context.Context, binary string, users int, seed uint64, more ...string) (*Tenant, error) {
	args := []string{"sim", "-o", "json", "--listen", "127.0.0.1:0", "--users", strconv.Itoa(users), "--seed", strconv.FormatUint(seed, 10)}
	t := &Tenant{process: exec.CommandContext(ctx, binary, append(args, more...)...)}
	stdout, err := t.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the tenant: %w", err)
	}
	if err := t.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the tenant: %w", err)
	}
	if err := json.NewDecoder(stdout).Decode(t); err != nil {
		return nil, errors.Join(fmt.Errorf("reading where the tenant is: %w", err), t.Stop())
	}
	return t, nil
}

// Stop ends the process.
func (t *Tenant) Stop() error {
	if err := t.process.Process.Kill(); err != nil {
		return fmt.Errorf("stopping the tenant: %w", err)
	}
	_ = t.process.Wait() // it was killed
	return nil
}

// Environ is the credentials as NAME=value, as configurations refer to them.
func (t *Tenant) Environ() []string {
	var out []string
	for name, value := range t.Env {
		out = append(out, name+"="+value)
	}
	return out
}
