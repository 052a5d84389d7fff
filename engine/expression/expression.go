// Package expression checks and evaluates the expressions of playbooks. They
// are written in the language of github.com/expr-lang/expr, but checked by a
// type checker of our own, which knows optional values, enumerations and
// steps that may not have run, and they are bounded and deterministic.
package expression

import (
	"errors"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Scope is the set of names an expression may use. It is immutable; the With
// methods return a new one.
type Scope struct {
	names       []engine.Field    // root names and their types
	unavailable map[string]string // dotted path -> why it cannot be used here
	row         *engine.Type      // for predicates: fields usable as bare names
}

// Problem is one thing wrong with an expression. Offsets are bytes within the source.
type Problem struct {
	Offset, Length int
	Code           string // "syntax", "unknown-name", "unknown-field", "unknown-function", "type", "optional", "enum", "dynamic", "not-run", "bounds", "clash"
	Message        string // what is wrong
	Suggestion     string // the nearest known name, or ""
	Hint           string // what to write instead, or ""
}

// Path is a static read: the root name and the members after it that are plain
// names: steps.lookup.users[0].id is {"steps", "lookup", "users"}.
type Path []string

// Expression is a checked expression. It is immutable and safe for concurrent use.
type Expression struct{}

// ErrEvaluation is wrapped by every error of Eval.
var ErrEvaluation = errors.New("evaluating an expression")

// NewScope makes a scope of root names.
func NewScope(names ...engine.Field) *Scope { return &Scope{names: names} }

// With adds or replaces a root name.
func (s *Scope) With(name string, t engine.Type) *Scope { return s }

// WithUnavailable declares that a dotted path ("steps.review") exists but
// cannot be used here, and why ("it runs later, at line 12").
func (s *Scope) WithUnavailable(path, why string) *Scope { return s }

// WithRow makes the fields of a row usable as bare names; a field that clashes
// with a root name is reported as a "clash" problem when used.
func (s *Scope) WithRow(row engine.Type) *Scope { return s }

// Compile checks source against scope and that its type fits want (KindAny for
// anything). An expression with problems is nil.
func Compile(source string, scope *Scope, want engine.Type) (*Expression, []Problem) {
	return nil, nil
}

// Source is the expression as written.
func (e *Expression) Source() string { return "" }

// Type is the type of its value.
func (e *Expression) Type() engine.Type { return engine.Type{} }

// Reads are the static reads, sorted, without duplicates.
func (e *Expression) Reads() []Path { return nil }

// Eval evaluates against root names. Values are those named at engine.Kind;
// "run" must hold "time". Errors wrap ErrEvaluation and are *engine.Failure of
// class invalid and code engine.CodeExpression; they name the expression and
// the path of the value, never a value.
func (e *Expression) Eval(values map[string]any) (any, error) { return nil, nil }
