package sim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The gRPC codes the Users API puts into its error bodies.
const (
	grpcInvalidArgument  = 3
	grpcNotFound         = 5
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcUnauthenticated  = 16
)

const (
	defaultPage = 25
	maximumPage = 1000
	stateActive = "ACTIVE"
	stateClosed = "SUSPENDED"
)

func grpcError(status, code int, message string) reply {
	return jsonReply(status, object{"code": code, "message": message, "details": []any{}})
}

func invalidArgument(message string) reply {
	return grpcError(http.StatusBadRequest, grpcInvalidArgument, message)
}

// admit checks what every call of the Users API must have right: method, no
// body, a token that is still good, the grant, the account.
func (t *Tenant) admit(c call, method string) (refusal reply, ok bool) {
	t.mu.Lock()
	issued, known := t.tokens[bearer(c.r)]
	t.mu.Unlock()
	switch {
	case c.r.Method != method:
		return grpcError(http.StatusMethodNotAllowed, grpcUnimplemented, "Method Not Allowed"), false
	case !known || issued.version != c.path[0] || !t.opts.Clock().Before(issued.expires):
		return grpcError(http.StatusUnauthorized, grpcUnauthenticated, "unauthenticated"), false
	case t.opts.Provisioned:
		return grpcError(http.StatusForbidden, grpcPermissionDenied, "not_supported_with_automated_provisioning"), false
	case slices.Contains(t.opts.Forbidden, c.op):
		return grpcError(http.StatusForbidden, grpcPermissionDenied, "permission_denied"), false
	case c.path[2] != t.people.account:
		return grpcError(http.StatusNotFound, grpcNotFound, "account_not_found"), false
	case len(c.body) > 0:
		return invalidArgument("the request must not have a body"), false
	case c.op != OpListUsers && c.r.URL.RawQuery != "":
		return invalidArgument("unknown query parameter"), false
	}
	return reply{}, true
}

type listQuery struct {
	filter string
	size   int
	token  string
}

func parseListQuery(raw string) (listQuery, string) {
	q := listQuery{size: defaultPage}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, "malformed query"
	}
	for name, given := range values {
		if len(given) != 1 {
			return q, "query parameter given twice: " + name
		}
		switch name {
		case "filter":
			q.filter = given[0]
		case "max_page_size":
			if q.size, err = strconv.Atoi(given[0]); err != nil || q.size < 1 || q.size > maximumPage {
				return q, "max_page_size must be between 1 and 1000"
			}
		case "page_token":
			q.token = given[0]
		default:
			return q, "unknown query parameter: " + name
		}
	}
	if !slices.Contains([]string{"", "user.isActive()", "user.isSuspended()"}, q.filter) {
		return q, "invalid filter"
	}
	return q, ""
}

func (t *Tenant) listUsers(c call) reply {
	if refusal, ok := t.admit(c, http.MethodGet); !ok {
		return refusal
	}
	q, problem := parseListQuery(c.r.URL.RawQuery)
	if problem != "" {
		return invalidArgument(problem)
	}
	start, ok := t.openToken("users "+q.filter, q.token)
	if !ok {
		return invalidArgument("invalid page_token")
	}
	b := make([]byte, 0, 64+q.size*260)
	b, next := t.appendPage(append(b, `{"results":[`...), q, start, c.fault.Kind == FaultDuplicate)
	if c.fault.Kind == FaultRepeatToken {
		next = start
	}
	b = append(b, ']')
	if next < t.opts.Users {
		b = append(b, `,"next_page_token":"`...)
		b = append(append(b, t.sealToken("users "+q.filter, next)...), '"')
	}
	return reply{status: http.StatusOK, kind: "application/json", body: append(b, '}')}
}

// appendPage writes the users from an index on, and says where the next page begins.
func (t *Tenant) appendPage(b []byte, q listQuery, start int, twice bool) ([]byte, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	left, i := q.size, start
	for ; left > 0 && i < t.opts.Users; i++ {
		closed := t.isSuspended(i)
		if q.filter != "" && closed != (q.filter == "user.isSuspended()") {
			continue
		}
		if left < q.size {
			b = append(b, ',')
		}
		b = t.appendUser(b, i, closed)
		if twice {
			b = t.appendUser(append(b, ','), i, closed)
		}
		left--
	}
	return b, i
}

func (t *Tenant) appendUser(b []byte, i int, closed bool) []byte {
	name, email := t.people.nameAndEmail(i)
	b = append(b, `{"id":"`...)
	b = t.people.appendID(b, i)
	b = append(append(b, `","email":"`...), email...)
	b = append(appendQuoted(append(b, `","display_name":`...), name), `,"state":"`...)
	b = append(b, stateOf(closed)...)
	b = append(b, `","create_time":"`...)
	b = t.people.created(i).AppendFormat(b, time.RFC3339)
	b = append(append(b, `","path":"accounts/`...), t.people.account...)
	b = t.people.appendID(append(b, `/users/`...), i)
	return append(b, `"}`...)
}

func appendQuoted(b []byte, s string) []byte {
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
		return append(b, jsonReply(http.StatusOK, s).body...)
	}
	return append(append(append(b, '"'), s...), '"')
}

func stateOf(closed bool) string {
	if closed {
		return stateClosed
	}
	return stateActive
}

func (t *Tenant) getUser(c call, id string) reply {
	if refusal, ok := t.admit(c, http.MethodGet); !ok {
		return refusal
	}
	i, ok := t.people.indexOf(id)
	if !ok {
		return grpcError(http.StatusNotFound, grpcNotFound, "user_not_found")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.userReply(i)
}

// userReply needs the lock.
func (t *Tenant) userReply(i int) reply {
	return reply{status: http.StatusOK, kind: "application/json", body: t.appendUser(nil, i, t.isSuspended(i))}
}

func (t *Tenant) setState(c call, id string, closed bool) reply {
	if refusal, ok := t.admit(c, http.MethodPost); !ok {
		return refusal
	}
	i, ok := t.people.indexOf(id)
	if !ok {
		return grpcError(http.StatusNotFound, grpcNotFound, "user_not_found")
	}
	if part, ok := t.people.part(i); ok && part.role == lastOwner && closed {
		return grpcError(http.StatusForbidden, grpcPermissionDenied, "no_owner_remain")
	} else if ok && part.role == external {
		return grpcError(http.StatusForbidden, grpcPermissionDenied, "user_externally_managed")
	} else if ok && part.role == oneself && closed {
		return grpcError(http.StatusForbidden, grpcPermissionDenied, "cannot_suspend_self")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.isSuspended(i)
	t.suspended[i] = closed
	t.log.changes = append(t.log.changes, Change{
		Seq: t.log.next(), At: t.opts.Clock(), Operation: c.op, User: id, Email: t.people.person(i).Email,
		Before: stateOf(before), After: stateOf(closed), Changed: before != closed, Lost: c.lost(),
	})
	return t.userReply(i)
}
