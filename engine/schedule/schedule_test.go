package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"
)

func must(t testing.TB, spec, zone string) Schedule {
	t.Helper()
	s, err := Parse(spec, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestNextWhereClocksChange is the rules of the package comment, one by one.
func TestNextWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, spec, zone, from, want string }{
		{"a fixed hour that is skipped", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "29 03:00 +02:00, 30 02:30 +02:00"},
		{"a fixed hour that comes twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "25 02:30 +02:00, 26 02:30 +01:00"},
		{"asked in the hour that comes again", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "26 02:30 +01:00"},
		{"skipped and due are one", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "29 03:00 +02:00, 30 02:00 +02:00"},
		{"stepped minutes of a fixed hour", "*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "29 03:00 +02:00, 30 02:00 +02:00"},
		{"stepped minutes of a fixed hour that comes twice", "*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "25 02:00 +02:00, 25 02:30 +02:00, 26 02:00 +01:00"},
		{"every hour, also the repeated one", "0 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "25 02:00 +01:00, 25 03:00 +01:00"},
		{"every hour, nothing in the gap", "30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "29 01:30 +01:00, 29 03:30 +02:00"},
		{"stepped hours in the gap are not made up for", "0 */2 * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", "29 04:00 +02:00"},
		{"half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "04 02:30 +11:00, 05 02:15 +11:00"},
		{"half an hour back", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "05 01:45 +11:00, 06 01:45 +10:30"},
		{"midnight is skipped", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "06 01:00 -03:00, 07 00:00 -03:00"},
		{"the hour before midnight comes twice", "30 23 * * *", "Africa/Cairo", "2026-10-29T12:00:00Z", "29 23:30 +03:00, 30 23:30 +02:00"},
		{"a date that does not exist", "0 8 30 * *", "Pacific/Apia", "2011-12-01T00:00:00Z", "31 00:00 +14:00, 30 08:00 +14:00"},
		{"@daily is a fixed hour", "@daily", "Asia/Beirut", "2026-03-28T12:00:00Z", "29 01:00 +03:00, 30 00:00 +03:00"},
		{"@every takes no notice", "@every 2h", "Europe/Berlin", "2026-03-29T00:30:00Z", "29 04:00 +02:00, 29 06:00 +02:00"},
		{"@every is anchored to the epoch", "@every 7m", "", "1970-01-01T00:00:01Z", "01 00:07 +00:00, 01 00:14 +00:00"},
		{"the leap day", "0 0 29 2 *", "", "2096-03-01T00:00:00Z", "29 00:00 +00:00"},
		{"the last day of a leap year, which package time loses", "0 12 * * *", "Europe/Berlin", "2040-12-30T00:00:00Z", "30 12:00 +01:00, 31 12:00 +01:00, 01 12:00 +01:00"},
		{"7 is Sunday", "0 8 * * 7", "", "2026-11-27T00:00:00Z", "29 08:00 +00:00"},
		{"either day field", "0 8 1 * MON", "", "2026-11-27T00:00:00Z", "30 08:00 +00:00, 01 08:00 +00:00"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s, at := must(t, c.spec, c.zone), moment(t, c.from)
			var got []string
			for range strings.Count(c.want, ",") + 1 {
				at = s.Next(at)
				got = append(got, at.Format("02 15:04 -07:00"))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.spec, diff)
			}
		})
	}
}

func TestShift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec, at string
		want     Shift
	}{
		{"30 2 * * *", "2026-03-29T01:00:00Z", ShiftSkipped},
		{"0 3 * * *", "2026-03-29T01:00:00Z", ShiftNone},
		{"30 2 * * *", "2026-10-25T00:30:00Z", ShiftFirst},
		{"0 2 * * *", "2026-10-25T00:00:00Z", ShiftFirst},
		{"30 * * * *", "2026-10-25T01:30:00Z", ShiftAgain},
		{"0 8 * * *", "2026-10-25T07:00:00Z", ShiftNone},
		{"@every 30m", "2026-10-25T01:30:00Z", ShiftNone},
	} {
		if got := must(t, c.spec, "Europe/Berlin").Shift(moment(t, c.at)); got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.spec, c.at, got, c.want)
		}
	}
}

func TestParseSaysWhatToWriteInstead(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"0 8 L * *":      "write 1, the first day of the next month",
		"0 8 LW * *":     "there is no L",
		"0 8 15W * *":    "1-5 as the day of the week",
		"0 8 * * 5#2":    "there is no #",
		"0 8 * * 5L":     "there is no L",
		"0 8 ? * 1":      "write * instead of ?",
		"0 0 8 * * *":    "no seconds",
		"0 0 8 * * * 26": "no seconds",
		"0 8 30 2 *":     "never comes",
		"0 8 */2 * 1":    "readers disagree",
		"@dayly":         "did you mean @daily?",
		"@reboot":        "there are @hourly",
		"@every":         "such as @every 15m",
		"@every 0s":      "not a whole number of seconds",
		"@every 1500ms":  "not a whole number of seconds",
		"@every 53w":     "longer than a year",
		"@every -5m":     "not a duration",
		"TZ=0":           "beside `schedule`",
		"CRON_TZ=UTC":    "beside `schedule`",
		"":               "has 5 fields",
	} {
		_, err := Parse(spec, "")
		var problem *Problem
		if !errors.As(err, &problem) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", spec, err, want)
		}
	}
	for _, zone := range []string{"Local", "Europe/Berln", "../etc/passwd"} {
		if _, err := Parse("@daily", zone); !errors.Is(err, ErrZone) {
			t.Errorf("the zone %q: %v", zone, err)
		}
	}
}

func TestTheZeroScheduleNeverFires(t *testing.T) {
	t.Parallel()
	var s Schedule
	if now := time.Unix(1e9, 0); !s.Next(now).IsZero() || s.Count(now, now.Add(time.Hour)) != 0 {
		t.Error("it fires")
	}
}

// TestAsOtherCronsInUTC compares with a library where clocks never change.
func TestAsOtherCronsInUTC(t *testing.T) {
	t.Parallel()
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	rapid.Check(t, func(t *rapid.T) {
		sp := specs().Draw(t, "spec")
		theirs, err := parser.Parse(sp.text)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := Parse(sp.text, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "after"), 0).UTC()
		for range 20 {
			want := theirs.Next(at)
			if at = ours.Next(at); !at.Equal(want) {
				t.Fatalf("%q: %s, theirs is %s", sp.text, at, want)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"*/30 * * * *", "0 8 1 JAN,mar mon-FRI", "0 2 * * 5-7/2", "@daily", "@every 90m", "TZ=0", "0 8 L * *", "0 0 29 2 *", "* * * * * *"} {
		f.Add(s, "Europe/Berlin", int64(1_774_745_999)) // a second before clocks are put forward
	}
	f.Fuzz(func(t *testing.T, text, zone string, unix int64) {
		s, err := Parse(text, zone)
		if err != nil {
			var problem *Problem
			if errors.As(err, &problem) && (problem.Message == "" || problem.Hint == "" || problem.Offset < 0 || problem.Length < 0) {
				t.Fatalf("%q: %+v", text, problem)
			}
			return
		}
		again, err := Parse(s.String(), zone)
		if err != nil {
			t.Fatalf("%q became %q, which is refused: %v", text, s, err)
		}
		after := time.Unix(unix%10_000_000_000, 0)
		next := s.Next(after)
		if !next.After(after) || !next.Equal(again.Next(after)) || s.Count(after, next) != 1 || s.Count(after, next.Add(-1)) != 0 {
			t.Fatalf("%q in %q: after %s comes %s", text, zone, after, next)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	for _, spec := range []string{"*/5 * * * *", "30 2 * * *", "0 8 1 1 *", "0 8 29 2 *", "@every 15m"} {
		b.Run(spec, func(b *testing.B) {
			s, at := must(b, spec, "Europe/Berlin"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				if s.Next(at).IsZero() {
					b.Fatal("it never fires")
				}
			}
		})
	}
}
