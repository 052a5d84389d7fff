package enginetest

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Actions are the actions of the suite's playbooks.
func Actions() []engine.Action {
	return []engine.Action{
		look{}, list{}, list{counts: true}, odd{}, tell{},
		turn{name: "world.lock", verb: "lock", to: locked, inverse: "world.unlock", access: engine.Takes},
		turn{name: "world.unlock", verb: "unlock", to: open, inverse: "world.lock", access: engine.Gives},
		turn{name: "world.erase", verb: "erase", to: erased},
		post{name: "world.post", verb: "post"}, post{name: "world.file", verb: "file", repeatable: true},
	}
}

func accountType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "email", Type: engine.TypeString()},
		engine.Field{Name: "state", Type: engine.EnumOf(open, locked, erased)},
	)
}

func id() []engine.Field {
	return []engine.Field{{Name: "id", Type: engine.TypeString(), Required: true, Doc: "Which account."}}
}

func spec(name, summary string, effect engine.Effect, inputs, outputs []engine.Field) engine.ActionSpec {
	return engine.ActionSpec{
		Name: name, Summary: summary, Effect: effect, Needs: []engine.Capability{capability}, Inputs: inputs, Outputs: outputs,
	}
}

func reach(call engine.Call) (service, *engine.Connection, error) {
	return engine.Offered[service](call, capability)
}

// look is world.look.
type look struct{}

// Spec declares world.look.
func (look) Spec() engine.ActionSpec {
	return spec("world.look", "Shows an account.", engine.Observe, id(), []engine.Field{{Name: "account", Type: accountType()}})
}

// Observe shows the account.
func (look) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	s, _, err := reach(call)
	if err != nil {
		return engine.Observation{}, err
	}
	seen, err := s.read(ctx, "look", fmt.Sprint(call.Inputs["id"]))
	return engine.Observation{Outputs: map[string]any{"account": seen}}, err
}

// list is world.list, and world.census, which also says how many there are.
type list struct{ counts bool }

// Spec declares the action.
func (a list) Spec() engine.ActionSpec {
	name := "world.list"
	if a.counts {
		name = "world.census"
	}
	return spec(name, "Shows every account.", engine.Observe, nil,
		[]engine.Field{{Name: "accounts", Type: engine.ListOf(accountType())}})
}

// Observe shows the accounts.
func (a list) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	s, _, err := reach(call)
	if err != nil {
		return engine.Observation{}, err
	}
	all, err := s.list(ctx)
	seen := engine.Observation{Outputs: map[string]any{"accounts": all}}
	if a.counts {
		seen.Population = &engine.Population{Connection: connectionName, Count: s.world.population(len(all))}
	}
	return seen, err
}

// odd is world.odd, whose answers do not fit its declaration.
type odd struct{}

// Spec declares world.odd.
func (odd) Spec() engine.ActionSpec {
	return spec("world.odd", "Answers with the wrong shape.", engine.Observe, nil,
		[]engine.Field{{Name: "count", Type: engine.TypeInteger()}})
}

// Observe answers with a word instead of a number.
func (odd) Observe(context.Context, engine.Call) (engine.Observation, error) {
	return engine.Observation{Outputs: map[string]any{"count": "many"}}, nil
}

// tell is world.tell.
type tell struct{}

// Spec declares world.tell.
func (tell) Spec() engine.ActionSpec {
	return spec("world.tell", "Tells people.", engine.Announce,
		[]engine.Field{{Name: "text", Type: engine.TypeText(), Required: true}}, nil)
}

// Announce sends the text.
func (tell) Announce(ctx context.Context, call engine.Call) (map[string]any, error) {
	s, _, err := reach(call)
	if err != nil {
		return nil, err
	}
	text, _ := call.Inputs["text"].(engine.Text)
	return nil, s.tell(ctx, text.String())
}

// turn is world.lock, world.unlock, and world.erase, which has no way back.
type turn struct {
	name, verb, to, inverse string
	access                  engine.Access
}

// Spec declares the action.
func (a turn) Spec() engine.ActionSpec {
	s := spec(a.name, "Turns an account.", engine.Change, id(), []engine.Field{
		{Name: "changed", Type: engine.TypeBool()},
		{Name: "account", Type: accountType()},
	})
	s.Inverse, s.Access = a.inverse, a.access
	return s
}

// Read shows the account.
func (a turn) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	s, conn, err := reach(call)
	if err != nil {
		return engine.Subject{}, err
	}
	seen, err := s.read(ctx, "read", fmt.Sprint(call.Inputs["id"]))
	if err != nil {
		return engine.Subject{}, err
	}
	return engine.Subject{
		Connection: conn,
		Target:     engine.Target{ID: fmt.Sprint(seen["id"]), Name: "Account " + fmt.Sprint(seen["id"])},
		State:      map[string]any{"state": seen["state"]},
		Aliases:    []string{fmt.Sprint(seen["email"])},
		Record:     seen,
	}, nil
}

// Preview says how it would be.
func (a turn) Preview(_ engine.Call, before engine.Subject) (engine.Preview, error) {
	p := engine.Preview{After: map[string]any{"state": a.to}, Outputs: a.outputs(before)}
	if a.inverse != "" {
		p.Inverse = &engine.Invocation{Action: a.inverse, Inputs: map[string]any{"id": before.Target.ID}}
	}
	return p, nil
}

// Perform turns it.
func (a turn) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	s, _, err := reach(call)
	if err != nil {
		return nil, err
	}
	if err := s.change(ctx, a.verb, before.Target.ID, a.to); err != nil {
		return nil, err
	}
	return a.outputs(before), nil
}

func (a turn) outputs(before engine.Subject) map[string]any {
	return map[string]any{
		"changed": before.State["state"] != a.to,
		"account": map[string]any{"id": before.Record["id"], "email": before.Record["email"], "state": a.to},
	}
}

// post is world.post, which no read shows, and world.file, of which twice is as
// good as once.
type post struct {
	name, verb string
	repeatable bool
}

// Spec declares the action.
func (a post) Spec() engine.ActionSpec {
	return spec(a.name, "Posts something nobody sees.", engine.Change, id(), []engine.Field{{Name: "receipt", Type: engine.TypeString()}})
}

// Read reads nothing.
func (a post) Read(_ context.Context, call engine.Call) (engine.Subject, error) {
	_, conn, err := reach(call)
	id := fmt.Sprint(call.Inputs["id"])
	return engine.Subject{
		Connection: conn, Target: engine.Target{ID: id, Name: "Letter " + id}, State: map[string]any{"posted": false},
		Blind: true, Repeatable: a.repeatable,
	}, err
}

// Preview says that it would be posted; what the receipt says only posting tells.
func (a post) Preview(engine.Call, engine.Subject) (engine.Preview, error) {
	return engine.Preview{After: map[string]any{"posted": true}}, nil
}

// Perform posts it.
func (a post) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	s, _, err := reach(call)
	if err != nil {
		return nil, err
	}
	return map[string]any{"receipt": "receipt of " + before.Target.ID}, s.post(ctx, a.verb, before.Target.ID)
}
