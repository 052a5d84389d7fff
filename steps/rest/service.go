package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Codes of this package's failures, beside those of the transport.
const (
	CodePath       = "path"              // a path or an address that cannot be asked for
	CodeHeader     = "header"            // a header that must not be set
	CodeStatus     = "unexpected_status" // a success other than the expected one
	CodeMissing    = "missing"           // a pointer leads nowhere
	CodeType       = "type"              // a pointer leads to something of another type
	CodeElsewhere  = "next_elsewhere"    // a page names one at another place as the next
	CodeDuplicate  = "duplicate"         // a listing had an item twice
	CodePages      = "too_many_pages"    // a listing has more pages than it may have
	CodeIncomplete = "incomplete"        // a listing ended before its total
	CodeSecret     = "secret"            // a secret could not be resolved
)

// Config describes a service.
type Config struct {
	// Base is the service's address: https, or http where it is this machine,
	// without credentials, query or fragment. A path in it is where all paths
	// begin. "" for no service in particular: then every Request has a URL, and
	// Auth must be none, because credentials go only to the host in a Base.
	Base    string
	Auth    Auth
	Secrets secret.Resolver   // of Auth
	Client  *transport.Client // with the pace of the connection, and network.Guarded where addresses are restricted
	Header  http.Header       // sent with every request, such as Accept; a Request's takes its place
	Rate    Rate
	// Message leads to the service's own words in the JSON of a refusal, which
	// are shown, cleaned and shortened; the empty pointer shows none.
	Message Pointer
	// Explain, in place of Message, reads a refusal.
	Explain func(transport.Response) transport.Explanation
	Now     func() time.Time // time.Now by default
}

// Service is a described service. It may be used by several goroutines.
type Service struct {
	config Config
	base   *url.URL // nil without one
	auth   authorizer
}

// New checks a description; it reaches nothing. Errors are invalid failures.
func New(c Config) (*Service, error) {
	s := &Service{config: c}
	if s.config.Now == nil {
		s.config.Now = time.Now
	}
	if c.Base != "" {
		base, err := transport.BaseURL(c.Base)
		if err != nil {
			return nil, err //nolint:wrapcheck // says it all
		}
		if s.base, err = url.Parse(base); err != nil {
			return nil, engine.Fail(engine.ClassInvalid, "base_url", "the address is not a URL")
		}
	}
	if c.Auth.Kind != AuthNone && s.base == nil {
		return nil, engine.Fail(engine.ClassInvalid, "auth", "credentials are sent only to the host of a base URL, and there is none")
	}
	var err error
	if s.auth, err = s.authorizer(); err != nil {
		return nil, err
	}
	s.config.Header = http.Header{}
	if s.config.Header, err = s.header(Request{Header: c.Header, Answer: AnswerAny}); err != nil {
		return nil, err
	}
	return s, nil
}

// Origin is where the service is, "https://api.example.com"; "" without a base.
func (s *Service) Origin() string {
	if s.base == nil {
		return ""
	}
	return s.base.Scheme + "://" + s.base.Host
}

// Authorize fetches what requests are authorized with, such as a token, and so
// proves that it can be. Without credentials it does nothing.
func (s *Service) Authorize(ctx context.Context) error {
	if s.auth.credential == nil {
		if s.auth.sign == nil {
			return nil
		}
		_, err := s.auth.sign(ctx, http.Header{}, signed{method: http.MethodGet, url: s.base})
		return err
	}
	_, err := s.auth.credential(ctx, "")
	return err
}
