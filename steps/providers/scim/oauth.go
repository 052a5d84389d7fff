package scim

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
	// renewBefore is how long before its end a token is no longer used.
	renewBefore = time.Minute
	// fetchTimeout bounds one fetch, which serves all who wait for it.
	fetchTimeout = 30 * time.Second

	askRoute = "POST (OAuth)"
)

// clientTokens hands out access tokens for a client's own credentials (RFC
// 6749, 4.4). Whoever needs one while another fetches it waits for that one.
type clientTokens struct {
	client     *transport.Client
	secrets    secret.Resolver
	id, word   secret.Reference
	url, scope string
	now        func() time.Time

	group singleflight.Group
	mu    sync.Mutex
	value string
	until time.Time // not used from then on
}

// credential is a transport.Request's: the current token, or a fresh one when
// the current is the one that was refused.
func (t *clientTokens) credential(ctx context.Context, refused string) (string, error) {
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

// pair is what the client signs in with.
type pair struct{ id, word secret.Value }

// fetch asks for a token. Where id and secret are not accepted, both are read
// anew where they are kept, and where one was replaced there, it asks once more.
func (t *clientTokens) fetch(ctx context.Context) (string, error) {
	with, err := t.resolve(ctx, pair{})
	if err != nil {
		return "", err
	}
	got, err := t.ask(ctx, with)
	if refused := (*engine.Failure)(nil); errors.As(err, &refused) && refused.Class == engine.ClassAuth {
		renewed, failed := t.resolve(ctx, with)
		if failed != nil || renewed == with {
			return "", err
		}
		got, err = t.ask(ctx, renewed)
	}
	if err != nil {
		return "", err
	}
	return t.keep(got), nil
}

// resolve reads the client's id and secret, anew where a pair was refused.
func (t *clientTokens) resolve(ctx context.Context, refused pair) (with pair, err error) {
	if with.id, err = transport.Renewed(ctx, t.secrets, "client_id", t.id, refused.id.Reveal()); err != nil {
		return pair{}, err
	}
	with.word, err = transport.Renewed(ctx, t.secrets, "client_secret", t.word, refused.word.Reveal())
	return with, err
}

func (t *clientTokens) ask(ctx context.Context, with pair) (*oauth2.Token, error) {
	config := clientcredentials.Config{
		ClientID: with.id.Reveal(), ClientSecret: with.word.Reveal(), TokenURL: t.url, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if t.scope != "" {
		config.Scopes = []string{t.scope}
	}
	got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http()))
	if err != nil {
		return nil, tokenFailure(err)
	}
	return got, nil
}

// keep makes a token the current one.
func (t *clientTokens) keep(got *oauth2.Token) string {
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
	return value
}

// http is the transport as oauth2 takes it. Asking for a token changes
// nothing, though it is a POST.
func (t *clientTokens) http() *http.Client {
	return t.client.HTTP(transport.Request{
		Route: askRoute, Effect: transport.Read, MaxBody: 64 << 10,
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
				Class: engine.ClassAuth, Code: CodeCredentials, Message: "client_id and client_secret, or the scope, were not accepted",
			}
		},
	})
}

// tokenFailure takes our failure out of what oauth2 made of it. Anything else
// may quote the answer, which may hold the token, and is not repeated.
func tokenFailure(err error) error {
	var f *engine.Failure
	if errors.As(err, &f) {
		return f
	}
	return engine.Fail(engine.ClassTransient, transport.CodeBrokenAnswer, "%s: the answer could not be used as a token", askRoute)
}
