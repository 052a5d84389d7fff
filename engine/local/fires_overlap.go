package local

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/engine/schedule"
)

// room is for how many fire times of a series runs may be started now, and why
// for no more. Runs with one of the keys are those of the fire times themselves,
// which an earlier attempt has started.
func (e *Engine) room(ctx context.Context, series, overlap string, keys []string) (n int, why string, err error) {
	if overlap == overlapAllow {
		return len(keys), "", nil
	}
	earlier, err := e.config.Store.Runs(ctx, engine.RunQuery{Series: series, Statuses: unfinished(), Limit: schedule.DefaultLimit + len(keys)})
	if err != nil {
		return 0, "", fmt.Errorf("looking for earlier runs of %s: %w", series, err)
	}
	earlier = slices.DeleteFunc(earlier, func(r engine.RunRecord) bool { return slices.Contains(keys, r.Key) })
	if overlap == overlapQueue {
		return max(0, schedule.DefaultLimit-len(earlier)), fmt.Sprintf("%d earlier runs are not over, and no more than that many are queued", len(earlier)), nil
	}
	for _, r := range earlier {
		standing, err := e.absorbs(ctx, r)
		if err != nil {
			return 0, "", err
		}
		if !standing {
			return 0, fmt.Sprintf("the run %s is %s still, and `overlap: skip` is set", r.ID, r.Status), nil
		}
	}
	return len(keys), "", nil
}

// absorbs reports whether a run waits for nothing but people: what later runs of
// its series find is held against what it asks for.
func (e *Engine) absorbs(ctx context.Context, r engine.RunRecord) (bool, error) {
	if r.Status != engine.RunWaiting {
		return false, nil
	}
	pending, err := e.pending(ctx, r.ID)
	return len(pending) > 0, err
}

// pending are the requests of a run, about itself, that nobody has decided.
func (e *Engine) pending(ctx context.Context, run string) ([]engine.Approval, error) {
	list, err := e.config.Store.Approvals(ctx, engine.ApprovalQuery{Run: run, Statuses: []engine.ApprovalStatus{engine.ApprovalPending}})
	if err != nil {
		return nil, fmt.Errorf("reading the approvals of %s: %w", run, err)
	}
	return slices.DeleteFunc(list, func(a engine.Approval) bool { return a.Kind == engine.ApprovalGrant }), nil
}

// seriesBusy reports whether a queued run has to wait because earlier runs of
// its series are not over, as its trigger's `overlap` says: queue waits for all of
// them, skip for those that do more than wait for people, and allow for none.
func (e *Engine) seriesBusy(ctx context.Context, record engine.RunRecord) (bool, error) {
	overlap, err := e.overlapOf(ctx, record)
	if err != nil || overlap == "" || overlap == overlapAllow {
		return false, err
	}
	q := engine.RunQuery{Series: record.Series, Statuses: unfinished(), After: record.ID} // those before it
	if overlap == overlapQueue {
		q.Limit = 1
	}
	earlier, err := e.config.Store.Runs(ctx, q)
	if err != nil {
		return false, fmt.Errorf("looking for earlier runs of %s: %w", record.Series, err)
	}
	for _, r := range earlier {
		if overlap == overlapQueue {
			return true, nil
		}
		standing, err := e.absorbs(ctx, r)
		if err != nil {
			return false, err
		}
		if !standing {
			return true, nil
		}
	}
	return false, nil
}

// overlapOf is the overlap policy of the schedule that started a run; "" where
// none did.
func (e *Engine) overlapOf(ctx context.Context, record engine.RunRecord) (string, error) {
	if record.Series == "" {
		return "", nil
	}
	prog, err := e.program(ctx, record.Hash)
	if err != nil {
		return "", err
	}
	t, _ := triggerOf(prog, record.Series)
	return t.Overlap, nil
}

// triggerOf is the trigger of a playbook that a series is about.
func triggerOf(p *program.Program, series string) (program.Trigger, bool) {
	_, place, _ := strings.Cut(series, "#")
	n, err := strconv.Atoi(place)
	if err != nil || n < 0 || n >= len(p.Triggers) {
		return program.Trigger{}, false
	}
	return p.Triggers[n], true
}
