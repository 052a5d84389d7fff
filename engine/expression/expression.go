// Package expression checks and evaluates the expressions of playbooks. They
// are written in the language of github.com/expr-lang/expr, but checked by a
// type checker of our own, which knows optional values, enumerations and
// steps that may not have run, and they are bounded and deterministic.
package expression

import (
	"errors"
	"slices"

	"github.com/expr-lang/expr/vm"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Problem is one thing wrong with an expression. Offsets are bytes within the source.
type Problem struct {
	Offset, Length int
	Code           string // "syntax", "unknown-name", "unknown-field", "unknown-function", "type", "optional", "enum", "dynamic", "not-run", "bounds", "clash", "secret"; "template" from Scan
	Message        string // what is wrong
	Suggestion     string // the nearest known name, or ""
	Hint           string // what to write instead, or ""
}

// Path is a static read: the root name and the members after it that are plain
// names: steps.lookup.users[0].id is {"steps", "lookup", "users"}.
type Path []string

// Expression is a checked expression. It is immutable and safe for concurrent use.
type Expression struct {
	source   string
	t        engine.Type
	settled  bool // the value must be converted to t, or held against it
	builds   bool // the value can be larger than those it is made from
	reads    []Path
	optional map[string]bool // dotted reads that may be missing
	roots    []root
	program  *vm.Program
	sites    []site
}

// root is a name an evaluation needs.
type root struct {
	name    string
	certain bool // its value must be there
}

// ErrEvaluation is wrapped by every error of Eval.
var ErrEvaluation = errors.New("evaluating an expression")

// Source is the expression as written.
func (e *Expression) Source() string { return e.source }

// Type is the type of its value.
func (e *Expression) Type() engine.Type { return e.t }

// Reads are the static reads, sorted, without duplicates.
func (e *Expression) Reads() []Path {
	out := make([]Path, len(e.reads))
	for i, path := range e.reads {
		out[i] = slices.Clone(path)
	}
	return out
}
