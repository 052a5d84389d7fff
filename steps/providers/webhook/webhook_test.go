package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// secrets resolves references from a map.
type secrets map[secret.Reference]string

func (s secrets) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	plain, ok := s[ref]
	if !ok {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, "secret", "%s is not set", ref)
	}
	return secret.New(plain), nil
}

func connect(settings map[string]any, known secrets) (*engine.Connection, error) {
	return open(
		engine.Opening{Name: "siem", Settings: settings, Secrets: known, Now: time.Now},
		transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	)
}

func messengerWith(t *testing.T, settings map[string]any, known secrets) message.Messenger {
	t.Helper()
	conn, err := connect(settings, known)
	if err != nil {
		t.Fatal(err)
	}
	return conn.Offers[message.CapabilityMessages].(message.Messenger)
}

func TestConformance(t *testing.T) {
	messagetest.Run(t, messagetest.Service{
		Open: func(t *testing.T, address string) message.Messenger {
			return messengerWith(t, map[string]any{"secret_url": secret.Reference("env://URL")}, secrets{"env://URL": address})
		},
		Accept: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) },
		Text: func(t *testing.T, body []byte) string {
			var payload struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal(body, &payload); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			return payload.Text
		},
	})
}

// request is what arrived.
type request struct {
	Method, Type, Key, Authorization, Body string
}

func receive(t *testing.T) (string, <-chan request) {
	t.Helper()
	got := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), string(body)}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func TestSend(t *testing.T) {
	url, got := receive(t)
	m := messengerWith(t, map[string]any{"url": url + "/in", "token": secret.Reference("env://TOKEN")}, secrets{"env://TOKEN": "s3cret"})
	err := m.Send(t.Context(), message.Message{
		Text: engine.Text{{S: "Hello "}, {S: "<Sam>\x1b[1m", Foreign: true}},
		Fields: map[string]any{
			"severity": "high", "at": time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), "for": 4 * time.Hour,
			"who": []any{"Sam\x00\u202e"},
		},
		Key: "run_1/say",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := request{
		Method: "POST", Type: "application/json", Key: "run_1/say", Authorization: "Bearer s3cret",
		Body: `{"at":"2026-11-22T12:00:00.000Z","for":"4h","severity":"high","text":"Hello <Sam>","who":["Sam"]}`,
	}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Error(diff)
	}
}

func TestSendWithoutFieldsOrToken(t *testing.T) {
	url, got := receive(t)
	if err := messengerWith(t, map[string]any{"url": url}, nil).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(request{Method: "POST", Type: "application/json", Body: `{"text":"x"}`}, <-got); diff != "" {
		t.Error(diff)
	}
}

func TestSendRefuses(t *testing.T) {
	url, _ := receive(t)
	plain := map[string]any{"url": url}
	tests := []struct {
		name     string
		settings map[string]any
		fields   map[string]any
		code     string
	}{
		{"a second text", plain, map[string]any{"text": "forged"}, "text_field"},
		{"a second text in disguise", plain, map[string]any{"te\u200bxt": "forged"}, "text_field"},
		{"a token that is not there", map[string]any{"url": url, "token": secret.Reference("env://NONE")}, nil, "secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := messengerWith(t, tt.settings, nil).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}, Fields: tt.fields})
			if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: tt.code}) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenLooksAtThePlainAddress(t *testing.T) {
	for _, url := range []string{"", "siem", "http://siem.example.com/in", "ftp://127.0.0.1/in", "https://%zz"} {
		if _, err := connect(map[string]any{"url": url}, nil); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "address"}) {
			t.Errorf("%q: got %v", url, err)
		}
	}
	for _, url := range []string{"https://siem.example.com/in", "http://localhost:8080/in", "http://[::1]:8080"} {
		if _, err := connect(map[string]any{"url": url}, nil); err != nil {
			t.Errorf("%q: got %v", url, err)
		}
	}
}

func TestTheTokenIsNotInErrors(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+" is wrong")
	}))
	defer server.Close()
	m := messengerWith(t, map[string]any{"url": server.URL, "token": secret.Reference("env://TOKEN")}, secrets{"env://TOKEN": "s3cret"})
	err := m.Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
	if !errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func TestTest(t *testing.T) {
	conn, err := connect(map[string]any{"url": "https://siem.example.com/in?key=k", "token": secret.Reference("env://NONE")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context()); err == nil {
		t.Error("a missing token was not found")
	}
	conn, err = connect(map[string]any{"url": "https://siem.example.com/in?key=k"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
	if err != nil || len(findings) != 1 || !findings[0].Works || strings.Contains(findings[0].Detail, "key") {
		t.Errorf("got %v, %v", findings, err)
	}
}

func TestService(t *testing.T) {
	tenant := sim.New(sim.Options{})
	server, err := tenant.Start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	m := messengerWith(t, map[string]any{"secret_url": secret.Reference("env://URL")}, secrets{"env://URL": server.WebhookURL()})
	if err := m.Send(t.Context(), message.Message{Text: engine.Text{{S: sim.HostileName, Foreign: true}}, Key: "run_1/say"}); err != nil {
		t.Fatal(err)
	}
	sent := tenant.Messages()
	want := "Eve <!channel> <https://evil.example|Approve> ALL CLEAR txt.exe"
	if len(sent) != 1 || sent[0].Text != want || sent[0].IdempotencyKey != "run_1/say" {
		t.Errorf("got %+v, want %q", sent, want)
	}
}
