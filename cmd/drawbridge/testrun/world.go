package testrun

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

// world is everything one test runs in. Nothing of it is shared.
type world struct {
	file    *File
	test    *playbooktest.Case
	clock   *sim.Clock
	tenant  *sim.Tenant
	printed *transcript
	store   engine.Store
	engine  *local.Engine
	said    map[int]bool      // decisions that were made, by their place in the test
	sent    map[int]bool      // signals that were sent, by their place in the test
	awaited map[int]time.Time // since when the run waits for a signal, by its place
	notes   []string          // what may explain a failure
}

func (r *Runner) newWorld(f *File, c *playbooktest.Case) (*world, error) {
	clock := sim.NewClock(c.Time)
	tenant := sim.New(sim.Options{
		Now: c.Time, Clock: clock.Now, Sleep: clock.Sleep, Scene: sceneOf(c), Faults: faultsOf(c),
	})
	w := &world{
		file: f, test: c, clock: clock, tenant: tenant,
		printed: &transcript{}, store: memory.New(), said: map[int]bool{}, sent: map[int]bool{}, awaited: map[int]time.Time{},
	}
	actions, err := recordedActions(f.actions, c.Observations)
	if err != nil {
		return nil, err
	}
	redactor := &secret.Redactor{}
	connections, err := w.connections(redactor)
	if err != nil {
		return nil, err
	}
	w.engine, err = local.New(local.Config{
		Store: w.store, Actions: actions, Catalog: f.conf.Catalog(), Connections: connections, Guard: guardOf(f, c),
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return f.Program, nil },
		People:   f.conf.People, Standing: w.standing,
		Redact: redactor, Clock: clock,
		Workers: 1, // so that a test does the same every time
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the engine: %w", err)
	}
	return w, nil
}

// connections lead to the tenant, whatever the configuration says.
func (w *world) connections(redactor *secret.Redactor) (*config.Connections, error) {
	credentials := w.tenant.Credentials()
	keeper, err := secret.NewKeeper(secret.KeeperConfig{Redactor: redactor, Lookup: secrets(credentials)})
	if err != nil {
		return nil, fmt.Errorf("preparing secrets: %w", err)
	}
	return simulated(w.file.conf, credentials, sim.NewSafe(w.clock.Now)).Open(engine.Opening{
		Secrets: keeper, Terminal: w.printed, Version: "test", Log: slog.New(slog.DiscardHandler),
		Now: w.clock.Now, Sleep: w.clock.Sleep, Transport: newAnswers(w.tenant.Network(), w.test.Replies), Dialer: w.tenant.Dialer(),
	}), nil
}

// standing refuses people whose accounts are suspended in the tenant.
func (w *world) standing(_ context.Context, p engine.Person) error {
	for a := range w.tenant.Accounts() {
		if a.Suspended && p.Email != "" && strings.EqualFold(a.Email, p.Email) {
			return fmt.Errorf("%s may not decide: the account %s is suspended", p.Name, a.Email)
		}
	}
	return nil
}

// guardOf is the configuration's guard, or what the test says in its place.
func guardOf(f *File, c *playbooktest.Case) guard.Configuration {
	out := f.conf.Guard
	if c.Guard != nil {
		out.Playbooks, out.Limits = nil, guard.Limits{
			MaxChanges: c.Guard.MaxChanges, MaxPercent: c.Guard.MaxPercent, Protect: c.Guard.Protect, OnBlock: c.Guard.OnBlock,
		}
	}
	return out
}

// transcript keeps what is printed to a terminal, message by message.
type transcript struct {
	mu       sync.Mutex
	messages []string
}

// Write takes one message, whose lines each begin with the connection's name.
func (t *transcript) Write(p []byte) (int, error) {
	var lines []string
	for line := range strings.Lines(string(p)) {
		_, text, _ := strings.Cut(line, "] ")
		lines = append(lines, text)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.messages = append(t.messages, strings.TrimSuffix(strings.Join(lines, ""), "\n"))
	return len(p), nil
}

// recorded is an action that reads, some of whose answers were recorded.
type recorded struct {
	engine.Observer

	answers []playbooktest.Observation
}

// Observe answers with what was recorded, or asks.
func (r recorded) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	for _, a := range r.answers {
		if playbooktest.Matches(a.Step, call.Path) {
			return engine.Observation{Outputs: a.Outputs}, nil
		}
	}
	return r.Observer.Observe(ctx, call) //nolint:wrapcheck // it is the action itself
}

func recordedActions(all *engine.Actions, answers []playbooktest.Observation) (*engine.Actions, error) {
	if len(answers) == 0 {
		return all, nil
	}
	var list []engine.Action
	for _, name := range all.Names() {
		action, _ := all.Named(name)
		if observer, ok := action.(engine.Observer); ok {
			action = recorded{Observer: observer, answers: answers}
		}
		list = append(list, action)
	}
	actions, err := engine.NewActions(list...)
	if err != nil {
		return nil, fmt.Errorf("preparing recorded answers: %w", err)
	}
	return actions, nil
}
