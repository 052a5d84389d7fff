package expression

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Integers are those of mathematics, or an error: nothing wraps around.
func TestIntegerArithmeticIsExactOrAnError(t *testing.T) {
	edges := []int64{0, 1, -1, 2, -2, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 32, -(1 << 32), 3037000500}
	integer := rapid.OneOf(rapid.SampledFrom(edges), rapid.Int64())
	ops := map[string]func(z, a, b *big.Int) *big.Int{
		"+": (*big.Int).Add, "-": (*big.Int).Sub, "*": (*big.Int).Mul, "%": (*big.Int).Rem,
	}
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]string{"+", "-", "*", "%"}).Draw(t, "op")
		a, b := integer.Draw(t, "a"), integer.Draw(t, "b")
		got, err := arithmetic(op, a, b)
		if op == "%" && b == 0 {
			if err == nil {
				t.Errorf("%d %% 0 is %v", a, got)
			}
			return
		}
		want := ops[op](new(big.Int), big.NewInt(a), big.NewInt(b))
		if want.IsInt64() != (err == nil) || err == nil && got != want.Int64() {
			t.Errorf("%d %s %d is %v, %v; want %v", a, op, b, got, err, want)
		}
	})
}

func TestArithmeticOfOtherKinds(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		a    any
		op   string
		b    any
		want any
	}{
		{1.5, "+", int64(1), 2.5}, {int64(1), "-", 0.5, 0.5}, {2.0, "*", 3.0, 6.0}, {int64(1), "/", int64(4), 0.25}, {int64(2), "**", int64(3), 8.0}, {2.0, "^", 0.5, math.Sqrt2},
		{time.Hour, "+", time.Minute, 61 * time.Minute}, {time.Hour, "-", 2 * time.Hour, -time.Hour}, {time.Hour, "*", int64(3), 3 * time.Hour}, {int64(3), "*", time.Hour, 3 * time.Hour}, {0.5, "*", time.Hour, 30 * time.Minute},
		{24 * time.Hour, "/", int64(3), 8 * time.Hour}, {time.Hour, "/", -1.0, -time.Hour}, {time.Hour, "/", 0.5, 2 * time.Hour}, {time.Hour, "/", time.Minute, 60.0},
		{at, "+", time.Hour, at.Add(time.Hour)}, {time.Hour, "+", at, at.Add(time.Hour)}, {at, "-", time.Hour, at.Add(-time.Hour)}, {at, "-", at.Add(-time.Hour), time.Hour},
		{"a", "+", "b", "ab"},
	}
	for _, tc := range tests {
		got, err := arithmetic(tc.op, tc.a, tc.b)
		if err != nil || got != tc.want {
			t.Errorf("%v %s %v: got %v, %v, want %v", tc.a, tc.op, tc.b, got, err, tc.want)
		}
	}
}

func TestArithmeticErrors(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		a      any
		op     string
		b      any
		reason string
	}{
		{int64(1), "/", int64(0), "is zero"}, {1.0, "/", 0.0, "is zero"}, {time.Hour, "/", int64(0), "is zero"}, {time.Hour, "/", time.Duration(0), "is zero"},
		{math.MaxFloat64, "*", 10.0, "is not a finite number"}, {-1.0, "**", 0.5, "is not a finite number"}, {1.5, "%", 1.0, "not defined for numbers with a fraction"},
		{time.Duration(math.MaxInt64), "+", time.Duration(1), "longer than a duration can be"}, {time.Duration(math.MaxInt64), "*", int64(2), "longer than a duration"}, {time.Duration(math.MaxInt64), "*", 1.5, "longer than a duration"}, {time.Duration(math.MinInt64), "/", int64(-1), "longer than a duration"},
		{at, "+", time.Duration(math.MaxInt64), ""}, {time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "+", 48 * time.Hour, "beyond the years"}, {time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "-", at, "longer than a duration"},
		{at, "+", at, "a time and a time"}, {at, "*", int64(2), "a time and an integer"}, {int64(1), "-", time.Hour, "a number and a duration"}, {"a", "-", "b", "a string and a string"}, {"a", "+", int64(1), "a string and an integer"}, {true, "+", true, "a bool and a bool"},
		{nil, "+", int64(1), "is missing"}, {int64(1), "+", nil, "is missing"}, {[]any{}, "+", []any{}, "a list and a list"},
	}
	for _, tc := range tests {
		got, err := arithmetic(tc.op, tc.a, tc.b)
		if tc.reason == "" {
			if err != nil {
				t.Errorf("%v %s %v: %v", tc.a, tc.op, tc.b, err)
			}
			continue
		}
		var f *fault
		if !errors.As(err, &f) || !strings.Contains(f.reason, tc.reason) {
			t.Errorf("%v %s %v: got %v, %v, want %s", tc.a, tc.op, tc.b, got, err, tc.reason)
		}
	}
}

func TestEqual(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	berlin := at.In(time.FixedZone("CET", 3600))
	tests := []struct {
		a, b any
		want bool
	}{
		{nil, nil, true}, {nil, int64(0), false}, {"", nil, false}, {int64(1), int64(1), true}, {int64(1), 1.0, true}, {1.0, int64(2), false}, {1, int64(1), true},
		{"a", "a", true}, {"a", engine.Text{{S: "a"}}, true}, {engine.Text{{S: "a"}}, "b", false}, {"1", int64(1), false}, {true, true, true}, {true, int64(1), false},
		{at, berlin, true}, {at, "2026-01-01T00:00:00Z", false}, {time.Hour, 60 * time.Minute, true}, {time.Hour, int64(time.Hour), false},
		{[]any{int64(1), "a"}, []any{1.0, "a"}, true}, {[]any{int64(1)}, []any{}, false}, {[]any(nil), []any{}, true}, {[]any{}, map[string]any{}, false},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false}, {map[string]any{"a": []any{"x"}}, map[string]any{"a": []any{"x"}}, true},
	}
	for _, tc := range tests {
		for _, pair := range [][2]any{{tc.a, tc.b}, {tc.b, tc.a}} {
			m := meter{left: 100}
			if got, err := m.equal(pair[0], pair[1]); got != tc.want || err != nil {
				t.Errorf("%v == %v: got %v, %v", pair[0], pair[1], got, err)
			}
		}
	}
}

// Values are told apart by uniq exactly where == tells them apart.
func TestIdentityAgreesWithEqual(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	values := []any{
		nil, true, int64(1), 1.0, 1.5, "1", "a", engine.Text{{S: "a"}}, at, at.In(time.FixedZone("CET", 3600)), at.Format(time.RFC3339), time.Hour, "1h",
		[]any{"a"}, []any{"b"}, `["a"]`, map[string]any{"a": int64(1)}, map[string]any{"a": int64(1), "b": nil}, float64(1 << 60), int64(1 << 60),
	}
	for _, a := range values {
		for _, b := range values {
			m := meter{left: 1000}
			x, errX := m.identity(a)
			y, errY := m.identity(b)
			same, err := m.equal(a, b)
			if errX != nil || errY != nil || err != nil {
				t.Fatal(errX, errY, err)
			}
			if (x == y) != same {
				t.Errorf("%#v and %#v: equal is %v, identity %v", a, b, same, x == y)
			}
		}
	}
}

func TestCompareErrors(t *testing.T) {
	for _, pair := range [][2]any{{"a", int64(1)}, {int64(1), "a"}, {true, false}, {nil, int64(1)}, {int64(1), nil}, {time.Hour, int64(1)}, {[]any{}, []any{}}} {
		if _, err := compare(pair[0], pair[1]); err == nil {
			t.Errorf("%v and %v have an order", pair[0], pair[1])
		}
	}
}

func TestTheMeterRunsOut(t *testing.T) {
	m := meter{left: 10}
	if err := m.charge(10); err != nil {
		t.Error(err)
	}
	if err := m.charge(1); err == nil {
		t.Error("eleven of ten steps")
	}
	long := make([]any, 100)
	for name, run := range map[string]func(*meter) error{
		"equal": func(m *meter) error { _, err := m.equal(long, long); return err },
		"sort": func(m *meter) error {
			return m.sort([]any{int64(3), int64(2), int64(1)}, func(v any) any { return v }, false)
		},
		"in":      func(m *meter) error { _, err := runIn(m, []any{"x", long}); return err },
		"concat":  func(m *meter) error { _, err := runConcat(m, []any{long, long}); return err },
		"flatten": func(m *meter) error { _, err := runFlatten(m, []any{[]any{long, long}}); return err },
		"split":   func(m *meter) error { _, err := runSplit(m, []any{"a,b,c,d", ","}); return err },
		"repeat":  func(m *meter) error { _, err := runRepeat(m, []any{"x", int64(100)}); return err },
		"replace": func(m *meter) error { _, err := runReplace(m, []any{"aaaaaa", "a", "bbbbbbbb"}); return err },
		"upper": func(m *meter) error {
			_, err := eachText(strings.ToUpper)(m, []any{strings.Repeat("a", 100)})
			return err
		},
		"slice":     func(m *meter) error { _, err := runSlice(m, []any{strings.Repeat("a", 100), nil, nil}); return err },
		"from JSON": func(m *meter) error { _, err := runFromJSON(m, []any{"[1,2,3,4]"}); return err },
		"matches": func(m *meter) error {
			_, err := runMatches(m, []any{strings.Repeat("a", 100), "(a?){50}b"})
			return err
		},
		"uniq": func(m *meter) error { _, err := runUniq(m, []any{long}); return err },
		"JSON": func(m *meter) error { _, err := m.encode(long); return err },
	} {
		if run(&meter{left: 2}) == nil {
			t.Errorf("%s costs nothing", name)
		}
	}
}
