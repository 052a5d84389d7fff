package sim

import (
	"net/http"
	"net/url"
	"strings"
)

const oktaTime = "2006-01-02T15:04:05.000Z"

// oktaUser is an account as Okta shows it. It needs the lock.
func (t *Tenant) oktaUser(c call, i int) object {
	p := t.people.person(i)
	first, last, _ := strings.Cut(p.Name, " ")
	created := t.people.created(i).UTC().Format(oktaTime)
	profile := object{"firstName": first, "lastName": last, "mobilePhone": nil, "secondEmail": nil, "login": p.Email, "email": p.Email}
	if last == "" {
		profile["lastName"] = nil
	}
	return object{
		"id": p.ID, "status": t.oktaStatus(i), "created": created, "activated": created, "statusChanged": nil,
		"lastLogin": nil, "lastUpdated": created, "passwordChanged": nil, "type": object{"id": "otyfnjfba4ye7pgjB0g4"},
		"profile":     profile,
		"credentials": object{"provider": object{"type": "OKTA", "name": "OKTA"}},
		"_links":      object{"self": object{"href": t.oktaURL(call{r: c.r, path: []string{"api", "v1", "users", p.ID}}, "")}},
	}
}

// oktaIndexOf is the account that a segment of a path names: by id or login.
func (t *Tenant) oktaIndexOf(segment string) (int, bool) {
	id, err := url.PathUnescape(segment)
	if err != nil {
		return 0, false
	}
	if i, ok := t.people.indexOf(id); ok {
		return i, true
	}
	if !strings.Contains(id, "@") {
		return 0, false
	}
	for i := range t.opts.Users {
		if _, email := t.people.nameAndEmail(i); email == id {
			return i, true
		}
	}
	return 0, false
}

func (t *Tenant) oktaListUsers(c call) reply {
	const most = 200
	q, refusal, ok := t.oktaListing(c, most, "filter", "search")
	if !ok {
		return refusal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted := func(i int) bool { return t.oktaStatus(i) != "DEPROVISIONED" }
	if q.filter != "" {
		statuses, ok := oktaStatusFilter(q.filter)
		if !ok || q.search != "" {
			return t.oktaError(http.StatusBadRequest, "E0000031", "Invalid search criteria.")
		}
		wanted = func(i int) bool { return statuses[t.oktaStatus(i)] }
	}
	if q.search != "" {
		email, ok := oktaSearch(q.search)
		if !ok {
			return t.oktaError(http.StatusBadRequest, "E0000031", "Invalid search criteria.")
		}
		wanted = func(i int) bool { return strings.EqualFold(t.people.person(i).Email, email) }
	}
	return t.oktaList(c, q, t.opts.Users, func(i int) (object, bool) {
		if !wanted(i) {
			return nil, false
		}
		return t.oktaUser(c, i), true
	})
}

func (t *Tenant) oktaGetUser(c call) reply {
	i, ok := t.oktaIndexOf(c.path[3])
	switch {
	case c.r.URL.RawQuery != "":
		return t.oktaInvalid("query", "there are no parameters here")
	case !ok:
		return t.oktaMissing(c.path[3], "User")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return jsonReply(http.StatusOK, t.oktaUser(c, i))
}

func (t *Tenant) oktaSuspend(c call) reply { return t.oktaLifecycle(c, stateActive, true) }

func (t *Tenant) oktaUnsuspend(c call) reply { return t.oktaLifecycle(c, stateClosed, false) }

// oktaLifecycle moves an account from one status to the other. From any third
// nothing is done.
func (t *Tenant) oktaLifecycle(c call, from string, closed bool) reply {
	i, ok := t.oktaIndexOf(c.path[3])
	switch {
	case c.r.URL.RawQuery != "":
		return t.oktaInvalid("query", "there are no parameters here")
	case !ok:
		return t.oktaMissing(c.path[3], "User")
	}
	if part, ok := t.people.part(i); ok && (part.role == external || part.role == lastOwner && closed) {
		return t.oktaForbidden()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.oktaStatus(i); before != from {
		what, cause := "suspendUser", "Cannot suspend a user that is not active"
		if !closed {
			what, cause = "unsuspendUser", "Cannot unsuspend a user that is not suspended"
		}
		return t.oktaInvalid(what, cause)
	}
	t.suspended[i] = closed
	p := t.people.person(i)
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: p.ID, Email: p.Email,
		Before: stateOf(!closed), After: stateOf(closed), Changed: true, Lost: c.lost(),
	})
	return jsonReply(http.StatusOK, object{})
}

// oktaRevoke ends the sessions of an account. Those that it had nobody knows.
func (t *Tenant) oktaRevoke(c call) reply {
	i, ok := t.oktaIndexOf(c.path[3])
	tokens := c.r.URL.Query().Get("oauthTokens")
	switch {
	case c.r.URL.RawQuery != "" && c.r.URL.RawQuery != "oauthTokens="+tokens, tokens != "" && tokens != "true" && tokens != "false":
		return t.oktaInvalid("oauthTokens", "it is true or false, and the only parameter")
	case !ok:
		return t.oktaMissing(c.path[3], "User")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people.person(i)
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: p.ID, Email: p.Email,
		Before: "SESSIONS", After: "NO_SESSIONS", Changed: true, Lost: c.lost(),
	})
	return reply{status: http.StatusNoContent, kind: "application/json"}
}
