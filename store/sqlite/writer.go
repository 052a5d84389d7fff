package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// What one transaction takes at most, so that no committer waits long for
// others, and how many batches may wait before committers do.
const (
	groupBatches = 512
	groupBytes   = 4 << 20
	queueLength  = 1024
)

// writer is the one goroutine that writes. Commits queue up while it waits for
// the disk, and it writes all that have come by then in one transaction.
type writer struct {
	conn       conn
	statements [kinds]statement
	control    control
	still      condition
	patience   time.Duration // how long it asks for its turn, beyond SQLite's own waiting

	gate   sync.RWMutex // held to read by who is about to queue a batch
	closed bool
	queue  chan *request
	tasks  chan task // of those who prune, between the transactions of others
	done   chan struct{}

	crowd  int   // how many batches there were the last time: one that is alone is not kept waiting
	broken error // why nothing is written any more; the writer's own
	named  names // what records have referred to since pruning began; nil while nobody prunes
	stats  counters
}

// control are the statements around those that write records.
type control struct {
	begin, commit, rollback statement
	holds                   statement // of the writer's condition
	head                    statement // the newest record of the audit trail
}

// condition is what must hold of a database, in each transaction again, for a
// writer to write to it. Where it no longer does, the writer stops for good.
type condition struct {
	query string // finds a row while it holds
	args  []driver.NamedValue
	lost  error // why nothing is written where it does not
}

// sameOwner holds while no other engine has opened the database.
func sameOwner(epoch int64) condition {
	return condition{
		"SELECT 1 FROM owner WHERE epoch = ?", arguments(epoch),
		fmt.Errorf("%w: another engine took it over", engine.ErrLocked),
	}
}

// sameVersion holds while no newer engine has migrated the database.
func sameVersion(version int) condition {
	return condition{
		"SELECT 1 FROM pragma_user_version WHERE user_version = ?", arguments(int64(version)),
		fmt.Errorf("%w: an engine has just migrated it", ErrNewer),
	}
}

// request is a batch on its way through the writer.
type request struct {
	ops   []operation
	bytes int64
	state atomic.Int32
	done  chan error
}

// The states of a request: whoever changes waiting first decides.
const (
	waiting int32 = iota
	taken
	withdrawn
)

func newWriter(c conn, still condition, patience time.Duration) (*writer, error) {
	w := &writer{
		conn: c, still: still, patience: patience,
		queue: make(chan *request, queueLength), tasks: make(chan task), done: make(chan struct{}),
	}
	for k := range w.statements {
		s, err := c.prepare(kind(k).query())
		if err != nil {
			return nil, err
		}
		w.statements[k] = s
	}
	for query, s := range map[string]*statement{
		"BEGIN IMMEDIATE": &w.control.begin,
		"COMMIT":          &w.control.commit,
		"ROLLBACK":        &w.control.rollback,
		still.query:       &w.control.holds,
		newestAudit:       &w.control.head,
	} {
		var err error
		if *s, err = c.prepare(query); err != nil {
			return nil, err
		}
	}
	go w.loop()
	return w, nil
}

// submit queues the operations and waits for the outcome. It returns the
// context's error only where the writer has not taken them and never will.
func (w *writer) submit(ctx context.Context, ops []operation) error {
	r := &request{ops: ops, bytes: weigh(ops), done: make(chan error, 1)}
	if err := w.enqueue(ctx, r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return ctx.Err()
		}
		return <-r.done
	}
}

func (w *writer) enqueue(ctx context.Context, r *request) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.closed {
		return engine.ErrClosed
	}
	select {
	case w.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets the writer finish what is queued and waits for it.
func (w *writer) close() {
	w.gate.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.gate.Unlock()
	<-w.done
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case first, open := <-w.queue:
			if !open {
				return
			}
			if group := w.gather(first); len(group) > 0 {
				w.crowd = len(group) + len(w.queue)
				w.write(group)
			}
		case t := <-w.tasks:
			t.done <- t.run(w)
		}
	}
}

// gather takes what is queued behind the first request, up to the bounds.
func (w *writer) gather(first *request) []*request {
	for n := -1; w.crowd > 1 && n < len(w.queue); {
		n = len(w.queue)
		runtime.Gosched() // those that the last transaction woke may queue their next batch
	}
	var group []*request
	var bytes int64
	for r, open := first, true; open; {
		if r.state.CompareAndSwap(waiting, taken) {
			group = append(group, r)
			bytes += r.bytes
		}
		if len(group) >= groupBatches || bytes >= groupBytes {
			break
		}
		select {
		case r, open = <-w.queue:
		default:
			open = false
		}
	}
	return group
}

// write carries out a group in one transaction. When that fails, each batch is
// tried alone, so that one that fails takes no other with it. Savepoints would
// do the same, but cost every batch as much as writing its records, for a
// failure that hardly ever happens.
func (w *writer) write(group []*request) {
	if err := w.open(); err != nil {
		finish(group, err)
		return
	}
	err := w.fill(group)
	if err != nil && w.broken == nil && len(group) > 1 {
		for i := range group {
			w.write(group[i : i+1])
		}
		return
	}
	if err == nil {
		w.stats.add(group)
	}
	finish(group, err)
}

func finish(group []*request, err error) {
	for _, r := range group {
		r.done <- err
	}
}

// open begins a transaction and makes sure that the writer may still write.
func (w *writer) open() error {
	if w.broken != nil {
		return w.broken
	}
	if err := w.begin(); err != nil {
		return w.judge(err)
	}
	holds, err := w.control.holds.run(w.still.args)
	if err == nil && !holds {
		err = w.still.lost
		w.broken = err
	}
	if err != nil {
		return w.abandon(err)
	}
	return nil
}

// begin asks for the writer's turn until its patience is over.
func (w *writer) begin() error {
	for over := time.Now().Add(w.patience); ; {
		_, err := w.control.begin.run(nil)
		if code, _ := codes(err); code != codeBusy || time.Now().After(over) {
			return err
		}
	}
}

// fill writes the batches and commits.
func (w *writer) fill(group []*request) error {
	for _, r := range group {
		if err := w.records(r.ops); err != nil {
			return w.abandon(err)
		}
	}
	if _, err := w.control.commit.run(nil); err != nil {
		return w.abandon(err)
	}
	return nil
}

// abandon rolls the transaction back, where SQLite did not do so itself.
func (w *writer) abandon(err error) error {
	err = w.judge(err)
	if w.conn.AutoCommit() {
		return err
	}
	if _, undone := w.control.rollback.run(nil); undone != nil {
		w.broken = fmt.Errorf("rolling back: %w", explain(undone))
	}
	return err
}

// judge explains an error, and stops the writer for good where nobody knows
// any more what is on the disk.
func (w *writer) judge(err error) error {
	out := explain(err)
	if fatal(err) {
		w.broken = fmt.Errorf("the store stopped: %w", out)
	}
	return out
}

func (w *writer) records(ops []operation) error {
	var chain auditChain
	for i := range ops {
		op := ops[i]
		if op.kind == addAudit {
			if err := chain.add(w, &op); err != nil {
				return err
			}
		}
		w.named.note(op)
		if _, err := w.statements[op.kind].run(op.args); err != nil {
			return fmt.Errorf("%v: %w", op, w.reason(op, err))
		}
	}
	return nil
}

// reason finds out why a constraint did not hold.
func (w *writer) reason(op operation, err error) error {
	if code, _ := codes(err); code != codeConstraint {
		return err
	}
	missing := w.missing(op)
	switch {
	case errors.Is(missing, engine.ErrNotFound):
		return missing
	case missing != nil:
		return errors.Join(err, missing)
	case op.kind == putSnapshot, op.kind == putSignal, op.kind == putPosition:
		return engine.ErrConflict
	case op.kind == putRun:
		return w.duplicate(op, err)
	case op.kind == addDelivery:
		return engine.ErrDuplicate
	case op.kind == addEvent:
		return w.misplaced(op, err)
	}
	return err
}

// missing says which of the things that the record refers to does not exist.
func (w *writer) missing(op operation) error {
	for _, r := range op.kind.refersTo() {
		name := op.args[r.arg].Value
		if name == "" {
			continue
		}
		n, err := w.conn.integer(r.count, name)
		if err != nil {
			return err
		}
		if n == 0 && r.arg == 0 { // which the operation names itself
			return fmt.Errorf("%s: %w", r.what, engine.ErrNotFound)
		}
		if n == 0 {
			return fmt.Errorf("%s %v: %w", r.what, name, engine.ErrNotFound)
		}
	}
	return nil
}

// duplicate tells a key that another run has from what should not happen.
func (w *writer) duplicate(op operation, err error) error {
	id, key := op.args[0].Value, op.args[keyOfRun].Value
	n, failed := w.conn.integer(othersWithKey, key, id)
	switch {
	case failed != nil:
		return errors.Join(err, failed)
	case n == 0:
		return err
	}
	return fmt.Errorf("another run has its key %q: %w", key, engine.ErrDuplicate)
}

// misplaced tells an event that exists from one that leaves a gap.
func (w *writer) misplaced(op operation, err error) error {
	last, failed := w.conn.integer(lastEvent, op.args[0].Value)
	if failed != nil {
		return errors.Join(err, failed)
	}
	if seq, ok := op.args[1].Value.(int64); ok && seq > last+1 {
		return fmt.Errorf("%w: it does not follow event %d", engine.ErrRecord, last)
	}
	return engine.ErrConflict
}

// finalize frees the statements and closes the connection.
func (w *writer) finalize() error {
	var errs []error
	for _, s := range &w.statements {
		errs = append(errs, s.Close())
	}
	c := w.control
	for _, s := range []statement{c.begin, c.commit, c.rollback, c.holds, c.head} {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}
