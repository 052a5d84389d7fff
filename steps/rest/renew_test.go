package rest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
)

// rotated keeps what it has read once, until somebody says that it was refused.
type rotated struct{ renewals *int }

const old = "what-it-was-before"

func (rotated) Resolve(context.Context, secret.Reference) (secret.Value, error) {
	return secret.New(old), nil
}

func (r rotated) Renew(_ context.Context, _ secret.Reference, refused secret.Value) (secret.Value, error) {
	*r.renewals++
	if refused.Reveal() != old {
		return refused, nil
	}
	return secret.New(word), nil
}

// TestACredentialThatWasReplacedIsReadAnew is about every way to sign in: the
// service takes the new credential only.
func TestACredentialThatWasReplacedIsReadAnew(t *testing.T) {
	t.Parallel()
	const ref = secret.Reference("op://vault/item/field")
	for name, auth := range map[string]rest.Auth{
		"bearer":              {Kind: rest.AuthBearer, Secret: ref},
		"basic":               {Kind: rest.AuthBasic, User: ref, Secret: ref},
		"a header":            {Kind: rest.AuthHeader, Header: "X-Api-Key", Secret: ref, Prefix: "key "},
		"Authorization":       {Kind: rest.AuthHeader, Header: "Authorization", Secret: ref, Prefix: "SSWS "},
		"client credentials":  {Kind: rest.AuthOAuth, User: ref, Secret: ref, TokenURL: "/token"},
		"the same, in a body": {Kind: rest.AuthOAuth, User: ref, Secret: ref, TokenURL: "/token", InBody: true},
		"a signature":         {Kind: rest.AuthHMAC, Secret: ref, Header: "X-Signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			renewals, calls := 0, 0
			signatures := map[string]bool{}
			service := serve(t, rest.Config{Auth: auth, Secrets: rotated{&renewals}}, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				user, pass, _ := r.BasicAuth()
				said := strings.Join([]string{r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), user, pass, string(body)}, " ")
				signatures[r.Header.Get("X-Signature")] = true
				calls++
				w.Header().Set("Content-Type", "application/json")
				stale := strings.Contains(said, old) || auth.Kind == rest.AuthHMAC && len(signatures) == 1
				switch {
				case stale:
					w.WriteHeader(http.StatusUnauthorized)
				case r.URL.Path == "/token":
					_, _ = io.WriteString(w, `{"access_token": "a-token-of-the-service", "token_type": "Bearer", "expires_in": 900}`)
				default:
					_, _ = io.WriteString(w, `{"ok": true}`)
				}
			})
			if _, err := service.Do(t.Context(), rest.Request{Path: "/x"}); err != nil || renewals == 0 {
				t.Errorf("%v, after %d calls and %d renewals", err, calls, renewals)
			}
		})
	}
}

// TestACredentialThatIsStillTheSameIsNotTriedAgain keeps a service from being
// asked twice for each refusal.
func TestACredentialThatIsStillTheSameIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	const ref = secret.Reference("env://A")
	for name, auth := range map[string]rest.Auth{
		"a header":    {Kind: rest.AuthHeader, Header: "X-Api-Key", Secret: ref},
		"a signature": {Kind: rest.AuthHMAC, Secret: ref},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			service := serve(t, rest.Config{Auth: auth}, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.WriteHeader(http.StatusUnauthorized)
			})
			if _, err := service.Do(t.Context(), rest.Request{Path: "/x"}); engine.AsFailure(err).Class != engine.ClassAuth || calls != 1 {
				t.Errorf("%v, after %d calls", err, calls)
			}
		})
	}
}
