package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// touch is an action that does nothing, so that what is left is the engine.
type touch struct{}

// Spec declares bench.touch.
func (touch) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name: "bench.touch", Effect: engine.Observe,
		Inputs:  []engine.Field{{Name: "id", Type: engine.TypeString(), Required: true}},
		Outputs: []engine.Field{{Name: "id", Type: engine.TypeString()}, {Name: "state", Type: engine.TypeString()}},
	}
}

// Observe returns what it was given.
func (touch) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	return engine.Observation{Outputs: map[string]any{"id": call.Inputs["id"], "state": "active"}}, ctx.Err()
}

// count is an action that returns a list of many people.
type count struct{}

// Spec declares bench.count.
func (count) Spec() engine.ActionSpec {
	user := engine.MapOf(engine.Field{Name: "id", Type: engine.TypeString()}, engine.Field{Name: "email", Type: engine.TypeString()})
	return engine.ActionSpec{
		Name: "bench.count", Effect: engine.Observe,
		Inputs:  []engine.Field{{Name: "n", Type: engine.TypeInteger(), Required: true}},
		Outputs: []engine.Field{{Name: "users", Type: engine.ListOf(user)}},
	}
}

// Observe makes the list.
func (count) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	n, _ := call.Inputs["n"].(int64)
	users := make([]any, n)
	for i := range users {
		users[i] = map[string]any{"id": fmt.Sprintf("USER%022d", i), "email": fmt.Sprintf("user-%d@example.com", i)}
	}
	return engine.Observation{Outputs: map[string]any{"users": users}}, ctx.Err()
}

// none is a configuration without connections.
type none struct{}

// Connection never finds one.
func (none) Connection(_ context.Context, name string) (*engine.Connection, error) {
	return nil, engine.Fail(engine.ClassInvalid, "connection", "there is no connection %q", name)
}

// bed is an engine over a new database, and one playbook.
type bed struct {
	store   *sqlite.Store
	engine  *local.Engine
	program *program.Program
	bundle  engine.Bundle
}

// newBed makes one, with changes to the engine's configuration.
func newBed(dir, source string, changes ...func(*local.Config)) (*bed, error) {
	actions, err := engine.NewActions(touch{}, count{})
	if err != nil {
		return nil, fmt.Errorf("listing the actions: %w", err)
	}
	env := playbooks.Environment{Actions: actions, Catalog: &engine.Catalog{}}
	compile := func(b playbooks.Bundle) (*program.Program, error) {
		prog, problems := playbooks.Compile(b, env)
		if prog == nil {
			return nil, errors.New(yamldoc.Render(problems))
		}
		return prog, nil
	}
	sources := playbooks.Bundle{Root: "bench", Sources: map[string]playbooks.Source{
		"bench": {Name: "bench", Path: "bench.yaml", Data: []byte(source)},
	}}
	b := &bed{}
	if b.program, err = compile(sources); err != nil {
		return nil, err
	}
	data, err := sources.Encode()
	if err != nil {
		return nil, fmt.Errorf("packing the playbook: %w", err)
	}
	b.bundle = engine.Bundle{Hash: b.program.Hash, Name: "bench", Data: data}
	if b.store, err = sqlite.Open(filepath.Join(dir, "bench.db"), sqlite.Options{Mode: sqlite.Engine, Command: "bench"}); err != nil {
		return nil, err
	}
	c := local.Config{
		Store: b.store, Actions: actions, Connections: none{},
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return b.program, nil },
	}
	for _, change := range changes {
		change(&c)
	}
	b.engine, err = local.New(c)
	return b, err
}

// run carries one run out.
func (b *bed) run(ctx context.Context, inputs map[string]any) error {
	id, err := b.engine.Start(ctx, local.StartRequest{Program: b.program, Bundle: b.bundle, Inputs: inputs, Actor: engine.Actor{Name: "bench"}})
	if err != nil {
		return err
	}
	record, err := b.engine.Drive(ctx, id)
	if err == nil && record.Status != engine.RunSucceeded {
		err = fmt.Errorf("the run is %s: %w", record.Status, record.Error)
	}
	return err
}
