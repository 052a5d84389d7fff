package onepasswordconnect

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// Provider declares `provider: onepassword-connect`.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "onepassword-connect",
		Summary: "Items of 1Password vaults, read through a Connect server.",
		Doc:     doc,
		Setup:   setup,
		Settings: []engine.Field{
			{Name: "base_url", Type: engine.TypeString(), Required: true, Example: "http://localhost:8080",
				Doc: "The Connect server's address, without /v1: https, or http on this machine."},
			{Name: "token", Type: engine.Type{Kind: engine.KindSecret}, Required: true, Example: "env://OP_CONNECT_TOKEN",
				Doc: "An access token of the Connect server."},
		},
		Capabilities: []engine.Capability{vault.CapabilityVault, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. On 1password.com open *Developer → Directory → Connect Server* and create one with
   the vaults it shall see. It gives a file of credentials for the server itself and
   an access token; both are shown once.
2. Give the token *Read* on those vaults. Nothing more is needed.
3. Run the server (the images ` + "`1password/connect-api` and `1password/connect-sync`" + `) and
   name its address as ` + "`base_url`" + ` and the access token as ` + "`token`" + ` here.`

const doc = `A Connect server reads items and knows neither users nor shares: ` + "`secret.share`" + `
needs the provider onepassword-vault. It has no limit of reads of its own.`

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	raw, _ := o.Settings["base_url"].(string)
	base, err := transport.BaseURL(raw)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	ref, _ := o.Settings["token"].(secret.Reference)
	s := &server{client: transport.New(options.For(o)), base: base + "/v1", credential: transport.Bearer(o.Secrets, "token", ref)}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "onepassword-connect",
		Fingerprint: "onepassword-connect " + base,
		Reveal:      vault.Revealer(s),
		Offers:      map[engine.Capability]any{vault.CapabilityVault: s, engine.CapabilityTest: s},
	}, nil
}

// Test lists the vaults.
func (s *server) Test(ctx context.Context) ([]engine.Finding, error) {
	vaults, err := s.vaults(ctx, "")
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err() //nolint:wrapcheck // the end of the context
	case err != nil:
		return []engine.Finding{{Subject: "list vaults", Detail: advise(err)}}, nil
	case len(vaults) == 0:
		return []engine.Finding{{Subject: "list vaults", Detail: "it sees none: give the Connect server's access token *Read* on a vault"}}, nil
	}
	return []engine.Finding{{Works: true, Subject: "list vaults", Detail: fmt.Sprintf("it sees %d", len(vaults))}}, nil
}

func advise(err error) string {
	f := engine.AsFailure(err)
	switch f.Class {
	case engine.ClassAuth:
		return f.Message + ". Make an access token on 1password.com under Developer → Directory → Connect Server, for this very server"
	case engine.ClassNotFound:
		return f.Message + ". Is `base_url` the address of a Connect server, without /v1?"
	default:
		return f.Message
	}
}
