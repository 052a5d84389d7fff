package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

// act is an observation that does what a test wants.
type act func(ctx context.Context) error

func (act) Spec() engine.ActionSpec {
	return engine.ActionSpec{Name: "test.act", Summary: "Acts.", Effect: engine.Observe}
}

func (a act) Observe(ctx context.Context, _ engine.Call) (engine.Observation, error) {
	return engine.Observation{}, a(ctx)
}

// fixture is an engine over a store in memory, with one action.
type fixture struct {
	*local.Engine

	store   engine.Store
	actions *engine.Actions
	config  local.Config
}

func newFixture(t *testing.T, action act, adjust ...func(*local.Config)) fixture {
	t.Helper()
	actions, err := engine.NewActions(action, nothing{})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{store: memory.New(), actions: actions}
	f.config = local.Config{
		Store: f.store, Actions: actions, Connections: noConnections{},
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return f.request(t, act1).Program, nil },
	}
	for _, a := range adjust {
		a(&f.config)
	}
	if f.Engine, err = local.New(f.config); err != nil {
		t.Fatal(err)
	}
	return f
}

const act1 = "name: main\nsteps:\n  - id: one\n    uses: test.act\n"

func (f fixture) request(t *testing.T, text string) local.StartRequest {
	t.Helper()
	p, b := compile(t, map[string]string{"main": text}, f.actions, engine.Catalog{})
	return local.StartRequest{Program: p, Bundle: b, Actor: engine.Actor{Name: "sam", Via: "cli"}}
}

func (f fixture) start(t *testing.T, text string) string {
	t.Helper()
	run, err := f.Start(t.Context(), f.request(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func fine(context.Context) error { return nil }

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := local.New(local.Config{}); err == nil {
		t.Error("an engine was made of nothing")
	}
}

func TestTheRecordOfARun(t *testing.T) {
	f := newFixture(t, fine)
	req := f.request(t, act1)
	req.Trigger = json.RawMessage(`{"by":"hand"}`)
	run, err := f.Start(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(run, "run_") || run != strings.ToLower(run) || len(run) != 30 {
		t.Errorf("the id is %s", run)
	}
	record, err := f.Drive(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if record.Actor.Name != "sam" || record.Playbook != "main" || record.Hash != req.Program.Hash || string(record.Inputs) != "{}" ||
		string(record.Trigger) != `{"by":"hand"}` || record.Attempt != 1 || record.Semantics != machine.Semantics || record.FinishedAt == nil {
		t.Errorf("the record is %+v", record)
	}
}

func TestWhoResumesHasAHandInIt(t *testing.T) {
	people := guard.People{{Name: "Robin", OSUser: "rob"}}
	f := newFixture(t, fine, func(c *local.Config) { c.People = people })
	run := f.start(t, "name: main\nsteps:\n  - id: ask\n    approve: { title: ok, by: [Robin] }\n")
	if record, err := f.Drive(t.Context(), run); err != nil || record.Status != engine.RunWaiting {
		t.Fatalf("the run is %s, %v", record.Status, err)
	}
	for range 2 {
		if _, err := f.Resume(t.Context(), run, engine.Actor{Name: "ROB", Via: "cli"}); err != nil {
			t.Fatal(err)
		}
	}
	record, err := f.store.Run(t.Context(), run)
	if want := []string{"Robin", "rob", "sam"}; err != nil || !slices.Equal(record.Starters, want) {
		t.Errorf("the starters are %q, %v, want %q", record.Starters, err, want)
	}
	asked, err := f.store.Approvals(t.Context(), engine.ApprovalQuery{Run: run})
	if err != nil || len(asked) != 1 {
		t.Fatalf("%d approvals, %v", len(asked), err)
	}
	if _, err := f.Decide(t.Context(), local.Decision{Approval: asked[0].ID, Actor: engine.Actor{Name: "rob"}, Approve: true}); !errors.Is(err, local.ErrDecision) {
		t.Errorf("deciding what they resumed: %v", err)
	}
}

func TestIdsSortByTime(t *testing.T) {
	f := newFixture(t, fine)
	last := ""
	for range 50 {
		run := f.start(t, act1)
		if run <= last {
			t.Fatalf("%s follows %s", run, last)
		}
		last = run
	}
}

func TestLeftovers(t *testing.T) {
	f := newFixture(t, fine)
	var runs []string
	for range 120 {
		runs = append(runs, f.start(t, act1))
	}
	if _, err := f.Drive(t.Context(), runs[7]); err != nil {
		t.Fatal(err)
	}
	left, err := f.Leftovers(t.Context())
	if err != nil || len(left) != 119 {
		t.Errorf("%d are left: %v", len(left), err)
	}
	for _, r := range left {
		if r.ID == runs[7] {
			t.Error("the one that is over is among them")
		}
	}
}

func TestWatchSeesEveryStep(t *testing.T) {
	var paths []string
	var statuses []engine.RunStatus
	f := newFixture(t, fine, func(c *local.Config) {
		c.Watch = func(p local.Progress) {
			for _, s := range p.Steps {
				paths = append(paths, s.Path+" "+string(s.Status))
			}
			statuses = append(statuses, p.Run.Status)
			if p.View().Status == "" {
				t.Error("there is no view")
			}
		}
	})
	run := f.start(t, "name: main\nsteps:\n  - id: one\n    uses: test.act\n  - id: two\n    set: { n: 1 }\n")
	if _, err := f.Drive(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(paths, ", "); got != "one succeeded, two succeeded" {
		t.Errorf("it saw %s", got)
	}
	if last := statuses[len(statuses)-1]; last != engine.RunSucceeded {
		t.Errorf("the last status is %s", last)
	}
}

func TestUnknownRuns(t *testing.T) {
	f := newFixture(t, fine)
	if _, err := f.Drive(t.Context(), "run_nobody"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Cancel(t.Context(), "run_nobody", ""); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// rewritten is a run as another version would have left it.
func rewritten(t *testing.T, f fixture, run string, change func(*engine.RunRecord)) {
	t.Helper()
	record, err := f.store.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	change(&record)
	if err := f.store.Commit(t.Context(), engine.Batch{Runs: []engine.RunRecord{record}}); err != nil {
		t.Fatal(err)
	}
}

func TestARunOfAnotherVersionIsLeftAlone(t *testing.T) {
	f := newFixture(t, fine)
	run := f.start(t, act1)
	rewritten(t, f, run, func(r *engine.RunRecord) { r.Semantics++ })
	if _, err := f.Drive(t.Context(), run); !errors.Is(err, local.ErrVersion) {
		t.Errorf("got %v", err)
	}
}

func TestARunIsPinnedToWhereItsConnectionsLead(t *testing.T) {
	f := newFixture(t, fine)
	run := f.start(t, act1)
	if record, err := f.store.Run(t.Context(), run); err != nil || string(record.Connections) != "{}" { // it changes nothing
		t.Fatalf("the run has the connections %s, %v", record.Connections, err)
	}
	rewritten(t, f, run, func(r *engine.RunRecord) { r.Connections = []byte(`{"op":"onepassword ANOTHER"}`) })
	_, err := f.Drive(t.Context(), run)
	if !errors.Is(err, local.ErrMoved) || !strings.Contains(err.Error(), "onepassword ANOTHER") || !strings.Contains(err.Error(), "put the connections back") {
		t.Errorf("got %v", err)
	}
	if record, err := f.store.Run(t.Context(), run); err != nil || record.Status.Final() {
		t.Errorf("the run is %s, %v; it must stay as it was", record.Status, err)
	}
}

func TestARunIsPinnedToItsSources(t *testing.T) {
	f := newFixture(t, fine)
	run := f.start(t, "name: main\nsteps:\n  - id: other\n    uses: test.act\n")
	other, err := local.New(f.config) // compiles something else, as after an edit
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Drive(t.Context(), run); err == nil || !strings.Contains(err.Error(), "it has the hash") {
		t.Errorf("got %v", err)
	}
}

func TestTheSourcesAreThoseOfTheProgram(t *testing.T) {
	f := newFixture(t, fine)
	req := f.request(t, act1)
	req.Bundle.Hash = "another"
	if _, err := f.Start(t.Context(), req); err == nil {
		t.Error("it started")
	}
}

// failing is a store whose disk is full after some commits.
type failing struct {
	engine.Store

	left int
}

var errFull = errors.New("the disk is full")

func (f *failing) Commit(ctx context.Context, b engine.Batch) error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return f.Store.Commit(ctx, b) //nolint:wrapcheck // it stands for the store
}

func TestAStoreThatFailsEndsTheDrive(t *testing.T) {
	f := newFixture(t, fine)
	f.config.Store = &failing{Store: f.store, left: 1}
	broken, err := local.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	run, err := broken.Start(t.Context(), f.request(t, act1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Drive(t.Context(), run); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	record, err := f.Drive(t.Context(), run)
	if err != nil || record.Status != engine.RunSucceeded {
		t.Errorf("with room again it is %s: %v", record.Status, err)
	}
}

// cutting is a store whose process is interrupted while it reads a value.
type cutting struct {
	engine.Store

	value     engine.Reference
	interrupt func()
}

func (c *cutting) Value(ctx context.Context, ref engine.Reference) ([]byte, error) {
	if c.interrupt == nil || ref != c.value {
		return c.Store.Value(ctx, ref) //nolint:wrapcheck // it stands for the store
	}
	c.interrupt()
	<-ctx.Done()
	return nil, ctx.Err() //nolint:wrapcheck // the same
}

// flip is a change of something that only the test sees.
type flip struct{ done bool }

func (*flip) Spec() engine.ActionSpec {
	return engine.ActionSpec{Name: "test.flip", Summary: "Flips.", Effect: engine.Change}
}

func (a *flip) Read(context.Context, engine.Call) (engine.Subject, error) {
	return engine.Subject{
		Connection: &engine.Connection{Name: "coin"}, Target: engine.Target{ID: "coin", Name: "Coin"}, State: map[string]any{"done": a.done},
	}, nil
}

func (*flip) Preview(engine.Call, engine.Subject) (engine.Preview, error) {
	return engine.Preview{After: map[string]any{"done": true}, Outputs: map[string]any{}}, nil
}

func (a *flip) Perform(context.Context, engine.Call, engine.Subject) (map[string]any, error) {
	a.done = true
	return map[string]any{}, nil
}

func TestAnInterruptionWhileAnObservationIsRecalled(t *testing.T) {
	f := newFixture(t, fine)
	actions, err := engine.NewActions(act(fine), &flip{})
	if err != nil {
		t.Fatal(err)
	}
	const text = act1 + "  - id: two\n    uses: test.flip\n"
	f.actions, f.config.Actions = actions, actions
	f.config.Programs = func(context.Context, engine.Bundle) (*program.Program, error) { return f.request(t, text).Program, nil }
	store := &cutting{Store: f.store}
	f.config.Store = store
	e, err := local.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	request := f.request(t, text)
	plan, err := e.Plan(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := store.Answers(t.Context(), plan.ID)
	if err != nil || len(answers) != 1 {
		t.Fatalf("the plan keeps %v: %v", answers, err)
	}
	run, err := e.Apply(t.Context(), local.ApplyRequest{Plan: plan.ID, Current: request.Program.Hash, Actor: request.Actor})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	store.value, store.interrupt = answers[0].Value, cancel
	record, err := e.Drive(ctx, run)
	if err != nil || record.Status != engine.RunInterrupted {
		t.Errorf("it is %s: %v", record.Status, err)
	}
	store.interrupt = nil
	if record, err = e.Drive(t.Context(), run); err != nil || record.Status != engine.RunSucceeded {
		t.Errorf("afterwards it is %s: %v", record.Status, err)
	}
}

func TestAnActionThatIgnoresItsContextIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		f := newFixture(t, func(context.Context) error { <-release; return nil })
		run := f.start(t, act1)
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		time.AfterFunc(time.Second, cancel)
		record, err := f.Drive(ctx, run)
		if err != nil || record.Status != engine.RunInterrupted {
			t.Errorf("it is %s: %v", record.Status, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

func TestWorkersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int64
		f := newFixture(t, func(context.Context) error {
			most.Store(max(most.Load(), busy.Add(1)))
			time.Sleep(time.Second) //nolint:forbidigo // virtual: a call that takes a while
			busy.Add(-1)
			return nil
		}, func(c *local.Config) { c.Workers = 2 })
		began := time.Now()
		done := make(chan error, 6)
		for range 6 {
			run := f.start(t, act1)
			go func() {
				_, err := f.Drive(t.Context(), run)
				done <- err
			}()
		}
		for range 6 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); most.Load() != 2 || took != 3*time.Second {
			t.Errorf("%d worked at once, in %s", most.Load(), took)
		}
	})
}

func TestSecretsInInputsAndTriggers(t *testing.T) {
	var redact secret.Redactor
	redact.Learn(secret.New("s3cret-value"))
	f := newFixture(t, fine, func(c *local.Config) { c.Redact = &redact })
	req := f.request(t, "name: main\ninputs:\n  text: { type: string }\nsteps:\n  - uses: test.act\n")
	req.Inputs, req.Trigger = map[string]any{"text": "it is s3cret-value"}, json.RawMessage(`{"body":"s3cret-value"}`)
	run, err := f.Start(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	record, err := f.Drive(t.Context(), run)
	if err != nil || string(record.Inputs) != `{"text":"it is <secret>"}` || string(record.Trigger) != `{"body":"<secret>"}` {
		t.Errorf("got %s and %s: %v", record.Inputs, record.Trigger, err)
	}
}

// shifted is a clock that is wrong by some time.
type shifted struct {
	local.SystemClock

	by time.Duration
}

func (s shifted) Now() time.Time { return time.Now().Add(s.by) }

func TestAClockThatWasSetBack(t *testing.T) {
	f := newFixture(t, fine)
	run := f.start(t, act1)
	f.config.Clock = shifted{by: -time.Hour}
	f.config.Programs = func(context.Context, engine.Bundle) (*program.Program, error) { return f.request(t, act1).Program, nil }
	late, err := local.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	record, err := late.Drive(t.Context(), run)
	if err != nil || record.Status != engine.RunSucceeded || record.FinishedAt.Before(record.CreatedAt) {
		t.Errorf("it is %s, from %s to %s: %v", record.Status, record.CreatedAt, record.FinishedAt, err)
	}
}
