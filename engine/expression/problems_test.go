package expression_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// problemCase is a source in which «…» marks what the problem points at.
type problemCase struct {
	marked, code, message string
	suggestion            string
}

func problemCases() []problemCase {
	return []problemCase{
		// names
		{"«input».n > 1", "unknown-name", "unknown name `input`", "inputs"},
		{"steps.lookup.users | filter(.failed > «threshold»)", "unknown-name", "unknown name `threshold`", ""},
		{"«$env»", "unknown-name", "unknown name `$env`", ""},
		{"user.dept == «null»", "unknown-name", "unknown name `null`", ""},
		{"«null» == inputs.n", "unknown-name", "unknown name `null`", ""},
		{"any(steps.lookup.users, «failed» > 1)", "unknown-name", "unknown name `failed`", ""},
		{"map(inputs.list, «#acc»)", "unknown-name", "only in reduce", ""},
		{"map(inputs.list, «#idx»)", "unknown-name", "unknown name `#idx`", ""},
		{"steps.«lokup».users", "unknown-field", "unknown field `lokup`", "lookup"},
		{"steps.lookup.users[0].«emial»", "unknown-field", "unknown field `emial`", "email"},
		{"steps.lookup[«'usrs'»]", "unknown-field", "unknown field `usrs`", "users"},
		{"(first(steps.lookup.users) ?? {}).«emial» ?? 'none'", "unknown-field", "unknown field `emial`", "email"},
		{"({} ?? user).«emial»", "unknown-field", "unknown field `emial`", "email"},
		{"(inputs.flag ? user : {}).«emial»", "unknown-field", "unknown field `emial`", "email"},
		{"(inputs.flag ? {} : user).«emial»", "unknown-field", "unknown field `emial`", "email"},
		{"«'emial'» in user", "unknown-field", "unknown field `emial`", "email"},
		{"«'dept' in user»", "type", "which fields a map of this kind has is known", ""},
		{"filter(steps.lookup.users, .«faild» > 3)", "unknown-field", "unknown field `faild`", "failed"},
		{"steps.lookup.users | map(#.«nme»)", "unknown-field", "unknown field `nme`", ""},
		{"«lowr»(inputs.name)", "unknown-function", "unknown function `lowr`", "lower"},
		{"inputs.name | «uper»()", "unknown-function", "unknown function `uper`", "upper"},
		{"«now»() > inputs.since", "unknown-function", "there is no function `now`", ""},
		{"«toPairs»(inputs.labels)", "unknown-function", "there is no function `toPairs`", ""},
		{"inputs.name.«lower»()", "unknown-function", "values have no methods", ""},
		{"run.time.«Year»()", "unknown-function", "values have no methods", ""},
		// availability
		{"«steps.later».users", "not-run", "`steps.later` cannot be used here: it runs later, at line 12", ""},
		{"len(«steps.later».users) > 0", "not-run", "it runs later, at line 12", ""},
		{"«item».id", "not-run", "there is no loop around it", ""},
		// optional values
		{"«user.dept» == 'IT'", "optional", "`user.dept` may be missing: say what then, `user.dept ?? …`", ""},
		{"'IT' != «user.dept»", "optional", "`user.dept ?? …`", ""},
		{"lower(«user.dept»)", "optional", "may be missing", ""},
		{"'in ' + «user.dept»", "optional", "may be missing", ""},
		{"«(first(steps.lookup.users) ?? {}).email» == 'x'", "optional", "may be missing", ""},
		{"«user.dept» in ['IT']", "optional", "may be missing", ""},
		{"«user.last_seen» < run.time", "optional", "may be missing", ""},
		{"«inputs.limit» + 1", "optional", "may be missing", ""},
		{"-«inputs.limit»", "optional", "may be missing", ""},
		{"1..«inputs.limit»", "optional", "may be missing", ""},
		{"«user.manager».id", "optional", "`user.manager` may be missing: say what then, `user.manager?.id ?? …`", ""},
		{"«steps.review».approved", "optional", "`steps.review?.approved ?? …`", ""},
		{"«steps.review?.approved» ? 1 : 2", "optional", "may be missing", ""},
		{"«user.manager?.phone» == ''", "optional", "may be missing", ""},
		{"filter(steps.lookup.users, «.dept» == 'IT')", "optional", "`.dept` may be missing: say what then, `.dept ?? …`", ""},
		{"sortBy(steps.lookup.users, «.dept»)", "optional", "`.dept` may be missing", ""},
		{"sum(steps.lookup.users, len(«.dept»))", "optional", "may be missing", ""},
		{"join(«map(steps.lookup.users, .dept)», ',')", "type", "this is a list of string?, a list of string is needed", ""},
		{"«first(inputs.names)» == 'x'", "optional", "may be missing", ""},
		{"«find(steps.lookup.users, .id == 'x')».email", "optional", "may be missing", ""},
		{"let d = user.dept; «d» == 'IT'", "optional", "`d` may be missing", ""},
		{"user.dept != nil || «user.dept» == 'IT'", "optional", "may be missing", ""},
		{"user.dept != nil ? 1 : len(«user.dept»)", "optional", "may be missing", ""},
		{"sort(«[true, inputs.flag]»)", "type", "a bool has no order", ""},
		{"sortBy(steps.lookup.users, «.id == 'x'»)", "type", "a bool has no order", ""},
		{"keys(«inputs.list»)", "type", "this is a list of integer, a map is needed", ""},
		{"let n = nil; «n».x", "type", "nil has no fields", ""},
		{"«len» > 3", "unknown-name", "unknown name `len`", ""},
		{"sum(«[inputs.limit, 1]»)", "optional", "an element of", ""},
		{"sort(«[user.dept, 'x']»)", "optional", "an element of `[user.dept, 'x']` may be missing", ""},
		{"max(«map(steps.lookup.users, .last_seen)»)", "optional", "an element of", ""},
		{"filter(map(steps.lookup.users, .dept), «#» == 'x')", "optional", "`#` may be missing", ""},
		{"«nil» + 1", "type", "nil cannot be used here", ""},
		// enumerations
		{"user.state == «'actve'»", "enum", `"actve" is none of active | suspended`, "active"},
		{"«\"gone\"» != user.state", "enum", "is none of", ""},
		{"user.state in ['active', «'suspnded'»]", "enum", "is none of", "suspended"},
		{"any(steps.contain.items, .outcome == «\"dne\"»)", "enum", "is none of done | unchanged", "done"},
		{"«'dne'» in map(steps.contain.items, .outcome)", "enum", "is none of", "done"},
		{"«user.state in [1, 2]»", "type", "one of active | suspended and an integer are never equal", ""},
		{"«user.state in [inputs.n]»", "type", "are never equal", ""},
		{"user.state in [trigger.body, «'actve'»]", "enum", "is none of", "active"},
		{"(user.state ?? 'none') == «'actve'»", "enum", "active | suspended | none", "active"},
		{"sort(inputs.list, «'down'»)", "enum", "is none of asc | desc", ""},
		// types
		{"«inputs.name == inputs.n»", "type", "a string and an integer are never equal", ""},
		{"inputs.flag && «run.time != inputs.window»", "type", "a time and a duration are never equal", ""},
		{"«inputs.name < inputs.n»", "type", "cannot be compared", ""},
		{"«inputs.flag» < true", "type", "a bool has no order", ""},
		{"«inputs.name» && true", "type", "this is a string, a bool is needed", ""},
		{"!«inputs.n»", "type", "this is an integer, a bool is needed", ""},
		{"«inputs.n» ? 1 : 2", "type", "this is an integer, a bool is needed", ""},
		{"«inputs.flag ? 1 : 'x'»", "type", "both branches must have one type: these are an integer and a string", ""},
		{"«inputs.limit ?? 'x'»", "type", "both sides of `??` must have one type: these are an integer and a string", ""},
		{"«inputs.name + inputs.n»", "type", "`+` is not for a string and an integer", ""},
		{"«inputs.name - 'x'»", "type", "`-` is not for a string and a string", ""},
		{"«run.time + run.time»", "type", "`+` is not for a time and a time", ""},
		{"«inputs.n % 2.5»", "type", "`%` is not for an integer and a number", ""},
		{"-«inputs.name»", "type", "this is a string, a number or a duration is needed", ""},
		{"inputs.list[«inputs.name»]", "type", "this is a string, an integer is needed", ""},
		{"inputs.list[«'a'»]", "type", "a list has no field `a`", ""},
		{"inputs.labels[«1»]", "type", "this is an integer, a string is needed", ""},
		{"inputs.list.«length»", "type", "a list has no field `length`", ""},
		{"inputs.n.«x»", "type", "an integer has no field `x`", ""},
		{"«inputs.n[0]»", "type", "an integer has no elements", ""},
		{"steps[«inputs.name»]", "dynamic", "the field must be named", ""},
		{"[1, «'a'»]", "type", "the elements of a list must have one type", ""},
		{"{a: 1, «a»: 2}", "type", "the key `a` is there twice", ""},
		{"lower(«inputs.n»)", "type", "this is an integer, a string is needed", ""},
		{"«lower(inputs.name, 'x')»", "type", "`lower` takes 1 argument, 2 given", ""},
		{"«replace('a')»", "type", "`replace` takes 3 arguments, 1 given", ""},
		{"len(«inputs.n»)", "type", "this is an integer, a string, a list or a map is needed", ""},
		{"filter(«inputs.name», # > 1)", "type", "this is a string, a list is needed", ""},
		{"filter(inputs.list, «#»)", "type", "this is an integer, a bool is needed", ""},
		{"any(inputs.list, «# + 1»)", "type", "this is an integer, a bool is needed", ""},
		{"count(«inputs.list»)", "type", "a list of bool is needed", ""},
		{"sum(«inputs.names»)", "type", "a string cannot be summed", ""},
		{"groupBy(inputs.list, «#»)", "type", "this is an integer, a string is needed", ""},
		{"reduce(inputs.list, «string(#)», 0)", "type", "this is a string, an integer is needed", ""},
		{"max(1, «'a'»)", "type", "this is a string, the first is an integer", ""},
		{"concat(inputs.list, «inputs.names»)", "type", "elements of one type", ""},
		{"flatten(«inputs.list»)", "type", "a list of lists is needed", ""},
		{"int(«inputs.flag»)", "type", "a bool cannot become an integer", ""},
		{"string(«inputs.list»)", "type", "a list of integer cannot become a string", ""},
		{"'a' in «'abc'» ? 1 : 2", "type", "this is a string, a list or a map is needed", ""},
		{"'a' in «inputs.name»", "type", "this is a string, a list or a map is needed", ""},
		{"«inputs.list» contains 1", "type", "this is a list, a string is needed", ""},
		{"inputs.name matches «inputs.n»", "type", "this is an integer, a string is needed", ""},
		{"«inputs.n»[1:2]", "type", "this is an integer, a list or a string is needed", ""},
		{"inputs.list[«'a' + 'b'»:]", "type", "this is a string, an integer is needed", ""},
		{"«b'abc'»", "type", "there are no byte strings", ""},
		{"ago(«inputs.n»)", "type", "this is an integer, a duration is needed", ""},
		// literals
		{"duration(«'90x'»)", "type", `"90x" is not a duration`, ""},
		{"ago(«\"3 days\"»)", "type", "is not a duration", ""},
		{"ip_in('10.0.0.1', «'10.0.0.0'»)", "type", `"10.0.0.0" is not a network`, ""},
		{"time(«'2026-13-01T00:00:00Z'»)", "type", "is not a time in RFC 3339", ""},
		{"inputs.name matches «'" + strings.Repeat("a{1000}", 20) + "'»", "bounds", "is too large a regular expression", ""},
		{"any(inputs.names, # matches «'" + strings.Repeat("ab", 2000) + "'»)", "bounds", "is too large a regular expression", ""},
		{"inputs.name matches «'('»", "syntax", "not a regular expression", ""},
		{"1 / «0»", "type", "is zero", ""},
		{"«9223372036854775807 + 1»", "type", "beyond what an integer can hold", ""},
		{"«days(200000)»", "type", "longer than a duration can be", ""},
		// syntax
		{"inputs.n >«»", "syntax", "ends too early", ""},
		{"inputs.n > 1 «)»", "syntax", "unexpected `)`", ""},
		{"inputs.n «=» 1", "syntax", "unexpected `=`", "=="},
		{"inputs.limit ?? 1 «==» 2", "syntax", "needs parentheses", ""},
		{"«inputs.n; 2»", "syntax", "only one expression", ""},
		{"«   »", "syntax", "the expression is empty", ""},
		// clashes and bounds
		{"«let inputs» = 1; 2", "clash", "`inputs` is the name of something else already", ""},
		{"«let $meter = 1; $meter»", "syntax", "cannot begin with `$`", ""},
		{"«let len» = 1; 2", "clash", "`len`", ""},
		{"filter(steps.lookup.users, any(.tags, «any(inputs.names, # == 'x')»))", "bounds", "nested 2 deep at most", ""},
		// places after non-ASCII text, and in several lines
		{"'héllo – 日本' + inputs.«nme»", "unknown-field", "unknown field `nme`", "name"},
		{"let größe = 1; größe + «grösse»", "unknown-name", "unknown name `grösse`", "größe"},
		{"inputs.n > 1 &&\n  inputs.«flg»", "unknown-field", "unknown field `flg`", "flag"},
		{"/* – */ inputs.«flg»", "unknown-field", "unknown field", "flag"},
	}
}

func TestProblemsPointAtTheirCause(t *testing.T) {
	for _, tc := range problemCases() {
		t.Run(tc.marked, func(t *testing.T) {
			source, offset, length := unmark(tc.marked)
			e, problems := expression.Compile(source, testScope(), engine.TypeAny())
			if len(problems) != 1 || e != nil {
				t.Fatalf("want one problem and no expression, got %+v", problems)
			}
			p := problems[0]
			if p.Offset != offset || p.Length != length {
				t.Errorf("points at %d+%d (%q), want %d+%d", p.Offset, p.Length, source[p.Offset:p.Offset+p.Length], offset, length)
			}
			if p.Code != tc.code || !strings.Contains(p.Message, tc.message) {
				t.Errorf("[%s] %s\nwant [%s] %s", p.Code, p.Message, tc.code, tc.message)
			}
			if p.Suggestion != tc.suggestion {
				t.Errorf("suggestion %q, want %q", p.Suggestion, tc.suggestion)
			}
		})
	}
}

func unmark(marked string) (source string, offset, length int) {
	before, rest, _ := strings.Cut(marked, "«")
	inside, after, _ := strings.Cut(rest, "»")
	return before + inside + after, len(before), len(inside)
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	source := "user.stat == 'active' && user.dept == 'IT' && lowr(inputs.name) == trigger.x"
	_, problems := expression.Compile(source, testScope(), engine.TypeBool())
	var codes []string
	last := -1
	for _, p := range problems {
		codes = append(codes, p.Code)
		if p.Offset <= last {
			t.Errorf("problems are out of order: %+v", problems)
		}
		last = p.Offset
	}
	if got := strings.Join(codes, " "); got != "unknown-field optional unknown-function" {
		t.Errorf("got %s: %+v", got, problems)
	}
}

func TestWantedTypes(t *testing.T) {
	point := engine.MapOf(field("x", engine.TypeInteger()), field("label", engine.Maybe(engine.TypeString())))
	tests := []struct {
		marked  string
		want    engine.Type
		message string // "" when it fits
	}{
		{"inputs.flag", engine.TypeBool(), ""},
		{"«inputs.name»", engine.TypeBool(), "this is a string, a bool is needed"},
		{"«user.dept»", engine.TypeString(), "`user.dept` may be missing: say what then, `user.dept ?? …`"},
		{"user.dept", engine.Maybe(engine.TypeString()), ""},
		{"user.dept ?? 'none'", engine.TypeString(), ""},
		{"«nil»", engine.TypeString(), "this is nil, a string is needed"},
		{"nil", engine.Maybe(engine.TypeString()), ""},
		{"inputs.n", engine.TypeNumber(), ""},
		{"«inputs.ratio»", engine.TypeInteger(), "this is a number, an integer is needed"},
		{"«inputs.n»", engine.TypeString(), "this is an integer, a string is needed"},
		{"inputs.n", engine.TypeText(), ""},
		{"«inputs.list»", engine.TypeText(), "this is a list of integer, a text is needed"},
		{"trigger.anything", engine.TypeInteger(), ""},
		{"inputs.flag ? 'active' : «'gone'»", stateType(), `"gone" is none of active | suspended`},
		{"«inputs.name»", stateType(), "this is a string, one of active | suspended is needed"},
		{"user.state", engine.EnumOf("active", "suspended", "deleted"), ""},
		{"«user.state»", engine.EnumOf("active"), "this is one of active | suspended, one of active is needed"},
		{"['active', «'x'»]", engine.ListOf(stateType()), "is none of"},
		{"[]", engine.ListOf(engine.TypeString()), ""},
		{"[1, «'a'»]", engine.ListOf(engine.TypeInteger()), "must have one type"},
		{"«inputs.names»", engine.ListOf(engine.TypeInteger()), "this is a list of string, a list of integer is needed"},
		{"{x: 1}", point, ""},
		{"{x: 1, «lable»: 'a'}", point, "unknown field `lable`"},
		{"«{label: 'a'}»", point, "`x` is missing: an integer is needed"},
		{"{x: «'1'»}", point, "this is a string, an integer is needed"},
		{"{a: 1, b: «'2'»}", engine.DictOf(engine.TypeInteger()), "this is a string, an integer is needed"},
		{"inputs.labels", engine.DictOf(engine.TypeString()), ""},
		{"«steps.lookup»", point, "this map does not fit: it has no `x`"},
		{"«user»", engine.MapOf(field("email", engine.TypeInteger())), "this map does not fit: its `email` is a string, an integer is needed"},
		{"«inputs.labels»", engine.DictOf(engine.TypeInteger()), "this map does not fit: its values must be an integer"},
		{"let d = user.dept; «d»", engine.TypeString(), "`d` may be missing"},
	}
	for _, tc := range tests {
		t.Run(tc.marked+" for "+tc.want.String(), func(t *testing.T) {
			source, offset, length := unmark(tc.marked)
			_, problems := expression.Compile(source, testScope(), tc.want)
			if tc.message == "" {
				if len(problems) > 0 {
					t.Errorf("does not fit: %+v", problems)
				}
				return
			}
			if len(problems) != 1 || !strings.Contains(problems[0].Message, tc.message) || problems[0].Offset != offset || problems[0].Length != length {
				t.Errorf("want %q at %d+%d, got %+v", tc.message, offset, length, problems)
			}
		})
	}
}

func TestHintsSayWhatToWrite(t *testing.T) {
	tests := map[string]string{
		"now()":                           "run.time",
		"inputs.name + inputs.n":          "string(inputs.n)",
		"inputs.list.length":              "map(inputs.list, .length)",
		"inputs.name.lower()":             "lower(inputs.name)",
		"inputs.n = 1":                    "==",
		"inputs.name == inputs.n":         "int(…)",
		"steps.lookup.usr":                "users, user, status",
		"any(steps.lookup.users, failed)": ".failed",
		"'a' in inputs.name":              "contains",
		"not user.state == 'active'":      "`not (a == b)`",
		"!inputs.n in [1]":                "`not (a == b)`",
		"'dept' in user":                  "!= nil",
		"inputs.list contains 'a'":        "in list",
	}
	for source, hint := range tests {
		_, problems := expression.Compile(source, testScope(), engine.TypeAny())
		if len(problems) != 1 || !strings.Contains(problems[0].Hint, hint) {
			t.Errorf("%s: want the hint %q, got %+v", source, hint, problems)
		}
	}
}

func TestBoundsOnTheSource(t *testing.T) {
	tests := map[string]string{
		"too long":         "'" + strings.Repeat("x", 16<<10) + "'",
		"too many parts":   strings.Repeat("1 + ", 3000) + "1",
		"not UTF-8":        "'" + string([]byte{0xff}) + "'",
		"deep parentheses": strings.Repeat("(", 8000),
	}
	for name, source := range tests {
		e, problems := expression.Compile(source, testScope(), engine.TypeAny())
		if e != nil || len(problems) != 1 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}
