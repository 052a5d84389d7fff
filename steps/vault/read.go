package vault

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// SecretRead is the action secret.read.
type SecretRead struct{}

// Spec declares secret.read.
func (SecretRead) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "secret.read",
		Summary: "Read one field of a stored item.",
		Doc: `Finds one field of an item: by a reference (` + "`op://vault/item/field`" + `), or by ` + "`vault`, `item` and `field`" + `, with ` + "`section`" + ` where two fields have one name. Each is a name or an id. Names that a playbook is given by others belong into ` + "`vault`, `item` and `field`" + `, where a ` + "`/`" + ` in one of them leads nowhere else.

The value is of type ` + "`secret`" + `: only an input that is declared so takes it, as it is. It cannot be compared, put into a text, a message, a request's body, a variable or an output; ` + "`drawbridge check`" + ` says so. A run has only a handle of it, which says where it is kept; that is what the history shows. The action it is handed to reads it again at that moment, also after a restart.

A vault, item or field that is not there is an error of class ` + "`not_found`" + `. A one-time password (` + "`?attribute=otp`" + `) cannot be read: it would be another one where it is used.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityVault},
		Inputs: []engine.Field{
			{Name: "reference", Type: engine.TypeString(), Example: "op://Infra/db-prod/password",
				Doc: "Where it is, as 1Password writes references."},
			{Name: "vault", Type: engine.TypeString(), Example: "Infra", Doc: "The vault's name or id."},
			{Name: "item", Type: engine.TypeString(), Example: "db-prod", Doc: "The item's name or id."},
			{Name: "section", Type: engine.TypeString(), Doc: "The section's name or id, where the field's name is in several."},
			{Name: "field", Type: engine.TypeString(), Example: "password", Doc: "The field's name or id."},
		},
		ExactlyOne: [][]string{{"reference", "vault"}, {"reference", "item"}, {"reference", "field"}},
		Outputs:    []engine.Field{{Name: "value", Type: engine.TypeSecret(), Doc: "The field's value, for inputs of type secret."}},
		Examples: []engine.Example{{
			Title: "Read the password of a database",
			YAML: `- id: password
  uses: secret.read
  with: { vault: Infra, item: db-prod, field: password }
`,
		}},
	}
}

// Observe makes sure that there is such a field, and answers with its handle.
func (SecretRead) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	v, conn, err := engine.Offered[Vault](call, CapabilityVault)
	if err != nil {
		return engine.Observation{}, err
	}
	at, err := place(call.Inputs)
	if err != nil {
		return engine.Observation{}, err
	}
	handle := engine.Secret{Connection: conn.Name, Reference: string(at.Reference())}
	if call.Secrets != nil && conn.Reveal != nil { // whoever reads it first must know to keep it out of everything
		_, err = call.Reveal(ctx, handle)
	} else {
		_, err = v.Read(ctx, at)
	}
	if err != nil {
		return engine.Observation{}, fmt.Errorf("reading %s: %w", at.Reference(), err)
	}
	return engine.Observation{Outputs: map[string]any{"value": handle}}, nil
}

// place is what the inputs ask for.
func place(inputs map[string]any) (secret.Place, error) {
	text := func(name string) string { s, _ := inputs[name].(string); return s }
	at := secret.Place{Vault: text("vault"), Item: text("item"), Section: text("section"), Field: text("field")}
	err := at.Check()
	if reference := text("reference"); reference != "" {
		if at.Section != "" {
			return at, engine.Fail(engine.ClassInvalid, "reference", "the section belongs into the reference: op://vault/item/section/field")
		}
		at, err = secret.ParsePlace(secret.Reference(reference))
	}
	if err != nil {
		return at, engine.Fail(engine.ClassInvalid, "reference", "%v", err)
	}
	return at, nil
}

// Revealer is the engine.Connection's Reveal of a vault.
func Revealer(v Vault) func(ctx context.Context, reference string) (secret.Value, error) {
	return func(ctx context.Context, reference string) (secret.Value, error) {
		at, err := secret.ParsePlace(secret.Reference(reference))
		if err != nil {
			return secret.Value{}, engine.Fail(engine.ClassInvalid, "reference", "%v", err)
		}
		return v.Read(ctx, at) //nolint:wrapcheck // the caller says which secret it is
	}
}
