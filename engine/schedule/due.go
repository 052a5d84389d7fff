package schedule

import (
	"fmt"
	"sort"
	"time"
)

// Missed says what to do about fire times that nobody was there for: after
// downtime, a pause, the sleep of the machine, or a clock that was put forward.
type Missed string

// The policies; "" and anything else are MissedLast.
const (
	MissedNone Missed = "none" // leave them out
	MissedLast Missed = "last" // make up for them with one: the newest
	MissedAll  Missed = "all"  // make up for each, up to a limit
)

// Grace is how late a fire time still counts as met and not as missed.
const Grace = time.Minute

// DefaultLimit is how many fire times Due returns at most where no limit is given.
const DefaultLimit = 100

// Due decides what fires now: fire is the fire times to start, oldest first,
// and skipped how many are left out. It looks at those after last, the newest
// one that was decided about (or when the schedule came to be, or was resumed),
// up to and including now.
//
// A fire time at most Grace old is met. Under MissedNone the newest fires if it
// was met, under MissedLast the newest in any case, under MissedAll each of
// them. Where that is more than limit (DefaultLimit where it is not positive),
// the newest are kept.
//
// Where the clock was put back, now is before last, and nothing is due until it
// has passed last again; where it was put forward, what it passed over was
// missed. A schedule with a zero last has missed nothing, and nothing is due.
func Due(s Schedule, last, now time.Time, missed Missed, limit int) (fire []time.Time, skipped int) {
	if last.IsZero() || !now.After(last) {
		return nil, 0
	}
	if limit <= 0 {
		limit = DefaultLimit
	}
	total := s.Count(last, now)
	met := s.Count(later(last, now.Add(-Grace-1)), now)
	keep := min(wanted(missed, met, total), total, limit)
	return s.newest(last, now, keep), total - keep
}

func wanted(missed Missed, met, total int) int {
	switch missed {
	case MissedNone:
		return min(met, 1)
	case MissedAll:
		return total
	default:
		return 1
	}
}

// newest is the last n fire times after a moment, up to and including now. It
// does not walk through the ones before them.
func (s Schedule) newest(after, now time.Time, n int) []time.Time {
	if n == 0 {
		return nil
	}
	seconds := sort.Search(int(now.Unix()-after.Unix()), func(i int) bool {
		return s.Count(after.Add(time.Duration(i)*time.Second), now) <= n
	})
	fire := make([]time.Time, 0, n)
	for at := after.Add(time.Duration(seconds) * time.Second); len(fire) < n; {
		at = s.Next(at)
		fire = append(fire, at)
	}
	return fire
}

// Key is the idempotency key of a fire time: whoever starts a run for it
// records the key, and does not start one where the key is there. The trigger
// is its place among the playbook's triggers. Two fire times of all playbooks
// have the same key only where they are the same.
func Key(playbook string, trigger int, at time.Time) string {
	return fmt.Sprintf("%s#%d@%s", playbook, trigger, at.UTC().Format(time.RFC3339))
}
