package playbooktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// replies are what web services answer, in the order in which they are looked at.
func (r *reader) replies(v value) []Reply {
	var out []Reply
	for _, n := range r.list(v, "answers") {
		g := r.keys(n, "answer")
		a := Reply{
			Status: g.integer("status", http.StatusOK), Times: g.integer("times", -1), Lost: as[bool](g, "lost"), Headers: map[string]string{},
		}
		r.asked(g, &a)
		r.content(g, &a)
		for name, text := range as[map[string]any](g, "headers") {
			a.Headers[name], _ = text.(string)
		}
		if a.Status > 599 {
			r.add(g["status"].node.Errorf("range", "status must be at most 599"))
		}
		out = append(out, a)
	}
	return out
}

// asked is the request that is answered.
func (r *reader) asked(g given, a *Reply) {
	text, ok := g["request"].value.(string)
	if !ok {
		return
	}
	method, target, _ := strings.Cut(text, " ")
	address, err := url.Parse(target)
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	whole := err == nil && (strings.HasPrefix(target, "/") || address.Scheme != "" && address.Host != "") && address.Fragment == ""
	if !slices.Contains(methods, method) || !whole {
		r.add(g["request"].node.Errorf("request", "%q is not a request", text).
			WithHint("write a method and a path, such as GET /v1/tickets, or POST https://api.example.com/v1/tickets"))
		return
	}
	a.Method, a.Address = method, address
}

// content is the body of an answer.
func (r *reader) content(g given, a *Reply) {
	switch {
	case g.has("json") && g.has("text"):
		r.add(g["text"].key.Errorf("misplaced-key", "an answer has one body: not both `json` and `text`"))
	case g.has("json"):
		data, err := engine.EncodeJSON(g["json"].value)
		if err != nil {
			r.add(g["json"].node.Errorf("type", "`json` cannot be written: %v", err))
		}
		a.Body, a.Headers["Content-Type"] = data, "application/json"
	case g.has("text"):
		a.Body, a.Headers["Content-Type"] = []byte(g.text("text")), "text/plain; charset=utf-8"
	}
}
