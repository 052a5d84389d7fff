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
	}, Engine: newEngine}
}

// embedded is the local engine as the suite uses it.
type embedded struct{ *local.Engine }

func (e embedded) Start(ctx context.Context, req enginetest.Request) (string, error) {
	return e.Engine.Start(ctx, local.StartRequest{Program: req.Program, Bundle: req.Bundle, Inputs: req.Inputs, Actor: engine.Actor{Name: "tester", Via: "cli"}})
}

func newEngine(t *testing.T, p enginetest.Process) enginetest.Engine {
	t.Helper()
	e, err := local.New(local.Config{
		Store: p.Store, Actions: p.Actions, Catalog: p.Catalog, Connections: p.Connections,
		Programs: p.Programs, Guard: p.Guard, Redact: p.Redact, Grace: p.Grace,
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
