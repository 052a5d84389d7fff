// Package enginetest describes what "carries out a playbook" means, as a suite
// that every runtime imports and passes. A runtime brings itself, a store and
// the compiler; the suite brings a small world with accounts to lock, scripted
// faults, processes that die at every moment, and a clock that costs no time.
package enginetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Engine is a runtime as the suite uses it.
type Engine interface {
	// Start records a run, or refuses it with an error before anything is recorded.
	Start(ctx context.Context, req Request) (run string, err error)
	// Drive carries a run out until it is final, unsettled, or ctx is cancelled.
	Drive(ctx context.Context, run string) (engine.RunRecord, error)
	// Cancel asks a run to end, whether or not it is being carried out.
	Cancel(ctx context.Context, run, reason string) (engine.RunRecord, error)
	// Resume makes somebody one of those who had a hand in a run, and carries it out.
	Resume(ctx context.Context, run string, by engine.Actor) (engine.RunRecord, error)
	// Plan stores what a playbook would do.
	Plan(ctx context.Context, req Request) (engine.PlanRecord, error)
	// Apply records a run that does what a plan says. Current is the hash of the
	// playbook as it is now; "" where nobody knows.
	Apply(ctx context.Context, plan, current string, by engine.Actor) (run string, err error)
	// PlanUndo plans to take back what a run has changed; of some items where
	// they are named. Lift is why the limits shall not hold; "" keeps them.
	PlanUndo(ctx context.Context, run string, items []string, lift string, by engine.Actor) (engine.PlanRecord, error)
	// Retry records a run that repeats what failed in another.
	Retry(ctx context.Context, run string, by engine.Actor) (string, error)
	// Decide records what one person says to an approval.
	Decide(ctx context.Context, d Decision) (engine.Approval, error)
	// Sweep ends the grants that are due.
	Sweep(ctx context.Context) error
	// EndGrant ends a grant before its time.
	EndGrant(ctx context.Context, id string, by engine.Actor, reason string) (engine.Grant, error)
	// ExtendGrant lets a grant last until another time.
	ExtendGrant(ctx context.Context, id string, until time.Time, by engine.Actor, reason string) (engine.Grant, error)
	// Signal sends something a run may wait for.
	Signal(ctx context.Context, s engine.Signal) error
	// Serve does the engine's own work until ctx ends.
	Serve(ctx context.Context) error
}

// Decision is what one person says to an approval.
type Decision struct {
	Approval string
	Actor    engine.Actor
	Approve  bool
	Digest   string   // of what was looked at; "" for whatever is asked now
	Except   []string // left out of what is approved
	Reason   string
}

// Refusals are the errors a runtime wraps when it refuses.
type Refusals struct{ Plan, Decision, Renewed, Undo, Retry, Grant, Signal error }

// Request is what is started or planned.
type Request struct {
	Program *program.Program
	Bundle  engine.Bundle
	Inputs  map[string]any
	Actor   engine.Actor
	Series  string // the trigger that starts it; "" for none
}

// Process is what one process has: everything an engine is made of.
type Process struct {
	Store       engine.Store
	Actions     *engine.Actions
	Catalog     engine.Catalog
	Connections Connections
	Guard       guard.Configuration
	People      guard.People
	Redact      *secret.Redactor
	Programs    func(ctx context.Context, b engine.Bundle) (*program.Program, error)
	Compose     func(ctx context.Context, name string, source []byte) (*program.Program, engine.Bundle, error)
	Tell        func(ctx context.Context, a engine.Approval, set engine.ChangeSet, run engine.RunRecord) error
	Standing    func(ctx context.Context, p engine.Person) error
	Grace       time.Duration // how long an interrupted run waits for what is under way
	Patience    time.Duration // a wait that is longer parks its run; 0: none does
}

// Connections opens connections by name.
type Connections interface {
	Connection(ctx context.Context, name string) (*engine.Connection, error)
}

// Runtime is what is tested.
type Runtime struct {
	// Engine makes an engine. It is called within the bubble of a
	// testing/synctest test: time passes when everything waits.
	Engine func(t *testing.T, p Process) Engine
	// Store makes an empty store, and closes it with the test.
	Store    func(t *testing.T) engine.Store
	Refusals Refusals
	// Brief leaves out what was tested thoroughly on another store: every
	// playbook dying at every moment.
	Brief bool
	// Compile compiles playbooks by name; "main" is the one to run.
	Compile func(t *testing.T, files map[string]string, actions *engine.Actions, catalog engine.Catalog) (*program.Program, engine.Bundle)
}

// Run runs the suite.
func Run(t *testing.T, r Runtime) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(*testing.T, Runtime)
	}{
		{"Forms", testForms},
		{"Calls", testCalls},
		{"Time", testTime},
		{"Guard", testGuard},
		{"Refusals", testRefusals},
		{"Crashes", testCrashes},
		{"Settling", testSettling},
		{"Blind", testBlind},
		{"Stopping", testStopping},
		{"Secrets", testSecrets},
		{"Together", testTogether},
		{"Plans", testPlans},
		{"Approvals", testApprovals},
		{"Gates", testGates},
		{"Absorbing", testAbsorbing},
		{"WaysAround", testWaysAround},
		{"Undo", testUndo},
		{"Retry", testRetry},
		{"Freeze", testFreeze},
		{"Budget", testBudget},
		{"SameTarget", testSameTarget},
		{"Percent", testPercent},
		{"Accidents", testAccidents},
		{"Grants", testGrants},
		{"GrantDeaths", testGrantDeaths},
		{"GrantsAsking", testGrantsAsking},
		{"GrantsTogether", testGrantsTogether},
		{"GrantLimits", testGrantLimits},
		{"GrantUndo", testGrantUndo},
		{"GrantsOfNobody", testGrantsOfNobody},
		{"Holds", testHolds},
		{"Waits", testWaits},
		{"Signals", testSignals},
		{"Serving", testServing},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, r) })
	}
}

// scene is one test: a world, a store, and one process after the other.
type scene struct {
	*testing.T

	runtime Runtime
	world   *World
	store   engine.Store
	guard   guard.Configuration
	redact  secret.Redactor
	people  guard.People
	actions *engine.Actions
	catalog engine.Catalog
	heard   []engine.Approval // what those who may decide were told
	deaf    error             // why they could not be told

	patience time.Duration // of its processes

	standing func(ctx context.Context, p engine.Person) error
}

// play runs a test within a bubble of its own.
func play(t *testing.T, r Runtime, name string, test func(s *scene)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(newScene(t, r)) })
	})
}

func newScene(t *testing.T, r Runtime) *scene {
	t.Helper()
	s := &scene{T: t, runtime: r, world: NewWorld("a", "b", "c", "d"), store: r.Store(t), people: people()}
	actions, err := engine.NewActions(Actions()...)
	if err != nil {
		t.Fatal(err)
	}
	s.actions = actions
	s.catalog = engine.Catalog{Connections: []engine.ConnectionInfo{{
		Name: connectionName, Provider: "enginetest", Capabilities: []engine.Capability{capability},
	}}}
	return s
}

// process makes an engine on the scene's store. With a life, it can be killed.
func (s *scene) process(life *Life) Engine {
	s.Helper()
	return s.runtime.Engine(s.T, Process{
		Store:       life.Store(s.store),
		Actions:     s.actions,
		Catalog:     s.catalog,
		Connections: connections{s.world, life},
		Guard:       s.guard,
		People:      s.people,
		Redact:      &s.redact,
		Compose:     s.compose,
		Tell:        s.tell,
		Standing:    s.standing,
		Grace:       10 * time.Second,
		Patience:    s.patience,
		Programs: func(_ context.Context, b engine.Bundle) (*program.Program, error) {
			p, _ := s.runtime.Compile(s.T, filesOf(b), s.actions, s.catalog)
			return p, nil
		},
	})
}

// request compiles a playbook, or a txtar archive of several.
func (s *scene) request(playbook string, inputs map[string]any) Request {
	s.Helper()
	p, b := s.runtime.Compile(s.T, split(playbook), s.actions, s.catalog)
	b.Data = []byte(playbook) // the suite's own encoding: filesOf reads it back
	return Request{Program: p, Bundle: b, Inputs: inputs, Actor: tester()}
}

// start starts a run that must start.
func (s *scene) start(e Engine, playbook string, inputs map[string]any) string {
	s.Helper()
	run, err := e.Start(s.Context(), s.request(playbook, inputs))
	if err != nil {
		s.Fatalf("starting: %v", err)
	}
	return run
}

// drive carries a run out.
func (s *scene) drive(e Engine, run string) engine.RunRecord {
	s.Helper()
	record, err := e.Drive(s.Context(), run)
	if err != nil {
		s.Fatalf("carrying out: %v", err)
	}
	return record
}

// run starts a playbook in an immortal process and carries it out.
func (s *scene) run(playbook string, inputs map[string]any) engine.RunRecord {
	s.Helper()
	e := s.process(&Life{})
	return s.drive(e, s.start(e, playbook, inputs))
}

// want checks how a run ended.
func (s *scene) want(r engine.RunRecord, status engine.RunStatus) {
	s.Helper()
	if r.Status != status {
		s.Errorf("the run is %s, not %s: %v", r.Status, status, r.Error)
	}
	stored, err := s.store.Run(s.Context(), r.ID)
	if err != nil || stored.Status != r.Status {
		s.Errorf("the store knows it as %s: %v", stored.Status, err)
	}
	if status.Final() != (stored.FinishedAt != nil) {
		s.Errorf("it is %s and finished at %v", status, stored.FinishedAt)
	}
}

// wantOutputs checks a run's outputs.
func (s *scene) wantOutputs(r engine.RunRecord, want string) {
	s.Helper()
	if string(r.Outputs) != want {
		s.Errorf("the outputs are %s, not %s", r.Outputs, want)
	}
}

// wantWorld checks what was done in the world, in order.
func (s *scene) wantWorld(want ...string) {
	s.Helper()
	if got := s.world.Done(); !equal(got, want) {
		s.Errorf("in the world was done %q, not %q", got, want)
	}
}

// wantFailure checks why a run did not succeed.
func (s *scene) wantFailure(r engine.RunRecord, class engine.Class, code, step string) {
	s.Helper()
	if r.Error == nil || r.Error.Class != class || r.Error.Code != code || r.Error.Step != step {
		s.Errorf("the failure is %+v, not %s %s at %s", r.Error, class, code, step)
	}
}

// steps are the records of a run by path and attempt.
func (s *scene) steps(run string) []engine.StepRecord {
	s.Helper()
	steps, err := s.store.Steps(s.Context(), engine.StepQuery{Run: run})
	if err != nil {
		s.Fatal(err)
	}
	return steps
}

// step is the last attempt of a step.
func (s *scene) step(run, path string) engine.StepRecord {
	s.Helper()
	var last engine.StepRecord
	for _, r := range s.steps(run) {
		if r.Path == path && r.Attempt >= last.Attempt {
			last = r
		}
	}
	if last.Path == "" {
		s.Errorf("there is no record of %s", path)
	}
	return last
}

// items are the outcomes of a loop, as "key outcome".
func (s *scene) items(run, path string) []string {
	s.Helper()
	items, err := s.store.Items(s.Context(), engine.ItemQuery{Run: run, Path: path})
	if err != nil {
		s.Fatal(err)
	}
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = item.Key + " " + string(item.Outcome)
	}
	return out
}
