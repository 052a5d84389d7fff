package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// listUnread answers a call of event.list with what its reader has not
// acknowledged yet.
func listUnread(ctx context.Context, call engine.Call, kind EventKind, keep *filter[Event]) (engine.Observation, error) {
	log, conn, err := engine.Offered[Events](call, CapabilityEvents)
	if err != nil {
		return engine.Observation{}, err
	}
	unread, err := engine.OfferedFor[UnreadEvents](call, CapabilityEvents, CapabilityUnread, "unread", "no_cursors")
	if err != nil {
		return engine.Observation{}, err
	}
	if _, given := call.Inputs["to"]; given {
		return engine.Observation{}, engine.Fail(engine.ClassInvalid, "to", "`unread: true` reads everything there is; leave `to` out")
	}
	p, err := lastPosition(ctx, call, conn, unread, kind)
	if err != nil {
		return engine.Observation{}, err
	}
	since, err := sinceWhen(call, &p, log.EventsReach())
	if err != nil {
		return engine.Observation{}, err
	}
	found := gathered{keep: keep}
	limit, _ := call.Inputs["limit"].(int64)
	more, err := found.drain(unread.EventsAfter(ctx, kind, p.Cursor, since), &p, int(limit))
	if err != nil {
		return engine.Observation{}, refusedCursor(kind, err)
	}
	p.Revision++
	sealed, err := sealPosition(p)
	if err != nil {
		return engine.Observation{}, err
	}
	return engine.Observation{Outputs: map[string]any{
		"events": found.rows(), "from": since, "to": call.Now.UTC(), "position": sealed, "more": more,
	}}, nil
}

// lastPosition is where the reader of the call has come to; one without a
// cursor, of revision 0, where it has not read yet.
func lastPosition(ctx context.Context, call engine.Call, conn *engine.Connection, unread UnreadEvents, kind EventKind) (engine.Position, error) {
	reader, _ := call.Inputs["reader"].(string)
	if reader == "" {
		reader = call.Playbook
	}
	if call.Positions == nil || reader == "" {
		return engine.Position{}, engine.Fail(engine.ClassInvalid, "no_positions", "nothing is remembered here between runs: `unread` cannot be used")
	}
	log, err := unread.EventLog(ctx, kind)
	if err != nil {
		return engine.Position{}, fmt.Errorf("asking whose log it is: %w", err)
	}
	fresh := engine.Position{
		Key:        engine.PositionKey(conn.Fingerprint, log.Credentials, string(kind), log.Version, reader),
		Connection: conn.Name, Log: string(kind), Reader: reader,
	}
	at, err := call.Positions.Position(ctx, fresh.Key)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return fresh, nil
	case err != nil:
		return engine.Position{}, fmt.Errorf("looking up where %s has read to: %w", reader, err)
	}
	fresh.Cursor, fresh.Revision, fresh.At = at.Cursor, at.Revision, at.At
	return fresh, nil
}

// sinceWhen is since when events are read, which the position's cursor stands
// for; where it begins anew, the position loses it.
func sinceWhen(call engine.Call, p *engine.Position, reach time.Duration) (time.Time, error) {
	now := call.Now.UTC()
	from, anew := call.Inputs["from"].(time.Time)
	switch {
	case anew:
		p.Cursor = ""
	case p.Cursor != "":
		return p.At.UTC(), nil
	default:
		window, _ := call.Inputs["window"].(time.Duration)
		from = now.Add(-window)
	}
	if !from.Before(now) {
		return from, engine.Fail(engine.ClassInvalid, "empty_window", "there is nothing to read since %s: it is not before now", from.UTC().Format(engine.TimeLayout))
	}
	return from.UTC(), withinReach("events", now.Sub(from), reach)
}

// drain takes pages until the last, or until so many events match, 0 for all;
// it moves the position behind the last page it took, and reports whether
// there are more.
func (g *gathered) drain(pages eventPages, p *engine.Position, limit int) (more bool, err error) {
	for page, err := range pages {
		if err != nil {
			return false, err
		}
		if limit > 0 && len(g.events) >= limit {
			return true, nil
		}
		for _, e := range page.Events {
			if err := g.add(e); err != nil {
				return false, err
			}
		}
		p.Cursor = page.Cursor
	}
	if p.Cursor == "" {
		return false, engine.Fail(engine.ClassPermanent, "no_cursor", "the service does not say where to go on the next time")
	}
	return false, nil
}

// refusedCursor says what to do where the service does not go on.
func refusedCursor(kind EventKind, err error) error {
	if f := engine.AsFailure(err); f.Code == CodeCursorRefused {
		return engine.Fail(engine.ClassInvalid, CodeCursorRefused,
			"%s. It does not go on where this reader stopped: run it once with `from:`, in place of `window:`, at a time before that; events may then come twice", f.Message)
	}
	return fmt.Errorf("listing unread %s: %w", kind, err)
}

// EventAcknowledge is the action event.acknowledge.
type EventAcknowledge struct{}

// Spec declares event.acknowledge.
func (EventAcknowledge) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "event.acknowledge",
		Summary: "Say that the events which event.list found unread have been dealt with.",
		Doc: `Moves the reader behind the events, so that the next ` + "`event.list`" + ` with ` + "`unread: true`" + ` begins after them. Put it behind everything that works on them: a run that ends before it leaves them unread.

It changes nothing in any service, so that like a message it is in no plan and needs no approval. A reader never goes back: where another run has moved it meanwhile, it stays where it is and ` + "`moved`" + ` is false; what this run has read may then be read again.`,
		Effect: engine.Announce,
		Inputs: []engine.Field{{
			Name: "position", Type: engine.TypeString(), Required: true,
			Doc: "The `position` of the `event.list`.", Example: `"${{ steps.news.position }}"`,
		}},
		Outputs: []engine.Field{{Name: "moved", Type: engine.TypeBool(), Doc: "Whether the reader is there now."}},
		Examples: []engine.Example{{
			Title: "Read what is new, and remember it",
			YAML: `- id: news
  uses: event.list
  with: { kind: sign_ins, unread: true, window: 1h }
- uses: event.acknowledge
  with: { position: "${{ steps.news.position }}" }
`,
		}},
	}
}

// Announce moves the reader.
func (EventAcknowledge) Announce(ctx context.Context, call engine.Call) (map[string]any, error) {
	sealed, _ := call.Inputs["position"].(string)
	p, err := openPosition(sealed)
	if err != nil {
		return nil, err
	}
	if call.Positions == nil {
		return nil, engine.Fail(engine.ClassInvalid, "no_positions", "nothing is remembered here between runs: there is nothing to acknowledge")
	}
	p.At = call.Now.UTC()
	moved, err := call.Positions.Move(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("moving the reader %s: %w", p.Reader, err)
	}
	return map[string]any{"moved": moved}, nil
}

// sealPosition writes a position so that a playbook passes it on as it is.
func sealPosition(p engine.Position) (string, error) {
	p.At = time.Time{} // when it is acknowledged
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("writing down the position of %s: %w", p.Reader, err)
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

func openPosition(sealed string) (engine.Position, error) {
	if sealed == "" {
		return engine.Position{}, engine.Fail(engine.ClassInvalid, CodeNoPosition, "there is nothing to acknowledge: the position is empty, as that of an event.list without `unread: true` is")
	}
	var p engine.Position
	data, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Key == "" || p.Cursor == "" || p.Revision < 1 {
		return engine.Position{}, engine.Fail(engine.ClassInvalid, CodeNoPosition, "this is no position of an event.list with `unread: true`")
	}
	return p, nil
}
