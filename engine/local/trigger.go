package local

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// TriggerInputs are the inputs that one of a playbook's triggers gives a run:
// its `with`, evaluated over what triggered it, as `trigger` is in expressions.
// One that is null counts as not given. Errors wrap ErrInputs and hold no value.
func (e *Engine) TriggerInputs(p *program.Program, t program.Trigger, trigger json.RawMessage) (map[string]any, error) {
	if t.With.IsZero() {
		return map[string]any{}, nil
	}
	names, err := triggerNames(t, trigger)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInputs, p.Name, err)
	}
	made, err := t.With.Eval(names)
	if err != nil {
		return nil, fmt.Errorf("%w: making the inputs of %s by its trigger: %w", ErrInputs, p.Name, err)
	}
	inputs, ok := made.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: the trigger of %s makes no map of inputs", ErrInputs, p.Name)
	}
	for name, v := range inputs {
		if v == nil {
			delete(inputs, name)
		}
	}
	return inputs, nil
}

// DedupeKey is what a webhook's `dedupe` makes of what triggered a run: a text,
// or a whole number in decimal. Errors wrap ErrInputs and hold no value.
func DedupeKey(t program.Trigger, trigger json.RawMessage) (string, error) {
	names, err := triggerNames(t, trigger)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInputs, err)
	}
	made, err := t.Dedupe.Eval(names)
	if err != nil {
		return "", fmt.Errorf("%w: making the key of `dedupe`: %w", ErrInputs, err)
	}
	switch v := made.(type) {
	case string:
		if v != "" {
			return v, nil
		}
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return "", fmt.Errorf("%w: `dedupe` makes neither a text that is not empty nor a whole number", ErrInputs)
}

// triggerNames is `trigger` as the expressions of one trigger see it.
func triggerNames(t program.Trigger, trigger json.RawMessage) (map[string]any, error) {
	v, err := engine.DecodeJSON(trigger, program.TriggerType([]program.Trigger{t}))
	if err != nil { // its text may hold a value
		return nil, fmt.Errorf("%w: what triggered it does not have the declared shape", engine.ErrValue)
	}
	return map[string]any{"trigger": v}, nil
}
