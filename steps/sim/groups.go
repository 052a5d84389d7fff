package sim

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// group is a group of the tenant. Who is in it is computed, except where it
// has changed.
type group struct {
	id, name string
	begins   func(p population, i int) bool // whether a person is in it when the story begins
}

// newGroups are the tenant's groups: five with a meaning, and teams that
// everybody is in one of.
func newGroups(o Options) []group {
	playing := func(roles ...role) func(population, int) bool {
		return func(p population, i int) bool {
			part, ok := p.part(i)
			for _, r := range roles {
				if ok && part.role == r {
					return true
				}
			}
			return false
		}
	}
	groups := []group{
		{name: "Administrators", begins: playing(lastOwner, external)},
		{name: "Emergency access", begins: playing(breakGlass)},
		{name: "Production access", begins: playing(framed, slow)},
		{name: "Visitors", begins: func(population, int) bool { return false }},
		{name: HostileName, begins: playing(hostile)},
	}
	const teams = 18
	for n := range teams {
		groups = append(groups, group{
			name:   fmt.Sprintf("Team %02d", n+1),
			begins: func(p population, i int) bool { return p.roll(i, "team")%teams == n },
		})
	}
	for n := range groups {
		groups[n].id = strings.ToLower(idOf(o.Seed, mix(o.Seed^0x6709)^uint64(n)))
	}
	return groups
}

// isMember needs the lock.
func (t *Tenant) isMember(g, i int) bool {
	if now, touched := t.members[seat{g, i}]; touched {
		return now
	}
	return t.groups[g].begins(t.people, i)
}

// seat is a place in a group, by indexes.
type seat struct{ group, person int }

// Group is a group as it is now, for a test that knows the truth.
type Group struct {
	ID, Name string
	Members  []Person
}

// Groups are all groups with their members, in the order of a listing.
func (t *Tenant) Groups() []Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Group
	for g, group := range t.groups {
		truth := Group{ID: group.id, Name: group.name}
		for i := range t.opts.Users {
			if t.isMember(g, i) {
				truth.Members = append(truth.Members, t.people.person(i))
			}
		}
		out = append(out, truth)
	}
	return out
}

// scimGroup is a group as SCIM shows it. It needs the lock. The first group
// has a group in it, beside its people.
func (t *Tenant) scimGroup(g int) object {
	group := t.groups[g]
	resource := object{
		"schemas": []string{scimGroup}, "id": group.id, "displayName": group.name,
		"meta": t.scimMeta("Group", "/Groups/", group.id, -1),
	}
	if t.opts.SCIM.NoMembers {
		return resource
	}
	var members []object
	if g == 0 {
		members = append(members, object{"value": t.groups[1].id, "display": t.groups[1].name, "type": "Group"})
	}
	for i := range t.opts.Users {
		if t.isMember(g, i) {
			members = append(members, object{"value": t.people.id(i), "display": t.people.person(i).Name, "type": "User"})
		}
	}
	if members != nil {
		resource["members"] = members
	}
	return resource
}

// groupOf is the group a path names.
func (t *Tenant) groupOf(c call) (int, bool) {
	id, err := url.PathUnescape(c.path[2])
	for g, group := range t.groups {
		if err == nil && group.id == id {
			return g, true
		}
	}
	return 0, false
}

func (t *Tenant) scimGetGroup(c call) reply {
	if refusal, ok := t.scimAdmit(c, http.MethodGet); !ok {
		return refusal
	}
	g, ok := t.groupOf(c)
	if !ok {
		return scimRefusal(http.StatusNotFound, "", "there is no such group")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	resource := t.scimGroup(g)
	if members, ok := resource["members"].([]object); ok && c.fault.Kind == FaultDuplicate {
		resource["members"] = append(members, members...)
	}
	return t.scimResource(resource)
}
