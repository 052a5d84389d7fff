// Package httpapi is the provider of connections to web services that no other
// provider knows: an address, and how it is signed in to.
package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/web"
)

// Provider declares `provider: http`.
func Provider() engine.Provider {
	return engine.Provider{
		Name:         "http",
		Summary:      "Any web service, for http.request and http.send.",
		Doc:          doc,
		Setup:        setup,
		Settings:     slices.Concat(settings(), authorization(), limits()),
		Capabilities: []engine.Capability{web.CapabilityHTTP, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const doc = `Make a connection for each service, with a credential of its own that may do no more than your playbooks need.

The credential is sent to the host of ` + "`base_url`" + ` and nowhere else: no playbook, no answer and no redirect can name another. A connection without ` + "`base_url`" + ` has no credential, and reaches any public address that a playbook names.

Requests do not go to this machine, to private networks, to link-local addresses or to the metadata services of clouds, however they are written. ` + "`allow_private`" + ` opens single private ranges. The address is looked at when the connection is made, after the name was resolved, and again on every redirect; behind a proxy, which resolves names itself, the name is resolved here first.

` + "`connections test`" + ` resolves the credentials, fetches a token where that is how the service is signed in to, and asks for ` + "`test_path`" + ` where there is one.`

const setup = `1. At the service, make a credential for Drawbridge alone, which may do no more than your playbooks need. The service's own documentation says on which screen, and which kind it is.
2. Put its value where a reference leads to: an environment variable (` + "`env://TICKETS_TOKEN`" + `) or a file (` + "`file:///run/secrets/tickets`" + `).
3. In ` + "`drawbridge.yaml`" + `, write the connection: ` + "`base_url`" + ` is the address before the paths your playbooks ask for, and ` + "`auth`" + ` the kind of the credential, with the settings that go with it.
4. Name something that the credential may read in ` + "`test_path`" + `, and run ` + "`drawbridge connections test`" + `.`

func settings() []engine.Field {
	return []engine.Field{
		{Name: "base_url", Type: engine.TypeString(), Example: "https://api.example.com/v1",
			Doc: "The service's address, where every `path` begins. `https://`, or `http://` where it is this machine."},
		{Name: "headers", Type: engine.DictOf(engine.TypeString()), Example: "{ Accept: application/vnd.example+json }",
			Doc: "Headers that are sent with every request; none that is a credential."},
		{Name: "test_path", Type: engine.TypeString(), Example: "/me",
			Doc: "What `connections test` asks for with `GET`: something that the credential may read."},
		{Name: "message", Type: engine.TypeString(), Example: "/error/message",
			Doc: "The JSON Pointer to the service's own words in a refusal, which errors then show."},
	}
}

func authorization() []engine.Field {
	secretType := engine.Type{Kind: engine.KindSecret}
	return []engine.Field{
		{Name: "auth", Type: engine.EnumOf("none", "bearer", "basic", "header", "oauth", "hmac"), Default: "none",
			Doc: "How it is signed in to: with `token` as a bearer, with `username` and `password`, with `token` in a `header` of its own, " +
				"with a token that is fetched for `client_id` and `client_secret`, or by signing each request with `key`."},
		{Name: "token", Type: secretType, Example: "env://TICKETS_TOKEN", Doc: "The token of `bearer` or `header`."},
		{Name: "username", Type: secretType, Example: "env://TICKETS_USER", Doc: "The name of `basic`."},
		{Name: "password", Type: secretType, Example: "env://TICKETS_PASSWORD", Doc: "The password of `basic`."},
		{Name: "client_id", Type: secretType, Example: "env://TICKETS_CLIENT_ID", Doc: "The client's id of `oauth`."},
		{Name: "client_secret", Type: secretType, Example: "env://TICKETS_CLIENT_SECRET", Doc: "The client's secret of `oauth`."},
		{Name: "token_url", Type: engine.TypeString(), Example: "/oauth/token",
			Doc: "Where `oauth` fetches tokens: a path on the host of `base_url`, or a whole address. The client's id and secret are sent there."},
		{Name: "scopes", Type: engine.ListOf(engine.TypeString()), Example: "[tickets.read]", Doc: "What the token of `oauth` is asked for."},
		{Name: "client_auth", Type: engine.EnumOf("header", "body"), Default: "header",
			Doc: "Where `oauth` sends the client's id and secret: in a basic header, or in the body."},
		{Name: "key", Type: secretType, Example: "env://TICKETS_KEY", Doc: "The key of `hmac`."},
		{Name: "header", Type: engine.TypeString(), Example: "X-Api-Key",
			Doc: "The header of `header`; of `hmac` the one with the signature, `X-Signature` without it."},
		{Name: "prefix", Type: engine.TypeString(), Example: `"sha256="`, Doc: "What stands before the token or the signature in that header."},
		{Name: "signature_parts", Type: engine.ListOf(engine.TypeString()), Example: "[timestamp, body]",
			Doc: "What `hmac` signs, joined by `signature_separator`: `method`, `path` with the query, `timestamp` in Unix seconds, `body`; all four in this order without it."},
		{Name: "signature_separator", Type: engine.TypeString(), Example: `"."`, Doc: "What joins the parts; a newline without it."},
		{Name: "signature_hash", Type: engine.EnumOf("sha256", "sha512"), Default: "sha256", Doc: "The hash of `hmac`."},
		{Name: "signature_encoding", Type: engine.EnumOf("hex", "base64"), Default: "hex", Doc: "How the signature is written."},
		{Name: "timestamp_header", Type: engine.TypeString(), Default: "X-Timestamp", Doc: "The header with the signed time."},
	}
}

func limits() []engine.Field {
	return []engine.Field{
		{Name: "allow_private", Type: engine.ListOf(engine.TypeString()), Example: "[10.1.0.0/16]",
			Doc: "Private ranges that requests may go to. Link-local and metadata addresses never are."},
		{Name: "allow_unresolvable", Type: engine.TypeBool(), Default: false,
			Doc: "Names that only the proxy can resolve may be asked for: nobody looks then where they lead."},
		{Name: "rate_remaining", Type: engine.TypeString(), Example: "X-Rate-Limit-Remaining",
			Doc: "The header in which the service says how many calls are left: at 0 all runs wait until `rate_reset`."},
		{Name: "rate_reset", Type: engine.TypeString(), Example: "X-Rate-Limit-Reset",
			Doc: "The header that says until when: seconds from now, or Unix time."},
	}
}

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	failed := func(err error) (*engine.Connection, error) {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	guard, err := guardOf(o.Settings)
	if err != nil {
		return failed(err)
	}
	auth, err := authOf(o.Settings)
	if err != nil {
		return failed(err)
	}
	message, err := rest.ParsePointer(setting(o.Settings, "message", ""))
	if err != nil {
		return failed(err)
	}
	options = options.For(o)
	options.Transport = network.Guarded(options.Transport, guard)
	base := setting(o.Settings, "base_url", "")
	s := &service{testPath: setting(o.Settings, "test_path", ""), anonymous: auth.Kind == rest.AuthNone}
	s.Service, err = rest.New(rest.Config{
		Base: base, Auth: auth, Secrets: o.Secrets, Client: transport.New(options), Header: headers(o.Settings), Message: message, Now: o.Now,
		Rate: rest.Rate{Remaining: setting(o.Settings, "rate_remaining", ""), Reset: setting(o.Settings, "rate_reset", "")},
	})
	if err != nil {
		return failed(err)
	}
	return &engine.Connection{
		Name: o.Name, Provider: "http", Fingerprint: strings.Join([]string{"http", strings.TrimRight(base, "/"), string(auth.Kind), auth.TokenURL}, " "),
		Offers: map[engine.Capability]any{web.CapabilityHTTP: s, engine.CapabilityTest: s},
	}, nil
}

func guardOf(settings map[string]any) (*network.Guard, error) {
	g := &network.Guard{Unresolvable: setting(settings, "allow_unresolvable", false)}
	for _, text := range list(settings, "allow_private") {
		p, err := network.ParseRange(text)
		if err != nil {
			return nil, fmt.Errorf("allow_private: %w", err)
		}
		g.Allow = append(g.Allow, p)
	}
	return g, nil
}

// belongs are the settings of each kind of authentication: those it needs, and
// those it may have.
func belongs() map[string]struct{ needs, may []string } {
	return map[string]struct{ needs, may []string }{
		"none":   {},
		"bearer": {needs: []string{"token"}},
		"basic":  {needs: []string{"username", "password"}},
		"header": {needs: []string{"header", "token"}, may: []string{"prefix"}},
		"oauth":  {needs: []string{"client_id", "client_secret", "token_url"}, may: []string{"scopes"}},
		"hmac":   {needs: []string{"key"}, may: []string{"header", "prefix", "signature_parts", "signature_separator"}},
	}
}

func authOf(settings map[string]any) (rest.Auth, error) {
	kind := setting(settings, "auth", "none")
	own := belongs()[kind]
	for _, f := range authorization() {
		_, given := settings[f.Name]
		switch {
		case f.Name == "auth" || f.Default != nil:
		case !given && slices.Contains(own.needs, f.Name):
			return rest.Auth{}, engine.Fail(engine.ClassInvalid, "auth", "`auth: %s` needs `%s`: %s", kind, f.Name, f.Doc)
		case given && !slices.Contains(own.needs, f.Name) && !slices.Contains(own.may, f.Name):
			return rest.Auth{}, engine.Fail(engine.ClassInvalid, "auth", "`%s` does not go with `auth: %s`", f.Name, kind)
		}
	}
	a := rest.Auth{
		Kind: rest.AuthKind(kind), Header: setting(settings, "header", ""), Prefix: setting(settings, "prefix", ""),
		TokenURL: setting(settings, "token_url", ""), Scopes: list(settings, "scopes"), InBody: setting(settings, "client_auth", "header") == "body",
		Signature: rest.Signature{
			Hash: setting(settings, "signature_hash", "sha256"), Encoding: setting(settings, "signature_encoding", "hex"),
			Parts: list(settings, "signature_parts"), Separator: setting(settings, "signature_separator", ""),
			Timestamp: setting(settings, "timestamp_header", ""),
		},
	}
	if kind == "none" {
		a.Kind = rest.AuthNone
	}
	for _, name := range []string{"token", "password", "client_secret", "key"} {
		if ref := setting(settings, name, secret.Reference("")); ref != "" {
			a.Secret = ref
		}
	}
	for _, name := range []string{"username", "client_id"} {
		if ref := setting(settings, name, secret.Reference("")); ref != "" {
			a.User = ref
		}
	}
	return a, nil
}

func headers(settings map[string]any) http.Header {
	out := http.Header{}
	for name, v := range setting(settings, "headers", map[string]any{}) {
		text, _ := v.(string)
		out.Set(name, text)
	}
	return out
}

// setting is a setting's value, or what holds without it.
func setting[T any](settings map[string]any, name string, absent T) T {
	if v, ok := settings[name].(T); ok {
		return v
	}
	return absent
}

func list(settings map[string]any, name string) []string {
	var out []string
	for _, v := range setting(settings, name, []any{}) {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// service is a described service that can be tested.
type service struct {
	*rest.Service

	testPath  string
	anonymous bool // no credential goes with its requests
}

var (
	_ web.HTTP      = (*service)(nil)
	_ engine.Tester = (*service)(nil)
)

// Test signs in, and asks for the path that is there for it.
func (s *service) Test(ctx context.Context) ([]engine.Finding, error) {
	if err := s.Authorize(ctx); err != nil {
		return []engine.Finding{{Subject: "sign in", Detail: engine.AsFailure(err).Message}}, ctx.Err()
	}
	findings := []engine.Finding{{Works: true, Subject: "sign in", Detail: "the credentials are there; whether they are accepted shows only a request"}}
	if s.anonymous {
		findings[0].Detail = "no credential is configured, and none is sent"
	}
	if s.testPath == "" {
		ask := "nothing was asked for: name something that may be read in `test_path`"
		if s.Origin() == "" {
			ask = "nothing was asked for: without `base_url`, playbooks name each address with `url`"
		}
		return append(findings, engine.Finding{Works: true, Subject: "ask", Detail: ask}), nil
	}
	_, err := s.Do(ctx, rest.Request{Path: s.testPath, Effect: transport.Read, Answer: rest.AnswerIgnored})
	if err == nil {
		return append(findings, engine.Finding{Works: true, Subject: "GET " + s.testPath, Detail: "it was answered"}), nil
	}
	f := engine.AsFailure(err)
	detail := f.Message
	switch {
	case f.Code == transport.CodeUnauthorized:
		detail += ". Is `auth` the way this service is signed in to, and is the credential still good?"
	case f.Class == engine.ClassAuth:
		detail += ". The credential was accepted, and may not read this: grant it what your playbooks need"
	case f.Class == engine.ClassNotFound:
		detail += ". Are `base_url` and `test_path` right?"
	}
	return append(findings, engine.Finding{Subject: "GET " + s.testPath, Detail: detail}), ctx.Err()
}
