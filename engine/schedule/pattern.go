package schedule

import (
	"math/bits"
	"time"
)

// pattern is the five fields: a set of times as a wall clock and a calendar
// show them. It knows nothing of zones. What a clock shows is handed to it as
// a time.Time in UTC.
type pattern struct {
	minutes, hours, days, months, weekdays uint64 // bit n: the value n

	anyDay, anyWeekday bool // the field is *
	fixed              bool // the hours are named one by one, without * or step
}

func patternOf(v []values) pattern {
	return pattern{
		minutes: v[fieldMinute].bits, hours: v[fieldHour].bits, days: v[fieldDay].bits, months: v[fieldMonth].bits, weekdays: v[fieldWeekday].bits,
		anyDay: v[fieldDay].all, anyWeekday: v[fieldWeekday].all, fixed: !v[fieldHour].wildcards,
	}
}

// next is the first time of the pattern at or after from and before until.
func (p pattern) next(from, until time.Time) (time.Time, bool) {
	from = wholeMinute(from)
	day, minute := midnight(from)
	for day.Before(until) {
		y, m, d := day.Date()
		if !has(p.months, int(m)) {
			day, minute = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC), 0
			continue
		}
		if first, ok := p.minuteFrom(minute); ok && p.onDay(d, day.Weekday()) {
			at := day.Add(time.Duration(first) * time.Minute)
			return at, at.Before(until)
		}
		day, minute = day.AddDate(0, 0, 1), 0
	}
	return time.Time{}, false
}

// count is how many times of the pattern there are at or after from and before
// until.
func (p pattern) count(from, until time.Time) int {
	from, until = wholeMinute(from), wholeMinute(until)
	day, minute := midnight(from)
	n := 0
	for ; day.Before(until); day, minute = day.AddDate(0, 0, 1), 0 {
		_, m, d := day.Date()
		if !has(p.months, int(m)) || !p.onDay(d, day.Weekday()) {
			continue
		}
		end := min(int(until.Sub(day)/time.Minute), 24*60)
		n += max(p.below(end)-p.below(minute), 0)
	}
	return n
}

// onDay follows the rule of all crons: where both day fields name days, either
// is enough.
func (p pattern) onDay(day int, weekday time.Weekday) bool {
	inMonth, inWeek := has(p.days, day), has(p.weekdays, int(weekday))
	if p.anyDay || p.anyWeekday {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}

// minuteFrom is the first minute of a day at or after one.
func (p pattern) minuteFrom(minute int) (int, bool) {
	hour := minute / 60
	if rest := p.minutes >> (minute % 60); has(p.hours, hour) && rest != 0 {
		return minute + bits.TrailingZeros64(rest), true
	}
	later := p.hours >> (hour + 1)
	if later == 0 {
		return 0, false
	}
	return (hour+1+bits.TrailingZeros64(later))*60 + bits.TrailingZeros64(p.minutes), true
}

// below is how many minutes of a day come before one.
func (p pattern) below(minute int) int {
	hour := minute / 60
	n := count(p.hours&(1<<hour-1)) * count(p.minutes)
	if has(p.hours, hour) {
		n += count(p.minutes & (1<<(minute%60) - 1))
	}
	return n
}

func count(set uint64) int { return bits.OnesCount64(set) }

func has(set uint64, n int) bool { return set&(1<<n) != 0 }

// wholeMinute is the time itself or the next whole minute.
func wholeMinute(t time.Time) time.Time {
	down := t.Truncate(time.Minute)
	if down.Equal(t) {
		return t
	}
	return down.Add(time.Minute)
}

// midnight is the beginning of a day, and the minute of that day it is.
func midnight(t time.Time) (day time.Time, minute int) {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), t.Hour()*60 + t.Minute()
}
