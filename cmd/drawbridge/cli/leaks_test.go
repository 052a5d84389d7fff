package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

// leaking is how one provider is used by a command that must not give its
// secrets away.
type leaking struct {
	settings string            // of the connection, in YAML; BASE stands for the service's address
	secrets  map[string]string // by environment variable; BASE in them too
	steps    string            // that go through the connection
	// own says which tests look for leaks where the service cannot be put in the
	// place of this one.
	own  string
	more string // of the configuration, beside connections
	// silent: nothing is sent anywhere.
	silent bool
}

// canary is a secret with everything in it that an encoding changes.
func canary(name string) string { return "canary." + name + `-"quoted"/+&=%ü<b>` }

// leakings has every provider. A new provider needs a line here.
func leakings() map[string]leaking {
	list := "      - { id: users, uses: user.list }\n"
	tell := "      - uses: message.send\n        with: { text: \"Hello ${{ run.id }}\" }\n"
	return map[string]leaking{
		"email": {own: "TestMailLeaksNothing: it speaks SMTP"},
		"onepassword": {
			settings: "account: ABCDEFGHIJKLMNOPQRSTUVWXYZ, base_url: BASE, client_id: env://A, client_secret: env://B",
			secrets:  map[string]string{"A": canary("client-id"), "B": canary("client-secret")}, steps: list,
		},
		"onepassword-events": {
			settings: "base_url: BASE, token: env://A",
			secrets:  map[string]string{"A": "canary.events-token.with-a-signature"},
			steps:    "      - { id: signins, uses: signin.list, with: { from: \"${{ ago('2h') }}\" } }\n",
		},
		"onepassword-connect": {
			settings: "base_url: BASE, token: env://A", secrets: map[string]string{"A": "canary.connect-token.signed"},
			steps: "      - { uses: secret.read, with: { reference: op://Infra/db/password } }\n",
		},
		"onepassword-vault": {own: "steps/providers/onepasswordvault"},
		"http": {
			settings: "base_url: BASE, allow_private: [127.0.0.1], auth: header, header: X-Api-Key, token: env://A",
			secrets:  map[string]string{"A": "canary-of-an-api-key-0123456789"},
			steps:    "      - { id: got, uses: http.request, with: { path: /things }, on_error: continue }\n      - { id: sent, uses: http.send, with: { method: POST, path: /things } }\n",
		},
		"slack": {settings: "webhook_url: env://A", secrets: map[string]string{"A": "BASE/services/TCANARY/BCANARY/canarycanary"}, steps: tell},
		"teams": {settings: "webhook_url: env://A", secrets: map[string]string{"A": "BASE/workflows/canaryflow/invoke?sv=1.0&sig=canary-signature_0123"}, steps: tell},
		"pagerduty": {
			settings: "base_url: BASE, routing_key: env://A", steps: tell,
			secrets: map[string]string{"A": "canary-routing-key-0123456789abc"},
		},
		"scim": {
			settings: "base_url: BASE/scim, token: env://A", secrets: map[string]string{"A": canary("scim-token")},
			steps: list,
		},
		"okta": { // by its connector file
			settings: "base_url: BASE, token: env://A", secrets: map[string]string{"A": "canary-of-an-okta-token+/=&0123456789"},
			steps: list,
		},
		"terminal": {settings: "", steps: tell, silent: true},
		"webhook": {
			settings: "secret_url: env://A, token: env://B", steps: tell,
			secrets: map[string]string{"A": "BASE/in/canary-in-the-path?key=canary-in-the-query", "B": "canary-of-the-webhook-token"},
		},
	}
}

// troubles is what a service does wrong, and the worst it could answer with:
// all it was sent.
func troubles() map[string]http.HandlerFunc {
	out := map[string]http.HandlerFunc{}
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusInternalServerError} {
		out[fmt.Sprint(status)] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, echo(r)) // the client may have gone
		}
	}
	out["garbage"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results": `+echo(r)) // not closed
	}
	out["an answer of another kind"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[`+echo(r)+`]`)
	}
	out["a page of a portal"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>"+echo(r))
	}
	out["a redirect"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:9/?"+url.Values{"q": {echo(r)}}.Encode(), http.StatusFound)
	}
	out["no reply"] = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	return out
}

// echo is everything a request came with, wherever a service could have words.
func echo(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	all := r.URL.RequestURI() + " " + string(body)
	for _, values := range r.Header {
		all += " " + strings.Join(values, " ")
	}
	if user, word, ok := r.BasicAuth(); ok {
		all += " " + user + " " + word
	}
	text, err := json.Marshal(all)
	if err != nil { // a string always encodes
		return "{}"
	}
	var b strings.Builder
	for _, key := range []string{"message", "detail", "error", "error_description", "errorSummary", "reason", "title", "status"} {
		fmt.Fprintf(&b, "%q: %s, ", key, text)
	}
	return "{" + b.String() + `"Error": {"Message": ` + string(text) + `}, "errors": [` + string(text) + `]}`
}

// tokenOfTheService is what a service hands out for credentials: a secret, too.
const tokenOfTheService = "canary-of-an-access-token-0123456789"

// TestNoProviderLeaks uses every provider while its service does everything
// wrong, and looks for its secrets in all that is printed and logged and in the
// database.
func TestNoProviderLeaks(t *testing.T) {
	t.Parallel()
	cases := leakings()
	for _, p := range append(providers.All(), engine.Provider{Name: "okta"}) {
		c, known := cases[p.Name]
		if !known {
			t.Errorf("%s is not looked at: add it to the list", p.Name)
			continue
		}
		delete(cases, p.Name)
		if c.own != "" {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			c.everywhere(t, p.Name)
		})
	}
	for name := range cases {
		t.Errorf("there is no provider %s", name)
	}
}

// TestASlackBotLeaksNothing is about the other way into Slack.
func TestASlackBotLeaksNothing(t *testing.T) {
	t.Parallel()
	leaking{
		settings: "base_url: BASE, channel: C0123456789, token: env://A",
		secrets:  map[string]string{"A": "xoxb-canary-0123456789+/="},
		steps:    leakings()["slack"].steps,
	}.everywhere(t, "slack")
}

// everywhere is leak with every trouble a service can be in.
func (c leaking) everywhere(t *testing.T, provider string) {
	t.Helper()
	if c.silent {
		c.leak(t, provider, "http://127.0.0.1:9", nil)
		return
	}
	for _, trouble := range slices.Sorted(maps.Keys(troubles())) {
		t.Run(trouble, func(t *testing.T) {
			t.Parallel()
			s := serveTrouble(t, troubles()[trouble])
			c.leak(t, provider, s.URL, s)
		})
	}
	t.Run("TLS that cannot be trusted", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		c.leak(t, provider, server.URL, nil)
	})
}

// trouble is a service in trouble that remembers what it was sent.
type trouble struct {
	*httptest.Server

	mu   sync.Mutex
	seen strings.Builder
}

func serveTrouble(t *testing.T, h http.HandlerFunc) *trouble {
	t.Helper()
	s := &trouble{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.seen.WriteString(echo(r))
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		if strings.HasSuffix(r.URL.Path, "/token") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": 900}`, tokenOfTheService)
			return
		}
		h(w, r)
	}))
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s
}

// leak runs commands that use the provider, and looks for its secrets. Where s
// is not nil, its service must have been sent them.
func (c leaking) leak(t *testing.T, provider, base string, s *trouble) {
	t.Helper()
	dir := t.TempDir()
	secrets, canaries := map[string]string{}, []string{tokenOfTheService}
	for name, value := range c.secrets {
		secrets[name] = strings.ReplaceAll(value, "BASE", base)
		canaries = append(canaries, strings.TrimPrefix(value, "BASE"))
	}
	settings := "provider: " + provider
	if c.settings != "" {
		settings += ", " + strings.ReplaceAll(c.settings, "BASE", base)
	}
	connectors, err := filepath.Abs("../../../examples/connectors")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "drawbridge.yaml"), "playbooks: [.]\nconnectors: ["+connectors+"]\nconnections:\n  it: { "+settings+" }\n"+c.more)
	write(t, filepath.Join(dir, "leak.yaml"), "name: leak\nsteps:\n  - timeout: 4s\n    steps:\n"+c.steps)

	printed := c.commands(t, dir, secrets)
	identitytest.NoLeak(t, printed, canaries...)
	if !strings.Contains(printed, "run_") {
		t.Errorf("nothing was run:\n%s", printed)
	}
	for name, data := range files(t, dir) {
		identitytest.NoLeak(t, data, canaries...)
		if name == "drawbridge.db" && !strings.Contains(data, "leak") {
			t.Error("the database does not hold the run")
		}
	}
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen.Len() == 0 {
		t.Errorf("the service was not asked:\n%s", printed)
	}
}

// commands runs what a person would, and returns all that was printed.
func (c leaking) commands(t *testing.T, dir string, secrets map[string]string) string {
	t.Helper()
	var all bytes.Buffer
	for _, args := range [][]string{
		{"run", "leak", "-v"}, {"run", "leak", "-o", "json"}, {"runs", "show", "last", "-o", "json"}, {"runs", "show", "last"},
		{"connections", "test", "-v"}, {"connections", "show"}, {"audit", "export"},
	} {
		redactor := &secret.Redactor{}
		a := &app{
			stdin: strings.NewReader(""), stdout: redactor.Writer(&all), stderr: redactor.Writer(&all), redactor: redactor, now: time.Now,
			lookup: func(name string) (string, bool) { v, ok := secrets[name]; return v, ok },
		}
		a.log = a.newLog(slog.LevelDebug)
		ctx, cancel := context.WithTimeout(t.Context(), limitOf(args))
		a.execute(ctx, append(args, "--config", filepath.Join(dir, "drawbridge.yaml")))
		cancel()
		for _, w := range []*secret.Writer{a.stdout, a.stderr} {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all.String()
}

// limitOf is how long a command may take. Its steps have limits of their own; a
// test of connections has not, and would wait for half a minute where a service
// never answers.
func limitOf(args []string) time.Duration {
	if args[0] == "connections" && args[1] == "test" {
		return 5 * time.Second
	}
	return 2 * time.Minute
}

// files are the files below a folder, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[filepath.Base(path)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
