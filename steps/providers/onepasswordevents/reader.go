package onepasswordevents

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Codes of this provider's failures, beside those of the transport.
const (
	CodeReach           = "reach"            // the question begins before what the service remembers
	CodeMalformed       = "malformed"        // a record lacks what it must have
	CodeUnknownCategory = "unknown_category" // a sign-in ended in a way this version does not know
	CodeMissingFeature  = "missing_feature"  // the token may not read what is needed
)

const (
	reach     = 120 * 24 * time.Hour
	pageLimit = 1000
	maxBody   = 16 << 20
	maxCursor = 16 << 10
)

// reader implements identity.SignIns, identity.Events, identity.UnreadEvents and
// engine.Tester.
type reader struct {
	client  *transport.Client
	base    string
	version string // of the API: v1 or v2
	token   *token
	now     func() time.Time
}

// feature is what a token must be allowed to read, in the service's words and
// in people's.
type feature struct {
	kind        identity.EventKind
	name, words string
}

func features() []feature {
	return []feature{
		{identity.EventSignIns, "signinattempts", "sign-in attempts"},
		{identity.EventItemUsages, "itemusages", "item usages"},
		{identity.EventAudit, "auditevents", "audit events"},
	}
}

func featureOf(kind identity.EventKind) (feature, error) {
	for _, f := range features() {
		if f.kind == kind {
			return f, nil
		}
	}
	return feature{}, engine.Fail(engine.ClassInvalid, "kind", "the Events API has no events of the kind %q", kind)
}

// path is where a log is asked for.
func (r *reader) path(name string) string { return "/api/" + r.version + "/" + name }

var (
	_ identity.SignIns      = (*reader)(nil)
	_ identity.Events       = (*reader)(nil)
	_ identity.UnreadEvents = (*reader)(nil)
	_ engine.Tester         = (*reader)(nil)
)

// SignInsReach is 120 days.
func (r *reader) SignInsReach() time.Duration { return reach }

// EventsReach is 120 days.
func (r *reader) EventsReach() time.Duration { return reach }

// SignIns yields every attempt in [from, to).
func (r *reader) SignIns(ctx context.Context, from, to time.Time) iter.Seq2[identity.SignIn, error] {
	return records(ctx, r, "signinattempts", window{from, to}, wireSignIn.signIn, func(s identity.SignIn) time.Time { return s.At })
}

// Events yields every event of a kind in [from, to).
func (r *reader) Events(ctx context.Context, kind identity.EventKind, from, to time.Time) iter.Seq2[identity.Event, error] {
	at := func(e identity.Event) time.Time { return e.At }
	f, err := featureOf(kind)
	if err != nil {
		return func(yield func(identity.Event, error) bool) { yield(identity.Event{}, err) }
	}
	switch kind {
	case identity.EventSignIns:
		return records(ctx, r, f.name, window{from, to}, wireSignIn.event, at)
	case identity.EventItemUsages:
		return records(ctx, r, f.name, window{from, to}, wireUsage.event, at)
	default:
		return records(ctx, r, f.name, window{from, to}, wireAudit.event, at)
	}
}

type window struct{ from, to time.Time }

// holds leaves out what the service adds at the edges.
func (w window) holds(at time.Time) bool { return !at.Before(w.from) && at.Before(w.to) }

// records pages through one kind of record.
func records[W, T any](ctx context.Context, r *reader, name string, w window, convert func(W) (T, error), at func(T) time.Time) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := r.remembers(w.from); err != nil {
			yield(none, err)
			return
		}
		if !w.from.Before(w.to) {
			return
		}
		pages := transport.Pages(ctx, "", func(ctx context.Context, cursor string) (transport.Page[T], error) {
			return page(ctx, r, name, question(w, cursor, pageLimit), convert)
		})
		for record, err := range pages {
			if err != nil {
				yield(none, err)
				return
			}
			if w.holds(at(record)) && !yield(record, nil) {
				return
			}
		}
	}
}

// remembers refuses a question that begins before what the service remembers.
func (r *reader) remembers(from time.Time) error {
	oldest := r.now().Add(-reach)
	if !from.Before(oldest.Add(-time.Minute)) {
		return nil
	}
	return engine.Fail(engine.ClassInvalid, CodeReach,
		"the Events API remembers 120 days, back to %s; %s is before that", oldest.Format(time.DateOnly), from.Format(time.DateOnly))
}

// question is a request's body in one of its two forms, which never mix. A
// window without an end is open: its cursors go on for ever.
func question(w window, cursor string, limit int) map[string]any {
	if cursor != "" {
		return map[string]any{"cursor": cursor}
	}
	ask := map[string]any{"limit": limit, "start_time": w.from.UTC().Format(time.RFC3339Nano)}
	if !w.to.IsZero() {
		ask["end_time"] = w.to.UTC().Format(time.RFC3339Nano)
	}
	return ask
}

// page asks for one page. Asking changes nothing, though it is a POST.
func page[W, T any](ctx context.Context, r *reader, name string, ask map[string]any, convert func(W) (T, error)) (transport.Page[T], error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return transport.Page[T]{}, engine.Fail(engine.ClassInvalid, "body", "encoding the question: %v", err)
	}
	var got transport.Page[T]
	path := r.path(name)
	_, err = r.client.Do(ctx, transport.Request{
		Method: http.MethodPost, URL: r.base + path, Route: "POST " + path, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}},
		Effect: transport.Read, MaxBody: maxBody, Credential: r.token.credential, Explain: explain,
		Decode: func(res transport.Response) (err error) {
			got, err = decodePage(res, convert)
			return err
		},
	})
	return got, err
}

// explain reads the service's error body.
func explain(r transport.Response) transport.Explanation {
	var body struct {
		Error struct {
			Message string `json:"Message"`
		} `json:"Error"`
	}
	_ = json.Unmarshal(r.Body, &body) // without words the status has to do
	return transport.Explanation{Message: body.Error.Message}
}
