package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// MinLength is the length in bytes from which a secret can be kept out of
// text. Removing anything shorter would tear holes into innocent words, so the
// Keeper refuses such secrets and the Redactor ignores them.
const MinLength = 4

// lineLength is the length from which a line of a secret of several lines (a
// private key) is removed by itself.
const lineLength = 12

// forms are the ways a secret may stand in a text.
func forms(plain string) []string {
	out := []string{plain}
	out = append(out, escaped(plain)...)
	out = append(out, encoded(plain)...)
	for line := range strings.Lines(plain) {
		line = strings.TrimSpace(line)
		if len(line) >= lineLength && line != plain && !strings.HasPrefix(line, "-----") {
			out = append(out, line)
		}
	}
	return longEnough(out)
}

// escaped are the URL- and JSON-escaped forms.
func escaped(plain string) []string {
	once, html := quoted(plain), inHTML(plain)
	out := []string{
		url.QueryEscape(plain), url.PathEscape(plain), percentEncoded(plain),
		once, html, strings.ReplaceAll(once, "/", `\/`), quoted(once), inHTML(html), // the last two: JSON within JSON
		inASCII(plain), // \u00e9 for é, as many programs write JSON
	}
	for _, s := range out[:3] {
		out = append(out, lowerEscapes(s))
	}
	return out
}

// quoted is the secret as it stands within a JSON string.
func quoted(s string) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) //nolint:errchkjson // a string always encodes
	return strings.TrimSuffix(buf.String(), "\n")[1 : buf.Len()-2]
}

// inHTML is quoted with <, > and & as \u003c, \u003e and \u0026, as
// encoding/json writes them by default.
func inHTML(s string) string {
	data, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return s
	}
	return string(data[1 : len(data)-1])
}

// inASCII is quoted with everything that is not ASCII escaped.
func inASCII(s string) string {
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

// percentEncoded is the secret as JavaScript's encodeURIComponent and RFC 3986
// write it: everything but letters, digits and -._~ is escaped.
func percentEncoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isUnreserved(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// encoded are the base64 forms, alone and within a longer text at each of the
// three alignments ("user:" + secret in a basic authorization).
func encoded(plain string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		out = append(out, enc.EncodeToString([]byte(plain)), enc.WithPadding(base64.NoPadding).EncodeToString([]byte(plain)))
		for shift := range 3 {
			out = append(out, aligned(enc, plain, shift))
		}
	}
	return out
}

// aligned is the part of the base64 form that depends on nothing but the
// secret, when shift bytes stand before it in its first group of three.
func aligned(enc *base64.Encoding, plain string, shift int) string {
	data := append(make([]byte, shift), plain...)
	full := enc.WithPadding(base64.NoPadding).EncodeToString(data)
	return full[(shift*8+5)/6 : len(data)*8/6]
}

func longEnough(all []string) []string {
	var out []string
	for _, s := range all {
		if len(s) >= MinLength {
			out = append(out, s)
		}
	}
	return out
}
