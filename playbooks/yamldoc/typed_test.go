package yamldoc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestDecodeByDeclaredType(t *testing.T) {
	t.Parallel()
	date := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	person := engine.MapOf(
		engine.Field{Name: "name", Type: engine.TypeString(), Required: true},
		engine.Field{Name: "age", Type: engine.TypeInteger(), Default: int64(7)},
	)
	tests := []struct {
		name, yaml string
		typ        engine.Type
		want       any
	}{
		{"a string of digits", "0777", engine.TypeString(), "0777"},
		{"a string with underscores", "1_000", engine.TypeString(), "1_000"},
		{"a string like a date", "2024-01-02", engine.TypeString(), "2024-01-02"},
		{"a string like a version", "1.10", engine.TypeString(), "1.10"},
		{"a long id", "12345678901234567890", engine.TypeString(), "12345678901234567890"},
		{"a string like a bool", "yes", engine.TypeString(), "yes"},
		{"an integer", "-42", engine.TypeInteger(), int64(-42)},
		{"the greatest integer", "9223372036854775807", engine.TypeInteger(), int64(9223372036854775807)},
		{"a number", "2.5e3", engine.TypeNumber(), 2500.0},
		{"a whole number", "3", engine.TypeNumber(), 3.0},
		{"a bool", "True", engine.TypeBool(), true},
		{"a duration", "1h30m", engine.TypeDuration(), 90 * time.Minute},
		{"a time", `"2024-01-02T01:00:00+01:00"`, engine.TypeTime(), date},
		{"a date", "2024-01-02", engine.TypeTime(), date},
		{"a text", "hi", engine.TypeText(), engine.Text{{S: "hi"}}},
		{"a secret", "env://X", engine.Type{Kind: engine.KindSecret}, "env://X"},
		{"a value of an enumeration", "b", engine.EnumOf("a", "b"), "b"},
		{"nothing", "~", engine.Maybe(engine.TypeInteger()), nil},
		{"a list", "[1, 2]", engine.ListOf(engine.TypeInteger()), []any{int64(1), int64(2)}},
		{"an empty list", "[]", engine.ListOf(engine.TypeInteger()), []any{}},
		{"a map", "{name: 5}", person, map[string]any{"name": "5", "age": int64(7)}},
		{"a map of free keys", "{a: 1h}", engine.DictOf(engine.TypeDuration()), map[string]any{"a": time.Hour}},
		{
			"anything", `{a: 1, b: 1.0, c: 0777, d: 1_000, e: 2024-01-02, f: yes, g: true, h: "1", i: [~, 0x1f], j: 1e3, k: .inf}`, engine.TypeAny(),
			map[string]any{"a": int64(1), "b": 1.0, "c": "0777", "d": "1_000", "e": "2024-01-02", "f": "yes", "g": true, "h": "1", "i": []any{nil, "0x1f"}, "j": 1000.0, "k": ".inf"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, problems := Decode(parse(t, "v: "+tt.yaml+"\n").Get("v"), tt.typ)
			if len(problems) > 0 {
				t.Fatal(Render(problems))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	least, most := int64(1), int64(5)
	person := engine.MapOf(
		engine.Field{Name: "name", Type: engine.TypeString(), Required: true},
		engine.Field{Name: "age", Type: engine.TypeInteger(), Minimum: &least, Maximum: &most},
	)
	tests := []struct {
		name, yaml string
		typ        engine.Type
		want       []string
	}{
		{"a quoted integer", `"5"`, engine.TypeInteger(), []string{`1:4: must be an integer, not the text "5" [type]`}},
		{"octal", "0777", engine.TypeInteger(), []string{`1:4: must be an integer, not 0777 [type]`}},
		{"too great", "9223372036854775808", engine.TypeInteger(), []string{`1:4: must be an integer, not 9223372036854775808 [type]`}},
		{"a fraction", "1.5", engine.TypeInteger(), []string{`1:4: must be an integer, not 1.5 [type]`}},
		{"infinity", ".inf", engine.TypeNumber(), []string{`1:4: must be a number, not .inf [type]`}},
		{"a word for a bool", "yes", engine.TypeBool(), []string{`1:4: must be a bool, not the text "yes" [type]`}},
		{"a duration without a unit", "10", engine.TypeDuration(), []string{`1:4: "10" is not a duration [duration]`}},
		{"a list as duration", "[1]", engine.TypeDuration(), []string{`1:4: must be a duration, not a list [type]`}},
		{"no time", "tomorrow", engine.TypeTime(), []string{`1:4: must be a time, not the text "tomorrow" [type]`}},
		{"a map as string", "{a: 1}", engine.TypeString(), []string{`1:4: must be a string, not a map [type]`}},
		{"nothing", "", engine.TypeString(), []string{`1:3: must be a string, not nothing [type]`}},
		{"nothing in an enumeration", "~", engine.EnumOf("a", "b"), []string{`1:4: must be one of a, b, not nothing [type]`}},
		{"no value of an enumeration", "actve", engine.EnumOf("active", "other"), []string{`1:4: "actve" is not one of active, other (did you mean active?) [enum]`}},
		{"elements", "[1, x, 2, y]", engine.ListOf(engine.TypeInteger()), []string{
			`1:8: must be an integer, not the text "x" [type]`, `1:14: must be an integer, not the text "y" [type]`,
		}},
		{"no list", "1", engine.ListOf(engine.TypeInteger()), []string{`1:4: must be a list of integer, not 1 [type]`}},
		{"fields", "{nam: x, age: 9}", person, []string{
			`1:5: unknown key "nam" in this map (did you mean name?) [unknown-key]`, `1:5: "name" is missing [missing]`, `1:18: age must be at most 5 [range]`,
		}},
		{"below", "{name: x, age: 0}", person, []string{`1:19: age must be at least 1 [range]`}},
		{"free keys", "{a: 1, b: x}", engine.DictOf(engine.TypeInteger()), []string{`1:14: must be an integer, not the text "x" [type]`}},
		{"no map", "[]", person, []string{`1:4: must be a map, not a list [type]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, problems := Decode(parse(t, "v: "+tt.yaml+"\n").Get("v"), tt.typ)
			var got []string
			for _, d := range problems {
				got = append(got, strings.Replace(strings.TrimPrefix(d.Headline(), "f.yaml:"), "error: ", "", 1))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestScalarsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		yaml             string
		boolean, integer bool
		number           bool
	}{
		{yaml: "true", boolean: true},
		{yaml: "FALSE", boolean: true},
		{yaml: "on"},
		{yaml: `"true"`},
		{yaml: "0", integer: true, number: true},
		{yaml: "+7", integer: true, number: true},
		{yaml: "-0", integer: true, number: true},
		{yaml: "+-7"},
		{yaml: "00"},
		{yaml: "0o17"},
		{yaml: "0x1f"},
		{yaml: "1_0"},
		{yaml: "1:30"},
		{yaml: "1.5", number: true},
		{yaml: "1."},
		{yaml: ".5"},
		{yaml: "1e400"},
		{yaml: "'5'"},
		{yaml: "nan"},
	}
	for _, tt := range tests {
		n := parse(t, "v: "+tt.yaml+"\n").Get("v")
		_, boolean := n.Bool()
		_, integer := n.Integer()
		_, number := n.Number()
		if boolean != tt.boolean || integer != tt.integer || number != tt.number {
			t.Errorf("%s: bool %v, integer %v, number %v", tt.yaml, boolean, integer, number)
		}
	}
}

func TestArticle(t *testing.T) {
	t.Parallel()
	for want, typ := range map[string]engine.Type{
		"an integer":       engine.Maybe(engine.TypeInteger()),
		"a bool":           engine.TypeBool(),
		"a list of string": engine.ListOf(engine.TypeString()),
		"one of a, b":      engine.EnumOf("a", "b"),
		"a value":          engine.TypeAny(),
	} {
		if got := Article(typ); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
