// Package memory keeps runs in memory: the store for tests and for playing
// with simulators, and the second implementation that keeps the port honest.
// Nothing survives the process; everything else engine.Store promises holds.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// defaultPage is how many runs, plans, approvals or grants a query without a limit gets.
const defaultPage = 100

// Store is an engine.Store in memory. Make one with New.
type Store struct {
	mu         sync.RWMutex
	closed     bool
	bundles    map[string]engine.Bundle
	values     map[engine.Reference][]byte
	runs       map[string]*run
	keys       map[string]string // the run that has an idempotency key
	plans      map[string]engine.PlanRecord
	answers    map[string]map[question]engine.Answer // by owner
	approvals  map[string]engine.Approval
	freezes    map[string]engine.Freeze
	grants     map[string]engine.Grant
	holds      map[string]engine.Hold
	schedules  map[string]engine.ScheduleState
	deliveries map[delivery]engine.Delivery
	throttles  map[string]engine.Throttle
	positions  map[string]engine.Position
	held       map[string]map[engine.Reference]bool // by run
	audit      []engine.AuditRecord
}

var _ engine.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{
		bundles:    map[string]engine.Bundle{},
		values:     map[engine.Reference][]byte{},
		runs:       map[string]*run{},
		keys:       map[string]string{},
		plans:      map[string]engine.PlanRecord{},
		answers:    map[string]map[question]engine.Answer{},
		approvals:  map[string]engine.Approval{},
		freezes:    map[string]engine.Freeze{},
		grants:     map[string]engine.Grant{},
		holds:      map[string]engine.Hold{},
		schedules:  map[string]engine.ScheduleState{},
		deliveries: map[delivery]engine.Delivery{},
		throttles:  map[string]engine.Throttle{},
		positions:  map[string]engine.Position{},
		held:       map[string]map[engine.Reference]bool{},
	}
}

// Commit writes the batch. See engine.Store.
func (s *Store) Commit(ctx context.Context, b engine.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if err := b.Check(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("committing: %w", engine.ErrClosed)
	}
	if err := newVerdict(s, b).check(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	s.apply(b)
	return nil
}

// Close makes everything that follows fail with engine.ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Run finds a run by its id.
func (s *Store) Run(ctx context.Context, id string) (engine.RunRecord, error) {
	r, done, err := s.read(ctx, id)
	if err != nil {
		return engine.RunRecord{}, fmt.Errorf("reading run: %w", err)
	}
	defer done()
	return cloneRun(r.record), nil
}

// Runs lists runs, newest first.
func (s *Store) Runs(ctx context.Context, q engine.RunQuery) ([]engine.RunRecord, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	defer s.mu.RUnlock()
	after, found := s.runs[q.After]
	if q.After != "" && !found {
		return nil, fmt.Errorf("listing runs: run %q: %w", q.After, engine.ErrNotFound)
	}
	var out []engine.RunRecord
	for _, r := range s.runs {
		if matches(r.record, q) && (!found || newestFirst(after.record, r.record) < 0) {
			out = append(out, cloneRun(r.record))
		}
	}
	slices.SortFunc(out, newestFirst)
	return page(out, 0, cmp.Or(q.Limit, defaultPage)), nil
}

func matches(r engine.RunRecord, q engine.RunQuery) bool {
	return (q.Playbook == "" || q.Playbook == r.Playbook) &&
		(q.Series == "" || q.Series == r.Series) && (q.Group == "" || q.Group == r.Group) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, r.Status))
}

func newestFirst(a, b engine.RunRecord) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
}

// Bundle finds a bundle by its hash.
func (s *Store) Bundle(ctx context.Context, hash string) (engine.Bundle, error) {
	if err := s.lock(ctx); err != nil {
		return engine.Bundle{}, fmt.Errorf("reading bundle: %w", err)
	}
	defer s.mu.RUnlock()
	b, found := s.bundles[hash]
	if !found {
		return engine.Bundle{}, fmt.Errorf("reading bundle %q: %w", hash, engine.ErrNotFound)
	}
	b.Data = slices.Clone(b.Data)
	return b, nil
}

// Snapshot is the newest snapshot of a run.
func (s *Store) Snapshot(ctx context.Context, id string) (engine.Snapshot, error) {
	r, done, err := s.read(ctx, id)
	if err != nil {
		return engine.Snapshot{}, fmt.Errorf("reading snapshot: %w", err)
	}
	defer done()
	if r.snapshot == nil {
		return engine.Snapshot{}, fmt.Errorf("reading snapshot of run %q: %w", id, engine.ErrNotFound)
	}
	out := *r.snapshot
	out.Data = slices.Clone(out.Data)
	return out, nil
}

// Events is the journal of a run behind a sequence number.
func (s *Store) Events(ctx context.Context, id string, after uint64) ([]engine.Event, error) {
	r, done, err := s.read(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading journal: %w", err)
	}
	defer done()
	var out []engine.Event
	for _, e := range r.events {
		if e.Seq > after {
			out = append(out, cloneEvent(e))
		}
	}
	return out, nil
}

// Steps lists the steps of a run.
func (s *Store) Steps(ctx context.Context, q engine.StepQuery) ([]engine.StepRecord, error) {
	r, done, err := s.read(ctx, q.Run)
	if err != nil {
		return nil, fmt.Errorf("listing steps: %w", err)
	}
	defer done()
	var found []step
	for _, st := range r.steps {
		if strings.HasPrefix(st.record.Path, q.Prefix) && (len(q.Effects) == 0 || slices.Contains(q.Effects, st.record.Effect)) {
			found = append(found, *st)
		}
	}
	slices.SortFunc(found, func(a, b step) int {
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.place, b.place))
	})
	var out []engine.StepRecord
	for _, st := range page(found, q.After, q.Limit) {
		out = append(out, cloneStep(st.record))
	}
	return out, nil
}

// Items lists the items of a foreach by index.
func (s *Store) Items(ctx context.Context, q engine.ItemQuery) ([]engine.ItemRecord, error) {
	r, done, err := s.read(ctx, q.Run)
	if err != nil {
		return nil, fmt.Errorf("listing items: %w", err)
	}
	defer done()
	var out []engine.ItemRecord
	for _, item := range r.items[q.Path] {
		out = append(out, cloneItem(item))
	}
	slices.SortFunc(out, func(a, b engine.ItemRecord) int { return cmp.Compare(a.Index, b.Index) })
	return page(out, q.After, q.Limit), nil
}

// Value is a stored value.
func (s *Store) Value(ctx context.Context, ref engine.Reference) ([]byte, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("reading value: %w", err)
	}
	defer s.mu.RUnlock()
	data, found := s.values[ref]
	if !found {
		return nil, fmt.Errorf("reading value %q: %w", ref, engine.ErrNotFound)
	}
	return slices.Clone(data), nil
}

// lock takes the read lock unless nothing may be read.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return engine.ErrClosed
	}
	return nil
}

// read takes the read lock for a run; done gives it back.
func (s *Store) read(ctx context.Context, id string) (r *run, done func(), err error) {
	if err := s.lock(ctx); err != nil {
		return nil, nil, err
	}
	r, found := s.runs[id]
	if !found {
		s.mu.RUnlock()
		return nil, nil, fmt.Errorf("run %q: %w", id, engine.ErrNotFound)
	}
	return r, s.mu.RUnlock, nil
}

// page cuts out what follows the first after elements, at most limit (0: all).
func page[T any](all []T, after, limit int) []T {
	all = all[min(max(after, 0), len(all)):]
	if limit > 0 {
		all = all[:min(limit, len(all))]
	}
	return all
}
