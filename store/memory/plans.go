package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// question is what an answer is kept for, beside its owner.
type question struct{ path, arguments string }

// value reports whether a value exists or comes with the batch; none is fine.
func (v *verdict) value(ref engine.Reference) error {
	if _, stored := v.store.values[ref]; ref != "" && !stored && !v.values[ref] {
		return fmt.Errorf("the value %q: %w", ref, engine.ErrNotFound)
	}
	return nil
}

// planning is the verdict on plans, answers and approvals.
func (v *verdict) planning() error {
	for _, p := range v.batch.Plans {
		if err := v.value(p.Set); err != nil {
			return fmt.Errorf("plan %s: its change set: %w", p.ID, err)
		}
	}
	for _, a := range v.batch.Answers {
		if err := v.answer(a); err != nil {
			return fmt.Errorf("answer to %s of %s: %w", a.Path, a.Owner, err)
		}
	}
	for _, a := range v.batch.Approvals {
		if err := cmp.Or(v.run(a.Run), v.value(a.Set)); err != nil {
			return fmt.Errorf("approval %s of %s: %w", a.ID, a.Run, err)
		}
	}
	return nil
}

func (v *verdict) answer(a engine.Answer) error {
	if !v.store.owner(a.Owner) && !v.runs[a.Owner] && !v.plans[a.Owner] {
		return fmt.Errorf("the run or plan: %w", engine.ErrNotFound)
	}
	return v.value(a.Value)
}

// owner reports whether there is a run or plan of that id.
func (s *Store) owner(id string) bool {
	_, plan := s.plans[id]
	return plan || s.runs[id] != nil
}

// applyPlanning writes plans, answers, approvals and freezes.
func (s *Store) applyPlanning(b engine.Batch) {
	for _, p := range b.Plans {
		s.plans[p.ID] = clonePlan(p)
	}
	for _, a := range b.Answers {
		if s.answers[a.Owner] == nil {
			s.answers[a.Owner] = map[question]engine.Answer{}
		}
		s.answers[a.Owner][question{a.Path, a.Arguments}] = cloneAnswer(a)
	}
	for _, a := range b.Approvals {
		s.approvals[a.ID] = cloneApproval(a)
	}
	for _, f := range b.Freezes {
		s.freezes[f.ID] = cloneFreeze(f)
	}
}

// Plan finds a plan by its id.
func (s *Store) Plan(ctx context.Context, id string) (engine.PlanRecord, error) {
	if err := s.lock(ctx); err != nil {
		return engine.PlanRecord{}, fmt.Errorf("reading plan: %w", err)
	}
	defer s.mu.RUnlock()
	p, found := s.plans[id]
	if !found {
		return engine.PlanRecord{}, fmt.Errorf("reading plan %q: %w", id, engine.ErrNotFound)
	}
	return clonePlan(p), nil
}

// Plans lists plans, newest first.
func (s *Store) Plans(ctx context.Context, q engine.PlanQuery) ([]engine.PlanRecord, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing plans: %w", err)
	}
	defer s.mu.RUnlock()
	list := listing[engine.PlanRecord]{
		all:     s.plans,
		age:     func(p engine.PlanRecord) (time.Time, string) { return p.CreatedAt, p.ID },
		matches: func(p engine.PlanRecord) bool { return q.Playbook == "" || q.Playbook == p.Playbook },
		clone:   clonePlan,
	}
	out, err := list.page(q.After, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("listing plans: %w", err)
	}
	return out, nil
}

// Answers lists what a run or plan was answered, by path and arguments.
func (s *Store) Answers(ctx context.Context, owner string) ([]engine.Answer, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing answers: %w", err)
	}
	defer s.mu.RUnlock()
	if !s.owner(owner) {
		return nil, fmt.Errorf("listing the answers of %q: %w", owner, engine.ErrNotFound)
	}
	var out []engine.Answer
	for _, a := range s.answers[owner] {
		out = append(out, cloneAnswer(a))
	}
	slices.SortFunc(out, func(a, b engine.Answer) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Arguments, b.Arguments))
	})
	return out, nil
}

// Approval finds an approval by its id.
func (s *Store) Approval(ctx context.Context, id string) (engine.Approval, error) {
	if err := s.lock(ctx); err != nil {
		return engine.Approval{}, fmt.Errorf("reading approval: %w", err)
	}
	defer s.mu.RUnlock()
	a, found := s.approvals[id]
	if !found {
		return engine.Approval{}, fmt.Errorf("reading approval %q: %w", id, engine.ErrNotFound)
	}
	return cloneApproval(a), nil
}

// Approvals lists approvals, newest first.
func (s *Store) Approvals(ctx context.Context, q engine.ApprovalQuery) ([]engine.Approval, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing approvals: %w", err)
	}
	defer s.mu.RUnlock()
	if q.Run != "" && s.runs[q.Run] == nil {
		return nil, fmt.Errorf("listing approvals: run %q: %w", q.Run, engine.ErrNotFound)
	}
	list := listing[engine.Approval]{
		all: s.approvals,
		age: func(a engine.Approval) (time.Time, string) { return a.CreatedAt, a.ID },
		matches: func(a engine.Approval) bool {
			return (q.Run == "" || q.Run == a.Run) && (len(q.Statuses) == 0 || slices.Contains(q.Statuses, a.Status))
		},
		clone: cloneApproval,
	}
	out, err := list.page(q.After, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("listing approvals: %w", err)
	}
	return out, nil
}

// Frozen is the freeze that holds, the newest of several.
func (s *Store) Frozen(ctx context.Context) (engine.Freeze, error) {
	if err := s.lock(ctx); err != nil {
		return engine.Freeze{}, fmt.Errorf("looking for a freeze: %w", err)
	}
	defer s.mu.RUnlock()
	holding := slices.DeleteFunc(slices.Collect(maps.Values(s.freezes)), func(f engine.Freeze) bool { return f.ThawedAt != nil })
	if len(holding) == 0 {
		return engine.Freeze{}, fmt.Errorf("looking for a freeze: %w", engine.ErrNotFound)
	}
	return cloneFreeze(slices.MaxFunc(holding, func(a, b engine.Freeze) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})), nil
}

// Undoes lists the runs that took back changes of a run, newest first.
func (s *Store) Undoes(ctx context.Context, id string) ([]engine.RunRecord, error) {
	_, done, err := s.read(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("listing undoes: %w", err)
	}
	defer done()
	var out []engine.RunRecord
	for _, r := range s.runs {
		if r.record.UndoOf == id {
			out = append(out, cloneRun(r.record))
		}
	}
	slices.SortFunc(out, newestFirst)
	return out, nil
}

// Spent counts the targets of a connection that may have been changed since a time.
func (s *Store) Spent(ctx context.Context, connection string, since time.Time) (int64, error) {
	if err := s.lock(ctx); err != nil {
		return 0, fmt.Errorf("counting the changes of connection %q: %w", connection, err)
	}
	defer s.mu.RUnlock()
	since = engine.StoredTime(since)
	targets := map[string]bool{}
	for _, r := range s.runs {
		for _, st := range r.steps {
			rec := &st.record
			if rec.Target != nil && rec.Connection == connection && !rec.StartedAt.Before(since) && rec.MayHaveChanged() {
				targets[rec.Target.ID] = true
			}
		}
	}
	return int64(len(targets)), nil
}

// listing is a list of records that has the newest first.
type listing[T any] struct {
	all     map[string]T // by id
	age     func(T) (time.Time, string)
	matches func(T) bool
	clone   func(T) T
}

// page is what comes behind a record, everything where after is empty.
func (l listing[T]) page(after string, limit int) ([]T, error) {
	last, found := l.all[after]
	if after != "" && !found {
		return nil, fmt.Errorf("the page after %q: %w", after, engine.ErrNotFound)
	}
	var out []T
	for _, record := range l.all {
		if l.matches(record) && (!found || l.newestFirst(last, record) < 0) {
			out = append(out, l.clone(record))
		}
	}
	slices.SortFunc(out, l.newestFirst)
	return page(out, 0, cmp.Or(limit, defaultPage)), nil
}

func (l listing[T]) newestFirst(a, b T) int {
	aTime, aID := l.age(a)
	bTime, bID := l.age(b)
	return cmp.Or(bTime.Compare(aTime), cmp.Compare(bID, aID))
}
