package engine

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Secret is a value of type secret, as a run has it: a handle that says where
// the secret is kept, never the secret itself. It is what is stored, hashed and
// shown. Only the action it is handed to learns the secret, from Call.Reveal.
type Secret struct {
	Connection string `json:"connection"`       // the connection it is read through; "" where Memory has it
	Reference  string `json:"reference"`        // where that connection keeps it: op://vault/item/field
	Memory     string `json:"memory,omitempty"` // of one that nothing keeps: its name in the process that received it
}

// String is secret.Placeholder.
func (Secret) String() string { return secret.Placeholder }

// TypeSecret is a secret: only an input declared so takes one.
func TypeSecret() Type { return Type{Kind: KindSecret} }

// HoldsSecret reports whether a secret is somewhere within a value of the type.
func (t Type) HoldsSecret() bool {
	if t.Kind == KindSecret || t.Elem != nil && t.Elem.HoldsSecret() {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.HoldsSecret() {
			return true
		}
	}
	return false
}

// Secrets turns handles into secrets and back, for one call. It teaches every
// secret to the redactor before anybody sees it.
type Secrets interface {
	// Reveal reads the secret behind a handle, anew each time: also after a
	// restart. One that only an earlier process knew is a not_found failure.
	Reveal(ctx context.Context, s Secret) (secret.Value, error)
	// Keep makes a handle for a secret that was received and that nothing keeps.
	// The secret stays in the memory of this process, and nowhere else.
	Keep(v secret.Value) (Secret, error)
}

// Reveal is the secret behind a value that was handed to an input. It is for
// the one place that sends it.
func (c Call) Reveal(ctx context.Context, s Secret) (secret.Value, error) {
	if c.Secrets == nil {
		return secret.Value{}, Fail(ClassPermanent, "secret", "%s cannot be given secrets here", c.Action)
	}
	return c.Secrets.Reveal(ctx, s) //nolint:wrapcheck // says itself which secret it is
}

// Keep makes a handle for a secret that the action has received.
func (c Call) Keep(v secret.Value) (Secret, error) {
	if c.Secrets == nil {
		return Secret{}, Fail(ClassPermanent, "secret", "%s cannot give secrets here", c.Action)
	}
	return c.Secrets.Keep(v) //nolint:wrapcheck // says itself what is wrong
}
