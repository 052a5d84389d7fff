package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
)

// maxBody is how many bytes an answer may have.
const maxBody = 8 << 20

// where are the inputs that say what is asked, and with what.
func where() []engine.Field {
	return []engine.Field{
		{
			Name: "path", Type: engine.TypeString(),
			Doc:     "What is asked for, below the connection's `base_url`. `{names}` in it stand for `params`. It holds no query, and no `..`.",
			Example: "/v1/tickets/{ticket}",
		},
		{
			Name: "url", Type: engine.TypeString(),
			Doc:     "The whole address, in place of a path: at the connection's `base_url`, or anywhere public where the connection has none.",
			Example: "https://api.example.com/v1/status",
		},
		{
			Name: "params", Type: engine.DictOf(engine.TypeAny()),
			Doc:     "Values for the `{names}` of the path. Each is escaped, so that none can become another path.",
			Example: `{ ticket: "${{ inputs.ticket }}" }`,
		},
		{
			Name: "query", Type: engine.DictOf(engine.TypeAny()),
			Doc:     "The query's parameters: texts, numbers, times, or lists of them. One that is null is left out.",
			Example: "{ status: open, limit: 100 }",
		},
		{
			Name: "headers", Type: engine.DictOf(engine.TypeString()),
			Doc:     "Headers to send. The connection's credential cannot be set, nor what frames the request.",
			Example: `{ X-Tenant: acme }`,
		},
	}
}

// content are the inputs that say what is sent. At most one may be given.
func content() []engine.Field {
	return []engine.Field{
		{Name: "json", Type: engine.TypeAny(), Doc: "A body, sent as JSON.", Example: `{ title: Leaver, user: "${{ inputs.user }}" }`},
		{Name: "form", Type: engine.DictOf(engine.TypeAny()), Doc: "A body, sent like an HTML form.", Example: "{ grant: revoke }"},
		{Name: "text", Type: engine.TypeString(), Doc: "A body, sent as plain text; a header `Content-Type` says otherwise.", Example: "ping"},
	}
}

// outcome are the inputs that say what is expected.
func outcome() []engine.Field {
	return []engine.Field{
		{
			Name: "expect", Type: engine.ListOf(engine.TypeInteger()),
			Doc:     "The statuses that are a success, from 200 to 499; without it, 200 to 299. Any other fails the step.",
			Example: "[200, 404]",
		},
		{
			Name: "shape", Type: engine.Type{Kind: engine.KindType},
			Doc: "What `body` must be: a kind, or a declaration as for the `body` of a webhook. Its fields are checked before anything runs, " +
				"and an answer that does not fit fails the step, naming the place. Without it `body` is checked only when it is used.",
			Example: "{ type: map, fields: { id: string, tags: { type: list, items: string, optional: true } } }",
		},
	}
}

// outputs are what both actions return.
func outputs() []engine.Field {
	return []engine.Field{
		{Name: "status", Type: engine.TypeInteger(), Doc: "The answer's status; of a listing, that of its last page."},
		{Name: "headers", Type: engine.DictOf(engine.TypeString()), Doc: "The answer's headers, their names in small letters; without cookies."},
		{Name: "body", Type: engine.TypeAny(), Doc: "The answer: JSON, text, or null where there is none. Foreign data: of type `shape`, where that is given."},
	}
}

// request makes a request of the inputs.
func request(inputs map[string]any) (rest.Request, error) {
	r := rest.Request{MaxBody: maxBody}
	r.Method, _ = inputs["method"].(string)
	r.URL, _ = inputs["url"].(string)
	if template, given := inputs["path"].(string); given {
		params, err := texts(inputs["params"])
		if err != nil {
			return r, err
		}
		if r.Path, err = rest.Path(template, params); err != nil {
			return r, fmt.Errorf("making the path: %w", err)
		}
		r.Route = r.Method + " " + template
	}
	var err error
	if r.Query, err = values(inputs["query"], "query"); err != nil {
		return r, err
	}
	if r.Header, err = header(inputs["headers"]); err != nil {
		return r, err
	}
	if r.Expect, err = statuses(inputs["expect"]); err != nil {
		return r, err
	}
	r.Body, err = body(inputs)
	return r, err
}

func body(inputs map[string]any) (*rest.Body, error) {
	var given []string
	for _, name := range []string{"json", "form", "text"} {
		if _, has := inputs[name]; has {
			given = append(given, name)
		}
	}
	switch {
	case len(given) == 0:
		return nil, nil //nolint:nilnil // no body
	case len(given) > 1:
		return nil, engine.Fail(engine.ClassInvalid, "body", "a request has one body: not both `%s` and `%s`", given[0], given[1])
	case given[0] == "json":
		return rest.JSONBody(inputs["json"]) //nolint:wrapcheck // says it all
	case given[0] == "form":
		fields, err := values(inputs["form"], "form")
		return rest.FormBody(fields), err
	default:
		text, _ := inputs["text"].(string)
		return rest.TextBody(text, ""), nil
	}
}

func header(v any) (http.Header, error) {
	given, _ := v.(map[string]any)
	out := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		text, err := scalar(given[name], "headers", name)
		if err != nil {
			return nil, err
		}
		if out.Values(name) != nil {
			return nil, engine.Fail(engine.ClassInvalid, "headers", "the header %q is given twice", name)
		}
		out.Set(name, text)
	}
	return out, nil
}

// statuses are those that are expected.
func statuses(v any) ([]int, error) {
	given, _ := v.([]any)
	var out []int
	for _, v := range given {
		status, _ := v.(int64)
		if status < http.StatusOK || status >= http.StatusInternalServerError || status >= 300 && status < 400 {
			return nil, engine.Fail(engine.ClassInvalid, "expect", "%d cannot be expected: write statuses from 200 to 299 or from 400 to 499", status)
		}
		out = append(out, int(status))
	}
	return out, nil
}

// values are parameters of a query or a form.
func values(v any, input string) (url.Values, error) {
	given, _ := v.(map[string]any)
	out := url.Values{}
	for name, v := range given {
		list, many := v.([]any)
		if !many {
			list = []any{v}
		}
		for _, v := range list {
			if v == nil {
				continue
			}
			text, err := scalar(v, input, name)
			if err != nil {
				return nil, err
			}
			out.Add(name, text)
		}
	}
	return out, nil
}

// texts are the values of a path.
func texts(v any) (map[string]string, error) {
	given, _ := v.(map[string]any)
	out := make(map[string]string, len(given))
	for name, v := range given {
		text, err := scalar(v, "params", name)
		if err != nil {
			return nil, err
		}
		out[name] = text
	}
	return out, nil
}

// scalar is a value as it stands in a URL or a header: what JSON would say,
// without quotes.
func scalar(v any, input, name string) (string, error) {
	switch v := v.(type) {
	case nil, []any, map[string]any:
		return "", engine.Fail(engine.ClassInvalid, input, "%q of `%s` must be a text, a number, a time or a bool", name, input)
	case string:
		return v, nil
	}
	data, err := engine.EncodeJSON(v)
	if err != nil {
		return "", engine.Fail(engine.ClassInvalid, input, "%q of `%s` cannot be written: %v", name, input, err)
	}
	return strings.Trim(string(data), `"`), nil
}

// answered are the outputs.
func answered(a rest.Answer) map[string]any {
	headers := make(map[string]any, len(a.Header))
	for name, values := range a.Header {
		if name != "Set-Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return map[string]any{"status": int64(a.Status), "headers": headers, "body": a.Body}
}
