package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// readInputs reads -i name=value by the declared types.
func readInputs(declared []engine.Field, given []string) (map[string]any, error) {
	texts := map[string]string{}
	for _, pair := range given {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usage("an input is written as name=value, not %q", pair)
		}
		if _, twice := texts[name]; twice {
			return nil, usage("the input %q is given twice", name)
		}
		f, _ := engine.FieldNamed(declared, name)
		texts[name] = listed(f.Type, value)
	}
	inputs, err := local.ReadInputs(declared, texts)
	if err != nil {
		return nil, &exitError{code: exitUsage, err: fmt.Errorf("reading the inputs: %w", err)}
	}
	return inputs, nil
}

// listed turns a,b into the JSON of a list, where a list is wanted: that is
// what people type.
func listed(t engine.Type, value string) string {
	if t.Kind != engine.KindList || strings.HasPrefix(strings.TrimSpace(value), "[") {
		return value
	}
	parts := []json.RawMessage{}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		text, err := json.Marshal(part)
		if err != nil {
			return value
		}
		if t.Elem != nil && bare(t.Elem.Kind) {
			text = []byte(part)
		}
		parts = append(parts, text)
	}
	whole, err := json.Marshal(parts)
	if err != nil { // an element is no JSON: let the reader say so
		return value
	}
	return string(whole)
}

// bare reports whether values of a kind stand without quotes in JSON.
func bare(k engine.Kind) bool {
	switch k {
	case engine.KindInteger, engine.KindNumber, engine.KindBool:
		return true
	default:
		return false
	}
}
