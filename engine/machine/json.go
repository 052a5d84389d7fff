package machine

import (
	"bytes"
	"iter"
)

// What is here finds its way in valid JSON without decoding it. In anything
// else it finds nothing, and never runs over the end.

// member is the encoding of one member of an encoded object; nil when it has none
// of that name.
func member(object []byte, name string) []byte {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] == '"'; i = next(object, i) {
		end, ok := skipValue(object, i)
		if !ok {
			return nil
		}
		key := object[i:end]
		i = skipSpace(object, end)
		if i >= len(object) || object[i] != ':' {
			return nil
		}
		i = skipSpace(object, i+1)
		if end, ok = skipValue(object, i); !ok {
			return nil
		}
		if unquote(key) == name {
			return object[i:end:end]
		}
		i = end
	}
	return nil
}

// elements yields the encodings of the elements of an encoded list.
func elements(list []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(list, 0)
		if i >= len(list) || list[i] != '[' {
			return
		}
		for i = skipSpace(list, i+1); i < len(list) && list[i] != ']'; i = next(list, i) {
			end, ok := skipValue(list, i)
			if !ok || !yield(list[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// next passes the comma before the next member or element.
func next(b []byte, i int) int {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ',' {
		return skipSpace(b, i+1)
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue is the offset behind the value that begins at i.
func skipValue(b []byte, i int) (int, bool) {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return 0, false
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
		default:
			i = skipScalar(b, i)
		}
		if depth <= 0 {
			return i, depth == 0
		}
	}
	return 0, false
}

// skipString is the offset behind a string, or -1.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		escapes := 0
		for n-1-escapes >= 0 && b[i+n-1-escapes] == '\\' {
			escapes++
		}
		i += n
		if escapes%2 == 0 {
			return i + 1
		}
	}
	return -1
}

func skipScalar(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', ':', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}
