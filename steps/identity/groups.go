package identity

import (
	"context"
	"iter"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CapabilityGroups is what the actions on groups need: Groups.
const CapabilityGroups engine.Capability = "groups"

// Group is a group of accounts.
type Group struct {
	ID      string
	Name    string // foreign text: never markup
	Account string // the tenant it belongs to; "" where the service does not say
}

// Member is an account that is in a group.
type Member struct {
	ID    string // of the account
	Email string // "" where the listing of the group does not say it
	Name  string // foreign text; "" likewise
}

// Groups is a service that keeps groups of accounts. Groups in groups are not
// followed: all of it is about direct members that are accounts.
type Groups interface {
	// Groups yields every group. It is complete or ends with an error.
	Groups(ctx context.Context) iter.Seq2[Group, error]
	// Group finds one group by its id; not_found when there is none.
	Group(ctx context.Context, id string) (Group, error)
	// Members yields every member of a group. It is complete or ends with an
	// error, which is not_found when there is no such group.
	Members(ctx context.Context, group string) iter.Seq2[Member, error]
	// IsMember reports whether an account is in a group; not_found when there
	// is no such group.
	IsMember(ctx context.Context, group, user string) (bool, error)
	// AddMember puts an account into a group; no error when it was in it already.
	AddMember(ctx context.Context, group, user string) error
	// RemoveMember is the inverse of AddMember; no error when it was not in it.
	RemoveMember(ctx context.Context, group, user string) error
}

// GroupType is the type of a group in a playbook.
func GroupType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString(), Doc: "The service's own, unchanging id."},
		engine.Field{Name: "name", Type: engine.TypeString(), Doc: "The name, as whoever made the group chose it."},
	)
}

// MemberType is the type of a member of a group in a playbook.
func MemberType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString(), Doc: "The account's id, as `user.get` takes it."},
		engine.Field{Name: "email", Type: engine.Maybe(engine.TypeString()), Doc: "The account's address; missing where the service does not say it."},
		engine.Field{Name: "name", Type: engine.TypeString(), Doc: "The account's display name; empty where the service does not say it."},
	)
}

func groupValue(g Group) map[string]any {
	row := make(map[string]any, 2)
	setGroup(row, g)
	return row
}

// setGroup writes a group into a row that may be reused.
func setGroup(row map[string]any, g Group) { row["id"], row["name"] = g.ID, g.Name }

func memberValue(m Member) map[string]any {
	return map[string]any{"id": m.ID, "email": orNull(m.Email), "name": m.Name}
}
