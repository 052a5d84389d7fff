package identity_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// tape is an identity.Events in memory that can be gone on from: its cursors
// are how many events were read, and a page has two.
type tape struct {
	events  []identity.Event
	err     error // after the events
	token   string
	forgets bool // the cursors it has given
	asked   []string
}

func (t *tape) Events(_ context.Context, kind identity.EventKind, from, to time.Time) iter.Seq2[identity.Event, error] {
	t.asked = append(t.asked, string(kind))
	some := slices.DeleteFunc(slices.Clone(t.events), func(e identity.Event) bool { return e.At.Before(from) || !e.At.Before(to) })
	return stream(some, t.err)
}

func (t *tape) EventsReach() time.Duration                           { return 120 * day }
func (t *tape) Require(context.Context, ...identity.EventKind) error { return nil }

func (t *tape) EventLog(context.Context, identity.EventKind) (identity.EventLog, error) {
	return identity.EventLog{Credentials: t.token, Version: "v2"}, nil
}

func (t *tape) EventsAfter(_ context.Context, _ identity.EventKind, cursor string, from time.Time) iter.Seq2[identity.EventPage, error] {
	t.asked = append(t.asked, cursor)
	at := 0
	switch {
	case cursor != "" && t.forgets:
		return stream([]identity.EventPage{}, engine.Fail(engine.ClassInvalid, identity.CodeCursorRefused, "400 invalid cursor"))
	case cursor != "":
		_, _ = fmt.Sscanf(cursor, "c%d", &at)
	default:
		for at < len(t.events) && t.events[at].At.Before(from) {
			at++
		}
	}
	var pages []identity.EventPage
	for {
		end := min(at+2, len(t.events))
		pages = append(pages, identity.EventPage{Events: t.events[at:end], Cursor: fmt.Sprintf("c%d", end)})
		if at = end; at == len(t.events) {
			return stream(pages, t.err)
		}
	}
}

// marks is an engine.Positions in memory.
type marks struct {
	at  map[string]engine.Position
	err error
}

func (m *marks) Position(_ context.Context, key string) (engine.Position, error) {
	p, ok := m.at[key]
	if !ok {
		return p, errors.Join(m.err, engine.ErrNotFound)
	}
	return p, m.err
}

func (m *marks) Move(_ context.Context, p engine.Position) (bool, error) {
	if before := m.at[p.Key]; p.Revision != before.Revision+1 && (p.Revision != before.Revision || p.Cursor != before.Cursor) {
		return false, m.err
	}
	if m.at == nil {
		m.at = map[string]engine.Position{}
	}
	m.at[p.Key] = p
	return true, m.err
}

// happened is an audit event so many hours ago.
func happened(id string, hours int) identity.Event {
	return identity.Event{
		ID: id, At: ago(time.Duration(hours) * time.Hour), UserID: "U", Email: "u@example.com", Action: "suspend", ObjectType: "user", ObjectID: "V",
	}
}

func reading(log *tape, m *marks, inputs map[string]any) engine.Call {
	if inputs["kind"] == nil {
		inputs["kind"] = "audit"
	}
	call := callOf(identity.EventList{}, nil, nil, inputs)
	call.Playbook, call.Connections = "watch", map[engine.Capability]*engine.Connection{identity.CapabilityEvents: {
		Name: "logs", Fingerprint: "here", Offers: map[engine.Capability]any{identity.CapabilityEvents: log, identity.CapabilityUnread: log},
	}}
	if m != nil {
		call.Positions = m
	}
	return call
}

// acknowledge hands what an event.list said to event.acknowledge.
func acknowledge(t *testing.T, m *marks, seen engine.Observation) any {
	t.Helper()
	outputs, err := identity.EventAcknowledge{}.Announce(t.Context(), engine.Call{
		Now: now(), Inputs: map[string]any{"position": seen.Outputs["position"]}, Positions: m,
	})
	if err != nil {
		t.Fatal(err)
	}
	return outputs["moved"]
}

func TestEventList(t *testing.T) {
	log := &tape{events: []identity.Event{happened("b", 2), happened("a", 3), happened("b", 2), happened("old", 30), happened("c", 1)}}
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   []any
	}{
		"a window":   {map[string]any{"window": day}, []any{"a", "b", "c"}},
		"a stretch":  {map[string]any{"from": ago(40 * time.Hour), "to": ago(2 * time.Hour)}, []any{"old", "a"}},
		"some":       {map[string]any{"window": day, "where": where(`at > ago("150m")`)}, []any{"b", "c"}},
		"none":       {map[string]any{"window": day, "where": where(`action == "join"`)}, []any{}},
		"of nothing": {map[string]any{"window": 30 * time.Minute}, []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			if p, ok := tt.inputs["where"].(engine.Predicate); ok {
				p.Captured = map[string]any{"run": map[string]any{"time": map[string]any{"$time": now().Format(engine.TimeLayout)}}}
				tt.inputs["where"] = p
			}
			seen := observe(t, identity.EventList{}, reading(log, nil, tt.inputs))
			if diff := cmp.Diff(tt.want, pick(seen.Outputs["events"], "id")); diff != "" || seen.Outputs["position"] != "" {
				t.Errorf("position %q; %s", seen.Outputs["position"], diff)
			}
		})
	}
}

func TestUnreadEventsAreReadOnceAcknowledged(t *testing.T) {
	log, m := &tape{events: []identity.Event{happened("old", 30), happened("a", 3), happened("b", 2), happened("c", 1)}, token: "t"}, &marks{}
	read := func(want ...any) engine.Observation {
		t.Helper()
		seen := observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day}))
		if diff := cmp.Diff(append([]any{}, want...), pick(seen.Outputs["events"], "id")); diff != "" {
			t.Error(diff)
		}
		return seen
	}
	read("a", "b", "c")
	first := read("a", "b", "c") // nobody acknowledged them
	for range 2 {                // an acknowledgement may be repeated
		if acknowledge(t, m, first) != true {
			t.Error("the reader did not move")
		}
	}
	second := read()
	log.events = append(log.events, happened("d", 0))
	third := read("d")
	if acknowledge(t, m, third) != true {
		t.Error("the reader did not move")
	}
	if acknowledge(t, m, second) != false || acknowledge(t, m, first) != false {
		t.Error("the reader went back")
	}
	read()
	log.token = "rotated"
	read("a", "b", "c", "d")
}

func TestReadersAreOnTheirOwn(t *testing.T) {
	log, m := &tape{events: []identity.Event{happened("a", 3)}, token: "t"}, &marks{}
	read := func(inputs map[string]any) engine.Observation {
		t.Helper()
		inputs["unread"], inputs["window"] = true, day
		return observe(t, identity.EventList{}, reading(log, m, inputs))
	}
	acknowledge(t, m, read(map[string]any{}))
	for name, inputs := range map[string]map[string]any{
		"another reader": {"reader": "siem"}, "another kind": {"kind": "sign_ins"},
	} {
		if n := len(read(inputs).Outputs["events"].([]any)); n != 1 {
			t.Errorf("%s: %d events", name, n)
		}
	}
	if n := len(read(map[string]any{"reader": "watch"}).Outputs["events"].([]any)); n != 0 {
		t.Errorf("the same reader by its name: %d events", n)
	}
}

func TestUnreadInPieces(t *testing.T) {
	log, m := &tape{token: "t"}, &marks{}
	for i := range 5 {
		log.events = append(log.events, happened(fmt.Sprintf("e%d", i), 10-i))
	}
	for i, want := range []struct {
		ids  []any
		more bool
	}{{[]any{"e0", "e1"}, true}, {[]any{"e2", "e3"}, true}, {[]any{"e4"}, false}, {[]any{}, false}} {
		seen := observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day, "limit": int64(1)}))
		if diff := cmp.Diff(want.ids, pick(seen.Outputs["events"], "id")); diff != "" || seen.Outputs["more"] != want.more {
			t.Errorf("%d: more is %v; %s", i, seen.Outputs["more"], diff)
		}
		acknowledge(t, m, seen)
	}
}

func TestUnreadBeginsAnew(t *testing.T) {
	log, m := &tape{events: []identity.Event{happened("a", 3), happened("b", 2)}, token: "t"}, &marks{}
	acknowledge(t, m, observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day})))
	log.forgets = true
	fails(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day}), engine.ClassInvalid, identity.CodeCursorRefused)
	anew := observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "from": ago(150 * time.Minute)}))
	if diff := cmp.Diff([]any{"b"}, pick(anew.Outputs["events"], "id")); diff != "" {
		t.Error(diff)
	}
	log.forgets = false
	if acknowledge(t, m, anew) != true {
		t.Error("the reader did not move")
	}
	if seen := observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day})); len(seen.Outputs["events"].([]any)) > 0 {
		t.Errorf("read again: %v", seen.Outputs)
	}
}

func TestUnreadFails(t *testing.T) {
	log, m := &tape{events: []identity.Event{happened("a", 3)}, token: "t"}, &marks{}
	for name, tt := range map[string]struct {
		inputs map[string]any
		marks  *marks
		code   string
	}{
		"nothing is remembered": {map[string]any{"unread": true, "window": day}, nil, "no_positions"},
		"an end":                {map[string]any{"unread": true, "window": day, "to": now()}, m, "to"},
		"too far back":          {map[string]any{"unread": true, "window": 121 * day}, m, "reach"},
		"in the future":         {map[string]any{"unread": true, "from": now().Add(time.Hour)}, m, "empty_window"},
		"a reader of a window":  {map[string]any{"window": day, "reader": "x"}, m, "reader"},
		"a limit of a window":   {map[string]any{"window": day, "limit": int64(3)}, m, "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, identity.EventList{}, reading(log, tt.marks, tt.inputs), engine.ClassInvalid, tt.code)
		})
	}
	without := reading(log, m, map[string]any{"unread": true, "window": day})
	delete(without.Connections[identity.CapabilityEvents].Offers, identity.CapabilityUnread)
	fails(t, identity.EventList{}, without, engine.ClassInvalid, "no_cursors")
	for name, broken := range map[string]engine.Call{
		"the window":   reading(&tape{err: errBroken}, m, map[string]any{"window": day}),
		"what is new":  reading(&tape{err: errBroken, token: "t"}, m, map[string]any{"unread": true, "window": day}),
		"the position": reading(&tape{token: "t"}, &marks{err: errBroken, at: map[string]engine.Position{engine.PositionKey("here", "t", "audit", "v2", "watch"): {}}}, map[string]any{"unread": true, "window": day}),
	} {
		if seen, err := (identity.EventList{}).Observe(t.Context(), broken); !errors.Is(err, errBroken) || seen.Outputs != nil {
			t.Errorf("%s: got %v, %v", name, seen, err)
		}
	}
}

func TestAcknowledgeFails(t *testing.T) {
	for name, position := range map[string]string{"empty": "", "none": "x!", "half": "eyJrZXkiOiJrIn0", "no JSON": "eA"} {
		_, err := identity.EventAcknowledge{}.Announce(t.Context(), engine.Call{Inputs: map[string]any{"position": position}, Positions: &marks{}})
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: identity.CodeNoPosition}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	log, m := &tape{events: []identity.Event{happened("a", 3)}, token: "t"}, &marks{}
	seen := observe(t, identity.EventList{}, reading(log, m, map[string]any{"unread": true, "window": day}))
	for name, positions := range map[string]engine.Positions{"broken": &marks{err: errBroken}, "none": nil} {
		if _, err := (identity.EventAcknowledge{}).Announce(t.Context(), engine.Call{Inputs: map[string]any{"position": seen.Outputs["position"]}, Positions: positions}); err == nil {
			t.Errorf("%s: nothing was remembered, and nobody says so", name)
		}
	}
}
