package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, spec, last, now string
		missed                Missed
		limit                 int
		want                  []string // hour and minute
		skipped               int
	}{
		{"on time", "0 * * * *", "10:00:00", "11:00:02", MissedNone, 0, []string{"11:00"}, 0},
		{"to the second", "0 * * * *", "10:00:00", "11:00:00", MissedNone, 0, []string{"11:00"}, 0},
		{"nothing yet", "0 * * * *", "10:00:00", "10:59:59", MissedAll, 0, nil, 0},
		{"a minute late is on time", "0 * * * *", "10:00:00", "11:01:00", MissedNone, 0, []string{"11:00"}, 0},
		{"missed, and left out", "0 * * * *", "10:00:00", "13:30:00", MissedNone, 0, nil, 3},
		{"missed, and one is made up for", "0 * * * *", "10:00:00", "13:30:00", MissedLast, 0, []string{"13:00"}, 2},
		{"the one on time makes up for those missed", "0 * * * *", "10:00:00", "13:00:10", MissedLast, 0, []string{"13:00"}, 2},
		{"of several within a minute, one is made up for", "@every 20s", "10:00:00", "10:01:00", MissedLast, 0, []string{"10:01"}, 2},
		{"all", "0 * * * *", "10:00:00", "13:30:00", MissedAll, 0, []string{"11:00", "12:00", "13:00"}, 0},
		{"all, the newest where there are too many", "0 * * * *", "10:00:00", "13:30:00", MissedAll, 2, []string{"12:00", "13:00"}, 1},
		{"last is what nothing else is", "0 * * * *", "10:00:00", "13:30:00", "", 0, []string{"13:00"}, 2},
		{"the clock was put back", "0 * * * *", "13:00:00", "12:30:00", MissedAll, 0, nil, 0},
		{"the clock was put back and passes the hour again", "0 * * * *", "13:00:00", "13:00:00", MissedAll, 0, nil, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			clock := func(s string) time.Time { return moment(t, "2026-11-27T"+s+"Z") }
			fire, skipped := Due(must(t, c.spec, ""), clock(c.last), clock(c.now), c.missed, c.limit)
			var got []string
			for _, at := range fire {
				got = append(got, at.Format("15:04"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || skipped != c.skipped {
				t.Errorf("skipped %d, want %d (-want +got):\n%s", skipped, c.skipped, diff)
			}
		})
	}
}

func TestANewScheduleHasMissedNothing(t *testing.T) {
	t.Parallel()
	if fire, skipped := Due(must(t, "* * * * *", ""), time.Time{}, time.Unix(1e9, 0), MissedAll, 0); fire != nil || skipped != 0 {
		t.Errorf("%v, %d", fire, skipped)
	}
}

// TestDueAfterManyYears would not end if every fire time were looked at.
func TestDueAfterManyYears(t *testing.T) {
	t.Parallel()
	last := time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)
	now := last.AddDate(100, 0, 0)
	for _, spec := range []string{"* * * * *", "@every 1s"} {
		fire, skipped := Due(must(t, spec, "Europe/Berlin"), last, now, MissedAll, 0)
		if len(fire) != DefaultLimit || !fire[DefaultLimit-1].Equal(now) || skipped < 50_000_000 {
			t.Errorf("%s: %d fire times, %d skipped", spec, len(fire), skipped)
		}
	}
}

// TestDueOnceWhateverTheClockDoes drives a scheduler that looks at random
// moments, also back in time: with `all` every fire time comes exactly once.
func TestDueOnceWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := Parse(rapid.SampledFrom([]string{"30 2 * * *", "*/20 * * * *", "0 */3 * * *", "@every 50m"}).Draw(t, "spec"), "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
		last, now, newest := begin, begin, begin
		var got []time.Time
		for _, minutes := range rapid.SliceOfN(rapid.IntRange(-120, 600), 1, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(minutes) * time.Minute)
			fire, skipped := Due(s, last, now, MissedAll, 1000)
			if skipped != 0 {
				t.Fatalf("%d skipped", skipped)
			}
			for _, at := range fire {
				got, last = append(got, at.UTC()), at
			}
			newest = later(newest, now)
		}
		if want := walked(s, begin, newest); !slices.Equal(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

func TestKey(t *testing.T) {
	t.Parallel()
	at := moment(t, "2026-10-25T02:30:00+02:00")
	if got := Key("sweep", 1, at); got != "sweep#1@2026-10-25T00:30:00Z" {
		t.Error(got)
	}
	if Key("sweep", 1, at) == Key("sweep", 1, at.Add(time.Hour)) {
		t.Error("the repeated hour has the key of the first")
	}
}
