package secret_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// FuzzRedactorJSON checks that a document stays a document, and that no string
// in it still holds the secret.
func FuzzRedactorJSON(f *testing.F) {
	for _, doc := range []string{`{}`, `[1,2.50,"a"]`, `{"token":"s3cret","deep":[{"x":"<s3cret>"}]}`, `"s3cret"`, `null`, `{"s3cret-is-the-name":1}`} {
		f.Add(doc, "s3cret")
	}
	f.Add(`[444e4144]`, "s3cret")
	f.Add(`["a\"b\\c\u00e9"]`, `a"b\c`+"\u00e9")
	f.Fuzz(func(t *testing.T, doc, plain string) {
		if !json.Valid([]byte(doc)) || strings.Contains(secret.Placeholder, strings.TrimSpace(plain)) {
			t.Skip()
		}
		if !utf8.ValidString(plain) { // no document can hold it, and half a rune of it is in any �
			t.Skip()
		}
		got, err := knowing(plain).JSON(json.RawMessage(doc))
		if err != nil || !json.Valid(got) {
			t.Fatalf("%s became %s: %v", doc, got, err)
		}
		var v any
		dec := json.NewDecoder(bytes.NewReader(got))
		dec.UseNumber() // a document may hold 1e999, which is valid and no float64
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if trimmed := strings.TrimSpace(plain); len(trimmed) >= secret.MinLength && holds(v, trimmed) {
			t.Errorf("%q is still in %s", trimmed, got)
		}
	})
}

// holds looks through the strings that are values.
func holds(v any, plain string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ReplaceAll(v, secret.Placeholder, "\x00"), plain)
	case []any:
		for _, e := range v {
			if holds(e, plain) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if holds(e, plain) {
				return true
			}
		}
	}
	return false
}
