package rest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Request is what is asked of a service.
type Request struct {
	Method string // GET without one
	Path   string // below the base, escaped as it stands in a URL: Path makes one of a template
	URL    string // in place of Path: whole; with a base, of its origin
	Route  string // what errors show: "GET /users/{id}"; method and path without one
	Query  url.Values
	Header http.Header
	Body   *Body            // nil for none
	Effect transport.Effect // what it does, by its meaning; Once, for the zero value, is repeated never
	// Expect is the statuses that are a success, 200 to 499; any from 200 to 299
	// without one. Of another from 200 to 299 nobody knows what was done.
	Expect  []int
	Answer  AnswerKind
	MaxBody int64   // bytes of an answer; transport.DefaultMaxBody for 0
	Pages   *Paging // of List: how the listing goes on; nil for one page
}

// Body is a request's body.
type Body struct {
	Type string // Content-Type
	Data []byte
}

// JSONBody is a value as JSON, in the engine's form. Errors are invalid failures.
func JSONBody(v any) (*Body, error) {
	data, err := engine.EncodeJSON(v)
	if err != nil {
		return nil, engine.Fail(engine.ClassInvalid, "body", "the body has no JSON form: %v", err)
	}
	return &Body{Type: "application/json", Data: data}, nil
}

// FormBody is fields as an HTML form sends them.
func FormBody(fields url.Values) *Body {
	return &Body{Type: "application/x-www-form-urlencoded", Data: []byte(fields.Encode())}
}

// TextBody is a text; kind is its Content-Type, plain text without one.
func TextBody(text, kind string) *Body {
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	return &Body{Type: kind, Data: []byte(text)}
}

// Path fills a template's {names} with values, each escaped as one segment or
// part of one, so that no value can become another path. A value that is not
// given or empty is an invalid failure. The template is the route for errors.
func Path(template string, values map[string]string) (string, error) {
	var b strings.Builder
	for rest := template; ; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			path := b.String()
			return path, checkPath(path)
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return "", engine.Fail(engine.ClassInvalid, CodePath, "in the path %q a { is not closed", template)
		}
		value := values[name]
		if value == "" || value == "." || value == ".." {
			return "", engine.Fail(engine.ClassInvalid, CodePath, "%q cannot stand for {%s} in the path %s", value, name, template)
		}
		b.WriteString(url.PathEscape(value))
		rest = next
	}
}

// checkPath refuses what would lead out of the base, or is no path.
func checkPath(path string) error {
	bad := func(why string) error {
		return engine.Fail(engine.ClassInvalid, CodePath, "the path %q %s", path, why)
	}
	if strings.ContainsAny(path, "?#") {
		return bad("must not hold ? or #: a query has its own place")
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return bad("must not hold spaces, controls or backslashes")
	}
	for _, segment := range strings.Split(path, "/") {
		plain, err := url.PathUnescape(segment)
		switch {
		case err != nil:
			return bad("holds a % that begins no escape: write %25")
		case plain == "." || plain == "..":
			return bad("must not hold . or .. as a segment")
		case strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return bad("must not hold controls")
		}
	}
	return nil
}

// address is where a request goes.
func (s *Service) address(r Request) (*url.URL, error) {
	if r.URL != "" {
		return s.whole(r)
	}
	if s.base == nil {
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the connection has no base URL, so that a path leads nowhere: give the whole `url`")
	}
	if err := checkPath(r.Path); err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(r.Path, "/")
	u, err := url.Parse(s.base.String() + "/" + path)
	if err != nil || !sameOrigin(u, s.base) {
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "%q is not a path", r.Path)
	}
	if path == "" {
		u = s.base.JoinPath("")
	}
	u.RawQuery = r.Query.Encode()
	return u, nil
}

// whole is the address of a request that gives it all.
func (s *Service) whole(r Request) (*url.URL, error) {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the address is not a URL such as https://api.example.com/v1/users")
	case u.User != nil || u.Fragment != "":
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the address must not hold a user name, a password or a fragment")
	case s.base != nil && !sameOrigin(u, s.base):
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the address is not at %s: the connection's credentials go nowhere else", s.Origin())
	case u.RawQuery != "" && len(r.Query) > 0:
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the address has a query already")
	}
	origin := url.URL{Scheme: u.Scheme, Host: u.Host}
	if _, err := transport.BaseURL(origin.String()); err != nil {
		return nil, engine.Fail(engine.ClassInvalid, CodePath, "the address must begin with https://: anything else can be read and changed on the way")
	}
	if len(r.Query) > 0 {
		u.RawQuery = r.Query.Encode()
	}
	return u, nil
}

// header is what is sent with a request.
func (s *Service) header(r Request) (http.Header, error) {
	out := http.Header{}
	if r.Answer == AnswerJSON {
		out.Set("Accept", "application/json")
	}
	maps.Copy(out, s.config.Header)
	for name, values := range r.Header {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name) || isReserved(canonical):
			return nil, engine.Fail(engine.ClassInvalid, CodeHeader, "the header %q cannot be set", name)
		case canonical == s.auth.header || canonical == "Authorization":
			return nil, engine.Fail(engine.ClassInvalid, CodeHeader, "the header %s is the connection's credential: it cannot be set", canonical)
		case slices.ContainsFunc(values, func(v string) bool { return !isValue(v) }):
			return nil, engine.Fail(engine.ClassInvalid, CodeHeader, "the value of the header %s has control characters", canonical)
		}
		out[canonical] = values
	}
	if r.Body != nil && out.Get("Content-Type") == "" {
		out.Set("Content-Type", r.Body.Type)
	}
	return out, nil
}

func isToken(name string) bool { return httpguts.ValidHeaderFieldName(name) }

func isValue(value string) bool { return httpguts.ValidHeaderFieldValue(value) }

// isReserved reports headers that frame the message, name its host or speak to
// proxies: setting them would change where it goes or how it ends.
func isReserved(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Expect", "Accept-Encoding", "User-Agent", "Cookie":
		return true
	default:
		return strings.HasPrefix(http.CanonicalHeaderKey(name), "Proxy-")
	}
}
