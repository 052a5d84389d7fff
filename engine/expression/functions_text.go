package expression

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func textFunctions() []function {
	text := engine.TypeString()
	return []function{
		{Function{"lower", "lower(text: string) → string", "The text in lower case.", `lower("ABC") == "abc"`}, 1, 1, takes(text, text), eachText(strings.ToLower)},
		{Function{"upper", "upper(text: string) → string", "The text in upper case.", `upper("abc") == "ABC"`}, 1, 1, takes(text, text), eachText(strings.ToUpper)},
		{Function{"trim", "trim(text: string, characters: string) → string", "The text without white space, or without the given characters, at both ends.", `trim("  abc ") == "abc"`}, 1, 2, takes(text, text, text), trimmed(strings.Trim)},
		{Function{"trimPrefix", "trimPrefix(text: string, prefix: string) → string", "The text without the prefix, if it begins with it.", `trimPrefix("user-1", "user-") == "1"`}, 2, 2, takes(text, text, text), trimmed(strings.TrimPrefix)},
		{Function{"trimSuffix", "trimSuffix(text: string, suffix: string) → string", "The text without the suffix, if it ends with it.", `trimSuffix("a.example.com", ".example.com") == "a"`}, 2, 2, takes(text, text, text), trimmed(strings.TrimSuffix)},
		{Function{"split", "split(text: string, separator: string) → list of string", "The parts of the text between the separators.", `split("a,b", ",") == ["a", "b"]`}, 2, 2, takes(engine.ListOf(text), text, text), runSplit},
		{Function{"replace", "replace(text: string, old: string, new: string) → string", "The text with every occurrence of one string replaced by another.", `replace("a-b", "-", "+") == "a+b"`}, 3, 3, takes(text, text, text, text), runReplace},
		{Function{"repeat", "repeat(text: string, n: integer) → string", "The text n times.", `repeat("ab", 2) == "abab"`}, 2, 2, takes(text, text, engine.TypeInteger()), runRepeat},
		{Function{"indexOf", "indexOf(text: string, part: string) → integer", "The place, from 0, of the part's first character in the text; -1 when it is not in it.", `indexOf("alice@example.com", "@") == 5`}, 2, 2, takes(engine.TypeInteger(), text, text), runIndexOf},
		{Function{"toBase64", "toBase64(text: string) → string", "The text in standard Base64.", `toBase64("abc") == "YWJj"`}, 1, 1, takes(text, text), runToBase64},
		{Function{"fromBase64", "fromBase64(text: string) → string", "The text that standard Base64 stands for; an error when it is none, or not UTF-8.", `fromBase64("YWJj") == "abc"`}, 1, 1, takes(text, text), runFromBase64},
	}
}

// stringsOf are arguments that all must be strings.
func stringsOf(m *meter, args []any) ([]string, error) {
	out, total := make([]string, len(args)), 0
	for i := range args {
		s, err := asString(args, i)
		if err != nil {
			return nil, err
		}
		out[i], total = s, total+len(s)
	}
	return out, m.chargeText(total)
}

func eachText(change func(string) string) runner {
	return func(m *meter, args []any) (any, error) {
		s, err := stringsOf(m, args)
		if err != nil {
			return nil, err
		}
		return m.bounded(change(s[0]))
	}
}

func trimmed(cut func(text, off string) string) runner {
	return func(m *meter, args []any) (any, error) {
		s, err := stringsOf(m, args)
		if err != nil {
			return nil, err
		}
		if len(s) == 1 {
			return strings.TrimSpace(s[0]), nil
		}
		return cut(s[0], s[1]), nil
	}
}

func runSplit(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(s[0], s[1], maxList+1)
	if err := m.grow(0, len(parts)); err != nil {
		return nil, err
	}
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = part
	}
	return out, nil
}

func runReplace(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	size := len(s[0]) + strings.Count(s[0], s[1])*(len(s[2])-len(s[1]))
	if err := m.make(size); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s[0], s[1], s[2]), nil
}

func runRepeat(m *meter, args []any) (any, error) {
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := asInteger(args, 1)
	if err != nil {
		return nil, err
	}
	switch {
	case n < 0:
		return nil, &fault{arg: 1, reason: "is negative"}
	case s == "":
		return "", nil
	case n > int64(maxText/len(s)):
		return nil, errTooLong()
	}
	if err := m.make(len(s) * int(n)); err != nil {
		return nil, err
	}
	return strings.Repeat(s, int(n)), nil
}

func runIndexOf(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	i := strings.Index(s[0], s[1])
	if i < 0 {
		return int64(-1), nil
	}
	return runes(s[0][:i]), nil
}

func runes(s string) int64 { return int64(utf8.RuneCountInString(s)) }

func runToBase64(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	return m.bounded(base64.StdEncoding.EncodeToString([]byte(s[0])))
}

func runFromBase64(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(s[0])
	if err != nil || !utf8.Valid(plain) {
		return nil, &fault{arg: 0, reason: "is not a text in Base64"}
	}
	return string(plain), nil
}
