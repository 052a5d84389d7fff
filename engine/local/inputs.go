package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// ReadInputs reads inputs written as text (`-i window=2h`) by their declared
// types: strings as they are, lists and maps as JSON, what has any type as JSON where
// it is that and else as a string, a time as RFC 3339 or as a date. Names that are not declared are kept, for Start to complain about
// everything at once. Errors wrap ErrInputs.
func ReadInputs(declared []engine.Field, given map[string]string) (map[string]any, error) {
	out := make(map[string]any, len(given))
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f, known := engine.FieldNamed(declared, name)
		if !known {
			out[name] = given[name]
			continue
		}
		v, err := readInput(f.Type, given[name])
		if err != nil {
			problems = append(problems, wrong(f, given[name]))
			continue
		}
		out[name] = v
	}
	return out, errors.Join(problems...)
}

func readInput(t engine.Type, s string) (any, error) {
	switch t.Kind {
	case engine.KindString, engine.KindText, engine.KindDuration:
		return engine.Conform(s, t)
	case engine.KindTime:
		if day, err := time.Parse(time.DateOnly, s); err == nil {
			return day, nil
		}
		return engine.Conform(s, t)
	case engine.KindAny:
		if v, err := engine.DecodeJSON([]byte(s), t); err == nil {
			return v, nil
		}
		return s, nil
	default:
		return engine.DecodeJSON([]byte(s), t)
	}
}

func wrong(f engine.Field, got string) error {
	return fmt.Errorf("%w: %s must be %s, not %q", ErrInputs, f.Name, describeType(f.Type), shorten(got, 60))
}

func describeType(t engine.Type) string {
	switch t.Kind {
	case engine.KindDuration:
		return "a duration such as 30m, 24h or 90d"
	case engine.KindTime:
		return "a time such as 2026-01-31T08:00:00Z, or a date"
	case engine.KindList, engine.KindMap:
		return "JSON, a " + t.Certain().String()
	case engine.KindBool:
		return "true or false"
	case engine.KindInteger:
		return "a whole number"
	default:
		return t.Certain().String()
	}
}

// completeInputs checks given inputs against the declaration and fills in the
// defaults: every declared name is there, null where an optional one was not
// given. All problems are reported at once; each wraps ErrInputs.
func completeInputs(declared []engine.Field, given map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(declared))
	var problems []error
	for _, f := range declared {
		v, err := completeInput(f, given)
		problems = append(problems, err)
		out[f.Name] = v
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := engine.FieldNamed(declared, name); !known {
			problems = append(problems, unknownInput(declared, name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return out, nil
}

func completeInput(f engine.Field, given map[string]any) (any, error) {
	v, there := given[f.Name]
	if !there && f.Default != nil {
		v, there = f.Default, true
	}
	if !there && f.Type.Optional {
		return nil, nil
	}
	if !there {
		return nil, fmt.Errorf("%w: %s is required (%s)%s", ErrInputs, f.Name, f.Type.Certain(), docOf(f))
	}
	c, err := engine.Conform(v, f.Type)
	if err != nil {
		return nil, wrong(f, fmt.Sprint(v))
	}
	return c, checkBounds(f, c)
}

func docOf(f engine.Field) string {
	if f.Doc == "" {
		return ""
	}
	return ": " + f.Doc
}

func checkBounds(f engine.Field, v any) error {
	n, isInteger := v.(int64)
	switch {
	case !isInteger:
		return nil
	case f.Minimum != nil && n < *f.Minimum:
		return fmt.Errorf("%w: %s must be at least %d, not %d", ErrInputs, f.Name, *f.Minimum, n)
	case f.Maximum != nil && n > *f.Maximum:
		return fmt.Errorf("%w: %s must be at most %d, not %d", ErrInputs, f.Name, *f.Maximum, n)
	}
	return nil
}

func unknownInput(declared []engine.Field, name string) error {
	names := make([]string, len(declared))
	for i, f := range declared {
		names[i] = f.Name
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: there is no input %q; the playbook has none", ErrInputs, name)
	}
	if nearest := engine.Nearest(name, names); nearest != "" {
		return fmt.Errorf("%w: there is no input %q (did you mean %s?)", ErrInputs, name, nearest)
	}
	return fmt.Errorf("%w: there is no input %q; the playbook has %s", ErrInputs, name, strings.Join(names, ", "))
}

// encodeInputs is the complete inputs as the run keeps them.
func (e *Engine) encodeInputs(inputs map[string]any) (json.RawMessage, error) {
	data, err := engine.EncodeJSON(inputs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInputs, err)
	}
	clean, err := e.config.Redact.JSON(data)
	if err != nil {
		return nil, fmt.Errorf("encoding the inputs: %w", err)
	}
	return clean, nil
}

func shorten(s string, most int) string {
	runes := []rune(strconv.Quote(s))
	if len(runes) <= most {
		return s
	}
	return string([]rune(s)[:most/2]) + "…"
}
