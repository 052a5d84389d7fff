package expression

import (
	"slices"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func fieldsOf(types map[string]engine.Type) engine.Type {
	out := engine.Type{Kind: engine.KindMap}
	for _, name := range []string{"a", "b", "c"} {
		if t, ok := types[name]; ok {
			out.Fields = append(out.Fields, engine.Field{Name: name, Type: t})
		}
	}
	return out
}

func TestCommonTypes(t *testing.T) {
	integer, number, text, maybe := engine.TypeInteger(), engine.TypeNumber(), engine.TypeString(), engine.Maybe
	on, off := engine.EnumOf("on"), engine.EnumOf("off")
	a, ab := fieldsOf(map[string]engine.Type{"a": integer}), fieldsOf(map[string]engine.Type{"a": number, "b": text})
	empty := engine.Type{Kind: engine.KindList}
	tests := []struct {
		a, b engine.Type
		want string // "" for none
	}{
		{integer, integer, "integer"}, {integer, number, "number"}, {integer, text, ""}, {maybe(integer), number, "number?"}, {typeNull(), integer, "integer?"}, {typeNull(), typeNull(), "null"},
		{engine.TypeAny(), integer, "any"}, {engine.TypeAny(), typeNull(), "any"}, {engine.Type{}, integer, ""},
		{on, off, "on | off"}, {on, text, "string"}, {text, engine.TypeText(), "string"}, {maybe(on), on, "on?"},
		{engine.ListOf(integer), engine.ListOf(number), "list of number"}, {empty, engine.ListOf(text), "list of string"}, {engine.ListOf(text), empty, "list of string"}, {engine.ListOf(integer), engine.ListOf(text), ""},
		{engine.DictOf(integer), engine.DictOf(number), "map of number"}, {engine.DictOf(integer), a, "map"}, {a, ab, "map"}, {a, fieldsOf(map[string]engine.Type{"a": text}), ""}, {a, engine.ListOf(integer), ""},
		{engine.TypeTime(), engine.TypeTime(), "time"}, {engine.TypeTime(), engine.TypeDuration(), ""},
	}
	for _, tc := range tests {
		for _, pair := range [][2]engine.Type{{tc.a, tc.b}, {tc.b, tc.a}} {
			got, ok := new(checker).common(pair[0], pair[1])
			slices.Sort(got.Enum)
			want := tc.want
			if want == "on | off" {
				want = "off | on"
			}
			if got.String() != want || !ok && want != "" {
				t.Errorf("%s and %s: got %q, %v, want %q", pair[0], pair[1], got, ok, tc.want)
			}
		}
	}
}

func TestCommonMapsUniteTheirFields(t *testing.T) {
	a := fieldsOf(map[string]engine.Type{"a": engine.TypeInteger(), "b": engine.TypeString()})
	b := fieldsOf(map[string]engine.Type{"a": engine.TypeNumber(), "c": engine.TypeBool()})
	got, ok := new(checker).common(a, b)
	if !ok {
		t.Fatal("none")
	}
	for name, want := range map[string]string{"a": "number", "b": "string?", "c": "bool?"} {
		if f, _ := got.Field(name); f.Type.String() != want {
			t.Errorf("%s is %s, want %s", name, f.Type, want)
		}
	}
}

func TestAssignable(t *testing.T) {
	integer, number, text, maybe := engine.TypeInteger(), engine.TypeNumber(), engine.TypeString(), engine.Maybe
	a, optionalB := fieldsOf(map[string]engine.Type{"a": integer}), fieldsOf(map[string]engine.Type{"a": number, "b": maybe(text)})
	tests := []struct {
		got, want engine.Type
		fits      bool
	}{
		{integer, number, true}, {number, integer, false}, {integer, maybe(integer), true}, {maybe(integer), integer, false}, {typeNull(), maybe(integer), true}, {typeNull(), integer, false},
		{engine.TypeAny(), integer, true}, {maybe(integer), engine.TypeAny(), true}, {engine.TypeBool(), text, false},
		{engine.EnumOf("a"), text, true}, {text, engine.EnumOf("a"), false}, {engine.EnumOf("a"), engine.EnumOf("a", "b"), true}, {engine.EnumOf("a", "c"), engine.EnumOf("a", "b"), false},
		{engine.TypeText(), text, true}, {text, engine.TypeText(), true}, {engine.TypeTime(), engine.TypeText(), true}, {engine.ListOf(text), engine.TypeText(), false},
		{engine.ListOf(integer), engine.ListOf(number), true}, {engine.ListOf(maybe(integer)), engine.ListOf(integer), false}, {engine.Type{Kind: engine.KindList}, engine.ListOf(text), true}, {engine.ListOf(text), engine.Type{Kind: engine.KindList}, true},
		{a, optionalB, true}, {optionalB, a, false}, {a, fieldsOf(map[string]engine.Type{"c": text}), false}, {a, engine.DictOf(number), true}, {a, engine.DictOf(text), false}, {engine.DictOf(integer), engine.DictOf(number), true}, {engine.DictOf(text), a, false},
		{engine.Type{Kind: engine.KindMap}, a, true}, {a, engine.ListOf(integer), false}, {engine.TypeTime(), engine.TypeDuration(), false},
	}
	for _, tc := range tests {
		if got := assignable(tc.got, tc.want); got != tc.fits {
			t.Errorf("%s for %s: %v", tc.got, tc.want, got)
		}
	}
}

func TestSettles(t *testing.T) {
	integer, number, dynamic := engine.TypeInteger(), engine.TypeNumber(), engine.TypeAny()
	tests := []struct {
		got, want engine.Type
		settles   bool
	}{
		{integer, integer, false}, {integer, number, true}, {dynamic, integer, true}, {integer, dynamic, false}, {dynamic, dynamic, false}, {integer, engine.Type{}, false},
		{engine.ListOf(integer), engine.ListOf(number), true}, {engine.ListOf(dynamic), engine.ListOf(integer), true}, {engine.ListOf(integer), engine.ListOf(integer), false},
		{fieldsOf(map[string]engine.Type{"a": integer}), fieldsOf(map[string]engine.Type{"a": integer}), false}, {fieldsOf(map[string]engine.Type{"a": dynamic}), fieldsOf(map[string]engine.Type{"a": integer}), true},
		{fieldsOf(map[string]engine.Type{"a": integer}), fieldsOf(map[string]engine.Type{"a": integer, "b": engine.Maybe(integer)}), true},
		{engine.DictOf(integer), engine.DictOf(number), true}, {fieldsOf(map[string]engine.Type{"a": integer}), engine.DictOf(number), true}, {fieldsOf(map[string]engine.Type{"a": number}), engine.DictOf(number), false},
	}
	for _, tc := range tests {
		if got := settles(tc.got, tc.want); got != tc.settles {
			t.Errorf("%s for %s: %v", tc.got, tc.want, got)
		}
	}
}

func TestDescribe(t *testing.T) {
	tests := map[string]engine.Type{
		"nil": typeNull(), "a dynamic value": engine.TypeAny(), "a list": {Kind: engine.KindList}, "an integer": engine.TypeInteger(), "a string": engine.TypeString(),
		"one of a | b": engine.EnumOf("a", "b"), "a list of string": engine.ListOf(engine.TypeString()), "an integer or nil": engine.Maybe(engine.TypeInteger()),
		"a duration": engine.TypeDuration(), "one of 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | …": engine.EnumOf("1", "2", "3", "4", "5", "6", "7", "8", "9"),
	}
	for want, typ := range tests {
		if got := describe(typ); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
