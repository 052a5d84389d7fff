package guard

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// groupPrefix begins an entry that protects the members of a group.
const groupPrefix = "directory-group:"

// pattern is one entry of a protect list: an id, an e-mail address, or either
// with * for any characters and ? for one.
type pattern struct {
	entry string // as written
	runes []rune // folded
}

func parsePattern(entry string) (pattern, error) {
	trimmed := strings.TrimSpace(entry)
	if trimmed == "" {
		return pattern{}, fmt.Errorf("%w: protect holds an empty entry", ErrSetting)
	}
	if strings.HasPrefix(trimmed, groupPrefix) {
		return pattern{}, fmt.Errorf("guard: protect %q: %w", trimmed, ErrUnavailable)
	}
	return pattern{entry: trimmed, runes: []rune(fold(trimmed))}, nil
}

// fold makes names that people take for the same one equal: letter case and
// the different encodings of one character do not count. Where that is too
// much, one target more is protected, and never one less.
func fold(s string) string {
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))))
}

// matches reports whether the pattern covers the whole of a folded name. It
// goes back to the last * only, so its time is bounded by the product of both
// lengths.
func (p pattern) matches(folded string) bool {
	name := []rune(folded)
	star, resume := -1, 0
	i, j := 0, 0
	for j < len(name) {
		switch {
		case i < len(p.runes) && p.runes[i] == '*':
			star, resume = i, j
			i++
		case i < len(p.runes) && (p.runes[i] == '?' || p.runes[i] == name[j]):
			i, j = i+1, j+1
		case star >= 0:
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	for i < len(p.runes) && p.runes[i] == '*' {
		i++
	}
	return i == len(p.runes)
}
