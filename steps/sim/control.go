package sim

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

// State is what GET /_sim/state tells a harness in another process.
type State struct {
	Now         time.Time         `json:"now"`
	Users       int               `json:"users"`
	Credentials Credentials       `json:"credentials"`
	Suspended   []string          `json:"suspended"` // ids suspended since the story began
	Reactivated []string          `json:"reactivated"`
	Counts      map[Operation]int `json:"counts"` // how often each operation was asked for
}

// State is how the tenant differs from how it began.
func (t *Tenant) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := State{
		Now: t.opts.Clock(), Users: t.opts.Users, Credentials: t.credentials, Counts: maps.Clone(t.log.counts),
		Suspended: []string{}, Reactivated: []string{},
	}
	for _, i := range slices.Sorted(maps.Keys(t.suspended)) {
		switch {
		case t.suspended[i] == t.people.beganSuspended(i):
		case t.suspended[i]:
			s.Suspended = append(s.Suspended, t.people.id(i))
		default:
			s.Reactivated = append(s.Reactivated, t.people.id(i))
		}
	}
	return s
}

// control answers a harness: GET changes, messages, requests, state and cast;
// POST faults (a JSON list) to arm them, DELETE faults to remove them all;
// DELETE tokens to expire every access token.
func (t *Tenant) control(w http.ResponseWriter, r *http.Request, what string) {
	var answer any
	switch r.Method + " " + what {
	case "GET changes":
		answer = map[string]any{"changes": orEmpty(t.Changes())}
	case "GET messages":
		answer = map[string]any{"messages": orEmpty(t.Messages())}
	case "GET requests":
		answer = map[string]any{"requests": orEmpty(t.Requests())}
	case "GET state":
		answer = t.State()
	case "GET cast":
		answer = t.Cast()
	case "POST faults":
		t.injectFrom(w, r)
		return
	case "DELETE faults":
		t.Heal()
	case "DELETE tokens":
		t.ExpireTokens()
	default:
		send(w, plain(http.StatusNotFound, "404 page not found"))
		return
	}
	send(w, jsonReply(http.StatusOK, answer))
}

func (t *Tenant) injectFrom(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	dec := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&faults); err != nil {
		send(w, plain(http.StatusBadRequest, err.Error()))
		return
	}
	t.Inject(faults...)
	send(w, jsonReply(http.StatusOK, nil))
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
