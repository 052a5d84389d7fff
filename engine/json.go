package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// sizeJSON is about how many bytes a value takes as JSON. A buffer that grows
// step by step to the size of a large list would cost several times that.
func sizeJSON(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case []any:
		n := 2
		for _, elem := range v {
			n += sizeJSON(elem) + 1
		}
		return n
	case map[string]any:
		n := 2
		for k, elem := range v {
			n += len(k) + sizeJSON(elem) + 4
		}
		return n
	case time.Time:
		return len(TimeLayout) + 2
	default:
		return 8
	}
}

// appendJSON is EncodeJSON into a buffer.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v), nil
	case time.Time:
		return appendString(b, v.UTC().Format(TimeLayout)), nil
	case time.Duration:
		return appendString(b, FormatDuration(v)), nil
	case json.RawMessage:
		return append(b, v...), nil
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendMap(b, v)
	case Text:
		return appendTagged(b, "$text", []TextPart(v))
	case Secret:
		return appendTagged(b, "$secret", v)
	case Predicate:
		return appendMap(b, map[string]any{"$predicate": map[string]any{"source": v.Source, "captured": v.Captured}})
	default:
		return nil, fmt.Errorf("%w: a %T has no JSON form", ErrValue, v)
	}
}

// appendFloat keeps a whole number recognisable as a float64, so that it comes
// back as one even where its type is not declared.
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%w: %v is not a number JSON can hold", ErrValue, f)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	if !bytes.ContainsAny(b[start:], ".e") {
		b = append(b, ".0"...)
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			return appendEscaped(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) //nolint:errchkjson // a string always encodes; invalid UTF-8 becomes U+FFFD
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}

func appendList(b []byte, list []any) ([]byte, error) {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendJSON(b, v); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, m map[string]any) ([]byte, error) {
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		var err error
		if b, err = appendJSON(b, m[k]); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return append(b, '}'), nil
}

func appendTagged(b []byte, tag string, v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{tag: v}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrValue, err)
	}
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...), nil
}
