package identity_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// groups is an identity.Groups in memory.
type groups struct {
	groups  []identity.Group
	members map[string][]identity.Member
	err     error // after the groups or members, and of changes
	changed []string
}

func clubs() *groups {
	return &groups{
		groups: []identity.Group{{ID: "g1", Name: "Admins"}, {ID: "g2", Name: "Visitors"}, {ID: "g3", Name: "Twice"}, {ID: "g4", Name: "Twice"}, {ID: "g5", Name: "admins"}},
		members: map[string][]identity.Member{
			"g1": {{ID: "a", Email: "a@example.com", Name: "User a"}, {ID: "c"}},
		},
	}
}

func (g *groups) Groups(context.Context) iter.Seq2[identity.Group, error] {
	return stream(g.groups, g.err)
}

func (g *groups) Group(_ context.Context, id string) (identity.Group, error) {
	for _, group := range g.groups {
		if group.ID == id {
			return group, nil
		}
	}
	return identity.Group{}, engine.Fail(engine.ClassNotFound, "group_not_found", "there is no group %s", id)
}

func (g *groups) Members(_ context.Context, group string) iter.Seq2[identity.Member, error] {
	return stream(g.members[group], g.err)
}

func (g *groups) IsMember(_ context.Context, group, user string) (bool, error) {
	return slices.ContainsFunc(g.members[group], func(m identity.Member) bool { return m.ID == user }), g.err
}

func (g *groups) AddMember(_ context.Context, group, user string) error {
	g.changed = append(g.changed, "add "+user+" to "+group)
	return g.err
}

func (g *groups) RemoveMember(_ context.Context, group, user string) error {
	g.changed = append(g.changed, "remove "+user+" from "+group)
	return g.err
}

// groupCall is a call on groups; without a directory beside them for nil.
func groupCall(action engine.Action, g *groups, dir *directory, inputs map[string]any) engine.Call {
	call := callOf(action, nil, nil, inputs)
	conn := &engine.Connection{Name: "people", Offers: map[engine.Capability]any{identity.CapabilityGroups: g}}
	if dir != nil {
		conn.Offers[identity.CapabilityDirectory] = dir
	}
	call.Connections[identity.CapabilityGroups] = conn
	return call
}

func TestGroupList(t *testing.T) {
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   []any
	}{
		"all":                      {nil, []any{"g1", "g2", "g3", "g4", "g5"}},
		"filtered":                 {map[string]any{"where": where(`name == "Twice"`)}, []any{"g3", "g4"}},
		"none":                     {map[string]any{"where": where("false")}, []any{}},
		"stopped early":            {map[string]any{"limit": int64(2)}, []any{"g1", "g2"}},
		"stopped after a filter":   {map[string]any{"limit": int64(1), "where": where(`id != "g1"`)}, []any{"g2"}},
		"a limit that is not met":  {map[string]any{"limit": int64(9)}, []any{"g1", "g2", "g3", "g4", "g5"}},
		"a limit and nothing fits": {map[string]any{"limit": int64(1), "where": where("false")}, []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := observe(t, identity.GroupList{}, groupCall(identity.GroupList{}, clubs(), nil, tt.inputs))
			if diff := cmp.Diff(tt.want, pick(seen.Outputs["groups"], "id")); diff != "" {
				t.Error(diff)
			}
			if seen.Population != nil {
				t.Error("groups are no people to take a percentage of")
			}
		})
	}
}

func TestGroupGet(t *testing.T) {
	for _, inputs := range []map[string]any{{"id": "g1"}, {"name": "Admins"}} {
		seen := observe(t, identity.GroupGet{}, groupCall(identity.GroupGet{}, clubs(), nil, inputs))
		want := map[string]any{
			"group": map[string]any{"id": "g1", "name": "Admins"},
			"members": []any{
				map[string]any{"id": "a", "email": "a@example.com", "name": "User a"},
				map[string]any{"id": "c", "email": nil, "name": ""},
			},
		}
		if diff := cmp.Diff(want, seen.Outputs); diff != "" {
			t.Errorf("%v: %s", inputs, diff)
		}
	}
}

func TestGroupGetFails(t *testing.T) {
	for name, tt := range map[string]struct {
		inputs map[string]any
		class  engine.Class
		code   string
	}{
		"unknown id":          {map[string]any{"id": "g9"}, engine.ClassNotFound, "group_not_found"},
		"unknown name":        {map[string]any{"name": "ADMINS"}, engine.ClassNotFound, "group_not_found"},
		"two of the name":     {map[string]any{"name": "Twice"}, engine.ClassInvalid, "ambiguous"},
		"nothing":             {nil, engine.ClassInvalid, "no_group"},
		"a part of the name":  {map[string]any{"name": "Admin"}, engine.ClassNotFound, "group_not_found"},
		"an empty name":       {map[string]any{"name": ""}, engine.ClassInvalid, "no_group"},
		"a name with a blank": {map[string]any{"name": "Admins "}, engine.ClassNotFound, "group_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, identity.GroupGet{}, groupCall(identity.GroupGet{}, clubs(), nil, tt.inputs), tt.class, tt.code)
		})
	}
}

func TestGroupsAreReadCompletelyOrNotAtAll(t *testing.T) {
	for name, tt := range map[string]struct {
		action engine.Observer
		inputs map[string]any
	}{
		"the list":     {identity.GroupList{}, nil},
		"by name":      {identity.GroupGet{}, map[string]any{"name": "Admins"}},
		"the members":  {identity.GroupGet{}, map[string]any{"id": "g1"}},
		"of a filter":  {identity.GroupList{}, map[string]any{"where": where("false")}},
		"with a limit": {identity.GroupList{}, map[string]any{"limit": int64(100)}},
	} {
		t.Run(name, func(t *testing.T) {
			g := clubs()
			g.err = errBroken
			seen, err := tt.action.Observe(t.Context(), groupCall(tt.action, g, nil, tt.inputs))
			if !errors.Is(err, errBroken) || seen.Outputs != nil {
				t.Errorf("got %v, %v", seen.Outputs, err)
			}
		})
	}
}

func TestChangesOfMembership(t *testing.T) {
	add, remove := identity.GroupAddMember{}, identity.GroupRemoveMember{}
	for name, tt := range map[string]struct {
		action  engine.Changer
		user    string
		after   bool
		inverse string // "" where there is nothing to do
		service []string
	}{
		"add":                 {add, "b", true, "group.remove_member", []string{"add b to g1"}},
		"add who is in it":    {add, "a", true, "", nil},
		"remove":              {remove, "a", false, "group.add_member", []string{"remove a from g1"}},
		"remove who is not":   {remove, "b", false, "", nil},
		"remove, of no name":  {remove, "c", false, "group.add_member", []string{"remove c from g1"}},
		"add, of a long name": {add, "d", true, "group.remove_member", []string{"add d to g1"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, dir := clubs(), &directory{users: []identity.User{user("a"), user("b"), user("c"), user("d")}}
			inputs := map[string]any{"group": "g1", "user": tt.user}
			call := groupCall(tt.action, g, dir, inputs)
			before, err := tt.action.Read(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			preview, err := tt.action.Preview(call, before)
			if err != nil {
				t.Fatal(err)
			}
			checkOutputs(t, tt.action, preview.Outputs)
			var want *engine.Invocation
			if tt.inverse != "" {
				want = &engine.Invocation{Action: tt.inverse, Inputs: inputs}
			}
			if diff := cmp.Diff(want, preview.Inverse); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]any{"member": tt.after}, preview.After); diff != "" {
				t.Error(diff)
			}
			if cmp.Equal(before.State, preview.After) != (tt.inverse == "") || preview.Outputs["changed"] != (tt.inverse != "") {
				t.Errorf("%v becomes %v, changed %v", before.State, preview.After, preview.Outputs["changed"])
			}
			if tt.inverse == "" {
				return
			}
			outputs, err := tt.action.Perform(t.Context(), call, before)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(preview.Outputs, outputs); diff != "" {
				t.Errorf("performed otherwise than previewed: %s", diff)
			}
			if diff := cmp.Diff(tt.service, g.changed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadNamesTheMembership(t *testing.T) {
	for name, tt := range map[string]struct {
		dir  *directory
		user string
		want engine.Subject
	}{
		"the directory says who it is": {&directory{users: []identity.User{user("b")}}, "b", engine.Subject{
			Target: engine.Target{ID: "g1/b", Name: "User b in Admins"}, State: map[string]any{"member": false}, Aliases: []string{"b", "g1", "b@example.com"},
		}},
		"the group says it": {nil, "a", engine.Subject{
			Target: engine.Target{ID: "g1/a", Name: "User a in Admins"}, State: map[string]any{"member": true}, Aliases: []string{"a", "g1", "a@example.com"},
		}},
		"nobody says it": {nil, "x/y", engine.Subject{
			Target: engine.Target{ID: "g1/x%2Fy", Name: "x/y in Admins"}, State: map[string]any{"member": false}, Aliases: []string{"x/y", "g1"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			call := groupCall(identity.GroupAddMember{}, clubs(), tt.dir, map[string]any{"group": "g1", "user": tt.user})
			got, err := identity.GroupAddMember{}.Read(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(engine.Subject{}, "Connection", "Record")); diff != "" {
				t.Error(diff)
			}
			if got.Connection == nil || got.Connection.Name != "people" {
				t.Errorf("the connection is %v", got.Connection)
			}
		})
	}
}

func TestReadOfAMembershipThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		inputs map[string]any
		class  engine.Class
	}{
		"no such group": {map[string]any{"group": "g9", "user": "a"}, engine.ClassNotFound},
		"no such user":  {map[string]any{"group": "g1", "user": "z"}, engine.ClassNotFound},
		"no group":      {map[string]any{"group": "", "user": "a"}, engine.ClassInvalid},
		"no user":       {map[string]any{"group": "g1"}, engine.ClassInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, action := range []engine.Changer{identity.GroupAddMember{}, identity.GroupRemoveMember{}} {
				dir := &directory{users: []identity.User{user("a")}}
				_, err := action.Read(t.Context(), groupCall(action, clubs(), dir, tt.inputs))
				if f := engine.AsFailure(err); f == nil || f.Class != tt.class {
					t.Errorf("%s: got %v", action.Spec().Name, err)
				}
			}
		})
	}
}

func TestMembershipFailsWithTheService(t *testing.T) {
	refusal := engine.Fail(engine.ClassPermanent, "externally_managed", "the group is managed elsewhere")
	for _, action := range []engine.Changer{identity.GroupAddMember{}, identity.GroupRemoveMember{}} {
		g := clubs()
		g.err = refusal
		call := groupCall(action, g, nil, map[string]any{"group": "g1", "user": "a"})
		if _, err := action.Perform(t.Context(), call, engine.Subject{}); !errors.Is(err, refusal) {
			t.Errorf("%s: got %v", action.Spec().Name, err)
		}
		if _, err := action.Read(t.Context(), groupCall(action, g, nil, map[string]any{"group": "g2", "user": "b"})); !errors.Is(err, refusal) {
			t.Errorf("%s: a listing that broke was taken for a whole one: %v", action.Spec().Name, err)
		}
	}
}
