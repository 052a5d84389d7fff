package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oktaMinute is how many calls the Okta service takes in a minute, where the
// Options do not say it. Okta's own limits depend on the endpoint and the plan.
const oktaMinute = 6000

// okta is what the tenant remembers as an Okta organisation.
type okta struct {
	token    string
	statuses map[int]string // by index, where an account is neither ACTIVE nor SUSPENDED
	window   time.Time      // the minute that is counted
	calls    int            // in it
}

// SetOktaStatus gives an account one of Okta's statuses beside ACTIVE and
// SUSPENDED, such as STAGED, LOCKED_OUT or DEPROVISIONED; "" for those two. An
// id that does not exist is left aside.
func (t *Tenant) SetOktaStatus(id, status string) {
	i, ok := t.people.indexOf(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if ok {
		t.okta.statuses[i] = status
	}
}

// RotateOktaToken makes the API token invalid and gives the one in its place.
func (t *Tenant) RotateOktaToken() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.okta.token = wordOf(t.opts.Seed, "okta after "+t.okta.token)
	return t.okta.token
}

// oktaStatus needs the lock.
func (t *Tenant) oktaStatus(i int) string {
	switch {
	case t.okta.statuses[i] != "":
		return t.okta.statuses[i]
	case t.isSuspended(i):
		return stateClosed
	default:
		return stateActive
	}
}

// oktaError is an error in Okta's shape.
func (t *Tenant) oktaError(status int, code, summary string, causes ...string) reply {
	list := []object{}
	for _, cause := range causes {
		list = append(list, object{"errorSummary": cause})
	}
	return jsonReply(status, object{
		"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae" + wordOf(t.opts.Seed, code+summary)[:17], "errorCauses": list,
	})
}

func (t *Tenant) oktaInvalid(what, cause string) reply {
	return t.oktaError(http.StatusBadRequest, "E0000001", "Api validation failed: "+what, what+": "+cause)
}

func (t *Tenant) oktaMissing(id, kind string) reply {
	return t.oktaError(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+id+" ("+kind+")")
}

func (t *Tenant) oktaForbidden() reply {
	return t.oktaError(http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action")
}

// oktaRefusal is what a fault answers with.
func (t *Tenant) oktaRefusal(status int, text string) reply {
	if status == http.StatusTooManyRequests {
		return t.oktaError(status, "E0000047", "API call exceeded rate limit due to too many requests.")
	}
	return t.oktaError(status, "E0000009", "Internal Server Error: "+text)
}

// oktaRoute is one endpoint; * stands for a segment.
type oktaRoute struct {
	path, method string
	op           Operation
	perform      func(call) reply
}

func (t *Tenant) oktaRoutes() []oktaRoute {
	return []oktaRoute{
		{"users", http.MethodGet, OpOktaListUsers, t.oktaListUsers},
		{"users/*", http.MethodGet, OpOktaGetUser, t.oktaGetUser},
		{"users/*/groups", http.MethodGet, OpOktaGroupsOf, t.oktaGroupsOf},
		{"users/*/sessions", http.MethodDelete, OpOktaRevoke, t.oktaRevoke},
		{"users/*/lifecycle/suspend", http.MethodPost, OpOktaSuspend, t.oktaSuspend},
		{"users/*/lifecycle/unsuspend", http.MethodPost, OpOktaUnsuspend, t.oktaUnsuspend},
		{"groups", http.MethodGet, OpOktaListGroups, t.oktaListGroups},
		{"groups/*", http.MethodGet, OpOktaGetGroup, t.oktaGetGroup},
		{"groups/*/users", http.MethodGet, OpOktaMembers, t.oktaMembers},
		{"groups/*/users/*", http.MethodDelete, OpOktaRemove, t.oktaRemoveMember},
		{"groups/*/users/*", http.MethodPut, OpOktaAdd, t.oktaAddMember},
	}
}

func (t *Tenant) routeOkta(c call) (Operation, func(call) reply) {
	var found oktaRoute
	for _, r := range t.oktaRoutes() {
		if matches(strings.Split(r.path, "/"), c.path[2:]) && (found.path == "" || r.method == c.r.Method) {
			found = r
		}
	}
	if found.path == "" {
		return "", func(call) reply {
			return t.oktaError(http.StatusNotFound, "E0000022", "The endpoint does not support the provided HTTP method")
		}
	}
	return found.op, t.admitted(found.method, found.perform)
}

func matches(pattern, path []string) bool {
	return slices.EqualFunc(pattern, path, func(want, got string) bool { return want == "*" || want == got })
}

// admitted checks what every call must have right before it is carried out:
// rate, token, method, grant, no body.
func (t *Tenant) admitted(method string, perform func(call) reply) func(call) reply {
	return func(c call) reply {
		header, over := t.oktaCount()
		answer := t.oktaAdmit(c, method, over)
		if answer.status == 0 {
			answer = perform(c)
		}
		answer.header = header
		return answer
	}
}

func (t *Tenant) oktaAdmit(c call, method string, over bool) reply {
	t.mu.Lock()
	token := t.okta.token
	t.mu.Unlock()
	switch {
	case over:
		return t.oktaRefusal(http.StatusTooManyRequests, "")
	case c.r.Header.Get("Authorization") != "SSWS "+token:
		return t.oktaError(http.StatusUnauthorized, "E0000011", "Invalid token provided")
	case c.r.Method != method:
		return t.oktaError(http.StatusMethodNotAllowed, "E0000022", "The endpoint does not support the provided HTTP method")
	case slices.Contains(t.opts.Forbidden, c.op):
		return t.oktaForbidden()
	case len(c.body) > 0:
		return t.oktaError(http.StatusBadRequest, "E0000003", "The request body was not well-formed.")
	}
	return reply{}
}

// oktaCount counts a call, and says in Okta's headers how many are left in this
// minute.
func (t *Tenant) oktaCount() (header map[string]string, over bool) {
	limit := t.opts.OktaPerMinute
	if limit == 0 {
		limit = oktaMinute
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.opts.Clock().Truncate(time.Minute); !now.Equal(t.okta.window) {
		t.okta.window, t.okta.calls = now, 0
	}
	t.okta.calls++
	return oktaLimits(limit, max(limit-t.okta.calls, 0), t.okta.window.Add(time.Minute)), t.okta.calls > limit
}

func oktaLimits(limit, left int, reset time.Time) map[string]string {
	return map[string]string{
		"X-Rate-Limit-Limit":     strconv.Itoa(limit),
		"X-Rate-Limit-Remaining": strconv.Itoa(left),
		"X-Rate-Limit-Reset":     strconv.FormatInt(reset.Unix(), 10),
	}
}

// oktaAsksToWait is how Okta says when to come again: it has no Retry-After.
func (t *Tenant) oktaAsksToWait(seconds string) map[string]string {
	n, _ := strconv.Atoi(seconds)
	return oktaLimits(oktaMinute, 0, t.opts.Clock().Add(time.Duration(n)*time.Second))
}

func isOkta(op Operation) bool { return strings.HasPrefix(string(op), "okta.") }
