package yamldoc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// ErrEncode is wrapped by the errors of Encode about a value of another type.
var ErrEncode = errors.New("it cannot be written as YAML")

// Pair is a key of a document that is written, with its value: nil, a
// bool, an int or int64, a float64, a string, a time.Duration, []any,
// map[string]any, or []Pair for a map with an order.
type Pair struct {
	Name  string
	Value any
}

// Encode writes a document so that Parse reads the same values back. Errors
// wrap ErrEncode.
func Encode(document []Pair) ([]byte, error) {
	node, err := encoded(document)
	if err != nil {
		return nil, err
	}
	out, err := yaml.Marshal(node)
	if err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return out, nil
}

func encoded(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case []Pair:
		return encodedMap(v)
	case map[string]any:
		pairs := make([]Pair, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, Pair{Name: name, Value: v[name]})
		}
		return encodedMap(pairs)
	case []any:
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			value, err := encoded(item)
			if err != nil {
				return nil, err
			}
			out.Content = append(out.Content, value)
		}
		return out, nil
	case time.Duration:
		return encoded(engine.FormatDuration(v))
	case nil, bool, int, int64, float64, string:
		out := new(yaml.Node)
		if err := out.Encode(v); err != nil {
			return nil, fmt.Errorf("writing YAML: %w", err)
		}
		return out, nil
	default: // the library would panic
		return nil, fmt.Errorf("%w: %T", ErrEncode, v)
	}
}

func encodedMap(pairs []Pair) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, p := range pairs {
		value, err := encoded(p.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		key := new(yaml.Node)
		key.SetString(p.Name)
		out.Content = append(out.Content, key, value)
	}
	return out, nil
}
