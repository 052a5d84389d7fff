package connector

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// purpose is what a call is for, and so what it must and must not have.
type purpose uint8

const (
	reads   purpose = iota // one answer
	lists                  // rows, over all pages
	changes                // its answer, if any, is not needed
	either                 // an observation: one answer or rows
)

// call compiles the request that stands under a key.
func (r *reader) call(at value, name string, why purpose, inputs ...engine.Field) Call {
	return r.request(r.keys(at.node, "call"), at.key, name, why, inputs)
}

// request compiles a request from its keys.
func (r *reader) request(g given, at *yamldoc.Node, name string, why purpose, inputs []engine.Field) Call {
	c := Call{Name: name, Reads: why != changes}
	scope := r.inputScope(inputs)
	r.line(g, &c, why, scope)
	c.Query = r.templates(g["query"], scope, true)
	c.Headers = r.headers(g["headers"], scope)
	r.body(g, &c, scope)
	r.answer(g, &c, at, why, inputs)
	return c
}

func (r *reader) inputScope(inputs []engine.Field, more ...engine.Field) *expression.Scope {
	if len(inputs) > 0 {
		more = append(more, engine.Field{Name: "inputs", Type: engine.MapOf(inputs...)})
	}
	return r.scope(more...)
}

func methods() []string { return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} }

// line reads "METHOD /path".
func (r *reader) line(g given, c *Call, why purpose, scope *expression.Scope) {
	n := g["request"].node
	if n == nil || n.Kind() == yamldoc.Null {
		return
	}
	if n.Kind() != yamldoc.Scalar {
		r.add(n.Errorf("type", "`request` must be a method and a path, not %s", n.Describe()).WithHint("write GET /users"))
		return
	}
	method, rest, found := strings.Cut(n.Text(), " ")
	if !found || !slices.Contains(methods(), method) {
		r.add(n.Errorf("request", "a request is a method and a path: GET /users").
			WithSuggestion(engine.Nearest(strings.ToUpper(method), methods())).WithHint("the methods are %s", list(methods())))
		return
	}
	c.Method = method
	if why != changes && !slices.Contains([]string{"GET", "HEAD", "POST"}, method) {
		r.add(n.ErrorAt(0, len(method), "method", "what reads must not be a %s: it changes something", method).
			WithHint("an action with `effect: change` may"))
	}
	offset := len(n.Text()) - len(rest)
	c.Path = r.path(n, offset, scope)
	c.Route = method + " " + r.prefix + routeOf(rest)
}

// path compiles the path in a node's text from an offset on.
func (r *reader) path(n *yamldoc.Node, offset int, scope *expression.Scope) Path {
	segments := r.scan(n)
	if segments == nil {
		return nil
	}
	var own []expression.Segment
	for _, s := range segments {
		if cut := offset - s.Offset; cut > 0 && !s.IsExpr {
			s.Literal, s.Offset = s.Literal[min(cut, len(s.Literal)):], offset
		}
		if s.IsExpr || s.Literal != "" {
			own = append(own, s)
		}
	}
	if !r.plainPath(n, offset, own) {
		return nil
	}
	parts := r.parts(n, own, scope)
	for i, p := range parts {
		if p.Expr != nil && !isSegment(p.Expr.Type()) {
			r.add(n.ErrorAt(own[i].Offset, len(own[i].Source), "type", "in a path stands a string or an integer, not %s", yamldoc.Article(p.Expr.Type())))
		}
	}
	return parts
}

// routeOf is a path for messages: what an expression stands for is named, not
// shown.
func routeOf(text string) string {
	segments, _ := expression.Scan(text)
	var b strings.Builder
	for _, s := range segments {
		if !s.IsExpr {
			b.WriteString(s.Literal)
			continue
		}
		name := s.Source[strings.LastIndexByte(s.Source, '.')+1:]
		if !fieldPattern().MatchString(name) {
			name = "…"
		}
		b.WriteString("{" + name + "}")
	}
	return b.String()
}

func isSegment(t engine.Type) bool {
	return t.Kind == engine.KindString || t.Kind == engine.KindInteger || t.Kind == engine.KindAny || t.Kind == ""
}

// plainPath reports what a path must not have: another host, a way out of the
// prefix, a query. Expressions are taken for one harmless character; what they
// give is escaped when the request is made.
func (r *reader) plainPath(n *yamldoc.Node, offset int, segments []expression.Segment) bool {
	var b strings.Builder
	for _, s := range segments {
		if s.IsExpr {
			b.WriteByte('x')
		} else {
			b.WriteString(s.Literal)
		}
	}
	why, hint := wrongPath(b.String())
	if why == "" {
		return true
	}
	r.add(n.ErrorAt(offset, len(n.Text())-offset, "path", "%s", why).WithHint("%s", hint))
	return false
}

// wrongPath says why a path cannot be one of a request, and what to do instead.
func wrongPath(p string) (why, hint string) {
	decoded, err := url.PathUnescape(p)
	const host = "the host is the connection's `base_url`, in the configuration; a connector file cannot name one"
	switch {
	case strings.Contains(p, "://") || strings.HasPrefix(p, "//") || strings.HasPrefix(decoded, "//"):
		return "a path cannot name a host", host
	case !strings.HasPrefix(p, "/"):
		return "a path begins with /", host
	case err != nil || strings.ContainsAny(p, "\\ \t\r\n"):
		return "this cannot be a path", "escape what does not belong in one: %20 for a space"
	case strings.ContainsAny(p, "?#"):
		return "a path has no query and no fragment", "query parameters stand under `query`"
	case slices.ContainsFunc(strings.Split(decoded, "/"), func(s string) bool { return s == "." || s == ".." }), strings.Contains(decoded, "//"):
		return "a path has no empty segments, . or ..", "write the whole path, from / on"
	}
	return "", ""
}

func headerPattern() *regexp.Regexp { return regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") }

// headers compiles headers. Those that decide where a request goes, and with
// which credentials, are not for a file to set.
func (r *reader) headers(v value, scope *expression.Scope) []Param {
	for _, e := range r.entries(v) {
		if r.header(e.Key) && slices.Contains([]string{"authorization", "proxy-authorization", "host", "cookie", "content-length", "transfer-encoding", "connection"}, strings.ToLower(e.Name())) {
			r.add(e.Key.Errorf("header", "the header %s cannot be set here", e.Name()).WithHint("credentials stand under `auth`, the host in the configuration"))
		}
	}
	return r.templates(v, scope, true)
}

// header reports a name that cannot be one of a header.
func (r *reader) header(n *yamldoc.Node) bool {
	if headerPattern().MatchString(n.Text()) {
		return true
	}
	r.add(n.Errorf("header", "%q cannot be the name of a header", n.Text()))
	return false
}

func (r *reader) body(g given, c *Call, scope *expression.Scope) {
	if g.has("json") && g.has("form") {
		r.add(g["form"].key.Errorf("one-of", "a request has one body: `json` or `form`"))
		return
	}
	if (g.has("json") || g.has("form")) && (c.Method == http.MethodGet || c.Method == http.MethodHead) {
		name := "json"
		if g.has("form") {
			name = "form"
		}
		r.add(g[name].key.Errorf("misplaced-key", "a %s has no body", c.Method).WithHint("query parameters stand under `query`"))
	}
	if v, ok := g["json"]; ok && v.node.Kind() != yamldoc.Null {
		c.JSON, _ = r.template(v.node, "json", engine.Maybe(engine.TypeAny()), scope)
	}
	c.Form = r.templates(g["form"], scope, true)
}

// answer compiles what comes back: its type, and the rows of a listing.
func (r *reader) answer(g given, c *Call, at *yamldoc.Node, why purpose, inputs []engine.Field) {
	if v, ok := g["returns"]; ok && v.node.Kind() != yamldoc.Null {
		t, problems := playbooks.DeclaredType(v.entry())
		r.add(problems...)
		c.Returns = t
	}
	listing := g.has("each") || why == lists
	switch {
	case why == changes && g.has("each"):
		r.add(g["each"].key.Errorf("misplaced-key", "a change is no listing: it has no `each`"))
		return
	case why == reads && g.has("each"):
		r.add(g["each"].key.Errorf("misplaced-key", "this reads one thing and not a list: it has no `each`"))
		return
	case why != changes && why != either && !g.has("returns") && at != nil:
		r.add(at.Errorf("missing-key", "a request that reads needs `returns`: what the answer is").
			WithHint("returns: any leaves it open; what is not there is then found only when it is used"))
		return
	case !listing:
		return
	}
	r.listing(g, c, inputs)
}

// listing compiles where the rows of a page are and what names the next one.
func (r *reader) listing(g given, c *Call, inputs []engine.Field) {
	c.Listing, c.Row = true, engine.TypeAny()
	scope := r.inputScope(inputs, engine.Field{Name: "response", Type: orAny(c.Returns)})
	rows := c.Returns
	switch {
	case g.has("each"):
		c.Rows, rows = r.place(g["each"].entry(), scope, engine.ListOf(engine.TypeAny()))
	case c.Returns.Kind != engine.KindList && c.Returns.Kind != engine.KindAny && c.Returns.Kind != "":
		r.add(g["returns"].key.Errorf("missing-key", "a listing whose answer is no list needs `each`: where the rows are in it").
			WithHint("each: response.users"))
	}
	if rows.Elem != nil {
		c.Row = *rows.Elem
	}
	c.Paging = r.pagingOf(scope)
}

func orAny(t engine.Type) engine.Type {
	if t.Kind == "" {
		return engine.TypeAny()
	}
	return t
}

// place compiles an expression that names a field of the answer, and no more.
func (r *reader) place(e yamldoc.Entry, scope *expression.Scope, want engine.Type) (Place, engine.Type) {
	compiled := r.bare(e, scope, want)
	if compiled == nil {
		return nil, engine.Type{}
	}
	source := strings.TrimSpace(e.Value.Text())
	if !placePattern().MatchString(source) {
		r.add(e.Value.Errorf("place", "`%s` must name a field of the answer and nothing else", e.Name()).WithHint("response, response.users or response.meta.next"))
		return nil, engine.Type{}
	}
	return strings.FieldsFunc(strings.ReplaceAll(strings.TrimPrefix(source, "response"), "?", ""), func(c rune) bool { return c == '.' }), compiled.Type()
}

func placePattern() *regexp.Regexp {
	return regexp.MustCompile(`^response(\??\.[A-Za-z_][A-Za-z0-9_]*)*$`)
}

// pagingOf compiles the file's paging for one listing: what names the next page
// depends on what the answer is.
func (r *reader) pagingOf(scope *expression.Scope) Paging {
	p := Paging{By: PagingBy(r.paging.text("by")), Parameter: r.paging.text("parameter"), First: as[int64](r.paging, "first")}
	if v, ok := r.paging["next"]; ok && (p.By == PagingToken || p.By == PagingURL) {
		var t engine.Type
		p.Next, t = r.place(v.entry(), scope, engine.Maybe(engine.TypeString()))
		p.Absent = t.Optional
	}
	return p
}
