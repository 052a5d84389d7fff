package message

import "strings"

const (
	esc = "\x1b"
	csi = "\u009b" // the one-character form of ESC [
	osc = "\u009d" // the one-character form of ESC ]
	st  = "\u009c" // the one-character form of ESC \
	bel = "\a"
)

// maxPayload bounds the search for the end of a control string, so that a text
// full of unended ones costs no more than its length.
const maxPayload = 2048

// escapeLength is how many bytes of a terminal escape sequence s begins with;
// 0 where it begins with something else. Taking out only the ESC would leave
// its parameters behind as noise in people's names.
func escapeLength(s string) int {
	for _, intro := range []string{esc + "[", csi} {
		if rest, ok := strings.CutPrefix(s, intro); ok {
			return len(intro) + controlLength(rest)
		}
	}
	for _, intro := range []string{esc + "]", esc + "P", esc + "X", esc + "^", esc + "_", osc} {
		if rest, ok := strings.CutPrefix(s, intro); ok {
			return len(intro) + stringLength(rest)
		}
	}
	if rest, ok := strings.CutPrefix(s, esc); ok {
		return len(esc) + shortLength(rest)
	}
	return 0
}

// controlLength measures the parameters and the final byte of a control
// sequence ("31m"). One that breaks off or is not well formed ends where it does.
func controlLength(s string) int {
	n := 0
	for n < len(s) && s[n] >= 0x20 && s[n] <= 0x3f {
		n++
	}
	if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7e {
		n++
	}
	return n
}

// stringLength measures the payload and the end of a control string, such as
// one that sets the window's title or makes a link. Without an end nothing is
// taken: what follows then is text, harmless without its introducer.
func stringLength(s string) int {
	s = s[:min(len(s), maxPayload)]
	first := 0
	for _, end := range []string{bel, esc + `\`, st} {
		if at := strings.Index(s, end); at >= 0 && (first == 0 || at+len(end) < first) {
			first = at + len(end)
		}
	}
	return first
}

// shortLength measures what follows the ESC of a two- or three-character
// sequence: "(B", "7".
func shortLength(s string) int {
	n := 0
	for n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f {
		n++
	}
	if n < len(s) && s[n] >= 0x30 && s[n] <= 0x7e {
		n++
	}
	return n
}
