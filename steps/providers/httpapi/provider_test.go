package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/web"
)

// word is the credential, which must never be in an error.
const word = "c4nary-credential/+="

type vault struct{}

func (vault) Resolve(context.Context, secret.Reference) (secret.Value, error) {
	return secret.New(word), nil
}

func connect(settings map[string]any) (*engine.Connection, error) {
	return open(engine.Opening{Name: "tickets", Settings: settings, Secrets: vault{}, Now: time.Now},
		transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}

// call is a call of an action through a connection to a server on this machine.
func call(t *testing.T, settings map[string]any, inputs map[string]any, h http.HandlerFunc) engine.Call {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	settings["base_url"], settings["allow_private"] = server.URL+"/api", []any{"127.0.0.1"}
	conn, err := connect(settings)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Call{Action: "http", Key: "run_1/step", Inputs: inputs, Connections: map[engine.Capability]*engine.Connection{web.CapabilityHTTP: conn}}
}

func TestWhatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]any{
		"a token is missing":        {"base_url": "https://a.example.com", "auth": "bearer"},
		"a token of no use":         {"base_url": "https://a.example.com", "token": secret.Reference("env://A")},
		"a credential for nobody":   {"auth": "bearer", "token": secret.Reference("env://A")},
		"a credential in clear":     {"base_url": "http://a.example.com", "auth": "bearer", "token": secret.Reference("env://A")},
		"metadata services":         {"allow_private": []any{"169.254.169.254"}},
		"a header that is reserved": {"base_url": "https://a.example.com", "headers": map[string]any{"Host": "evil.example.com"}},
		"a pointer that is none":    {"message": "error"},
	} {
		if _, err := connect(settings); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRequestsReadAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   string // "" for an invalid failure before anything is sent
	}{
		"get":              {map[string]any{"method": "GET", "path": "/users/{id}", "params": map[string]any{"id": "a/../b"}, "query": map[string]any{"n": int64(1), "l": []any{"x", true}}}, "GET /api/users/a%2F..%2Fb?l=x&l=true&n=1"},
		"a search":         {map[string]any{"method": "POST", "reads": true, "path": "/search", "json": map[string]any{}}, "POST /api/search"},
		"a post":           {map[string]any{"method": "POST", "path": "/search"}, ""},
		"a body of a get":  {map[string]any{"method": "GET", "path": "/x", "text": "x"}, ""},
		"two bodies":       {map[string]any{"method": "POST", "reads": true, "path": "/x", "text": "x", "json": "y"}, ""},
		"out of the base":  {map[string]any{"method": "GET", "path": "/../admin"}, ""},
		"another host":     {map[string]any{"method": "GET", "url": "https://evil.example.com/"}, ""},
		"the credential":   {map[string]any{"method": "GET", "path": "/x", "headers": map[string]any{"authorization": "mine"}}, ""},
		"a map in a query": {map[string]any{"method": "GET", "path": "/x", "query": map[string]any{"q": map[string]any{}}}, ""},
		"a wrong status":   {map[string]any{"method": "GET", "path": "/x", "expect": []any{int64(500)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			h := func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Set-Cookie", "session="+word)
				_, _ = fmt.Fprintf(w, `{"at":%q}`, r.Method+" "+r.URL.RequestURI())
			}
			c := call(t, map[string]any{"auth": "bearer", "token": secret.Reference("env://A")}, tt.inputs, h)
			seen, err := web.Request{}.Observe(t.Context(), c)
			if tt.want == "" {
				if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) || calls.Load() != 0 {
					t.Errorf("got %v, and %d requests", err, calls.Load())
				}
				return
			}
			body, _ := seen.Outputs["body"].(map[string]any)
			if err != nil || body["at"] != tt.want {
				t.Errorf("got %v, %v, want %q", seen.Outputs, err, tt.want)
			}
			identitytest.NoLeak(t, fmt.Sprint(seen.Outputs), word)
		})
	}
}

func TestSendingIsPreviewedAndKeyed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		more       map[string]any
		repeatable bool
		calls      int32
		class      engine.Class
	}{
		"once":       {map[string]any{}, false, 1, engine.ClassUnsettled},
		"with a key": {map[string]any{"idempotency_header": "Idempotency-Key"}, true, 3, engine.ClassUnsettled},
		"repeatable": {map[string]any{"repeatable": true}, true, 3, engine.ClassUnsettled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			inputs := map[string]any{"method": "POST", "path": "/tickets", "json": map[string]any{"title": "Leaver"}}
			for k, v := range tt.more {
				inputs[k] = v
			}
			c := call(t, map[string]any{}, inputs, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				if key := r.Header.Get("Idempotency-Key"); (key == "run_1/step") != (tt.more["idempotency_header"] != nil) {
					t.Errorf("the key is %q", key)
				}
				if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
					_ = conn.Close()
				}
			})
			before, err := web.Send{}.Read(t.Context(), c)
			if err != nil || !before.Blind || before.Repeatable != tt.repeatable || !strings.HasPrefix(before.Target.Name, "POST 127.0.0.1:") {
				t.Fatalf("read %+v, %v", before, err)
			}
			preview, err := web.Send{}.Preview(c, before)
			shown, _ := preview.After["request"].(map[string]any)
			if err != nil || shown["method"] != "POST" || fmt.Sprint(shown["body"]) != "map[title:Leaver]" || preview.Inverse != nil || calls.Load() != 0 {
				t.Errorf("previewed %+v, %v, with %d requests", preview, err, calls.Load())
			}
			_, err = web.Send{}.Perform(t.Context(), c, before)
			if engine.AsFailure(err).Class != tt.class || calls.Load() != tt.calls {
				t.Errorf("got %v after %d requests", err, calls.Load())
			}
		})
	}
}

// TestErrorsKeepCredentials uses a service that repeats all it was sent, at
// every way to sign in and with every answer.
func TestErrorsKeepCredentials(t *testing.T) {
	t.Parallel()
	ref := secret.Reference("env://A")
	for kind, settings := range map[string]map[string]any{
		"bearer": {"auth": "bearer", "token": ref},
		"basic":  {"auth": "basic", "username": ref, "password": ref},
		"header": {"auth": "header", "header": "X-Api-Key", "token": ref, "prefix": "Key "},
		"oauth":  {"auth": "oauth", "client_id": ref, "client_secret": ref, "token_url": "/token"},
		"hmac":   {"auth": "hmac", "key": ref},
	} {
		for _, status := range []int{302, 400, 401, 403, 404, 429, 500, 503} {
			t.Run(fmt.Sprint(kind, " ", status), func(t *testing.T) {
				t.Parallel()
				own := map[string]any{"message": "/error"}
				for k, v := range settings {
					own[k] = v
				}
				c := call(t, own, map[string]any{"method": "GET", "path": "/x"}, func(w http.ResponseWriter, r *http.Request) {
					said := fmt.Sprint(r.Header, r.URL)
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Location", "https://evil.example.com/?"+url.QueryEscape(said))
					w.WriteHeader(status)
					_, _ = fmt.Fprintf(w, `{"error":%q}`, said)
				})
				_, err := web.Request{}.Observe(t.Context(), c)
				if err == nil {
					t.Fatal("it worked")
				}
				identitytest.NoLeakingError(t, err, word)
				tester, _ := c.Connections[web.CapabilityHTTP].Offers[engine.CapabilityTest].(engine.Tester)
				findings, err := tester.Test(t.Context())
				identitytest.NoLeak(t, fmt.Sprint(findings, err), word)
			})
		}
	}
}

func TestAConnectionWithoutCredentialsClaimsNone(t *testing.T) {
	t.Parallel()
	c := call(t, map[string]any{}, map[string]any{"method": "GET", "url": "http://api.example.com/x"}, http.NotFound)
	for _, conn := range c.Connections {
		findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
		if err != nil || len(findings) != 2 || findings[0].Detail != "no credential is configured, and none is sent" {
			t.Errorf("got %+v, %v", findings, err)
		}
	}
	_, err := web.Request{}.Observe(t.Context(), c)
	if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassInvalid || strings.Contains(f.Message, "credentials are sent") {
		t.Errorf("got %v", err)
	}
}
