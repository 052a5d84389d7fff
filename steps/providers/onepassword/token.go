package onepassword

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const (
	// assumedLife holds where the service does not say how long a token lives.
	assumedLife = 15 * time.Minute
	// renewBefore is how long before its end a token is no longer used, so that
	// it does not end on the way.
	renewBefore = time.Minute
	// fetchTimeout bounds one fetch, which serves all who wait for it.
	fetchTimeout = 30 * time.Second
)

// tokens hands out access tokens. Whoever needs one while another fetches it
// waits for that one.
type tokens struct {
	client   *transport.Client
	secrets  secret.Resolver
	id, word secret.Reference
	url      string
	route    string
	now      func() time.Time

	group singleflight.Group
	mu    sync.Mutex
	value string
	until time.Time // not used from then on
}

func newTokens(o engine.Opening, client *transport.Client, base, api string) *tokens {
	path := "/v1/oauth/token"
	if api == "v1beta1" {
		path = "/v1beta1/users/oauth2/token"
	}
	t := &tokens{
		client: client, secrets: o.Secrets, url: base + path, route: "POST " + path, now: o.Now,
		id: reference(o.Settings, "client_id"), word: reference(o.Settings, "client_secret"),
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t
}

// credential is a transport.Request's: the current token, or a fresh one when
// the current is the one that was refused.
func (t *tokens) credential(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	current, until := t.value, t.until
	t.mu.Unlock()
	if current != "" && current != refused && t.now().Before(until) {
		return current, nil
	}
	fetched := t.group.DoChan("", func() (any, error) {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return t.fetch(detached)
	})
	select {
	case r := <-fetched:
		value, _ := r.Val.(string)
		return value, r.Err
	case <-ctx.Done():
		return "", ctx.Err() //nolint:wrapcheck // classified by the transport
	}
}

// fetch asks for a token. The secrets are resolved each time: they may have
// been rotated.
func (t *tokens) fetch(ctx context.Context) (string, error) {
	id, err := t.secrets.Resolve(ctx, t.id)
	if err != nil {
		return "", unresolved("client_id", err)
	}
	word, err := t.secrets.Resolve(ctx, t.word)
	if err != nil {
		return "", unresolved("client_secret", err)
	}
	config := clientcredentials.Config{
		ClientID: id.Reveal(), ClientSecret: word.Reveal(), TokenURL: t.url, AuthStyle: oauth2.AuthStyleInHeader,
	}
	got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http()))
	if err != nil {
		return "", tokenFailure(t.route, err)
	}
	life := assumedLife
	if !got.Expiry.IsZero() {
		life = time.Until(got.Expiry)
	}
	if learner, ok := t.secrets.(secret.Learner); ok {
		learner.Learn(secret.New(got.AccessToken))
	}
	value := "Bearer " + got.AccessToken
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, t.now().Add(life-min(renewBefore, life/4))
	return value, nil
}

func unresolved(name string, err error) error {
	return engine.Fail(engine.ClassAuth, CodeSecret, "resolving %s: %v", name, err)
}

// http is the transport as oauth2 takes it. Asking for a token changes
// nothing, though it is a POST.
func (t *tokens) http() *http.Client {
	return t.client.HTTP(transport.Request{
		Route: t.route, Effect: transport.Read, MaxBody: 64 << 10,
		Decode: func(r transport.Response) error {
			var token struct {
				AccessToken string `json:"access_token"`
			}
			if err := r.JSON(&token); err != nil {
				return err
			}
			if token.AccessToken == "" {
				return errors.New("there is no access_token in it")
			}
			return nil
		},
		Explain: func(r transport.Response) transport.Explanation {
			if r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
				return transport.Explanation{}
			}
			return transport.Explanation{
				Class: engine.ClassAuth, Code: "client_credentials",
				Message: "client_id and client_secret were not accepted",
			}
		},
	})
}

// tokenFailure takes our failure out of what oauth2 made of it. Anything else
// may quote the answer, which may hold the token, and is not repeated.
func tokenFailure(route string, err error) error {
	var f *engine.Failure
	if errors.As(err, &f) {
		return f
	}
	return engine.Fail(engine.ClassTransient, transport.CodeBrokenAnswer, "%s: the answer could not be used as a token", route)
}
