package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/server"
)

const (
	key   = "hmac-secret-of-the-test"
	token = "bearer-token-of-the-test"
)

var noon = time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)

// world is a handler on a real loopback address, with an engine that only counts.
type world struct {
	t      *testing.T
	url    string
	log    *lines
	starts *starter
	engine *fakeEngine
	now    atomic.Int64 // Unix seconds
}

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type starter struct {
	mu    sync.Mutex
	err   error
	taken []server.Delivery
	known map[string]string
}

func (s *starter) Start(_ context.Context, d server.Delivery) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", false, s.err
	}
	for _, id := range []string{"id:" + d.ID, "key:" + d.Playbook + d.Key} {
		if run, ok := s.known[id]; ok {
			return run, true, nil
		}
	}
	s.taken = append(s.taken, d)
	run := fmt.Sprintf("run_%d", len(s.taken))
	if d.ID != "" {
		s.known["id:"+d.ID] = run
	}
	if d.Key != "" {
		s.known["key:"+d.Playbook+d.Key] = run
	}
	return run, false, nil
}

type hooks map[string]server.Hook

func (h hooks) Lookup(name string) (server.Hook, bool) { hook, ok := h[name]; return hook, ok }

type fakeEngine struct {
	health  server.Health
	figures server.Figures
	err     error
}

func (e *fakeEngine) Health(context.Context) server.Health            { return e.health }
func (e *fakeEngine) Figures(context.Context) (server.Figures, error) { return e.figures, e.err }

func alert() engine.Type {
	return engine.MapOf(engine.Field{Name: "alert", Type: engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "severity", Type: engine.EnumOf("low", "high")},
		engine.Field{Name: "users", Type: engine.Maybe(engine.ListOf(engine.TypeString()))},
	)})
}

func dedupe(body any) (string, error) {
	inner, _ := body.(map[string]any)["alert"].(map[string]any)
	id, ok := inner["id"].(string)
	if !ok {
		return "", errors.New("no id")
	}
	return id, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: &lines{}, starts: &starter{known: map[string]string{}}, engine: &fakeEngine{}}
	w.now.Store(noon.Unix())
	env := map[string]string{"KEY": key, "TOKEN": token}
	keeper, err := secret.NewKeeper(secret.KeeperConfig{Redactor: &secret.Redactor{}, Lookup: func(n string) (string, bool) { v, ok := env[n]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	known := hooks{
		"siem-alert": {Name: "siem-alert", Secret: "env://KEY", Playbooks: []server.Triggered{{Playbook: "contain", Body: alert()}}},
		"siem":       {Name: "siem", Secret: "env://KEY", Token: "env://TOKEN", MaxBody: 400, Playbooks: []server.Triggered{{Playbook: "contain", Body: alert(), Dedupe: dedupe}}},
		"plain":      {Name: "plain", Token: "env://TOKEN", Playbooks: []server.Triggered{{Playbook: "note", Body: engine.TypeAny()}}},
		"two":        {Name: "two", Token: "env://TOKEN", Playbooks: []server.Triggered{{Playbook: "a", Body: engine.TypeAny()}, {Playbook: "b", Body: engine.TypeAny()}}},
		"broken":     {Name: "broken", Token: "env://NOWHERE", Playbooks: []server.Triggered{{Playbook: "a", Body: engine.TypeAny()}}},
	}
	h, err := server.New(server.Config{
		Engine: w.engine, Starter: w.starts, Secrets: keeper, Version: "1.2.3", Hooks: known,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Now: func() time.Time { return time.Unix(w.now.Load(), 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

// delivery is a request to a webhook, changed by a case.
type delivery struct {
	hook, body string
	header     http.Header
}

func signed(body string, at time.Time) delivery {
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set(server.TimestampHeader, fmt.Sprint(at.Unix()))
	h.Set(server.SignatureHeader, server.Sign(secret.New(key), at, []byte(body)))
	return delivery{hook: "siem", body: body, header: h}
}

func borne(hook, body string) delivery {
	return delivery{hook: hook, body: body, header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}}
}

func (w *world) send(d delivery) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/hooks/"+d.hook, strings.NewReader(d.body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = d.header
	return w.do(r)
}

func (w *world) get(path string) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(r)
}

func (w *world) do(r *http.Request) (int, map[string]any) {
	w.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		doc = map[string]any{"text": string(data)}
	}
	return res.StatusCode, doc
}

const good = `{"alert":{"id":"A-1","severity":"high","users":["u1"]}}`

func TestADeliveryStartsARun(t *testing.T) {
	w := newWorld(t)
	status, doc := w.send(signed(good, noon))
	if status != http.StatusAccepted || doc["run"] != "run_1" || doc["duplicate"] != nil {
		t.Fatalf("got %d %v", status, doc)
	}
	d := w.starts.taken[0]
	if d.Hook != "siem" || d.Playbook != "contain" || d.Key != "A-1" || len(d.ID) != 64 {
		t.Errorf("it was started with %+v", d)
	}
	if status, doc := w.send(borne("plain", `[1, 2.5]`)); status != http.StatusAccepted || doc["run"] != "run_2" {
		t.Errorf("a token: got %d %v", status, doc)
	}
}

func TestADeliveryThatComesAgainStartsNothing(t *testing.T) {
	again := map[string]func(d delivery) delivery{
		"the very same": func(d delivery) delivery { return d },
		"the same signature in capitals": func(d delivery) delivery {
			d.header.Set(server.SignatureHeader, "v1="+strings.ToUpper(strings.TrimPrefix(d.header.Get(server.SignatureHeader), "v1=")))
			return d
		},
		"the same key, signed anew":      func(d delivery) delivery { return signed(d.body+" ", noon.Add(time.Second)) },
		"the same key, and with a token": func(d delivery) delivery { return borne(d.hook, d.body) },
	}
	for name, change := range again {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := signed(good, noon)
			w.send(d)
			status, doc := w.send(change(d))
			if status != http.StatusAccepted || doc["run"] != "run_1" || doc["duplicate"] != true || len(w.starts.taken) != 1 {
				t.Errorf("got %d %v after %d starts", status, doc, len(w.starts.taken))
			}
		})
	}
}

func TestWhatIsNotProvenIsRefusedAllAlike(t *testing.T) {
	cases := map[string]func() delivery{
		"an unknown webhook":    func() delivery { d := signed(good, noon); d.hook = "nothing"; return d },
		"an unknown one, token": func() delivery { return borne("nothing", good) },
		"the secret nobody has": func() delivery {
			d := signed(good, noon)
			d.hook = "nothing"
			d.header.Set(server.SignatureHeader, server.Sign(secret.New("there is no such webhook"), noon, []byte(good)))
			return d
		},
		"no signature": func() delivery { d := signed(good, noon); d.header.Del(server.SignatureHeader); return d },
		"no time":      func() delivery { d := signed(good, noon); d.header.Del(server.TimestampHeader); return d },
		"another body": func() delivery { d := signed(good, noon); d.body += " "; return d },
		"another time": func() delivery {
			d := signed(good, noon)
			d.header.Set(server.TimestampHeader, fmt.Sprint(noon.Unix()+1))
			return d
		},
		"no version": func() delivery {
			d := signed(good, noon)
			d.header.Set(server.SignatureHeader, "v2="+strings.Repeat("0", 64))
			return d
		},
		"too old": func() delivery { return signed(good, noon.Add(-5*time.Minute-time.Second)) },
		"too new": func() delivery { return signed(good, noon.Add(5*time.Minute+time.Second)) },
		"a wrong token": func() delivery {
			d := borne("siem", good)
			d.header.Set("Authorization", "Bearer "+token+"x")
			return d
		},
		"an empty token":     func() delivery { d := borne("siem", good); d.header.Set("Authorization", "Bearer "); return d },
		"no Bearer":          func() delivery { d := borne("siem", good); d.header.Set("Authorization", token); return d },
		"signed for a token": func() delivery { d := signed(good, noon); d.hook = "plain"; return d },
		"nothing for a token": func() delivery {
			d := signed(good, noon)
			d.hook = "plain"
			d.header.Del(server.SignatureHeader)
			return d
		},
	}
	var first string
	for name, delivery := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			status, doc := w.send(delivery())
			message := fmt.Sprint(status, doc)
			if first == "" {
				first = message
			}
			if status != http.StatusNotFound || message != first {
				t.Errorf("got %s, others %s", message, first)
			}
			if len(w.starts.taken) != 0 {
				t.Error("a run was started")
			}
		})
	}
}

func TestTheWindowIsOpenBothWays(t *testing.T) {
	for _, off := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		if status, doc := newWorld(t).send(signed(good, noon.Add(off))); status != http.StatusAccepted {
			t.Errorf("%v from now: got %d %v", off, status, doc)
		}
	}
}

func TestWhatIsWrongWithABody(t *testing.T) {
	with := func(d delivery, name, value string) delivery { d.header.Set(name, value); return d }
	cases := []struct {
		name   string
		d      delivery
		status int
		says   []string
	}{
		{"too large", signed(`{"alert":"`+strings.Repeat("x", 400)+`"}`, noon), 413, []string{"400 bytes"}},
		{"no JSON by its type", with(signed(good, noon), "Content-Type", "text/plain"), 415, []string{"application/json"}},
		{"no type", with(signed(good, noon), "Content-Type", ""), 415, nil},
		{"JSON of a kind", with(signed(good, noon), "Content-Type", "application/cloudevents+json; charset=utf-8"), 202, nil},
		{"no JSON", signed(`{"alert":`, noon), 400, []string{"JSON"}},
		{"nothing", signed(``, noon), 400, nil},
		{"two documents", signed(`{} {}`, noon), 400, nil},
		{"a key twice", signed(`{"alert":{"id":"A","id":"B","severity":"low"}}`, noon), 400, []string{"twice"}},
		{"no UTF-8", signed("{\"alert\":\"\xff\"}", noon), 400, []string{"UTF-8"}},
		{"deep", signed(strings.Repeat("[", 65)+strings.Repeat("]", 65), noon), 400, []string{"64"}},
		{"all of the wrong fields", signed(`{"alert":{"id":7,"severity":"hunter2","users":["a",1,null]}}`, noon), 422,
			[]string{"contain", "body.alert.id must be string, not a number", "body.alert.severity must be low | high, not a string", "body.alert.users[1]", "body.alert.users[2]", "not null"}},
		{"a missing field", signed(`{"alert":{"severity":"low"}}`, noon), 422, []string{"body.alert.id must be string, not nothing"}},
		{"no map", signed(`[]`, noon), 422, []string{"body must be map, not a list"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			status, doc := w.send(c.d)
			text, _ := doc["error"].(string)
			if status != c.status {
				t.Errorf("got %d %v", status, doc)
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if strings.Contains(fmt.Sprint(doc), "hunter2") || strings.Contains(w.log.String(), "hunter2") {
				t.Errorf("a value of the body was shown: %v %s", doc, w.log)
			}
		})
	}
}

func TestWhatCannotBeStartedIsSaidAndCanBeSentAgain(t *testing.T) {
	w := newWorld(t)
	w.starts.err = errors.New("the disk is full")
	if status, _ := w.send(signed(good, noon)); status != http.StatusServiceUnavailable {
		t.Errorf("got %d", status)
	}
	w.starts.err = fmt.Errorf("window is 9: %w", server.ErrBody)
	if status, doc := w.send(signed(good, noon)); status != http.StatusUnprocessableEntity || strings.Contains(fmt.Sprint(doc), "window") {
		t.Errorf("got %d %v", status, doc)
	}
	w.starts.err = fmt.Errorf("%w: window is 9", server.ErrRefused)
	if status, doc := w.send(signed(good, noon)); status != http.StatusUnprocessableEntity || strings.Contains(fmt.Sprint(doc), "window") || !strings.Contains(fmt.Sprint(doc), "policy") {
		t.Errorf("got %d %v", status, doc)
	}
	w.starts.err = &server.BusyError{After: time.Minute, Err: errors.New("three runs are under way")}
	if status, doc := w.send(signed(good, noon)); status != http.StatusServiceUnavailable || strings.Contains(fmt.Sprint(doc), "three") {
		t.Errorf("got %d %v", status, doc)
	}
	w.starts.err = nil
	if status, doc := w.send(signed(good, noon)); status != http.StatusAccepted || doc["duplicate"] != nil {
		t.Errorf("sent again: got %d %v", status, doc)
	}
	if status, _ := w.send(borne("broken", good)); status != http.StatusServiceUnavailable {
		t.Errorf("a secret that is not there: got %d", status)
	}
}

func TestAWebhookMayStartSeveralPlaybooks(t *testing.T) {
	_, doc := newWorld(t).send(borne("two", `{}`))
	if fmt.Sprintln(doc["run"], doc["runs"]) != "run_1 [run_1 run_2]\n" {
		t.Errorf("got %v", doc)
	}
}

func TestWhoeverGuessesIsMadeToWait(t *testing.T) {
	w := newWorld(t)
	bad := signed(good, noon)
	bad.body += " "
	last := 0
	for range 21 {
		last, _ = w.send(bad)
	}
	if last != http.StatusTooManyRequests {
		t.Fatalf("the 21st guess: got %d", last)
	}
	if status, _ := w.send(signed(good, noon)); status != http.StatusTooManyRequests {
		t.Errorf("right, from there: got %d", status)
	}
	w.now.Store(noon.Add(time.Minute).Unix())
	if status, _ := w.send(signed(good, noon)); status != http.StatusAccepted {
		t.Errorf("a minute later: got %d", status)
	}
}

func TestTheLogHoldsNeitherSecretsNorBodies(t *testing.T) {
	w := newWorld(t)
	w.send(signed(good, noon))
	w.send(borne("siem", `{"alert":"hunter2"}`))
	w.send(borne("siem", `hunter2`))
	for _, never := range []string{key, token, "hunter2", "A-1"} {
		if strings.Contains(w.log.String(), never) {
			t.Errorf("the log has %q:\n%s", never, w.log)
		}
	}
	if !strings.Contains(w.log.String(), "run=run_1") {
		t.Errorf("the log does not name the run:\n%s", w.log)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, doc := w.get(path); status != http.StatusOK {
			t.Errorf("%s: got %d %v", path, status, doc)
		}
	}
	w.engine.health = server.Health{Database: "the disk is full", Stopping: true, Overdue: 3}
	status, doc := w.get("/readyz")
	if list, _ := doc["problems"].([]any); status != http.StatusServiceUnavailable || len(list) != 3 || !strings.Contains(fmt.Sprint(list), "the disk is full") {
		t.Errorf("got %d %v", status, doc)
	}
	if status, _ := w.get("/healthz"); status != http.StatusOK {
		t.Errorf("a process that lives is healthy: got %d", status)
	}
	if status, _ := w.get("/hooks/siem"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET of a webhook: got %d", status)
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	w.engine.figures = server.Figures{
		Runs: map[engine.RunStatus]int64{engine.RunWaiting: 7}, Steps: map[engine.StepStatus]int64{engine.StepSucceeded: 9},
		Changes: map[engine.Outcome]int64{engine.OutcomeDone: 4}, GrantsLive: 3, GrantsOverdue: 1, Fires: 12, Missed: 2, Queue: 5, NoticesSent: 6, NoticesLost: 8,
	}
	w.send(signed(good, noon))
	_, doc := w.get("/metrics")
	text := fmt.Sprint(doc["text"])
	for _, line := range []string{
		`drawbridge_runs{status="waiting"} 7`, `drawbridge_steps_total{status="succeeded"} 9`, `drawbridge_changes_total{outcome="done"} 4`,
		`drawbridge_grants{state="live"} 3`, `drawbridge_grants{state="overdue"} 1`, `drawbridge_schedule_fires_total 12`,
		`drawbridge_schedule_missed_total 2`, `drawbridge_queue_length 5`, `drawbridge_notices_sent_total 6`, `drawbridge_notices_dropped_total 8`,
		`drawbridge_webhook_deliveries_total{result="started"} 1`, `drawbridge_webhook_deliveries_total{result="unproven"} 0`, `version="1.2.3"`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	w.engine.err = errors.New("the database is closed")
	if _, doc := w.get("/metrics"); !strings.Contains(fmt.Sprint(doc["text"]), "webhook_deliveries") {
		t.Errorf("without the engine's: %v", doc)
	}
}
