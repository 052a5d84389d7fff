package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Codes of this provider's failures, beside those of the transport.
const (
	CodeLastOwner         = "last_owner"         // the last owner cannot be suspended
	CodeExternallyManaged = "externally_managed" // another system manages the account or the group
	CodeMalformed         = "malformed"          // a resource lacks what it must have
	CodeRepeatedID        = "repeated_id"        // a listing named somebody twice
	CodeIncomplete        = "incomplete"         // a listing is not as long as the service says
	CodeChanged           = "changed"            // somebody changed the resource at the same time
	CodeFilter            = "invalid_filter"     // the service does not understand a filter
	CodeNoTarget          = "no_target"          // what was to be removed is not there
	CodeTooMany           = "too_many"           // more than the service lets be
	CodeCredentials       = "client_credentials" // client_id and client_secret were refused
	CodeSecret            = "secret"             // a secret could not be resolved
)

const (
	mediaType    = "application/scim+json"
	patchSchema  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	maxUserBody  = 1 << 20
	maxPageBody  = 64 << 20
	maxGroupBody = 64 << 20 // a group lists its members in one answer
)

// service implements identity.Directory, identity.EmailFinder, identity.Groups
// and engine.Tester.
type service struct {
	client *transport.Client
	// credential is a transport.Request's
	credential func(ctx context.Context, refused string) (string, error)
	base       string
	paging     string
	pageSize   int
	assumeNew  bool
	now        func() time.Time

	noFilter     atomic.Bool // the service has refused a filter
	listsMembers atomic.Bool // a group has shown members

	mu     sync.Mutex
	byPage string // how to page, once it is known
}

var (
	_ identity.Directory   = (*service)(nil)
	_ identity.EmailFinder = (*service)(nil)
	_ identity.Groups      = (*service)(nil)
	_ engine.Tester        = (*service)(nil)
)

// request is one call of the service.
type request struct {
	method, path, route string // the route has placeholders in place of ids
	query               url.Values
	body                any    // of a PATCH
	match               string // the version that is to be changed; "" for any
	limit               int64
	decode              func(transport.Response) error
}

func (s *service) do(ctx context.Context, r request) error {
	t := transport.Request{
		Method: r.method, URL: s.base + r.path, Route: r.method + " " + r.route, Header: http.Header{"Accept": {mediaType + ", application/json"}},
		Effect: transport.Read, MaxBody: r.limit, Credential: s.credential, Explain: explain, Decode: r.decode,
	}
	if r.query != nil {
		t.URL += "?" + r.query.Encode()
	}
	if r.body != nil {
		body, err := json.Marshal(r.body)
		if err != nil {
			return engine.Fail(engine.ClassInvalid, "body", "%s: the request could not be encoded", t.Route)
		}
		// twice is as good as once: an attribute gets a value, a member is in or out
		t.Body, t.Effect = body, transport.Repeatable
		t.Header.Set("Content-Type", mediaType)
		if r.match != "" {
			t.Header.Set("If-Match", r.match)
		}
	}
	_, err := s.client.Do(ctx, t)
	return err
}

// patch is the body of a PATCH with one operation.
type patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

func patchOf(op operation) patch {
	return patch{Schemas: []string{patchSchema}, Operations: []operation{op}}
}

// quoted is a value in a filter or a path: a JSON string.
func quoted(value string) string {
	b, err := json.Marshal(value)
	if err != nil {
		return `""`
	}
	return string(b)
}

// explain reads the service's error body, and knows the refusals that no
// retry and no grant will change.
func explain(r transport.Response) transport.Explanation {
	var body struct {
		Kind   string `json:"scimType"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(r.Body, &body) // without words the status has to do
	if r.Status >= 500 || r.Status == http.StatusTooManyRequests || r.Status == http.StatusUnauthorized {
		return transport.Explanation{Message: body.Detail}
	}
	said := byWords(body.Detail)
	if said.Code == "" {
		said = byKind(r.Status, body.Kind)
	}
	said.Message = body.Detail + said.Message
	return said
}

// byWords knows what services say that have no scimType for it.
func byWords(detail string) transport.Explanation {
	words := strings.ReplaceAll(strings.ToLower(detail), "_", " ")
	switch {
	case strings.Contains(words, "last owner"), strings.Contains(words, "no owner remain"):
		return transport.Explanation{
			Class: engine.ClassPermanent, Code: CodeLastOwner, Message: " (the last owner of an account cannot be suspended)",
		}
	case strings.Contains(words, "externally managed"):
		return transport.Explanation{
			Class: engine.ClassPermanent, Code: CodeExternallyManaged, Message: " (change it where it is managed)",
		}
	}
	return transport.Explanation{}
}

// byKind knows the scimType of an error (RFC 7644, 3.12).
func byKind(status int, kind string) transport.Explanation {
	if status == http.StatusPreconditionFailed || kind == "invalidVers" {
		return transport.Explanation{Class: engine.ClassPermanent, Code: CodeChanged} // the same request would not do any better
	}
	codes := map[string]string{
		"invalidFilter": CodeFilter, "noTarget": CodeNoTarget, "tooMany": CodeTooMany, "mutability": "mutability", "sensitive": "sensitive",
		"uniqueness": "uniqueness", "invalidSyntax": "invalid_syntax", "invalidPath": "invalid_path", "invalidValue": "invalid_value",
	}
	if code := codes[kind]; code != "" {
		return transport.Explanation{Class: engine.ClassPermanent, Code: code}
	}
	return transport.Explanation{}
}

// contended makes a change that was overtaken twice one that may be tried again.
func contended(err error) error {
	if !hasCode(err, CodeChanged) {
		return err
	}
	return engine.Fail(engine.ClassTransient, CodeChanged, "%s; it was changed at the same time by somebody else, twice", engine.AsFailure(err).Message)
}

// hasCode reports whether an error is a failure with the code.
func hasCode(err error, code string) bool {
	f := engine.AsFailure(err)
	return f != nil && f.Code == code
}

func malformed(format string, args ...any) error {
	return engine.Fail(engine.ClassPermanent, CodeMalformed, format, args...)
}
