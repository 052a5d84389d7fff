package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
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
	p := folded(strings.TrimSpace(entry))
	switch {
	case len(p.runes) == 0:
		return pattern{}, fmt.Errorf("%w: protect holds an empty entry", ErrSetting)
	case strings.HasPrefix(string(p.runes), groupPrefix):
		return pattern{}, fmt.Errorf("guard: protect %q: %w", p.entry, ErrUnavailable)
	default:
		return p, nil
	}
}

func parsePatterns(entries []string) ([]pattern, error) {
	var patterns []pattern
	var problems []error
	for _, entry := range entries {
		p, err := parsePattern(entry)
		problems = append(problems, err)
		patterns = append(patterns, p)
	}
	return patterns, errors.Join(problems...)
}

// folded is a pattern for names as Fold leaves them.
func folded(entry string) pattern { return pattern{entry: entry, runes: []rune(Fold(entry))} }

// exactly is a pattern for names as they are written.
func exactly(entry string) pattern {
	return pattern{entry: entry, runes: []rune(strings.TrimSpace(entry))}
}

// anyMatches reports whether one of the entries, as patterns of a sort, covers
// the whole of a name.
func anyMatches(entries []string, sort func(string) pattern, name string) bool {
	return slices.ContainsFunc(entries, func(entry string) bool { return sort(entry).matches(name) })
}

// Fold makes names that people take for the same one equal: letter case, the
// different encodings of one character, invisible characters and surrounding
// space do not count. Where that is too much, one target more is protected or
// one person more is taken for another, and never one less.
func Fold(s string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	lower := strings.ToLower(norm.NFKC.String(visible))
	return strings.TrimSpace(norm.NFKC.String(cases.Fold().String(lower)))
}

// matches reports whether the pattern covers the whole of a name, which is
// folded where the pattern is. It goes back to the last * only, so its time is
// bounded by the product of both lengths.
func (p pattern) matches(text string) bool {
	name := []rune(text)
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
