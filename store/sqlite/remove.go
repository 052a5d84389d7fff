package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"math"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// removed is what one transaction removes.
type removed struct {
	engine.Pruned

	last string // id of the last run or plan
}

func (r *removed) run(id string) {
	if r.Runs++; r.First == "" {
		r.First = id
	}
	r.last = id
}

// removeRuns removes the oldest runs that ended before a time, at most so many,
// and says how many it was. Where one goes that kept another one, it looks again
// from the beginning.
func (p *pruning) removeRuns(ctx context.Context, before int64, most int) (int, error) {
	total, from := 0, place{at: math.MinInt64}
	for over := false; total < most && (!over || p.chained); {
		if over {
			p.chained, from = false, place{at: math.MinInt64}
		}
		var part removed
		err := p.transact(ctx, func(_ *writer, late func() bool) (err error) {
			over, err = p.removeSome(&part, before, &from, most-total, late)
			return err
		})
		if err != nil {
			return total, err
		}
		total += part.Runs
		p.add(part)
	}
	return total, p.finish(ctx)
}

// removeSome removes runs until it is late, and tells the audit trail. The bool
// reports that there are no more.
func (p *pruning) removeSome(part *removed, before int64, from *place, most int, late func() bool) (bool, error) {
	over := false
	for !over && !late() && part.Runs < most {
		if err := p.removeParts(late); err != nil || len(p.left) > 0 {
			return false, err
		}
		id, err := p.removeOne(before, from)
		if err != nil {
			return false, err
		}
		if over = id == ""; !over {
			part.run(id)
		}
	}
	if err := p.removeParts(late); err != nil {
		return false, err
	}
	return over, p.tell(*part)
}

// removeOne removes the oldest run behind a place, and its plan. From then on
// nobody sees it any more; its parts are left to be removed.
func (p *pruning) removeOne(before int64, from *place) (id string, err error) {
	rows, err := p.query(oldestRun, before, p.evidence(), from.at, from.id)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	n, plan := number64(rows[0][0]), textOf(rows[0][3])
	from.id, from.at = textOf(rows[0][1]), number64(rows[0][2])
	p.chained = p.chained || number64(rows[0][4]) != 0
	if plan != "" {
		if err := p.removePlan(plan); err != nil {
			return "", err
		}
	}
	for _, statement := range []string{
		"DELETE FROM approval WHERE run = ?", "DELETE FROM run WHERE n = ?", "INSERT INTO doomed (run) VALUES (?)",
	} {
		if _, err := p.exec(statement, n); err != nil {
			return "", err
		}
	}
	p.left = append(p.left, n)
	return from.id, nil
}

func (p *pruning) removePlan(id string) error {
	rows, err := p.query("DELETE FROM plan WHERE id = ? RETURNING n", id)
	if err != nil || len(rows) == 0 {
		return err
	}
	n := -number64(rows[0][0])
	p.left = append(p.left, n)
	_, err = p.exec("INSERT INTO doomed (run) VALUES (?)", n)
	return err
}

// removeParts removes what belongs to runs and plans that have gone, until it
// is late.
func (p *pruning) removeParts(late func() bool) error {
	for len(p.left) > 0 {
		n := p.left[len(p.left)-1]
		for _, statement := range partsOf(n) {
			for more := int64(partsAtOnce); more == partsAtOnce; {
				if late() {
					return nil
				}
				var err error
				if more, err = p.exec(statement, n); err != nil {
					return err
				}
			}
		}
		if _, err := p.exec("DELETE FROM doomed WHERE run = ?", n); err != nil {
			return err
		}
		p.left = p.left[:len(p.left)-1]
	}
	return nil
}

// partsOf are the statements that remove some parts of a run, or of a plan,
// whose number is below zero.
func partsOf(n int64) []string {
	answers := `DELETE FROM answer WHERE owner = ?1 AND (path, arguments) IN (SELECT path, arguments FROM answer WHERE owner = ?1 LIMIT 200)`
	if n < 0 {
		return []string{answers}
	}
	return []string{
		answers,
		`DELETE FROM held WHERE run = ?1 AND value IN (SELECT value FROM held WHERE run = ?1 LIMIT 200)`,
		`DELETE FROM item WHERE run = ?1 AND (path, idx) IN (SELECT path, idx FROM item WHERE run = ?1 LIMIT 200)`,
		`DELETE FROM event WHERE n IN (SELECT n FROM event WHERE run = ?1 LIMIT 200)`,
		`DELETE FROM step WHERE n IN (SELECT n FROM step WHERE run = ?1 LIMIT 200)`,
		`DELETE FROM snapshot WHERE run = ?1`,
	}
}

// plans removes the plans that were made too long ago and never applied.
func (p *pruning) plans(ctx context.Context) error {
	if p.limits.Plans <= 0 {
		return nil
	}
	before := p.limits.Now.Add(-p.limits.Plans).UnixMicro()
	for over := false; !over; {
		var part removed
		err := p.transact(ctx, func(_ *writer, late func() bool) error {
			for !over && !late() {
				if err := p.removeParts(late); err != nil || len(p.left) > 0 {
					return err
				}
				rows, err := p.query("SELECT id"+unapplied+" ORDER BY created_at, id LIMIT 1", before)
				if err != nil {
					return err
				}
				if over = len(rows) == 0; over {
					break
				}
				part.last = textOf(rows[0][0])
				if err := p.removePlan(part.last); err != nil {
					return err
				}
				part.Plans++
			}
			return p.tell(part)
		})
		if err != nil {
			return err
		}
		p.add(part)
	}
	return p.finish(ctx)
}

// deliveries removes the webhook calls that were taken too long ago to come again.
func (p *pruning) deliveries(ctx context.Context) error {
	if p.limits.Deliveries <= 0 {
		return nil
	}
	before := p.limits.Now.Add(-p.limits.Deliveries).UnixMicro()
	for gone := int64(partsAtOnce); gone == partsAtOnce; {
		err := p.transact(ctx, func(*writer, func() bool) (err error) {
			gone, err = p.exec(`DELETE FROM delivery WHERE (hook, id) IN
				(SELECT hook, id FROM delivery INDEXED BY delivery_by_age WHERE at < ?1 LIMIT ?2)`, before, int64(partsAtOnce))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tell puts what a transaction has removed into the audit trail.
func (p *pruning) tell(part removed) error {
	if part.Runs+part.Plans == 0 {
		return nil
	}
	return p.audit(engine.AuditPruning(p.limits.Now, p.limits.Actor, part.last, part.Pruned))
}

func (p *pruning) add(part removed) {
	p.done.Runs += part.Runs
	p.done.Plans += part.Plans
	if p.done.First == "" {
		p.done.First = part.First
	}
}

// estimate counts what would go.
func (p *pruning) estimate() error {
	n, err := p.finished()
	if err != nil {
		return err
	}
	wanted, err := p.excess(sizeBegins)
	if err != nil {
		return err
	}
	if p.limits.Keep > 0 {
		wanted = max(wanted, n-p.limits.Keep)
	}
	if wanted > 0 {
		free, err := p.countOf(removable, int64(math.MaxInt64), p.evidence())
		if err != nil {
			return err
		}
		p.done.Over = free < wanted
		p.done.Runs = min(free, wanted)
	}
	if p.limits.Runs > 0 {
		old, err := p.countOf(removable, p.limits.Now.Add(-p.limits.Runs).UnixMicro(), p.evidence())
		if err != nil {
			return err
		}
		p.done.Runs = max(p.done.Runs, old)
	}
	if p.limits.Plans > 0 {
		if p.done.Plans, err = p.countOf(unapplied, p.limits.Now.Add(-p.limits.Plans).UnixMicro()); err != nil {
			return err
		}
	}
	p.done.Bytes, err = p.size()
	return err
}

func (p *pruning) countOf(what string, args ...any) (int, error) {
	rows, err := p.query("SELECT count(*)"+what, args...)
	if err != nil {
		return 0, explain(err)
	}
	return int(number64(rows[0][0])), nil
}

// size is how many bytes the file has, or will have once the WAL is in it.
func (k *keeper) size() (int64, error) {
	pages, err1 := k.conn.integer("PRAGMA page_count")
	size, err2 := k.conn.integer("PRAGMA page_size")
	return pages * size, explain(errors.Join(err1, err2))
}

func number64(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func textOf(v driver.Value) string {
	s, _ := text(v).(string)
	return s
}
