package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

//go:embed playbooks
var playbooks embed.FS

// scenario is a playbook and what the tenant does meanwhile.
type scenario struct {
	playbook string
	accounts int // it suspends
	faults   []sim.Fault
	strict   bool // nothing is lost on the way, so no account may even be asked to be suspended twice
}

// scenarios are what is run, in turn. Answers are slowed down so that kills
// hit every step and not only the start of the process.
func scenarios() []scenario {
	slow := func(op sim.Operation, d time.Duration) sim.Fault {
		return sim.Fault{Operation: op, Kind: sim.FaultSlow, Times: -1, Delay: d}
	}
	calm := []sim.Fault{
		slow(sim.OpSuspend, 25*time.Millisecond), slow(sim.OpGetUser, 5*time.Millisecond), slow(sim.OpSlack, 20*time.Millisecond),
	}
	rough := append([]sim.Fault{
		{Operation: sim.OpSuspend, Kind: sim.FaultUnavailable, Every: 4, Times: -1},
		{Operation: sim.OpSuspend, Kind: sim.FaultLostReply, Every: 5, Times: -1},
		{Operation: sim.OpSlack, Kind: sim.FaultServerError, Every: 3, Times: -1},
		{Operation: sim.OpListUsers, Kind: sim.FaultCutBody, Every: 6, Times: -1},
	}, calm...)
	return []scenario{
		{playbook: "flat", accounts: 8, faults: calm, strict: true},
		{playbook: "nested", accounts: 9, faults: calm, strict: true},
		{playbook: "retried", accounts: 6, faults: rough},
	}
}

// harness runs scenarios until it has killed often enough.
type harness struct {
	options

	dir    string
	random *rand.Rand
	tenant tenant
	sum    sums

	exclude string
	took    map[string]time.Duration // of each playbook's run, undisturbed
}

func (h *harness) run(ctx context.Context) (err error) {
	if err := h.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.tenant.Stop()) }()
	all := scenarios()
	for _, s := range all { // how long each takes decides when to kill it
		if err := h.round(ctx, s, 0); err != nil {
			return fmt.Errorf("%s, undisturbed: %w", s.playbook, err)
		}
	}
	for n := 0; h.sum.kills < h.kills; n++ {
		s := all[n%len(all)]
		if err := h.round(ctx, s, 1+h.random.IntN(4)); err != nil {
			return fmt.Errorf("%s: %w", s.playbook, err)
		}
	}
	return nil
}

func (h *harness) prepare(ctx context.Context) error {
	h.took = map[string]time.Duration{}
	var err error
	if h.binary, err = build(ctx, h.binary, h.dir); err != nil {
		return err
	}
	if h.tenant, err = startTenant(ctx, h.binary, h.seed); err != nil {
		return err
	}
	addresses, err := h.tenant.untouchable(ctx)
	if err != nil {
		return errors.Join(err, h.tenant.Stop())
	}
	for i, a := range addresses {
		if i > 0 {
			h.exclude += ","
		}
		h.exclude += a
	}
	return nil
}

// build is the binary given, as an absolute path, or else one that is built.
func build(ctx context.Context, given, dir string) (string, error) {
	if given != "" {
		whole, err := filepath.Abs(given)
		if err != nil {
			return "", fmt.Errorf("finding the binary: %w", err)
		}
		return whole, nil
	}
	binary := filepath.Join(dir, "drawbridge")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/drawbridge-soar/drawbridge/cmd/drawbridge")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return binary, nil
}

// project writes the playbooks and a configuration into a new folder.
func (h *harness) project(name string) (string, error) {
	dir := filepath.Join(h.dir, name)
	if err := os.CopyFS(dir, mustSub()); err != nil {
		return "", fmt.Errorf("writing the playbooks: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "drawbridge.yaml"), h.tenant.config(), 0o600); err != nil {
		return "", fmt.Errorf("writing the configuration: %w", err)
	}
	return dir, nil
}

func mustSub() fs.FS {
	sub, err := fs.Sub(playbooks, "playbooks")
	if err != nil { // the name is a constant
		return playbooks
	}
	return sub
}
