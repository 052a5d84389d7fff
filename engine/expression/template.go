package expression

import "github.com/drawbridge-soar/drawbridge/engine"

// Segment is a stretch of a string that may hold ${{ … }}.
type Segment struct {
	Literal string // text outside; "$${{" stands for a literal "${{"
	Source  string // the expression inside, without the braces and outer space
	IsExpr  bool
	Offset  int // byte offset of Literal or Source in the scanned string
}

// Scan splits a string at its ${{ … }}, minding string literals inside them.
// An unclosed one is a problem.
func Scan(s string) ([]Segment, []Problem) { return nil, nil }

// Value is a tree of literals, expressions, interpolated strings, lists and
// maps: what stands under `with:`, `set:`, `outputs:`.
type Value struct{}

// Literal is a constant.
func Literal(v any) Value { return Value{} }

// Computed is one expression, whose value keeps its type.
func Computed(e *Expression) Value { return Value{} }

// Part is a stretch of an interpolated string: exactly one of its fields.
type Part struct {
	Literal string
	Expr    *Expression
}

// Interpolated is a string with expressions in it; it evaluates to a string.
func Interpolated(parts []Part) Value { return Value{} }

// TextOf is like Interpolated, but evaluates to an engine.Text that remembers
// which parts were interpolated. A single Computed string becomes one foreign part.
func TextOf(parts []Part) Value { return Value{} }

// ListOf is a list of values.
func ListOf(values []Value) Value { return Value{} }

// Entry is one member of a map value.
type Entry struct {
	Name  string
	Value Value
}

// MapOf is a map of values.
func MapOf(entries []Entry) Value { return Value{} }

// PredicateOf is a predicate input: it evaluates to an engine.Predicate whose
// outer names are captured, without evaluating the predicate itself.
func PredicateOf(e *Expression) Value { return Value{} }

// Eval evaluates the tree.
func (v Value) Eval(values map[string]any) (any, error) { return nil, nil }

// Reads are the static reads of all expressions in the tree.
func (v Value) Reads() []Path { return nil }

// Constant is the value where no expression stands in the tree.
func (v Value) Constant() (any, bool) { return nil, false }

// IsZero reports whether nothing was given at all.
func (v Value) IsZero() bool { return true }

// Predicate is a compiled predicate over rows. It reuses memory between calls
// and must not be used by several goroutines at once.
type Predicate struct{}

// CompilePredicate compiles what the machine handed to an action, for rows of
// the declared type.
func CompilePredicate(p engine.Predicate, row engine.Type) (*Predicate, error) { return nil, nil }

// Match evaluates it over one row.
func (p *Predicate) Match(row map[string]any) (bool, error) { return false, nil }
