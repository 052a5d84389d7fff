package sim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/providers/email"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestMail is among the tenant's messages, and hit by its faults.
func TestMail(t *testing.T) {
	t.Parallel()
	tenant := sim.New(sim.Options{})
	conn, err := email.Provider().Open(engine.Opening{
		Name: "mail", Now: time.Now, Dialer: tenant.Dialer(),
		Settings: map[string]any{"host": "localhost", "tls": "none", "from": "a@example.com", "to": []any{"b@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	messenger := conn.Offers[message.CapabilityMessages].(message.Messenger)
	hello := message.Message{Text: engine.Text{{S: "Hello\nthere"}}, Key: "k"}
	tenant.Inject(sim.Fault{Operation: sim.OpEmail, Kind: sim.FaultLostReply}, sim.Fault{Operation: sim.OpEmail, Kind: sim.FaultRateLimited, Times: -1})
	if err := messenger.Send(t.Context(), hello); !errors.Is(err, &engine.Failure{Class: engine.ClassTransient, Code: "smtp_451"}) {
		t.Errorf("got %v", err)
	}
	tenant.Heal()
	if err := messenger.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	sent := tenant.Messages()
	if len(sent) != 2 || !sent[0].Lost || sent[1].Lost || sent[1].Text != "Hello\nthere" || sent[1].Sink != sim.OpEmail {
		t.Fatalf("got %+v", sent)
	}
	if sent[0].IdempotencyKey == "" || sent[0].IdempotencyKey != sent[1].IdempotencyKey {
		t.Errorf("the Message-IDs are %s and %s", sent[0].IdempotencyKey, sent[1].IdempotencyKey)
	}
}
