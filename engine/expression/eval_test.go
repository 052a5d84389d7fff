package expression_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

type evalCase struct {
	source string
	want   any
}

func evalCases() []evalCase {
	date := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	list := func(items ...any) []any { return slices.Clip(append([]any{}, items...)) }
	return []evalCase{
		// literals and paths
		{"1", int64(1)}, {"1.5", 1.5}, {"'a'", "a"}, {"`a`", "a"}, {"true", true}, {"nil", nil}, {"0x10", int64(16)},
		{"inputs.n", int64(5)}, {"inputs['name']", "Ada"}, {"inputs.list[0]", int64(3)}, {"inputs.list[-1]", int64(2)},
		{"inputs.labels.team", "red"}, {"inputs.labels['en' + 'v']", "prod"}, {"inputs.text", "ab"}, {"inputs.text + '!'", "ab!"},
		{"steps.lookup.users[1].email", "bob@example.com"}, {"trigger.body.alert.severity", "high"}, {"trigger.body['n']", int64(5)},
		{"trigger.body.none", nil}, {"trigger.body.list[1]", int64(2)},
		// what may be missing
		{"user.dept", nil}, {"user.dept ?? 'none'", "none"}, {"steps.lookup.user.dept ?? 'none'", "IT"},
		{"user.dept == nil", true}, {"steps.lookup.user.dept != nil", true}, {"user.manager?.id", nil}, {"user.manager?.phone", nil},
		{"steps.lookup.user.manager?.id ?? 'nobody'", "alice"}, {"steps.lookup.user.manager?.phone ?? 'none'", "none"},
		{"steps.review?.approved ?? false", false}, {"steps.review?.by[0] ?? 'x'", "x"}, {"steps.review == nil", true},
		{"trigger.body?.nothing", nil}, {"trigger.body?.nothing.more.than[3]", nil}, {"trigger.body.nothing.more ?? 'd'", "d"}, {"trigger.body.nothing ?? 7", int64(7)},
		{"inputs.list?.[10]", nil}, {"inputs.list[10] ?? 0", int64(0)}, {"inputs.labels?.nothing", nil}, {"inputs.labels.nothing ?? 'x'", "x"},
		{"inputs.labels?.['team']", "red"}, {"first([]) == nil", true}, {"find(steps.lookup.users, .id == 'bob')?.email ?? ''", "bob@example.com"},
		{"find(steps.lookup.users, .id == 'x')?.email", nil},
		{"inputs.limit != nil && inputs.limit > 3", false}, {"inputs.limit == nil || inputs.limit > 3", true},
		{"steps.lookup.user.dept != nil ? lower(steps.lookup.user.dept) : ''", "it"}, {"!(user.dept == nil) && user.dept == 'IT'", false},
		{"steps.lookup.user.manager != nil && steps.lookup.user.manager.id == 'alice'", true},
		{"steps.lookup.user.manager?.id != nil ? steps.lookup.user.manager.id : ''", "alice"},
		{"filter(steps.lookup.users, .dept != nil && .dept == 'IT') | map(.id)", list("bob")},
		{"map(steps.lookup.users, .dept) | filter(# != nil) | sort()", list("IT")}, {"filter([1, nil], # != nil && # > 0) | sum()", int64(1)},
		{"let d = steps.lookup.user.dept; d != nil ? d + '!' : ''", "IT!"},
		// arithmetic
		{"1 + 2 * 3", int64(7)}, {"7 / 2", 3.5}, {"6 / 2", 3.0}, {"7 % 4", int64(3)}, {"-7 % 4", int64(-3)}, {"2 ** 10", 1024.0}, {"2 ^ 3", 8.0},
		{"inputs.n + 0.5", 5.5}, {"-inputs.n", int64(-5)}, {"+inputs.n", int64(5)}, {"-inputs.ratio", -2.5}, {"'a' + 'b'", "ab"}, {"trigger.body.n + 1", int64(6)},
		{"trigger.body.name + 'y'", "xy"}, {"1_000", int64(1000)},
		{"run.time - days(1)", date(2026, 2, 28).Add(12 * time.Hour)}, {"inputs.window + hours(1)", 25 * time.Hour}, {"hours(1) + run.time", date(2026, 3, 1).Add(13 * time.Hour)},
		{"run.time - inputs.since", 59*24*time.Hour + 12*time.Hour}, {"inputs.window * 2", 48 * time.Hour}, {"2 * inputs.window", 48 * time.Hour}, {"inputs.window / 5", 288 * time.Minute},
		{"inputs.window * 1.5", 36 * time.Hour}, {"inputs.window / hours(2)", 12.0}, {"-inputs.window", -24 * time.Hour}, {"inputs.window - hours(25)", -time.Hour},
		{"ago('1d')", date(2026, 2, 28).Add(12 * time.Hour)}, {"ago(inputs.window)", date(2026, 2, 28).Add(12 * time.Hour)}, {"user.created_at < ago('90d')", true},
		// comparisons
		{"inputs.n == 5", true}, {"inputs.n == 5.0", true}, {"inputs.n != 5", false}, {"inputs.ratio > 2", true}, {"1 < inputs.n < 6", true}, {"1 < inputs.n < 5", false},
		{"'a' < 'b'", true}, {"'b' >= 'b'", true}, {"run.time > inputs.since", true}, {"inputs.window <= days(1)", true}, {"inputs.list == [3, 1, 2]", true}, {"inputs.list == [3, 1]", false},
		{"{a: 1, b: [2]} == {b: [2], a: 1}", true}, {"{a: 1} == {a: 2}", false}, {"trigger.body.n == 5", true}, {"trigger.body.n == 'x'", false}, {"trigger.body.f > 2", true}, {"trigger.body.name < 'y'", true},
		{"inputs.text == 'ab'", true}, {"inputs.flag == true", true}, {"inputs.flag != true", false}, {"time('2026-01-01T01:00:00+01:00') == inputs.since", true},
		{"true && !false", true}, {"false || not true", false}, {"trigger.body.flag && true", true}, {"inputs.flag ? 'y' : 'n'", "y"}, {"if inputs.flag { 1 } else { 2 }", int64(1)},
		{"false && 1 / inputs.n > 0", false}, {"inputs.n > 0 ?: 1 == 1", true},
		// membership and text
		{"2 in inputs.list", true}, {"9 in inputs.list", false}, {"9 not in inputs.list", true}, {"'team' in inputs.labels", true}, {"user.state in ['active']", true}, {"trigger.body.name in ['x', 'y']", true},
		{"inputs.name contains 'd'", true}, {"inputs.name startsWith 'A'", true}, {"inputs.name endsWith 'x'", false}, {"inputs.name not contains 'z'", true},
		{"inputs.name matches '^A.a$'", true}, {"inputs.name matches ('^' + 'A')", true}, {"trigger.body.name matches 'x'", true}, {"trigger.body.name contains 'x'", true},
		{"any(inputs.names, # matches '^x')", true}, {"any(inputs.names, # startsWith 'y')", true}, {"any(inputs.names, # endsWith inputs.name)", false}, {"inputs.text contains 'b'", true},
		// lists
		{"[1, 2.5]", list(1.0, 2.5)}, {"[]", list()}, {"1..3", list(int64(1), int64(2), int64(3))}, {"3..1", list()}, {"inputs.list[1:]", list(int64(1), int64(2))}, {"inputs.list[:-1]", list(int64(3), int64(1))},
		{"inputs.list[5:9]", list()}, {"'héllo'[1:3]", "él"}, {"{a: 1, 'b c': 'x'}", map[string]any{"a": int64(1), "b c": "x"}}, {"{('a' + 'b'): 1}", map[string]any{"ab": int64(1)}}, {"{}", map[string]any{}},
		{"map(inputs.list, # * 2)", list(int64(6), int64(2), int64(4))}, {"map(inputs.list, #index)", list(int64(0), int64(1), int64(2))}, {"filter(inputs.list, # > 1)", list(int64(3), int64(2))},
		{"steps.lookup.users | filter(.failed > 3) | map(.email)", list("alice@example.com")}, {"count(inputs.list, # > 1)", int64(2)}, {"count([true, false])", int64(1)},
		{"all(inputs.list, # > 0) && any(inputs.list, # > 2) && none(inputs.list, # > 3) && one(inputs.list, # > 2)", true},
		{"findIndex(inputs.list, # == 1)", int64(1)}, {"findIndex(inputs.list, # == 9)", nil}, {"findLast(inputs.list, # > 1)", int64(2)},
		{"reduce(inputs.list, #acc + #, 10)", int64(16)}, {"reduce(inputs.names, #acc + #, '')", "xy"}, {"reduce([], #acc, 1)", int64(1)},
		{"sum(inputs.list)", int64(6)}, {"sum(steps.lookup.users, .failed)", int64(9)}, {"sum([])", int64(0)}, {"sum(inputs.ratios)", 3.5}, {"sum(inputs.windows)", 61 * time.Minute}, {"sum(filter(inputs.windows, # > days(9)))", time.Duration(0)},
		{"sum(filter(inputs.ratios, # > 9))", 0.0},
		{"sortBy(steps.lookup.users, .failed) | map(.id)", list("bob", "alice")}, {"sortBy(steps.lookup.users, .failed, 'desc')[0].id", "alice"}, {"sortBy([[1, 2], [0, 3]], #[0])[0]", list(int64(0), int64(3))},
		{"map(sortBy([{k: 1, v: 'a'}, {k: 0, v: 'b'}, {k: 1, v: 'c'}], .k), .v)", list("b", "a", "c")},
		{"groupBy(steps.lookup.users, .state) | keys()", list("active", "suspended")}, {"len(groupBy(steps.lookup.users, .state).active)", int64(1)},
		{"filter(steps.lookup.users, any(.tags, # == 'a')) | len()", int64(2)}, {"filter(steps.lookup.users, {let u = #; any(inputs.list, # == u.failed - 4)}) | map(.id)", list("alice")},
		{"map(inputs.list, ({n: #}))[0].n", int64(3)},
		{"sort(inputs.list)", list(int64(1), int64(2), int64(3))}, {"reverse(inputs.list)", list(int64(2), int64(1), int64(3))}, {"uniq([1, 2, 1, 3])", list(int64(1), int64(2), int64(3))}, {"uniq([[1], [1]])", list(list(int64(1)))},
		{"concat(inputs.list, [9])", list(int64(3), int64(1), int64(2), int64(9))}, {"flatten(map(steps.lookup.users, .tags))", list("a", "b", "a", "b")}, {"take(inputs.list, 9)", list(int64(3), int64(1), int64(2))},
		{"first(inputs.list) ?? 0", int64(3)}, {"last(inputs.list) ?? 0", int64(2)}, {"join(inputs.names)", "xy"}, {"join(inputs.names, ', ')", "x, y"}, {"values(inputs.labels)", list("prod", "red")}, {"keys(trigger.body.alert)", list("severity")},
		{"len(inputs.labels)", int64(2)}, {"len('日本')", int64(2)}, {"min(inputs.list)", int64(1)}, {"max([])", nil}, {"max(1, 2.5)", 2.5}, {"max(3, 2.5)", 3.0}, {"max(run.time, inputs.since) == run.time", true}, {"mean(inputs.list)", 2.0}, {"median([1, 2])", 1.5},
		// conversions
		{"string(inputs.ratio)", "2.5"}, {"string(1.0)", "1"}, {"string(run.time)", "2026-03-01T12:00:00Z"}, {"string(inputs.window)", "24h"}, {"string(true)", "true"}, {"int('42')", int64(42)}, {"int(2.9)", int64(2)}, {"float(2)", 2.0}, {"round(2.5)", int64(3)}, {"floor(-0.5)", int64(-1)}, {"abs(-2.5)", 2.5},
		{"toJSON(inputs.labels)", `{"env":"prod","team":"red"}`}, {"fromJSON('[1, 2.5]')[0]", int64(1)}, {"toJSON(user.dept)", "null"},
		{"let a = inputs.n; let b = a * 2; a + b", int64(15)}, {"let u = steps.lookup.user; u.email", "bob@example.com"},
		{"ip_in('10.1.2.3', '10.0.0.0/8') && !ip_in('::1', '10.0.0.0/8') && ip_in('::ffff:10.0.0.1', '10.0.0.0/8')", true},
		{"trigger", testValues()["trigger"]},
	}
}

func TestEval(t *testing.T) {
	for _, tc := range evalCases() {
		t.Run(tc.source, func(t *testing.T) {
			e, problems := expression.Compile(tc.source, testScope(), engine.TypeAny())
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			got, err := e.Eval(testValues())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if err := holds(e.Type(), got); err != nil {
				t.Errorf("its type is %s: %v", e.Type(), err)
			}
		})
	}
}

// holds says where a value is not of a type, strictly: no integer for a number.
func holds(t engine.Type, v any) error {
	if v == nil {
		if t.Optional || t.Kind == engine.KindAny || t.Kind == engine.KindNull {
			return nil
		}
		return fmt.Errorf("%s is nil", t)
	}
	ok := true
	switch t.Kind {
	case engine.KindAny:
	case engine.KindBool:
		_, ok = v.(bool)
	case engine.KindInteger:
		_, ok = v.(int64)
	case engine.KindNumber:
		_, ok = v.(float64)
	case engine.KindText: // within a map or a list it stays one
		if _, ok = v.(engine.Text); !ok {
			_, ok = v.(string)
		}
	case engine.KindString:
		var s string
		s, ok = v.(string)
		ok = ok && (len(t.Enum) == 0 || slices.Contains(t.Enum, s))
	case engine.KindTime:
		_, ok = v.(time.Time)
	case engine.KindDuration:
		_, ok = v.(time.Duration)
	case engine.KindList:
		return holdsList(t, v)
	case engine.KindMap:
		return holdsMap(t, v)
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("%s is a %T", t, v)
	}
	return nil
}

func holdsList(t engine.Type, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is a %T", t, v)
	}
	for _, item := range list {
		if t.Elem == nil {
			break
		}
		if err := holds(*t.Elem, item); err != nil {
			return err
		}
	}
	return nil
}

func holdsMap(t engine.Type, v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is a %T", t, v)
	}
	for _, f := range t.Fields {
		if err := holds(f.Type, m[f.Name]); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for k, item := range m {
		if t.Elem == nil {
			break
		}
		if err := holds(*t.Elem, item); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}

func TestEvaluationErrorsNameThePathAndNeverAValue(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	tests := []struct{ source, message string }{
		{"trigger.body.missing", "it is missing"},
		{"trigger.body.missing == 'x'", "`trigger.body.missing` is missing"},
		{"trigger.body.none.more", "`trigger.body.none` is missing"},
		{"trigger.body.alert.sev == 'high'", "`trigger.body.alert.sev` is missing"},
		{"inputs.list[7] + 1", "`inputs.list[7]` is beyond the end of the list"},
		{"inputs.labels.nothing + 'x'", "`inputs.labels.nothing` is missing"},
		{"trigger.body.name + 1", "it is not defined for a string and an integer"},
		{"trigger.body.name && true", "`trigger.body.name` is a string, a bool is needed"},
		{"trigger.body.n < 'a'", "cannot be told: an integer and a string have no order"},
		{"lower(trigger.body.n)", "`trigger.body.n` is an integer, a string is needed"},
		{"filter(trigger.body.name, # > 1)", "`trigger.body.name` is a string, a list is needed"},
		{"map(trigger.body.list, #.id)", "`#` is an integer, a map or a list is needed (at index 0)"},
		{"1 / (inputs.n - 5)", "`inputs.n - 5` is zero"},
		{"1 % (inputs.n - 5)", "`inputs.n - 5` is zero"},
		{"9223372036854775807 + inputs.n", "it is beyond what an integer can hold"},
		{"-9223372036854775807 - inputs.n", "beyond what an integer can hold"},
		{"9223372036854775807 * inputs.n", "beyond what an integer can hold"},
		{"sum([9223372036854775807, inputs.n])", "beyond what an integer can hold"},
		{"1e308 * 10 ** inputs.n", "is not a finite number"},
		{"(inputs.n - 6) ** 0.5", "is not a finite number"},
		{"days(inputs.n * 100000)", "longer than a duration can be"},
		{"days(1000) * 40.5 * inputs.n", "longer than a duration can be"},
		{"time('9999-01-01T00:00:00Z') + days(inputs.n * 100)", "beyond the years 0 to 9999"},
		{"time(inputs.name)", "`inputs.name` is not a time in RFC 3339"},
		{"duration(inputs.name)", "`inputs.name` is not a duration"},
		{"ago(inputs.name)", "`inputs.name` is not a duration"},
		{"ip_in(inputs.name, '10.0.0.0/8')", "`inputs.name` is not an IP address"},
		{"ip_in('10.0.0.1', inputs.name)", "`inputs.name` is not a network"},
		{"int(inputs.name)", "`inputs.name` is not an integer"},
		{"fromJSON(inputs.name)", "`inputs.name` is not JSON"},
		{"fromBase64(inputs.name)", "`inputs.name` is not a text in Base64"},
		{"len(map(1..2000, repeat('x', 1000000)))", "takes more than"},
		{"inputs.name matches ('a{900}' + repeat('a?', 200))", "is too large a regular expression"},
		{"inputs.name matches ('(' + inputs.name)", "`'(' + inputs.name` is not a regular expression"},
		{"take(inputs.list, -inputs.n)", "`-inputs.n` is negative"},
		{"sort(inputs.names, inputs.name == 'Ada' ? 'asc' : 'desc') == [] || sort(trigger.body.list | map(# > 1 ? trigger.body.name : #)) == []", "no order"},
		{"len(map(1..1000000, [#, #, #, #, #, #, #, #, #, #]))", "makes too many values"},
		{"repeat(inputs.name, 1000000)", "longer than 1048576 bytes"},
		{"1..(inputs.n * 1000000)", "more than 1000000 elements"},
		{"reduce(1..40, #acc + #acc, inputs.name)", "longer than 1048576 bytes (at index 18)"},
		{"all(1..4000, all(1..3000, # > 0))", "takes more than 10000000 steps"},
		{"any(1..400000, # in (1..400000)[-1:] && # + 1 in 1..400000 && false)", "takes more than 10000000 steps"},
		{"let a = [inputs.names, inputs.names]; " + doublings(40) + " len(toJSON(z))", "is longer than"},
		{"let a = [inputs.names, inputs.names]; " + doublings(40) + " z", "is larger than a value can be"},
		{"'" + huge[:8000] + "' + inputs.names[9]", "`inputs.names[9]` is beyond"},
	}
	for _, tc := range tests {
		t.Run(tc.source[:min(len(tc.source), 60)], func(t *testing.T) {
			e, problems := expression.Compile(tc.source, testScope(), engine.TypeAny())
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			v, err := e.Eval(testValues())
			if err == nil {
				t.Fatalf("no error, but %v", v)
			}
			checkEvaluationError(t, err)
			if !strings.Contains(err.Error(), tc.message) {
				t.Errorf("got  %s\nwant %s", err, tc.message)
			}
			if len(err.Error()) > 400 || strings.Contains(err.Error(), "Ada") && !strings.Contains(tc.source, "Ada") {
				t.Errorf("too long, or with a value: %s", err)
			}
		})
	}
}

func doublings(n int) string {
	var b strings.Builder
	last := "a"
	for i := range n {
		name := fmt.Sprintf("a%d", i)
		if i == n-1 {
			name = "z"
		}
		fmt.Fprintf(&b, "let %s = [%s, %s]; ", name, last, last)
		last = name
	}
	return b.String()
}

func checkEvaluationError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, expression.ErrEvaluation) {
		t.Errorf("%v is no ErrEvaluation", err)
	}
	if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: engine.CodeExpression}) {
		t.Errorf("%v is no failure of the class invalid", err)
	}
	if f := engine.AsFailure(err); f.Class != engine.ClassInvalid || f.Code != engine.CodeExpression || f.Message != err.Error() {
		t.Errorf("as a failure it is %+v", f)
	}
}

func TestDeclaredValuesThatAreNotThereAreErrors(t *testing.T) {
	tests := []struct {
		source, message string
		values          map[string]any
	}{
		{"inputs.n > 1", "`inputs` is missing", map[string]any{}},
		{"inputs.n > 1", "`inputs.n` is missing", map[string]any{"inputs": map[string]any{}}},
		{"inputs.name == 'a'", "`inputs.name` is missing", map[string]any{"inputs": map[string]any{"name": nil}}},
		{"inputs.name == 'a'", "is not of its declared type", map[string]any{"inputs": map[string]any{"name": int64(5)}}},
		{"inputs.n < 3", "is not of its declared type", map[string]any{"inputs": map[string]any{"n": "x"}}},
		{"inputs.flag ? 1 : 2", "is not of its declared type", map[string]any{"inputs": map[string]any{"flag": "x"}}},
		{"map(inputs.list, # + 1)", "`inputs.list` is a string, a list is needed", map[string]any{"inputs": map[string]any{"list": "x"}}},
		{"ago('1d') < run.time", "`ago('1d')` is missing", map[string]any{"run": map[string]any{}}},
	}
	for _, tc := range tests {
		e, problems := expression.Compile(tc.source, testScope(), engine.TypeAny())
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", tc.source, problems)
		}
		_, err := e.Eval(tc.values)
		if err == nil || !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: got %v, want %s", tc.source, err, tc.message)
			continue
		}
		checkEvaluationError(t, err)
	}
}

func TestWantedTypeConvertsTheValue(t *testing.T) {
	tests := []struct {
		source string
		want   engine.Type
		value  any    // nil for an error
		err    string // part of its message
	}{
		{"inputs.n", engine.TypeNumber(), 5.0, ""},
		{"inputs.list", engine.ListOf(engine.TypeNumber()), []any{3.0, 1.0, 2.0}, ""},
		{"trigger.body.n", engine.TypeInteger(), int64(5), ""},
		{"trigger.body.n", engine.TypeNumber(), 5.0, ""},
		{"trigger.body.name", engine.TypeInteger(), nil, "must be an integer, it is a string"},
		{"trigger.body.name", stateType(), nil, "must be one of active | suspended, it is a string"},
		{"trigger.body.none", engine.TypeInteger(), nil, "must be an integer, it is missing"},
		{"trigger.body.none", engine.Maybe(engine.TypeInteger()), nil, ""},
		{"trigger.body.alert", engine.MapOf(field("severity", engine.TypeString())), map[string]any{"severity": "high"}, ""},
		{"{x: trigger.body.n}", engine.MapOf(field("x", engine.TypeNumber()), field("y", engine.Maybe(engine.TypeString()))), map[string]any{"x": 5.0, "y": nil}, ""},
	}
	for _, tc := range tests {
		e, problems := expression.Compile(tc.source, testScope(), tc.want)
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", tc.source, problems)
		}
		got, err := e.Eval(testValues())
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s for %s: got %v, want %s", tc.source, tc.want, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.value, got); diff != "" || err != nil {
			t.Errorf("%s for %s: %v\n%s", tc.source, tc.want, err, diff)
		}
		if err := holds(e.Type(), got); err != nil {
			t.Errorf("%s: %v", tc.source, err)
		}
	}
}

func TestReads(t *testing.T) {
	tests := map[string]string{
		"steps.lookup.users[0].id":                                        "steps.lookup.users",
		"steps.lookup.users | filter(.failed > inputs.n)":                 "inputs.n steps.lookup.users",
		"map(inputs.list, # + user.failed)":                               "inputs.list user.failed",
		"steps.review?.by[inputs.n] ?? inputs.name":                       "inputs.n inputs.name steps.review.by",
		"len(keys(steps))":                                                "", // below
		"let s = steps; s.lookup.status":                                  "steps",
		"ago('1d') < user.created_at":                                     "run.time user.created_at",
		"inputs['name'] + inputs.name":                                    "inputs.name",
		"inputs.labels[inputs.name]":                                      "inputs.labels inputs.name",
		"steps.lookup.users[1:][0].email":                                 "steps.lookup.users",
		"1 + 2":                                                           "",
		"trigger.body.a ?? trigger.body.b ?? trigger":                     "trigger trigger.body.a trigger.body.b",
		"let inner = inputs.n; map(inputs.list, # + inner + #index)":      "inputs.list inputs.n",
		"filter(steps.lookup.users, .id == user.id) | map(({n: run.id}))": "run.id steps.lookup.users user.id",
	}
	tests["len(keys(steps))"] = "steps"
	for source, want := range tests {
		e, problems := expression.Compile(source, testScope(), engine.TypeAny())
		if len(problems) > 0 {
			t.Errorf("%s: %+v", source, problems)
			continue
		}
		var got []string
		for _, path := range e.Reads() {
			got = append(got, strings.Join(path, "."))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s reads %q, want %q", source, strings.Join(got, " "), want)
		}
	}
}

func TestExpressionIsSafeForConcurrentUse(t *testing.T) {
	e, _ := expression.Compile("steps.lookup.users | filter(.failed > inputs.n) | map(.email) | join(', ')", testScope(), engine.TypeString())
	results := make(chan any)
	for range 8 {
		go func() {
			var last any
			for range 200 {
				last, _ = e.Eval(testValues())
			}
			results <- last
		}()
	}
	for range 8 {
		if got := <-results; got != "alice@example.com" {
			t.Errorf("got %v", got)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	for _, source := range []string{
		"steps.lookup.user.email",
		"user.failed > inputs.n && user.state == 'active'",
		"steps.lookup.users | filter(.failed > 3) | map(.email)",
	} {
		b.Run(source, func(b *testing.B) {
			e, _ := expression.Compile(source, testScope(), engine.TypeAny())
			values := testValues()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	scope := testScope()
	for b.Loop() {
		expression.Compile("steps.lookup.users | filter(.failed > inputs.n) | map(.email) | join(', ')", scope, engine.TypeString())
	}
}
