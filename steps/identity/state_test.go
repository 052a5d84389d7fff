package identity_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

func TestChangesOfState(t *testing.T) {
	tests := []struct {
		name    string
		action  engine.Changer
		from    identity.User
		after   string
		changes bool
		inverse string
		service []string
	}{
		{"suspend", identity.UserSuspend{}, user("a"), "suspended", true, "user.reactivate", []string{"suspend a"}},
		{"suspend again", identity.UserSuspend{}, suspended(user("a")), "suspended", false, "", nil},
		{"reactivate", identity.UserReactivate{}, suspended(user("a")), "active", true, "user.suspend", []string{"reactivate a"}},
		{"reactivate again", identity.UserReactivate{}, user("a"), "active", false, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := &directory{users: []identity.User{tt.from, user("b")}}
			call := callOf(tt.action, dir, nil, map[string]any{"id": "a"})
			before, err := tt.action.Read(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			preview, err := tt.action.Preview(call, before)
			if err != nil {
				t.Fatal(err)
			}
			checkPreview(t, tt.action, preview, tt.after, tt.changes, tt.inverse)
			if !tt.changes {
				return
			}
			outputs, err := tt.action.Perform(t.Context(), call, before)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(preview.Outputs, outputs); diff != "" {
				t.Errorf("performed otherwise than previewed: %s", diff)
			}
			if diff := cmp.Diff(tt.service, dir.changed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func checkPreview(t *testing.T, action engine.Action, p engine.Preview, after string, changes bool, inverse string) {
	t.Helper()
	checkOutputs(t, action, p.Outputs)
	if diff := cmp.Diff(map[string]any{"state": after}, p.After); diff != "" {
		t.Error(diff)
	}
	if got := p.Outputs["changed"]; got != changes {
		t.Errorf("changed is %v, want %v", got, changes)
	}
	if got := p.Outputs["user"].(map[string]any)["state"]; got != after {
		t.Errorf("the user is %v, want %v", got, after)
	}
	var want *engine.Invocation
	if inverse != "" {
		want = &engine.Invocation{Action: inverse, Inputs: map[string]any{"id": "a"}}
	}
	if diff := cmp.Diff(want, p.Inverse); diff != "" {
		t.Error(diff)
	}
}

func TestReadNamesTheTarget(t *testing.T) {
	unnamed := user("b")
	unnamed.Name = ""
	dir := &directory{users: []identity.User{user("a"), unnamed}}
	tests := []struct {
		inputs map[string]any
		want   engine.Subject
	}{
		{map[string]any{"id": "a"}, engine.Subject{
			Target: engine.Target{ID: "a", Name: "User a"}, State: map[string]any{"state": "active"}, Aliases: []string{"a@example.com"},
		}},
		{map[string]any{"email": "B@EXAMPLE.com"}, engine.Subject{
			Target: engine.Target{ID: "b", Name: "b@example.com"}, State: map[string]any{"state": "active"}, Aliases: []string{"b@example.com"},
			Population: &engine.Population{Connection: "people", Count: 2}, // the whole directory was read to find it
		}},
	}
	for _, tt := range tests {
		got, err := identity.UserSuspend{}.Read(t.Context(), callOf(identity.UserSuspend{}, dir, nil, tt.inputs))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(engine.Subject{}, "Connection", "Record")); diff != "" {
			t.Error(diff)
		}
		if got.Connection == nil || got.Connection.Name != "people" {
			t.Errorf("the connection is %v", got.Connection)
		}
	}
}

func TestRecognizesTheTargetInARow(t *testing.T) {
	row := func(change map[string]any) map[string]any {
		r := map[string]any{"id": "a", "email": "a@example.com", "name": "User a", "state": "active", "created_at": "2026-01-05T10:00:00.000Z", "reasons": []any{"x"}}
		for name, v := range change {
			if r[name] = v; v == nil {
				delete(r, name)
			}
		}
		return r
	}
	for name, tt := range map[string]struct {
		inputs map[string]any
		row    map[string]any
		want   bool
	}{
		"its id":                  {map[string]any{"id": "a"}, row(nil), true},
		"another's id":            {map[string]any{"id": "b"}, row(nil), false},
		"an address is no proof":  {map[string]any{"email": "a@example.com"}, row(nil), false},
		"a row without the state": {map[string]any{"id": "a"}, row(map[string]any{"state": nil}), false},
		"a state nobody knows":    {map[string]any{"id": "a"}, row(map[string]any{"state": "locked"}), false},
		"a time that is none":     {map[string]any{"id": "a"}, row(map[string]any{"created_at": "yesterday"}), false},
		"no row of a user":        {map[string]any{"id": "a"}, map[string]any{"id": "a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			call := callOf(identity.UserSuspend{}, &directory{users: []identity.User{user("a")}}, nil, tt.inputs)
			got, ok := identity.UserSuspend{}.Recognize(call, tt.row)
			if ok != tt.want {
				t.Fatalf("recognized: %v", ok)
			}
			if !ok {
				return
			}
			read, err := identity.UserSuspend{}.Read(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read, got, cmpopts.IgnoreFields(engine.Subject{}, "Connection", "Record")); diff != "" {
				t.Errorf("the row shows something else than the service (-read +row):\n%s", diff)
			}
		})
	}
}

func TestReadOfAMissingUser(t *testing.T) {
	for _, action := range []engine.Changer{identity.UserSuspend{}, identity.UserReactivate{}} {
		_, err := action.Read(t.Context(), callOf(action, &directory{}, nil, map[string]any{"id": "z"}))
		if !errors.Is(err, &engine.Failure{Class: engine.ClassNotFound}) {
			t.Errorf("%s: got %v", action.Spec().Name, err)
		}
	}
}

func TestPerformFailsWithTheService(t *testing.T) {
	lastOwner := engine.Fail(engine.ClassPermanent, "last_owner", "the last owner cannot be suspended")
	for _, action := range []engine.Changer{identity.UserSuspend{}, identity.UserReactivate{}} {
		dir := &directory{err: lastOwner}
		_, err := action.Perform(t.Context(), callOf(action, dir, nil, nil), engine.Subject{Target: engine.Target{ID: "a"}})
		if f := engine.AsFailure(err); f == nil || f.Code != "last_owner" || f.Class != engine.ClassPermanent {
			t.Errorf("%s: got %v", action.Spec().Name, err)
		}
	}
}
