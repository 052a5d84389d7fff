package expression

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Value is a tree of literals, expressions, interpolated strings, lists and
// maps: what stands under `with:`, `set:`, `outputs:`. The zero Value is
// nothing at all.
type Value struct {
	form    valueForm
	literal any
	expr    *Expression
	parts   []Part
	list    []Value
	entries []Entry
}

type valueForm int

const (
	formNone valueForm = iota
	formLiteral
	formComputed
	formInterpolated
	formText
	formList
	formMap
	formPredicate
)

// Literal is a constant.
func Literal(v any) Value { return Value{form: formLiteral, literal: v} }

// Computed is one expression, whose value keeps its type.
func Computed(e *Expression) Value { return Value{form: formComputed, expr: e} }

// Part is a stretch of an interpolated string: exactly one of its fields.
type Part struct {
	Literal string
	Expr    *Expression
}

// Interpolated is a string with expressions in it; it evaluates to a string.
// A value that is missing is an error, a list or a map stands as JSON in it.
func Interpolated(parts []Part) Value {
	return Value{form: formInterpolated, parts: slices.Clone(parts)}
}

// TextOf is like Interpolated, but evaluates to an engine.Text that remembers
// which parts were interpolated. A single Computed string becomes one foreign part.
func TextOf(parts []Part) Value { return Value{form: formText, parts: slices.Clone(parts)} }

// ListOf is a list of values.
func ListOf(values []Value) Value { return Value{form: formList, list: slices.Clone(values)} }

// Entry is one member of a map value.
type Entry struct {
	Name  string
	Value Value
}

// MapOf is a map of values.
func MapOf(entries []Entry) Value { return Value{form: formMap, entries: slices.Clone(entries)} }

// PredicateOf is a predicate input: it evaluates to an engine.Predicate whose
// outer names are captured, without evaluating the predicate itself.
func PredicateOf(e *Expression) Value { return Value{form: formPredicate, expr: e} }

// Eval evaluates the tree. Errors are those of Expression.Eval.
func (v Value) Eval(values map[string]any) (any, error) {
	switch v.form {
	case formLiteral:
		return v.literal, nil
	case formComputed:
		return v.expr.Eval(values)
	case formInterpolated:
		text, err := v.text(values)
		return text.String(), err
	case formText:
		return v.text(values)
	case formList:
		return v.evalList(values)
	case formMap:
		return v.evalMap(values)
	case formPredicate:
		return v.expr.capture(values)
	default:
		return nil, nil
	}
}

func (v Value) evalList(values map[string]any) (any, error) {
	out := make([]any, len(v.list))
	for i, item := range v.list {
		value, err := item.Eval(values)
		if err != nil {
			return nil, err
		}
		out[i] = value
	}
	return out, nil
}

func (v Value) evalMap(values map[string]any) (any, error) {
	out := make(map[string]any, len(v.entries))
	for _, entry := range v.entries {
		value, err := entry.Value.Eval(values)
		if err != nil {
			return nil, err
		}
		out[entry.Name] = value
	}
	return out, nil
}

// text puts the parts of an interpolated string together.
func (v Value) text(values map[string]any) (engine.Text, error) {
	out := make(engine.Text, 0, len(v.parts))
	size := 0
	for _, part := range v.parts {
		next := engine.TextPart{S: part.Literal}
		if part.Expr != nil {
			s, err := part.Expr.evalPart(values)
			if err != nil {
				return nil, err
			}
			next = engine.TextPart{S: s, Foreign: true}
		}
		if size += len(next.S); size > maxText {
			return nil, &evaluationError{engine.Fail(engine.ClassInvalid, engine.CodeExpression, "an interpolated string is longer than %d bytes", maxText)}
		}
		out = append(out, next)
	}
	return out, nil
}

// evalPart evaluates to what stands in a string.
func (e *Expression) evalPart(values map[string]any) (string, error) {
	v, err := e.Eval(values)
	if err != nil {
		return "", err
	}
	whole := span{0, len(e.source)}
	if v == nil {
		return "", failed(e.source, whole, "is missing")
	}
	m := meter{left: maxSteps}
	s, err := m.format(v)
	if err != nil {
		return "", failed(e.source, whole, err.Error())
	}
	return s, nil
}

// expressions are all expressions in the tree.
func (v Value) expressions() []*Expression {
	var out []*Expression
	if v.expr != nil {
		out = append(out, v.expr)
	}
	for _, part := range v.parts {
		if part.Expr != nil {
			out = append(out, part.Expr)
		}
	}
	for _, item := range v.list {
		out = append(out, item.expressions()...)
	}
	for _, entry := range v.entries {
		out = append(out, entry.Value.expressions()...)
	}
	return out
}

// Reads are the static reads of all expressions in the tree, sorted, without
// duplicates.
func (v Value) Reads() []Path {
	var reads []Path
	for _, e := range v.expressions() {
		reads = append(reads, e.Reads()...)
	}
	return unique(reads)
}

// Constant is the value where no expression stands in the tree.
func (v Value) Constant() (any, bool) {
	if v.form == formNone || len(v.expressions()) > 0 {
		return nil, false
	}
	value, err := v.Eval(nil)
	return value, err == nil
}

// IsZero reports whether nothing was given at all.
func (v Value) IsZero() bool { return v.form == formNone }
