package rest

import (
	"strconv"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Pointer leads to a value within a JSON document, as RFC 6901 has it:
// "/data/0/id". The empty one leads to the document itself.
type Pointer string

// ParsePointer checks a pointer. Errors are invalid failures.
func ParsePointer(text string) (Pointer, error) {
	if text != "" && !strings.HasPrefix(text, "/") {
		return "", engine.Fail(engine.ClassInvalid, "pointer", "the pointer %q must begin with a slash: /data/items", text)
	}
	for i := range len(text) {
		if text[i] == '~' && (i+1 == len(text) || text[i+1] != '0' && text[i+1] != '1') {
			return "", engine.Fail(engine.ClassInvalid, "pointer", "in the pointer %q, ~ must be written ~0 and a slash in a name ~1", text)
		}
	}
	return Pointer(text), nil
}

// Find follows the pointer; false where it leads nowhere.
func (p Pointer) Find(document any) (any, bool) {
	if p == "" {
		return document, true
	}
	for _, token := range strings.Split(string(p[1:]), "/") {
		var there bool
		if document, there = step(document, strings.NewReplacer("~1", "/", "~0", "~").Replace(token)); !there {
			return nil, false
		}
	}
	return document, true
}

func step(document any, name string) (any, bool) {
	switch v := document.(type) {
	case map[string]any:
		next, there := v[name]
		return next, there
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) || name != strconv.Itoa(i) {
			return nil, false
		}
		return v[i], true
	default:
		return nil, false
	}
}

// text is the string or whole number a pointer leads to. None is one that is
// not there, or null, or empty.
func (p Pointer) text(document any) (value string, none bool, err error) {
	v, there := p.Find(document)
	switch v := v.(type) {
	case string:
		return v, v == "", nil
	case int64:
		return strconv.FormatInt(v, 10), false, nil
	case nil:
		if !there {
			return "", true, engine.Fail(engine.ClassPermanent, CodeMissing, "the answer has no %s", p)
		}
		return "", true, nil
	default:
		return "", false, engine.Fail(engine.ClassPermanent, CodeType, "%s of the answer is neither a string nor a number", p)
	}
}
