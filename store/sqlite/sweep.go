package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// sweepPage is how many rows are read at a time.
const sweepPage = 1000

// marks is a set of numbers that lie close together.
type marks map[int64]uint64

func (m marks) add(n int64)      { m[n>>6] |= 1 << (n & 63) }
func (m marks) has(n int64) bool { return m[n>>6]&(1<<(n&63)) != 0 }

// sweep removes the values and bundles that nobody refers to. It reads
// everything that refers, in pages, while others write: what they refer to
// meanwhile the writer takes down, and that stays too.
func (p *pruning) sweep(ctx context.Context) (err error) {
	if err := p.listen(ctx, names{}); err != nil {
		return err
	}
	defer func() { _ = p.listen(context.WithoutCancel(ctx), nil) }() // fails only where the writer has ended
	values, bundles, err := p.mark(ctx)
	if err != nil {
		return explain(err)
	}
	if err := p.sweepValues(ctx, values); err != nil {
		return err
	}
	return p.sweepBundles(ctx, bundles)
}

// listen has the writer take down what is referred to, or no longer.
func (p *pruning) listen(ctx context.Context, n names) error {
	return p.store.writer.submitTask(ctx, func(w *writer) error {
		w.named = n
		return nil
	})
}

// mark reads everything that refers to values and bundles.
func (p *pruning) mark(ctx context.Context) (marks, names, error) {
	values, bundles := marks{}, names{}
	for _, query := range []string{
		"SELECT n, change_set, hash FROM run WHERE n > ? ORDER BY n LIMIT ?",
		"SELECT n, change_set, hash FROM plan WHERE n > ? ORDER BY n LIMIT ?",
		"SELECT n, change_set FROM approval WHERE n > ? ORDER BY n LIMIT ?",
	} {
		err := p.pages(ctx, query, []any{int64(math.MinInt64)}, func(row []driver.Value) []any {
			if n, ok := row[1].(int64); ok {
				values.add(n)
			}
			if len(row) > 2 {
				bundles[textOf(row[2])] = struct{}{}
			}
			return []any{row[0]}
		})
		if err != nil {
			return nil, nil, err
		}
	}
	err := p.pages(ctx, `SELECT value, owner, path, arguments FROM answer WHERE (owner, path, arguments) > (?, ?, ?)
		ORDER BY owner, path, arguments LIMIT ?`, []any{int64(math.MinInt64), "", ""}, func(row []driver.Value) []any {
		values.add(number64(row[0]))
		return []any{row[1], textOf(row[2]), textOf(row[3])}
	})
	if err != nil {
		return nil, nil, err
	}
	err = p.pages(ctx, "SELECT run, value FROM held WHERE (run, value) > (?, ?) ORDER BY run, value LIMIT ?",
		[]any{int64(math.MinInt64), int64(0)}, func(row []driver.Value) []any {
			values.add(number64(row[1]))
			return []any{row[0], row[1]}
		})
	return values, bundles, err
}

// pages runs a query page by page. each takes a row and says where the next
// page begins.
func (p *pruning) pages(ctx context.Context, query string, from []any, each func([]driver.Value) []any) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		select {
		case <-p.store.writer.done:
			return engine.ErrClosed
		default:
		}
		rows, err := p.query(query, append(from, int64(sweepPage))...)
		if err != nil {
			return fmt.Errorf("reading what is referred to: %w", err)
		}
		for _, row := range rows {
			from = each(row)
		}
		if len(rows) < sweepPage {
			return nil
		}
	}
}

// unused is a value that nobody refers to.
type unused struct {
	n   int64
	ref string
}

func (p *pruning) sweepValues(ctx context.Context, used marks) error {
	oldest, err := p.firstKnown()
	if err != nil {
		return explain(err)
	}
	var found []unused
	flush := func() error {
		err := p.removeValues(ctx, found)
		found = nil
		return err
	}
	var failed error
	err = p.pages(ctx, "SELECT n, ref FROM value WHERE n > ? AND part = 0 ORDER BY n LIMIT ?", []any{oldest}, func(row []driver.Value) []any {
		if n := number64(row[0]); !used.has(n) {
			found = append(found, unused{n, textOf(row[1])})
		}
		if len(found) >= sweepPage && failed == nil {
			failed = flush()
		}
		return []any{row[0]}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return explain(err)
	}
	return flush()
}

// firstKnown is the number behind which it is known who holds a value.
func (p *pruning) firstKnown() (int64, error) {
	rows, err := p.query("SELECT value FROM unknown WHERE EXISTS (SELECT 1 FROM run WHERE n <= unknown.run AND status IN " + openStatuses + ")")
	if err != nil || len(rows) == 0 {
		return math.MinInt64, err
	}
	return number64(rows[0][0]), nil
}

func (p *pruning) removeValues(ctx context.Context, list []unused) error {
	for len(list) > 0 {
		n := 0
		err := p.transact(ctx, func(w *writer, late func() bool) error {
			for len(list) > 0 && !late() {
				if _, named := w.named[list[0].ref]; !named {
					if _, err := p.exec("DELETE FROM value WHERE ref = ?", list[0].ref); err != nil {
						return err
					}
					n++
				}
				list = list[1:]
			}
			return nil
		})
		if err != nil {
			return err
		}
		p.done.Values += n
	}
	return nil
}

// sweepBundles removes the sources no run and no plan is pinned to: there are
// as many as there were versions of playbooks.
func (p *pruning) sweepBundles(ctx context.Context, used names) error {
	rows, err := p.query("SELECT hash FROM bundle")
	if err != nil {
		return explain(err)
	}
	for _, row := range rows {
		hash := textOf(row[0])
		if _, kept := used[hash]; kept {
			continue
		}
		n := int64(0)
		err := p.transact(ctx, func(w *writer, _ func() bool) (err error) {
			if _, named := w.named[hash]; !named {
				n, err = p.exec("DELETE FROM bundle WHERE hash = ?", hash)
			}
			return err
		})
		if err != nil {
			return err
		}
		p.done.Bundles += int(n)
	}
	return nil
}
