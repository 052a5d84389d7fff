package local_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

func declared() []engine.Field {
	one := int64(1)
	return []engine.Field{
		{Name: "window", Type: engine.TypeDuration()},
		{Name: "since", Type: engine.TypeTime()},
		{Name: "threshold", Type: engine.TypeInteger(), Minimum: &one},
		{Name: "share", Type: engine.TypeNumber()},
		{Name: "really", Type: engine.TypeBool()},
		{Name: "who", Type: engine.TypeString()},
		{Name: "how", Type: engine.EnumOf("fast", "slow")},
		{Name: "list", Type: engine.ListOf(engine.TypeString())},
		{Name: "more", Type: engine.TypeAny()},
	}
}

func TestReadInputs(t *testing.T) {
	got, err := local.ReadInputs(declared(), map[string]string{
		"window": "1h30m", "since": "2026-01-31", "threshold": "5", "share": "0.5", "really": "true",
		"who": "123", "how": "slow", "list": `["a","b"]`, "more": `{"n": 1}`, "unknown": "kept",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"window": 90 * time.Minute, "since": time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), "threshold": int64(5), "share": 0.5,
		"really": true, "who": "123", "how": "slow", "list": []any{"a", "b"}, "more": map[string]any{"n": int64(1)}, "unknown": "kept",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadInputsReportsEverything(t *testing.T) {
	_, err := local.ReadInputs(declared(), map[string]string{
		"window": "soon", "since": "yesterday", "threshold": "5.5", "really": "yes", "how": "never", "list": "a,b",
	})
	if !errors.Is(err, local.ErrInputs) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		`window must be a duration such as 30m, 24h or 90d, not "soon"`,
		`since must be a time such as 2026-01-31T08:00:00Z, or a date, not "yesterday"`,
		`threshold must be a whole number, not "5.5"`,
		`really must be true or false, not "yes"`,
		`how must be fast | slow, not "never"`,
		`list must be JSON, a list of string, not "a,b"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestReadInputsShortensWhatItRepeats(t *testing.T) {
	_, err := local.ReadInputs(declared(), map[string]string{"threshold": strings.Repeat("é", 5000)})
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("the message has %d bytes", len(err.Error()))
	}
}
