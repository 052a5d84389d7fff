package scim

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Groups lists every group.
func (s *service) Groups(ctx context.Context) iter.Seq2[identity.Group, error] {
	return all(ctx, s, "/Groups", "", wireGroup.group, func(g identity.Group) string { return g.ID })
}

// Group finds one group by its id.
func (s *service) Group(ctx context.Context, id string) (identity.Group, error) {
	wire, _, err := s.readGroup(ctx, id)
	if err != nil {
		return identity.Group{}, err
	}
	return wire.group()
}

// readGroup also gives the version, "" where the service has none.
func (s *service) readGroup(ctx context.Context, id string) (wireGroup, string, error) {
	var wire wireGroup
	var etag string
	if !validID(id) {
		return wire, "", engine.Fail(engine.ClassInvalid, "group_id", "%q is not the id of a group", id)
	}
	err := s.do(ctx, request{
		method: http.MethodGet, path: "/Groups/" + url.PathEscape(id), route: "/Groups/{group}", limit: maxGroupBody,
		decode: func(r transport.Response) error {
			wire = wireGroup{}
			if err := r.JSON(&wire); err != nil {
				return err
			}
			if wire.ID != id {
				return malformed("the answer is about another group than was asked for")
			}
			etag = version(r, wire.Meta)
			return nil
		},
	})
	if wire.Members != nil {
		s.listsMembers.Store(true)
	}
	return wire, etag, err
}

// Members yields the accounts in a group, which come with the group in one
// answer. A service that has never shown members may not list any: there the
// people are asked for their groups.
func (s *service) Members(ctx context.Context, group string) iter.Seq2[identity.Member, error] {
	return func(yield func(identity.Member, error) bool) {
		wire, _, err := s.readGroup(ctx, group)
		if err != nil {
			yield(identity.Member{}, err)
			return
		}
		if wire.Members == nil && !s.listsMembers.Load() {
			s.membersByUser(ctx, group)(yield)
			return
		}
		members, err := wire.accounts()
		if err != nil {
			yield(identity.Member{}, err)
			return
		}
		for _, m := range members {
			if err := ctx.Err(); err != nil {
				yield(identity.Member{}, engine.AsFailure(err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// accounts are the members that are no groups, each of whom must be there once.
func (w wireGroup) accounts() ([]identity.Member, error) {
	if w.Members == nil {
		return nil, nil
	}
	seen := make(map[string]struct{}, len(*w.Members))
	var members []identity.Member
	for _, m := range *w.Members {
		if m.isGroup() {
			continue
		}
		if !validID(m.Value) {
			return nil, malformed("a member of a group has no usable value")
		}
		if _, again := seen[m.Value]; again {
			return nil, engine.Fail(engine.ClassTransient, CodeRepeatedID, "the group lists %s twice, so its members are not reliable", m.Value)
		}
		seen[m.Value] = struct{}{}
		members = append(members, identity.Member{ID: m.Value, Name: m.Display})
	}
	return members, nil
}

// membersByUser reads everybody and keeps who says to be in the group.
func (s *service) membersByUser(ctx context.Context, group string) iter.Seq2[identity.Member, error] {
	read := func(w wireUser) (account, error) {
		user, err := s.user(w)
		found := account{User: user}
		for _, g := range w.Groups {
			found.groups = append(found.groups, g.Value)
		}
		return found, err
	}
	return func(yield func(identity.Member, error) bool) {
		for u, err := range all(ctx, s, "/Users", "", read, func(a account) string { return a.ID }) {
			if err == nil && !slices.Contains(u.groups, group) {
				continue
			}
			if !yield(identity.Member{ID: u.ID, Email: u.Email, Name: u.Name}, err) {
				return
			}
		}
	}
}

// IsMember reports whether an account is in a group.
func (s *service) IsMember(ctx context.Context, group, user string) (bool, error) {
	if !validID(user) {
		return false, engine.Fail(engine.ClassInvalid, "user_id", "%q is not the id of a user", user)
	}
	wire, _, err := s.readGroup(ctx, group)
	if err != nil {
		return false, err
	}
	if wire.Members == nil && !s.listsMembers.Load() {
		found, _, err := s.readUser(ctx, user)
		return slices.Contains(found.groups, group), err
	}
	members, err := wire.accounts()
	return slices.ContainsFunc(members, func(m identity.Member) bool { return m.ID == user }), err
}

// AddMember puts an account into a group.
func (s *service) AddMember(ctx context.Context, group, user string) error {
	return s.patchGroup(ctx, group, user, operation{
		Op: "add", Path: "members", Value: []map[string]string{{"value": user}},
	})
}

// RemoveMember takes an account out of a group. A service that does not find
// it there says so, and that is as good.
func (s *service) RemoveMember(ctx context.Context, group, user string) error {
	err := s.patchGroup(ctx, group, user, operation{Op: "remove", Path: "members[value eq " + quoted(user) + "]"})
	if hasCode(err, CodeNoTarget) {
		return nil
	}
	return err
}

// patchGroup changes one member and leaves the others, whatever becomes of
// them meanwhile: no version is named unless the service wants one.
func (s *service) patchGroup(ctx context.Context, group, user string, op operation) error {
	if !validID(group) || !validID(user) {
		return engine.Fail(engine.ClassInvalid, "member_id", "%q and %q are not the ids of a group and a user", group, user)
	}
	send := func(etag string) error {
		return s.do(ctx, request{
			method: http.MethodPatch, path: "/Groups/" + url.PathEscape(group), route: "/Groups/{group}", limit: maxGroupBody,
			body: patchOf(op), match: etag, decode: func(transport.Response) error { return nil },
		})
	}
	err := send("")
	if !hasCode(err, CodeChanged) && !hasCode(err, "http_428") {
		return err
	}
	_, etag, err := s.readGroup(ctx, group)
	if err != nil {
		return err
	}
	return contended(send(etag))
}
