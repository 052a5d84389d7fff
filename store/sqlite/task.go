package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// task is work on the database that goes on between the transactions of those
// who commit, in the writer's goroutine: nothing is written meanwhile.
type task struct {
	run  func(*writer) error
	done chan error
}

// submitTask has the writer do some work and waits for it.
func (w *writer) submitTask(ctx context.Context, run func(*writer) error) error {
	t := task{run: run, done: make(chan error, 1)}
	select {
	case w.tasks <- t:
		return <-t.done
	case <-w.done:
		return engine.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// names are references to values, and hashes of bundles, that records have named.
type names map[string]struct{}

// note takes down what an operation refers to.
func (n names) note(op operation) {
	if n == nil {
		return
	}
	for _, i := range op.kind.names() {
		if name, ok := op.args[i].Value.(string); ok {
			n[name] = struct{}{}
		}
	}
}

// names are the arguments in which an operation names a value or bundle.
func (k kind) names() []int {
	switch k {
	case putBundle, putValue:
		return []int{0}
	case putRun:
		return []int{1, 22}
	case putPlan:
		return []int{2, 12}
	case putAnswer:
		return []int{3}
	case putApproval:
		return []int{10}
	case holdValue:
		return []int{1}
	default:
		return nil
	}
}

// keeper removes things through a connection of its own, which does not look
// for who refers to what is removed: it would read whole tables for each row.
// What may go is known here.
type keeper struct {
	store      *Store
	conn       conn
	statements map[string]statement
}

func (s *Store) newKeeper() (*keeper, error) {
	c, err := openConn(keeperDSN(s.path), keeperSettings())
	if err != nil {
		return nil, err
	}
	if err := c.exec(keeperTuning); err != nil {
		return nil, errors.Join(explain(err), c.Close())
	}
	return &keeper{store: s, conn: c, statements: map[string]statement{}}, nil
}

// slice is how long others are kept from committing at a time; the commit and
// what was begun by then come on top.
const slice = 15 * time.Millisecond

// transact runs a piece of work in one transaction between those of others. The
// work looks at late, and ends when it is.
func (k *keeper) transact(ctx context.Context, work func(w *writer, late func() bool) error) error {
	return k.store.writer.submitTask(ctx, func(w *writer) error {
		if err := k.begin(); err != nil {
			return explain(err)
		}
		over := time.Now().Add(slice)
		err := k.mayWrite(w)
		if err == nil {
			err = work(w, func() bool { return time.Now().After(over) })
		}
		if err != nil {
			return errors.Join(explain(err), k.rollback())
		}
		if err := k.conn.exec("COMMIT"); err != nil {
			return errors.Join(explain(err), k.rollback())
		}
		return nil
	})
}

// begin waits for those who write beside the engine.
func (k *keeper) begin() error {
	for over := time.Now().Add(besidePatience); ; {
		err := k.conn.exec("BEGIN IMMEDIATE")
		if code, _ := codes(err); code != codeBusy || time.Now().After(over) {
			return err
		}
	}
}

// mayWrite holds to what the writer holds to: that no other engine has taken over.
func (k *keeper) mayWrite(w *writer) error {
	if w.broken != nil {
		return w.broken
	}
	rows, err := k.conn.rows(w.still.query, values(w.still.args)...)
	if err == nil && len(rows) == 0 {
		err = w.still.lost
	}
	return err
}

func (k *keeper) rollback() error {
	if k.conn.AutoCommit() {
		return nil
	}
	return k.conn.exec("ROLLBACK")
}

// audit appends an entry in the transaction under way.
func (k *keeper) audit(entry engine.AuditEntry) error {
	rows, err := k.conn.rows(newestAudit)
	if err != nil {
		return err
	}
	op := operation{kind: addAudit, entry: &entry}
	chain := auditChain{read: true}
	if len(rows) > 0 {
		chain.last = headOf(rows[0])
	}
	if err := chain.add(nil, &op); err != nil {
		return err
	}
	_, err = k.conn.rows(addAudit.query(), values(op.args)...)
	return err
}
