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

	signInsPath = "/api/v2/signinattempts"
	usagesPath  = "/api/v2/itemusages"
	introspect  = "/api/v2/auth/introspect"
)

// reader implements identity.SignIns, identity.Events and engine.Tester.
type reader struct {
	client *transport.Client
	base   string
	token  *token
	now    func() time.Time
}

var (
	_ identity.SignIns = (*reader)(nil)
	_ identity.Events  = (*reader)(nil)
	_ engine.Tester    = (*reader)(nil)
)

// SignInsReach is 120 days.
func (r *reader) SignInsReach() time.Duration { return reach }

// EventsReach is 120 days.
func (r *reader) EventsReach() time.Duration { return reach }

// SignIns yields every attempt in [from, to).
func (r *reader) SignIns(ctx context.Context, from, to time.Time) iter.Seq2[identity.SignIn, error] {
	return records(ctx, r, signInsPath, window{from, to}, wireSignIn.signIn, func(s identity.SignIn) time.Time { return s.At })
}

// ItemUsages yields every usage in [from, to).
func (r *reader) ItemUsages(ctx context.Context, from, to time.Time) iter.Seq2[identity.ItemUsage, error] {
	return records(ctx, r, usagesPath, window{from, to}, wireUsage.usage, func(u identity.ItemUsage) time.Time { return u.At })
}

type window struct{ from, to time.Time }

// holds leaves out what the service adds at the edges.
func (w window) holds(at time.Time) bool { return !at.Before(w.from) && at.Before(w.to) }

// records pages through one kind of record.
func records[W, T any](ctx context.Context, r *reader, path string, w window, convert func(W) (T, error), at func(T) time.Time) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if oldest := r.now().Add(-reach); w.from.Before(oldest.Add(-time.Minute)) {
			yield(none, engine.Fail(engine.ClassInvalid, CodeReach,
				"the Events API remembers 120 days, back to %s; %s is before that", oldest.Format(time.DateOnly), w.from.Format(time.DateOnly)))
			return
		}
		if !w.from.Before(w.to) {
			return
		}
		pages := transport.Pages(ctx, "", func(ctx context.Context, cursor string) (transport.Page[T], error) {
			return page(ctx, r, path, question(w, cursor, pageLimit), convert)
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

// question is a request's body in one of its two forms, which never mix.
func question(w window, cursor string, limit int) map[string]any {
	if cursor != "" {
		return map[string]any{"cursor": cursor}
	}
	return map[string]any{
		"limit": limit, "start_time": w.from.UTC().Format(time.RFC3339Nano), "end_time": w.to.UTC().Format(time.RFC3339Nano),
	}
}

// page asks for one page. Asking changes nothing, though it is a POST.
func page[W, T any](ctx context.Context, r *reader, path string, ask map[string]any, convert func(W) (T, error)) (transport.Page[T], error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return transport.Page[T]{}, engine.Fail(engine.ClassInvalid, "body", "encoding the question: %v", err)
	}
	var got transport.Page[T]
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
