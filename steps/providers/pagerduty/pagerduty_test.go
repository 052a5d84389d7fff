package pagerduty

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

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const routingKey = "0123456789abcdefCANARY6789abcdef"

// secrets resolves references from a map.
type secrets map[secret.Reference]string

func (s secrets) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	plain, ok := s[ref]
	if !ok {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, "secret", "%s is not set", ref)
	}
	return secret.New(plain), nil
}

func connect(base, key string) (*engine.Connection, error) {
	return open(engine.Opening{
		Name:     "oncall",
		Settings: map[string]any{"routing_key": secret.Reference("env://KEY"), "base_url": base, "severity": "error", "source": "drawbridge"},
		Secrets:  secrets{"env://KEY": key},
		Now:      time.Now,
	}, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}

func messengerAt(_ *testing.T, base string) message.Messenger {
	conn, err := connect(base, routingKey)
	if err != nil {
		return messagetest.Unopened(err)
	}
	return conn.Offers[message.CapabilityMessages].(message.Messenger)
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// schema is the published one, see its comment.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/event.schema.json")
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
	const at = "https://drawbridge.example/pagerduty-event.schema.json"
	if err := compiler.AddResource(at, doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check finds whether a request fits the schema and the limits.
func check(t *testing.T, body []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := schema(t).Validate(doc); err != nil {
		t.Fatalf("the event does not fit its schema: %v\n%.2000s", err, body)
	}
	if len(body) > 512*1024 {
		t.Errorf("the event has %d bytes", len(body))
	}
}

// read is what people read of an event.
func read(t *testing.T, body []byte) string {
	t.Helper()
	check(t, body)
	var event struct {
		Payload struct {
			Summary string `json:"summary"`
			Details struct {
				Text string `json:"text"`
			} `json:"custom_details"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(event.Payload.Summary, "\n\x1b\u202e") {
		t.Errorf("the summary is %q", event.Payload.Summary)
	}
	if event.Payload.Details.Text != "" {
		return event.Payload.Details.Text
	}
	return event.Payload.Summary
}

func TestConformance(t *testing.T) {
	messagetest.Run(t, messagetest.Service{
		Open:    messengerAt,
		Accept:  answering(http.StatusAccepted, `{"status":"success","message":"Event processed","dedup_key":"run_1/say"}`),
		Text:    read,
		Secrets: []string{routingKey, "CANARY"},
	})
}

// sent is the event that a message becomes on its way.
func sent(t *testing.T, msg message.Message) string {
	t.Helper()
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v2/enqueue" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s with %s", r.URL.Path, r.Header.Get("Content-Type"))
		}
		got <- string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	if err := messengerAt(t, server.URL).Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	body := <-got
	check(t, []byte(body))
	return strings.Replace(body, routingKey, "KEY", 1)
}

func TestEvents(t *testing.T) {
	hello := engine.Text{{S: "Hello "}, {S: "Sam\n\x1b[1m", Foreign: true}}
	tests := []struct {
		name string
		msg  message.Message
		want string
	}{
		{
			"as little as possible", message.Message{Text: hello},
			`{"client":"Drawbridge","event_action":"trigger","payload":{"severity":"error","source":"drawbridge","summary":"Hello Sam"},"routing_key":"KEY"}`,
		},
		{
			"the key of the step", message.Message{Text: engine.Text{{S: "Hello"}}, Key: "run_1/say"},
			`{"client":"Drawbridge","dedup_key":"run_1/say","event_action":"trigger","payload":{"severity":"error","source":"drawbridge","summary":"Hello"},"routing_key":"KEY"}`,
		},
		{
			"all fields", message.Message{Text: engine.Text{{S: "Guessed:\n- sam"}}, Key: "run_1/say", Fields: map[string]any{
				"event": "trigger", "severity": "critical", "dedup_key": "guessed", "source": "1password", "component": "sign-in", "group": "identity", "class": "guess",
				"who": []any{"Sam\u202e"}, "count": int64(3),
			}},
			`{"client":"Drawbridge","dedup_key":"guessed","event_action":"trigger","payload":{"class":"guess","component":"sign-in",` +
				`"custom_details":{"count":3,"text":"Guessed:\n- sam","who":["Sam"]},"group":"identity","severity":"critical","source":"1password","summary":"Guessed:"},"routing_key":"KEY"}`,
		},
		{
			"acknowledged", message.Message{Text: hello, Key: "run_1/say", Fields: map[string]any{"event": "acknowledge", "dedup_key": "guessed"}},
			`{"dedup_key":"guessed","event_action":"acknowledge","routing_key":"KEY"}`,
		},
		{
			"resolved", message.Message{Text: hello, Key: "run_1/say", Fields: map[string]any{"event": "resolve", "dedup_key": "guessed", "severity": "info"}},
			`{"dedup_key":"guessed","event_action":"resolve","routing_key":"KEY"}`,
		},
		{
			"a link", message.Message{Text: engine.Text{{S: "x"}}, Link: message.Link{Title: "Decide", URL: "https://soar.example.com/apr_1"}},
			`{"client":"Drawbridge","client_url":"https://soar.example.com/apr_1","event_action":"trigger","links":[{"href":"https://soar.example.com/apr_1","text":"Decide"}],` +
				`"payload":{"severity":"error","source":"drawbridge","summary":"x"},"routing_key":"KEY"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, sent(t, tt.msg)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("山", 5000)
	body := sent(t, message.Message{Text: engine.Text{{S: long}}, Key: strings.Repeat("run/", 100)})
	if !strings.Contains(body, "…") || !strings.Contains(body, long) {
		t.Errorf("the text is not whole among the details: %.200s", body)
	}
	if again := sent(t, message.Message{Text: engine.Text{{S: long}}, Key: strings.Repeat("run/", 100)}); again != body {
		t.Error("the same message became another event")
	}
	many := map[string]any{}
	for _, r := range strings.Repeat("x", 400) {
		many[strings.Repeat(string(r), len(many)+1)] = strings.Repeat("y", 2000)
	}
	body = sent(t, message.Message{Text: engine.Text{{S: "Hello"}}, Fields: many})
	if !strings.Contains(body, `"custom_details":{"shortened":"the details are left out`) || !strings.Contains(body, `"summary":"Hello"`) {
		t.Errorf("got %.300s", body)
	}
}

func TestWrongFields(t *testing.T) {
	tests := []struct {
		fields map[string]any
		code   string
		says   string
	}{
		{map[string]any{"severity": "high"}, "severity", "must be critical, error, warning or info, not \"high\""},
		{map[string]any{"severity": int64(1)}, "severity", "must be text"},
		{map[string]any{"event": "close"}, "event", "must be trigger, acknowledge or resolve, not \"close\""},
		{map[string]any{"event": "resolve"}, "dedup_key", "the one it was opened with"},
		{map[string]any{"event": "acknowledge"}, "dedup_key", "to acknowledge an alert"},
		{map[string]any{"dedup_key": strings.Repeat("k", 256)}, "dedup_key", "256 characters and at most 255"},
		{map[string]any{"dedup_key": " "}, "dedup_key", "must not be empty"},
		{map[string]any{"source": true}, "source", "must be text, not true"},
	}
	for _, tt := range tests {
		err := messengerAt(t, "https://events.pagerduty.com").Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}, Fields: tt.fields, Key: "k"})
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: tt.code}) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: got %v", tt.fields, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		class  engine.Class
		code   string
		says   string
	}{
		{"an invalid event", 400, `{"status":"invalid event","message":"Event object is invalid","errors":["'payload.severity' is invalid"]}`, engine.ClassPermanent, "invalid_event", "'payload.severity' is invalid"},
		{"a wrong key", 400, `{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}`, engine.ClassAuth, "routing_key", "Integration Key"},
		{"a repeated key", 400, `{"status":"invalid event","errors":["routing_key ` + routingKey + ` is unknown"]}`, engine.ClassAuth, "routing_key", "is unknown"},
		{"no reason", 400, `oops`, engine.ClassPermanent, "http_400", "400"},
		{"a page", 200, `<html>`, engine.ClassPermanent, "not_accepted", "202"},
		{"too many", 429, `{"status":"throttled"}`, engine.ClassTransient, "rate_limited", "429"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(answering(tt.status, tt.body))
			defer server.Close()
			err := messengerAt(t, server.URL).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
			f := engine.AsFailure(err)
			if f == nil || f.Class != tt.class || f.Code != tt.code || !strings.Contains(f.Message, tt.says) || strings.Contains(f.Message, routingKey) {
				t.Errorf("got %#v, want %s/%s that says %q", f, tt.class, tt.code, tt.says)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	for region, host := range map[string]string{"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"} {
		conn, err := open(engine.Opening{Name: "oncall", Settings: map[string]any{"region": region, "routing_key": secret.Reference("env://KEY")}, Now: time.Now}, transport.Options{})
		if err != nil || !strings.HasPrefix(conn.Fingerprint, "pagerduty "+host+" ") || strings.Contains(conn.Fingerprint, "KEY") {
			t.Errorf("%s: got %+v, %v", region, conn, err)
		}
	}
	if _, err := connect("http://events.pagerduty.com", routingKey); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "base_url"}) {
		t.Errorf("got %v", err)
	}
}

func TestTheKeyIsLookedAt(t *testing.T) {
	for _, key := range []string{"", "short", routingKey + "0"} {
		conn, err := connect("https://events.pagerduty.com", key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context()); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "routing_key"}) || key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("%q: got %v", key, err)
		}
		err = conn.Offers[message.CapabilityMessages].(message.Messenger).Send(t.Context(), message.Message{Text: engine.Text{{S: "x"}}})
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "routing_key"}) {
			t.Errorf("%q: got %v", key, err)
		}
	}
	conn, err := connect("https://events.pagerduty.com", routingKey+"\n")
	if err != nil {
		t.Fatal(err)
	}
	findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
	if err != nil || len(findings) != 1 || !findings[0].Works || !strings.Contains(findings[0].Detail, "events.pagerduty.com") {
		t.Errorf("got %v, %v", findings, err)
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	s := schema(t)
	good := `{"routing_key":"` + routingKey + `","event_action":"trigger","payload":{"summary":"s","source":"x","severity":"info"}}`
	for name, change := range map[string][2]string{
		"nothing":          {"", ""},
		"a short key":      {routingKey, "short"},
		"another action":   {"trigger", "close"},
		"no dedup key":     {"trigger", "resolve"},
		"another severity": {"info", "high"},
		"no source":        {`"source":"x",`, ""},
		"another member":   {`"summary"`, `"title":"s","summary"`},
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(good, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if refused := s.Validate(doc) != nil; refused != (name != "nothing") {
			t.Errorf("%s: refused is %v", name, refused)
		}
	}
}
