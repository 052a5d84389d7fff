package expression

import (
	"maps"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Scope is the set of names an expression may use. It is immutable; the With
// methods return a new one.
type Scope struct {
	names       []engine.Field    // root names and their types
	unavailable map[string]string // dotted path -> why it cannot be used here
	row         *engine.Type      // for predicates: fields usable as bare names
}

// NewScope makes a scope of root names.
func NewScope(names ...engine.Field) *Scope { return &Scope{names: slices.Clone(names)} }

// With adds or replaces a root name.
func (s *Scope) With(name string, t engine.Type) *Scope {
	next := *s
	next.names = slices.DeleteFunc(slices.Clone(s.names), func(f engine.Field) bool { return f.Name == name })
	next.names = append(next.names, engine.Field{Name: name, Type: t})
	return &next
}

// WithUnavailable declares that a dotted path ("steps.review") exists but
// cannot be used here, and why ("it runs later, at line 12").
func (s *Scope) WithUnavailable(path, why string) *Scope {
	next := *s
	next.unavailable = maps.Clone(s.unavailable)
	if next.unavailable == nil {
		next.unavailable = make(map[string]string)
	}
	next.unavailable[path] = why
	return &next
}

// WithRow makes the fields of a row usable as bare names; a field that clashes
// with a root name is reported as a "clash" problem when used.
func (s *Scope) WithRow(row engine.Type) *Scope {
	next := *s
	next.row = &row
	return &next
}

func (s *Scope) root(name string) (engine.Type, bool) {
	f, ok := engine.FieldNamed(s.names, name)
	return f.Type, ok
}

func (s *Scope) rowField(name string) (engine.Type, bool) {
	if s.row == nil {
		return engine.Type{}, false
	}
	f, ok := s.row.Field(name)
	return f.Type, ok
}

// known are all names an expression can begin with.
func (s *Scope) known() []string {
	names := fieldNames(s.names)
	if s.row != nil {
		names = append(names, fieldNames(s.row.Fields)...)
	}
	return names
}

func fieldNames(fields []engine.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}
