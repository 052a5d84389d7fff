package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
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
	// sign adds its headers. Where they are there of a try that was refused, the
	// secret is read anew; renewed reports that it is another one now.
	sign   func(ctx context.Context, header http.Header, r signed) (renewed bool, err error)
	header string // the header that is set, which nobody else may set
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
		return s.authorization(func(ctx context.Context, refused string) (string, error) {
			return s.prefixed(ctx, "Bearer ", a.Secret, refused)
		}), nil
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
// for each request, and read anew where they are kept when the service did not
// accept the header they made.
func (s *Service) authorization(value func(ctx context.Context, refused string) (string, error)) authorizer {
	return authorizer{header: "Authorization", credential: value}
}

func (s *Service) prefixed(ctx context.Context, prefix string, ref secret.Reference, refused string) (string, error) {
	value, err := s.resolve(ctx, ref, strings.TrimPrefix(refused, prefix))
	return prefix + value, err
}

func (s *Service) basic(ctx context.Context, refused string) (string, error) {
	a := s.config.Auth
	pair, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(refused, "Basic ")) // what was made below
	refusedUser, refusedWord, _ := strings.Cut(string(pair), ":")
	user, err := s.resolve(ctx, a.User, refusedUser)
	if err != nil {
		return "", err
	}
	word, err := s.resolve(ctx, a.Secret, refusedWord)
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
		return s.authorization(func(ctx context.Context, refused string) (string, error) {
			return s.prefixed(ctx, a.Prefix, a.Secret, refused)
		}), nil
	}
	return authorizer{header: name, sign: func(ctx context.Context, header http.Header, _ signed) (bool, error) {
		refused := header.Get(name)
		value, err := s.prefixed(ctx, a.Prefix, a.Secret, refused)
		header.Set(name, value)
		return value != refused, err
	}}, nil
}

// resolve fetches a secret, anew where its value was refused; "" is none that
// was. What stands in a header must be one line.
func (s *Service) resolve(ctx context.Context, ref secret.Reference, refused string) (string, error) {
	if ref == "" {
		return "", nil
	}
	value, err := transport.Renewed(ctx, s.config.Secrets, "a credential", ref, refused)
	if err != nil {
		return "", err //nolint:wrapcheck // says it all
	}
	if !isValue(value.Reveal()) {
		return "", engine.Fail(engine.ClassAuth, CodeSecret, "the credential %s cannot stand in a header: it has control characters", ref)
	}
	return value.Reveal(), nil
}
