package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Audit lists the audit trail, oldest first.
func (s *Store) Audit(ctx context.Context, q engine.AuditQuery) ([]engine.AuditRecord, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("reading the audit trail: %w", err)
	}
	defer s.mu.RUnlock()
	since := engine.StoredTime(q.Since)
	var out []engine.AuditRecord
	for _, r := range s.audit {
		if r.Seq > q.After && !r.At.Before(since) {
			out = append(out, cloneAudit(r))
		}
	}
	return page(out, 0, q.Limit), nil
}

// AuditHead is the newest record of the audit trail.
func (s *Store) AuditHead(ctx context.Context) (engine.AuditRecord, error) {
	if err := s.lock(ctx); err != nil {
		return engine.AuditRecord{}, fmt.Errorf("reading the end of the audit trail: %w", err)
	}
	defer s.mu.RUnlock()
	if len(s.audit) == 0 {
		return engine.AuditRecord{}, fmt.Errorf("reading the end of the audit trail: %w", engine.ErrNotFound)
	}
	return cloneAudit(s.audit[len(s.audit)-1]), nil
}

func cloneAudit(r engine.AuditRecord) engine.AuditRecord {
	r.Detail = slices.Clone(r.Detail)
	return r
}

func (s *Store) chain(entries ...engine.AuditEntry) {
	for _, e := range entries {
		var last engine.AuditRecord
		if n := len(s.audit); n > 0 {
			last = s.audit[n-1]
		}
		s.audit = append(s.audit, cloneAudit(e.Chained(last)))
	}
}

// Prune forgets what a Retention lets go. What is large here are values, sources
// and journals: their bytes are what the limit on size counts.
func (s *Store) Prune(ctx context.Context, r engine.Retention) (engine.Pruned, error) {
	if err := ctx.Err(); err != nil {
		return engine.Pruned{}, fmt.Errorf("pruning: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return engine.Pruned{}, fmt.Errorf("pruning: %w", engine.ErrClosed)
	}
	target := s
	if r.DryRun {
		target = s.copied()
	}
	return target.prune(r), nil
}

// copied is a store from which something can be removed without changing s.
func (s *Store) copied() *Store {
	c := New()
	copyMap(c.bundles, s.bundles)
	copyMap(c.values, s.values)
	copyMap(c.runs, s.runs)
	copyMap(c.plans, s.plans)
	copyMap(c.answers, s.answers)
	copyMap(c.approvals, s.approvals)
	copyMap(c.held, s.held)
	copyMap(c.grants, s.grants)
	return c
}

func copyMap[K comparable, V any](to, from map[K]V) {
	for k, v := range from {
		to[k] = v
	}
}

func (s *Store) prune(r engine.Retention) engine.Pruned {
	var p engine.Pruned
	before, last := s.size(), ""
	remove := func(until time.Time, most int) {
		for most > 0 {
			id := s.oldest(r, until)
			if id == "" {
				return
			}
			s.removeRun(id)
			p.First, last = cmp.Or(p.First, id), id
			p.Runs++
			most--
		}
	}
	if r.Runs > 0 {
		remove(r.Now.Add(-r.Runs), len(s.runs))
	}
	if r.Keep > 0 {
		remove(time.Time{}, s.finished()-r.Keep)
	}
	if r.Plans > 0 {
		last = cmp.Or(last, s.removePlans(r.Now.Add(-r.Plans), &p))
	}
	s.forgetDeliveries(r)
	s.sweep(&p)
	for tenths := int64(9); r.Bytes > 0 && s.size() > r.Bytes/10*tenths; tenths = 8 {
		gone := p.Runs
		remove(time.Time{}, 1)
		if s.sweep(&p); p.Runs == gone {
			p.Over = true
			break
		}
	}
	if p.Runs+p.Plans > 0 {
		s.chain(engine.AuditPruning(r.Now, r.Actor, last, p))
	}
	p.Bytes = s.size()
	p.Freed = before - p.Bytes
	return p
}

func (s *Store) forgetDeliveries(r engine.Retention) {
	for key, d := range s.deliveries {
		if r.Deliveries > 0 && d.At.Before(r.Now.Add(-r.Deliveries)) {
			delete(s.deliveries, key)
		}
	}
}

// oldest is the oldest run that may go and ended before a time; any time where
// it is zero.
func (s *Store) oldest(r engine.Retention, before time.Time) string {
	kept := map[string]bool{}
	for _, other := range s.runs {
		kept[other.record.RetryOf], kept[other.record.UndoOf] = true, true
	}
	for _, a := range s.approvals {
		kept[a.Run] = kept[a.Run] || a.Status == engine.ApprovalPending
	}
	for _, g := range s.grants {
		kept[g.Run] = kept[g.Run] || g.AtEnd == "ask" && !g.State.Final()
	}
	var found *engine.RunRecord
	for id, one := range s.runs {
		if kept[id] || !one.record.Status.Final() || !before.IsZero() && !endOf(one.record).Before(before) || one.evident(r) {
			continue
		}
		if found == nil || newestFirst(*found, one.record) < 0 {
			found = &one.record
		}
	}
	if found == nil {
		return ""
	}
	return found.ID
}

func endOf(r engine.RunRecord) time.Time {
	if r.FinishedAt == nil {
		return r.CreatedAt
	}
	return *r.FinishedAt
}

// evident reports whether a budget still counts a change of the run.
func (r *run) evident(limits engine.Retention) bool {
	if limits.KeepChanges <= 0 {
		return false
	}
	since := engine.StoredTime(limits.Now.Add(-limits.KeepChanges))
	for _, st := range r.steps {
		if st.record.MayHaveChanged() && !st.record.StartedAt.Before(since) {
			return true
		}
	}
	return false
}

func (s *Store) finished() int {
	n := 0
	for _, r := range s.runs {
		if r.record.Status.Final() {
			n++
		}
	}
	return n
}

func (s *Store) removeRun(id string) {
	if plan := s.runs[id].record.Plan; plan != "" {
		delete(s.plans, plan)
		delete(s.answers, plan)
	}
	for _, a := range s.approvals {
		if a.Run == id {
			delete(s.approvals, a.ID)
		}
	}
	delete(s.runs, id)
	delete(s.answers, id)
	delete(s.held, id)
}

func (s *Store) removePlans(before time.Time, p *engine.Pruned) (last string) {
	applied := map[string]bool{}
	for _, r := range s.runs {
		applied[r.record.Plan] = true
	}
	for id, plan := range s.plans {
		if !applied[id] && plan.CreatedAt.Before(before) {
			delete(s.plans, id)
			delete(s.answers, id)
			p.Plans++
			last = id
		}
	}
	return last
}

// sweep removes what nobody refers to.
func (s *Store) sweep(p *engine.Pruned) {
	values, bundles := map[engine.Reference]bool{}, map[string]bool{}
	for _, r := range s.runs {
		values[r.record.ChangeSet], bundles[r.record.Hash] = true, true
	}
	for _, plan := range s.plans {
		values[plan.Set], bundles[plan.Hash] = true, true
	}
	for _, a := range s.approvals {
		values[a.Set] = true
	}
	for _, answers := range s.answers {
		for _, a := range answers {
			values[a.Value] = true
		}
	}
	for _, held := range s.held {
		for ref := range held {
			values[ref] = true
		}
	}
	p.Values += forget(s.values, values)
	p.Bundles += forget(s.bundles, bundles)
}

func forget[K comparable, V any](all map[K]V, used map[K]bool) (n int) {
	for k := range all {
		if !used[k] {
			delete(all, k)
			n++
		}
	}
	return n
}

func (s *Store) size() (n int64) {
	for _, v := range s.values {
		n += int64(len(v))
	}
	for _, b := range s.bundles {
		n += int64(len(b.Data))
	}
	for _, r := range s.runs {
		for _, e := range r.events {
			n += int64(len(e.Data))
		}
		n += int64(len(r.record.Inputs) + len(r.record.Outputs))
	}
	return n
}
