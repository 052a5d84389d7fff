package identity_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// townsfolk are people whose addresses resemble each other.
func townsfolk() []identity.User {
	a, b, c, d := user("a"), user("b"), user("c"), user("d")
	a.Email = "Kim@Example.com"
	b.Email = "twice@example.com"
	c.Email = "TWICE@example.com"
	d.Email = "\u212aim@example.com" // Kelvin sign
	return []identity.User{a, b, c, d}
}

func TestUserGet(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]any
		want   string
	}{
		{"by id", map[string]any{"id": "b"}, "b"},
		{"by address", map[string]any{"email": "Kim@Example.com"}, "a"},
		{"by address in other case", map[string]any{"email": "kIM@example.COM"}, "a"},
		{"by an address that only looks the same", map[string]any{"email": "\u212aIM@example.com"}, "d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := observe(t, identity.UserGet{}, callOf(identity.UserGet{}, &directory{users: townsfolk()}, nil, tt.inputs))
			if got := seen.Outputs["user"].(map[string]any)["id"]; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUserGetTellsThePopulationItRead(t *testing.T) {
	dir := &directory{users: townsfolk()}
	seen := observe(t, identity.UserGet{}, callOf(identity.UserGet{}, dir, nil, map[string]any{"email": "kim@example.com"}))
	if diff := cmp.Diff(&engine.Population{Connection: "people", Count: 4}, seen.Population); diff != "" {
		t.Error(diff)
	}
	seen = observe(t, identity.UserGet{}, callOf(identity.UserGet{}, dir, nil, map[string]any{"id": "a"}))
	if seen.Population != nil {
		t.Errorf("one user is no population: %v", seen.Population)
	}
}

func TestUserGetFails(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]any
		class  engine.Class
		code   string
	}{
		{"unknown id", map[string]any{"id": "z"}, engine.ClassNotFound, "user_not_found"},
		{"unknown address", map[string]any{"email": "z@example.com"}, engine.ClassNotFound, "user_not_found"},
		{"ambiguous address", map[string]any{"email": "twice@example.com"}, engine.ClassInvalid, "ambiguous"},
		{"nothing", nil, engine.ClassInvalid, "no_user"},
		{"empty address", map[string]any{"email": ""}, engine.ClassInvalid, "no_user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fails(t, identity.UserGet{}, callOf(identity.UserGet{}, &directory{users: townsfolk()}, nil, tt.inputs), tt.class, tt.code)
		})
	}
}

// finder is a directory that can be asked for an address.
type finder struct {
	directory

	found []identity.User
	err   error
}

func (f *finder) UserByEmail(_ context.Context, email string) (identity.User, error) {
	if f.err != nil {
		return identity.User{}, f.err
	}
	return identity.OneByEmail(email, f.found)
}

func TestADirectoryThatKnowsAddressesIsAsked(t *testing.T) {
	ask := func(f *finder, action engine.Action) engine.Call {
		call := callOf(action, &f.directory, nil, map[string]any{"email": "kim@example.com"})
		call.Connections[identity.CapabilityDirectory].Offers[identity.CapabilityDirectory] = f
		return call
	}
	f := &finder{found: []identity.User{user("a")}}
	seen := observe(t, identity.UserGet{}, ask(f, identity.UserGet{}))
	if got := seen.Outputs["user"].(map[string]any)["id"]; got != "a" || len(f.asked) > 0 || seen.Population != nil {
		t.Errorf("got %v, after listing %v, of %v", got, f.asked, seen.Population)
	}
	for _, action := range []engine.Changer{identity.UserSuspend{}, identity.UserReactivate{}} {
		subject, err := action.Read(t.Context(), ask(f, action))
		if err != nil || subject.Target.ID != "a" || len(f.asked) > 0 {
			t.Errorf("%s: %+v, %v, after listing %v", action.Spec().Name, subject, err, f.asked)
		}
	}
	f.found = []identity.User{user("a"), user("b")}
	fails(t, identity.UserGet{}, ask(f, identity.UserGet{}), engine.ClassInvalid, "ambiguous")
	f.found = nil
	fails(t, identity.UserGet{}, ask(f, identity.UserGet{}), engine.ClassNotFound, "user_not_found")
	f.err = errBroken
	if _, err := (identity.UserGet{}).Observe(t.Context(), ask(f, identity.UserGet{})); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestUserGetReadsEveryPageForAnAddress(t *testing.T) {
	dir := &directory{users: townsfolk(), err: errBroken}
	_, err := identity.UserGet{}.Observe(t.Context(), callOf(identity.UserGet{}, dir, nil, map[string]any{"email": "kim@example.com"}))
	if !errors.Is(err, errBroken) {
		t.Errorf("a second user with the address may be on the page that broke, but got %v", err)
	}
}
