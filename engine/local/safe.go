package local

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Codes of failures about values of type secret.
const (
	codeNoSecret    = "no_secret"    // the handle leads nowhere any more
	codeShortSecret = "short_secret" // too short to be kept out of anything
)

// safe is the engine.Secrets of all calls. It may be used by several
// goroutines.
type safe struct {
	connections Connections
	redact      *secret.Redactor

	mu       sync.Mutex
	received map[string]secret.Value // by the name in their handles
}

// Reveal reads the secret behind a handle.
func (s *safe) Reveal(ctx context.Context, handle engine.Secret) (secret.Value, error) {
	if handle.Memory != "" {
		return s.remembered(handle.Memory)
	}
	conn, err := s.connections.Connection(ctx, handle.Connection)
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading the secret %s: %w", handle.Reference, err)
	}
	if conn.Reveal == nil {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, codeNoSecret, "the connection %q keeps no secrets any more, so %s cannot be read", conn.Name, handle.Reference)
	}
	v, err := conn.Reveal(ctx, handle.Reference)
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading the secret %s: %w", handle.Reference, err)
	}
	return v, s.learn(v, handle.Reference)
}

func (s *safe) remembered(name string) (secret.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.received[name]
	if !ok {
		return v, engine.Fail(engine.ClassNotFound, codeNoSecret, "the secret was known only to the process that received it, which has ended: it is stored nowhere")
	}
	return v, nil
}

// Keep remembers a secret until the process ends.
func (s *safe) Keep(v secret.Value) (engine.Secret, error) {
	if err := s.learn(v, "that was received"); err != nil {
		return engine.Secret{}, err
	}
	name := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received[name] = v
	return engine.Secret{Memory: name}, nil
}

// learn keeps a secret out of everything from now on.
func (s *safe) learn(v secret.Value, which string) error {
	if len(v.Reveal()) < secret.MinLength {
		return engine.Fail(engine.ClassInvalid, codeShortSecret, "the secret %s is shorter than %d bytes and could not be kept out of logs", which, secret.MinLength)
	}
	s.redact.Learn(v)
	return nil
}
