package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestDurationsAreWrittenAsPlaybooksWriteThem(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s":      0,
		"250ms":   250 * time.Millisecond,
		"30m":     30 * time.Minute,
		"90m":     90 * time.Minute,
		"16h41m":  1001 * time.Minute,
		"121d5m":  121*24*time.Hour + 5*time.Minute,
		"25h":     25 * time.Hour,
		"24h":     24 * time.Hour,
		"36h":     36 * time.Hour,
		"2d":      48 * time.Hour,
		"90d":     90 * 24 * time.Hour,
		"2m500ms": 2*time.Minute + 500*time.Millisecond,
	} {
		got, err := engine.ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
		if back := engine.FormatDuration(want); back != text {
			t.Errorf("FormatDuration(%v) = %q, want %q", want, back, text)
		}
	}
	if week, err := engine.ParseDuration("1w"); err != nil || engine.FormatDuration(week) != "7d" {
		t.Errorf("a week is %v, %v", week, err)
	}
}

func TestWhatIsNoDuration(t *testing.T) {
	for _, text := range []string{"", "5", "h", "1.5h", "-1h", "1h 30m", "30m1h", "1h1h", "1y", "1M", "99999999999999999999h", "300000w", "1ms1m"} {
		if got, err := engine.ParseDuration(text); !errors.Is(err, engine.ErrDuration) {
			t.Errorf("ParseDuration(%q) = %v, %v, want ErrDuration", text, got, err)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"24h", "1h30m", "90d", "250ms", "", "0", "9w9d9h9m9s9ms"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := engine.ParseDuration(s)
		if err != nil {
			return
		}
		back, err := engine.ParseDuration(engine.FormatDuration(d))
		if err != nil || back != d {
			t.Fatalf("%q is %v, written %q, read back %v (%v)", s, d, engine.FormatDuration(d), back, err)
		}
	})
}
