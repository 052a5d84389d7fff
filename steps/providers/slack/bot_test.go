package slack

import (
	"context"
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
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const botToken = "xoxb-1234-canary-secret"

func connectBot(base string) (*engine.Connection, error) {
	return open(engine.Opening{
		Name:     "team",
		Settings: map[string]any{"token": secret.Reference("env://TOKEN"), "channel": "C0123456789", "base_url": base},
		Secrets:  secrets{"env://TOKEN": botToken},
		Now:      time.Now,
	}, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}

func botAt(_ *testing.T, base string) message.Messenger {
	conn, err := connectBot(base)
	if err != nil {
		return messagetest.Unopened(err)
	}
	return conn.Offers[message.CapabilityMessages].(message.Messenger)
}

func TestBotConformance(t *testing.T) {
	messagetest.Run(t, messagetest.Service{
		Open:    botAt,
		Accept:  answerJSON(`{"ok":true,"ts":"1.2","channel":"C0123456789"}`),
		Text:    read,
		Markup:  []string{"<!", "<@", "<http", "<b>", "<a", "<s", "<i"},
		Secrets: []string{botToken, "canary-secret"},
	})
}

func answerJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, body)
	}
}

func TestBotPostsToItsChannel(t *testing.T) {
	type request struct{ Path, Type, Authorization, Body string }
	got := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)}
		answerJSON(`{"ok":true}`)(w, r)
	}))
	defer server.Close()
	err := botAt(t, server.URL).Send(t.Context(), message.Message{
		Text: engine.Text{{S: "Hello"}}, Link: message.Link{Title: "Decide", URL: "https://soar.example.com/apr_1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := request{
		Path: "/api/chat.postMessage", Type: "application/json; charset=utf-8", Authorization: "Bearer " + botToken,
		Body: `{"blocks":[{"text":{"text":"Hello","type":"mrkdwn","verbatim":true},"type":"section"},` +
			`{"text":{"text":"<https://soar.example.com/apr_1|Decide>","type":"mrkdwn","verbatim":true},"type":"section"}],` +
			`"channel":"C0123456789","parse":"none","text":"Hello","unfurl_links":false,"unfurl_media":false}`,
	}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Error(diff)
	}
}

// TestBotRefusals reads what stands in an answer of status 200: an error there
// is as much one as any other.
func TestBotRefusals(t *testing.T) {
	tests := []struct {
		body  string
		class engine.Class
		code  string
		says  string
	}{
		{`{"ok":false,"error":"not_in_channel"}`, engine.ClassPermanent, "not_in_channel", "/invite"},
		{`{"ok":false,"error":"channel_not_found"}`, engine.ClassPermanent, "channel_not_found", "C0123456789"},
		{`{"ok":false,"error":"is_archived"}`, engine.ClassPermanent, "is_archived", "archived"},
		{`{"ok":false,"error":"missing_scope","needed":"chat:write.public","provided":"x"}`, engine.ClassAuth, "missing_scope", "chat:write.public"},
		{`{"ok":false,"error":"missing_scope","needed":"<forged>"}`, engine.ClassAuth, "missing_scope", "the scope chat:write under"},
		{`{"ok":false,"error":"invalid_auth"}`, engine.ClassAuth, "invalid_auth", "xoxb-"},
		{`{"ok":false,"error":"ekm_access_denied"}`, engine.ClassAuth, "ekm_access_denied", "administrator"},
		{`{"ok":false,"error":"restricted_action"}`, engine.ClassPermanent, "restricted_action", "settings"},
		{`{"ok":false,"error":"ratelimited"}`, engine.ClassTransient, "ratelimited", "rate"},
		{`{"ok":false,"error":"internal_error"}`, engine.ClassTransient, "internal_error", "internal_error"},
		{`{"ok":false,"error":"some_new_error"}`, engine.ClassPermanent, "some_new_error", "some_new_error"},
		{`{"ok":false,"error":"Bearer ` + botToken + `"}`, engine.ClassPermanent, "not_accepted", "did not say why"},
		{`{"ok":false}`, engine.ClassPermanent, "not_accepted", "did not say why"},
		{`{}`, engine.ClassPermanent, "not_accepted", "did not say why"},
		{`{"ok":"yes"}`, engine.ClassPermanent, "not_accepted", "not one of Slack's"},
		{`ok`, engine.ClassPermanent, "not_accepted", "not one of Slack's"},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			server := httptest.NewServer(answerJSON(tt.body))
			defer server.Close()
			err := botAt(t, server.URL).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
			f := engine.AsFailure(err)
			if f == nil || f.Class != tt.class || f.Code != tt.code || !strings.Contains(f.Message, tt.says) || strings.Contains(f.Message, botToken) {
				t.Errorf("got %#v, want %s/%s that says %q", f, tt.class, tt.code, tt.says)
			}
		})
	}
}

func TestBotSettings(t *testing.T) {
	token, hook := secret.Reference("env://TOKEN"), secret.Reference("env://HOOK")
	for name, tt := range map[string]struct {
		settings map[string]any
		code     string
	}{
		"no channel":             {map[string]any{"token": token}, "channel"},
		"a channel of two words": {map[string]any{"token": token, "channel": "the team"}, "channel"},
		"a webhook's channel":    {map[string]any{"webhook_url": hook, "channel": "C0123456789"}, "channel"},
		"in clear":               {map[string]any{"token": token, "channel": "C0123456789", "base_url": "http://slack.com"}, "base_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(engine.Opening{Name: "team", Settings: tt.settings, Now: time.Now}, transport.Options{})
			if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: tt.code}) {
				t.Errorf("got %v", err)
			}
		})
	}
	conn, err := open(engine.Opening{Name: "team", Settings: map[string]any{"token": token, "channel": "C0123456789"}, Now: time.Now}, transport.Options{})
	if err != nil || !strings.Contains(conn.Fingerprint, "https://slack.com C0123456789") || strings.Contains(conn.Fingerprint, "TOKEN") {
		t.Errorf("got %+v, %v", conn, err)
	}
}

func TestBotTest(t *testing.T) {
	tests := []struct {
		name, body string
		scopes     []string
		want       []engine.Finding
	}{
		{"all is well", `{"ok":true,"team":"Example\u001b[1m","user":"drawbridge"}`, []string{"channels:read, chat:write"}, []engine.Finding{
			{Works: true, Subject: "sign in", Detail: "the token is that of drawbridge in Example"},
			{Works: true, Subject: "post messages", Detail: "the token has the scope chat:write; nothing was posted, so whether the app is in the channel is not known"},
		}},
		{"no scope", `{"ok":true,"team":"Example","user":"drawbridge"}`, []string{"chat:write.public"}, []engine.Finding{
			{Works: true, Subject: "sign in", Detail: "the token is that of drawbridge in Example"},
			{Subject: "post messages", Detail: "the token has no scope chat:write: add it under OAuth & Permissions → Bot Token Scopes, and reinstall the app"},
		}},
		{"scopes unsaid", `{"ok":true,"team":"Example","user":"drawbridge"}`, nil, []engine.Finding{
			{Works: true, Subject: "sign in", Detail: "the token is that of drawbridge in Example"},
			{Works: true, Subject: "post messages", Detail: "Slack did not say which scopes the token has; it needs chat:write; nothing was posted, so whether the app is in the channel is not known"},
		}},
		{"wrong token", `{"ok":false,"error":"invalid_auth"}`, nil, []engine.Finding{
			{Subject: "sign in", Detail: "Slack refused it: invalid_auth: the token must be the Bot User OAuth Token (xoxb-…) of an app that is installed: see OAuth & Permissions of the app"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/auth.test" {
					t.Errorf("%s was asked for", r.URL.Path)
				}
				w.Header()["X-Oauth-Scopes"] = tt.scopes
				answerJSON(tt.body)(w, r)
			}))
			defer server.Close()
			conn, err := connectBot(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			got, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
