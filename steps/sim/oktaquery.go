package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// oktaPage is what a listing of the Okta service asks for.
type oktaPage struct {
	limit  int
	start  int
	about  string // what the cursor is good for
	filter string
	search string
}

// oktaListing reads a listing's query. It is stricter than Okta, which leaves
// aside what it does not know.
func (t *Tenant) oktaListing(c call, most int, allowed ...string) (oktaPage, reply, bool) {
	q := oktaPage{limit: most}
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return q, t.oktaInvalid("query", "the query is malformed"), false
	}
	known := " limit after " + strings.Join(allowed, " ") + " "
	for name, given := range values {
		if len(given) != 1 || !strings.Contains(known, " "+name+" ") {
			return q, t.oktaInvalid(name, "there is no such parameter, or it is given twice"), false
		}
	}
	if values.Has("limit") {
		if q.limit, err = strconv.Atoi(values.Get("limit")); err != nil || q.limit < 1 || q.limit > most {
			return q, t.oktaInvalid("limit", "The limit must be between 1 and "+strconv.Itoa(most)), false
		}
	}
	q.filter, q.search = values.Get("filter"), values.Get("search")
	q.about = strings.Join(c.path, "/") + " " + q.filter + " " + q.search
	start, ok := t.openToken(q.about, values.Get("after"))
	if !ok {
		return q, t.oktaInvalid("after", "the cursor is not one of this listing"), false
	}
	q.start = start
	return q, reply{}, true
}

// oktaList answers with a page of what is there, and links to itself and to the
// next page. The length is that of the whole, item makes one of it or says that
// it is not of the listing. It needs the lock.
func (t *Tenant) oktaList(c call, q oktaPage, length int, item func(n int) (object, bool)) reply {
	page := []object{}
	n := q.start
	for ; n < length && len(page) < q.limit; n++ {
		if thing, ok := item(n); ok {
			page = append(page, thing)
			if c.fault.Kind == FaultDuplicate {
				page = append(page, thing)
			}
		}
	}
	next := n
	for ; next < length; next++ { // whether anything is left
		if _, ok := item(next); ok {
			break
		}
	}
	answer := jsonReply(http.StatusOK, page)
	answer.links = []string{"<" + t.oktaURL(c, c.r.URL.RawQuery) + `>; rel="self"`}
	if next < length || c.fault.Kind == FaultRepeatToken {
		if c.fault.Kind == FaultRepeatToken {
			n = q.start
		}
		values := c.r.URL.Query()
		values.Set("limit", strconv.Itoa(q.limit))
		values.Set("after", t.sealToken(q.about, n))
		answer.links = append(answer.links, "<"+t.oktaURL(c, values.Encode())+`>; rel="next"`)
	}
	return answer
}

// oktaURL is the whole address of the call's path: Okta's links are absolute.
func (t *Tenant) oktaURL(c call, query string) string {
	scheme, host := c.r.URL.Scheme, c.r.Host
	if scheme == "" {
		scheme = "http"
	}
	if host == "" {
		host = c.r.URL.Host
	}
	u := url.URL{Scheme: scheme, Host: host, Path: "/" + strings.Join(c.path, "/"), RawQuery: query}
	return u.String()
}

// oktaStatusFilter reads `status eq "A" or status eq "B"`.
func oktaStatusFilter(filter string) (map[string]bool, bool) {
	out := map[string]bool{}
	for part := range strings.SplitSeq(filter, " or ") {
		m := regexp.MustCompile(`^status eq "([A-Z_]+)"$`).FindStringSubmatch(part)
		if m == nil {
			return nil, false
		}
		out[m[1]] = true
	}
	return out, true
}

// oktaSearch reads `profile.email eq "…"`; comparing leaves case aside.
func oktaSearch(search string) (string, bool) {
	quoted, ok := strings.CutPrefix(search, "profile.email eq ")
	var email string
	if !ok || json.Unmarshal([]byte(quoted), &email) != nil {
		return "", false
	}
	return email, true
}
