package machine

import (
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// errInput is wrapped by what is wrong with a computed input.
var errInput = errors.New("the input does not fit")

// invalid is the failure of a step that cannot be evaluated.
func invalid(path string, err error) *engine.Failure {
	f := engine.AsFailure(err)
	if f.Class == classUnforeseen {
		return f
	}
	switch {
	case f.Class == engine.ClassInvalid:
	case errors.Is(err, errInput):
		f.Code = "input"
	case errors.Is(err, errItem):
		f.Code = "list"
	default:
		f.Code = engine.CodeExpression
	}
	f.Class, f.Step = engine.ClassInvalid, path
	return f
}

func (m *Machine) evaluate(e *env, path string, x *expression.Expression) (any, *engine.Failure) {
	names, err := m.names(e, e.code.readsOf(x))
	if err != nil {
		return nil, invalid(path, err)
	}
	v, err := x.Eval(names)
	if err != nil {
		return nil, invalid(path, err)
	}
	return v, nil
}

// condition is whether an expression holds; one that is not there does.
func (m *Machine) condition(e *env, path string, x *expression.Expression) (bool, *engine.Failure) {
	if x == nil {
		return true, nil
	}
	v, fail := m.evaluate(e, path, x)
	if fail != nil {
		return false, fail
	}
	holds, ok := v.(bool)
	if !ok {
		return false, invalid(path, fmt.Errorf("%w: the condition is neither true nor false", engine.ErrValue))
	}
	return holds, nil
}

// text evaluates a value for people. While looking ahead it says what it cannot
// know yet.
func (m *Machine) text(e *env, path string, v expression.Value) (string, *engine.Failure) {
	names, err := m.names(e, v.Reads())
	if err != nil {
		fail := invalid(path, err)
		if fail.Class == classUnforeseen {
			return "(known only after " + fail.Step + ")", nil
		}
		return "", fail
	}
	out, err := v.Eval(names)
	if err != nil {
		return "", invalid(path, err)
	}
	s, _ := written(out)
	return s, nil
}

// computed evaluates a value that is not for people.
func (m *Machine) computed(f *frame, v expression.Value) (any, *engine.Failure) {
	names, err := m.names(f.env, v.Reads())
	if err != nil {
		return nil, invalid(f.path, err)
	}
	out, err := v.Eval(names)
	if err != nil {
		return nil, invalid(f.path, err)
	}
	return out, nil
}

// assigned evaluates what a `set` assigns.
func (m *Machine) assigned(f *frame) (map[string]any, *engine.Failure) {
	list, path := f.node.Set, f.path
	names, err := m.names(f.env, f.code.inputReads(f.node, list))
	if err != nil {
		return nil, invalid(path, err)
	}
	out := make(map[string]any, len(list))
	for _, a := range list {
		v, err := a.Value.Eval(names)
		if err == nil && v != nil && a.Type.Kind != "" {
			v, err = engine.Conform(v, a.Type)
		}
		if err != nil {
			return nil, invalid(path, fmt.Errorf("%s: %w", a.Name, err))
		}
		out[a.Name] = v
	}
	return out, nil
}

// arguments evaluates the inputs of an action or a called playbook: those
// given, then the declared defaults. A null counts as not given; an optional
// input without a default that is not given is absent.
func (m *Machine) arguments(f *frame, given []program.Assignment, declared []engine.Field) (map[string]any, *engine.Failure) {
	names, err := m.names(f.env, f.code.inputReads(f.node, given))
	if err != nil {
		return nil, invalid(f.path, err)
	}
	args := make(map[string]any, len(declared))
	for _, a := range given {
		v, err := a.Value.Eval(names)
		if err != nil {
			return nil, invalid(f.path, fmt.Errorf("%s: %w", a.Name, err))
		}
		if v != nil {
			args[a.Name] = v
		}
	}
	for i := range declared {
		if err := settle(args, &declared[i]); err != nil {
			return nil, invalid(f.path, err)
		}
	}
	return args, nil
}

// settle gives one declared input its default, type and bounds.
func settle(args map[string]any, field *engine.Field) error {
	v, ok := args[field.Name]
	if !ok {
		v = field.Default
	}
	switch {
	case v == nil && field.Required:
		return fmt.Errorf("%w: %s is missing", errInput, field.Name)
	case v == nil:
		return nil
	}
	v, err := engine.Conform(v, field.Type)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errInput, field.Name, err)
	}
	if n, ok := v.(int64); ok {
		if field.Minimum != nil && n < *field.Minimum || field.Maximum != nil && n > *field.Maximum {
			return fmt.Errorf("%w: %s is out of its bounds", errInput, field.Name)
		}
	}
	args[field.Name] = v
	return nil
}
