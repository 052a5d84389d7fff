package schedule

import "time"

// nearby is how far apart two moments can be at which clocks of one zone show
// the same: no zone has ever moved by more than a day.
const nearby = 48 * time.Hour

// span is a stretch of time in which a zone does not change its clocks.
type span struct {
	start, end time.Time // end is the beginning of the next one; zero where there is no change
	offset     time.Duration
	zone       *time.Location
}

func spanAt(t time.Time, zone *time.Location) span {
	local := t.In(zone)
	start, _ := local.ZoneBounds()
	_, seconds := local.Zone()
	return span{start: start, end: changeAfter(local), offset: time.Duration(seconds) * time.Second, zone: zone}
}

// changeAfter is when the clocks change next; zero where they do not. Beyond
// its tables, package time also ends a span at the end of a year, and of a leap
// year a day too early, where it then gives an end that has passed.
func changeAfter(t time.Time) time.Time {
	_, now := t.Zone()
	for limit := t.AddDate(longest, 0, 0); ; {
		_, end := t.ZoneBounds()
		if end.IsZero() {
			return end
		}
		if !end.After(t) {
			end = t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
		end = end.In(t.Location())
		if _, then := end.Zone(); then != now || end.After(limit) {
			return end
		}
		t = end
	}
}

// wall is what clocks show at a moment, as a time in UTC.
func (s span) wall(t time.Time) time.Time { return t.UTC().Add(s.offset) }

// moment is when clocks show that.
func (s span) moment(wall time.Time) time.Time { return wall.Add(-s.offset).In(s.zone) }

// first is the first whole minute the clocks show; zero in the span that has
// no beginning.
func (s span) first() time.Time {
	if s.start.IsZero() {
		return s.start
	}
	return s.moment(wholeMinute(s.wall(s.start)))
}

// reached is the latest that clocks had come to when the span began. What is
// before it has been: it was shown, or it was skipped. Where clocks are put
// forward it is less than what they show first, where they are put back more.
func (s span) reached() time.Time {
	var latest time.Time
	for at := s.start; !at.IsZero() && s.start.Sub(at) <= nearby; {
		before := spanAt(at.Add(-1), s.zone)
		if w := before.wall(at); w.After(latest) {
			latest = w
		}
		at = before.start
	}
	return latest
}

// until is what clocks would show at the end, or ten years after a moment
// where there is none.
func (s span) until(after time.Time) time.Time {
	if s.end.IsZero() {
		return s.wall(after).AddDate(longest, 0, 0)
	}
	return s.wall(s.end)
}
