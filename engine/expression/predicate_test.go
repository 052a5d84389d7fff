package expression_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

func rowType() engine.Type {
	return engine.MapOf(
		field("id", engine.TypeString()),
		field("email", engine.TypeString()),
		field("state", stateType()),
		field("created_at", engine.TypeTime()),
		field("failed", engine.TypeInteger()),
		field("km_per_hour", engine.Maybe(engine.TypeNumber())),
		field("ips", engine.ListOf(engine.TypeString())),
		field("text", engine.TypeText()),
	)
}

func row(id string, failed int64) map[string]any {
	return map[string]any{
		"id": id, "email": id + "@example.com", "state": "active", "failed": failed, "km_per_hour": nil,
		"created_at": time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "ips": []any{"10.0.0.1", "192.0.2.7"}, "text": engine.Text{{S: id}},
	}
}

// throughJournal hands a predicate on as the machine does: as JSON.
func throughJournal(t *testing.T, p engine.Predicate) engine.Predicate {
	t.Helper()
	data, err := engine.EncodeJSON(p)
	if err != nil {
		t.Fatal(err)
	}
	v, err := engine.DecodeJSON(data, engine.PredicateOver(rowType()))
	if err != nil {
		t.Fatal(err)
	}
	out, _ := v.(engine.Predicate)
	return out
}

func captured(t *testing.T, source string, values map[string]any) engine.Predicate {
	t.Helper()
	e, problems := expression.Compile(source, testScope().WithRow(rowType()), engine.TypeBool())
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", source, problems)
	}
	v, err := expression.PredicateOf(e).Eval(values)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := v.(engine.Predicate)
	return p
}

func TestPredicateMeansTheSameWhereItIsCheckedAndWhereItRuns(t *testing.T) {
	tests := []struct {
		source string
		want   bool
	}{
		{"failed >= inputs.n", true},
		{"failed > 100", false},
		{"state == 'active' && created_at < run.time", true},
		{"created_at < ago('90d')", true},
		{"created_at < ago(inputs.window)", true},
		{"created_at + inputs.window < inputs.since", true},
		{"run.time - created_at > days(30)", true},
		{"email endsWith '@example.com' && email matches '^a'", true},
		{"lower(email) in ['alice@example.com', 'x']", true},
		{"id in inputs.names", false},
		{"any(ips, ip_in(#, '192.0.2.0/24'))", true},
		{"all(ips, # != inputs.name)", true},
		{"(km_per_hour ?? 0) > 500", false},
		{"km_per_hour != nil && km_per_hour > inputs.ratio", false},
		{"failed > (inputs.limit ?? 3)", true},
		{"inputs.limit == nil", true},
		{"inputs.limit != nil && failed > inputs.limit", false},
		{"user.dept == nil", true},
		{"steps.review?.approved ?? true", true},
		{"(steps.review?.by ?? []) == []", true},
		{"inputs.labels.team == 'red' && 'env' in inputs.labels", true},
		{"(inputs.labels.nothing ?? 'x') == 'x'", true},
		{"trigger.body.alert.severity == 'high'", true},
		{"(trigger.body.nothing ?? 1) == 1", true},
		{"len(filter(steps.lookup.users, .id == id)) == 1", true},
		{"let u = steps.lookup.user; u.created_at == created_at && (u.dept ?? '') == 'IT'", true},
		{"text == 'alice'", true},
		{"inputs.text + '!' == 'ab!'", true},
		{"sum(inputs.windows) > minutes(60)", true},
		{"failed * 2.0 == 14", true},
		{"true", true},
	}
	for _, tc := range tests {
		t.Run(tc.source, func(t *testing.T) {
			values := testValues()
			p := throughJournal(t, captured(t, tc.source, values))
			match, err := expression.CompilePredicate(p, rowType())
			if err != nil {
				t.Fatal(err)
			}
			got, err := match.Match(row("alice", 7))
			if err != nil {
				t.Fatal(err)
			}
			values2 := row("alice", 7)
			for k, v := range values {
				values2[k] = v
			}
			e, _ := expression.Compile(tc.source, testScope().WithRow(rowType()), engine.TypeBool())
			direct, err := e.Eval(values2)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want || direct != got {
				t.Errorf("matches: %v, evaluates to: %v, want %v", got, direct, tc.want)
			}
		})
	}
}

func TestPredicateCapturesOnlyWhatItReads(t *testing.T) {
	p := captured(t, "failed >= inputs.n && created_at < run.time && (user.dept ?? '') == inputs.labels.team && !(steps.review?.approved ?? false)", testValues())
	want := map[string]any{
		"inputs": map[string]any{"n": int64(5), "labels": map[string]any{"team": "red"}},
		"run":    map[string]any{"time": map[string]any{"$time": "2026-03-01T12:00:00Z"}},
		"steps":  map[string]any{"review": nil},
		"user":   map[string]any{"dept": nil},
	}
	if diff := cmp.Diff(want, p.Captured); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
}

func TestCapturedMapsThatLookLikeTimesStayMaps(t *testing.T) {
	values := testValues()
	values["trigger"] = map[string]any{"at": map[string]any{"$time": "2026-01-01T00:00:00Z"}, "d": map[string]any{"$map": int64(1)}}
	p := throughJournal(t, captured(t, "keys(trigger.at) == ['$time'] && keys(trigger.d) == ['$map'] && failed > 0", values))
	match, err := expression.CompilePredicate(p, rowType())
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := match.Match(row("alice", 7)); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestPredicateProblems(t *testing.T) {
	scope := testScope().With("id", engine.TypeString()).WithRow(rowType())
	tests := []struct{ marked, code, message, suggestion string }{
		{"«fialed» > 1", "unknown-name", "unknown name `fialed`", "failed"},
		{"«id» == 'x'", "clash", "`id` is both a field of the row and a name of the playbook", ""},
		{"«km_per_hour» > 500", "optional", "`km_per_hour` may be missing", ""},
		{"state == «'actve'»", "enum", "is none of", "active"},
		{"«failed»", "type", "this is an integer, a bool is needed", ""},
		{"«#».failed > 1", "syntax", "unexpected `#`", ""},
	}
	for _, tc := range tests {
		source, offset, length := unmark(tc.marked)
		_, problems := expression.Compile(source, scope, engine.TypeBool())
		if len(problems) != 1 || problems[0].Code != tc.code || !strings.Contains(problems[0].Message, tc.message) || problems[0].Suggestion != tc.suggestion || problems[0].Offset != offset || problems[0].Length != length {
			t.Errorf("%s: want [%s] %s at %d+%d, got %+v", source, tc.code, tc.message, offset, length, problems)
		}
	}
	if _, problems := expression.Compile("failed > 1", scope, engine.TypeBool()); len(problems) > 0 {
		t.Errorf("a clash of a field that is not used: %+v", problems)
	}
}

func TestMatchErrors(t *testing.T) {
	tests := []struct {
		source, message string
		change          func(map[string]any)
	}{
		{"state == 'active'", "`state` is missing", func(r map[string]any) { delete(r, "state") }},
		{"state == 'active'", "`state` is missing", func(r map[string]any) { r["state"] = nil }},
		{"failed > 1", "`failed` is a string, an integer is needed", func(r map[string]any) { r["failed"] = "7" }},
		{"created_at < run.time", "`created_at` is a string, a time is needed", func(r map[string]any) { r["created_at"] = "2026" }},
		{"any(ips, ip_in(#, '10.0.0.0/8'))", "`#` is not an IP address (at index 1)", func(r map[string]any) { r["ips"] = []any{"192.0.2.1", "x"} }},
		{"trigger.body.nothing == 1", "`trigger.body.nothing` is missing", func(map[string]any) {}},
		{"failed / (failed - 7) > 1", "`failed - 7` is zero", func(map[string]any) {}},
	}
	for _, tc := range tests {
		match, err := expression.CompilePredicate(throughJournal(t, captured(t, tc.source, testValues())), rowType())
		if err != nil {
			t.Fatal(err)
		}
		r := row("alice", 7)
		tc.change(r)
		_, err = match.Match(r)
		if err == nil || !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: got %v, want %s", tc.source, err, tc.message)
			continue
		}
		checkEvaluationError(t, err)
		if tc.source == "any(ips, ip_in(#, '10.0.0.0/8'))" { // an error must not linger
			if ok, err := match.Match(row("alice", 7)); !ok || err != nil {
				t.Errorf("after an error: %v, %v", ok, err)
			}
		}
	}
}

func TestCompilePredicateRefusesWhatCannotBe(t *testing.T) {
	tests := []engine.Predicate{
		{Source: "failed >"},
		{Source: "fialed > 1"},
		{Source: "failed > inputs.n"}, // nothing captured
		{Source: "failed"},
		{Source: "created_at < run.time", Captured: map[string]any{"run": map[string]any{"time": map[string]any{"$time": "soon"}}}},
	}
	for _, p := range tests {
		if _, err := expression.CompilePredicate(p, rowType()); err == nil {
			t.Errorf("%s: no error", p.Source)
		} else {
			checkEvaluationError(t, err)
		}
	}
}

func TestPredicateMatchesManyRowsInOneMap(t *testing.T) {
	match, err := expression.CompilePredicate(captured(t, "failed >= inputs.n && any(ips, # startsWith '10.')", testValues()), rowType())
	if err != nil {
		t.Fatal(err)
	}
	r, matched := row("x", 0), 0
	for i := range int64(10) {
		r["failed"] = i
		ok, err := match.Match(r)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			matched++
		}
	}
	if matched != 5 {
		t.Errorf("%d rows match, want 5", matched)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, source := range []string{
		`state == "active" && created_at < run.time`,
		`failed >= inputs.n && email endsWith "@example.com"`,
		`state in ["active", "suspended"] && (km_per_hour ?? 0) < 500`,
		`any(ips, ip_in(#, "10.0.0.0/8"))`,
	} {
		b.Run(source, func(b *testing.B) {
			e, problems := expression.Compile(source, testScope().WithRow(rowType()), engine.TypeBool())
			if len(problems) > 0 {
				b.Fatal(problems)
			}
			v, _ := expression.PredicateOf(e).Eval(testValues())
			p, _ := v.(engine.Predicate)
			match, err := expression.CompilePredicate(p, rowType())
			if err != nil {
				b.Fatal(err)
			}
			r := row("alice", 7)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := match.Match(r); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
