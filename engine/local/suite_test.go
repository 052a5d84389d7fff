package local_test

import (
	"context"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/enginetest"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/store/memory"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

func TestSuiteInMemory(t *testing.T) {
	enginetest.Run(t, suite(func(*testing.T) engine.Store { return memory.New() }))
}

func TestSuiteOnSQLite(t *testing.T) {
	r := suite(func(t *testing.T) engine.Store {
		t.Helper()
		s, err := sqlite.Open(t.TempDir()+"/test.db", sqlite.Options{Mode: sqlite.Engine, Command: "test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
	r.Brief = true
	enginetest.Run(t, r)
}

func suite(store func(*testing.T) engine.Store) enginetest.Runtime {
	return enginetest.Runtime{Store: store, Compile: func(t *testing.T, files map[string]string, actions *engine.Actions, catalog engine.Catalog) (*program.Program, engine.Bundle) {
		t.Helper()
		return compile(t, files, actions, catalog)
	}, Engine: newEngine, Refusals: enginetest.Refusals{
		Plan: local.ErrPlan, Decision: local.ErrDecision, Renewed: local.ErrRenewed, Undo: local.ErrUndo, Retry: local.ErrRetry,
		Grant: local.ErrGrant, Signal: local.ErrSignal,
	}}
}

// embedded is the local engine as the suite uses it.
type embedded struct{ *local.Engine }

func startRequest(req enginetest.Request) local.StartRequest {
	return local.StartRequest{Program: req.Program, Bundle: req.Bundle, Inputs: req.Inputs, Actor: req.Actor, Series: req.Series}
}

func (e embedded) Start(ctx context.Context, req enginetest.Request) (string, error) {
	return e.Engine.Start(ctx, startRequest(req))
}

func (e embedded) Plan(ctx context.Context, req enginetest.Request) (engine.PlanRecord, error) {
	return e.Engine.Plan(ctx, startRequest(req))
}

func (e embedded) Apply(ctx context.Context, plan, current string, by engine.Actor) (string, error) {
	return e.Engine.Apply(ctx, local.ApplyRequest{Plan: plan, Current: current, Actor: by})
}

func (e embedded) PlanUndo(ctx context.Context, run string, items []string, lift string, by engine.Actor) (engine.PlanRecord, error) {
	return e.Engine.PlanUndo(ctx, local.UndoRequest{Run: run, Items: items, Lift: lift, Actor: by})
}

func (e embedded) Sweep(ctx context.Context) error {
	_, err := e.Engine.Sweep(ctx)
	return err
}

func (e embedded) Serve(ctx context.Context) error { return e.Engine.Serve(ctx, local.Serving{}) }

func (e embedded) Decide(ctx context.Context, d enginetest.Decision) (engine.Approval, error) {
	return e.Engine.Decide(ctx, local.Decision{
		Approval: d.Approval, Actor: d.Actor, Approve: d.Approve, Digest: d.Digest, Except: d.Except, Reason: d.Reason,
	})
}

func newEngine(t *testing.T, p enginetest.Process) enginetest.Engine {
	t.Helper()
	e, err := local.New(local.Config{
		Store: p.Store, Actions: p.Actions, Catalog: p.Catalog, Connections: p.Connections,
		Programs: p.Programs, Guard: p.Guard, Redact: p.Redact, Grace: p.Grace, Patience: p.Patience,
		People: p.People, Compose: p.Compose, Tell: p.Tell, Standing: p.Standing,
	})
	if err != nil {
		t.Fatal(err)
	}
	return embedded{e}
}

func compile(t testing.TB, files map[string]string, actions *engine.Actions, catalog engine.Catalog) (*program.Program, engine.Bundle) {
	t.Helper()
	b := playbooks.Bundle{Root: "main", Sources: map[string]playbooks.Source{}}
	for name, text := range files {
		b.Sources[name] = playbooks.Source{Name: name, Path: name + ".yaml", Data: []byte(text)}
	}
	p, problems := playbooks.Compile(b, playbooks.Environment{Actions: actions, Catalog: &catalog})
	for _, problem := range problems {
		t.Errorf("compiling: %v", problem)
	}
	if p == nil {
		t.FailNow()
	}
	return p, engine.Bundle{Hash: p.Hash, Name: p.Name}
}
