package identitytest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// NoLeak fails the test where the text contains one of the secrets: plain, in
// base64 at any alignment, or escaped for a URL or JSON.
func NoLeak(t testing.TB, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		for form, shape := range shapes(s) {
			if shape != "" && strings.Contains(text, shape) {
				t.Errorf("a secret leaked (%s) into %q", form, text)
			}
		}
	}
}

// NoLeakingError is NoLeak for an error; nil is fine.
func NoLeakingError(t testing.TB, err error, secrets ...string) {
	t.Helper()
	if err != nil {
		NoLeak(t, err.Error(), secrets...)
	}
}

func shapes(s string) map[string]string {
	forms := map[string]string{
		"plain": s, "in a query": url.QueryEscape(s), "in a path": url.PathEscape(s),
	}
	if quoted, err := json.Marshal(s); err == nil {
		forms["in JSON"] = strings.Trim(string(quoted), `"`)
	}
	for skip, name := range []string{"base64", "base64, one on", "base64, two on"} {
		forms[name] = core(s, skip)
	}
	return forms
}

// core is the part of a secret's base64 that does not depend on what stands
// around it, when skip bytes stand before it.
func core(s string, skip int) string {
	encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + s))
	encoded = encoded[min(len(encoded), (skip*8+5)/6):]
	if len(encoded) < 8 {
		return ""
	}
	return encoded[:len(encoded)-2]
}
