package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// dueRun is a run that has something to do, since a time.
type dueRun struct {
	run   *engine.RunRecord
	since time.Time
	place int // in its line, and then among those of its playbook
}

func (a dueRun) compare(b dueRun) int {
	return cmp.Or(cmp.Compare(a.place, b.place), a.since.Compare(b.since), cmp.Compare(a.run.ID, b.run.ID))
}

// Due lists the runs that have something to do, those that waited longest first,
// fairly between playbooks.
func (s *Store) Due(ctx context.Context, by time.Time, limit int) ([]engine.RunRecord, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing the runs that are due: %w", err)
	}
	defer s.mu.RUnlock()
	by = engine.StoredTime(by)
	var due []dueRun
	for _, r := range s.runs {
		if since, is := r.due(by); is {
			due = append(due, dueRun{run: &r.record, since: since})
		}
	}
	takeTurns(due, func(r *engine.RunRecord) string {
		if r.Status == engine.RunQueued {
			return r.Playbook + "\n" + r.Group
		}
		return r.Playbook + "\n"
	})
	takeTurns(due, func(r *engine.RunRecord) string { return r.Playbook })
	slices.SortFunc(due, dueRun.compare)
	var out []engine.RunRecord
	for _, d := range page(due, 0, cmp.Or(limit, defaultPage)) {
		out = append(out, cloneRun(*d.run))
	}
	return out, nil
}

// takeTurns numbers the runs of each line, in their order.
func takeTurns(due []dueRun, line func(*engine.RunRecord) string) {
	slices.SortFunc(due, dueRun.compare)
	places := map[string]int{}
	for i, d := range due {
		places[line(d.run)]++
		due[i].place = places[line(d.run)]
	}
}

// due is from when a run has something to do, if it has by a time.
func (r *run) due(by time.Time) (time.Time, bool) {
	switch {
	case r.record.Status == engine.RunQueued:
		return engine.StoredTime(r.record.CreatedAt), true
	case r.record.Status != engine.RunWaiting:
		return time.Time{}, false
	case r.record.WakeAt != nil && !r.record.WakeAt.After(by):
		return *r.record.WakeAt, true
	}
	return r.unheard()
}

// unheard is when the first signal was sent that the run has not heard.
func (r *run) unheard() (first time.Time, some bool) {
	for _, s := range r.signals {
		if s.Taken == 0 && (!some || s.At.Before(first)) {
			first, some = engine.StoredTime(s.At), true
		}
	}
	return first, some
}
