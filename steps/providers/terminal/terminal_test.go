package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
	"github.com/drawbridge-soar/drawbridge/steps/providers/terminal"
)

func open(t *testing.T, out *bytes.Buffer) message.Messenger {
	t.Helper()
	conn, err := terminal.Provider().Open(engine.Opening{Name: "here", Terminal: out})
	if err != nil {
		t.Fatal(err)
	}
	return conn.Offers[message.CapabilityMessages].(message.Messenger)
}

func TestHostileNames(t *testing.T) {
	messagetest.Hostile(t, func(t *testing.T, text engine.Text) string {
		var out bytes.Buffer
		if err := open(t, &out).Send(t.Context(), message.Message{Text: text}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	})
}

func TestEveryLineHasThePrefix(t *testing.T) {
	var out bytes.Buffer
	text := engine.Text{{S: "Suspended:\n- "}, {S: "Sam\nAlex", Foreign: true}, {S: "\n- nobody\t\x1b[1melse\n\n"}}
	if err := open(t, &out).Send(t.Context(), message.Message{Text: text}); err != nil {
		t.Fatal(err)
	}
	want := "[here] Suspended:\n[here] - Sam Alex\n[here] - nobody else\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestMessagesDoNotMix(t *testing.T) {
	var out bytes.Buffer
	messenger := open(t, &out)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_ = messenger.Send(context.Background(), message.Message{Text: engine.Text{{S: "one\ntwo"}}})
		})
	}
	wg.Wait()
	if want := strings.Repeat("[here] one\n[here] two\n", 20); out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestACancelledMessageIsNotPrinted(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := open(t, &out).Send(ctx, message.Message{Text: engine.Text{{S: "x"}}})
	if !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("got %v, printed %q", err, out.String())
	}
}

func TestOpenNeedsATerminal(t *testing.T) {
	if _, err := terminal.Provider().Open(engine.Opening{Name: "here"}); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
		t.Errorf("got %v", err)
	}
}
