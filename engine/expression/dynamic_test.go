package expression_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// What a function is given by a webhook is known only when it runs. It is then
// held against what the function takes, as the checker would have done.
func TestDynamicArgumentsAreHeldAgainstWhatFunctionsTake(t *testing.T) {
	tests := []struct{ source, message string }{
		{"take(trigger.body.name, 1)", "`trigger.body.name` is a string, a list is needed"},
		{"take(inputs.list, trigger.body.name)", "`trigger.body.name` is a string, an integer is needed"},
		{"take(inputs.list, inputs.n - 9)", "`inputs.n - 9` is negative"},
		{"reverse(trigger.body.n)", "`trigger.body.n` is an integer, a list is needed"},
		{"sort(trigger.body.alert)", "`trigger.body.alert` is a map, a list is needed"},
		{"sort(inputs.list, trigger.body.name)", "is neither \"asc\" nor \"desc\""},
		{"sortBy(trigger.body.name, #)", "`trigger.body.name` is a string, a list is needed"},
		{"sortBy(inputs.list, #, trigger.body.name)", "is neither \"asc\" nor \"desc\""},
		{"uniq(trigger.body.n)", "a list is needed"},
		{"first(trigger.body.n)", "a list is needed"},
		{"last(trigger.body.n)", "a list is needed"},
		{"concat(inputs.list, trigger.body.n)", "`trigger.body.n` is an integer, a list is needed"},
		{"flatten(trigger.body.list)", "`trigger.body.list` has an element that is an integer, a list is needed"},
		{"flatten(trigger.body.n)", "a list is needed"},
		{"join(trigger.body.list)", "has an element that is an integer, a string is needed"},
		{"join(inputs.names, trigger.body.n)", "`trigger.body.n` is an integer, a string is needed"},
		{"keys(trigger.body.n)", "`trigger.body.n` is an integer, a map is needed"},
		{"values(trigger.body.n)", "a map is needed"},
		{"len(trigger.body.n)", "a string, a list or a map is needed"},
		{"abs(trigger.body.name)", "`trigger.body.name` is a string, a number is needed"},
		{"round(trigger.body.name)", "a number is needed"},
		{"mean(trigger.body.name)", "a list is needed"},
		{"max(trigger.body.n)", "a list is needed"},
		{"int(trigger.body.list)", "`trigger.body.list` is a list, a string is needed"},
		{"int(trigger.body.name)", "is not an integer"},
		{"float(trigger.body.list)", "a string is needed"},
		{"float(trigger.body.name)", "is not a number"},
		{"string(trigger.body.none)", "`trigger.body.none` is missing"},
		{"string(trigger.body.list)", "`trigger.body.list` is a list, a single value is needed"},
		{"fromJSON(trigger.body.n)", "a string is needed"},
		{"fromJSON(trigger.body.name)", "is not JSON"},
		{"repeat(trigger.body.n, 2)", "`trigger.body.n` is an integer, a string is needed"},
		{"repeat(inputs.name, trigger.body.name)", "an integer is needed"},
		{"repeat(inputs.name, inputs.n - 9)", "is negative"},
		{"toBase64(trigger.body.n)", "a string is needed"},
		{"ip_in(trigger.body.n, '10.0.0.0/8')", "a string is needed"},
		{"ip_in('10.1.1.1', trigger.body.n)", "a string is needed"},
		{"days(trigger.body.name)", "an integer is needed"},
		{"trigger.body.n[0]", "`trigger.body.n` is an integer, a map or a list is needed"},
		{"trigger.body.list['a']", "`'a'` is a string, an integer is needed"},
		{"trigger.body.n[:1]", "`trigger.body.n` is an integer, a list or a string is needed"},
		{"inputs.list[trigger.body.name:]", "`trigger.body.name` is a string, an integer is needed"},
		{"-trigger.body.name", "`trigger.body.name` is a string, a number or a duration is needed"},
		{"trigger.body.n in trigger.body.alert", "`trigger.body.n` is an integer, a string is needed"},
		{"1 in trigger.body.n", "`trigger.body.n` is an integer, a list or a map is needed"},
		{"trigger.body.n startsWith 'a'", "`trigger.body.n` is an integer, a string is needed"},
		{"any(inputs.names, # contains trigger.body.n)", "`trigger.body.n` is an integer, a string is needed"},
		{"trigger.body.n matches 'a'", "`trigger.body.n` is an integer, a string is needed"},
		{"trigger.body.name matches trigger.body.n", "`trigger.body.n` is an integer, a string is needed"},
		{"1..trigger.body.name", "`trigger.body.name` is a string, an integer is needed"},
	}
	for _, tc := range tests {
		e, problems := expression.Compile(tc.source, testScope(), engine.TypeAny())
		if len(problems) > 0 {
			t.Errorf("%s: %+v", tc.source, problems)
			continue
		}
		v, err := e.Eval(testValues())
		if !errors.Is(err, expression.ErrEvaluation) || !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: want %q, got %v, %v", tc.source, tc.message, v, err)
		}
	}
}

// A text takes whatever can stand in one, but not nothing.
func TestDynamicTexts(t *testing.T) {
	for source, want := range map[string]any{"trigger.body.name": "x", "trigger.body.n": int64(5), "trigger.body.none": nil} {
		e, problems := expression.Compile(source, testScope(), engine.TypeText())
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got, err := e.Eval(testValues())
		if (err != nil) != (want == nil) || err == nil && got != want {
			t.Errorf("%s: want %v, got %v, %v", source, want, got, err)
		}
	}
}
