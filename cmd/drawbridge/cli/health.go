package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/server"
)

// health remembers whether the last write to the database worked. It may be
// used by several goroutines.
type health struct {
	mu   sync.Mutex
	last error
}

// over is a store whose writes are watched.
func (h *health) over(s engine.Store) engine.Store { return watched{Store: s, health: h} }

type watched struct {
	engine.Store

	health *health
}

// Commit writes, and remembers whether the disk let it.
func (w watched) Commit(ctx context.Context, b engine.Batch) error {
	err := w.Store.Commit(ctx, b)
	if err == nil || ofTheDisk(err) {
		w.health.mu.Lock()
		w.health.last = err
		w.health.mu.Unlock()
	}
	return err
}

// ofTheDisk reports whether an error is not about what was written.
func ofTheDisk(err error) bool {
	for _, other := range []error{
		engine.ErrNotFound, engine.ErrConflict, engine.ErrDuplicate, engine.ErrRecord, engine.ErrClosed, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

func (h *health) problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return ""
	}
	return h.last.Error()
}

// Health is what /readyz shows.
func (h *house) Health(ctx context.Context) server.Health {
	out := server.Health{Database: h.app.health.problem(), Stopping: h.stopped()}
	if out.Database == "" {
		out.Database = unwritable(h.rt.path)
	}
	_, overdue, err := h.grants(ctx)
	if err != nil && out.Database == "" {
		out.Database = err.Error()
	}
	out.Overdue = int(overdue)
	out.Database = h.app.redactor.String(out.Database)
	return out
}

func unwritable(path string) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err.Error()
	}
	_ = f.Close() // nothing was written through it
	return ""
}

// grants counts those that are live, and those of them that should have ended.
func (h *house) grants(ctx context.Context) (live, overdue int64, err error) {
	q := engine.GrantQuery{States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}, Limit: pageSize}
	for g, err := range every(func(after string) ([]engine.Grant, error) {
		q.After = after
		return h.rt.store.Grants(ctx, q)
	}, func(g engine.Grant) string { return g.ID }) {
		if err != nil {
			return live, overdue, fmt.Errorf("counting the grants: %w", err)
		}
		live++
		if g.Overdue(h.app.now()) {
			overdue++
		}
	}
	return live, overdue, nil
}

// Figures is what /metrics shows. Of runs, those that are not over are counted
// as they stand, and those that are over since the process began.
func (h *house) Figures(ctx context.Context) (server.Figures, error) {
	out := h.hub.figures()
	if err := h.countUnfinished(ctx, out.Runs); err != nil {
		return server.Figures{}, err
	}
	out.Queue = out.Runs[engine.RunQueued]
	out.NoticesSent, out.NoticesLost = h.notices.counts()
	out.Fires, out.Missed = h.rt.engine.FireCounts()
	var err error
	out.GrantsLive, out.GrantsOverdue, err = h.grants(ctx)
	return out, err
}

// countUnfinished counts the runs that are not over, by status, and keeps none
// of them: there may be a hundred thousand that wait.
func (h *house) countUnfinished(ctx context.Context, counts map[engine.RunStatus]int64) error {
	q := engine.RunQuery{Limit: pageSize, Statuses: []engine.RunStatus{
		engine.RunQueued, engine.RunRunning, engine.RunWaiting, engine.RunUnsettled, engine.RunInterrupted,
	}}
	for r, err := range every(func(after string) ([]engine.RunRecord, error) {
		q.After = after
		return h.rt.store.Runs(ctx, q)
	}, func(r engine.RunRecord) string { return r.ID }) {
		if err != nil {
			return fmt.Errorf("counting the runs: %w", err)
		}
		counts[r.Status]++
	}
	return nil
}

func (h *hub) figures() server.Figures {
	h.mu.Lock()
	defer h.mu.Unlock()
	return server.Figures{Runs: cloneOf(h.ended), Steps: cloneOf(h.steps), Changes: cloneOf(h.changes)}
}

// cloneOf is a map that can be written to, also where there was none.
func cloneOf[K comparable](m map[K]int64) map[K]int64 {
	out := make(map[K]int64, len(m))
	maps.Copy(out, m)
	return out
}
