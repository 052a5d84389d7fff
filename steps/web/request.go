package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Request is the action http.request.
type Request struct{}

// Spec declares http.request.
func (Request) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "http.request",
		Summary: "Read something from a web service.",
		Doc: `Asks a service that no other action knows, and returns its answer. It must change nothing: a plan carries it out, and where a reply is lost it is asked again. What changes something is ` + "`http.send`" + `.

A ` + "`GET`" + ` or ` + "`HEAD`" + ` reads. A ` + "`POST`" + ` may do anything, so that one that reads, such as a search, must say ` + "`reads: true`" + `.

**Listings.** With ` + "`pages`" + ` every page is read, and ` + "`body`" + ` is the list of all items. It is complete, or the step fails: a page that comes back to an earlier one, an item that comes twice, a pointer that leads nowhere, a next page at another place and a page too many are errors.

The credential of the connection goes to the host of its ` + "`base_url`" + ` and nowhere else, and no request goes to private, link-local or metadata addresses unless the connection allows it: that is looked at after the name was resolved, and on every redirect.`,
		Effect:     engine.Observe,
		Needs:      []engine.Capability{CapabilityHTTP},
		Inputs:     slices.Concat(requestInputs(), where(), content(), outcome(), []engine.Field{pagesInput()}),
		ExactlyOne: [][]string{{"path", "url"}},
		Outputs:    outputs(),
		Shape:      &engine.Shape{Input: "shape", Output: "body"},
		Examples: []engine.Example{{
			Title: "Who is on call",
			YAML: `- id: oncall
  uses: http.request
  with:
    path: /v1/schedules/{team}/oncall
    params: { team: security }
    shape: { type: map, fields: { email: string, until: time } }
- uses: message.send
  with: { text: "On call is ${{ steps.oncall.body.email }}." }
`,
		}, {
			Title: "All open tickets, however many pages they take",
			YAML: `- id: tickets
  uses: http.request
  with:
    path: /v1/tickets
    query: { status: open, limit: 100 }
    pages: { next: cursor, at: /paging/next, param: after, items: /tickets, key: /id }
    shape: { type: list, items: { type: map, fields: { id: string, age: { type: integer, optional: true } } } }
- id: old
  set: { count: "${{ len(filter(steps.tickets.body, (.age ?? 0) > 30)) }}" }
`,
		}},
	}
}

func requestInputs() []engine.Field {
	return []engine.Field{
		{Name: "method", Type: engine.EnumOf(http.MethodGet, http.MethodHead, http.MethodPost), Default: http.MethodGet, Doc: "How it is asked."},
		{Name: "reads", Type: engine.TypeBool(), Default: false, Doc: "Of a `POST`: it reads, and changes nothing."},
		{
			Name: "answer", Type: engine.EnumOf("json", "text", "none"), Default: "json",
			Doc: "What the answer must be. With `none`, and of a `HEAD`, nothing of it is looked at.",
		},
	}
}

func pagesInput() engine.Field {
	one, most := int64(1), int64(rest.DefaultMaxPages)
	return engine.Field{
		Name:    "pages",
		Example: "{ next: cursor, at: /paging/next, param: after, items: /tickets, key: /id }",
		Doc:     "How a listing goes on. Pointers are JSON Pointers (RFC 6901) into a page, such as `/data/items`.",
		Type: engine.MapOf(
			engine.Field{
				Name: "next", Type: engine.EnumOf("link", "url", "cursor", "page", "offset"), Required: true,
				Doc: "Where the next page is: the header `Link` with `rel=\"next\"`; the address or the cursor that `at` leads to; or the number of the page or of the item it begins with.",
			},
			engine.Field{Name: "at", Type: engine.TypeString(), Default: "", Doc: "The pointer to the next page's address or cursor.", Example: "/paging/next"},
			engine.Field{Name: "param", Type: engine.TypeString(), Default: "", Doc: "The query's parameter that takes the cursor, page or offset.", Example: "after"},
			engine.Field{Name: "first", Type: engine.TypeInteger(), Default: int64(0), Doc: "The number of the first page, or of the first item."},
			engine.Field{Name: "items", Type: engine.TypeString(), Default: "", Doc: "The pointer to a page's list of items; without it, the page is the list.", Example: "/tickets"},
			engine.Field{Name: "key", Type: engine.TypeString(), Default: "", Doc: "The pointer, in an item, to what no two items share. Without it, an item that comes twice is not noticed.", Example: "/id"},
			engine.Field{Name: "more", Type: engine.TypeString(), Default: "", Doc: "The pointer to whether there is a next page.", Example: "/has_more"},
			engine.Field{Name: "total", Type: engine.TypeString(), Default: "", Doc: "The pointer to how many items there are: fewer are an error.", Example: "/total"},
			engine.Field{
				Name: "last", Type: engine.EnumOf("empty", "absent"), Default: "empty",
				Doc: "What `at` leads to on the last page: null or an empty text; with `absent`, it may also lead to nothing.",
			},
			engine.Field{Name: "max_pages", Type: engine.TypeInteger(), Default: most, Minimum: &one, Maximum: &most, Doc: "A page more than that is an error."},
		),
	}
}

// Observe asks the service.
func (Request) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	service, conn, err := engine.Offered[HTTP](call, CapabilityHTTP)
	if err != nil {
		return engine.Observation{}, err
	}
	r, err := request(call.Inputs)
	if err != nil {
		return engine.Observation{}, err
	}
	r.Effect = transport.Read
	if err := answerOf(&r, call.Inputs); err != nil {
		return engine.Observation{}, err
	}
	if r.Pages, err = pagesOf(call.Inputs["pages"]); err != nil {
		return engine.Observation{}, err
	}
	ask := service.Do
	if r.Pages != nil {
		ask = service.All
	}
	answer, err := ask(ctx, r)
	if err != nil {
		return engine.Observation{}, fmt.Errorf("asking %q: %w", conn.Name, err)
	}
	return engine.Observation{Outputs: answered(answer)}, nil
}

// answerOf refuses what could change something, and says what the answer is.
func answerOf(r *rest.Request, inputs map[string]any) error {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	reads, _ := inputs["reads"].(bool)
	switch {
	case r.Method == http.MethodPost && !reads:
		return engine.Fail(engine.ClassInvalid, "reads", "a POST may change something: use http.send, or say `reads: true` where this one only reads")
	case r.Method != http.MethodPost && r.Body != nil:
		return engine.Fail(engine.ClassInvalid, "body", "a %s has no body", r.Method)
	}
	switch inputs["answer"] {
	case "text":
		r.Answer = rest.AnswerText
	case "none":
		r.Answer = rest.AnswerIgnored
	}
	if r.Method == http.MethodHead {
		r.Answer = rest.AnswerIgnored
	}
	return nil
}

// pagesOf is how a listing goes on; nil where it does not.
func pagesOf(v any) (*rest.Paging, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, nil //nolint:nilnil // one page
	}
	p := &rest.Paging{Absent: given["last"] == "absent"}
	p.Param, _ = given["param"].(string)
	p.First, _ = given["first"].(int64)
	most, _ := given["max_pages"].(int64)
	p.MaxPages = int(most)
	var at rest.Pointer
	for name, into := range map[string]*rest.Pointer{"at": &at, "items": &p.Items, "key": &p.Key, "more": &p.More, "total": &p.Total} {
		text, _ := given[name].(string)
		pointer, err := rest.ParsePointer(text)
		if err != nil {
			return nil, fmt.Errorf("`%s` of `pages`: %w", name, err)
		}
		*into = pointer
	}
	next, _ := given["next"].(string)
	needs := next == "url" || next == "cursor"
	if needs != (at != "") {
		return nil, engine.Fail(engine.ClassInvalid, "pages", "`at` of `pages` goes with `next: url` and `next: cursor`, which need it")
	}
	switch next {
	case "link":
		p.Link = true
	case "url":
		p.NextURL = at
	case "cursor":
		p.Cursor = at
	case "page":
		p.Page = true
	case "offset":
		p.Offset = true
	}
	return p, nil
}
