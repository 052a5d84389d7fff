package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The names of the world's connection and of what it offers.
const (
	connectionName                   = "world"
	capability     engine.Capability = "world"
)

// settleTime is how long the world's reads may lag.
const settleTime = 5 * time.Second

// The states of an account.
const (
	open   = "open"
	locked = "locked"
	erased = "erased"
)

// World is the service the suite's actions act on. It outlives the processes
// that call it, and knows what really happened.
type World struct {
	mu       sync.Mutex
	accounts []*account
	alias    map[string]string // other names of accounts
	done     []string
	faults   map[string][]Fault
	calls    map[string]int
	busy     map[string]int // calls under way, by account
	most     int            // the most calls under way at once
	overlap  bool           // two calls changed the same account at once
	settle   *time.Duration // how long reads may lag, as the connection says
	place    string         // where the connection leads
	counted  *int64         // how many accounts a census says there are; nil: as many as it shows
}

type account struct {
	id    string
	state string
	shown string    // what reads show until lag is over
	lag   time.Time // zero: reads show the state
}

// Fault is what goes wrong with one call.
type Fault struct {
	Err    error         // what the caller is told
	After  bool          // the call had its effect before it failed
	Panic  bool          // the action crashes, with Err
	Takes  time.Duration // how long the call takes
	Lag    time.Duration // how long reads show the state before
	Blocks bool          // the call ends with its context
	Then   func()        // what happens when it has had its effect
}

// NewWorld makes a world of open accounts.
func NewWorld(ids ...string) *World {
	w := &World{faults: map[string][]Fault{}, calls: map[string]int{}, busy: map[string]int{}, settle: new(settleTime), place: "enginetest"}
	for _, id := range ids {
		w.accounts = append(w.accounts, &account{id: id, state: open})
	}
	return w
}

// Script makes the next calls of an operation fail: "lock a", "read a",
// "look a", "tell hello". A zero Fault lets a call pass.
func (w *World) Script(call string, faults ...Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[call] = append(w.faults[call], faults...)
}

// Done is what really happened, in order: "lock a", "unlock a", "tell hello".
func (w *World) Done() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

// Calls is how often an operation was called.
func (w *World) Calls(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[call]
}

func (w *World) account(id string) *account {
	if other := w.alias[id]; other != "" {
		id = other
	}
	i := slices.IndexFunc(w.accounts, func(a *account) bool { return a.id == id })
	if i < 0 {
		return nil
	}
	return w.accounts[i]
}

// name makes a name lead to an account.
func (w *World) name(alias, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alias = map[string]string{alias: id}
}

// service is the world as one process reaches it.
type service struct {
	world *World
	life  *Life
}

var errDead = errors.New("the process is dead")

// call carries out one operation with its scripted fault; effect is what it
// does to the world.
func (s service) call(ctx context.Context, name string, effect func()) error {
	fault := s.begin(name)
	defer s.end()
	if fault.Panic {
		panic(fault.Err) //nolint:forbidigo // this is what the engine must survive
	}
	if err := s.wait(ctx, fault); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("calling the world: %w", ctx.Err())
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if s.life.Dead() {
		return errDead
	}
	if fault.Err == nil || fault.After {
		effect()
	}
	if fault.Then != nil {
		fault.Then()
	}
	return fault.Err
}

func (s service) begin(name string) Fault {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name]++
	w.busy[""]++
	w.most = max(w.most, w.busy[""])
	script := w.faults[name]
	if len(script) == 0 {
		return Fault{}
	}
	w.faults[name] = script[1:]
	return script[0]
}

func (s service) end() {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.busy[""]--
}

func (s service) wait(ctx context.Context, f Fault) error {
	if f.Takes > 0 {
		timer := time.NewTimer(f.Takes)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("calling the world: %w", ctx.Err())
		}
	}
	if f.Blocks {
		<-ctx.Done()
		return fmt.Errorf("calling the world: %w", ctx.Err())
	}
	return nil
}

// read shows an account, as old as its lag allows.
func (s service) read(ctx context.Context, name, id string) (map[string]any, error) {
	var seen map[string]any
	err := s.call(ctx, name+" "+id, func() {
		if a := s.world.account(id); a != nil {
			seen = a.show()
		}
	})
	if err == nil && seen == nil {
		return nil, engine.Fail(engine.ClassNotFound, "no_account", "there is no account %s", id)
	}
	return seen, err
}

func (a *account) show() map[string]any {
	state := a.state
	if time.Now().Before(a.lag) {
		state = a.shown
	}
	return map[string]any{"id": a.id, "email": a.id + "@example.com", "state": state}
}

// change brings an account into a state.
func (s service) change(ctx context.Context, verb, id, state string) error {
	w := s.world
	lag := w.beginChange(id, verb+" "+id)
	defer w.endChange(id)
	return s.call(ctx, verb+" "+id, func() {
		a := w.account(id)
		a.shown, a.state, a.lag = a.state, state, time.Now().Add(lag)
		w.done = append(w.done, verb+" "+id)
	})
}

func (w *World) beginChange(id, name string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy[id]++
	w.overlap = w.overlap || w.busy[id] > 1
	if script := w.faults[name]; len(script) > 0 {
		return script[0].Lag
	}
	return 0
}

func (w *World) endChange(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy[id]--
}

// list shows every account.
func (s service) list(ctx context.Context) ([]any, error) {
	var all []any
	err := s.call(ctx, "list", func() {
		for _, a := range s.world.accounts {
			all = append(all, a.show())
		}
	})
	return all, err
}

// population is how many accounts there are, as a census says.
func (w *World) population(shown int) int64 {
	if w.counted != nil {
		return *w.counted
	}
	return int64(shown)
}

// turn is what somebody else does to an account, outside of every run.
func (w *World) turn(id, state string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account(id).state = state
}

// join adds an open account.
func (w *World) join(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts = append(w.accounts, &account{id: id, state: open})
}

// crowd adds locked accounts, so that the others are a small share.
func (w *World) crowd(n int) {
	for i := range n {
		w.join(fmt.Sprintf("x%d", i))
		w.turn(fmt.Sprintf("x%d", i), locked)
	}
}

func (s service) tell(ctx context.Context, text string) error {
	return s.call(ctx, "tell "+text, func() { s.world.done = append(s.world.done, "tell "+text) })
}

func (s service) post(ctx context.Context, verb, id string) error {
	return s.call(ctx, verb+" "+id, func() { s.world.done = append(s.world.done, verb+" "+id) })
}

// connections opens the world for one process.
type connections struct {
	world *World
	life  *Life
}

// Connections are the world's, as a process reaches them.
func (w *World) Connections(life *Life) Connections { return connections{w, life} }

// Connection opens the world.
func (c connections) Connection(_ context.Context, name string) (*engine.Connection, error) {
	if name != connectionName {
		return nil, fmt.Errorf("there is no connection %s", name)
	}
	return &engine.Connection{
		Name: name, Provider: "enginetest", Fingerprint: c.world.place, Settle: c.world.settle,
		Offers: map[engine.Capability]any{capability: service(c)},
	}, nil
}

func equal(a, b []string) bool {
	return slices.Equal(a, b) || len(a) == 0 && len(b) == 0
}
