package identity_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

func TestUserListOnePage(t *testing.T) {
	people := []identity.User{user("a"), user("b"), user("c")}
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   []any
		next   any
	}{
		"the first":             {map[string]any{"page_size": int64(2)}, []any{"a", "b"}, "2"},
		"the last":              {map[string]any{"page_size": int64(2), "page_token": "2"}, []any{"c"}, nil},
		"all on one":            {map[string]any{"page_size": int64(9)}, []any{"a", "b", "c"}, nil},
		"the service's size":    {map[string]any{"page_token": "1"}, []any{"b"}, "2"},
		"an empty token":        {map[string]any{"page_token": ""}, []any{"a"}, "1"},
		"filtered on the page":  {map[string]any{"page_size": int64(2), "where": where(`id != "a"`)}, []any{"b"}, "2"},
		"nobody on it, yet not": {map[string]any{"page_size": int64(2), "where": where("false")}, []any{}, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := observe(t, identity.UserList{}, callOf(identity.UserList{}, &directory{users: people}, nil, tt.inputs))
			if diff := cmp.Diff(tt.want, pick(seen.Outputs["users"], "id")); diff != "" || seen.Outputs["next_page_token"] != tt.next {
				t.Errorf("next is %v, want %v; %s", seen.Outputs["next_page_token"], tt.next, diff)
			}
			if seen.Population != nil {
				t.Errorf("one page counts as a population of %d", seen.Population.Count)
			}
		})
	}
}

func TestUserListOnePageFails(t *testing.T) {
	dir := &directory{users: []identity.User{user("a")}}
	both := map[string]any{"page_size": int64(2), "limit": int64(1)}
	fails(t, identity.UserList{}, callOf(identity.UserList{}, dir, nil, both), engine.ClassInvalid, "limit")
	without := callOf(identity.UserList{}, dir, nil, map[string]any{"page_size": int64(2)})
	delete(without.Connections[identity.CapabilityDirectory].Offers, identity.CapabilityUserPages)
	fails(t, identity.UserList{}, without, engine.ClassInvalid, identity.CodeNoPages)
	dir.err = errBroken
	if _, err := (identity.UserList{}).Observe(t.Context(), callOf(identity.UserList{}, dir, nil, map[string]any{"page_size": int64(2)})); !errors.Is(err, errBroken) {
		t.Errorf("a page that broke: %v", err)
	}
}
