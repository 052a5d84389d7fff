package slack

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
	"unicode/utf8"

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

func connect(t *testing.T, url string) *engine.Connection {
	t.Helper()
	conn, err := open(engine.Opening{
		Name:     "team",
		Settings: map[string]any{"webhook_url": secret.Reference("env://HOOK")},
		Secrets:  secrets{"env://HOOK": url},
		Now:      time.Now,
	}, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func messengerAt(t *testing.T, url string) message.Messenger {
	t.Helper()
	return connect(t, url).Offers[message.CapabilityMessages].(message.Messenger)
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestConformance(t *testing.T) {
	messagetest.Run(t, messagetest.Service{
		Open:   messengerAt,
		Accept: answering(http.StatusOK, "ok"),
		Text:   read,
		Markup: []string{"<!", "<@", "<http", "<b>", "<a", "<s", "<i"},
	})
}

// read is what people read of a message: its blocks, and the text where it is
// short must say the same.
func read(t *testing.T, body []byte) string {
	t.Helper()
	var m struct {
		Text   string `json:"text"`
		Unfurl *bool  `json:"unfurl_links"`
		Blocks []struct {
			Type string `json:"type"`
			Text struct {
				Type     string `json:"type"`
				Text     string `json:"text"`
				Verbatim bool   `json:"verbatim"`
			} `json:"text"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var parts []string
	for _, b := range m.Blocks {
		if n := utf8.RuneCountInString(b.Text.Text); b.Type != "section" || b.Text.Type != "mrkdwn" || !b.Text.Verbatim || n == 0 || n > 3000 {
			t.Errorf("Slack would not take the block %+v of %d characters, or make links in it", b, n)
		}
		parts = append(parts, b.Text.Text)
	}
	all := strings.ReplaceAll(strings.Join(parts, "\n"), "\n"+continued, "")
	if n := utf8.RuneCountInString(m.Text); len(parts) == 0 || len(parts) > 50 || n > 4000 || n < 3000 && len(parts) == 1 && m.Text != all {
		t.Errorf("%d blocks, and the text is %q", len(parts), m.Text)
	}
	if m.Unfurl == nil || *m.Unfurl {
		t.Error("Slack would show what is behind a link")
	}
	return all
}

func TestForeignTextIsEscaped(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("Content-Type") + " " + string(body)
		_, _ = io.WriteString(w, "ok\n")
	}))
	defer server.Close()
	text := engine.Text{{S: "<!here> "}, {S: "<!channel> & co", Foreign: true}}
	err := messengerAt(t, server.URL).Send(t.Context(), message.Message{Text: text, Fields: map[string]any{"severity": "high"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `application/json {"blocks":[{"text":{"text":"<!here> &lt;!channel&gt; &amp; co","type":"mrkdwn","verbatim":true},"type":"section"}],` +
		`"text":"<!here> &lt;!channel&gt; &amp; co","unfurl_links":false,"unfurl_media":false}`
	if body := <-got; body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		status int
		body   string
		class  engine.Class
		code   string
	}{
		{http.StatusOK, `{"ok":false,"error":"not_in_channel"}`, engine.ClassPermanent, "not_accepted"},
		{http.StatusOK, "", engine.ClassPermanent, "not_accepted"},
		{http.StatusBadRequest, "invalid_payload", engine.ClassPermanent, "invalid_payload"},
		{http.StatusForbidden, "action_prohibited", engine.ClassPermanent, "action_prohibited"},
		{http.StatusNotFound, "channel_not_found", engine.ClassPermanent, "channel_not_found"},
		{http.StatusGone, "channel_is_archived\n", engine.ClassPermanent, "channel_is_archived"},
		{http.StatusNotFound, "<html>no such page</html>", engine.ClassPermanent, "http_404"},
		{http.StatusInternalServerError, "rollup_error", engine.ClassTransient, "rollup_error"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			server := httptest.NewServer(answering(tt.status, tt.body))
			defer server.Close()
			err := messengerAt(t, server.URL).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
			if f := engine.AsFailure(err); f == nil || f.Class != tt.class || f.Code != tt.code {
				t.Errorf("got %#v, want %s/%s", f, tt.class, tt.code)
			}
		})
	}
}

func TestTestPostsNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request was made")
	}))
	defer server.Close()
	tester := connect(t, server.URL+"/secret").Offers[engine.CapabilityTest].(engine.Tester)
	findings, err := tester.Test(t.Context())
	if err != nil || len(findings) != 1 || !findings[0].Works || strings.Contains(findings[0].Detail, "secret") {
		t.Errorf("got %v, %v", findings, err)
	}
}

func TestAMissingSecretIsAnError(t *testing.T) {
	conn, err := open(engine.Opening{
		Name: "team", Settings: map[string]any{"webhook_url": secret.Reference("env://NONE")}, Secrets: secrets{}, Now: time.Now,
	}, transport.Options{})
	if err != nil {
		t.Fatalf("opening resolves nothing, but got %v", err)
	}
	err = conn.Offers[message.CapabilityMessages].(message.Messenger).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
	if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "secret"}) {
		t.Errorf("got %v", err)
	}
	if _, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context()); err == nil {
		t.Error("the test found nothing wrong")
	}
}

// TestService carries message.send out through the wire, about an account
// whose display name attacks whoever shows it.
func TestService(t *testing.T) {
	tenant := sim.New(sim.Options{})
	server, err := tenant.Start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_, err = message.Send{}.Announce(t.Context(), engine.Call{
		Action: "message.send",
		Inputs: map[string]any{"text": engine.Text{{S: "Suspended "}, {S: sim.HostileName, Foreign: true}}},
		Connections: map[engine.Capability]*engine.Connection{
			message.CapabilityMessages: connect(t, server.SlackURL()),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	sent := tenant.Messages()
	want := "Suspended Eve &lt;!channel&gt; &lt;https://evil.example|Approve&gt; ALL CLEAR txt.exe"
	if len(sent) != 1 || sent[0].Text != want {
		t.Errorf("got %+v, want %q", sent, want)
	}
}
