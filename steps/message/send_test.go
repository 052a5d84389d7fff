package message_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// recorder is a messenger that remembers.
type recorder struct {
	sent []message.Message
	err  error
}

func (r *recorder) Send(_ context.Context, m message.Message) error {
	r.sent = append(r.sent, m)
	return r.err
}

func call(m message.Messenger, inputs map[string]any) engine.Call {
	conn := &engine.Connection{Name: "team", Offers: map[engine.Capability]any{message.CapabilityMessages: m}}
	return engine.Call{
		Action: "message.send", Key: "run_1/say", Inputs: inputs,
		Connections: map[engine.Capability]*engine.Connection{message.CapabilityMessages: conn},
	}
}

func TestSend(t *testing.T) {
	messenger := &recorder{}
	text := engine.Text{{S: "Hello "}, {S: "Sam", Foreign: true}}
	fields := map[string]any{"severity": "high"}
	outputs, err := message.Send{}.Announce(t.Context(), call(messenger, map[string]any{"text": text, "fields": fields}))
	if err != nil || outputs == nil {
		t.Fatalf("Announce = %v, %v", outputs, err)
	}
	want := []message.Message{{Text: text, Fields: fields, Key: "run_1/say"}}
	if diff := cmp.Diff(want, messenger.sent); diff != "" {
		t.Error(diff)
	}
}

func TestSendRefusesAnEmptyText(t *testing.T) {
	messenger := &recorder{}
	for _, text := range []any{nil, engine.Text{}, engine.Text{{S: " \n"}, {S: "", Foreign: true}}, engine.Text{{S: "\u200b\x1b[1m", Foreign: true}}} {
		_, err := message.Send{}.Announce(t.Context(), call(messenger, map[string]any{"text": text}))
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "empty_text"}) {
			t.Errorf("text %v: got %v", text, err)
		}
	}
	if len(messenger.sent) > 0 {
		t.Errorf("sent %v", messenger.sent)
	}
}

func TestSendFailsWithTheMessenger(t *testing.T) {
	failure := engine.Fail(engine.ClassPermanent, "gone", "the channel is archived")
	_, err := message.Send{}.Announce(t.Context(), call(&recorder{err: failure}, map[string]any{"text": engine.Text{{S: "x"}}}))
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if got, want := err.Error(), `sending a message through "team": permanent: the channel is archived`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSendNeedsAMessenger(t *testing.T) {
	_, err := message.Send{}.Announce(t.Context(), engine.Call{Action: "message.send"})
	if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "connection"}) {
		t.Errorf("got %v", err)
	}
}

func TestLinked(t *testing.T) {
	text := engine.Text{{S: "Hello "}, {S: "Sam", Foreign: true}}
	m := message.Message{Text: text}
	if diff := cmp.Diff(text, m.Linked()); diff != "" {
		t.Error(diff)
	}
	m.Link = message.Link{Title: "Look at it and decide", URL: "https://soar.example.com/apr_1"}
	if got, want := m.Linked().String(), "Hello Sam\nLook at it and decide: https://soar.example.com/apr_1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(m.Text) != 2 || len(text) != 2 {
		t.Error("the message was changed")
	}
}
