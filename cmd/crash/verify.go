package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// shownRun is what `runs show -o json` says.
type shownRun struct {
	Status  string        `json:"status"`
	Changes []shownChange `json:"changes"`
}

type shownChange struct {
	Target  engine.Target  `json:"target"`
	Outcome engine.Outcome `json:"outcome"`
}

// verify compares what the run says with what the tenant saw since.
func (h *harness) verify(ctx context.Context, s scenario, dir, marker string, since int) error {
	run, err := h.show(ctx, dir)
	if err != nil {
		return err
	}
	if run.Status != "succeeded" {
		return fmt.Errorf("the run is %s", run.Status)
	}
	changes, err := h.tenant.changes(ctx)
	if err != nil {
		return err
	}
	if err := compare(s, run, changes[since:]); err != nil {
		return err
	}
	return h.verifyMessages(ctx, marker)
}

// compare finds accounts that were changed twice, not at all, or without the
// run saying so.
func compare(s scenario, run shownRun, seen []sim.Change) error {
	times, asked := map[string]int{}, map[string]int{}
	for _, c := range seen {
		asked[c.User]++
		if c.Changed {
			times[c.User]++
		}
	}
	for user, n := range times {
		if n > 1 || s.strict && asked[user] > 1 {
			return fmt.Errorf("%s was changed %d times and asked to be %d times", user, n, asked[user])
		}
	}
	if len(times) != s.accounts {
		return fmt.Errorf("%d accounts were changed, not %d", len(times), s.accounts)
	}
	if len(run.Changes) != s.accounts {
		return fmt.Errorf("the ledger has %d changes, not %d", len(run.Changes), s.accounts)
	}
	for _, c := range run.Changes {
		if c.Outcome != engine.OutcomeDone || times[c.Target.ID] != 1 {
			return fmt.Errorf("the ledger says %s of %s, which was changed %d times", c.Outcome, c.Target.ID, times[c.Target.ID])
		}
	}
	return nil
}

func (h *harness) verifyMessages(ctx context.Context, marker string) error {
	all, err := h.tenant.messages(ctx)
	if err != nil {
		return err
	}
	found := 0
	for _, m := range all {
		if m.Text == marker || strings.HasPrefix(m.Text, marker+":") {
			found++
		}
	}
	h.sum.messages += found
	if found == 0 {
		return errors.New("no message was sent")
	}
	return nil
}

func (h *harness) show(ctx context.Context, dir string) (shownRun, error) {
	var run shownRun
	out, err := h.command(ctx, dir, "runs", "show", "last", "-o", "json").Output()
	if err != nil {
		return run, fmt.Errorf("showing the run: %w", err)
	}
	if err := json.Unmarshal(out, &run); err != nil {
		return run, fmt.Errorf("showing the run: %w", err)
	}
	return run, nil
}
