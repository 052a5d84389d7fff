package yamldoc

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Decode reads a literal by its declared type: the Go value engine.Kind names,
// with a KindSecret as its reference text. A map's missing required fields,
// unknown keys and wrong types are all reported.
func Decode(n *Node, t engine.Type) (any, []Diagnostic) {
	if n.Kind() == Null {
		if t.Optional || t.Kind == engine.KindAny || t.Kind == engine.KindNull {
			return nil, nil
		}
		return nil, []Diagnostic{n.wrongType(t)}
	}
	switch t.Kind {
	case engine.KindList:
		return decodeList(n, t)
	case engine.KindMap:
		return decodeMap(n, t)
	case engine.KindAny:
		return decodeAny(n)
	default:
		return decodeScalar(n, t)
	}
}

// DecodeField is Decode that also checks the field's minimum and maximum.
func DecodeField(n *Node, f engine.Field) (any, []Diagnostic) {
	v, problems := Decode(n, f.Type)
	if len(problems) > 0 {
		return v, problems
	}
	if message := OutOfRange(f, v); message != "" {
		return nil, []Diagnostic{n.Errorf("range", "%s", message)}
	}
	return v, nil
}

// OutOfRange says how an integer breaks the field's bounds, or "".
func OutOfRange(f engine.Field, v any) string {
	i, ok := v.(int64)
	switch {
	case ok && f.Minimum != nil && i < *f.Minimum:
		return fmt.Sprintf("%s must be at least %d", f.Name, *f.Minimum)
	case ok && f.Maximum != nil && i > *f.Maximum:
		return fmt.Sprintf("%s must be at most %d", f.Name, *f.Maximum)
	}
	return ""
}

func decodeScalar(n *Node, t engine.Type) (any, []Diagnostic) {
	if n.Kind() != Scalar {
		return nil, []Diagnostic{n.wrongType(t)}
	}
	var value any
	ok := true
	switch t.Kind {
	case engine.KindBool:
		value, ok = n.Bool()
	case engine.KindInteger:
		value, ok = n.Integer()
	case engine.KindNumber:
		value, ok = n.Number()
	case engine.KindTime:
		value, ok = parseTime(n.value)
	case engine.KindDuration:
		return n.Duration()
	case engine.KindText:
		value = engine.Text{{S: n.value}}
	case engine.KindString, engine.KindSecret:
		return decodeString(n, t)
	default:
		ok = false
	}
	if !ok {
		return nil, []Diagnostic{n.wrongType(t)}
	}
	return value, nil
}

func decodeString(n *Node, t engine.Type) (any, []Diagnostic) {
	if len(t.Enum) > 0 && !slices.Contains(t.Enum, n.value) {
		return nil, []Diagnostic{n.Errorf("enum", "%q is not one of %s", clip(n.value), strings.Join(t.Enum, ", ")).
			WithSuggestion(engine.Nearest(n.value, t.Enum))}
	}
	return n.value, nil
}

// Duration is the value of a duration as playbooks write it.
func (n *Node) Duration() (any, []Diagnostic) {
	d, err := engine.ParseDuration(n.Text())
	if err == nil {
		return d, nil
	}
	cause := strings.TrimPrefix(err.Error(), engine.ErrDuration.Error()+": ")
	what, hint, _ := strings.Cut(cause, "; ")
	if n.Kind() != Scalar || !errors.Is(err, engine.ErrDuration) {
		what = n.Describe()
	}
	message := what + " is not a duration"
	if hint == "" && n.Kind() == Scalar { // it is one, but too long
		message = "the duration " + what
	}
	return nil, []Diagnostic{n.Errorf("duration", "%s", message).WithHint("%s", hint)}
}

// parseTime reads RFC 3339, or a date, which is its midnight in UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

func (n *Node) wrongType(t engine.Type) Diagnostic {
	d := n.Errorf("type", "must be %s, not %s", Article(t), n.Describe())
	switch {
	case n.Kind() != Scalar:
		return d
	case t.Kind == engine.KindBool:
		return d.WithHint("write true or false, without quotes")
	case t.Kind == engine.KindInteger:
		return d.WithHint("write a decimal number without quotes, leading zeros or underscores")
	case t.Kind == engine.KindTime:
		return d.WithHint("write a time such as 2026-01-31T08:00:00Z, or a date")
	}
	return d
}

// Article is the type as a noun phrase: "a bool", "an integer", "a list of string".
func Article(t engine.Type) string {
	name := t.Certain().String()
	switch {
	case len(t.Enum) > 0:
		return "one of " + strings.Join(t.Enum, ", ")
	case t.Kind == engine.KindAny:
		return "a value"
	case strings.IndexAny(name, "aeiou") == 0:
		return "an " + name
	default:
		return "a " + name
	}
}

func decodeList(n *Node, t engine.Type) (any, []Diagnostic) {
	if n.Kind() != List {
		return nil, []Diagnostic{n.wrongType(t)}
	}
	elem := engine.TypeAny()
	if t.Elem != nil {
		elem = *t.Elem
	}
	var problems []Diagnostic
	out := make([]any, len(n.items))
	for i, item := range n.items {
		v, p := Decode(item, elem)
		out[i], problems = v, append(problems, p...)
	}
	return out, problems
}

func decodeMap(n *Node, t engine.Type) (any, []Diagnostic) {
	if n.Kind() != Map {
		return nil, []Diagnostic{n.wrongType(t)}
	}
	if t.Elem != nil || len(t.Fields) == 0 {
		return decodeDict(n, t.Elem)
	}
	problems := UnknownKeys(n, "this map", fieldNames(t.Fields))
	out := make(map[string]any, len(t.Fields))
	for _, f := range t.Fields {
		e, given := n.Entry(f.Name)
		switch {
		case given:
			v, p := DecodeField(e.Value, f)
			out[f.Name], problems = v, append(problems, p...)
		case f.Required:
			problems = append(problems, n.FirstKey().Errorf("missing", "%q is missing", f.Name))
		default:
			out[f.Name] = f.Default
		}
	}
	return out, problems
}

func decodeDict(n *Node, elem *engine.Type) (any, []Diagnostic) {
	if elem == nil {
		dynamic := engine.TypeAny()
		elem = &dynamic
	}
	var problems []Diagnostic
	out := make(map[string]any, len(n.entries))
	for _, e := range n.entries {
		v, p := Decode(e.Value, *elem)
		out[e.Name()], problems = v, append(problems, p...)
	}
	return out, problems
}

func fieldNames(fields []engine.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// decodeAny takes only what cannot be misread for something else than text.
func decodeAny(n *Node) (any, []Diagnostic) {
	switch n.Kind() {
	case List:
		return decodeList(n, engine.Type{Kind: engine.KindList})
	case Map:
		return decodeDict(n, nil)
	case Null, Scalar:
	}
	if b, ok := n.Bool(); ok {
		return b, nil
	}
	if i, ok := n.Integer(); ok {
		return i, nil
	}
	if f, ok := n.Number(); ok && math.Trunc(f) != f || ok && strings.ContainsAny(n.value, ".eE") {
		return f, nil
	}
	return n.value, nil
}
