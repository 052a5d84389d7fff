package memory

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// run is everything kept of one run.
type run struct {
	record   engine.RunRecord
	snapshot *engine.Snapshot
	last     uint64 // sequence number of the last event
	events   []engine.Event
	steps    map[stepKey]*step
	items    map[string]map[int]engine.ItemRecord
	signals  []engine.Signal // in the order they were first written
}

type stepKey struct {
	path    string
	attempt int
}

// step is a record with what decides its place in lists.
type step struct {
	record engine.StepRecord
	first  time.Time // when it first started
	place  int       // as which of the run it was first written
}

// verdict says whether a batch can be written, before any of it is: a batch is
// all or nothing.
type verdict struct {
	store   *Store
	batch   engine.Batch
	bundles map[string]bool           // of the batch
	values  map[engine.Reference]bool // of the batch
	runs    map[string]bool           // of the batch
	plans   map[string]bool           // of the batch
	keys    map[string]string         // who has which key as the batch goes on; "" for nobody
	has     map[string]string         // which key the batch's runs have as it goes on
	last    map[string]uint64         // the runs' last event as the batch goes on
}

func newVerdict(s *Store, b engine.Batch) *verdict {
	v := &verdict{
		store: s, batch: b, bundles: map[string]bool{}, values: map[engine.Reference]bool{},
		runs: map[string]bool{}, plans: map[string]bool{}, keys: map[string]string{}, has: map[string]string{}, last: map[string]uint64{},
	}
	for _, bundle := range b.Bundles {
		v.bundles[bundle.Hash] = true
	}
	for _, value := range b.Values {
		v.values[value.Ref] = true
	}
	for _, r := range b.Runs {
		v.runs[r.ID] = true
	}
	for _, p := range b.Plans {
		v.plans[p.ID] = true
	}
	return v
}

func (v *verdict) check() error {
	for _, r := range v.batch.Runs {
		if _, stored := v.store.bundles[r.Hash]; !stored && !v.bundles[r.Hash] {
			return fmt.Errorf("%s: its bundle %q: %w", r.ID, r.Hash, engine.ErrNotFound)
		}
		if err := v.value(r.ChangeSet); err != nil {
			return fmt.Errorf("%s: its change set: %w", r.ID, err)
		}
		if err := v.key(r); err != nil {
			return fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	for _, e := range v.batch.Events {
		if err := v.event(e); err != nil {
			return fmt.Errorf("event %d of %s: %w", e.Seq, e.Run, err)
		}
	}
	for _, st := range v.batch.Steps {
		if err := v.run(st.Run); err != nil {
			return fmt.Errorf("step %s of %s: %w", st.Path, st.Run, err)
		}
	}
	for _, item := range v.batch.Items {
		if err := v.run(item.Run); err != nil {
			return fmt.Errorf("item %d of %s of %s: %w", item.Index, item.Path, item.Run, err)
		}
	}
	for _, part := range []func() error{v.planning, v.timing} {
		if err := part(); err != nil {
			return err
		}
	}
	return v.snapshots()
}

// run reports whether the run exists or comes with the batch.
func (v *verdict) run(id string) error {
	if v.store.runs[id] == nil && !v.runs[id] {
		return fmt.Errorf("the run: %w", engine.ErrNotFound)
	}
	return nil
}

func (v *verdict) event(e engine.Event) error {
	if err := v.run(e.Run); err != nil {
		return err
	}
	last, seen := v.last[e.Run]
	if r := v.store.runs[e.Run]; !seen && r != nil {
		last = r.last
	}
	switch {
	case e.Seq <= last:
		return engine.ErrConflict
	case e.Seq > last+1:
		return fmt.Errorf("%w: it does not follow event %d", engine.ErrRecord, last)
	}
	v.last[e.Run] = e.Seq
	return nil
}

func (v *verdict) snapshots() error {
	newest := map[string]uint64{}
	for _, snap := range v.batch.Snapshots {
		if err := v.run(snap.Run); err != nil {
			return fmt.Errorf("snapshot of %s: %w", snap.Run, err)
		}
		if r := v.store.runs[snap.Run]; r != nil && r.snapshot != nil {
			newest[snap.Run] = max(newest[snap.Run], r.snapshot.Seq)
		}
		if snap.Seq < newest[snap.Run] {
			return fmt.Errorf("snapshot %d of %s: %w", snap.Seq, snap.Run, engine.ErrConflict)
		}
		newest[snap.Run] = snap.Seq
	}
	return nil
}

// apply writes a batch that passed its verdict. It copies everything: the
// caller may go on using what it handed over.
func (s *Store) apply(b engine.Batch) {
	for _, bundle := range b.Bundles {
		if _, stored := s.bundles[bundle.Hash]; !stored {
			bundle.Data = bytesOf(bundle.Data)
			s.bundles[bundle.Hash] = bundle
		}
	}
	for _, v := range b.Values {
		if _, stored := s.values[v.Ref]; !stored {
			s.values[v.Ref] = bytesOf(v.Data)
		}
	}
	for _, r := range b.Runs {
		s.putRun(r)
	}
	for _, e := range b.Events {
		r := s.runs[e.Run]
		r.events, r.last = append(r.events, cloneEvent(e)), e.Seq
	}
	for _, st := range b.Steps {
		s.runs[st.Run].putStep(st)
	}
	for _, item := range b.Items {
		s.runs[item.Run].putItem(item)
	}
	s.applyPlanning(b)
	s.applyTiming(b)
	for _, snap := range b.Snapshots {
		s.runs[snap.Run].putSnapshot(snap)
	}
	for _, h := range b.Held() {
		if s.held[h.Run] == nil {
			s.held[h.Run] = map[engine.Reference]bool{}
		}
		s.held[h.Run][h.Value] = true
	}
	s.chain(b.Audit...)
}

func (s *Store) putRun(record engine.RunRecord) {
	r := s.runs[record.ID]
	if r == nil {
		r = &run{steps: map[stepKey]*step{}, items: map[string]map[int]engine.ItemRecord{}}
		s.runs[record.ID] = r
	}
	s.moveKey(r.record.Key, record)
	r.record = cloneRun(record)
}

func (r *run) putStep(record engine.StepRecord) {
	key, record := stepKey{record.Path, record.Attempt}, cloneStep(record)
	if known := r.steps[key]; known != nil {
		known.record = record
		return
	}
	r.steps[key] = &step{record: record, first: record.StartedAt, place: len(r.steps)}
}

func (r *run) putItem(record engine.ItemRecord) {
	if r.items[record.Path] == nil {
		r.items[record.Path] = map[int]engine.ItemRecord{}
	}
	r.items[record.Path][record.Index] = cloneItem(record)
}

func (r *run) putSnapshot(snap engine.Snapshot) {
	snap.Data = bytesOf(snap.Data)
	r.snapshot = &snap
	r.last = max(r.last, snap.Seq)
	r.events = slices.DeleteFunc(r.events, func(e engine.Event) bool { return e.Seq <= snap.Seq })
}

// bytesOf copies; data that is there but empty is not nil.
func bytesOf(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return bytes.Clone(data)
}
