package sim

import (
	"net/http"
	"strings"
)

// route finds what a request asks for. An unknown path is answered as the
// service whose prefix it has would.
func (t *Tenant) route(c call) (Operation, func(call) reply) {
	switch c.path[0] {
	case "v1", "v1beta1":
		return t.routeUsers(c)
	case "scim":
		return t.routeSCIM(c)
	case "api":
		if op, answer := t.routeEvents(c); op != "" || len(c.path) < 3 || c.path[1] != "v1" {
			return op, answer
		}
		return t.routeOkta(c)
	case "workflows":
		return OpTeams, t.teams
	case "v2":
		return t.routePagerDuty(c)
	case "services":
		return OpSlack, t.slack
	case "hooks":
		return OpWebhook, t.webhook
	}
	return "", func(call) reply { return plain(http.StatusNotFound, "404 page not found") }
}

func (t *Tenant) routeUsers(c call) (Operation, func(call) reply) {
	version, rest := c.path[0], strings.Join(c.path[1:], "/")
	switch {
	case rest == oauthPath(version)+"/token":
		return OpToken, t.issueToken
	case rest == oauthPath(version)+"/revoke":
		return OpRevoke, t.revokeToken
	case len(c.path) == 4 && c.path[1] == "accounts" && c.path[3] == "users":
		return OpListUsers, t.listUsers
	case len(c.path) == 5 && c.path[1] == "accounts" && c.path[3] == "users":
		return t.routeUser(c.path[4])
	}
	return "", func(call) reply { return grpcError(http.StatusNotFound, grpcNotFound, "Not Found") }
}

func (t *Tenant) routeUser(last string) (Operation, func(call) reply) {
	id, verb, _ := strings.Cut(last, ":")
	switch {
	case verb == "suspend":
		return OpSuspend, func(c call) reply { return t.setState(c, id, true) }
	case verb == "reactivate":
		return OpReactivate, func(c call) reply { return t.setState(c, id, false) }
	case strings.Contains(last, ":"):
		return "", func(call) reply { return grpcError(http.StatusNotFound, grpcNotFound, "Not Found") }
	}
	return OpGetUser, func(c call) reply { return t.getUser(c, id) }
}

func (t *Tenant) routePagerDuty(c call) (Operation, func(call) reply) {
	if strings.Join(c.path, "/") == "v2/enqueue" {
		return OpPagerDuty, t.pagerDuty
	}
	return "", func(call) reply { return plain(http.StatusNotFound, "404 page not found") }
}

func oauthPath(version string) string {
	if version == "v1beta1" {
		return "users/oauth2"
	}
	return "oauth"
}

func (t *Tenant) routeEvents(c call) (Operation, func(call) reply) {
	path := strings.Join(c.path, "/")
	if path == "api/auth/introspect" || path == "api/v2/auth/introspect" {
		return OpIntrospect, t.introspect
	}
	switch path {
	case "api/chat.postMessage":
		return OpSlackPost, t.slackPost
	case "api/auth.test":
		return OpSlackAuth, t.slackAuth
	}
	if len(c.path) == 3 && (c.path[1] == "v1" || c.path[1] == "v2") {
		switch c.path[2] {
		case "signinattempts":
			return OpSignIns, t.signInAttempts
		case "itemusages":
			return OpItemUsages, t.itemUsages
		case "auditevents":
			return OpAudit, t.auditEvents
		}
	}
	return "", func(call) reply { return eventsError(http.StatusNotFound, "Not Found") }
}

// refusal is an error in the manner of the service the operation belongs to.
func (t *Tenant) refusal(op Operation, status int, text string) reply {
	switch {
	case strings.HasPrefix(string(op), "users."):
		code := map[int]int{http.StatusTooManyRequests: 8, http.StatusServiceUnavailable: 14}[status]
		if code == 0 {
			code = 13
		}
		return grpcError(status, code, text)
	case strings.HasPrefix(string(op), "events."):
		return eventsError(status, text)
	case strings.HasPrefix(string(op), "scim."):
		return scimRefusal(status, "", text)
	case isOkta(op):
		return t.oktaRefusal(status, text)
	case op == OpToken || op == OpRevoke:
		return oauthError(status, "temporarily_unavailable")
	}
	return plain(status, text)
}

func bearer(r *http.Request) string {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return value
}
