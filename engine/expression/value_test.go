package expression_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

func mustCompile(t *testing.T, source string) *expression.Expression {
	t.Helper()
	e, problems := expression.Compile(source, testScope(), engine.TypeAny())
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", source, problems)
	}
	return e
}

// partsOf is what a playbook's string compiles to.
func partsOf(t *testing.T, s string) []expression.Part {
	t.Helper()
	segments, problems := expression.Scan(s)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var parts []expression.Part
	for _, seg := range segments {
		if seg.IsExpr {
			parts = append(parts, expression.Part{Expr: mustCompile(t, seg.Source)})
		} else {
			parts = append(parts, expression.Part{Literal: seg.Literal})
		}
	}
	return parts
}

func TestInterpolatedValuesAreWrittenForPeople(t *testing.T) {
	tests := map[string]string{
		"n=${{ inputs.n }} r=${{ inputs.ratio }} w=${{ 6 / 2 }}": "n=5 r=2.5 w=3",
		"${{ inputs.flag }} ${{ inputs.name }}":                  "true Ada",
		"${{ inputs.window }} at ${{ run.time }}":                "24h at 2026-03-01T12:00:00Z",
		"${{ inputs.list }} ${{ inputs.labels }}":                `[3,1,2] {"env":"prod","team":"red"}`,
		"${{ inputs.text }}, $${{ literally }}":                  "ab, ${{ literally }}",
		"no expressions":                                         "no expressions",
		"":                                                       "",
	}
	for in, want := range tests {
		got, err := expression.Interpolated(partsOf(t, in)).Eval(testValues())
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestInterpolatingWhatIsMissingIsAnError(t *testing.T) {
	for _, v := range []expression.Value{
		expression.Interpolated(partsOf(t, "dept: ${{ user.dept }}")),
		expression.TextOf(partsOf(t, "dept: ${{ user.dept }}")),
	} {
		got, err := v.Eval(testValues())
		if err == nil || !strings.Contains(err.Error(), "`user.dept`: it is missing") {
			t.Errorf("got %v, %v", got, err)
			continue
		}
		checkEvaluationError(t, err)
	}
}

func TestTextRemembersWhatWasInterpolated(t *testing.T) {
	tests := []struct {
		in   string
		want engine.Text
	}{
		{"Hi ${{ inputs.name }}!", engine.Text{{S: "Hi "}, {S: "Ada", Foreign: true}, {S: "!"}}},
		{"${{ inputs.name }}", engine.Text{{S: "Ada", Foreign: true}}},
		{"<!channel>", engine.Text{{S: "<!channel>"}}},
	}
	for _, tc := range tests {
		got, err := expression.TextOf(partsOf(t, tc.in)).Eval(testValues())
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", tc.in, err, diff)
		}
	}
}

func TestInterpolationIsBounded(t *testing.T) {
	part := expression.Part{Expr: mustCompile(t, "repeat('x', 600000)")}
	_, err := expression.Interpolated([]expression.Part{part, part}).Eval(testValues())
	if err == nil || !strings.Contains(err.Error(), "longer than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestValueTree(t *testing.T) {
	v := expression.MapOf([]expression.Entry{
		{Name: "id", Value: expression.Computed(mustCompile(t, "user.id"))},
		{Name: "n", Value: expression.Literal(int64(1))},
		{Name: "list", Value: expression.ListOf([]expression.Value{expression.Literal("a"), expression.Computed(mustCompile(t, "inputs.n + user.failed"))})},
		{Name: "text", Value: expression.Interpolated(partsOf(t, "of ${{ inputs.name }}"))},
	})
	got, err := v.Eval(testValues())
	want := map[string]any{"id": "alice", "n": int64(1), "list": []any{"a", int64(12)}, "text": "of Ada"}
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	var reads []string
	for _, path := range v.Reads() {
		reads = append(reads, strings.Join(path, "."))
	}
	if got := strings.Join(reads, " "); got != "inputs.n inputs.name user.failed user.id" {
		t.Errorf("reads %s", got)
	}
	if _, constant := v.Constant(); constant || v.IsZero() {
		t.Error("it is neither constant nor nothing")
	}
}

func TestConstantAndZeroValues(t *testing.T) {
	constant := expression.MapOf([]expression.Entry{
		{Name: "a", Value: expression.ListOf([]expression.Value{expression.Literal(int64(1))})},
		{Name: "b", Value: expression.Interpolated([]expression.Part{{Literal: "x"}})},
	})
	got, ok := constant.Constant()
	if diff := cmp.Diff(any(map[string]any{"a": []any{int64(1)}, "b": "x"}), got); diff != "" || !ok {
		t.Errorf("%v\n%s", ok, diff)
	}
	if v, ok := expression.Literal(nil).Constant(); v != nil || !ok {
		t.Error("a literal null is a constant")
	}
	var zero expression.Value
	if _, ok := zero.Constant(); ok || !zero.IsZero() || expression.Literal(nil).IsZero() {
		t.Error("the zero value is nothing, a literal null is something")
	}
	if v, err := zero.Eval(nil); v != nil || err != nil {
		t.Errorf("nothing evaluates to %v, %v", v, err)
	}
}

func TestErrorsWithinATreeComeThrough(t *testing.T) {
	bad := expression.Computed(mustCompile(t, "trigger.body.missing"))
	for _, v := range []expression.Value{
		expression.ListOf([]expression.Value{bad}),
		expression.MapOf([]expression.Entry{{Name: "a", Value: bad}}),
	} {
		if _, err := v.Eval(testValues()); err == nil {
			t.Error("no error")
		} else {
			checkEvaluationError(t, err)
		}
	}
}
