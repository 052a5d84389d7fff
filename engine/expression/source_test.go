package expression

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// Every node knows the stretch of text it was read from.
func TestSpans(t *testing.T) {
	tests := map[string]string{ // source: the text of each node, from the outside in
		"a":                     "Identifier a",
		"a.b":                   "Member a.b|Identifier a|String b",
		"(a + b) * c":           "Binary (a + b) * c|Binary a + b|Identifier a|Identifier b|Identifier c",
		"a[0][1:2]":             "Slice a[0][1:2]|Member a[0]|Identifier a|Integer 0|Integer 1|Integer 2",
		"a?.b":                  "Chain a?.b|Member a?.b|Identifier a|String b",
		"a?.[0]":                "Chain a?.[0]|Member a?.[0]|Identifier a|Integer 0",
		"not a":                 "Unary not a|Identifier a",
		"a not in b":            "Unary a not in b|Binary a not in b|Identifier a|Identifier b",
		"f()":                   "Call f()|Identifier f",
		"len( x )":              "Builtin len( x )|Identifier x",
		"x | len()":             "Builtin x | len()|Identifier x",
		"x | f((1))":            "Call x | f((1))|Identifier f|Identifier x|Integer 1",
		"any(x, .y)":            "Builtin any(x, .y)|Identifier x|Predicate .y|Member .y|Pointer .|String y",
		"map(x, {#index})":      "Builtin map(x, {#index})|Identifier x|Predicate {#index}|Pointer #index",
		"c ? (a) : [b]":         "Conditional c ? (a) : [b]|Identifier c|Identifier a|Array [b]|Identifier b",
		"{a: 1}":                "Map {a: 1}|Pair a: 1|String a|Integer 1",
		"let v = 1; v":          "VariableDeclarator let v = 1; v|Integer 1|Identifier v",
		"'é' + [\"ü\"][0] ?? x": "Binary 'é' + [\"ü\"][0] ?? x|String 'é'|Binary [\"ü\"][0] ?? x|Member [\"ü\"][0]|Array [\"ü\"]|String \"ü\"|Integer 0|Identifier x",
		"-1.5e3":                "Unary -1.5e3|Float 1.5e3",
		"a /* é */ == nil":      "Binary a /* é */ == nil|Identifier a|Nil nil",
		"if a { b } else { c }": "Conditional a { b } else { c }|Identifier a|Identifier b|Identifier c",
	}
	for text, want := range tests {
		src, root, problem := parse(text)
		if problem != nil {
			t.Errorf("%s: %+v", text, problem)
			continue
		}
		if got := strings.Join(outline(src, root), "|"); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func outline(src *source, n ast.Node) []string {
	where := src.span(n)
	kind := strings.TrimSuffix(reflect.TypeOf(n).Elem().Name(), "Node")
	out := []string{kind + " " + src.text[where.from:where.to]}
	for _, child := range children(n) {
		out = append(out, outline(src, child)...)
	}
	return out
}

func TestClip(t *testing.T) {
	if got := clip("a\n  b\tc"); got != "a b c" {
		t.Errorf("got %q", got)
	}
	if got := []rune(clip(strings.Repeat("é", 200))); len(got) != 80 || got[79] != '…' {
		t.Errorf("got %d characters", len(got))
	}
}

// Every builtin of the library is either ours, with its own check, or left out
// with a word on what to use.
func TestNoBuiltinOfTheLibraryIsForgotten(t *testing.T) {
	c := newChecker(nil, NewScope())
	for _, name := range builtin.Names {
		_, isRemoved := removed(name)
		if known := c.functionNamed(name) != nil; known == isRemoved {
			t.Errorf("%s: ours %v, left out %v", name, known, isRemoved)
		}
	}
	if !slices.Contains(builtin.Names, "filter") {
		t.Error("the library's list has moved")
	}
}
