package engine_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func userType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "state", Type: engine.EnumOf("active", "suspended")},
		engine.Field{Name: "last_seen", Type: engine.Maybe(engine.TypeTime())},
	)
}

func TestValuesSurviveAJournal(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 1, 2, 345_000_000, time.UTC)
	for name, tt := range map[string]struct {
		value any
		typ   engine.Type
		json  string
	}{
		"null":                      {nil, engine.Maybe(engine.TypeString()), `null`},
		"bool":                      {true, engine.TypeBool(), `true`},
		"integer":                   {int64(5), engine.TypeInteger(), `5`},
		"undeclared integer":        {int64(5), engine.TypeAny(), `5`},
		"undeclared whole float":    {5.0, engine.TypeAny(), `5.0`},
		"the largest integer":       {int64(math.MaxInt64), engine.TypeAny(), `9223372036854775807`},
		"string":                    {"a <b> \u2028 \"c\"", engine.TypeString(), "\"a <b> \\u2028 \\\"c\\\"\""},
		"time":                      {at, engine.TypeTime(), `"2026-11-20T08:01:02.345Z"`},
		"duration":                  {24 * time.Hour, engine.TypeDuration(), `"24h"`},
		"list":                      {[]any{int64(1), int64(2)}, engine.ListOf(engine.TypeInteger()), `[1,2]`},
		"map, keys sorted":          {map[string]any{"b": int64(1), "a": "x"}, engine.TypeAny(), `{"a":"x","b":1}`},
		"declared map":              {map[string]any{"id": "U1", "state": "active", "last_seen": at}, userType(), `{"id":"U1","last_seen":"2026-11-20T08:01:02.345Z","state":"active"}`},
		"text with a foreign part":  {engine.Text{{S: "Hi "}, {S: "<x>", Foreign: true}}, engine.TypeText(), `{"$text":[{"s":"Hi "},{"s":"<x>","foreign":true}]}`},
		"predicate and its capture": {engine.Predicate{Source: "n > inputs.n", Captured: map[string]any{"inputs": map[string]any{"n": int64(5)}}}, engine.PredicateOver(userType()), `{"$predicate":{"captured":{"inputs":{"n":5}},"source":"n > inputs.n"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := engine.EncodeJSON(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if string(data) != tt.json {
				t.Errorf("encoded %s, want %s", data, tt.json)
			}
			back, err := engine.DecodeJSON(data, tt.typ)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, back); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMissingOptionalFieldIsNullAndAMissingOneAnError(t *testing.T) {
	got, err := engine.DecodeJSON([]byte(`{"id": "U1", "state": "active"}`), userType())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"id": "U1", "state": "active", "last_seen": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := engine.DecodeJSON([]byte(`{"id": "U1"}`), userType()); !errors.Is(err, engine.ErrValue) {
		t.Errorf("a user without a state: %v, want ErrValue", err)
	}
}

func TestWrongValuesNameTheirPlaceButNotTheirContent(t *testing.T) {
	for name, tt := range map[string]struct {
		json string
		typ  engine.Type
		want string
	}{
		"kind":          {`"hunter2"`, engine.TypeInteger(), "it must be integer, not a string"},
		"fraction":      {`1.5`, engine.TypeInteger(), "it must be integer, not a number"},
		"nested":        {`{"id": 5, "state": "active"}`, userType(), "id must be string, not a number"},
		"in a list":     {`[1, "x"]`, engine.ListOf(engine.TypeInteger()), "[1] must be integer, not a string"},
		"enumeration":   {`"deleted"`, engine.EnumOf("active", "suspended"), `it must be active | suspended, not "deleted"`},
		"null":          {`null`, engine.TypeString(), "it must be string, not null"},
		"bad duration":  {`"3 days"`, engine.TypeDuration(), "it must be duration, not a string"},
		"bad time":      {`"yesterday"`, engine.TypeTime(), "it must be time, not a string"},
		"not JSON":      {`{`, engine.TypeAny(), "unexpected EOF"},
		"not a list":    {`{}`, engine.ListOf(engine.TypeAny()), "it must be list of any, not a map"},
		"not a map":     {`[]`, userType(), "it must be map, not a list"},
		"not text":      {`5`, engine.TypeText(), "it must be text, not a number"},
		"not predicate": {`"x > 1"`, engine.PredicateOver(userType()), "it must be predicate, not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.DecodeJSON([]byte(tt.json), tt.typ)
			if !errors.Is(err, engine.ErrValue) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrValue with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

func TestWhatJSONCannotHoldIsAnError(t *testing.T) {
	for name, v := range map[string]any{
		"NaN":             math.NaN(),
		"infinity":        math.Inf(1),
		"nested":          map[string]any{"a": []any{math.NaN()}},
		"a type of ours":  struct{}{},
		"a typed list":    []string{"a"},
		"an unsigned int": uint8(1),
	} {
		if _, err := engine.EncodeJSON(v); !errors.Is(err, engine.ErrValue) {
			t.Errorf("%s: %v, want ErrValue", name, err)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`null`, `{"a":[1,2.5,"x"]}`, `{"$text":[{"s":"x"}]}`, `1e400`, `"24h"`, `{"$predicate":{"source":"x"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := engine.DecodeJSON(data, engine.TypeAny())
		if err != nil {
			return
		}
		once, err := engine.EncodeJSON(v)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		again, err := engine.DecodeJSON(once, engine.TypeAny())
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, err := engine.EncodeJSON(again)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("not canonical: %s, then %s (%v)", once, twice, err)
		}
	})
}

func TestWhatConformsIsNotCopiedAndWhatDoesNotIsLeftAlone(t *testing.T) {
	right := map[string]any{"id": "U1", "state": "active", "last_seen": nil}
	lacking := map[string]any{"id": "U2", "state": "active"}
	list := []any{right, lacking}
	got, err := engine.Conform(list, engine.ListOf(userType()))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{right, map[string]any{"id": "U2", "state": "active", "last_seen": nil}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, added := lacking["last_seen"]; added || len(list[1].(map[string]any)) != 2 {
		t.Error("the value that was handed in has changed")
	}
	same, err := engine.Conform([]any{right}, engine.ListOf(userType()))
	if err != nil {
		t.Fatal(err)
	}
	same.([]any)[0].(map[string]any)["id"] = "U3"
	if right["id"] != "U3" {
		t.Error("a value that conforms was copied")
	}
}
