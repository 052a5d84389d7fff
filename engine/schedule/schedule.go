package schedule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// longest is how many years two fire times can lie apart, and a bit more: from
// 29 February 1896 to 29 February 1904 there is no leap year.
const longest = 10

// ErrZone is wrapped by the error of Parse and Zone for a time zone that does
// not exist.
var ErrZone = errors.New("there is no time zone")

// Schedule is a set of fire times. It never changes; make one with Parse. The
// zero Schedule never fires.
type Schedule struct {
	text    string
	zone    *time.Location
	pattern pattern
	every   int64 // seconds, of @every; else 0
}

// Parse reads a schedule: five fields of cron, @hourly, @daily, @weekly,
// @monthly, @yearly, or @every with a duration of whole seconds from 1s to
// 366d. The time zone is an IANA name; "" is UTC. The error is a *Problem, or
// wraps ErrZone.
func Parse(spec, timezone string) (Schedule, error) {
	zone, err := Zone(timezone)
	if err != nil {
		return Schedule{}, err
	}
	s, problem := parse(strings.TrimSpace(spec))
	if problem != nil {
		return Schedule{}, fmt.Errorf("reading the schedule %q: %w", spec, problem)
	}
	s.zone = zone
	return s, nil
}

// Zone is the time zone of an IANA name; "" is UTC. "Local" is none: what it
// means depends on the machine.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%w %q: write an IANA name such as Europe/Berlin, America/New_York or UTC", ErrZone, name)
	}
	return zone, nil
}

func parse(text string) (Schedule, *Problem) {
	if words := strings.Fields(text); len(words) > 0 && words[0] == "@every" {
		return parseEvery(text, strings.Join(words[1:], " "))
	}
	if fields, ok := shorthands()[text]; ok {
		_, p, problem := parseCron(fields)
		return Schedule{text: text, pattern: p}, problem
	}
	if strings.HasPrefix(text, "@") {
		return Schedule{}, unknownShorthand(text)
	}
	if problem := foreignCron(text); problem != nil {
		return Schedule{}, problem
	}
	normal, p, problem := parseCron(text)
	return Schedule{text: normal, pattern: p}, problem
}

// shorthands are the words for whole expressions.
func shorthands() map[string]string {
	return map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
		"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
	}
}

func unknownShorthand(text string) *Problem {
	known := append(slices.Sorted(maps.Keys(shorthands())), "@every")
	hint := "there are @hourly, @daily, @weekly, @monthly, @yearly and @every 15m"
	if near := engine.Nearest(text, known); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return &Problem{Length: len(text), Code: CodeCron, Message: fmt.Sprintf("%s is not a cron expression", text), Hint: hint}
}

func parseEvery(text, duration string) (Schedule, *Problem) {
	wrong := func(format string, args ...any) (Schedule, *Problem) {
		return Schedule{}, &Problem{Length: len(text), Code: CodeCron, Message: fmt.Sprintf(format, args...),
			Hint: "write whole seconds, minutes, hours or days from 1s to 366d, such as @every 15m"}
	}
	d, err := engine.ParseDuration(duration)
	switch {
	case err != nil:
		return wrong("%q is not a duration to fire every", duration)
	case d < time.Second || d%time.Second != 0:
		return wrong("@every %s is not a whole number of seconds", duration)
	case d > 366*24*time.Hour:
		return wrong("@every %s is longer than a year", duration)
	}
	return Schedule{text: "@every " + duration, every: int64(d / time.Second)}, nil
}

// String is the schedule as it was written, with 0 for Sunday.
func (s Schedule) String() string { return s.text }

// Location is the time zone; UTC for the zero Schedule.
func (s Schedule) Location() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// Next is the first fire time after a moment, in the schedule's zone; zero for
// the zero Schedule.
func (s Schedule) Next(after time.Time) time.Time {
	if s.every > 0 {
		return time.Unix((floorDiv(after.Unix(), s.every)+1)*s.every, 0).In(s.Location())
	}
	if s.text == "" {
		return time.Time{}
	}
	limit := after.AddDate(longest, 0, 0)
	for at := after; at.Before(limit); {
		p := spanAt(at, s.zone)
		from := s.from(p, after)
		if wall, ok := s.pattern.next(from, p.until(after)); ok {
			return later(p.moment(wall), p.first())
		}
		if at = p.end; at.IsZero() {
			break
		}
	}
	return time.Time{}
}

// from is the earliest that clocks may show in a span for something to fire in
// it after a moment. For fixed hours that may be before what they show first:
// what was skipped fires with the first minute.
func (s Schedule) from(p span, after time.Time) time.Time {
	next := p.wall(after.Add(1))
	first := p.first()
	if !s.pattern.fixed {
		return later(next, p.wall(p.start))
	}
	if after.Before(first) {
		return p.reached()
	}
	return later(next, p.reached())
}

// Count is how many fire times there are after a moment, up to and including
// another. It takes no longer for a schedule that fires often.
func (s Schedule) Count(after, until time.Time) int {
	switch {
	case !until.After(after) || s.text == "":
		return 0
	case s.every > 0:
		return int(floorDiv(until.Unix(), s.every) - floorDiv(after.Unix(), s.every))
	}
	n := 0
	for at := after; !at.After(until); {
		p := spanAt(at, s.zone)
		n += s.countIn(p, after, until)
		if at = p.end; at.IsZero() {
			break
		}
	}
	return n
}

func (s Schedule) countIn(p span, after, until time.Time) int {
	end := p.wall(until.Add(1))
	if !p.end.IsZero() && !p.end.After(until) {
		end = p.wall(p.end)
	}
	from, first := s.from(p, after), p.wall(p.first())
	if p.start.IsZero() || !from.Before(first) {
		return s.pattern.count(from, end)
	}
	n := s.pattern.count(first, end)
	_, skipped := s.pattern.next(from, first)
	_, there := s.pattern.next(first, first.Add(time.Minute))
	if skipped && !there && first.Before(end) {
		n++
	}
	return n
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// floorDiv divides and rounds down, also below zero.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
