package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Of a limit on size: where removing begins, and what it goes on to.
const (
	sizeBegins = 9 // tenths
	sizeEnds   = 8
	walLimit   = 16 << 20 // bytes; what the WAL is cut back to
)

// partsAtOnce is how many rows of a run are removed by one statement.
const partsAtOnce = 200

// Prune forgets what a Retention lets go. See engine.Store; only an engine may.
//
// It takes turns with those who commit, for some milliseconds each. Afterwards
// the file gives back what is free, unless it was made by a version that did
// not prepare it for that: Compact does.
func (s *Store) Prune(ctx context.Context, r engine.Retention) (engine.Pruned, error) {
	if s.writer == nil || s.mode != Engine {
		return engine.Pruned{}, fmt.Errorf("pruning: %w", ErrReadOnly)
	}
	s.pruning.Lock()
	defer s.pruning.Unlock()
	k, err := s.newKeeper()
	if err != nil {
		return engine.Pruned{}, fmt.Errorf("pruning: %w", err)
	}
	p := &pruning{keeper: k, limits: r}
	if r.DryRun {
		err = p.estimate()
	} else {
		err = p.run(ctx)
	}
	return p.done, wrap(errors.Join(err, k.close()), "pruning")
}

// pruning is one call of Prune.
type pruning struct {
	*keeper

	limits  engine.Retention
	done    engine.Pruned
	left    []int64 // runs, and plans below zero, whose parts are still there
	chained bool    // a run has gone that kept another one
}

func (p *pruning) run(ctx context.Context) error {
	before, err := p.size()
	if err != nil {
		return err
	}
	for _, work := range []func(context.Context) error{p.finishLast, p.byAge, p.byCount, p.plans, p.deliveries, p.bySize, p.shrink} {
		if err := work(ctx); err != nil {
			return err
		}
	}
	p.done.Bytes, err = p.size()
	p.done.Freed = max(0, before-p.done.Bytes)
	return err
}

// finishLast takes up what another Prune was cut off from.
func (p *pruning) finishLast(ctx context.Context) error {
	rows, err := p.query("SELECT run FROM doomed")
	if err != nil {
		return explain(err)
	}
	for _, row := range rows {
		p.left = append(p.left, number64(row[0]))
	}
	return p.finish(ctx)
}

// finish removes the parts that are left of what has gone.
func (p *pruning) finish(ctx context.Context) error {
	for len(p.left) > 0 {
		if err := p.transact(ctx, func(_ *writer, late func() bool) error { return p.removeParts(late) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *pruning) byAge(ctx context.Context) error {
	if p.limits.Runs <= 0 {
		return nil
	}
	_, err := p.removeRuns(ctx, p.limits.Now.Add(-p.limits.Runs).UnixMicro(), math.MaxInt)
	return err
}

func (p *pruning) byCount(ctx context.Context) error {
	if p.limits.Keep <= 0 {
		return nil
	}
	n, err := p.finished()
	if err == nil && n > p.limits.Keep {
		_, err = p.removeRuns(ctx, math.MaxInt64, n-p.limits.Keep)
	}
	return err
}

// bySize removes the oldest runs until the rest is small enough, and what
// nobody refers to any more in any case.
func (p *pruning) bySize(ctx context.Context) error {
	for tenths := int64(sizeBegins); ; tenths = sizeEnds {
		if err := p.sweep(ctx); err != nil {
			return err
		}
		most, err := p.excess(tenths)
		if err != nil || most == 0 {
			return err
		}
		removed, err := p.removeRuns(ctx, math.MaxInt64, most)
		if err != nil {
			return err
		}
		if removed == 0 {
			p.done.Over = true
			return nil
		}
	}
}

// excess is how many runs have to go until the size is down to some tenths of
// what it may be, as far as they are of one size.
func (p *pruning) excess(tenths int64) (int, error) {
	if p.limits.Bytes <= 0 {
		return 0, nil
	}
	used, err := p.used()
	if err != nil {
		return 0, err
	}
	used += min(walLimit, p.limits.Bytes/3) // which the WAL may need
	if used <= p.limits.Bytes/10*tenths {
		return 0, nil
	}
	n, err := p.finished()
	over := used - p.limits.Bytes/10*sizeEnds
	return 1 + int(float64(n)*float64(over)/float64(used)), err
}

// finished counts the runs that are over.
func (p *pruning) finished() (int, error) {
	rows, err := p.query("SELECT count(*) FROM run WHERE status IN " + finalStatuses)
	if err != nil {
		return 0, explain(err)
	}
	return int(number64(rows[0][0])), nil
}

const (
	finalStatuses = `('succeeded', 'partial', 'failed', 'denied', 'blocked', 'drifted', 'cancelled')`
	openStatuses  = `('queued', 'running', 'waiting', 'unsettled', 'interrupted')`

	// removable are the runs that ended before ?1 and that nothing keeps.
	removable = ` FROM run r INDEXED BY run_newest WHERE created_at < ?1 AND coalesce(finished_at, created_at) < ?1
		AND status IN ` + finalStatuses + `
		AND NOT EXISTS (SELECT 1 FROM run k WHERE k.retry_of = r.id AND k.retry_of <> '')
		AND NOT EXISTS (SELECT 1 FROM run k WHERE k.undo_of = r.id AND k.undo_of <> '')
		AND NOT EXISTS (SELECT 1 FROM approval a WHERE a.run = r.n AND a.status = 'pending')
		AND NOT EXISTS (SELECT 1 FROM grant g WHERE g.run = r.id AND g.at_end = 'ask' AND g.` + notFinal + `)
		AND NOT EXISTS (SELECT 1 FROM step s WHERE s.run = r.n AND s.changed = 1 AND s.started_at >= ?2)`

	oldestRun = `SELECT n, id, created_at, "plan", retry_of <> '' OR undo_of <> ''` + removable +
		` AND (created_at, id) > (?3, ?4) ORDER BY created_at, id LIMIT 1`

	unapplied = ` FROM plan p INDEXED BY plan_newest WHERE created_at < ?1
		AND NOT EXISTS (SELECT 1 FROM run r WHERE r."plan" = p.id AND r."plan" <> '')`
)

// evidence is the time since which a budget counts changes.
func (p *pruning) evidence() int64 {
	if p.limits.KeepChanges <= 0 {
		return math.MaxInt64
	}
	return p.limits.Now.Add(-p.limits.KeepChanges).UnixMicro()
}

// place is where a walk over runs, the oldest first, has got to.
type place struct {
	at int64
	id string
}
