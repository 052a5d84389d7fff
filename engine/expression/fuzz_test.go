package expression_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// zeroOf is the plainest value of a type.
func zeroOf(t engine.Type) any {
	if t.Optional {
		return nil
	}
	switch t.Kind {
	case engine.KindBool:
		return false
	case engine.KindInteger:
		return int64(0)
	case engine.KindNumber:
		return 0.0
	case engine.KindString:
		return strings.Join(t.Enum[:min(1, len(t.Enum))], "")
	case engine.KindText:
		return engine.Text{}
	case engine.KindTime:
		return time.Unix(0, 0).UTC()
	case engine.KindDuration:
		return time.Duration(0)
	case engine.KindList:
		if t.Elem == nil {
			return []any{}
		}
		return []any{zeroOf(*t.Elem)}
	case engine.KindMap:
		m := make(map[string]any)
		for _, f := range t.Fields {
			m[f.Name] = zeroOf(f.Type)
		}
		return m
	}
	return nil
}

func zeroValues() map[string]any {
	return map[string]any{
		"inputs": zeroOf(inputsType()), "steps": zeroOf(stepsType()), "user": zeroOf(userType()),
		"trigger": nil, "run": zeroOf(runField().Type),
	}
}

// FuzzCompile: nothing makes the checker or the evaluation panic, and what the
// checker has let through evaluates to a value of the type it promised, or to
// an error that is the data's.
func FuzzCompile(f *testing.F) {
	for _, tc := range evalCases() {
		f.Add(tc.source)
	}
	for _, tc := range problemCases() {
		source, _, _ := unmark(tc.marked)
		f.Add(source)
	}
	for _, fn := range expression.Functions() {
		f.Add(fn.Example)
	}
	scope := testScope()
	f.Fuzz(func(t *testing.T, source string) {
		e, problems := expression.Compile(source, scope, engine.TypeAny())
		for _, p := range problems {
			if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(source) || p.Message == "" || p.Code == "" {
				t.Errorf("%q: %+v", source, p)
			}
		}
		if (e == nil) == (len(problems) == 0) {
			t.Fatalf("%q: an expression or problems", source)
		}
		if e == nil {
			return
		}
		for _, values := range []map[string]any{zeroValues(), testValues()} {
			v, err := e.Eval(values)
			if err != nil {
				checkEvaluationError(t, err)
				if strings.Contains(err.Error(), "not of its declared type") {
					t.Errorf("%q: the checker let it through, yet %v", source, err)
				}
				continue
			}
			if err := holds(e.Type(), v); err != nil {
				t.Errorf("%q is a %s: %v", source, e.Type(), err)
			}
		}
	})
}

// FuzzPredicate: a predicate means the same where it is checked and where it runs.
func FuzzPredicate(f *testing.F) {
	f.Add("failed >= inputs.n && state == 'active'")
	f.Add("any(ips, ip_in(#, '10.0.0.0/8')) || (km_per_hour ?? inputs.ratio) > 5")
	f.Add("created_at < ago(inputs.window) && len(trigger.body.list) > 1")
	scope := testScope().WithRow(rowType())
	f.Fuzz(func(t *testing.T, source string) {
		e, _ := expression.Compile(source, scope, engine.TypeBool())
		if e == nil {
			return
		}
		v, err := expression.PredicateOf(e).Eval(testValues())
		if err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		p, _ := v.(engine.Predicate)
		match, err := expression.CompilePredicate(throughJournal(t, p), rowType())
		if err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		got, err := match.Match(row("alice", 7))
		values := row("alice", 7)
		for k, v := range testValues() {
			values[k] = v
		}
		want, wantErr := e.Eval(values)
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("%q: %v, %v where it runs; %v, %v where it is checked", source, got, err, want, wantErr)
		}
	})
}

// FuzzScan: segments lie where they say, and none is lost.
func FuzzScan(f *testing.F) {
	for _, s := range []string{"", "a ${{ b }} c", "$${{ a }}", "${{ '}}' }}", "${{ {a: `}}`} }}", "${{", "é${{ 'x' }}é", "${{ a /* }} */ }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		segments, problems := expression.Scan(s)
		for _, p := range problems {
			if p.Offset < 0 || p.Offset+p.Length > len(s) {
				t.Errorf("%q: %+v", s, p)
			}
		}
		if len(problems) > 0 {
			return
		}
		last := -1
		for _, seg := range segments {
			if seg.Offset <= last || seg.IsExpr && (!strings.HasPrefix(s[seg.Offset:], seg.Source) || seg.Source == "") {
				t.Errorf("%q: %+v", s, seg)
			}
			last = seg.Offset
		}
		if len(segments) == 0 && s != "" {
			t.Errorf("%q: nothing", s)
		}
	})
}
