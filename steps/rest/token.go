package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
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
	assumedLife  = 15 * time.Minute // where the service does not say how long a token lives
	renewBefore  = time.Minute      // a token that ends sooner is not used, so that it does not end on the way
	fetchTimeout = 30 * time.Second // one fetch, which serves all who wait for it
	maxTokenBody = 64 << 10
	routeOfToken = "POST token"
)

// tokens hands out access tokens. Whoever needs one while another fetches it
// waits for that one.
type tokens struct {
	service *Service
	url     string
	group   singleflight.Group
	mu      sync.Mutex
	value   string
	until   time.Time // not used from then on
}

func (s *Service) newTokens() (*tokens, error) {
	a := s.config.Auth
	raw := a.TokenURL
	if strings.HasPrefix(raw, "/") {
		raw = s.Origin() + raw
	}
	address, err := transport.BaseURL(raw)
	if err != nil || raw == "" || a.User == "" {
		return nil, engine.Fail(engine.ClassInvalid, "auth", "a token needs a client id and the https:// address, or the path, where tokens are given out")
	}
	return &tokens{service: s, url: address}, nil
}

// credential is a transport.Request's: the current token, or a fresh one when
// the current is the one that was refused.
func (t *tokens) credential(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	current, until := t.value, t.until
	t.mu.Unlock()
	if current != "" && current != refused && t.service.config.Now().Before(until) {
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
type pair struct{ id, word string }

// fetch asks for a token. Where id and secret are not accepted, both are read
// anew where they are kept, and where one was replaced there, it asks once more.
func (t *tokens) fetch(ctx context.Context) (string, error) {
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
func (t *tokens) resolve(ctx context.Context, refused pair) (with pair, err error) {
	a := t.service.config.Auth
	if with.id, err = t.service.resolve(ctx, a.User, refused.id); err != nil {
		return pair{}, err
	}
	with.word, err = t.service.resolve(ctx, a.Secret, refused.word)
	return with, err
}

func (t *tokens) ask(ctx context.Context, with pair) (*oauth2.Token, error) {
	a := t.service.config.Auth
	config := clientcredentials.Config{
		ClientID: with.id, ClientSecret: with.word, TokenURL: t.url, Scopes: a.Scopes, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if a.InBody {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http(with.word)))
	if err != nil {
		return nil, tokenFailure(err)
	}
	return got, nil
}

// keep makes a token the current one.
func (t *tokens) keep(got *oauth2.Token) string {
	life := assumedLife
	if !got.Expiry.IsZero() {
		life = time.Until(got.Expiry)
	}
	if learner, ok := t.service.config.Secrets.(secret.Learner); ok {
		learner.Learn(secret.New(got.AccessToken))
	}
	value := "Bearer " + got.AccessToken
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, t.service.config.Now().Add(life-min(renewBefore, life/4))
	return value
}

// http is the transport as oauth2 takes it. Asking for a token changes
// nothing, though it is a POST.
func (t *tokens) http(word string) *http.Client {
	return t.service.config.Client.HTTP(transport.Request{
		Route: routeOfToken, Effect: transport.Read, MaxBody: maxTokenBody,
		Decode: func(r transport.Response) error {
			var token struct {
				AccessToken string `json:"access_token"`
			}
			if err := r.JSON(&token); err != nil {
				return err //nolint:wrapcheck // says it all
			}
			if token.AccessToken == "" || !isValue(token.AccessToken) || token.AccessToken == word {
				return errors.New("there is no access_token in it that could be used")
			}
			return nil
		},
		Explain: func(r transport.Response) transport.Explanation {
			if r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
				return transport.Explanation{}
			}
			return transport.Explanation{Class: engine.ClassAuth, Code: "client_credentials", Message: "the client's id and secret were not accepted"}
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
	return engine.Fail(engine.ClassTransient, transport.CodeBrokenAnswer, "%s: the answer could not be used as a token", routeOfToken)
}

// sameOrigin reports whether two addresses are of one service.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host)
}
