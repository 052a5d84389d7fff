package schedule

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// whole reports whether everything is compared, which takes half a minute:
//
//	ORACLE=whole go test ./engine/schedule -run Oracle -v
func whole(t *testing.T) bool {
	t.Helper()
	return os.Getenv("ORACLE") == "whole"
}

// shown is what clocks and the calendar show in a minute.
type shown struct{ month, day, weekday, hour, minute uint8 }

// tick is a minute of real time.
type tick struct {
	at      time.Time
	shown   shown
	again   bool    // clocks have shown this before, or passed over it
	skipped []shown // what they passed over just now, for the first time
}

// walk is every minute from one moment to another in a zone.
func walk(zone *time.Location, from, to time.Time) []tick {
	begin := from.UTC().Truncate(time.Minute)
	out := make([]tick, 0, int(to.Sub(begin)/time.Minute)+1)
	been := make([]bool, cap(out)+int(4*day/time.Minute)) // by what clocks show, in minutes since two days before
	index := func(wall time.Time) int { return int(wall.Sub(begin.Add(-2*day)) / time.Minute) }
	var last time.Time
	for at := begin; at.Before(to); at = at.Add(time.Minute) {
		_, offset := at.In(zone).Zone()
		now := at.Add(time.Duration(offset) * time.Second).Truncate(time.Minute)
		t := tick{at: at, shown: read(now), again: been[index(now)]}
		been[index(now)] = true
		for w := last.Add(time.Minute); !last.IsZero() && w.Before(now); w = w.Add(time.Minute) {
			if !been[index(w)] {
				t.skipped = append(t.skipped, read(w))
			}
			been[index(w)] = true
		}
		out, last = append(out, t), now
	}
	return out
}

func read(t time.Time) shown {
	_, month, day := t.Date()
	hour, minute, _ := t.Clock()
	return shown{uint8(month), uint8(day), uint8(t.Weekday()), uint8(hour), uint8(minute)}
}

// oracle finds the fire times by looking at every minute, by the words of the
// package comment. It must begin more than a day before what is asked for.
func oracle(s spec, ticks []tick) []time.Time {
	var fire []time.Time
	for i := range ticks {
		now := &ticks[i]
		due := s.matches(now.shown)
		if s.fixedHours() {
			due = due && !now.again || slices.ContainsFunc(now.skipped, s.matches)
		}
		if due {
			fire = append(fire, now.at)
		}
	}
	return fire
}

// between is the times after one moment up to and including another.
func between(times []time.Time, after, until time.Time) []time.Time {
	from, _ := slices.BinarySearchFunc(times, after.Add(1), time.Time.Compare)
	to, _ := slices.BinarySearchFunc(times, until.Add(1), time.Time.Compare)
	return times[from:to]
}

// walked is the fire times of Next after one moment up to and including another.
func walked(s Schedule, after, until time.Time) []time.Time {
	var out []time.Time
	for at := s.Next(after); !at.IsZero() && !at.After(until); at = s.Next(at) {
		out = append(out, at.UTC())
	}
	return out
}

const day = 24 * time.Hour

// changes is every moment from one year to before another at which a zone puts
// its clocks forward or back, to the hour below it.
func changes(zone *time.Location, from, to int) []time.Time {
	var out []time.Time
	end := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(time.Hour) {
		_, before := at.In(zone).Zone()
		_, after := at.Add(time.Hour).In(zone).Zone()
		if before != after {
			out = append(out, at)
		}
	}
	return out
}

// zones are those of the change days, each here for something the others lack.
func zones() []string {
	return []string{
		"Europe/Berlin", "America/New_York",
		"Europe/Dublin",       // winter is the exception, not summer
		"Australia/Lord_Howe", // by half an hour
		"Antarctica/Troll",    // by two hours
		"Pacific/Chatham",     // 45 minutes off the hour
		"America/Santiago",    // at midnight
		"America/Havana",      // at midnight, back at 1:00
		"Africa/Cairo",        // at midnight between Thursday and Friday
		"Asia/Beirut",         // at midnight
		"Asia/Jerusalem",      // on a Friday
		"Africa/Casablanca",   // back for Ramadan, on other days each year
		"America/Nuuk",        // on the evening before
		"Atlantic/Azores",     // from midnight to 1:00
		"Pacific/Auckland",    // summer over the turn of the year
		"America/St_Johns",    // 30 minutes off the hour
	}
}

// oldChanges are rarer than the ones to come.
func oldChanges() map[string][]time.Time {
	at := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, time.UTC) }
	return map[string][]time.Time{
		"Pacific/Apia":      {at(2011, 12, 30, 10)},
		"Pacific/Kwajalein": {at(1993, 8, 21, 11), at(1969, 9, 30, 13)}, // a date skipped, a date twice
		"America/Caracas":   {at(2007, 12, 9, 7), at(2016, 5, 1, 7)},
		"Asia/Pyongyang":    {at(2015, 8, 14, 15), at(2018, 5, 4, 14)},
		"Asia/Gaza":         {at(2011, 8, 29, 21), at(2011, 9, 29, 21)},
	}
}

// handWritten are expressions whose firing people have asked about.
func handWritten() []spec {
	all, hours := every(1, 31), every(0, 23)
	value := func(text string, holds ...int) field {
		f := field{text: text}
		for _, n := range holds {
			f.holds[n] = true
		}
		return f
	}
	step := func(text string, low, high, every int) field {
		f := field{text: text, steps: true}
		f.put(low, high, every)
		return f
	}
	span := func(text string, low, high int) field {
		f := step(text, low, high, 1)
		f.steps = false
		return f
	}
	var out []spec
	for _, minute := range []field{value("0", 0), value("30", 30), value("15,45", 15, 45), step("*/10", 0, 59, 10)} {
		for _, hour := range []field{
			value("0", 0), value("1", 1), value("2", 2), value("3", 3), value("23", 23), value("0,1,2,3", 0, 1, 2, 3), span("0-23", 0, 23), span("1-2", 1, 2),
			hours, step("*/2", 0, 23, 2), step("1/2", 1, 23, 2), step("1-3/1", 1, 3, 1), step("8,*/6", 0, 23, 6),
		} {
			if hour.text == "8,*/6" {
				hour.holds[8] = true
			}
			out = append(out, spec{text: minute.text + " " + hour.text + " * * *", fields: [5]field{minute, hour, all, every(1, 12), every(0, 6)}})
		}
	}
	return out
}

// compared counts what was held against the oracle.
type compared struct{ zones, changes, specs, days, fires, differences int }

func (c compared) String() string {
	return fmt.Sprintf("schedule oracle: %d combinations of zone, day and spec compared (%d zones, %d changes of clocks and odd days, %d specs), %d fire times, %d differences",
		c.days, c.zones, c.changes, c.specs, c.fires, c.differences)
}

// TestOracleOnEveryChangeDay compares with the oracle on the days around every
// change of the clocks in 2026 to 2030 and around some odd ones before: in ten
// zones with some specs, or as a whole in all of them with more.
func TestOracleOnEveryChangeDay(t *testing.T) {
	t.Parallel()
	all, names, random := handWritten(), zones()[:10], 10
	if whole(t) {
		names, random = zones(), 100
	}
	for seed := range random {
		all = append(all, specs().Example(seed))
	}
	total := compared{specs: len(all)}
	around := oldChanges()
	for _, name := range names {
		zone := mustZone(t, name)
		around[name] = changes(zone, 2026, 2031)
		around[name] = append(around[name], time.Date(2040, 12, 31, 0, 0, 0, 0, time.UTC)) // package time ends this year early
		if len(around[name]) < 8 {
			t.Errorf("%s changes %d times only: the data of zones is too old", name, len(around[name]))
		}
	}
	for name, moments := range around {
		total.zones++
		for _, moment := range moments {
			total.changes++
			total.compare(t, name, moment, all)
		}
	}
	t.Log(total)
	if total.fires < 100_000 || total.zones < 10 {
		t.Errorf("only %d fire times were compared", total.fires)
	}
}

// compare looks at the day of a change and at those before and after.
func (c *compared) compare(t *testing.T, name string, moment time.Time, all []spec) {
	t.Helper()
	zone := mustZone(t, name)
	ticks := walk(zone, moment.Add(-4*day), moment.Add(2*day))
	after, until := moment.Add(-36*time.Hour).Add(-time.Second), moment.Add(36*time.Hour)
	for _, sp := range all {
		s, err := Parse(sp.text, name)
		if err != nil {
			t.Fatal(err)
		}
		want := between(oracle(sp, ticks), after, until)
		c.days += 3
		c.fires += len(want)
		if got := walked(s, after, until); !slices.Equal(want, got) {
			c.differences++
			t.Errorf("%q in %s at %s (-oracle +Next):\n%s", sp.text, name, moment.Format(time.DateOnly), cmp.Diff(want, got))
		}
		for _, end := range []time.Time{until, moment.Add(30 * time.Minute), moment.Add(time.Hour)} { // also at the change itself
			if n, of := s.Count(after, end), len(between(want, after, end)); n != of {
				c.differences++
				t.Errorf("%q in %s until %s: counted %d, the oracle %d", sp.text, name, end, n, of)
			}
		}
	}
}

// TestOracleOnEveryDay compares on every day of a year, or as a whole of five.
func TestOracleOnEveryDay(t *testing.T) {
	t.Parallel()
	until := 2027
	if whole(t) {
		until = 2031
	}
	all := []spec{}
	for _, sp := range handWritten() {
		if slices.Contains([]string{"30 2 * * *", "*/10 0 * * *", "0 * * * *", "15,45 */2 * * *"}, sp.text) {
			all = append(all, sp)
		}
	}
	total := compared{specs: len(all)}
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range zones()[2:5] {
		total.zones++
		total.changes += len(changes(mustZone(t, name), 2026, until))
		ticks := walk(mustZone(t, name), from.Add(-2*day), to)
		for _, sp := range all {
			total.whole(t, name, sp, ticks, from)
		}
	}
	t.Log(total)
}

func (c *compared) whole(t *testing.T, name string, sp spec, ticks []tick, from time.Time) {
	t.Helper()
	s, err := Parse(sp.text, name)
	if err != nil {
		t.Fatal(err)
	}
	until := ticks[len(ticks)-1].at
	want := between(oracle(sp, ticks), from, until)
	c.days += int(until.Sub(from)/day) + 1
	c.fires += len(want)
	if got := walked(s, from, until); !slices.Equal(got, want) || s.Count(from, until) != len(want) {
		c.differences++
		t.Errorf("%q in %s: %d fire times and %d counted, the oracle has %d", sp.text, name, len(got), s.Count(from, until), len(want))
	}
}

// TestOracleAtRandom compares random expressions after random moments.
func TestOracleAtRandom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append(zones(), "UTC", "Asia/Kolkata")).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		moment := begin.Add(time.Duration(rapid.IntRange(0, 5*365*24).Draw(t, "hour")) * time.Hour)
		if near := changes(zone, moment.Year(), moment.Year()+1); len(near) > 0 && rapid.Bool().Draw(t, "near a change") {
			moment = rapid.SampledFrom(near).Draw(t, "change")
		}
		sp := specs().Draw(t, "spec")
		s, err := Parse(sp.text, name)
		if err != nil {
			t.Fatal(err)
		}
		after := moment.Add(time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "after")) * time.Second)
		until := moment.Add(time.Duration(rapid.IntRange(86400, 2*86400).Draw(t, "until")) * time.Second)
		want := between(oracle(sp, walk(zone, moment.Add(-4*day), moment.Add(2*day+time.Minute))), after, until)
		if got := walked(s, after, until); !slices.Equal(want, got) {
			t.Fatalf("%q in %s after %s (-oracle +Next):\n%s", sp.text, name, after, cmp.Diff(want, got))
		}
		if n := s.Count(after, until); n != len(want) {
			t.Fatalf("%q in %s after %s: counted %d, the oracle %d", sp.text, name, after, n, len(want))
		}
	})
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
