package identity_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

func TestUserList(t *testing.T) {
	people := []identity.User{user("a"), suspended(user("b")), user("c")}
	tests := []struct {
		name       string
		inputs     map[string]any
		want       []any
		population *engine.Population
	}{
		{"everybody", nil, []any{"a", "b", "c"}, &engine.Population{Connection: "people", Count: 3}},
		{"by state", map[string]any{"state": "suspended"}, []any{"b"}, nil},
		{"filtered", map[string]any{"where": where(`id != "a"`)}, []any{"b", "c"}, &engine.Population{Connection: "people", Count: 3}},
		{"filtered by state", map[string]any{"where": where(`state == "suspended"`)}, []any{"b"}, &engine.Population{Connection: "people", Count: 3}},
		{"nobody", map[string]any{"where": where("false")}, []any{}, &engine.Population{Connection: "people", Count: 3}},
		{"stopped early", map[string]any{"limit": int64(2)}, []any{"a", "b"}, nil},
		{"stopped early after a filter", map[string]any{"limit": int64(1), "where": where(`id != "a"`)}, []any{"b"}, nil},
		{"limit not reached", map[string]any{"limit": int64(4)}, []any{"a", "b", "c"}, &engine.Population{Connection: "people", Count: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := observe(t, identity.UserList{}, callOf(identity.UserList{}, &directory{users: people}, nil, tt.inputs))
			if diff := cmp.Diff(tt.want, pick(seen.Outputs["users"], "id")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.population, seen.Population); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUserListGivesWholeUsers(t *testing.T) {
	u := user("a")
	seen := observe(t, identity.UserList{}, callOf(identity.UserList{}, &directory{users: []identity.User{u}}, nil,
		map[string]any{"where": where("true")}))
	want := []any{map[string]any{
		"id": "a", "email": "a@example.com", "name": "User a", "state": "active", "created_at": u.CreatedAt,
	}}
	if diff := cmp.Diff(want, seen.Outputs["users"]); diff != "" {
		t.Error(diff)
	}
}

func TestUserListUsesCapturedValues(t *testing.T) {
	predicate := engine.Predicate{Source: "id == inputs.who", Captured: map[string]any{"inputs": map[string]any{"who": "b"}}}
	dir := &directory{users: []identity.User{user("a"), user("b")}}
	seen := observe(t, identity.UserList{}, callOf(identity.UserList{}, dir, nil, map[string]any{"where": predicate}))
	if diff := cmp.Diff([]any{"b"}, pick(seen.Outputs["users"], "id")); diff != "" {
		t.Error(diff)
	}
}

func TestUserListIsCompleteOrFails(t *testing.T) {
	dir := &directory{users: []identity.User{user("a"), user("b")}, err: errBroken}
	seen, err := identity.UserList{}.Observe(t.Context(), callOf(identity.UserList{}, dir, nil, nil))
	if !errors.Is(err, errBroken) || seen.Outputs != nil {
		t.Errorf("got %v, %v", seen, err)
	}
}

func TestUserListRefusesABrokenPredicate(t *testing.T) {
	dir := &directory{users: []identity.User{user("a")}}
	for _, source := range []string{`emial == "x"`, `email ==`, `email`} {
		_, err := identity.UserList{}.Observe(t.Context(), callOf(identity.UserList{}, dir, nil, map[string]any{"where": where(source)}))
		if err == nil {
			t.Errorf("%s selected without an error", source)
		}
	}
}

func TestUserListNeedsADirectory(t *testing.T) {
	fails(t, identity.UserList{}, callOf(identity.UserList{}, nil, nil, nil), engine.ClassInvalid, "connection")
}
