package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// The defaults of a Config.
const (
	DefaultWorkers       = 64
	DefaultGrace         = 10 * time.Second
	DefaultChangeTimeout = time.Minute
)

// Errors of an Engine.
var (
	// ErrUnavailable means that a playbook asks for something this version can
	// check but not carry out. Nothing was recorded and nothing done.
	ErrUnavailable = guard.ErrUnavailable
	// ErrInputs means that the inputs do not fit the playbook's declaration.
	ErrInputs = errors.New("the inputs do not fit")
	// ErrDriven means that the run is being carried out by this Engine already.
	ErrDriven = errors.New("the run is being carried out already")
	// ErrVersion means that a run was begun by a version that decides otherwise.
	ErrVersion = errors.New("the run was begun by another version")
	// ErrMoved means that a connection the run changes something through leads
	// somewhere else than when the run was started.
	ErrMoved = errors.New("its connections lead somewhere else now")
)

// Connections opens the connections of a configuration.
type Connections interface {
	// Connection opens a connection, or returns the one opened before. It does
	// not reach the service.
	Connection(ctx context.Context, name string) (*engine.Connection, error)
}

// Config is what an Engine needs. Store, Actions, Connections and Programs are
// required.
type Config struct {
	Store       engine.Store
	Actions     *engine.Actions
	Catalog     engine.Catalog
	Connections Connections
	// Programs compiles the sources a run is pinned to.
	Programs func(ctx context.Context, b engine.Bundle) (*program.Program, error)
	// Compose compiles a playbook that is made here, of an undo, under a name.
	Compose func(ctx context.Context, name string, source []byte) (*program.Program, engine.Bundle, error)
	Guard   guard.Configuration
	People  guard.People // who may decide
	// Standing refuses a person who may decide nothing now, such as one whose
	// account is suspended. It is asked before each decision; nil refuses nobody.
	Standing func(ctx context.Context, p engine.Person) error
	// Tell tells those who may decide of a request; nil tells nobody.
	Tell    func(ctx context.Context, a engine.Approval, set engine.ChangeSet, run engine.RunRecord) error
	PlanAge time.Duration    // how old a plan may be when it is applied; DefaultPlanAge when 0
	Redact  *secret.Redactor // removes secrets from what is stored; none by default
	Clock   Clock            // the system's by default
	Log     *slog.Logger     // discarded by default
	// Watch is told of every step forward, by the goroutine that carries the
	// run out: it must return at once. Several runs may call it at a time.
	Watch func(Progress)

	// Workers is how many calls there are at the same time, of all runs together,
	// fair between playbooks and between the runs of each; DefaultWorkers when 0.
	Workers int
	Grace   time.Duration // how long an interrupted run waits for changes and messages under way; DefaultGrace when 0
	// Patience is how long a run that waits for a time is kept in the process; one
	// that waits longer is parked, and goes on when it is driven after its WakeAt.
	// 0 keeps every run until it needs a person or a signal.
	Patience      time.Duration
	ChangeTimeout time.Duration // of a change whose step has no timeout; DefaultChangeTimeout when 0
}

// Progress is one step forward of a run: what has just become durable.
type Progress struct {
	Run   engine.RunRecord
	Steps []engine.StepRecord
	Items []engine.ItemRecord
	// View is the running tree. It costs time, and may be called only before
	// Watch returns.
	View func() machine.View
}

// Engine starts runs and carries them out. It may be used by several
// goroutines, and carries out as many runs at a time as it is asked to.
type Engine struct {
	config  Config
	began   time.Time
	slots   *slots // one per call under way
	ids     ids
	targets targets // one change at a time at each, of all runs
	safe    safe
	budget  sync.Mutex // held from the look at a budget until the intent is recorded

	mu       sync.Mutex
	driving  map[string]chan<- machine.Event // by run: where requests from outside go
	nudges   map[string]chan struct{}        // by run: that there are signals for it
	left     map[string]chan struct{}        // by run: closed when nobody carries it out any more
	programs programs
	serving  *dispatcher // of Serve, while it works

	admission admission

	fires fires
}

// New makes an Engine. It starts nothing.
func New(c Config) (*Engine, error) {
	if c.Store == nil || c.Actions == nil || c.Connections == nil || c.Programs == nil {
		return nil, errors.New("an engine needs a store, actions, connections and programs")
	}
	if c.Redact == nil {
		c.Redact = &secret.Redactor{}
	}
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.PlanAge = orDefault(c.PlanAge, DefaultPlanAge)
	c.Workers = orDefault(c.Workers, DefaultWorkers)
	c.Grace = orDefault(c.Grace, DefaultGrace)
	c.ChangeTimeout = orDefault(c.ChangeTimeout, DefaultChangeTimeout)
	return &Engine{
		config:  c,
		safe:    safe{connections: c.Connections, redact: c.Redact, received: make(map[string]secret.Value)},
		began:   c.Clock.Now(),
		slots:   newSlots(c.Workers),
		driving: make(map[string]chan<- machine.Event),
		nudges:  make(map[string]chan struct{}),
		left:    make(map[string]chan struct{}),
	}, nil
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Leftovers are the runs that are not over, newest first: waiting to be
// continued, unsettled, or left behind by a process that died.
func (e *Engine) Leftovers(ctx context.Context) ([]engine.RunRecord, error) {
	q := engine.RunQuery{Limit: 100, Statuses: []engine.RunStatus{
		engine.RunQueued, engine.RunRunning, engine.RunWaiting, engine.RunUnsettled, engine.RunInterrupted,
	}}
	var all []engine.RunRecord
	for {
		page, err := e.config.Store.Runs(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing unfinished runs: %w", err)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all, nil
		}
		q.After = page[len(page)-1].ID
	}
}

// enter makes the caller the one that carries out a run.
func (e *Engine) enter(run string) (<-chan machine.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.driving[run] != nil {
		return nil, fmt.Errorf("%w: %s", ErrDriven, run)
	}
	inbox := make(chan machine.Event, 1)
	e.driving[run] = inbox
	e.nudges[run] = make(chan struct{}, 1)
	e.left[run] = make(chan struct{})
	return inbox, nil
}

func (e *Engine) leave(run string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.driving, run)
	delete(e.nudges, run)
	close(e.left[run])
	delete(e.left, run)
}

// Left is closed when nobody in this Engine carries the run out, or decides about
// it: what it is then has been recorded.
func (e *Engine) Left(run string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if left := e.left[run]; left != nil {
		return left
	}
	now := make(chan struct{})
	close(now)
	return now
}

// leaveWith is leave for somebody who does not carry the run out. What was asked
// of the run meanwhile is returned.
func (e *Engine) leaveWith(run string, inbox <-chan machine.Event) []machine.Event {
	e.leave(run)
	select {
	case asked := <-inbox:
		return []machine.Event{asked}
	default:
		return nil
	}
}

// deliver hands an event to the goroutine that carries out the run, if there
// is one. A second request that comes before the first was read says nothing new.
func (e *Engine) deliver(run string, ev machine.Event) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	inbox := e.driving[run]
	if inbox == nil {
		return false
	}
	select {
	case inbox <- ev:
	default:
	}
	return true
}
