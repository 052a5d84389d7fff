package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
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

func answering(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// schema is the published one, see its comment.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/message.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const at = "https://drawbridge.example/teams-message.schema.json"
	if err := compiler.AddResource(at, doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read is what people read of a message, with what escapes names; it must fit
// the schema and the limit.
func read(t *testing.T, body []byte) string {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := schema(t).Validate(doc); err != nil {
		t.Fatalf("the message does not fit its schema: %v\n%s", err, body)
	}
	if len(body) > 28*1024 {
		t.Errorf("the message has %d bytes", len(body))
	}
	var m struct {
		Attachments []struct {
			Content struct {
				Body []struct {
					Text string `json:"text"`
				} `json:"body"`
			} `json:"content"`
		} `json:"attachments"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, b := range m.Attachments[0].Content.Body {
		lines = append(lines, b.Text)
	}
	return strings.Join(lines, "\n")
}

func TestConformance(t *testing.T) {
	messagetest.Run(t, messagetest.Service{
		Open:   messengerAt,
		Accept: answering(http.StatusAccepted, "text/plain", ""),
		Text:   read,
		Markup: []string{"](", "![", "Suspended <", "<at>", "**", "``", "s://", "www.e", "{{", "${", "Suspended # ", "Suspended - ", "Suspended 1. "},
	})
}

func TestTheSchemaRefuses(t *testing.T) {
	good, err := payload(message.Message{Text: engine.Text{{S: "Hello"}}})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := engine.EncodeJSON(good)
	if err != nil {
		t.Fatal(err)
	}
	s := schema(t)
	for name, change := range map[string][2]string{
		"no message":        {`"message"`, `"card"`},
		"another card":      {`card.adaptive`, `card.hero`},
		"another element":   {`"TextBlock"`, `"Text"`},
		"a misspelt member": {`"wrap":true`, `"wraps":true`},
		"a wrong type":      {`"text":"Hello"`, `"text":1`},
		"no version":        {`"version":"1.4"`, `"lang":"en"`},
	} {
		bad := strings.Replace(string(encoded), change[0], change[1], 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == string(encoded) {
			t.Fatalf("%s: %s, %v", name, bad, err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("%s: %s is taken", name, bad)
		}
	}
}

func TestCard(t *testing.T) {
	got, err := payload(message.Message{
		Text: engine.Text{{S: "**Suspended** "}, {S: "[Eve](https://evil.example) <at>all</at>\n- x", Foreign: true}, {S: "\n\n- one\n- two\n"}},
		Link: message.Link{Title: "Look at it and decide", URL: "https://soar.example.com/apr_1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := engine.EncodeJSON(got)
	if err != nil {
		t.Fatal(err)
	}
	read(t, encoded)
	want := `{"attachments":[{"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json",` +
		`"actions":[{"title":"Look at it and decide","type":"Action.OpenUrl","url":"https://soar.example.com/apr_1"}],` +
		`"body":[{"text":"**Suspended** \\[Eve\\]\\(https\\://evil.example\\) \\<at\\>all\\</at\\> - x","type":"TextBlock","wrap":true},` +
		`{"spacing":"medium","text":"- one","type":"TextBlock","wrap":true},{"spacing":"none","text":"- two","type":"TextBlock","wrap":true}],` +
		`"type":"AdaptiveCard","version":"1.4"},"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null}],"type":"message"}`
	if diff := cmp.Diff(want, string(encoded)); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWebAddressesOpen(t *testing.T) {
	for _, url := range []string{"http://soar.example.com", "javascript:alert(1)", "https:", "msteams:/l/call", "%zz"} {
		_, err := payload(message.Message{Text: engine.Text{{S: "x"}}, Link: message.Link{Title: "Look", URL: url}})
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "link"}) {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

// TestLongMessages finds the limit honoured, the end said, and the button there.
func TestLongMessages(t *testing.T) {
	link := message.Link{Title: "Look", URL: "https://soar.example.com/apr_1"}
	for name, text := range map[string]string{
		"lines":           strings.Repeat("- sam@example.com: suspended\n", 5000),
		"one line":        strings.Repeat("sam ", 50_000),
		"long after some": "Suspended:\n" + strings.Repeat("x", 50_000),
		"quotes":          strings.Repeat(`"`, 50_000),
		"escapes":         strings.Repeat(`\[`, 50_000),
		"characters":      strings.Repeat("山", 50_000),
		"empty lines":     "x\n" + strings.Repeat("\n", 50_000) + strings.Repeat("y\n", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			body, err := payload(message.Message{Text: engine.Text{{S: text}}, Link: link})
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := engine.EncodeJSON(body)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, encoded)
			if !strings.HasSuffix(got, "\n"+shortened) || !utf8.ValidString(got) || strings.HasSuffix(strings.TrimSuffix(got, "\n"+shortened), `[\`) {
				t.Errorf("it ends in %q", got[max(len(got)-60, 0):])
			}
			if !bytes.Contains(encoded, []byte("Action.OpenUrl")) {
				t.Error("the button is missing")
			}
			if name != "empty lines" && name != "lines" && len(encoded) < 26<<10 { // those have too many blocks
				t.Errorf("of %d bytes only %d are sent", len(text), len(encoded))
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const jsonType = "application/json"
	tests := []struct {
		name, kind, body string
		status           int
		class            engine.Class
		code, says       string
	}{
		{"switched off", jsonType, `{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"…"}}`, 400, engine.ClassPermanent, "WorkflowTriggerIsNotEnabled", "switched on"},
		{"no signature", jsonType, `{"error":{"code":"DirectApiAuthorizationRequired"}}`, 401, engine.ClassAuth, "DirectApiAuthorizationRequired", "sig="},
		{"gone", jsonType, `{"error":{"code":"WorkflowNotFound"}}`, 404, engine.ClassPermanent, "WorkflowNotFound", "no such workflow"},
		{"too large", "text/html", "<html>", 413, engine.ClassPermanent, "http_413", "too large"},
		{"a code that is none", jsonType, `{"error":{"code":"sig=abc"}}`, 400, engine.ClassPermanent, "http_400", "switched on"},
		{"a page", "text/html", "<html>", 200, engine.ClassPermanent, "not_accepted", "202"},
		{"a page that hides it", "text/plain", " <!doctype html>", 200, engine.ClassPermanent, "not_accepted", "202"},
		{"another success", jsonType, "{}", 201, engine.ClassPermanent, "not_accepted", "202"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(answering(tt.status, tt.kind, tt.body))
			defer server.Close()
			err := messengerAt(t, server.URL).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
			if f := engine.AsFailure(err); f == nil || f.Class != tt.class || f.Code != tt.code || !strings.Contains(f.Message, tt.says) {
				t.Errorf("got %#v, want %s/%s that says %q", f, tt.class, tt.code, tt.says)
			}
		})
	}
	server := httptest.NewServer(answering(200, jsonType, `{"received":true}`))
	defer server.Close()
	if err := messengerAt(t, server.URL).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}}); err != nil {
		t.Errorf("a workflow with an answer of its own is refused: %v", err)
	}
}

func TestRetiredConnectorsAreRefused(t *testing.T) {
	for _, url := range []string{"https://example.webhook.office.com/webhookb2/x", "https://OUTLOOK.office.com:443/webhook/x"} {
		err := messengerAt(t, url).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "retired_connector"}) {
			t.Errorf("%s: got %v", url, err)
		}
		if _, err := connect(t, url).Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context()); err == nil {
			t.Errorf("%s: the test found nothing wrong", url)
		}
	}
}

func TestTestPostsNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request was made")
	}))
	defer server.Close()
	findings, err := connect(t, server.URL+"/secret").Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
	if err != nil || len(findings) != 1 || !findings[0].Works || strings.Contains(findings[0].Detail, "secret") {
		t.Errorf("got %v, %v", findings, err)
	}
}

func FuzzEscape(f *testing.F) {
	for _, hostile := range messagetest.HostileNames() {
		f.Add(hostile.Name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := message.Render(engine.Text{{S: name, Foreign: true}}, escape)
		for _, markup := range []string{"](", "![", "{{", "<at>", "s://", "**"} {
			if strings.Contains(got, markup) {
				t.Errorf("%q became %q with %q", name, got, markup)
			}
		}
		if unescape(got) != message.Clean(name, message.MaxForeign) {
			t.Errorf("%q became %q, which shows something else", name, got)
		}
	})
}

// unescape is what a card shows of escaped text.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
