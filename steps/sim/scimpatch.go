package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// patchBody is a PATCH (RFC 7644, 3.5.2).
type patchBody struct {
	Schemas    []string `json:"schemas"`
	Operations []struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	} `json:"Operations"`
}

// scimPatchOf reads a PATCH. The service carries out one operation at a time,
// and takes its name in lower case only.
func (t *Tenant) scimPatchOf(c call) (patchBody, reply, bool) {
	var body patchBody
	if refusal, ok := t.scimAdmit(c, http.MethodPatch); !ok {
		return body, refusal, false
	}
	invalid := func(detail string) (patchBody, reply, bool) {
		return body, scimRefusal(http.StatusBadRequest, "invalidSyntax", detail), false
	}
	switch {
	case c.r.URL.RawQuery != "":
		return invalid("a PATCH takes no parameters here")
	case !strictly(c.body, &body):
		return invalid("the body is not a PATCH")
	case !slices.Equal(body.Schemas, []string{scimPatch}):
		return invalid("schemas must be " + scimPatch)
	case len(body.Operations) != 1:
		return invalid("exactly one operation is wanted")
	case !slices.Contains([]string{"add", "remove", "replace"}, body.Operations[0].Op):
		return invalid("op is add, remove or replace")
	}
	return body, reply{}, true
}

// scimDone answers a PATCH that was carried out.
func (t *Tenant) scimDone(resource object) reply {
	if t.opts.SCIM.NoBody {
		return reply{status: http.StatusNoContent, kind: scimType}
	}
	return t.scimResource(resource)
}

func (t *Tenant) scimPatchUser(c call) reply {
	body, refusal, ok := t.scimPatchOf(c)
	if !ok {
		return refusal
	}
	i, ok := t.scimIndexOf(c)
	if !ok {
		return scimRefusal(http.StatusNotFound, "", "there is no such user")
	}
	op := body.Operations[0]
	if op.Op != "replace" || op.Path != "active" {
		return scimRefusal(http.StatusBadRequest, "invalidPath", "only active can be replaced")
	}
	value := string(op.Value)
	if value != "true" && value != "false" {
		return scimRefusal(http.StatusBadRequest, "invalidValue", "active is a boolean")
	}
	return t.scimSetState(c, i, value == "false")
}

func (t *Tenant) scimSetState(c call, i int, closed bool) reply {
	if part, ok := t.people.part(i); ok && part.role == lastOwner && closed {
		return scimRefusal(http.StatusForbidden, "", "the last owner of an account cannot be suspended")
	} else if ok && part.role == external {
		return scimRefusal(http.StatusBadRequest, "mutability", "the user is externally managed")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	person := t.people.person(i)
	if t.scimStale(c, person.ID) {
		return scimRefusal(http.StatusPreconditionFailed, "", "the user has another version")
	}
	before := t.isSuspended(i)
	t.suspended[i] = closed
	t.scimChanged(person.ID)
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: person.ID, Email: person.Email,
		Before: stateOf(before), After: stateOf(closed), Changed: before != closed, Lost: c.lost(),
	})
	return t.scimDone(t.scimUser(i))
}

func (t *Tenant) scimPatchGroup(c call) reply {
	body, refusal, ok := t.scimPatchOf(c)
	if !ok {
		return refusal
	}
	g, ok := t.groupOf(c)
	if !ok {
		return scimRefusal(http.StatusNotFound, "", "there is no such group")
	}
	op := body.Operations[0]
	id, in, problem := memberIn(op.Op, op.Path, op.Value)
	if problem != "" {
		return scimRefusal(http.StatusBadRequest, problem, "members are added with a value and removed with a filter")
	}
	i, ok := t.people.indexOf(id)
	if !ok {
		return scimRefusal(http.StatusBadRequest, "invalidValue", "there is no such user")
	}
	return t.scimSetMember(c, g, i, in)
}

// memberIn reads which account an operation puts into a group or takes out of it.
func memberIn(op, path string, value json.RawMessage) (id string, in bool, problem string) {
	if op == "add" && path == "members" {
		var members []struct {
			Value string `json:"value"`
		}
		if !strictly(value, &members) || len(members) != 1 {
			return "", false, "invalidValue"
		}
		return members[0].Value, true, ""
	}
	quoted, found := strings.CutPrefix(path, "members[value eq ")
	quoted, closed := strings.CutSuffix(quoted, "]")
	if op != "remove" || !found || !closed || len(value) > 0 || json.Unmarshal([]byte(quoted), &id) != nil {
		return "", false, "invalidPath"
	}
	return id, false, ""
}

// scimSetMember puts an account into a group, whether or not it is in it, or
// takes it out, which needs it to be.
func (t *Tenant) scimSetMember(c call, g, i int, in bool) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, before := t.groups[g].id, t.isMember(g, i)
	switch {
	case t.scimStale(c, id):
		return scimRefusal(http.StatusPreconditionFailed, "", "the group has another version")
	case !in && !before:
		return scimRefusal(http.StatusBadRequest, "noTarget", "the user is not in the group")
	case in && !before && t.opts.SCIM.MaxMembers > 0 && t.memberCount(g) >= t.opts.SCIM.MaxMembers:
		return scimRefusal(http.StatusBadRequest, "tooMany", "the group is full")
	}
	t.members[seat{g, i}] = in
	t.scimChanged(id)
	person := t.people.person(i)
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: person.ID, Email: person.Email, Group: id,
		Before: membershipOf(before), After: membershipOf(in), Changed: before != in, Lost: c.lost(),
	})
	return t.scimDone(t.scimGroup(g))
}

// memberCount needs the lock.
func (t *Tenant) memberCount(g int) int {
	n := 0
	for i := range t.opts.Users {
		if t.isMember(g, i) {
			n++
		}
	}
	return n
}

func membershipOf(in bool) string {
	if in {
		return "MEMBER"
	}
	return "NO_MEMBER"
}
