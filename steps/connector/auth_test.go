package connector_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/connector"
)

// TestEachWayToSignIn looks at what arrives at a service.
func TestEachWayToSignIn(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	mac := hmac.New(sha256.New, []byte("word-0123456789"))
	fmt.Fprintf(mac, "%d.GET./api/me.", now.Unix())
	for auth, want := range map[string]string{
		"bearer: { secret: word }":                                  "Authorization: Bearer word-0123456789",
		"basic: { user: user, secret: word }":                       "Authorization: Basic c29tZWJvZHktMDEyMzp3b3JkLTAxMjM0NTY3ODk=",
		`header: { name: X-Key, prefix: "K ", secret: word }`:       "X-Key: K word-0123456789",
		"oauth: { token_path: /token, client: user, secret: word }": "Authorization: Bearer token-of-the-service",
		`hmac: { secret: word, header: X-Sign, prefix: "s=", sign: [timestamp, method, path, body], separator: ".", timestamp: X-Time }`: "X-Sign: s=" + hex.EncodeToString(mac.Sum(nil)),
		"none: true": "Authorization: ",
	} {
		t.Run(auth, func(t *testing.T) {
			name, value, _ := strings.Cut(want, ": ")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case r.URL.Path == "/token":
					fmt.Fprint(w, `{"access_token": "token-of-the-service", "token_type": "Bearer", "expires_in": 900}`)
				case r.URL.Path != "/api/me" || r.Header.Get(name) != value:
					t.Errorf("%s came with %s: %q, want %q", r.URL.Path, name, r.Header.Get(name), value)
					w.WriteHeader(http.StatusUnauthorized)
				default:
					fmt.Fprint(w, `{"id": "me"}`)
				}
			}))
			defer server.Close()
			def, problems := definition.Parse("x.yaml", []byte("connector: x\nsummary: X.\nsettings:\n"+
				"  word: { type: secret, description: A word. }\n  user: { type: secret, description: A name. }\n"+
				"base_path: /api\nauth: { "+auth+" }\ntest: { request: GET /me, returns: { type: map, fields: { id: string } } }\nactions: {}\n"))
			if def == nil {
				t.Fatal(yamldoc.Render(problems))
			}
			conn, err := connector.OpenHasty(def, engine.Opening{
				Name: "x", Version: "test", Now: func() time.Time { return now },
				Secrets:  &vault{values: map[secret.Reference]string{"env://WORD": "word-0123456789", "env://USER": "somebody-0123"}},
				Settings: map[string]any{"base_url": server.URL, "word": secret.Reference("env://WORD"), "user": secret.Reference("env://USER")},
			})
			if err != nil {
				t.Fatal(err)
			}
			found, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil || len(found) != 1 || !found[0].Works {
				t.Errorf("it found %+v, %v", found, err)
			}
		})
	}
}
