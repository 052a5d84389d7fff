package playbooks

import (
	"context"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The actions the tests check playbooks against: the shapes of the real ones,
// without anything behind them.

type observer struct{ spec engine.ActionSpec }

func (o observer) Spec() engine.ActionSpec { return o.spec }

func (observer) Observe(context.Context, engine.Call) (engine.Observation, error) {
	return engine.Observation{}, nil
}

type changer struct{ spec engine.ActionSpec }

func (c changer) Spec() engine.ActionSpec { return c.spec }

func (changer) Read(context.Context, engine.Call) (engine.Subject, error) {
	return engine.Subject{}, nil
}

func (changer) Preview(engine.Call, engine.Subject) (engine.Preview, error) {
	return engine.Preview{}, nil
}

func (changer) Perform(context.Context, engine.Call, engine.Subject) (map[string]any, error) {
	return map[string]any{}, nil
}

type announcer struct{ spec engine.ActionSpec }

func (a announcer) Spec() engine.ActionSpec { return a.spec }

func (announcer) Announce(context.Context, engine.Call) (map[string]any, error) {
	return map[string]any{}, nil
}

func userFields(more ...engine.Field) []engine.Field {
	return append([]engine.Field{
		{Name: "id", Type: engine.TypeString()},
		{Name: "email", Type: engine.TypeString()},
		{Name: "name", Type: engine.TypeString()},
		{Name: "state", Type: engine.EnumOf("active", "suspended")},
		{Name: "created_at", Type: engine.TypeTime()},
	}, more...)
}

func userType() engine.Type { return engine.MapOf(userFields()...) }

func summaryType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "failed", Type: engine.TypeInteger()},
		engine.Field{Name: "succeeded", Type: engine.TypeInteger()},
		engine.Field{Name: "success_after_failures", Type: engine.TypeInteger()},
		engine.Field{Name: "countries", Type: engine.ListOf(engine.TypeString())},
		engine.Field{Name: "last_seen", Type: engine.Maybe(engine.TypeTime())},
	)
}

func testActions(tb testing.TB) *engine.Actions {
	tb.Helper()
	actions, err := engine.NewActions(append(append(observers(), changersAndAnnouncers()...), secretActions()...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return actions
}

func observers() []engine.Action {
	one, directory := int64(1), []engine.Capability{"directory"}
	rule := engine.MapOf(
		engine.Field{Name: "name", Type: engine.TypeString(), Required: true},
		engine.Field{Name: "when", Type: engine.PredicateOver(summaryType()), Required: true},
	)
	suspect := engine.MapOf(userFields(
		engine.Field{Name: "reasons", Type: engine.ListOf(engine.TypeString())},
		engine.Field{Name: "last_seen", Type: engine.Maybe(engine.TypeTime())},
	)...)
	return []engine.Action{
		observer{engine.ActionSpec{Name: "clock.read", Summary: "Needs nothing.", Effect: engine.Observe}},
		observer{engine.ActionSpec{
			Name: "user.list", Summary: "Lists accounts.", Effect: engine.Observe, Needs: directory,
			Inputs: []engine.Field{
				{Name: "state", Type: engine.EnumOf("active", "suspended"), Doc: "Only accounts in this state."},
				{Name: "where", Type: engine.PredicateOver(userType()), Doc: "Only accounts it is true of."},
				{Name: "limit", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one, Doc: "At most so many."},
				{Name: "page_size", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one, Needs: "user_pages", Doc: "One page of so many."},
			},
			Outputs: []engine.Field{{Name: "users", Type: engine.ListOf(userType())}},
		}},
		observer{engine.ActionSpec{
			Name: "web.get", Summary: "Reads anything.", Effect: engine.Observe, Inputs: []engine.Field{
				{Name: "path", Type: engine.TypeString(), Required: true, Doc: "Where."},
				{Name: "shape", Type: engine.Type{Kind: engine.KindType}, Doc: "What it is."},
			},
			Outputs: []engine.Field{{Name: "status", Type: engine.TypeInteger()}, {Name: "body", Type: engine.TypeAny()}},
			Shape:   &engine.Shape{Input: "shape", Output: "body"},
		}},
		observer{engine.ActionSpec{
			Name: "user.get", Summary: "Finds one account.", Effect: engine.Observe, Needs: directory,
			Inputs: oneAccount(), ExactlyOne: [][]string{{"id", "email"}},
			Outputs: []engine.Field{{Name: "user", Type: userType()}},
		}},
		observer{engine.ActionSpec{
			Name: "user.find_suspicious", Summary: "Finds hijacked accounts.", Effect: engine.Observe,
			Needs: []engine.Capability{"directory", "signins"},
			Inputs: []engine.Field{
				{Name: "window", Type: engine.TypeDuration(), Default: nil, Doc: "How far back."},
				{Name: "rules", Type: engine.ListOf(rule), Required: true, Doc: "What is suspicious."},
			},
			Outputs: []engine.Field{{Name: "users", Type: engine.ListOf(suspect)}},
		}},
	}
}

func oneAccount() []engine.Field {
	return []engine.Field{
		{Name: "id", Type: engine.TypeString(), Doc: "The account's id."},
		{Name: "email", Type: engine.TypeString(), Doc: "Its address."},
	}
}

func changersAndAnnouncers() []engine.Action {
	change := func(name, inverse string, access engine.Access, inputs []engine.Field, group ...[]string) engine.Action {
		return changer{engine.ActionSpec{
			Name: name, Summary: "Changes an account.", Effect: engine.Change, Needs: []engine.Capability{"directory"},
			Inputs: inputs, ExactlyOne: group, Inverse: inverse, Access: access,
			Outputs: []engine.Field{{Name: "user", Type: userType()}},
		}}
	}
	membership := []engine.Field{
		{Name: "group", Type: engine.TypeString(), Required: true, Doc: "The group's id."},
		{Name: "user", Type: engine.TypeString(), Required: true, Doc: "The account's id."},
	}
	return []engine.Action{
		change("user.suspend", "user.reactivate", engine.Takes, oneAccount(), []string{"id", "email"}),
		change("user.reactivate", "user.suspend", engine.Gives, oneAccount(), []string{"id", "email"}),
		change("user.purge", "", "", oneAccount(), []string{"id", "email"}),
		change("group.add_member", "group.remove_member", engine.Gives, membership),
		change("group.remove_member", "group.add_member", engine.Takes, membership),
		announcer{engine.ActionSpec{
			Name: "message.send", Summary: "Tells people.", Effect: engine.Announce, Needs: []engine.Capability{"messages"},
			Inputs: []engine.Field{
				{Name: "text", Type: engine.TypeText(), Required: true, Doc: "What to say."},
				{Name: "fields", Type: engine.DictOf(engine.TypeAny()), Doc: "More data."},
			},
		}},
		announcer{engine.ActionSpec{
			Name: "ticket.open", Summary: "Opens a ticket.", Effect: engine.Announce, Needs: []engine.Capability{"tickets"},
			Inputs: []engine.Field{{Name: "title", Type: engine.TypeString(), Required: true, Doc: "Its title."}},
		}},
	}
}

// secretActions give and take values of type secret.
func secretActions() []engine.Action {
	needs := []engine.Capability{"vault"}
	return []engine.Action{
		observer{engine.ActionSpec{
			Name: "secret.read", Summary: "Reads a secret.", Effect: engine.Observe, Needs: needs,
			Inputs:  []engine.Field{{Name: "reference", Type: engine.TypeString(), Required: true, Doc: "Where it is."}},
			Outputs: []engine.Field{{Name: "value", Type: engine.TypeSecret()}},
		}},
		changer{engine.ActionSpec{
			Name: "secret.share", Summary: "Shares a secret.", Effect: engine.Change, Needs: needs, Ends: "expires",
			Inputs:  []engine.Field{{Name: "item", Type: engine.TypeString(), Required: true, Doc: "Which."}, {Name: "expires", Type: engine.TypeDuration(), Doc: "How long."}},
			Outputs: []engine.Field{{Name: "link", Type: engine.TypeSecret()}},
		}},
		observer{engine.ActionSpec{
			Name: "api.call", Summary: "Calls something.", Effect: engine.Observe,
			Inputs: []engine.Field{
				{Name: "token", Type: engine.TypeSecret(), Doc: "What it signs in with."},
				{Name: "headers", Type: engine.DictOf(engine.TypeSecret()), Doc: "What it sends along."},
				{Name: "body", Type: engine.TypeAny(), Doc: "Anything."},
			},
			Outputs: []engine.Field{{Name: "answer", Type: engine.TypeAny()}},
		}},
	}
}

func testEnvironment(tb testing.TB) Environment {
	tb.Helper()
	return Environment{Actions: testActions(tb), Catalog: &engine.Catalog{
		Connections: []engine.ConnectionInfo{
			{Name: "1password", Provider: "onepassword", Capabilities: []engine.Capability{"directory", "user_pages"}},
			{Name: "scim", Provider: "scim", Capabilities: []engine.Capability{"directory"}},
			{Name: "signins", Provider: "onepassword-events", Capabilities: []engine.Capability{"signins"}},
			{Name: "vault", Provider: "onepassword-vault", Capabilities: []engine.Capability{"vault"}},
			{Name: "slack", Provider: "slack", Capabilities: []engine.Capability{"messages"}},
			{Name: "jira", Provider: "webhook", Capabilities: []engine.Capability{"tickets"}},
			{Name: "siem", Provider: "webhook", Capabilities: []engine.Capability{"tickets"}},
		},
		Defaults: map[engine.Capability]string{"directory": "1password"},
	}, Asking: &Asking{Notify: "slack", People: []engine.Person{
		{Name: "alice", OSUser: "asmith", Email: "alice@example.com", Groups: []string{"security-oncall"}},
		{Name: "bob", Groups: []string{"security-oncall", "managers"}},
		{Name: "y"},
	}}}
}
