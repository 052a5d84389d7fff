package expression

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// evaluationError is a *engine.Failure to those who look for one, and
// ErrEvaluation to the others.
type evaluationError struct{ failure *engine.Failure }

// Error is the failure's message.
func (e *evaluationError) Error() string { return e.failure.Message }

// Unwrap gives both.
func (e *evaluationError) Unwrap() []error { return []error{e.failure, ErrEvaluation} }

// failed is the error for a part of an expression.
func failed(source string, where span, reason string) error {
	expression := clip(source)
	part := clip(source[where.from:where.to])
	message := fmt.Sprintf("evaluating %#q: %#q %s", expression, part, reason)
	if part == expression {
		message = fmt.Sprintf("evaluating %#q: it %s", expression, reason)
	}
	return &evaluationError{engine.Fail(engine.ClassInvalid, engine.CodeExpression, "%s", message)}
}

func missingRoot(source, name string) error {
	return &evaluationError{engine.Fail(engine.ClassInvalid, engine.CodeExpression, "evaluating `%s`: `%s` is missing", clip(source), name)}
}

// Eval evaluates against root names. Values are those named at engine.Kind;
// "run" must hold "time". Errors wrap ErrEvaluation and are *engine.Failure of
// class invalid and code engine.CodeExpression; they name the expression and
// the path of the value, never a value.
func (e *Expression) Eval(values map[string]any) (any, error) {
	env := make(map[string]any, len(e.roots)+1)
	for _, r := range e.roots {
		v := fetched(values[r.name])
		if v == nil && r.certain {
			return nil, missingRoot(e.source, r.name)
		}
		env[r.name] = v
	}
	env[meterName] = &meter{left: maxSteps}
	machine := vm.VM{MemoryBudget: maxMemory}
	v, err := machine.Run(e.program, env)
	if err != nil {
		return nil, explain(e.source, e.sites, &machine, err)
	}
	return e.settle(v)
}

// settle brings a value into the form its type promises.
func (e *Expression) settle(v any) (any, error) {
	whole := span{0, len(e.source)}
	v = fetched(v)
	if e.builds {
		size := scale{parts: maxParts, bytes: maxBytes}
		if err := size.weigh(v); err != nil {
			return nil, failed(e.source, whole, err.Error())
		}
	}
	if s, ok := v.(string); ok && len(s) > maxText {
		return nil, failed(e.source, whole, errTooLong().Error())
	}
	if !e.settled {
		return v, nil
	}
	t := e.t
	if t.Kind == engine.KindText {
		return e.settleText(v)
	}
	out, err := engine.Conform(v, t)
	if err != nil { // its text may hold the value
		return nil, failed(e.source, whole, "must be "+describe(t)+", it is "+kindOf(v))
	}
	return out, nil
}

// settleText takes what can stand in a text for one.
func (e *Expression) settleText(v any) (any, error) {
	if v == nil && !e.t.Optional {
		return nil, failed(e.source, span{0, len(e.source)}, "is missing")
	}
	return v, nil
}

// explain says what went wrong in the machine. Its own messages are left out:
// they can hold values, and speak of Go's types.
func explain(source string, sites []site, machine *vm.VM, err error) error {
	where, reason := span{0, len(source)}, "has a value that is not of its declared type"
	var at *file.Error
	if errors.As(err, &at) && at.From >= 0 && at.From < len(sites) {
		where = sites[at.From].where
	}
	var f *fault
	switch {
	case errors.As(err, &f):
		reason = f.reason
		if f.arg >= 0 && at != nil && at.From < len(sites) && f.arg < len(sites[at.From].args) {
			where = sites[at.From].args[f.arg]
		}
	case at != nil && at.Message == "memory budget exceeded":
		reason = "makes too many values"
	}
	if n := len(machine.Scopes); n > 0 {
		reason += fmt.Sprintf(" (at index %d)", machine.Scopes[n-1].Index)
	}
	return failed(source, where, reason)
}
