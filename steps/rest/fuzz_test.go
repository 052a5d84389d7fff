package rest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/rest"
)

// FuzzPointer checks that a pointer to a name leads to that name and to nothing else.
func FuzzPointer(f *testing.F) {
	for _, name := range []string{"a", "a/b", "~", "~1", "", "ä b", "0"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if p, err := rest.ParsePointer(name); err == nil {
			p.Find(map[string]any{name: []any{nil}})
		}
		p, err := rest.ParsePointer("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
		if err != nil {
			t.Fatal(err)
		}
		if got, there := p.Find(map[string]any{name: "here"}); !there || got != "here" {
			t.Errorf("%q did not lead to %q", p, name)
		}
	})
}

// FuzzNextLink checks that what is said to be next stands in the header, and
// that a well-formed link is found whatever follows it.
func FuzzNextLink(f *testing.F) {
	for _, line := range []string{`<a>; rel=next`, `<a>; rel="prev", <b>; title="x, <c>; rel=next"; rel="next"`, `<`, `<a>; rel="next`, `;`, `<a>;rel=next;rel=prev`, `,,<a>;;rel=next`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := rest.NextLink(http.Header{"Link": {line}})
		if err == nil && got != "" && !strings.Contains(line, "<"+got+">") {
			t.Errorf("%q is not in %q", got, line)
		}
		if err != nil && !strings.Contains(err.Error(), "Link") {
			t.Errorf("it does not say what is wrong: %v", err)
		}
	})
}

// FuzzPath checks that no value leads out of its segment.
func FuzzPath(f *testing.F) {
	for _, value := range []string{"a", "../b", "a/b", "%2e%2e", "?x", "#", "\x00", "ä", ".", "..."} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		path, err := rest.Path("/users/{id}/roles", map[string]string{"id": value})
		if err != nil {
			if engine.AsFailure(err).Class != engine.ClassInvalid {
				t.Errorf("got %v", err)
			}
			return
		}
		u, err := url.Parse("https://api.example.com" + path)
		if err != nil || u.Host != "api.example.com" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q became %q: %v", value, path, err)
		}
		if segments := strings.Split(u.EscapedPath(), "/"); len(segments) != 4 || segments[1] != "users" || segments[3] != "roles" {
			t.Errorf("%q became %q", value, path)
		}
	})
}
