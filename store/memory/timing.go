package memory

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// delivery is what a webhook call is known by.
type delivery struct{ hook, id string }

// signal is what a signal is known by.
type signal struct{ run, id string }

// key says whether a run may have its idempotency key. One that it had before
// is free for the records of the batch that follow.
func (v *verdict) key(r engine.RunRecord) error {
	if owner := v.owner(r.Key); r.Key != "" && owner != "" && owner != r.ID {
		return fmt.Errorf("another run has its key %q: %w", r.Key, engine.ErrDuplicate)
	}
	before, seen := v.has[r.ID]
	if stored := v.store.runs[r.ID]; !seen && stored != nil {
		before = stored.record.Key
	}
	v.keys[before] = ""
	v.keys[r.Key], v.has[r.ID] = r.ID, r.Key
	return nil
}

// owner is the run that has a key, as the batch goes on; "" for none.
func (v *verdict) owner(key string) string {
	if owner, seen := v.keys[key]; seen {
		return owner
	}
	return v.store.keys[key]
}

// timing is the verdict on grants, signals and deliveries; holds, schedules and
// throttles refer to nothing.
func (v *verdict) timing() error {
	for _, g := range v.batch.Grants {
		if _, stored := v.store.grants[g.ID]; stored {
			continue // it may have outlived its run
		}
		if err := v.run(g.Run); err != nil {
			return fmt.Errorf("grant %s of %s: %w", g.ID, g.Run, err)
		}
	}
	if err := v.signals(); err != nil {
		return err
	}
	if err := v.deliveries(); err != nil {
		return err
	}
	return v.positions()
}

// positions is the verdict on positions, each of which follows the one before
// it, or is it again.
func (v *verdict) positions() error {
	seen := map[string]engine.Position{}
	for _, p := range v.batch.Positions {
		before, changed := seen[p.Key]
		if !changed {
			before = v.store.positions[p.Key]
		}
		again := p.Revision == before.Revision && p.Cursor == before.Cursor
		if p.Revision != before.Revision+1 && !again {
			return fmt.Errorf("position %s: %w", p.Key, engine.ErrConflict)
		}
		seen[p.Key] = p
	}
	return nil
}

func (v *verdict) signals() error {
	seen := map[signal]engine.Signal{}
	for _, s := range v.batch.Signals {
		if err := v.run(s.Run); err != nil {
			return fmt.Errorf("signal %s to %s: %w", s.ID, s.Run, err)
		}
		known, found := seen[signal{s.Run, s.ID}]
		if r := v.store.runs[s.Run]; !found && r != nil {
			known, found = r.signal(s.ID)
		}
		if found && !sameSignal(known, s) {
			return fmt.Errorf("signal %s to %s: %w", s.ID, s.Run, engine.ErrConflict)
		}
		seen[signal{s.Run, s.ID}] = s
	}
	return nil
}

func (r *run) signal(id string) (engine.Signal, bool) {
	i := slices.IndexFunc(r.signals, func(s engine.Signal) bool { return s.ID == id })
	if i < 0 {
		return engine.Signal{}, false
	}
	return r.signals[i], true
}

func sameSignal(a, b engine.Signal) bool {
	return a.Name == b.Name && bytes.Equal(a.Body, b.Body) && (a.Body == nil) == (b.Body == nil)
}

func (v *verdict) deliveries() error {
	seen := map[delivery]bool{}
	for _, d := range v.batch.Deliveries {
		if d.Run != "" && v.run(d.Run) != nil {
			return fmt.Errorf("delivery %s to %s: its run %s: %w", d.ID, d.Hook, d.Run, engine.ErrNotFound)
		}
		key := delivery{d.Hook, d.ID}
		if _, stored := v.store.deliveries[key]; stored || seen[key] {
			return fmt.Errorf("delivery %s to %s: %w", d.ID, d.Hook, engine.ErrDuplicate)
		}
		seen[key] = true
	}
	return nil
}

// moveKey gives a run the key of its new record and frees that of the one before.
func (s *Store) moveKey(before string, record engine.RunRecord) {
	if s.keys[before] == record.ID {
		delete(s.keys, before)
	}
	if record.Key != "" {
		s.keys[record.Key] = record.ID
	}
}

// applyTiming writes grants, holds, signals, schedules, deliveries, throttles and positions.
func (s *Store) applyTiming(b engine.Batch) {
	for _, g := range b.Grants {
		s.grants[g.ID] = cloneGrant(g)
	}
	for _, h := range b.Holds {
		s.holds[h.ID] = cloneHold(h)
	}
	for _, sig := range b.Signals {
		s.runs[sig.Run].putSignal(sig)
	}
	for _, st := range b.Schedules {
		s.schedules[st.ID] = cloneSchedule(st)
	}
	for _, d := range b.Deliveries {
		d.At = engine.StoredTime(d.At)
		s.deliveries[delivery{d.Hook, d.ID}] = d
	}
	for _, t := range b.Throttles {
		t.Until = engine.StoredTime(t.Until)
		s.throttles[t.Connection] = t
	}
	for _, p := range b.Positions {
		p.At = engine.StoredTime(p.At)
		s.positions[p.Key] = p
	}
}

// putSignal keeps a signal once; one that was taken stays taken.
func (r *run) putSignal(s engine.Signal) {
	i := slices.IndexFunc(r.signals, func(known engine.Signal) bool { return known.ID == s.ID })
	switch {
	case i < 0:
		r.signals = append(r.signals, cloneSignal(s))
	case s.Taken != 0:
		r.signals[i].Taken = s.Taken
	}
}
