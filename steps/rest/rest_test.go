package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// word is a credential that must never be in an error.
const word = "c4nary-credential/+="

// vault resolves every reference to word.
type vault struct{}

func (vault) Resolve(context.Context, secret.Reference) (secret.Value, error) {
	return secret.New(word), nil
}

// hasty does not wait between attempts.
func hasty() *transport.Client {
	return transport.New(transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}

func serve(t *testing.T, c rest.Config, h http.HandlerFunc) *rest.Service {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c.Base += server.URL
	if c.Client == nil {
		c.Client = hasty()
	}
	if c.Secrets == nil {
		c.Secrets = vault{}
	}
	service, err := rest.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// answer answers with JSON.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func checkFailure(t *testing.T, err error, class engine.Class, code string) {
	t.Helper()
	var f *engine.Failure
	if !errors.As(err, &f) || f.Class != class || f.Code != code {
		t.Errorf("got %#v, want class %s and code %s", err, class, code)
	}
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		auth   rest.Auth
		header string
		want   string
	}{
		"bearer":            {rest.Auth{Kind: rest.AuthBearer, Secret: "env://A"}, "Authorization", "Bearer " + word},
		"basic":             {rest.Auth{Kind: rest.AuthBasic, User: "env://U", Secret: "env://A"}, "Authorization", "Basic YzRuYXJ5LWNyZWRlbnRpYWwvKz06YzRuYXJ5LWNyZWRlbnRpYWwvKz0="},
		"header":            {rest.Auth{Kind: rest.AuthHeader, Header: "x-api-key", Secret: "env://A"}, "X-Api-Key", word},
		"a kind of its own": {rest.Auth{Kind: rest.AuthHeader, Header: "Authorization", Prefix: "SSWS ", Secret: "env://A"}, "Authorization", "SSWS " + word},
		"signed": {
			rest.Auth{Kind: rest.AuthHMAC, Secret: "env://A", Prefix: "sha256="}, "X-Signature",
			"sha256=610330c3d1ee5376674306856b60fbe3eaf73dd1df9fdc6849eeac98b58d8c29", // computed by another program,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got atomic.Value
			service := serve(t, rest.Config{Auth: tt.auth, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}, func(w http.ResponseWriter, r *http.Request) {
				got.Store(r.Header.Get(tt.header))
				answer(`{}`)(w, r)
			})
			body, err := rest.JSONBody(map[string]any{"a": int64(1)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := service.Do(t.Context(), rest.Request{Method: http.MethodPost, Path: "/v1/x", Query: url.Values{"q": {"1"}}, Body: body}); err != nil {
				t.Fatal(err)
			}
			if got.Load() != tt.want {
				t.Errorf("got %q, want %q", got.Load(), tt.want)
			}
		})
	}
}

func TestWhatCannotBeAuthorized(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]rest.Config{
		"no base":         {Auth: rest.Auth{Kind: rest.AuthBearer, Secret: "env://A"}},
		"in the clear":    {Base: "http://api.example.com"},
		"no credential":   {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthBearer}},
		"no kind":         {Base: "https://api.example.com", Auth: rest.Auth{Kind: "magic", Secret: "env://A"}},
		"no header":       {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHeader, Secret: "env://A"}},
		"the host":        {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHeader, Header: "host", Secret: "env://A"}},
		"token in clear":  {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthOAuth, User: "env://U", Secret: "env://A", TokenURL: "http://id.example.com/token"}},
		"token nowhere":   {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthOAuth, User: "env://U", Secret: "env://A"}},
		"unsigned body":   {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHMAC, Secret: "env://A", Signature: rest.Signature{Parts: []string{"path"}}}},
		"unknown part":    {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHMAC, Secret: "env://A", Signature: rest.Signature{Parts: []string{"body", "moon"}}}},
		"a weak hash":     {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHMAC, Secret: "env://A", Signature: rest.Signature{Hash: "md5"}}},
		"unknown writing": {Base: "https://api.example.com", Auth: rest.Auth{Kind: rest.AuthHMAC, Secret: "env://A", Signature: rest.Signature{Encoding: "rot13"}}},
	} {
		if _, err := rest.New(c); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// identity is a service whose tokens are used up after some calls.
type identity struct {
	tokens, calls atomic.Int32
	each          int32 // calls of one token
	refuse        bool
}

func (s *identity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/token" {
		_, pass, _ := r.BasicAuth()
		plain, _ := url.QueryUnescape(pass)
		if s.refuse || plain != word || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "a b" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"`+word+`"}`)
			return
		}
		s.calls.Store(0)
		_, _ = fmt.Fprintf(w, `{"access_token":"t0ken-%d","token_type":"Bearer","expires_in":3600}`, s.tokens.Add(1))
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t0ken-%d", s.tokens.Load()) || s.calls.Add(1) > s.each {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, `{"ok":true}`)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	auth := rest.Auth{Kind: rest.AuthOAuth, User: "env://U", Secret: "env://A", TokenURL: "/token", Scopes: []string{"a", "b"}}
	t.Run("are fetched once, and again when they are refused", func(t *testing.T) {
		t.Parallel()
		id := &identity{each: 2}
		service := serve(t, rest.Config{Auth: auth}, id.ServeHTTP)
		for range 6 {
			if _, err := service.Do(t.Context(), rest.Request{Path: "/x", Effect: transport.Read}); err != nil {
				t.Fatal(err)
			}
		}
		if got := id.tokens.Load(); got != 3 {
			t.Errorf("%d tokens were fetched", got)
		}
	})
	t.Run("a second refusal is final", func(t *testing.T) {
		t.Parallel()
		id := &identity{}
		_, err := serve(t, rest.Config{Auth: auth}, id.ServeHTTP).Do(t.Context(), rest.Request{Path: "/x"})
		checkFailure(t, err, engine.ClassAuth, transport.CodeUnauthorized)
		if got := id.tokens.Load(); got != 2 {
			t.Errorf("%d tokens were fetched", got)
		}
	})
	t.Run("a refused client", func(t *testing.T) {
		t.Parallel()
		id := &identity{refuse: true}
		err := serve(t, rest.Config{Auth: auth}, id.ServeHTTP).Authorize(t.Context())
		checkFailure(t, err, engine.ClassAuth, "client_credentials")
		if err != nil && strings.Contains(err.Error(), word) {
			t.Errorf("the secret is in %v", err)
		}
	})
}

func TestPathsStayWithinTheBase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		template string
		values   map[string]string
		want     string // "" for an invalid failure
	}{
		{"/users/{id}", map[string]string{"id": "a b/../c?d#e%2f"}, "/users/a%20b%2F..%2Fc%3Fd%23e%252f"},
		{"/users/{id}:suspend", map[string]string{"id": "A1"}, "/users/A1:suspend"},
		{"/users/{id}", map[string]string{"id": ".."}, ""},
		{"/users/{id}", map[string]string{}, ""},
		{"/users/{id", map[string]string{"id": "A"}, ""},
		{"/users/../admin", nil, ""},
		{"/users/%2e%2E/admin", nil, ""},
		{"/users?all=1", nil, ""},
		{"/users#x", nil, ""},
		{`/users\x`, nil, ""},
		{"/users/%zz", nil, ""},
		{"/users/%0a", nil, ""},
		{"/a b", nil, ""},
	} {
		got, err := rest.Path(tt.template, tt.values)
		if tt.want == "" {
			checkFailure(t, err, engine.ClassInvalid, rest.CodePath)
		} else if got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v", tt.template, got, err)
		}
	}
}

func TestWhereRequestsGo(t *testing.T) {
	t.Parallel()
	var at atomic.Value
	service := serve(t, rest.Config{}, func(w http.ResponseWriter, r *http.Request) {
		at.Store(r.URL.RequestURI())
		answer(`{}`)(w, r)
	})
	for _, tt := range []struct {
		request rest.Request
		want    string // "" for an invalid failure
	}{
		{rest.Request{Path: "a/b"}, "/a/b"},
		{rest.Request{Path: "/a/b/"}, "/a/b/"},
		{rest.Request{Path: "//evil.example.com/x"}, "//evil.example.com/x"},
		{rest.Request{Path: "/a", Query: url.Values{"q": {"x y&z"}}}, "/a?q=x+y%26z"},
		{rest.Request{URL: service.Origin() + "/c?d=1"}, "/c?d=1"},
		{rest.Request{URL: "https://evil.example.com/c"}, ""},
		{rest.Request{URL: strings.Replace(service.Origin(), "//", "//user:pw@", 1) + "/c"}, ""},
		{rest.Request{URL: "/c"}, ""},
		{rest.Request{Path: "/x/../../etc"}, ""},
	} {
		at.Store("")
		_, err := service.Do(t.Context(), tt.request)
		if tt.want == "" {
			checkFailure(t, err, engine.ClassInvalid, rest.CodePath)
		} else if err != nil {
			t.Errorf("%+v: %v", tt.request, err)
		}
		if at.Load() != tt.want {
			t.Errorf("%+v went to %q, want %q", tt.request, at.Load(), tt.want)
		}
	}
}

func TestHeadersThatCannotBeSet(t *testing.T) {
	t.Parallel()
	service := serve(t, rest.Config{Auth: rest.Auth{Kind: rest.AuthHeader, Header: "X-Api-Key", Secret: "env://A"}}, answer(`{}`))
	for name, value := range map[string]string{
		"authorization": "Bearer mine", "x-api-key": "mine", "Host": "evil.example.com", "Content-Length": "0", "Transfer-Encoding": "chunked",
		"Proxy-Authorization": "x", "Cookie": "a=b", "X Y": "z", "X-Split": "a\r\nX-Evil: b",
	} {
		_, err := service.Do(t.Context(), rest.Request{Path: "/", Header: http.Header{name: {value}}})
		checkFailure(t, err, engine.ClassInvalid, rest.CodeHeader)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		kind   string
		body   string
		read   rest.AnswerKind
		expect []int
		want   any
		class  engine.Class
		code   string
	}{
		"values":            {200, "application/json", `{"n":1,"f":1.5,"big":12345678901234567,"l":[null,true]}`, rest.AnswerJSON, nil, map[string]any{"n": int64(1), "f": 1.5, "big": int64(12345678901234567), "l": []any{nil, true}}, "", ""},
		"scim":              {200, "application/scim+json", `"x"`, rest.AnswerJSON, nil, "x", "", ""},
		"nothing":           {204, "", "", rest.AnswerJSON, nil, nil, "", ""},
		"empty":             {200, "application/json", "", rest.AnswerJSON, nil, nil, engine.ClassTransient, transport.CodeBrokenAnswer},
		"half":              {200, "application/json", `{"a":`, rest.AnswerJSON, nil, nil, engine.ClassTransient, transport.CodeBrokenAnswer},
		"two":               {200, "application/json", `{} {}`, rest.AnswerJSON, nil, nil, engine.ClassTransient, transport.CodeBrokenAnswer},
		"a page":            {200, "text/html", `<html>`, rest.AnswerJSON, nil, nil, engine.ClassPermanent, transport.CodeNotJSON},
		"text":              {200, "text/plain", `hello`, rest.AnswerText, nil, "hello", "", ""},
		"not text":          {200, "text/plain", "\xff", rest.AnswerText, nil, nil, engine.ClassPermanent, transport.CodeBrokenAnswer},
		"any, json":         {200, "application/json", `[1]`, rest.AnswerAny, nil, []any{int64(1)}, "", ""},
		"any, text":         {200, "text/plain", `ok`, rest.AnswerAny, nil, "ok", "", ""},
		"any, nothing":      {200, "text/plain", ``, rest.AnswerAny, nil, nil, "", ""},
		"ignored":           {200, "text/html", `<html>`, rest.AnswerIgnored, nil, nil, "", ""},
		"expected":          {201, "application/json", `1`, rest.AnswerJSON, []int{201}, int64(1), "", ""},
		"not expected":      {202, "application/json", `1`, rest.AnswerJSON, []int{200, 201}, nil, engine.ClassPermanent, rest.CodeStatus},
		"a refusal":         {404, "application/json", `{"error":"none"}`, rest.AnswerJSON, nil, nil, engine.ClassNotFound, "http_404"},
		"expected refusal":  {404, "application/json", `{"error":"none"}`, rest.AnswerJSON, []int{200, 404}, map[string]any{"error": "none"}, "", ""},
		"expected conflict": {409, "text/plain", `no`, rest.AnswerJSON, []int{409}, "no", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := serve(t, rest.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.kind}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			got, err := service.Do(t.Context(), rest.Request{Path: "/x", Effect: transport.Read, Answer: tt.read, Expect: tt.expect})
			if tt.class != "" {
				checkFailure(t, err, tt.class, tt.code)
				return
			}
			if err != nil || !reflect.DeepEqual(got.Body, tt.want) || got.Status != tt.status {
				t.Errorf("got %#v, %v, want %#v", got, err, tt.want)
			}
		})
	}
}

func TestASuccessThatWasNotExpectedLeavesAChangeOpen(t *testing.T) {
	t.Parallel()
	service := serve(t, rest.Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	_, err := service.Do(t.Context(), rest.Request{Method: http.MethodPost, Path: "/x", Expect: []int{200}})
	checkFailure(t, err, engine.ClassUnsettled, rest.CodeStatus)
}

// TestErrorsKeepCredentials goes through everything that can go wrong with a
// service that repeats what it was sent.
func TestErrorsKeepCredentials(t *testing.T) {
	t.Parallel()
	kinds := map[string]rest.Auth{
		"bearer": {Kind: rest.AuthBearer, Secret: "env://A"},
		"basic":  {Kind: rest.AuthBasic, User: "env://U", Secret: "env://A"},
		"header": {Kind: rest.AuthHeader, Header: "X-Api-Key", Prefix: "Key ", Secret: "env://A"},
		"hmac":   {Kind: rest.AuthHMAC, Secret: "env://A"},
	}
	for kind, auth := range kinds {
		for _, status := range []int{200, 400, 401, 403, 404, 409, 429, 500, 503, 0, -1} {
			t.Run(fmt.Sprintf("%s %d", kind, status), func(t *testing.T) {
				t.Parallel()
				service := serve(t, rest.Config{Auth: auth, Message: "/error"}, func(w http.ResponseWriter, r *http.Request) {
					echo, _ := json.Marshal(map[string]any{"error": fmt.Sprint(r.Header)})
					switch status {
					case -1:
						http.Redirect(w, r, "https://evil.example.com/"+r.Header.Get("Authorization"), http.StatusFound)
					case 0:
						if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
							_, _ = conn.Write([]byte("HTTP/1.1 " + string(echo)))
							_ = conn.Close()
						}
					default:
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(status)
						_, _ = w.Write(echo[:len(echo)-1]) // half a document
						if status != http.StatusOK {
							_, _ = w.Write(echo[len(echo)-1:])
						}
					}
				})
				_, err := service.Do(t.Context(), rest.Request{Path: "/x", Effect: transport.Read})
				if err == nil {
					t.Fatal("it worked")
				}
				for _, secret := range []string{word, "YzRuYXJ5", url.QueryEscape(word)} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the credential is in %v", err)
					}
				}
			})
		}
	}
}

func TestACallBehindTheLastOneWaits(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for _, reset := range []string{"7", "1700000007", "1700000007000"} {
		var slept time.Duration
		at := now
		client := transport.New(transport.Options{
			Now: func() time.Time { return at }, Sleep: func(_ context.Context, d time.Duration) error { slept += d; at = at.Add(d); return nil },
		})
		service := serve(t, rest.Config{Client: client, Now: func() time.Time { return at }, Rate: rest.Rate{Remaining: "X-Left", Reset: "X-Reset"}}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Left", "0")
			w.Header().Set("X-Reset", reset)
			answer(`{}`)(w, r)
		})
		for range 2 {
			if _, err := service.Do(t.Context(), rest.Request{Path: "/x", Effect: transport.Read}); err != nil {
				t.Fatal(err)
			}
		}
		if slept != 7*time.Second {
			t.Errorf("%s: it waited %s", reset, slept)
		}
	}
}
