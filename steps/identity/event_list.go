package identity

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// EventList is the action event.list.
type EventList struct{}

// EventType is the type of an event in a playbook.
func EventType() engine.Type {
	text := engine.Maybe(engine.TypeString())
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString(), Doc: "The event's own id."},
		engine.Field{Name: "at", Type: engine.TypeTime(), Doc: "When it happened."},
		engine.Field{Name: "user_id", Type: text, Doc: "Who did it, or whose account was signed in to; missing where the service did not know."},
		engine.Field{Name: "email", Type: text, Doc: "Their address; missing where the service did not know."},
		engine.Field{Name: "name", Type: text, Doc: "Their display name; missing where the service did not know."},
		engine.Field{Name: "action", Type: engine.TypeString(), Doc: "The service's own word for it, such as `credentials_ok`, `reveal` or `suspend`."},
		engine.Field{
			Name: "result", Type: engine.Maybe(engine.EnumOf(string(SignInSuccess), string(SignInFailed), string(SignInMFAFailed), string(SignInBlocked))),
			Doc: "How a sign-in ended, as in `signin.list`; missing of other events.",
		},
		engine.Field{Name: "object_type", Type: engine.TypeString(), Doc: "What it was done to, in the service's own word: `item`, `user`, `gm` (a membership in a group); `user` of a sign-in, empty where the service does not say."},
		engine.Field{Name: "object_id", Type: text, Doc: "The id of that."},
		engine.Field{Name: "related_id", Type: text, Doc: "What else it was about: of a membership its member, of an item its vault."},
		engine.Field{Name: "detail", Type: text, Doc: "The service's own remark."},
		engine.Field{Name: "ip", Type: text, Doc: "The address it came from."},
		engine.Field{Name: "country", Type: text, Doc: "The country of that address, as ISO 3166 alpha-2."},
	)
}

// Spec declares event.list.
func (EventList) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "event.list",
		Summary: "List what a service recorded: sign-ins, item usages or audit events, of a stretch of time or since the last time.",
		Doc: `Reads every event of one ` + "`kind`" + ` and returns each once, oldest first, however often and in whatever order the service delivered it. It reads everything or fails.

With ` + "`unread: true`" + ` it returns only what no earlier run has acknowledged: it goes on where the reader stopped, and nothing arrives too late to be seen. Reading moves nothing; ` + "`event.acknowledge`" + ` does, as the step after the last that works on the events. A run that fails before it leaves them unread, so an event may be seen twice and never not at all. What the reader has not read yet begins a ` + "`window`" + ` before now. ` + "`from`" + ` begins anew there, whatever was acknowledged: also after the service refused to go on (code ` + "`cursor_refused`" + `).

A position belongs to the connection, its credentials, the kind and the ` + "`reader`" + `: with new credentials a reader begins anew, a ` + "`window`" + ` before now.`,
		Effect:     engine.Observe,
		Needs:      []engine.Capability{CapabilityEvents},
		Inputs:     eventInputs(),
		ExactlyOne: [][]string{{"window", "from"}},
		Outputs: []engine.Field{
			{Name: "events", Type: engine.ListOf(EventType()), Doc: "The events that match, oldest first."},
			{Name: "from", Type: engine.TypeTime(), Doc: "Where the window began; with `unread`, when the reader last came further."},
			{Name: "to", Type: engine.TypeTime(), Doc: "Where the window ended; with `unread`, when it was read."},
			{Name: "position", Type: engine.TypeString(), Doc: "With `unread`, what `event.acknowledge` takes; else empty."},
			{Name: "more", Type: engine.TypeBool(), Doc: "Whether `limit` left events for the next time."},
		},
		Examples: []engine.Example{{
			Title: "Tell of every suspension since the last time",
			YAML: `- id: news
  uses: event.list
  with:
    kind: audit
    unread: true
    window: 1h
    where: object_type == "user" and action == "suspend"
- uses: message.send
  if: len(steps.news.events) > 0
  with: { text: "${{ len(steps.news.events) }} accounts were suspended" }
- uses: event.acknowledge
  with: { position: "${{ steps.news.position }}" }
`,
		}},
	}
}

func eventInputs() []engine.Field {
	one := int64(1)
	kinds := make([]string, 0, len(EventKinds()))
	for _, kind := range EventKinds() {
		kinds = append(kinds, string(kind))
	}
	return append([]engine.Field{{
		Name: "kind", Type: engine.EnumOf(kinds...), Required: true, Example: "audit",
		Doc: "Which log: attempts to sign in, uses of stored items, or what was changed in the account.",
	}}, append(spanInputs(), []engine.Field{
		{
			Name: "unread", Type: engine.TypeBool(), Default: false, Needs: CapabilityUnread,
			Doc: "Only what was not acknowledged before. `window` is then how far back the first time goes, `from` begins anew, and neither `to` nor `lag` counts.",
		},
		{
			Name: "reader", Type: engine.Maybe(engine.TypeString()), Example: "siem-export",
			Doc: "With `unread`, under which name it is remembered; the playbook's by default. Readers do not take events away from each other.",
		},
		{
			Name: "limit", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one, Example: "5000",
			Doc: "With `unread`, stop behind the page with which so many events match; `more` then says that there are others.",
		},
		{
			Name: "where", Type: engine.Maybe(engine.PredicateOver(EventType())), Example: `object_type == "user"`,
			Doc: "Only events for which this is true. The fields of an event are bare names.",
		},
	}...)...)
}

// Observe lists the events.
func (EventList) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	keep, err := newFilter(call.Inputs["where"], EventType(), setEvent)
	if err != nil {
		return engine.Observation{}, err
	}
	kind, _ := call.Inputs["kind"].(string)
	if unread, _ := call.Inputs["unread"].(bool); unread {
		return listUnread(ctx, call, EventKind(kind), keep)
	}
	for _, name := range []string{"reader", "limit"} {
		if _, given := call.Inputs[name]; given {
			return engine.Observation{}, engine.Fail(engine.ClassInvalid, name, "`%s` goes with `unread: true`", name)
		}
	}
	log, _, err := engine.Offered[Events](call, CapabilityEvents)
	if err != nil {
		return engine.Observation{}, err
	}
	window, err := spanOf(call, log.EventsReach())
	if err != nil {
		return engine.Observation{}, err
	}
	found := gathered{keep: keep}
	for e, err := range log.Events(ctx, EventKind(kind), window.from, window.to) {
		if err == nil {
			err = found.add(e)
		}
		if err != nil {
			return engine.Observation{}, fmt.Errorf("listing %s: %w", kind, err)
		}
	}
	return engine.Observation{Outputs: map[string]any{
		"events": found.rows(), "from": window.from, "to": window.to, "position": "", "more": false,
	}}, nil
}

// gathered are the events that match, each once.
type gathered struct {
	keep   *filter[Event]
	seen   map[string]struct{}
	events []Event
}

func (g *gathered) add(e Event) error {
	if g.seen == nil {
		g.seen = make(map[string]struct{})
	}
	if _, again := g.seen[e.ID]; again && e.ID != "" {
		return nil
	}
	g.seen[e.ID] = struct{}{}
	matches, err := g.keep.match(e)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	if matches {
		g.events = append(g.events, e)
	}
	return nil
}

func (g *gathered) rows() []any {
	slices.SortFunc(g.events, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	rows := make([]any, len(g.events))
	for i, e := range g.events {
		row := make(map[string]any, 13)
		setEvent(row, e)
		rows[i] = row
	}
	return rows
}

func setEvent(row map[string]any, e Event) {
	row["id"] = e.ID
	row["at"] = e.At.UTC()
	row["action"] = e.Action
	row["object_type"] = e.ObjectType
	row["result"] = orNull(string(e.Result))
	for name, value := range map[string]string{
		"user_id": e.UserID, "email": e.Email, "name": e.Name, "object_id": e.ObjectID,
		"related_id": e.RelatedID, "detail": e.Detail, "ip": e.IP, "country": e.Country,
	} {
		row[name] = orNull(value)
	}
}

// eventPages are the pages of an UnreadEvents.
type eventPages = iter.Seq2[EventPage, error]
