package connector

import (
	"context"
	"iter"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// groups fulfils identity.Groups.
type groups struct {
	*service

	calls *connector.Groups
}

var _ identity.Groups = groups{}

// Groups lists the groups.
func (g groups) Groups(ctx context.Context) iter.Seq2[identity.Group, error] {
	return listed(ctx, g.service, &g.calls.List, nil, groupOf, idOfGroup)
}

// Group finds one group by id.
func (g groups) Group(ctx context.Context, id string) (identity.Group, error) {
	group, err := one(ctx, g.service, &g.calls.Get, map[string]any{"id": id}, groupOf)
	if err == nil && group.ID != id {
		return identity.Group{}, engine.Fail(engine.ClassNotFound, CodeID, "%q is not the id of a group: the service answers to it with another", id)
	}
	return group, err
}

// Members lists who is in a group.
func (g groups) Members(ctx context.Context, group string) iter.Seq2[identity.Member, error] {
	return listed(ctx, g.service, &g.calls.Members, map[string]any{"group": group}, memberOf, idOfMember)
}

// IsMember asks for the groups of the user where the file says how, and reads
// the members otherwise.
func (g groups) IsMember(ctx context.Context, group, user string) (bool, error) {
	if g.calls.Of == nil {
		for m, err := range g.Members(ctx, group) {
			if err != nil || m.ID == user {
				return err == nil, err
			}
		}
		return false, nil
	}
	in := false
	for of, err := range listed(ctx, g.service, g.calls.Of, map[string]any{"user": user}, groupOf, idOfGroup) {
		if err != nil {
			return false, err
		}
		in = in || of.ID == group
	}
	if in {
		return true, nil
	}
	_, err := g.Group(ctx, group) // that there is no such group is another answer
	return false, err
}

// AddMember makes a user a member.
func (g groups) AddMember(ctx context.Context, group, user string) error {
	return g.change(ctx, &g.calls.Add, group, user, true)
}

// RemoveMember is the inverse.
func (g groups) RemoveMember(ctx context.Context, group, user string) error {
	return g.change(ctx, &g.calls.Remove, group, user, false)
}

// change makes it so that a user is in a group or not. A service that refuses
// because it is so already is asked whether it is.
func (g groups) change(ctx context.Context, c *connector.Call, group, user string, want bool) error {
	_, refused := g.do(ctx, c, map[string]any{"group": group, "user": user})
	if refused == nil || !mayBeSo(refused) {
		return refused
	}
	if in, err := g.IsMember(ctx, group, user); err == nil && in == want {
		return nil
	}
	return refused
}

func groupOf(r record) identity.Group { return identity.Group{ID: r.text("id"), Name: r.text("name")} }

func idOfGroup(g identity.Group) string { return g.ID }

func memberOf(r record) identity.Member {
	return identity.Member{ID: r.text("id"), Email: r.text("email"), Name: r.text("name")}
}

func idOfMember(m identity.Member) string { return m.ID }
