package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

type observer struct{ spec engine.ActionSpec }

func (o observer) Spec() engine.ActionSpec { return o.spec }
func (observer) Observe(context.Context, engine.Call) (engine.Observation, error) {
	return engine.Observation{}, nil
}

func TestAListOfActionsIsChecked(t *testing.T) {
	list := func(name string, effect engine.Effect, inverse string) engine.Action {
		return observer{engine.ActionSpec{Name: name, Effect: effect, Inverse: inverse}}
	}
	for name, tt := range map[string]struct {
		actions []engine.Action
		want    string
	}{
		"twice":           {[]engine.Action{list("a", engine.Observe, ""), list("a", engine.Observe, "")}, "a is in it twice"},
		"wrong effect":    {[]engine.Action{list("a", engine.Change, "")}, `a has the effect "change" but not its methods`},
		"unknown inverse": {[]engine.Action{list("a", engine.Observe, "b")}, "a names the inverse b, which is not in it"},
	} {
		_, err := engine.NewActions(tt.actions...)
		if !errors.Is(err, engine.ErrActions) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want ErrActions with %q", name, err, tt.want)
		}
	}
	set, err := engine.NewActions(list("b", engine.Observe, ""), list("a", engine.Observe, "b"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(set.Names(), " "); got != "a b" {
		t.Errorf("names are %q, want them sorted", got)
	}
	if _, ok := set.Named("c"); ok {
		t.Error("an action that is not in the list was found")
	}
}

func TestConnectionsAreResolved(t *testing.T) {
	catalog := engine.Catalog{
		Connections: []engine.ConnectionInfo{
			{Name: "op", Capabilities: []engine.Capability{"directory"}},
			{Name: "scim", Capabilities: []engine.Capability{"directory"}},
			{Name: "events", Capabilities: []engine.Capability{"signins"}},
		},
		Defaults: map[engine.Capability]string{"directory": "op"},
	}
	for name, tt := range map[string]struct {
		need    engine.Capability
		ref     engine.ConnectionRef
		want    string
		problem string
	}{
		"the only one":         {"signins", engine.ConnectionRef{}, "events", ""},
		"the default":          {"directory", engine.ConnectionRef{}, "op", ""},
		"named":                {"directory", engine.ConnectionRef{Name: "scim"}, "scim", ""},
		"named per capability": {"directory", engine.ConnectionRef{ByCapability: map[engine.Capability]string{"directory": "scim"}}, "scim", ""},
		"lacks it":             {"directory", engine.ConnectionRef{Name: "events"}, "", `connection "events" does not offer the capability "directory"; these offer it: op, scim`},
		"unknown":              {"directory", engine.ConnectionRef{Name: "opp"}, "", `there is no connection "opp"`},
		"nobody offers it":     {"messages", engine.ConnectionRef{}, "", `"messages" is needed and no connection of the configuration offers it`},
	} {
		got, err := catalog.Resolve([]engine.Capability{tt.need}, tt.ref)
		var resolve *engine.ResolveError
		switch {
		case tt.problem == "" && (err != nil || got[tt.need] != tt.want):
			t.Errorf("%s: %v, %v, want %s", name, got, err, tt.want)
		case tt.problem != "" && (!errors.As(err, &resolve) || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("%s: %v, want %q", name, err, tt.problem)
		}
	}
	catalog.Defaults = nil
	if _, err := catalog.Resolve([]engine.Capability{"directory"}, engine.ConnectionRef{}); err == nil || !strings.Contains(err.Error(), "several connections offer") {
		t.Errorf("two candidates and no default: %v", err)
	}
}
