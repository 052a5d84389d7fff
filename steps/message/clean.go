package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// MaxForeign is how many characters of one interpolated value a messenger
// passes on. It is room for a list of some fifty e-mail addresses.
const MaxForeign = 2000

const ellipsis = "…"

// Render puts a text together for a destination: what the author of the
// playbook wrote stays as it is, what was interpolated goes through Clean and
// then through escape, which knows the destination's markup.
func Render(t engine.Text, escape func(string) string) string {
	var b strings.Builder
	for _, part := range t {
		if part.Foreign {
			b.WriteString(escape(Clean(part.S, MaxForeign)))
		} else {
			b.WriteString(part.S)
		}
	}
	return b.String()
}

// Clean makes foreign text harmless to look at. It takes out terminal escape
// sequences, control characters, and invisible ones that reorder or hide what
// is written (bidirectional controls, zero-width characters); white space
// other than spaces, line breaks among it, becomes one space, and broken UTF-8
// the replacement character. The result has at most limit characters, the last
// an ellipsis where something was cut off; 0 or less means no limit.
// Markup is left alone: that is the destination's to escape.
func Clean(s string, limit int) string {
	if isPlain(s) {
		return clip(s, limit)
	}
	var b strings.Builder
	b.Grow(len(s))
	spaced := false
	for len(s) > 0 {
		if n := escapeLength(s); n > 0 {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case isBreak(r) && !spaced:
			spaced = true
			b.WriteByte(' ')
		case !isBreak(r) && !isHidden(r):
			spaced = false
			b.WriteRune(r)
		}
	}
	return clip(b.String(), limit)
}

// CleanFields is a copy of the fields with every string in them, at any depth
// and the names as well, gone through Clean.
func CleanFields(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, v := range fields {
		out[Clean(name, MaxForeign)] = cleanValue(v)
	}
	return out
}

func cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return Clean(v, MaxForeign)
	case engine.Text:
		return Clean(v.String(), MaxForeign)
	case []any:
		out := make([]any, len(v))
		for i, elem := range v {
			out[i] = cleanValue(elem)
		}
		return out
	case map[string]any:
		return CleanFields(v)
	default:
		return v
	}
}

// isPlain reports whether s is printable ASCII, as nearly everything is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// isBreak reports white space that moves the cursor elsewhere than one to the right.
func isBreak(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// isHidden reports characters that show nothing of their own but change or
// hide what stands around them.
func isHidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

func clip(s string, limit int) string {
	if limit <= 0 || len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	kept := 0
	for i := range s {
		if kept == limit-1 {
			return s[:i] + ellipsis
		}
		kept++
	}
	return s
}
