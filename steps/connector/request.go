package connector

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// maxPage bounds what one answer may have.
const maxPage = 16 << 20

// scope is the names that expressions begin with.
func (s *service) scope(inputs map[string]any) map[string]any {
	return map[string]any{"settings": s.settings, "inputs": inputs, "run": map[string]any{"time": s.now().UTC()}}
}

// do carries a call out; the answer is of its declared type, or nil where it is
// not read.
func (s *service) do(ctx context.Context, c *connector.Call, inputs map[string]any) (any, error) {
	r, err := s.request(c, inputs)
	if err != nil {
		return nil, err
	}
	answer, err := s.rest.Do(ctx, r)
	if err != nil || c.Returns.Kind == "" {
		return nil, err //nolint:wrapcheck // names the route
	}
	return conform(c, answer.Body, c.Returns)
}

// rows yields the rows of a listing, each of its declared type.
func (s *service) rows(ctx context.Context, c *connector.Call, inputs map[string]any) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		r, err := s.request(c, inputs)
		if err != nil {
			yield(nil, err)
			return
		}
		for row, err := range s.rest.List(ctx, r) {
			if err == nil {
				row, err = conform(c, row, c.Row)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// conform holds what came back against what the file says comes back. The
// error of another shape may hold values, so only the field is said.
func conform(c *connector.Call, v any, t engine.Type) (any, error) {
	out, err := engine.Conform(v, t)
	if err != nil {
		return nil, engine.Fail(engine.ClassPermanent, CodeAnswer, "%s (%s): the answer is not what the connector says: %v", c.Route, c.Name, err)
	}
	return out, nil
}

func (s *service) request(c *connector.Call, inputs map[string]any) (rest.Request, error) {
	scope := s.scope(inputs)
	r := rest.Request{Method: c.Method, Route: c.Route, Effect: effectOf(c), Answer: rest.AnswerIgnored, MaxBody: maxPage}
	if c.Returns.Kind != "" || c.Listing {
		r.Answer = rest.AnswerJSON
	}
	var err error
	if r.Path, err = s.path(slices.Concat(s.def.Prefix, c.Path), scope); err != nil {
		return r, err
	}
	if r.Query, err = s.values(c.Query, scope); err != nil {
		return r, err
	}
	if r.Header, err = s.headers(c.Headers, scope); err != nil {
		return r, err
	}
	if c.Listing {
		r.Pages = pagesOf(c)
	}
	r.Body, err = s.body(c, scope)
	return r, err
}

func effectOf(c *connector.Call) transport.Effect {
	switch {
	case c.Reads:
		return transport.Read
	case c.Repeatable:
		return transport.Repeatable
	default:
		return transport.Once
	}
}

// pagesOf is how a listing goes on; nil where it is one page.
func pagesOf(c *connector.Call) *rest.Paging {
	p := &rest.Paging{Items: pointer(c.Rows), Param: c.Paging.Parameter, First: c.Paging.First, Absent: c.Paging.Absent}
	switch c.Paging.By {
	case connector.PagingLink:
		p.Link = true
	case connector.PagingToken:
		p.Cursor = pointer(c.Paging.Next)
	case connector.PagingURL:
		p.NextURL = pointer(c.Paging.Next)
	case connector.PagingPage:
		p.Page = true
	case connector.PagingOffset:
		p.Offset = true
	case connector.PagingNone:
		p.Single = true
	}
	return p
}

// pointer is a place as package rest has it. Names in it need no escaping.
func pointer(p connector.Place) rest.Pointer {
	if len(p) == 0 {
		return ""
	}
	return rest.Pointer("/" + strings.Join(p, "/"))
}

func (s *service) body(c *connector.Call, scope map[string]any) (*rest.Body, error) {
	if !c.JSON.IsZero() {
		v, err := c.JSON.Eval(scope)
		if err != nil {
			return nil, err //nolint:wrapcheck // names the expression
		}
		return rest.JSONBody(v) //nolint:wrapcheck // says it all
	}
	if len(c.Form) == 0 {
		return nil, nil //nolint:nilnil // most requests have none
	}
	form, err := s.values(c.Form, scope)
	return rest.FormBody(form), err
}

// path puts a path together. What an expression gives is a part of one segment.
func (s *service) path(p connector.Path, scope map[string]any) (string, error) {
	var b strings.Builder
	for _, part := range p {
		if part.Expr == nil {
			b.WriteString(part.Literal)
			continue
		}
		v, err := part.Expr.Eval(scope)
		if err != nil {
			return "", err //nolint:wrapcheck // names the expression
		}
		id, err := segment(v)
		if err != nil {
			return "", err
		}
		b.WriteString(id)
	}
	return b.String(), nil
}

// segment is a value as it stands in a path. One that could be read as another
// path by anybody on the way is none.
func segment(v any) (string, error) {
	id := ""
	switch v := v.(type) {
	case string:
		id = v
	case int64:
		id = strconv.FormatInt(v, 10)
	}
	const longest = 512
	strange := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\?#%`, r) }
	if id == "" || id == "." || id == ".." || len(id) > longest || strings.ContainsFunc(id, strange) {
		return "", engine.Fail(engine.ClassInvalid, CodeID, "%q cannot be an id", id)
	}
	return strings.ReplaceAll(url.PathEscape(id), ":", "%3A"), nil
}

// values are parameters as a query or a form has them, without those that are null.
func (s *service) values(params []connector.Param, scope map[string]any) (url.Values, error) {
	out := url.Values{}
	for _, p := range params {
		v, err := p.Value.Eval(scope)
		if err != nil {
			return nil, err //nolint:wrapcheck // names the expression
		}
		if v == nil {
			continue
		}
		text, ok := textOf(v)
		if !ok {
			return nil, engine.Fail(engine.ClassInvalid, engine.CodeExpression, "the value of `%s` is not a single one", p.Name)
		}
		out.Set(p.Name, text)
	}
	return out, nil
}

func (s *service) headers(params []connector.Param, scope map[string]any) (http.Header, error) {
	values, err := s.values(params, scope)
	out := http.Header{}
	for name := range values {
		out.Set(name, values.Get(name))
	}
	return out, err
}

// textOf is a single value as text.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case time.Time:
		return v.UTC().Format(engine.TimeLayout), true
	case time.Duration:
		return engine.FormatDuration(v), true
	default:
		return "", false
	}
}
