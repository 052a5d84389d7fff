package schedule

import "time"

// Shift says what a change of the clocks does to a fire time.
type Shift string

// The shifts.
const (
	ShiftNone    Shift = ""
	ShiftSkipped Shift = "skipped" // clocks never showed the time it was due at: this is the next valid minute
	ShiftFirst   Shift = "first"   // clocks show this twice, and this is the first time
	ShiftAgain   Shift = "again"   // clocks show this again; only * and stepped hours fire then
)

// Shift is what a change of the clocks does to a fire time of the schedule.
// @every takes no notice of clocks, so there it is always ShiftNone.
func (s Schedule) Shift(at time.Time) Shift {
	if s.every > 0 || s.text == "" {
		return ShiftNone
	}
	p := spanAt(at, s.zone)
	wall, reached := p.wall(at), p.reached()
	switch {
	case s.pattern.fixed && at.Equal(p.first()) && s.missing(reached, wall):
		return ShiftSkipped
	case wall.Before(reached):
		return ShiftAgain
	case comesAgain(p, wall):
		return ShiftFirst
	default:
		return ShiftNone
	}
}

// missing reports whether something was due at a time that was skipped.
func (s Schedule) missing(reached, first time.Time) bool {
	_, due := s.pattern.next(reached, first)
	return due
}

// comesAgain reports whether clocks will show again what they show in a span.
func comesAgain(p span, wall time.Time) bool {
	for next := p; !next.end.IsZero() && next.end.Sub(p.moment(wall)) <= nearby; {
		end := next.end
		next = spanAt(end, p.zone)
		if !wall.Before(next.wall(end)) {
			return true
		}
	}
	return false
}
