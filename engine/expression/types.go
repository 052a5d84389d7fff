package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The zero Type stands for "there is a problem already": nothing more is said
// about a value that has it.

func unknown(t engine.Type) bool { return t.Kind == "" }

func typeNull() engine.Type { return engine.Type{Kind: engine.KindNull} }

func isAny(t engine.Type) bool { return t.Kind == engine.KindAny }

func isNumeric(t engine.Type) bool {
	return t.Kind == engine.KindInteger || t.Kind == engine.KindNumber
}

func isString(t engine.Type) bool {
	return t.Kind == engine.KindString || t.Kind == engine.KindText
}

func isKind(kinds ...engine.Kind) func(engine.Type) bool {
	return func(t engine.Type) bool { return slices.Contains(kinds, t.Kind) }
}

// ordered are the kinds of which one value can be less than another.
func ordered(t engine.Type) bool {
	return isNumeric(t) || isString(t) || t.Kind == engine.KindTime || t.Kind == engine.KindDuration
}

// elem is the type of a list's elements or of the values of a map with free
// keys. A list or map that says nothing about them is dynamic.
func elem(t engine.Type) engine.Type {
	if t.Elem == nil {
		return engine.TypeAny()
	}
	return *t.Elem
}

// maybe is t with an optional value; any holds null already.
func maybe(t engine.Type) engine.Type {
	if isAny(t) || unknown(t) || t.Kind == engine.KindNull {
		return t
	}
	return engine.Maybe(t)
}

// widen forgets which values a string can have.
func widen(t engine.Type) engine.Type {
	t.Enum = nil
	return t
}

// describe is a type with its article, as messages name it.
func describe(t engine.Type) string {
	switch {
	case t.Optional:
		return describe(t.Certain()) + " or nil"
	case t.Kind == engine.KindNull:
		return "nil"
	case isAny(t):
		return "a dynamic value"
	case t.Kind == engine.KindList && t.Elem == nil:
		return "a list"
	case t.Kind == engine.KindInteger:
		return "an integer"
	case len(t.Enum) > 0:
		return "one of " + enumeration(t.Enum)
	}
	return "a " + t.String()
}

func enumeration(values []string) string {
	const shown = 8
	if len(values) > shown {
		return strings.Join(values[:shown], " | ") + " | …"
	}
	return strings.Join(values, " | ")
}

// common is the type that holds the values of both, if there is one.
func (c *checker) common(a, b engine.Type) (engine.Type, bool) {
	switch {
	case unknown(a) || unknown(b):
		return engine.Type{}, true
	case isAny(a) || isAny(b):
		return engine.TypeAny(), true
	case a.Kind == engine.KindNull:
		return maybe(b), true
	case b.Kind == engine.KindNull:
		return maybe(a), true
	}
	t, ok := c.commonCertain(a.Certain(), b.Certain())
	if !ok {
		return engine.Type{}, false
	}
	t.Optional = a.Optional || b.Optional
	return t, true
}

func (c *checker) commonCertain(a, b engine.Type) (engine.Type, bool) {
	switch {
	case isNumeric(a) && isNumeric(b):
		if a.Kind == b.Kind {
			return a, true
		}
		c.mixed = true
		return engine.TypeNumber(), true
	case isString(a) && isString(b):
		return commonString(a, b), true
	case a.Kind != b.Kind:
		return engine.Type{}, false
	case a.Kind == engine.KindList:
		return c.commonList(a, b)
	case a.Kind == engine.KindMap:
		return c.commonMap(a, b)
	}
	return a, true
}

func commonString(a, b engine.Type) engine.Type {
	t := engine.TypeString()
	if len(a.Enum) > 0 && len(b.Enum) > 0 {
		t.Enum = slices.Clone(a.Enum)
		for _, v := range b.Enum {
			if !slices.Contains(t.Enum, v) {
				t.Enum = append(t.Enum, v)
			}
		}
	}
	return t
}

func (c *checker) commonList(a, b engine.Type) (engine.Type, bool) {
	if a.Elem == nil {
		return b, true
	}
	if b.Elem == nil {
		return a, true
	}
	t, ok := c.common(*a.Elem, *b.Elem)
	return engine.ListOf(t), ok
}

// emptied is the type of a node beside another value: an empty map written out
// has the fields of that, each of them missing.
func emptied(n ast.Node, t, beside engine.Type) engine.Type {
	literal, ok := n.(*ast.MapNode)
	if !ok || len(literal.Pairs) > 0 || beside.Kind != engine.KindMap {
		return t
	}
	t.Fields = slices.Clone(beside.Fields)
	for i := range t.Fields {
		t.Fields[i].Type = maybe(t.Fields[i].Type)
	}
	return t
}

// commonMap unites the fields of two maps; those of only one are optional.
func (c *checker) commonMap(a, b engine.Type) (engine.Type, bool) {
	if a.Elem != nil && b.Elem != nil {
		t, ok := c.common(*a.Elem, *b.Elem)
		return engine.DictOf(t), ok
	}
	if len(a.Fields) == 0 || len(b.Fields) == 0 {
		return engine.Type{Kind: engine.KindMap}, true
	}
	out := engine.Type{Kind: engine.KindMap}
	for _, f := range a.Fields {
		other, both := b.Field(f.Name)
		if !both {
			f.Type = maybe(f.Type)
		} else if t, ok := c.common(f.Type, other.Type); ok {
			f.Type = t
		} else {
			return engine.Type{}, false
		}
		out.Fields = append(out.Fields, f)
	}
	for _, f := range b.Fields {
		if _, both := a.Field(f.Name); !both {
			f.Type = maybe(f.Type)
			out.Fields = append(out.Fields, f)
		}
	}
	return out, true
}

// canEqual reports whether values of the two types can be equal at all.
func canEqual(a, b engine.Type) bool {
	loose := func(t engine.Type) bool { return unknown(t) || isAny(t) || t.Kind == engine.KindNull }
	switch {
	case loose(a) || loose(b), isNumeric(a) && isNumeric(b):
		return true
	case isString(a) && isString(b):
		return len(a.Enum) == 0 || len(b.Enum) == 0 || slices.ContainsFunc(a.Enum, func(v string) bool { return slices.Contains(b.Enum, v) })
	case a.Kind != b.Kind:
		return false
	case a.Kind == engine.KindList && a.Elem != nil && b.Elem != nil:
		return canEqual(*a.Elem, *b.Elem)
	}
	return true
}

// assignable reports whether every value of got is one of want. A dynamic
// value is: it is held against want when it is there.
func assignable(got, want engine.Type) bool {
	switch {
	case unknown(got) || unknown(want) || isAny(got) || isAny(want):
		return true
	case got.Kind == engine.KindNull:
		return want.Optional
	case got.Optional && !want.Optional:
		return false
	}
	return assignableKind(got, want)
}

func assignableKind(got, want engine.Type) bool {
	switch want.Kind {
	case engine.KindNumber:
		return isNumeric(got)
	case engine.KindString:
		return isString(got) && assignableEnum(got, want)
	case engine.KindText:
		return printable(got)
	case engine.KindList:
		return got.Kind == engine.KindList && (got.Elem == nil || assignable(*got.Elem, elem(want)))
	case engine.KindMap:
		return got.Kind == engine.KindMap && assignableMap(got, want)
	default:
		return got.Kind == want.Kind
	}
}

func assignableEnum(got, want engine.Type) bool {
	if len(want.Enum) == 0 {
		return true
	}
	return len(got.Enum) > 0 && !slices.ContainsFunc(got.Enum, func(v string) bool { return !slices.Contains(want.Enum, v) })
}

func assignableMap(got, want engine.Type) bool {
	if got.Elem == nil && len(got.Fields) == 0 {
		return true // says nothing about its content: dynamic
	}
	for _, f := range want.Fields {
		have, ok := got.Field(f.Name)
		if !ok && !f.Type.Optional || ok && !assignable(have.Type, f.Type) {
			return false
		}
	}
	if want.Elem == nil {
		return true
	}
	if got.Elem != nil {
		return assignable(*got.Elem, *want.Elem)
	}
	return !slices.ContainsFunc(got.Fields, func(f engine.Field) bool { return !assignable(f.Type, *want.Elem) })
}

// printable reports whether a value can stand within a text as it is.
func printable(t engine.Type) bool {
	return isString(t) || isNumeric(t) || isKind(engine.KindBool, engine.KindTime, engine.KindDuration)(t)
}

// settles reports whether a value of type got must be converted or held
// against want when it is there: it is dynamic, or an integer for a number.
func settles(got, want engine.Type) bool {
	switch {
	case unknown(want) || isAny(want) || unknown(got):
		return false
	case isAny(got), got.Kind == engine.KindInteger && want.Kind == engine.KindNumber:
		return true
	case want.Kind == engine.KindList && got.Kind == engine.KindList:
		return settles(elem(got), elem(want))
	case want.Kind == engine.KindMap && got.Kind == engine.KindMap:
		return settlesMap(got, want)
	}
	return false
}

func settlesMap(got, want engine.Type) bool {
	for _, f := range want.Fields {
		have, ok := got.Field(f.Name)
		if !ok || settles(have.Type, f.Type) {
			return true
		}
	}
	if want.Elem == nil {
		return false
	}
	if len(got.Fields) == 0 {
		return settles(elem(got), *want.Elem)
	}
	return slices.ContainsFunc(got.Fields, func(f engine.Field) bool { return settles(f.Type, *want.Elem) })
}
