package engine

import "strings"

// Kind is the basic kind of a value in a playbook.
type Kind string

// The kinds of values. The Go value behind each is named in its comment.
const (
	KindAny       Kind = "any"       // declared dynamic: whatever arrives; member access is checked at run time
	KindNull      Kind = "null"      // nil
	KindBool      Kind = "bool"      // bool
	KindInteger   Kind = "integer"   // int64
	KindNumber    Kind = "number"    // float64; accepts integers
	KindString    Kind = "string"    // string
	KindText      Kind = "text"      // Text: a string for people, which remembers what was interpolated into it
	KindTime      Kind = "time"      // time.Time in UTC
	KindDuration  Kind = "duration"  // time.Duration
	KindList      Kind = "list"      // []any
	KindMap       Kind = "map"       // map[string]any: fixed Fields, or free keys with Elem values
	KindPredicate Kind = "predicate" // Predicate: a bool expression over one row, evaluated by the action
	KindType      Kind = "type"      // a type that is written out; only in the input that an action's Shape names
	KindSecret    Kind = "secret"    // Secret: a handle, which only inputs declared so take; in the settings of a connection a secret.Reference
)

// Type is the declared type of a value. The zero Type is invalid.
type Type struct {
	Kind     Kind
	Optional bool     // the value may be null; an expression must say what happens then
	Elem     *Type    // of a list's elements, or of a map's values when its keys are free
	Fields   []Field  // of a map with fixed keys
	Enum     []string // of a string: the only values it can have
	Row      *Type    // of a predicate: the map its bare names come from
}

// Field is one named member of a map type, one input or one output.
type Field struct {
	Name     string
	Type     Type
	Doc      string // one or two sentences; becomes schema description, reference page and editor hover
	Required bool   // of an input without a default
	Default  any    // of an input; nil when there is none
	Minimum  *int64 // of an integer input
	Maximum  *int64 // of an integer input
	Example  string // as it would stand in YAML
	// Needs is what the connection of an action must offer beside what the action
	// needs always, for this input to be given; "" for nothing.
	Needs Capability
}

// TypeAny is a dynamic value.
func TypeAny() Type { return Type{Kind: KindAny} }

// TypeBool is true or false.
func TypeBool() Type { return Type{Kind: KindBool} }

// TypeInteger is a 64-bit integer.
func TypeInteger() Type { return Type{Kind: KindInteger} }

// TypeNumber is a float; an integer fits.
func TypeNumber() Type { return Type{Kind: KindNumber} }

// TypeString is a string.
func TypeString() Type { return Type{Kind: KindString} }

// TypeText is a string for people.
func TypeText() Type { return Type{Kind: KindText} }

// TypeTime is a point in time, UTC.
func TypeTime() Type { return Type{Kind: KindTime} }

// TypeDuration is a span of time.
func TypeDuration() Type { return Type{Kind: KindDuration} }

// EnumOf is the type of a string that can only have the given values.
func EnumOf(values ...string) Type { return Type{Kind: KindString, Enum: values} }

// ListOf is the type of a list.
func ListOf(elem Type) Type { return Type{Kind: KindList, Elem: &elem} }

// MapOf is the type of a map with exactly these fields.
func MapOf(fields ...Field) Type { return Type{Kind: KindMap, Fields: fields} }

// DictOf is the type of a map with free keys.
func DictOf(elem Type) Type { return Type{Kind: KindMap, Elem: &elem} }

// PredicateOver is the type of a predicate whose bare names are the fields of row.
func PredicateOver(row Type) Type { return Type{Kind: KindPredicate, Row: &row} }

// Maybe is t whose value may be missing.
func Maybe(t Type) Type { t.Optional = true; return t }

// Certain is t whose value is there.
func (t Type) Certain() Type { t.Optional = false; return t }

// Field looks a member up by name.
func (t Type) Field(name string) (Field, bool) { return FieldNamed(t.Fields, name) }

// FieldNamed finds the field of that name.
func FieldNamed(fields []Field, name string) (Field, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// String is the type as messages and reference pages write it: "list of
// string", "integer?", "map of time", "active | suspended".
func (t Type) String() string {
	s := string(t.Kind)
	switch {
	case t.Kind == KindList && t.Elem != nil:
		s = "list of " + t.Elem.String()
	case t.Kind == KindMap && t.Elem != nil:
		s = "map of " + t.Elem.String()
	case len(t.Enum) > 0:
		s = strings.Join(t.Enum, " | ")
	}
	if t.Optional {
		s += "?"
	}
	return s
}
