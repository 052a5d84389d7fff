package onepasswordevents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// EventLog asks whose token it is and what it may read. Cursors are good for
// one token, feature and version of the API.
func (r *reader) EventLog(ctx context.Context, kind identity.EventKind) (identity.EventLog, error) {
	f, err := featureOf(kind)
	if err != nil {
		return identity.EventLog{}, err
	}
	token, err := r.introspect(ctx)
	if err != nil {
		return identity.EventLog{}, err
	}
	if !slices.Contains(token.features, f.name) {
		return identity.EventLog{}, lacks([]feature{f})
	}
	if token.uuid == "" {
		return identity.EventLog{}, malformed("the answer does not say which token it is about")
	}
	sum := sha256.Sum256([]byte(token.uuid))
	return identity.EventLog{Credentials: hex.EncodeToString(sum[:]), Version: r.version}, nil
}

// EventsAfter yields what was recorded behind a cursor, or since a time.
func (r *reader) EventsAfter(ctx context.Context, kind identity.EventKind, cursor string, from time.Time) iter.Seq2[identity.EventPage, error] {
	f, err := featureOf(kind)
	switch {
	case err != nil:
		return func(yield func(identity.EventPage, error) bool) { yield(identity.EventPage{}, err) }
	case kind == identity.EventSignIns:
		return pagesAfter(ctx, r, f.name, cursor, from, wireSignIn.event)
	case kind == identity.EventItemUsages:
		return pagesAfter(ctx, r, f.name, cursor, from, wireUsage.event)
	default:
		return pagesAfter(ctx, r, f.name, cursor, from, wireAudit.event)
	}
}

func pagesAfter[W any](ctx context.Context, r *reader, name, cursor string, from time.Time, convert func(W) (identity.Event, error)) iter.Seq2[identity.EventPage, error] {
	return func(yield func(identity.EventPage, error) bool) {
		if err := r.remembers(from); cursor == "" && err != nil {
			yield(identity.EventPage{}, err)
			return
		}
		pages := transport.Pages(ctx, cursor, func(ctx context.Context, at string) (transport.Page[identity.EventPage], error) {
			got, err := page(ctx, r, name, question(window{from: from}, at, pageLimit), convert)
			if err != nil {
				return transport.Page[identity.EventPage]{}, refusedCursor(at, err)
			}
			out := transport.Page[identity.EventPage]{Next: got.Next, Last: got.Last}
			if got.Last && got.Next == "" {
				return out, malformed("the last page has no cursor to go on from")
			}
			if len(got.Items) > 0 || got.Last { // an empty page that is not the last says nothing, and many of them are no listing
				out.Items = []identity.EventPage{{Events: got.Items, Cursor: got.Next}}
			}
			return out, nil
		})
		for p, err := range pages {
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// refusedCursor is the failure of a question that was nothing but a cursor, and
// wrong: the service has forgotten it, or it is another token's.
func refusedCursor(cursor string, err error) error {
	f := engine.AsFailure(err)
	if cursor == "" || f.Code != "http_400" && f.Code != "http_404" && f.Code != "http_410" && f.Code != "http_422" {
		return err
	}
	return engine.Fail(engine.ClassInvalid, identity.CodeCursorRefused, "%s", f.Message)
}
