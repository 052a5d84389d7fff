package machine

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhyOf(t *testing.T) {
	for raw, want := range map[string]string{
		`{"id":"U1","reasons":["guessed-then-in"],"evidence":{"failed":7,"ips":["192.0.2.1","192.0.2.2"],"blocked":0,"km_per_hour":null,"last_seen":"2026-01-31T03:00:00.000Z"}}`: "guessed-then-in: failed 7, ips 192.0.2.1 192.0.2.2, last_seen 2026-01-31T03:00:00.000Z",
		`{"reasons":["a","b"]}`:                      "a, b",
		`{"reasons":["a"],"evidence":{"n":1234567}}`: "a: n 1234567",
		`{"reasons":["a"],"evidence":["x"]}`:         "a",
		`{"reasons":["a"],"evidence":{"m":{"x":1}}}`: "a",
		`{"reasons":[]}`:                             "",
		`{"reasons":"a"}`:                            "",
		`{"evidence":{"failed":7}}`:                  "",
		`"U1"`:                                       "",
		`7`:                                          "",
	} {
		if got := whyOf([]byte(raw)); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

func TestWhyIsShort(t *testing.T) {
	got := whyOf([]byte(`{"reasons":["` + strings.Repeat("ü", longestWhy) + `"]}`))
	if len(got) > longestWhy+len("…") || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes: %q", len(got), got[len(got)-10:])
	}
}
