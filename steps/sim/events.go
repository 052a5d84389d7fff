package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Reach is how far back the Events API remembers.
const Reach = 120 * 24 * time.Hour

// reachSlack is how much further back a question may start, so that one for
// exactly 120 days is not too late by the time it arrives.
const reachSlack = 5 * time.Minute

func eventsError(status int, message string) reply {
	return jsonReply(status, object{"Error": object{"Message": message}})
}

// features are what the request's token may read; ok is false for a token that
// is none of this tenant's.
func (t *Tenant) features(r *http.Request) (features []string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	features, ok = t.readers[bearer(r)]
	return features, ok
}

func (t *Tenant) introspect(c call) reply {
	features, ok := t.features(c.r)
	switch {
	case c.r.Method != http.MethodGet:
		return eventsError(http.StatusMethodNotAllowed, "Method Not Allowed")
	case !ok:
		return eventsError(http.StatusUnauthorized, "Unauthorized access")
	}
	id, issued := idOf(t.opts.Seed, hashOf(t.opts.Seed, "token "+bearer(c.r))), t.opts.Now.Add(-30*day)
	if c.path[1] != "v2" {
		return jsonReply(http.StatusOK, object{"UUID": id, "IssuedAt": issued, "Features": features})
	}
	return jsonReply(http.StatusOK, object{"uuid": id, "issued_at": issued, "features": features, "account_uuid": t.people.account})
}

// question is the body of a request for events, in either of its two forms.
type question struct {
	Limit  *int       `json:"limit"`
	Start  *time.Time `json:"start_time"`
	End    *time.Time `json:"end_time"`
	Cursor *string    `json:"cursor"`
}

// position is what a cursor remembers.
type position struct {
	limit      int
	start, end int64 // Unix nanoseconds; an end of openEnd never comes
	offset     int   // records of the window already given
	page       int
}

// openEnd is the end of a question without one: its cursors go on for ever.
const openEnd = math.MaxInt64

// asOf is the position's window as far as it has come to pass.
func (p position) asOf(now time.Time) position {
	p.end = min(p.end, now.UnixNano())
	return p
}

// logOf is what a cursor is good for: one token's view of a feature in one
// version of the API.
func logOf(c call, feature string) string { return c.path[1] + " " + feature + " " + bearer(c.r) }

func (t *Tenant) ask(c call, feature string) (position, reply, bool) {
	features, known := t.features(c.r)
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	switch {
	case c.r.Method != http.MethodPost:
		return position{}, eventsError(http.StatusMethodNotAllowed, "Method Not Allowed"), false
	case !known || !slices.Contains(features, feature):
		return position{}, eventsError(http.StatusUnauthorized, "Unauthorized access"), false
	case kind != "application/json":
		return position{}, eventsError(http.StatusBadRequest, "Content-Type must be application/json"), false
	}
	at, problem := t.parseQuestion(c, feature)
	return at, eventsError(http.StatusBadRequest, problem), problem == ""
}

func (t *Tenant) parseQuestion(c call, feature string) (position, string) {
	var q question
	dec := json.NewDecoder(bytes.NewReader(c.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return position{}, "malformed body: " + err.Error()
	}
	if q.Cursor == nil {
		return t.parseWindow(q)
	}
	if q.Limit != nil || q.Start != nil || q.End != nil {
		return position{}, "cursor must not be combined with limit, start_time or end_time"
	}
	at, ok := t.openCursor(logOf(c, feature), *q.Cursor)
	if !ok || c.fault.Kind == FaultForget {
		return position{}, "invalid cursor"
	}
	return at, ""
}

func (t *Tenant) parseWindow(q question) (position, string) {
	now := t.opts.Clock()
	at := position{limit: 100, start: now.Add(-time.Hour).UnixNano(), end: openEnd}
	if q.Limit != nil {
		at.limit = *q.Limit
	}
	if q.Start != nil {
		at.start = q.Start.UnixNano()
	}
	if q.End != nil {
		at.end = q.End.UnixNano()
	}
	switch {
	case at.limit < 1 || at.limit > 1000:
		return at, "limit must be between 1 and 1000"
	case at.start > at.end:
		return at, "start_time must be before end_time"
	case at.start < now.Add(-Reach-reachSlack).UnixNano():
		return at, "start_time must be within the last 120 days"
	}
	return at, ""
}

func (t *Tenant) sealCursor(log string, at position) string {
	about := fmt.Sprintf("%d %d %d %d", at.limit, at.start, at.end, at.page)
	return t.sealToken(log+" "+about, at.offset) + "." + strings.ReplaceAll(about, " ", ".")
}

func (t *Tenant) openCursor(log, sealed string) (position, bool) {
	fields := strings.Split(sealed, ".")
	if len(fields) != 5 {
		return position{}, false
	}
	var numbers [4]int64
	for i, field := range fields[1:] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return position{}, false
		}
		numbers[i] = n
	}
	about := log + " " + strings.Join(fields[1:], " ")
	offset, ok := t.openToken(about, fields[0])
	return position{
		limit: int(numbers[0]), start: numbers[1], end: numbers[2], page: int(numbers[3]), offset: offset,
	}, ok && offset >= 0
}

// answer gives one page of n records. Every third page is empty though more
// follow: the real service may do so, and a client must go on.
func (t *Tenant) answer(c call, feature string, at position, n int, record func(int) any) reply {
	take := min(at.limit, max(n-at.offset, 0))
	if at.page%3 == 1 && take > 0 {
		take = 0
	}
	if c.fault.Kind == FaultEndless {
		take = 0
	}
	items := make([]any, 0, take)
	for i := range take {
		items = append(items, record(at.offset+i))
		if c.fault.Kind == FaultDuplicate {
			items = append(items, record(at.offset+i))
		}
	}
	if c.fault.Kind == FaultReversed {
		slices.Reverse(items)
	}
	next := at
	if c.fault.Kind != FaultRepeatToken {
		next.offset, next.page = at.offset+take, at.page+1
	}
	return jsonReply(http.StatusOK, object{
		"cursor": t.sealCursor(logOf(c, feature), next), "has_more": next.offset < n || c.fault.Kind == FaultEndless, "items": items,
	})
}

func (t *Tenant) signInAttempts(c call) reply {
	at, refusal, ok := t.ask(c, "signinattempts")
	if !ok {
		return refusal
	}
	all := window(t.history().signIns, at.asOf(t.opts.Clock()), func(s signIn) time.Time { return s.at })
	return t.answer(c, "signinattempts", at, len(all), func(i int) any { return t.dated(c, t.signInRecord(all[i])) })
}

func (t *Tenant) itemUsages(c call) reply {
	at, refusal, ok := t.ask(c, "itemusages")
	if !ok {
		return refusal
	}
	all := window(t.history().usages, at.asOf(t.opts.Clock()), func(u usage) time.Time { return u.at })
	return t.answer(c, "itemusages", at, len(all), func(i int) any { return t.dated(c, t.usageRecord(all[i])) })
}

func (t *Tenant) auditEvents(c call) reply {
	at, refusal, ok := t.ask(c, "auditevents")
	if !ok {
		return refusal
	}
	all := window(t.audits(), at.asOf(t.opts.Clock()), func(a audit) time.Time { return a.at })
	return t.answer(c, "auditevents", at, len(all), func(i int) any { return t.dated(c, t.auditRecord(all[i])) })
}

// audits are the audit events of the history and those of what was changed
// since, oldest first.
func (t *Tenant) audits() []audit {
	told := t.history().audits
	t.mu.Lock()
	defer t.mu.Unlock()
	var since []audit
	for _, change := range t.log.changes {
		i, known := t.people.indexOf(change.User)
		if !known || !change.Changed {
			continue
		}
		a := audit{at: change.At, actor: nobody, action: "suspend", object: "user", whom: i}
		if change.Operation == OpReactivate {
			a.action = "reactive" // the service's own spelling
		}
		since = append(since, a)
	}
	if len(since) == 0 {
		return told
	}
	all := slices.Concat(told, since)
	slices.SortStableFunc(all, func(a, b audit) int { return a.at.Compare(b.at) })
	return all
}

// dated leaves out of a record what the version of the API that was asked does
// not have.
func (t *Tenant) dated(c call, record object) object {
	if c.path[1] == "v1" {
		delete(record, "account_uuid")
		delete(record, "actor_account_uuid")
	}
	return record
}

// window is the part of a sorted history from start to end, both included.
func window[T any](all []T, at position, when func(T) time.Time) []T {
	from := sort.Search(len(all), func(i int) bool { return when(all[i]).UnixNano() >= at.start })
	to := sort.Search(len(all), func(i int) bool { return when(all[i]).UnixNano() > at.end })
	return all[from:max(from, to)]
}
