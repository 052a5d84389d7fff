package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// errSuspended is wrapped by the refusal of a person whose account is suspended.
var errSuspended = errors.New("may decide nothing now")

// standing makes the function that refuses people whose account is suspended in
// the directory, which is the only one or the default. Where it cannot be
// asked, nobody decides: a failed reading is no good standing. People without
// an address, or whom the directory does not know, have no account there.
func (a *app) standing(conf *config.Config, connections local.Connections) func(context.Context, engine.Person) error {
	return func(ctx context.Context, p engine.Person) error {
		catalog := conf.Catalog()
		names, err := catalog.Resolve([]engine.Capability{identity.CapabilityDirectory}, engine.ConnectionRef{})
		var unresolved *engine.ResolveError
		if p.Email == "" || errors.As(err, &unresolved) && len(unresolved.Candidates) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for the directory of %s: %w", p.Name, err)
		}
		name := names[identity.CapabilityDirectory]
		conn, err := connections.Connection(ctx, name)
		if err != nil {
			return fmt.Errorf("asking %s for %s: %w", name, p.Name, err)
		}
		return notSuspended(ctx, conn, p)
	}
}

func notSuspended(ctx context.Context, conn *engine.Connection, p engine.Person) error {
	seen, err := identity.UserGet{}.Observe(ctx, engine.Call{
		Action: "user.get", Inputs: map[string]any{"email": p.Email},
		Connections: map[engine.Capability]*engine.Connection{identity.CapabilityDirectory: conn},
	})
	if errors.Is(err, &engine.Failure{Class: engine.ClassNotFound}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("whether %s is suspended in %s cannot be seen: %w", p.Name, conn.Name, err)
	}
	user, _ := seen.Outputs["user"].(map[string]any)
	if state, _ := user["state"].(string); state != string(identity.Active) {
		return fmt.Errorf("%s %w: the account %s is suspended in %s", p.Name, errSuspended, p.Email, conn.Name)
	}
	return nil
}

// composer compiles playbooks that the engine writes itself, of an undo.
func (a *app) composer(conf *config.Config, catalog *engine.Catalog) func(context.Context, string, []byte) (*program.Program, engine.Bundle, error) {
	return func(_ context.Context, name string, source []byte) (*program.Program, engine.Bundle, error) {
		var none engine.Bundle
		actions, err := knownActions(conf)
		if err != nil {
			return nil, none, err
		}
		bundle := playbooks.Bundle{Root: name, Sources: map[string]playbooks.Source{name: {Name: name, Path: name + ".yaml", Data: source}}}
		prog, problems := playbooks.Compile(bundle, playbooks.Environment{Actions: actions, Catalog: catalog})
		if prog == nil {
			return nil, none, fmt.Errorf("it does not pass the checks:\n%s", yamldoc.Render(problems))
		}
		data, err := bundle.Encode()
		if err != nil {
			return nil, none, fmt.Errorf("packing it: %w", err)
		}
		return prog, engine.Bundle{Hash: prog.Hash, Name: name, Data: data}, nil
	}
}
