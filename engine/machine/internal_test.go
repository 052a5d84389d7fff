package machine

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestEscape(t *testing.T) {
	for key, want := range map[string]string{
		"alice@example.com": "alice@example.com",
		"a/b[c]%d":          "a%2Fb%5Bc%5D%25d",
		"line\nbreak\x7f":   "line%0Abreak%7F",
		"\u0085next":        "%C2%85next",
		"Žofie":             "Žofie",
	} {
		if got := escape(key); got != want {
			t.Errorf("%q became %q, want %q", key, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		v, literal any
		want       bool
	}{
		{"active", "active", true},
		{"active", "suspended", false},
		{int64(2), int64(2), true},
		{2.0, int64(2), true},
		{int64(2), 2.5, false},
		{"2", int64(2), false},
		{true, true, true},
		{nil, nil, true},
		{nil, "x", false},
		{[]any{"x"}, []any{"x"}, false},
		{map[string]any{}, "x", false},
		{"x", map[string]any{}, false},
	} {
		if got := matches(test.v, test.literal); got != test.want {
			t.Errorf("%v matches %v: %v", test.v, test.literal, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		retry program.Retry
		made  int
		want  time.Duration
	}{
		{program.Retry{Backoff: "fixed", First: s}, 5, s},
		{program.Retry{Backoff: "exponential", First: s}, 1, s},
		{program.Retry{Backoff: "exponential", First: s}, 4, 8 * s},
		{program.Retry{Backoff: "exponential", First: s, Max: 5 * s}, 4, 5 * s},
		{program.Retry{Backoff: "fixed", First: 9 * s, Max: 5 * s}, 1, 5 * s},
		{program.Retry{Backoff: "exponential", First: s}, 1_000_000, maxBackoff},
		{program.Retry{Backoff: "exponential"}, 1_000_000, 0},
	} {
		if got := backoff(&test.retry, test.made); got != test.want {
			t.Errorf("%+v waits %s after %d attempts, want %s", test.retry, got, test.made, test.want)
		}
	}
}

// anyJSON is a random JSON document, spaced or not.
func anyJSON(t *rapid.T, depth int) any {
	switch kind := rapid.IntRange(0, 7-2*min(depth, 1)).Draw(t, "kind"); {
	case kind == 0:
		return nil
	case kind == 1:
		return rapid.Bool().Draw(t, "bool")
	case kind == 2:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
	case kind < 6:
		return rapid.String().Draw(t, "string")
	case kind == 6:
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return anyJSON(t, depth+1) }), 0, 5).Draw(t, "list")
	default:
		return rapid.MapOfN(rapid.String(), rapid.Custom(func(t *rapid.T) any { return anyJSON(t, depth+1) }), 0, 5).Draw(t, "map")
	}
}

func encoded(t *rapid.T, v any) []byte {
	data, err := json.Marshal(v)
	if rapid.Bool().Draw(t, "spaced") && err == nil {
		data, err = json.MarshalIndent(v, " ", "\t")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Finding one's way in JSON must find what decoding finds.
func TestJSONIsCutWhereItShouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOf(rapid.String(), rapid.Custom(func(t *rapid.T) any { return anyJSON(t, 0) })).Draw(t, "object")
		data := encoded(t, object)
		for name, want := range object {
			sameJSON(t, member(data, name), want)
		}
		if _, has := object["nobody"]; !has && member(data, "nobody") != nil {
			t.Fatalf("%s has no such member", data)
		}
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) any { return anyJSON(t, 0) })).Draw(t, "list")
		i := 0
		for raw := range elements(encoded(t, list)) {
			sameJSON(t, raw, list[i])
			i++
		}
		if i != len(list) {
			t.Fatalf("%d of %d elements were found", i, len(list))
		}
	})
}

func sameJSON(t *rapid.T, raw []byte, want any) {
	var got, wanted any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &wanted); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("%s was cut out, want %s", raw, data)
	}
}

// In anything else it must find its end.
func TestGarbageIsNoJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.SampledFrom([]byte(`{}[]",:\ 1a`))).Draw(t, "data")
		n := 0
		for range elements(data) {
			if n++; n > len(data) {
				t.Fatalf("%q has no end", data)
			}
		}
		member(data, "a")
		l := &loop{items: val{data: data}, total: 3}
		for offset := range data {
			if it, ok := l.at(offset); ok && it.end <= offset {
				t.Fatalf("the item at %d of %q ends before it begins", offset, data)
			}
		}
	})
}

func TestTriggerIsTheTriggeredPlaybooksOwn(t *testing.T) {
	m := New(&program.Program{})
	m.start = &origin{}
	m.start.trigger = m.keep([]byte(`{"kind":"webhook","time":"2026-03-01T12:00:00Z","webhook":"siem","body":{"n":1}}`))
	m.root = m.open(nil, part{name: partRoot})
	got, err := m.triggerFor(m.root.env)
	want := map[string]any{
		"kind": "webhook", "time": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "webhook": "siem", "body": map[string]any{"n": int64(1)},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
	if got, err := m.triggerFor(&env{code: m.code}); got != nil || err != nil {
		t.Errorf("a called playbook sees the trigger: %v (%v)", got, err)
	}
	m.start.trigger = val{data: []byte("null")}
	if got, err := m.triggerFor(m.root.env); got != nil || err != nil {
		t.Errorf("a run started by hand has the trigger %v (%v)", got, err)
	}
}

func TestWrittenKeys(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
		ok   bool
	}{
		{"a", "a", true}, {int64(7), "7", true}, {true, "true", true}, {2.5, "2.5", true}, {90 * time.Minute, "90m", true},
		{engine.Text{{S: "a"}, {S: "b", Foreign: true}}, "ab", true}, {"bad\xff", "bad\uFFFD", true},
		{nil, "", false}, {[]any{"a"}, "", false}, {map[string]any{}, "", false},
	} {
		if got, ok := written(test.v); got != test.want || ok != test.ok {
			t.Errorf("%v is written %q, %v", test.v, got, ok)
		}
	}
}
