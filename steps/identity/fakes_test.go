package identity_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// errBroken is what a fake service fails with half-way.
var errBroken = errors.New("page 7 is broken")

// now is the time of every test.
func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// ago is a time before now.
func ago(d time.Duration) time.Time { return now().Add(-d) }

const day = 24 * time.Hour

// stream yields things and then, where there is one, an error.
func stream[T any](things []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, thing := range things {
			if !yield(thing, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// directory is an identity.Directory in memory.
type directory struct {
	users   []identity.User
	err     error // after the users
	asked   []identity.State
	changed []string // "suspend ID"
}

func (d *directory) Users(_ context.Context, state identity.State) iter.Seq2[identity.User, error] {
	d.asked = append(d.asked, state)
	var some []identity.User
	for _, u := range d.users {
		if state == "" || u.State == state {
			some = append(some, u)
		}
	}
	return stream(some, d.err)
}

// UserPage takes the index of its first user as token.
func (d *directory) UserPage(_ context.Context, _ identity.State, token string, size int) ([]identity.User, string, error) {
	at, _ := strconv.Atoi(token)
	end := min(at+max(size, 1), len(d.users))
	if next := strconv.Itoa(end); end < len(d.users) {
		return d.users[at:end], next, d.err
	}
	return d.users[at:end], "", d.err
}

func (d *directory) User(_ context.Context, id string) (identity.User, error) {
	for _, u := range d.users {
		if u.ID == id {
			return u, nil
		}
	}
	return identity.User{}, engine.Fail(engine.ClassNotFound, "user_not_found", "there is no user %s", id)
}

func (d *directory) Suspend(ctx context.Context, id string) (identity.User, error) {
	return d.set(ctx, "suspend", id, identity.Suspended)
}

func (d *directory) Reactivate(ctx context.Context, id string) (identity.User, error) {
	return d.set(ctx, "reactivate", id, identity.Active)
}

func (d *directory) set(ctx context.Context, verb, id string, state identity.State) (identity.User, error) {
	if d.err != nil {
		return identity.User{}, d.err
	}
	d.changed = append(d.changed, verb+" "+id)
	for i := range d.users {
		if d.users[i].ID == id {
			d.users[i].State = state
		}
	}
	return d.User(ctx, id)
}

// log is an identity.SignIns and identity.Events in memory.
type log struct {
	signIns    []identity.SignIn
	usages     []identity.Event
	err        error // after the sign-ins
	usagesErr  error // after the usages
	requireErr error
	reach      time.Duration // of the sign-ins; 120 days by default
	usageReach time.Duration // of the usages; 120 days by default
	asked      []string      // "signins FROM TO"
}

func (l *log) SignIns(_ context.Context, from, to time.Time) iter.Seq2[identity.SignIn, error] {
	l.note("signins", from, to)
	var some []identity.SignIn
	for _, s := range l.signIns {
		if !s.At.Before(from) && s.At.Before(to) {
			some = append(some, s)
		}
	}
	return stream(some, l.err)
}

func (l *log) Events(_ context.Context, kind identity.EventKind, from, to time.Time) iter.Seq2[identity.Event, error] {
	l.note("usages", from, to)
	if kind != identity.EventItemUsages {
		return stream([]identity.Event{}, nil)
	}
	var some []identity.Event
	for _, u := range l.usages {
		if !u.At.Before(from) && u.At.Before(to) {
			some = append(some, u)
		}
	}
	return stream(some, l.usagesErr)
}

func (l *log) note(what string, from, to time.Time) {
	l.asked = append(l.asked, fmt.Sprintf("%s %s %s", what, from.Format(time.RFC3339), to.Format(time.RFC3339)))
}

func (l *log) Require(context.Context, ...identity.EventKind) error { return l.requireErr }
func (l *log) SignInsReach() time.Duration                          { return orDefault(l.reach) }
func (l *log) EventsReach() time.Duration                           { return orDefault(l.usageReach) }

func orDefault(reach time.Duration) time.Duration {
	if reach == 0 {
		return 120 * day
	}
	return reach
}

// callOf is a call of an action with the fakes as its connections. Defaults are
// filled in from the declaration, as the engine does.
func callOf(action engine.Action, dir *directory, l *log, inputs map[string]any) engine.Call {
	filled := make(map[string]any)
	for _, f := range action.Spec().Inputs {
		if f.Default != nil {
			filled[f.Name] = f.Default
		}
	}
	for name, v := range inputs {
		filled[name] = v
	}
	connections := make(map[engine.Capability]*engine.Connection)
	if dir != nil {
		connections[identity.CapabilityDirectory] = &engine.Connection{
			Name: "people", Offers: map[engine.Capability]any{identity.CapabilityDirectory: dir, identity.CapabilityUserPages: dir},
		}
	}
	if l != nil {
		conn := &engine.Connection{Name: "logs", Offers: map[engine.Capability]any{
			identity.CapabilitySignIns: l, identity.CapabilityEvents: l,
		}}
		connections[identity.CapabilitySignIns], connections[identity.CapabilityEvents] = conn, conn
	}
	return engine.Call{Action: action.Spec().Name, Now: now(), Inputs: filled, Connections: connections}
}

// observe carries an action out and checks that the outputs are of the types
// it declares and survive being stored.
func observe(t *testing.T, action engine.Observer, call engine.Call) engine.Observation {
	t.Helper()
	seen, err := action.Observe(t.Context(), call)
	if err != nil {
		t.Fatalf("%s: %v", call.Action, err)
	}
	checkOutputs(t, action, seen.Outputs)
	return seen
}

func checkOutputs(t *testing.T, action engine.Action, outputs map[string]any) {
	t.Helper()
	declared := action.Spec().Outputs
	if len(outputs) != len(declared) {
		t.Errorf("%d outputs, declared are %d: %v", len(outputs), len(declared), outputs)
	}
	data, err := engine.EncodeJSON(outputs)
	if err != nil {
		t.Fatalf("encoding the outputs: %v", err)
	}
	if _, err := engine.DecodeJSON(data, action.Spec().Output()); err != nil {
		t.Errorf("the outputs are not of the declared types: %v", err)
	}
}

// fails carries an action out that must fail with the class and code.
func fails(t *testing.T, action engine.Observer, call engine.Call, class engine.Class, code string) {
	t.Helper()
	seen, err := action.Observe(t.Context(), call)
	if f := engine.AsFailure(err); f == nil || f.Class != class || f.Code != code {
		t.Errorf("got %v with the outputs %v, want a failure %s/%s", err, seen.Outputs, class, code)
	}
}

// where is a predicate input.
func where(source string) engine.Predicate { return engine.Predicate{Source: source} }

// user is an active account, a year old.
func user(id string) identity.User {
	return identity.User{ID: id, Email: id + "@example.com", Name: "User " + id, State: identity.Active, CreatedAt: ago(365 * day)}
}

func suspended(u identity.User) identity.User {
	u.State = identity.Suspended
	return u
}

// pick is one field of each of a list of maps.
func pick(list any, field string) []any {
	rows, _ := list.([]any)
	out := make([]any, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.(map[string]any)[field])
	}
	return out
}
