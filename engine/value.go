package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TimeLayout is how times stand in JSON: RFC 3339, UTC, milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Text is a string for people that remembers which parts were interpolated.
// A messenger escapes the foreign parts for its destination; what the author
// of the playbook wrote stays as it is.
type Text []TextPart

// TextPart is one stretch of a Text.
type TextPart struct {
	S       string `json:"s"`
	Foreign bool   `json:"foreign,omitempty"` // interpolated: data, never markup
}

// String joins the parts as they are, without any escaping.
func (t Text) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.S)
	}
	return b.String()
}

// Predicate is a bool expression handed to an action: its source, and the
// values of the outer names it uses, frozen when the step was entered.
// Captured is a tree from root names: {"inputs": {"threshold": 5}}.
type Predicate struct {
	Source   string         `json:"source"`
	Captured map[string]any `json:"captured,omitempty"`
}

// ErrValue is wrapped by every error of EncodeJSON and DecodeJSON.
var ErrValue = errors.New("value does not have its declared type")

// EncodeJSON writes a value canonically: map keys sorted, times in TimeLayout,
// durations as FormatDuration writes them, no HTML escaping. It takes the Go
// values named at the Kinds (and plain ints); NaN and infinities are errors.
func EncodeJSON(v any) ([]byte, error) {
	return appendJSON(make([]byte, 0, sizeJSON(v)), v)
}

// DecodeJSON reads a value by its declared type. Under KindAny a number
// without fraction and exponent is an int64, any other a float64. A null is an
// error unless the type is optional, any or null; a missing map field is null,
// and a field that is not declared is kept as KindAny.
func DecodeJSON(data []byte, t Type) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrValue, err)
	}
	return conform(raw, t, "")
}

// Conform checks and converts a decoded JSON value (or one of our own values)
// to the Go representation of the declared type, as DecodeJSON does. What is
// right already is not copied: the result may share lists and maps with v.
func Conform(v any, t Type) (any, error) { return conform(v, t, "") }

func conform(raw any, t Type, path string) (any, error) {
	if raw == nil {
		if t.Optional || t.Kind == KindAny || t.Kind == KindNull {
			return nil, nil
		}
		return nil, mismatch(path, t, "null")
	}
	switch t.Kind {
	case KindList:
		return conformList(raw, t, path)
	case KindMap:
		return conformMap(raw, t, path)
	case KindAny:
		return conformAny(raw, path)
	case KindText:
		return conformText(raw, t, path)
	case KindPredicate:
		return conformPredicate(raw, t, path)
	case KindSecret:
		return conformSecret(raw, t, path)
	default:
		return conformScalar(raw, t, path)
	}
}

func conformScalar(raw any, t Type, path string) (any, error) {
	switch t.Kind {
	case KindBool:
		if b, ok := raw.(bool); ok {
			return b, nil
		}
	case KindInteger:
		if n, ok := asInteger(raw); ok {
			return n, nil
		}
	case KindNumber:
		if f, ok := asNumber(raw); ok {
			return f, nil
		}
	case KindString:
		if s, ok := raw.(string); ok {
			return s, checkEnum(s, t, path)
		}
	case KindTime:
		return conformTime(raw, t, path)
	case KindDuration:
		return conformDuration(raw, t, path)
	default:
	}
	return nil, mismatch(path, t, describe(raw))
}

func conformTime(raw any, t Type, path string) (any, error) {
	switch v := raw.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC(), nil
		}
	}
	return nil, mismatch(path, t, describe(raw))
}

func conformDuration(raw any, t Type, path string) (any, error) {
	switch v := raw.(type) {
	case time.Duration:
		return v, nil
	case string:
		if d, err := ParseDuration(v); err == nil {
			return d, nil
		}
	}
	return nil, mismatch(path, t, describe(raw))
}

func conformText(raw any, t Type, path string) (any, error) {
	switch v := raw.(type) {
	case Text:
		return v, nil
	case string:
		return Text{{S: v}}, nil
	case map[string]any:
		var text struct {
			Text Text `json:"$text"`
		}
		if err := reencode(v, &text); err == nil {
			return text.Text, nil
		}
	}
	return nil, mismatch(path, t, describe(raw))
}

func conformPredicate(raw any, t Type, path string) (any, error) {
	switch v := raw.(type) {
	case Predicate:
		return v, nil
	case map[string]any:
		inner, ok := v["$predicate"].(map[string]any)
		if !ok {
			break
		}
		source, _ := inner["source"].(string)
		captured, err := conformAny(inner["captured"], path)
		if err != nil {
			return nil, err
		}
		outer, _ := captured.(map[string]any)
		return Predicate{Source: source, Captured: outer}, nil
	}
	return nil, mismatch(path, t, describe(raw))
}

func conformSecret(raw any, t Type, path string) (any, error) {
	switch v := raw.(type) {
	case Secret:
		return v, nil
	case map[string]any:
		var tagged struct {
			Secret *Secret `json:"$secret"`
		}
		if err := reencode(v, &tagged); err == nil && tagged.Secret != nil {
			return *tagged.Secret, nil
		}
	}
	return nil, mismatch(path, t, describe(raw))
}

// conformList copies a list only where an element changes: most of what an
// action returns is right already, and may be long.
func conformList(raw any, t Type, path string) (any, error) {
	list, ok := raw.([]any)
	if !ok {
		return nil, mismatch(path, t, describe(raw))
	}
	elem, out := elemOf(t), list
	for i, v := range list {
		if isConform(v, elem) {
			continue
		}
		c, err := conform(v, elem, path+"["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		if &out[0] == &list[0] {
			out = slices.Clone(list)
		}
		out[i] = c
	}
	return out, nil
}

func conformMap(raw any, t Type, path string) (any, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, mismatch(path, t, describe(raw))
	}
	if isConform(m, t) {
		return m, nil
	}
	elem := elemOf(t)
	out := make(map[string]any, max(len(m), len(t.Fields)))
	for _, f := range t.Fields {
		c, err := conform(m[f.Name], f.Type, join(path, f.Name))
		if err != nil {
			return nil, err
		}
		out[f.Name] = c
	}
	for k, v := range m {
		if _, done := out[k]; done {
			continue
		}
		c, err := conform(v, elem, join(path, k))
		if err != nil {
			return nil, err
		}
		out[k] = c
	}
	return out, nil
}

func elemOf(t Type) Type {
	if t.Elem != nil {
		return *t.Elem
	}
	return TypeAny()
}

// isConform reports whether a value is of its type already, so that it needs
// no copy. It may say no where the answer is yes.
func isConform(v any, t Type) bool {
	dynamic := t.Kind == KindAny
	switch v := v.(type) {
	case nil:
		return t.Optional || dynamic || t.Kind == KindNull
	case []any:
		return (dynamic || t.Kind == KindList) && isConformList(v, elemOf(t))
	case map[string]any:
		return (dynamic || t.Kind == KindMap) && isConformMap(v, t)
	default:
		kind, known := kindOf(v)
		return known && (dynamic || t.Kind == kind && allowed(v, t.Enum))
	}
}

// allowed reports whether an enumeration has the value; one without values has every.
func allowed(v any, enum []string) bool {
	s, _ := v.(string)
	return len(enum) == 0 || slices.Contains(enum, s)
}

// kindOf is the kind of a scalar in the form that kind has.
func kindOf(v any) (Kind, bool) {
	switch v := v.(type) {
	case string:
		return KindString, true
	case time.Time:
		return KindTime, v.Location() == time.UTC
	case bool:
		return KindBool, true
	case int64:
		return KindInteger, true
	case float64:
		return KindNumber, true
	case time.Duration:
		return KindDuration, true
	default:
		return "", false
	}
}

func isConformList(list []any, elem Type) bool {
	for _, v := range list {
		if !isConform(v, elem) {
			return false
		}
	}
	return true
}

func isConformMap(m map[string]any, t Type) bool {
	declared := 0
	for _, f := range t.Fields {
		v, there := m[f.Name]
		if !there || !isConform(v, f.Type) {
			return false
		}
		declared++
	}
	if declared == len(m) {
		return true
	}
	elem := elemOf(t)
	for k, v := range m {
		if _, known := t.Field(k); !known && !isConform(v, elem) {
			return false
		}
	}
	return true
}

func conformAny(raw any, path string) (any, error) {
	switch v := raw.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrValue, orValue(path), err)
		}
		return f, nil
	case int:
		return int64(v), nil
	case []any:
		return conformList(v, Type{Kind: KindList}, path)
	case map[string]any:
		return conformMap(v, Type{Kind: KindMap}, path)
	default:
		return raw, nil
	}
}

func asInteger(raw any) (int64, bool) {
	switch v := raw.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func asNumber(raw any) (float64, bool) {
	switch v := raw.(type) {
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	n, ok := asInteger(raw)
	return float64(n), ok
}

func checkEnum(s string, t Type, path string) error {
	if !allowed(s, t.Enum) {
		return mismatch(path, t, strconv.Quote(s))
	}
	return nil
}

func mismatch(path string, t Type, got string) error {
	return fmt.Errorf("%w: %s must be %s, not %s", ErrValue, orValue(path), t, got)
}

func orValue(path string) string {
	if path == "" {
		return "it"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// describe names a value's kind for a message, never its content.
func describe(raw any) string {
	switch raw.(type) {
	case nil:
		return "null"
	case bool:
		return "a bool"
	case string:
		return "a string"
	case int, int64:
		return "an integer"
	case float64, json.Number:
		return "a number"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return fmt.Sprintf("%T", raw)
	}
}

func reencode(from map[string]any, into any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return nil
}
