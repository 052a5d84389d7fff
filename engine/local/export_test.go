package local

import (
	"context"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Scheduler is the scheduler, for tests.
type Scheduler struct{ s *scheduler }

// NewScheduler makes one.
func NewScheduler(e *Engine, s Serving) Scheduler { return Scheduler{newScheduler(e, s)} }

// Fire starts what is due.
func (s Scheduler) Fire(ctx context.Context) (time.Time, error) { return s.s.fire(ctx) }

// SeriesBusy reports whether a queued run has to wait for its series.
func (e *Engine) SeriesBusy(ctx context.Context, r engine.RunRecord) (bool, error) {
	return e.seriesBusy(ctx, r)
}

// NothingNew reports whether a change set is in an older one.
func NothingNew(set, older engine.ChangeSet) bool { return nothingNew(set, older) }
