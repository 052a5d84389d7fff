package expression

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Bounds on what is computed.
const (
	maxSteps  = 10_000_000 // predicates evaluated and elements looked at
	maxText   = 1 << 20    // bytes of a string
	maxList   = 1_000_000  // elements of a list
	maxParts  = 10_000_000 // values within a result
	maxBytes  = 64 << 20   // of the strings within a result
	maxMemory = 8_000_000  // values the virtual machine may allot
	textStep  = 256        // bytes of text that cost one step to look at
	matchStep = 64         // bytes of text, times states of a regular expression, that cost one step
	madeStep  = 8          // bytes of text that cost one step to make: memory runs out before time
)

// meter counts what one evaluation costs, so that it ends.
type meter struct{ left int }

// fault is why a value could not be computed. The message is put together
// where the place is known: "`<the argument's path>` <reason>".
type fault struct {
	arg    int // the argument that is to blame; -1 for the whole
	reason string
}

// Error is the reason.
func (f *fault) Error() string { return f.reason }

func errBudget() error {
	return &fault{arg: -1, reason: fmt.Sprintf("takes more than %d steps", maxSteps)}
}

func errTooLong() error {
	return &fault{arg: -1, reason: fmt.Sprintf("is longer than %d bytes", maxText)}
}

func errTooMany() error {
	return &fault{arg: -1, reason: fmt.Sprintf("has more than %d elements", maxList)}
}

func errOverflow() error {
	return &fault{arg: -1, reason: "is beyond what an integer can hold"}
}

// inElement turns a fault of an element into one of the list it is in.
func inElement(err error) error {
	var f *fault
	if errors.As(err, &f) && f.arg >= 0 {
		return &fault{arg: 0, reason: "has an element that " + f.reason}
	}
	return err
}

func (m *meter) charge(steps int) error {
	m.left -= steps
	if m.left < 0 {
		return errBudget()
	}
	return nil
}

func (m *meter) chargeText(size int) error { return m.charge(size / textStep) }

// grow counts elements that are about to be added to a list.
func (m *meter) grow(length, more int) error {
	if length+more > maxList {
		return errTooMany()
	}
	return m.charge(more + 1)
}

// make counts text that is about to be made.
func (m *meter) make(size int) error {
	if size > maxText {
		return errTooLong()
	}
	return m.charge(size / madeStep)
}

// bounded checks a string that was made.
func (m *meter) bounded(s string) (any, error) { return s, m.make(len(s)) }

// textBuilder puts a bounded string together.
type textBuilder struct {
	strings.Builder
	meter *meter
}

func (m *meter) text() *textBuilder { return &textBuilder{meter: m} }

func (b *textBuilder) add(s string) error {
	if b.Len()+len(s) > maxText {
		return errTooLong()
	}
	b.WriteString(s)
	return b.meter.make(len(s))
}

// encode is a value as JSON. It is weighed first: an expression can refer to
// one list a thousand times over without it ever being there twice.
func (m *meter) encode(v any) (string, error) {
	size := scale{parts: maxParts, bytes: maxText}
	if err := size.weigh(v); err != nil {
		return "", errTooLong()
	}
	if err := m.charge(maxParts - size.parts); err != nil {
		return "", err
	}
	data, err := engine.EncodeJSON(v)
	if err != nil {
		return "", &fault{arg: 0, reason: "has no JSON form"}
	}
	return string(data), m.make(len(data))
}

// scale weighs a value that an expression has put together.
type scale struct{ parts, bytes int }

func (s *scale) weigh(v any) error {
	s.parts--
	switch v := v.(type) {
	case string:
		s.bytes -= len(v)
	case []any:
		for _, item := range v {
			if err := s.weigh(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, item := range v {
			s.bytes -= len(k)
			if err := s.weigh(item); err != nil {
				return err
			}
		}
	}
	if s.parts < 0 || s.bytes < 0 {
		return &fault{arg: -1, reason: "is larger than a value can be"}
	}
	return nil
}

// fetched is a value as expressions know it, whatever form it was handed in.
func fetched(v any) any {
	switch v := v.(type) {
	case engine.Text:
		return v.String()
	case int:
		return int64(v)
	case []any:
		return orEmpty(v)
	case map[string]any:
		if v == nil {
			return map[string]any{}
		}
	}
	return v
}

// kindOf names the kind of a value, never the value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "missing"
	case bool:
		return "a bool"
	case int, int64:
		return "an integer"
	case float64:
		return "a number"
	case string, engine.Text:
		return "a string"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a value of another kind"
}

func wrongKind(args []any, i int, want string) error {
	return &fault{arg: i, reason: "is " + kindOf(args[i]) + ", " + want + " is needed"}
}

func asString(args []any, i int) (string, error) {
	switch v := args[i].(type) {
	case string:
		return v, nil
	case engine.Text:
		return v.String(), nil
	}
	return "", wrongKind(args, i, "a string")
}

func asInteger(args []any, i int) (int64, error) {
	switch v := args[i].(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	}
	return 0, wrongKind(args, i, "an integer")
}

func asNumber(args []any, i int) (float64, error) {
	if f, ok := args[i].(float64); ok {
		return f, nil
	}
	n, err := asInteger(args, i)
	if err != nil {
		return 0, wrongKind(args, i, "a number")
	}
	return float64(n), nil
}

func asList(args []any, i int) ([]any, error) {
	if list, ok := args[i].([]any); ok {
		return list, nil
	}
	return nil, wrongKind(args, i, "a list")
}

func asMap(args []any, i int) (map[string]any, error) {
	if m, ok := args[i].(map[string]any); ok {
		return m, nil
	}
	return nil, wrongKind(args, i, "a map")
}
