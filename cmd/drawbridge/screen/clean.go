package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes foreign text safe for a terminal on one line: control, bidi and
// invisible characters are taken out, line breaks become spaces, and what is
// longer than limit characters ends in an ellipsis. A limit of 0 means none.
func Clean(s string, limit int) string {
	var b strings.Builder
	written := 0
	for _, r := range s {
		r, keep := safe(r)
		if !keep {
			continue
		}
		if limit > 0 && written == limit {
			return cutLast(b.String()) + "…"
		}
		b.WriteRune(r)
		written++
	}
	return b.String()
}

// CleanLines is Clean for text of several lines, whose line breaks stay.
func CleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Clean(line, 0)
	}
	return strings.Join(lines, "\n")
}

// safe says what to write for a character, or that it must not be written.
func safe(r rune) (rune, bool) {
	switch {
	case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
		return ' ', true
	case r == utf8.RuneError || unicode.Is(unicode.Co, r):
		return '\uFFFD', true
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), hidden(r):
		return 0, false
	default:
		return r, true
	}
}

// hidden finds what is drawn as nothing although Unicode does not call it a
// format character: variation selectors and fillers, with which names are made
// to look alike.
func hidden(r rune) bool {
	return unicode.Is(unicode.Variation_Selector, r) || r == '\u115F' || r == '\u1160' || r == '\u3164' || r == '\uFFA0'
}

func cutLast(s string) string {
	_, size := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-size]
}
