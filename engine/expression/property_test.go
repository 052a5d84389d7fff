package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// grammar writes random expressions of a kind. %s stands for a part, whose kind
// the letter after it names: b bool, i integer, n number, s string, t time,
// d duration, L list of integers, S list of strings, U list of users, a dynamic.
type grammar map[byte][]string

func expressions() grammar {
	return grammar{
		'b': {"inputs.flag", "true", "false", "(%i < %n)", "(%s == %s)", "(%t <= %t)", "(%d > %d)", "(%b && %b)", "(%b || !%b)", "(%b ? %b : %b)",
			"(%i in %L)", "(%s in %S)", "any(%L, # > %i)", "all(%U, .failed >= %i)", "none(%U, (.dept ?? %s) == %s)", "(%s contains %s)", "(%s matches '^a')",
			"(user.dept != nil && user.dept == %s)", "(inputs.limit == nil || inputs.limit > %i)", "(%L == %L)", "(%a == %i)", "(%a == nil)", "(steps.review?.approved ?? %b)",
			"(user.state == 'active')", "one(%L, # == #index)", "ip_in('10.0.0.1', '10.0.0.0/8')", "(%a < %n)", "(%s in inputs.labels)", "%a"},
		'i': {"inputs.n", "0", "1", "7", "-%i", "(%i + %i)", "(%i - %i)", "(%i * %i)", "(%i % %i)", "len(%s)", "len(%L)", "count(%L, # > %i)", "sum(%L)", "sum(%U, .failed)",
			"%L[%i]", "(first(%L) ?? %i)", "(findIndex(%U, .failed > %i) ?? %i)", "(inputs.limit ?? %i)", "(%b ? %i : %i)", "int(%n)", "round(%n)", "reduce(%L, #acc + #, %i)", "max(%i, %i)",
			"(let x = %i; x + 1)", "(%L[%i] ?? %i)", "(inputs.limit != nil ? inputs.limit : %i)", "indexOf(%s, %s)"},
		'n': {"inputs.ratio", "2.5", "%i", "(%n / %n)", "(%n + %n)", "(%n * %i)", "(%n ** 2)", "(mean(%L) ?? %n)", "(%d / %d)", "float(%i)", "(%b ? %i : %n)", "max(%i, %n)", "sum(inputs.ratios)"},
		's': {"inputs.name", "'a'", "''", "user.id", "(user.dept ?? %s)", "(%s + %s)", "lower(%s)", "%s[%i:]", "join(%S, %s)", "string(%n)", "string(%t)", "(%b ? %s : %s)", "toJSON(%L)", "user.state",
			"(find(%U, .failed > %i)?.email ?? %s)", "(user.manager?.id ?? %s)", "%S[0]", "trim(%s)", "(trigger.body.nothing ?? %s)", "inputs.text", "(inputs.labels[%s] ?? %s)", "(max(%S) ?? %s)"},
		't': {"run.time", "inputs.since", "user.created_at", "(%t + %d)", "(%t - %d)", "ago(%d)", "ago('90d')", "(user.last_seen ?? %t)", "max(%t, %t)", "(%b ? %t : %t)"},
		'd': {"inputs.window", "days(%i)", "(%d + %d)", "(%t - %t)", "(%d * %n)", "(%d / %i)", "-%d", "sum(inputs.windows)", "duration('1h30m')"},
		'L': {"inputs.list", "[]", "[%i]", "[%i, %i]", "(1..5)", "map(%L, # + %i)", "map(%U, .failed)", "filter(%L, # > %i)", "%L[1:]", "sort(%L)", "uniq(%L)", "reverse(%L)", "concat(%L, %L)",
			"take(%L, 2)", "(%b ? %L : %L)", "flatten([%L, %L])", "sortBy(%L, -#)", "(let y = %L; map(y, #index))"},
		'S': {"inputs.names", "['a', %s]", "map(%U, .id)", "split(%s, ',')", "keys(inputs.labels)", "values(inputs.labels)", "user.tags", "keys(groupBy(%U, .state))", "map(%L, string(#))", "sort(%S, 'desc')"},
		'U': {"steps.lookup.users", "filter(%U, .failed > %i)", "sortBy(%U, .failed, 'desc')", "%U[:1]", "concat(%U, [user])", "filter(%U, .dept != nil && .dept == %s)", "filter(%U, any(.tags, # == %s))"},
		'a': {"trigger.body.n", "trigger.body.flag", "trigger.body.list", "(trigger.body.list)[0]", "trigger.body?.nothing", "fromJSON('[1]')", "(trigger.body.none ?? %i)", "(%b ? %a : %s)"},
	}
}

func (g grammar) write(t *rapid.T, kind byte, depth int) string {
	forms := g[kind]
	if depth <= 0 {
		forms = forms[:1]
	}
	form := rapid.SampledFrom(forms).Draw(t, "form")
	var b strings.Builder
	for i := 0; i < len(form); i++ {
		if form[i] == '%' && i+1 < len(form) && strings.IndexByte("binstdLSUa", form[i+1]) >= 0 {
			i++
			b.WriteString(g.write(t, form[i], depth-1))
			continue
		}
		b.WriteByte(form[i])
	}
	return b.String()
}

// What the checker lets through evaluates to a value of the type it has
// promised, or to an error that is the data's; and it does so every time.
func TestTheCheckerKeepsItsPromises(t *testing.T) {
	g, scope := expressions(), testScope()
	compiled := 0
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]byte("binstdLSUa")).Draw(t, "kind")
		source := g.write(t, kind, 4)
		e, problems := expression.Compile(source, scope, engine.TypeAny())
		if len(problems) > 0 {
			return // what is left out of the grammar is nesting, names taken twice, calls that always fail
		}
		compiled++
		for _, values := range []map[string]any{testValues(), zeroValues()} {
			v, err := e.Eval(values)
			again, errAgain := e.Eval(values)
			if fmt.Sprint(v, err) != fmt.Sprint(again, errAgain) {
				t.Errorf("%s: %v, %v; then %v, %v", source, v, err, again, errAgain)
			}
			if err != nil && strings.Contains(err.Error(), "not of its declared type") {
				t.Errorf("%s: %v", source, err)
			}
			if err == nil {
				if err := holds(e.Type(), v); err != nil {
					t.Errorf("%s: %v", source, err)
				}
			}
		}
	})
	if compiled < 30 {
		t.Errorf("only %d expressions compiled", compiled)
	}
}

// A predicate over captured values is the expression over the values themselves.
func TestCapturedPredicatesAgreeWithTheExpression(t *testing.T) {
	g := expressions()
	g['i'] = append(g['i'], "failed", "len(ips)")
	g['s'] = append(g['s'], "email", "state")
	g['n'] = append(g['n'], "(km_per_hour ?? %n)")
	g['t'] = append(g['t'], "created_at")
	g['S'] = append(g['S'], "ips")
	scope := testScope().WithRow(rowType())
	rapid.Check(t, func(rt *rapid.T) {
		source := g.write(rt, 'b', 4)
		e, problems := expression.Compile(source, scope, engine.TypeBool())
		if len(problems) > 0 {
			return
		}
		v, err := expression.PredicateOf(e).Eval(testValues())
		if err != nil {
			rt.Fatalf("%s: %v", source, err)
		}
		p, _ := v.(engine.Predicate)
		match, err := expression.CompilePredicate(throughJournal(t, p), rowType())
		if err != nil {
			rt.Fatalf("%s: %v", source, err)
		}
		got, err := match.Match(row("alice", 7))
		values := row("alice", 7)
		for k, v := range testValues() {
			values[k] = v
		}
		want, wantErr := e.Eval(values)
		if (err == nil) != (wantErr == nil) || err == nil && want != got {
			rt.Errorf("%s: matches %v, %v; evaluates to %v, %v", source, got, err, want, wantErr)
		}
	})
}
