package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// AuthKind is how a service is signed in to.
type AuthKind string

// The kinds of authentication.
const (
	AuthNone   AuthKind = ""
	AuthBearer AuthKind = "bearer" // Authorization: Bearer <Secret>
	AuthBasic  AuthKind = "basic"  // Authorization: Basic <User>:<Secret>, RFC 7617
	AuthHeader AuthKind = "header" // <Header>: <Prefix><Secret>
	AuthOAuth  AuthKind = "oauth"  // a token for client credentials, RFC 6749 section 4.4
	AuthHMAC   AuthKind = "hmac"   // each request is signed with Secret
)

// Auth says how requests are authorized. Members that a kind does not name are
// not looked at. References are resolved late, and again after a 401.
type Auth struct {
	Kind   AuthKind
	Secret secret.Reference // the token, the password, the header's value, the client secret, the key
	User   secret.Reference // of basic: the user; of oauth: the client id
	Header string           // of header, "X-Api-Key"; of hmac, where the signature goes, "X-Signature" without one
	Prefix string           // of header, "SSWS "; of hmac, before the signature, "sha256="

	// TokenURL is where oauth gets tokens: whole, or a path below the base's
	// origin. Client id and secret go there; it is of the configuration, too.
	TokenURL string
	Scopes   []string // of oauth
	InBody   bool     // of oauth: id and secret stand in the body, not in a basic header

	Signature Signature // of hmac
}

// authorizer is what Auth comes to. At most one of its members is set.
type authorizer struct {
	credential func(ctx context.Context, refused string) (string, error) // a transport.Request's
	sign       func(ctx context.Context, header http.Header, r signed) error
	header     string // the header that is set, which nobody else may set
}

// signed is the request as signatures see it.
type signed struct {
	method string
	url    *url.URL
	body   []byte
}

func (s *Service) authorizer() (authorizer, error) {
	a := s.config.Auth
	if a.Kind != AuthNone && a.Secret == "" {
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "the credential of %q is not given", a.Kind)
	}
	switch a.Kind {
	case AuthNone:
		return authorizer{}, nil
	case AuthBearer:
		return s.authorization(func(ctx context.Context) (string, error) { return s.prefixed(ctx, "Bearer ", a.Secret) }), nil
	case AuthBasic:
		return s.authorization(s.basic), nil
	case AuthHeader:
		return s.inHeader()
	case AuthOAuth:
		t, err := s.newTokens()
		if err != nil {
			return authorizer{}, err
		}
		return authorizer{credential: t.credential, header: "Authorization"}, nil
	case AuthHMAC:
		return s.signature()
	default:
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "there is no authentication %q", a.Kind)
	}
}

// authorization is an Authorization header made of secrets, which are resolved
// for each request, and once more when the service did not accept them.
func (s *Service) authorization(value func(context.Context) (string, error)) authorizer {
	return authorizer{header: "Authorization", credential: func(ctx context.Context, _ string) (string, error) { return value(ctx) }}
}

func (s *Service) prefixed(ctx context.Context, prefix string, ref secret.Reference) (string, error) {
	value, err := s.resolve(ctx, ref)
	return prefix + value, err
}

func (s *Service) basic(ctx context.Context) (string, error) {
	a := s.config.Auth
	user, err := s.resolve(ctx, a.User)
	if err != nil {
		return "", err
	}
	word, err := s.resolve(ctx, a.Secret)
	if err != nil {
		return "", err
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+word)), nil
}

func (s *Service) inHeader() (authorizer, error) {
	a := s.config.Auth
	name := http.CanonicalHeaderKey(a.Header)
	if !isToken(name) || isReserved(name) {
		return authorizer{}, engine.Fail(engine.ClassInvalid, "auth", "%q cannot be the header that authorizes requests", a.Header)
	}
	if name == "Authorization" {
		return s.authorization(func(ctx context.Context) (string, error) { return s.prefixed(ctx, a.Prefix, a.Secret) }), nil
	}
	return authorizer{header: name, sign: func(ctx context.Context, header http.Header, _ signed) error {
		value, err := s.prefixed(ctx, a.Prefix, a.Secret)
		header.Set(name, value)
		return err
	}}, nil
}

// resolve fetches a secret. What stands in a header must be one line.
func (s *Service) resolve(ctx context.Context, ref secret.Reference) (string, error) {
	if ref == "" {
		return "", nil
	}
	value, err := s.config.Secrets.Resolve(ctx, ref)
	if err != nil {
		return "", engine.Fail(engine.ClassAuth, CodeSecret, "resolving a credential: %v", err)
	}
	if !isValue(value.Reveal()) {
		return "", engine.Fail(engine.ClassAuth, CodeSecret, "the credential %s cannot stand in a header: it has control characters", ref)
	}
	return value.Reveal(), nil
}
