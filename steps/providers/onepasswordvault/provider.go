package onepasswordvault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Provider declares `provider: onepassword-vault`.
func Provider() engine.Provider { return Over(StartSDK) }

// Over is the provider over something in place of the SDK, for tests and
// simulations.
func Over(start Start) engine.Provider {
	return engine.Provider{
		Name:    "onepassword-vault",
		Summary: "Items of 1Password vaults, read and shared by a service account through the official SDK.",
		Doc:     doc,
		Setup:   setup,
		Settings: []engine.Field{
			{Name: "token", Type: engine.Type{Kind: engine.KindSecret}, Required: true, Example: "env://OP_SERVICE_ACCOUNT_TOKEN",
				Doc: "The service account's token. It begins with ops_."},
		},
		Capabilities: []engine.Capability{vault.CapabilityVault, vault.CapabilitySharing, engine.CapabilityTest},
		Open:         func(o engine.Opening) (*engine.Connection, error) { return open(o, start), nil },
	}
}

const setup = `1. On 1password.com open *Developer → Directory → Service Account* (you need to be
   an owner or an administrator, or in a group that may create service accounts).
2. Give it the vaults it shall see, with *Read items*, and with *Share items* where
   playbooks use ` + "`secret.share`" + `. Nothing more is needed. Personal, Private and
   Employee vaults and the default Shared vault cannot be chosen.
3. Its token (` + "`ops_…`" + `) is shown once. Keep it as an environment variable or a
   file, and name that here: it cannot be kept in 1Password itself.`

const doc = `The SDK starts when a secret is first needed, which takes some seconds and 130 MiB
of memory; calls follow one another. It heeds ` + "`HTTPS_PROXY`" + ` in the environment and
not the configuration's ` + "`network`" + `. A service account may read 1,000 times an hour (10,000
with 1Password Business), and an account has a limit a day.`

func open(o engine.Opening, start Start) *engine.Connection {
	v := &account{session: newSession(o, start)}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "onepassword-vault",
		Fingerprint: "onepassword-vault " + hashed(v.session.ref),
		Settle:      new(engine.DefaultSettle * 0),
		Reveal:      vault.Revealer(v),
		Offers: map[engine.Capability]any{
			vault.CapabilityVault: v, vault.CapabilitySharing: v, engine.CapabilityTest: v,
		},
	}
}

// hashed stands for the account in the fingerprint: it is in the token, which
// is not read yet, so the token's reference has to do.
func hashed(ref secret.Reference) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:8])
}

// account implements vault.Vault, vault.Sharer and engine.Tester.
type account struct{ session *session }

var (
	_ vault.Vault   = (*account)(nil)
	_ vault.Sharer  = (*account)(nil)
	_ secret.Source = (*account)(nil)
	_ engine.Tester = (*account)(nil)
)

// Read resolves a reference.
func (a *account) Read(ctx context.Context, at secret.Place) (secret.Value, error) {
	plain, err := use(ctx, a.session, func(ctx context.Context, c Core) (string, error) {
		return c.Resolve(ctx, string(at.Reference()))
	})
	if err != nil {
		return secret.Value{}, err
	}
	if plain == "" {
		return secret.Value{}, engine.Fail(engine.ClassPermanent, vault.CodeEmpty, "the field has no value")
	}
	return secret.New(plain), nil
}

// Find looks an item up by name or id.
func (a *account) Find(ctx context.Context, in, item string) (vault.Item, error) {
	return use(ctx, a.session, func(ctx context.Context, c Core) (vault.Item, error) { return c.Find(ctx, in, item) })
}

// Policy is what the account allows of shares.
func (a *account) Policy(ctx context.Context, item vault.Item) (vault.Policy, error) {
	return use(ctx, a.session, func(ctx context.Context, c Core) (vault.Policy, error) {
		return c.Policy(ctx, item.Vault, item.ID)
	})
}

// Share makes a share.
func (a *account) Share(ctx context.Context, item vault.Item, share vault.Share) (secret.Value, error) {
	link, err := use(ctx, a.session, func(ctx context.Context, c Core) (string, error) {
		return c.Share(ctx, item.Vault, item.ID, share)
	})
	if f := engine.AsFailure(err); f != nil && f.Code == codeAbandoned {
		return secret.Value{}, engine.Fail(engine.ClassUnsettled, f.Code, "%s; the item may be shared", f.Message)
	}
	return secret.New(link), err
}

// Test signs in and lists the vaults.
func (a *account) Test(ctx context.Context) ([]engine.Finding, error) {
	vaults, err := use(ctx, a.session, func(ctx context.Context, c Core) ([]vault.Named, error) { return c.Vaults(ctx) })
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err() //nolint:wrapcheck // the end of the context
	case err != nil:
		return []engine.Finding{{Subject: "sign in", Detail: advise(err)}}, nil
	}
	found := []engine.Finding{{Works: true, Subject: "sign in", Detail: "the service account's token was accepted"}}
	if len(vaults) == 0 {
		return append(found, engine.Finding{Subject: "list vaults", Detail: "it sees none: give the service account a vault with *Read items*. Where it has one already, a new one must be made: what a service account sees is chosen when it is made"}), nil
	}
	return append(found, engine.Finding{
		Works: true, Subject: "list vaults",
		Detail: fmt.Sprintf("it sees %d; whether it may *Share items* shows only when it does so", len(vaults)),
	}), nil
}

func advise(err error) string {
	f := engine.AsFailure(err)
	switch {
	case f.Code == transport.CodeUnauthorized, f.Code == CodeToken:
		return f.Message + ". Make a service account on 1password.com under Developer → Directory → Service Account and give its token"
	case f.Class == engine.ClassAuth:
		return f.Message + ". Give the service account *Read items* in the vaults it shall see"
	default:
		return f.Message
	}
}
