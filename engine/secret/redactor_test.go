package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

const canary = `c4n"ary/<\+%ü key`

func knowing(values ...string) *secret.Redactor {
	var r secret.Redactor
	for _, v := range values {
		r.Learn(secret.New(v))
	}
	return &r
}

func TestRedactorRemovesEveryForm(t *testing.T) {
	r := knowing(canary)
	asJSON, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]string{
		"plain":               canary,
		"query":               url.QueryEscape(canary),
		"query in lower case": "c4n%22ary%2f%3c%5c%2b%25%c3%bc+key",
		"path":                url.PathEscape(canary),
		"JSON":                strings.Trim(string(asJSON), `"`),
		"JSON in JSON":        strings.Trim(string(twice), `"\`),
		"base64":              base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64url":           base64.URLEncoding.EncodeToString([]byte(canary)),
		"base64 unpadded":     base64.RawStdEncoding.EncodeToString([]byte(canary)),
	} {
		t.Run(name, func(t *testing.T) {
			got := r.String("before " + form + " after")
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, secret.Placeholder) {
				t.Errorf("%q became %q", form, got)
			}
			if strings.Contains(got, "c4n") || strings.Contains(got, "YzRu") || strings.Contains(got, "key") {
				t.Errorf("%q became %q, which still tells", form, got)
			}
		})
	}
}

// Within a longer base64 text only the characters that also depend on the
// neighbours may remain: at most one at each end.
func TestRedactorFindsBase64AtEveryAlignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.StringMatching(`[!-~]{8,40}`).Draw(t, "secret")
		around := rapid.SliceOfN(rapid.Byte(), 0, 7)
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		whole := append(append(bytes.Clone(before), plain...), after...)
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(whole)
			got := knowing(plain).String(text)
			left := len(strings.TrimRight(strings.ReplaceAll(got, secret.Placeholder, ""), "="))
			if most := enc.EncodedLen(len(before)) + enc.EncodedLen(len(after)) + 2; got == text || left > most {
				t.Fatalf("%q in %q became %q: %d characters are left, at most %d may be", plain, whole, got, left, most)
			}
		}
	})
}

func TestRedactorLongestSecretWins(t *testing.T) {
	if got := knowing("token", "token-of-the-admin").String("token-of-the-admin token"); got != "<secret> <secret>" {
		t.Errorf("got %q", got)
	}
}

func TestRedactorRemovesLinesOfAKey(t *testing.T) {
	key := "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nAbCdEfGhIjKlMnOpQrSt\n-----END KEY-----"
	got := knowing(key).String("line 2 is AbCdEfGhIjKlMnOpQrSt of -----BEGIN KEY-----")
	if got != "line 2 is <secret> of -----BEGIN KEY-----" {
		t.Errorf("got %q", got)
	}
}

func TestRedactorIgnoresTheVeryShort(t *testing.T) {
	if got := knowing("abc", "", "  ").String("abc  def"); got != "abc  def" {
		t.Errorf("got %q", got)
	}
}

func TestRedactorWithoutSecretsCopiesNothing(t *testing.T) {
	text := []byte("nothing to see")
	for name, r := range map[string]*secret.Redactor{"nil": nil, "empty": {}, "other": knowing("another-secret")} {
		if got := r.Bytes(text); &got[0] != &text[0] {
			t.Errorf("%s: the bytes were copied", name)
		}
		if n := testing.AllocsPerRun(10, func() { _ = r.String("nothing to see") }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestRedactorJSONStaysJSON(t *testing.T) {
	r := knowing("123456", "active", "very-secret-name", `a"b\c`)
	for _, c := range []struct{ name, in, want string }{
		{"untouched", `{ "a" : 1 }`, `{ "a" : 1 }`},
		{"numbers keep their value", `{"n":1234567,"s":"n123456"}`, `{"n":1234567,"s":"n<secret>"}`},
		{"short names stay", `{"active":true,"s":["active",null,1.50,{}]}`, `{"active":true,"s":["<secret>",null,1.50,{}]}`},
		{"long names go", `{"very-secret-name":[]}`, `{"<secret>":[]}`},
		{"escapes", `["a\"b\\c","<&>"]`, `["<secret>","<&>"]`},
		{"JSON within JSON", `"{\"k\":\"a\\\"b\\\\c\"}"`, `"{\"k\":\"<secret>\"}"`},
		{"behind escapes", `["\u0061ctive", 1]`, `["<secret>",1]`},
		{"harmless escapes", `["\u0061", 1]`, `["\u0061", 1]`},
		{"scalar", `"active"`, `"<secret>"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.JSON(json.RawMessage(c.in))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
	if _, err := r.JSON(json.RawMessage(`{"active": oops`)); err == nil {
		t.Error("broken JSON passed")
	}
}

func TestWriterMindsSplitWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.StringMatching(`[ab]{4,7}`)
		secrets := rapid.SliceOfN(alphabet, 1, 3).Draw(t, "secrets")
		pieces := rapid.SliceOfN(rapid.StringMatching(`[abc]{0,9}`), 1, 8).Draw(t, "pieces")
		r := knowing(secrets...)
		var got bytes.Buffer
		w := r.Writer(&got)
		for _, p := range pieces {
			if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
				t.Fatalf("writing %q gave %d, %v", p, n, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := r.String(strings.Join(pieces, "")); got.String() != want {
			t.Fatalf("%q in pieces became %q, whole %q", pieces, got.String(), want)
		}
	})
}

func TestWriterHoldsBackOnlyWhatMayBeASecret(t *testing.T) {
	var got bytes.Buffer
	w := knowing("s3cret").Writer(&got)
	for _, step := range []struct{ in, want string }{
		{"all of it\n", "all of it\n"},
		{"is it s3cr", "all of it\nis it "},
		{"ew? no", "all of it\nis it s3crew? no"},
		{" s3c", "all of it\nis it s3crew? no "},
		{"ret!", "all of it\nis it s3crew? no <secret>!"},
	} {
		if _, err := w.Write([]byte(step.in)); err != nil {
			t.Fatal(err)
		}
		if got.String() != step.want {
			t.Errorf("behind %q it is %q, not %q", step.in, got.String(), step.want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

func TestWriterReportsErrors(t *testing.T) {
	for name, r := range map[string]*secret.Redactor{"knowing": knowing("s3cret"), "empty": {}} {
		if n, err := r.Writer(brokenWriter{}).Write([]byte("text")); n != 0 || err == nil {
			t.Errorf("%s: got %d, %v", name, n, err)
		}
	}
}

func BenchmarkRedactorJSONWithoutMatch(b *testing.B) {
	doc := json.RawMessage(`[` + strings.TrimSuffix(strings.Repeat(`{"id":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","email":"sam@example.test","state":"active"},`, 1000), ",") + `]`)
	for name, r := range map[string]*secret.Redactor{"empty": {}, "five": knowing("k3y-one-x", "s3cret-two", "p4ss-three", "t0ken-four", "an0ther")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := r.JSON(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
