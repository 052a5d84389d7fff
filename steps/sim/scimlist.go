package sim

import (
	"net/http"
	"net/url"
	"strconv"
)

// scimQuery is what a listing asks for.
type scimQuery struct {
	start  int // 0-based
	count  int
	filter scimFilter
	raw    string // the filter as it was written
}

// scimListing reads a listing's query. It is stricter than RFC 7644 lets
// services be: a parameter nobody knows, and an index below 1, are a client's
// mistakes.
func (t *Tenant) scimListing(c call) (scimQuery, reply, bool) {
	q := scimQuery{count: t.scimPageLimit()}
	if refusal, ok := t.scimAdmit(c, http.MethodGet); !ok {
		return q, refusal, false
	}
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return q, scimRefusal(http.StatusBadRequest, "invalidSyntax", "the query is malformed"), false
	}
	for name, given := range values {
		if len(given) != 1 {
			return q, scimRefusal(http.StatusBadRequest, "invalidSyntax", name+" is given twice"), false
		}
	}
	if refusal, ok := t.scimFilterOf(&q, values); !ok {
		return q, refusal, false
	}
	for name := range values {
		if refusal, ok := t.scimParameter(&q, name, values.Get(name)); !ok {
			return q, refusal, false
		}
	}
	return q, reply{}, true
}

func (t *Tenant) scimFilterOf(q *scimQuery, values url.Values) (reply, bool) {
	if !values.Has("filter") {
		return reply{}, true
	}
	q.raw = values.Get("filter")
	filter, ok := parseSCIMFilter(q.raw)
	if !ok || t.opts.SCIM.NoFilter {
		return scimRefusal(http.StatusBadRequest, "invalidFilter", "the filter is not supported"), false
	}
	q.filter = filter
	return reply{}, true
}

func (t *Tenant) scimParameter(q *scimQuery, name, value string) (reply, bool) {
	n, err := strconv.Atoi(value)
	ok := true
	switch {
	case name == "filter":
	case name == "count":
		ok = err == nil && n >= 0
		q.count = min(n, t.scimPageLimit())
	case name == "startIndex" && !t.opts.SCIM.Cursor:
		ok = err == nil && n >= 1
		q.start = n - 1
	case name == "cursor" && t.opts.SCIM.Cursor:
		if q.start, ok = t.openToken("scim "+q.raw, value); !ok {
			return scimRefusal(http.StatusBadRequest, "invalidCursor", "the cursor is not one of this listing"), false
		}
	default:
		return scimRefusal(http.StatusBadRequest, "invalidSyntax", "there is no parameter "+name), false
	}
	if !ok {
		return scimRefusal(http.StatusBadRequest, "invalidValue", name+" is out of range"), false
	}
	return reply{}, true
}

func (t *Tenant) scimListUsers(c call) reply {
	q, refusal, ok := t.scimListing(c)
	if !ok {
		return refusal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var matching []int
	for i := range t.opts.Users {
		if q.filter == nil || q.filter.matches(t.scimUser(i)) {
			matching = append(matching, i)
		}
	}
	return t.scimPage(c, q, len(matching), func(n int) object { return t.scimUser(matching[n]) })
}

func (t *Tenant) scimListGroups(c call) reply {
	q, refusal, ok := t.scimListing(c)
	if !ok {
		return refusal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var matching []int
	for g := range t.groups {
		if q.filter == nil || q.filter.matches(t.scimGroup(g)) {
			matching = append(matching, g)
		}
	}
	return t.scimPage(c, q, len(matching), func(n int) object { return t.scimGroup(matching[n]) })
}

// scimPage is one page of a listing. Which page a fault spoils is up to its
// Match; what it spoils depends on nothing but the request.
func (t *Tenant) scimPage(c call, q scimQuery, total int, resource func(int) object) reply {
	if c.fault.Kind == FaultRepeatToken {
		q.start = max(0, q.start-q.count) // the page before, once more
	}
	resources := []object{}
	next := min(q.start+q.count, total)
	for n := q.start; n < next; n++ {
		resources = append(resources, resource(n))
		if c.fault.Kind == FaultDuplicate {
			resources = append(resources, resource(n))
		}
	}
	list := object{"schemas": []string{scimList}, "Resources": resources, "itemsPerPage": len(resources), "totalResults": total}
	if c.fault.Kind == FaultMiscount {
		list["totalResults"] = total + 1
	}
	if !t.opts.SCIM.Cursor {
		list["startIndex"] = q.start + 1
	} else if next < total {
		list["nextCursor"] = t.sealToken("scim "+q.raw, next)
	}
	return t.scimReply(http.StatusOK, list)
}
