package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// pagesAtOnce is how many pages are given back by one statement.
const pagesAtOnce = 32

// shrink gives back what is free in the file, and empties the WAL.
func (p *pruning) shrink(ctx context.Context) error {
	if mode, err := p.conn.integer("PRAGMA auto_vacuum"); err != nil || mode != 2 {
		return explain(errors.Join(err, p.checkpoint(ctx)))
	}
	for free := int64(1); free > 0; {
		err := p.transact(ctx, func(_ *writer, late func() bool) (err error) {
			for free > 0 && !late() && err == nil {
				if _, err = p.conn.rows(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pagesAtOnce)); err == nil {
					free, err = p.conn.integer("PRAGMA freelist_count")
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return p.checkpoint(ctx)
}

// checkpoint puts the WAL into the main file. Most of it while others write; the
// rest, and cutting the file, between their transactions, unless somebody reads.
func (p *pruning) checkpoint(ctx context.Context) error {
	if _, err := p.conn.rows("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return explain(err)
	}
	return p.store.writer.submitTask(ctx, func(*writer) error {
		_, err := p.conn.rows("PRAGMA wal_checkpoint(TRUNCATE)")
		if code, _ := codes(err); code == codeBusy {
			return nil // the next one does it
		}
		return explain(err)
	})
}

// used is how many bytes of the file are in use.
func (k *keeper) used() (int64, error) {
	pages, err1 := k.conn.integer("PRAGMA page_count")
	free, err2 := k.conn.integer("PRAGMA freelist_count")
	size, err3 := k.conn.integer("PRAGMA page_size")
	return (pages - free) * size, explain(errors.Join(err1, err2, err3))
}

// Compact writes the whole file anew, so that nothing in it is free and Prune
// can give space back from then on. It needs as much room on the disk again,
// and lets nobody commit meanwhile.
func (s *Store) Compact(ctx context.Context) error {
	if s.writer == nil || s.mode != Engine {
		return fmt.Errorf("compacting: %w", ErrReadOnly)
	}
	s.pruning.Lock()
	defer s.pruning.Unlock()
	k, err := s.newKeeper()
	if err != nil {
		return fmt.Errorf("compacting: %w", err)
	}
	p := &pruning{keeper: k}
	err = s.writer.submitTask(ctx, func(*writer) error { return explain(k.conn.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")) })
	if err == nil {
		err = p.checkpoint(ctx)
	}
	return wrap(errors.Join(err, k.close()), "compacting")
}

// query runs a query through a prepared statement and returns all it finds.
func (k *keeper) query(query string, args ...any) ([][]driver.Value, error) {
	s, err := k.prepared(query)
	if err != nil {
		return nil, err
	}
	found, err := s.query.QueryContext(context.Background(), arguments(args...))
	if err != nil {
		return nil, err
	}
	out, err := drain(found)
	return out, errors.Join(err, found.Close())
}

// exec runs a statement and returns how many rows it has changed.
func (k *keeper) exec(query string, args ...any) (int64, error) {
	s, err := k.prepared(query)
	if err != nil {
		return 0, err
	}
	executor, ok := s.Stmt.(driver.StmtExecContext)
	if !ok {
		return 0, fmt.Errorf("the driver's statement is a %T", s.Stmt)
	}
	result, err := executor.ExecContext(context.Background(), arguments(args...))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (k *keeper) prepared(query string) (statement, error) {
	if s, known := k.statements[query]; known {
		return s, nil
	}
	s, err := k.conn.prepare(query)
	if err == nil {
		k.statements[query] = s
	}
	return s, err
}

func (k *keeper) close() error {
	var errs []error
	for _, s := range k.statements {
		errs = append(errs, s.Close())
	}
	return explain(errors.Join(append(errs, k.conn.Close())...))
}
