package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

// hidden is the secret that no store may see.
const hidden = "hunter2-is-the-secret"

// readKey is an observation that answers with secrets: one that a connection
// keeps, and one that nothing keeps.
type readKey struct{}

func (readKey) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name: "key.read", Summary: "Reads.", Effect: engine.Observe, Needs: []engine.Capability{"keys"},
		Outputs: []engine.Field{{Name: "value", Type: engine.TypeSecret()}, {Name: "received", Type: engine.TypeSecret()}},
	}
}

func (readKey) Observe(_ context.Context, call engine.Call) (engine.Observation, error) {
	received, err := call.Keep(secret.New("received-" + hidden))
	return engine.Observation{Outputs: map[string]any{
		"value": engine.Secret{Connection: "keys", Reference: "op://Infra/db/password"}, "received": received,
	}}, err
}

// useKey is an observation that is handed a secret and tells too much of it.
type useKey struct{ got *[]string }

func (useKey) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name: "key.use", Summary: "Uses.", Effect: engine.Observe,
		Inputs:  []engine.Field{{Name: "key", Type: engine.TypeSecret(), Required: true, Doc: "What to use."}},
		Outputs: []engine.Field{{Name: "said", Type: engine.TypeString()}},
	}
}

func (u useKey) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	handle, _ := call.Inputs["key"].(engine.Secret)
	v, err := call.Reveal(ctx, handle)
	if err != nil {
		return engine.Observation{}, err
	}
	*u.got = append(*u.got, v.Reveal())
	return engine.Observation{Outputs: map[string]any{"said": "it is " + v.Reveal()}}, nil
}

// keys is a configuration with one connection that keeps secrets.
type keys struct{ value, asked string }

func (k *keys) Connection(_ context.Context, name string) (*engine.Connection, error) {
	return &engine.Connection{
		Name: name, Fingerprint: "keys", Offers: map[engine.Capability]any{"keys": k},
		Reveal: func(_ context.Context, reference string) (secret.Value, error) {
			k.asked = reference
			return secret.New(k.value), nil
		},
	}, nil
}

// overheard is a store that remembers all it was given.
type overheard struct {
	engine.Store

	mu   sync.Mutex
	text strings.Builder
}

func (o *overheard) Commit(ctx context.Context, b engine.Batch) error {
	var data []byte
	for _, part := range []any{b.Runs, b.Events, b.Steps, b.Items, b.Plans, b.Answers, b.Approvals, b.Grants, b.Signals, b.Audit} {
		encoded, err := json.Marshal(part)
		if err != nil {
			return err
		}
		data = append(data, encoded...)
	}
	for _, s := range b.Snapshots {
		data = append(data, s.Data...)
	}
	for _, v := range b.Values {
		data = append(data, v.Data...)
	}
	for _, e := range b.Events {
		data = append(data, e.Data...)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(data)
	return o.Store.Commit(ctx, b) //nolint:wrapcheck // it stands for the store
}

// secretly is a scene with a playbook that reads a secret, waits, and uses it.
type secretly struct {
	config  local.Config
	request local.StartRequest
	store   *overheard
	keys    *keys
	got     []string
}

func newSecretly(t *testing.T, use string) *secretly {
	t.Helper()
	s := &secretly{store: &overheard{Store: memory.New()}, keys: &keys{value: hidden}}
	actions, err := engine.NewActions(readKey{}, useKey{got: &s.got})
	if err != nil {
		t.Fatal(err)
	}
	catalog := engine.Catalog{Connections: []engine.ConnectionInfo{{Name: "keys", Capabilities: []engine.Capability{"keys"}}}}
	text := "name: main\nsteps:\n  - id: read\n    uses: key.read\n  - id: pause\n    wait: { signal: go }\n" +
		"  - id: use\n    uses: key.use\n    with: { key: \"${{ steps.read." + use + " }}\" }\noutputs:\n  said: ${{ steps.use.said }}\n"
	p, b := compile(t, map[string]string{"main": text}, actions, catalog)
	s.request = local.StartRequest{Program: p, Bundle: b, Actor: engine.Actor{Name: "sam", Via: "cli"}}
	s.config = local.Config{
		Store: s.store, Actions: actions, Catalog: catalog, Connections: s.keys,
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return p, nil },
	}
	return s
}

// process is an engine as a process has it that has just begun.
func (s *secretly) process(t *testing.T) *local.Engine {
	t.Helper()
	s.config.Redact = &secret.Redactor{}
	e, err := local.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *secretly) signal(t *testing.T, e *local.Engine, run string) engine.RunRecord {
	t.Helper()
	if err := e.Signal(t.Context(), engine.Signal{Run: run, ID: "1", Name: "go", By: engine.Actor{Name: "sam", Via: "cli"}}); err != nil {
		t.Fatal(err)
	}
	record, err := e.Drive(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestASecretIsReadAgainWhereItIsUsed(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		s := newSecretly(t, "value")
		e := s.process(t)
		run, err := e.Start(t.Context(), s.request)
		if err != nil {
			t.Fatal(err)
		}
		if record, err := e.Drive(t.Context(), run); err != nil || record.Status != engine.RunWaiting {
			t.Fatalf("it is %s: %v", record.Status, err)
		}
		s.keys.value = "rotated-" + hidden
		if again {
			e = s.process(t)
		}
		if record := s.signal(t, e, run); record.Status != engine.RunSucceeded || !strings.Contains(string(record.Outputs), "it is <secret>") {
			t.Errorf("it is %s with %s", record.Status, record.Outputs)
		}
		if len(s.got) != 1 || s.got[0] != "rotated-"+hidden || s.keys.asked != "op://Infra/db/password" {
			t.Errorf("the action got %q from %s", s.got, s.keys.asked)
		}
		if text := s.store.text.String(); strings.Contains(text, hidden) || !strings.Contains(text, "op://Infra/db/password") {
			t.Error("the store has the secret, or not where it is kept")
		}
	}
}

func TestASecretThatNothingKeepsEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		s := newSecretly(t, "received")
		e := s.process(t)
		run, err := e.Start(t.Context(), s.request)
		if err != nil {
			t.Fatal(err)
		}
		if record, err := e.Drive(t.Context(), run); err != nil || record.Status != engine.RunWaiting {
			t.Fatalf("it is %s: %v", record.Status, err)
		}
		want := engine.RunSucceeded
		if again {
			e, want = s.process(t), engine.RunFailed
		}
		record := s.signal(t, e, run)
		if record.Status != want {
			t.Errorf("again %v: it is %s, %v", again, record.Status, record.Error)
		}
		if again && !strings.Contains(record.Error.Message, "known only to the process that received it") {
			t.Errorf("it says %s", record.Error.Message)
		}
		if strings.Contains(s.store.text.String(), hidden) {
			t.Error("the store has the secret")
		}
	}
}

func TestASecretTooShortToBeKeptOut(t *testing.T) {
	t.Parallel()
	s := newSecretly(t, "value")
	s.keys.value = "abc"
	e := s.process(t)
	run, err := e.Start(t.Context(), s.request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Drive(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	record := s.signal(t, e, run)
	if record.Error == nil || !errors.Is(record.Error, &engine.Failure{Class: engine.ClassInvalid, Code: "short_secret"}) {
		t.Errorf("got %v", record.Error)
	}
}
