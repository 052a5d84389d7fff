package sim

import "net/http"

// oktaMostGroups is how many groups, or members of one, a page has at most.
const oktaMostGroups = 1000

func (t *Tenant) oktaGroup(g int) object {
	group := t.groups[g]
	created := t.opts.Now.AddDate(-1, 0, 0).UTC().Format(oktaTime)
	return object{
		"id": group.id, "created": created, "lastUpdated": created, "lastMembershipUpdated": created,
		"objectClass": []string{"okta:user_group"}, "type": "OKTA_GROUP",
		"profile": object{"name": group.name, "description": nil},
	}
}

func (t *Tenant) oktaListGroups(c call) reply {
	q, refusal, ok := t.oktaListing(c, oktaMostGroups)
	if !ok {
		return refusal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.oktaList(c, q, len(t.groups), func(g int) (object, bool) { return t.oktaGroup(g), true })
}

// oktaGroupAt is the group a path names in its fourth segment.
func (t *Tenant) oktaGroupAt(c call) (int, bool) {
	for g, group := range t.groups {
		if group.id == c.path[3] {
			return g, true
		}
	}
	return 0, false
}

func (t *Tenant) oktaGetGroup(c call) reply {
	g, ok := t.oktaGroupAt(c)
	switch {
	case c.r.URL.RawQuery != "":
		return t.oktaInvalid("query", "there are no parameters here")
	case !ok:
		return t.oktaMissing(c.path[3], "UserGroup")
	}
	return jsonReply(http.StatusOK, t.oktaGroup(g))
}

func (t *Tenant) oktaMembers(c call) reply {
	q, refusal, ok := t.oktaListing(c, oktaMostGroups)
	if !ok {
		return refusal
	}
	g, ok := t.oktaGroupAt(c)
	if !ok {
		return t.oktaMissing(c.path[3], "UserGroup")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.oktaList(c, q, t.opts.Users, func(i int) (object, bool) {
		if !t.isMember(g, i) {
			return nil, false
		}
		return t.oktaUser(c, i), true
	})
}

func (t *Tenant) oktaGroupsOf(c call) reply {
	q, refusal, ok := t.oktaListing(c, oktaMostGroups)
	if !ok {
		return refusal
	}
	i, ok := t.oktaIndexOf(c.path[3])
	if !ok {
		return t.oktaMissing(c.path[3], "User")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.oktaList(c, q, len(t.groups), func(g int) (object, bool) {
		if !t.isMember(g, i) {
			return nil, false
		}
		return t.oktaGroup(g), true
	})
}

func (t *Tenant) oktaAddMember(c call) reply { return t.oktaSetMember(c, true) }

func (t *Tenant) oktaRemoveMember(c call) reply { return t.oktaSetMember(c, false) }

// oktaSetMember answers the same whether it was so already.
func (t *Tenant) oktaSetMember(c call, in bool) reply {
	g, ok := t.oktaGroupAt(c)
	if !ok {
		return t.oktaMissing(c.path[3], "UserGroup")
	}
	i, ok := t.oktaIndexOf(c.path[5])
	if !ok {
		return t.oktaMissing(c.path[5], "User")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before, p := t.isMember(g, i), t.people.person(i)
	t.members[seat{g, i}] = in
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: p.ID, Email: p.Email, Group: t.groups[g].id,
		Before: membershipOf(before), After: membershipOf(in), Changed: before != in, Lost: c.lost(),
	})
	return reply{status: http.StatusNoContent, kind: "application/json"}
}
