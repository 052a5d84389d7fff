package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// blocked keeps the database locked, as another program could, until release.
func blocked(t *testing.T, s *Store) (release func()) {
	t.Helper()
	c := raw(t, s.Path())
	check(t, c.exec("BEGIN IMMEDIATE"))
	return func() {
		t.Helper()
		check(t, errors.Join(c.exec("COMMIT"), c.Close()))
	}
}

// occupy hands the writer a batch of its own and waits until it has taken it.
func occupy(t *testing.T, s *Store, b engine.Batch) *request {
	t.Helper()
	ops, err := encode(b)
	check(t, err)
	r := &request{ops: ops, done: make(chan error, 1)}
	s.writer.queue <- r
	eventually(t, "the writer took the batch", func() bool { return r.state.Load() == taken })
	return r
}

// TestGroupCommit: what waits for the writer is written in one transaction.
func TestGroupCommit(t *testing.T) {
	const committers = 10
	s := open(t, newPath(t), Options{Mode: Engine})
	for i := range committers {
		commit(t, s, first(fmt.Sprintf("run_%d", i)))
	}
	before := s.Stats()
	release := blocked(t, s)
	alone := occupy(t, s, numbered("run_0", 1))
	var wg sync.WaitGroup
	for i := 1; i < committers; i++ {
		wg.Go(func() {
			if err := s.Commit(t.Context(), numbered(fmt.Sprintf("run_%d", i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "the others wait", func() bool { return len(s.writer.queue) == committers-1 })
	release()
	check(t, <-alone.done)
	wg.Wait()
	got := s.Stats().Minus(before)
	if got.Batches != committers || got.Rows != 2*committers || got.Transactions != 2 || got.Bytes == 0 {
		t.Errorf("got %+v", got)
	}
}

// TestWithdrawn: a commit that is cancelled while it waits returns at once and
// is never written.
func TestWithdrawn(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, first("run_1"))
	commit(t, s, first("run_2"))
	release := blocked(t, s)
	alone, waiting := occupy(t, s, numbered("run_1", 1)), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { waiting <- s.Commit(ctx, numbered("run_2", 1)) }()
	eventually(t, "the second one waits", func() bool { return len(s.writer.queue) == 1 })
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want %v", err, context.Canceled)
	}
	release()
	check(t, <-alone.done)
	commit(t, s, numbered("run_1", 2)) // behind the withdrawn one
	if got := journalLength(t, s, "run_2"); got != 0 {
		t.Errorf("%d events of the withdrawn commit", got)
	}
}

// TestFullDisk: a batch that does not fit takes no other with it, and the
// store goes on.
func TestFullDisk(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine, maxPages: 128})
	commit(t, s, first("run_1"))
	large := engine.Batch{Values: []engine.StoredValue{{Ref: "v", Data: bytes.Repeat([]byte("x"), 1<<20)}}}
	if err := s.Commit(t.Context(), large); !errors.Is(err, ErrFull) {
		t.Errorf("got the error %v, want %v", err, ErrFull)
	}
	commit(t, s, numbered("run_1", 1))

	writeGroup(t, s, []engine.Batch{numbered("run_1", 2), large, numbered("run_1", 3)}, []error{nil, ErrFull, nil})
	if got := journalLength(t, s, "run_1"); got != 3 {
		t.Errorf("%d events", got)
	}
	intact(t, s)
}

// writeGroup lets the writer write batches in one transaction, and makes sure of
// what becomes of each. Nothing can be committed afterwards.
func writeGroup(t *testing.T, s *Store, batches []engine.Batch, want []error) {
	t.Helper()
	group := make([]*request, len(batches))
	for i, b := range batches {
		ops, err := encode(b)
		check(t, err)
		group[i] = &request{ops: ops, done: make(chan error, 1)}
	}
	s.writer.close() // so that the group can be written here
	s.writer.write(group)
	for i := range group {
		if err := <-group[i].done; !errors.Is(err, want[i]) {
			t.Errorf("batch %d: got the error %v, want %v", i, err, want[i])
		}
	}
}

// TestSameKeyInOneTransaction: of two batches with one key the first is written,
// and so are those that share their transaction.
func TestSameKeyInOneTransaction(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, first("run_1"))
	won, lost := first("run_2"), first("run_3")
	won.Runs[0].Key, lost.Runs[0].Key = "k", "k"
	lost.Events = numbered("run_3", 1).Events
	writeGroup(t, s, []engine.Batch{numbered("run_1", 1), won, lost, numbered("run_1", 2)}, []error{nil, nil, engine.ErrDuplicate, nil})
	if r, err := s.RunByKey(t.Context(), "k"); err != nil || r.ID != "run_2" {
		t.Errorf("the key: got %q, %v", r.ID, err)
	}
	if _, err := s.Run(t.Context(), "run_3"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the loser: got the error %v", err)
	}
	if got := journalLength(t, s, "run_1"); got != 2 {
		t.Errorf("%d events", got)
	}
	intact(t, s)
}

// TestFullDiskAtTheStart: there is not even room for the tables.
func TestFullDiskAtTheStart(t *testing.T) {
	path := newPath(t)
	if _, err := Open(path, Options{Mode: Engine, maxPages: 4}); !errors.Is(err, ErrFull) {
		t.Errorf("got the error %v, want %v", err, ErrFull)
	}
	commit(t, open(t, path, Options{Mode: Engine}), first("run_1"))
}

// TestBounds: a group ends at its bounds, and what is left comes next.
func TestBounds(t *testing.T) {
	w := &writer{queue: make(chan *request, queueLength)}
	for range groupBatches + 1 {
		w.queue <- &request{bytes: 1}
	}
	if got := len(w.gather(&request{})); got != groupBatches {
		t.Errorf("%d batches in a group", got)
	}
	w.queue <- &request{bytes: groupBytes}
	w.queue <- &request{}
	if got := len(w.gather(<-w.queue)); got != 3 {
		t.Errorf("%d batches up to the large one", got)
	}
}

// TestBackPressure: when the queue is full committers wait, and may give up.
func TestBackPressure(t *testing.T) {
	w := &writer{queue: make(chan *request, 1)}
	check(t, w.enqueue(t.Context(), &request{}))
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() { gaveUp <- w.enqueue(ctx, &request{}) }()
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want %v", err, context.Canceled)
	}
	if len(w.queue) != 1 {
		t.Errorf("%d batches in the queue", len(w.queue))
	}
}

// TestMessages: an error names the record.
func TestMessages(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, first("run_1"))
	commit(t, s, numbered("run_1", 1))
	stray := first("run_2")
	stray.Bundles, stray.Runs[0].Hash = nil, "beef"
	snap := func(seq uint64) engine.Batch {
		return engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: seq}}}
	}
	commit(t, s, snap(2))
	keyed, delivery := first("run_4"), engine.Batch{Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1"}}}
	keyed.Runs[0].Key = "k"
	commit(t, s, keyed)
	commit(t, s, delivery)
	sent := engine.Batch{Signals: []engine.Signal{{Run: "run_1", ID: "go", Name: "go"}}}
	commit(t, s, sent)
	again, other := first("run_5"), engine.Batch{Signals: []engine.Signal{{Run: "run_1", ID: "go", Name: "stop"}}}
	again.Runs[0].Key = "k"
	for want, b := range map[string]engine.Batch{
		"committing: event 1 of run_1: the run was changed by somebody else":                              numbered("run_1", 1),
		"committing: event 5 of run_1: the record cannot be stored: it does not follow event 2":           numbered("run_1", 5),
		"committing: event 1 of run_3: the run: not found":                                                numbered("run_3", 1),
		"committing: step s1 of run_3: the run: not found":                                                {Steps: numbered("run_3", 1).Steps},
		"committing: item 4 of loop of run_3: the run: not found":                                         {Items: []engine.ItemRecord{{Run: "run_3", Path: "loop", Index: 4, Outcome: engine.OutcomeDone}}},
		"committing: run_2: its bundle beef: not found":                                                   stray,
		`committing: run_5: another run has its key "k": it exists already`:                               again,
		"committing: delivery d1 to alert: it exists already":                                             delivery,
		"committing: delivery d2 to alert: its run run_3: not found":                                      {Deliveries: []engine.Delivery{{Hook: "alert", ID: "d2", Run: "run_3"}}},
		"committing: signal go to run_1: the run was changed by somebody else":                            other,
		"committing: signal go to run_3: the run: not found":                                              {Signals: []engine.Signal{{Run: "run_3", ID: "go", Name: "go"}}},
		"committing: grant gnt_1 of run_3: the run: not found":                                            {Grants: []engine.Grant{{ID: "gnt_1", Run: "run_3", Access: engine.Gives, State: engine.GrantArmed}}},
		"committing: snapshot 1 of run_1: the run was changed by somebody else":                           snap(1),
		`committing: the record cannot be stored: run 1 of the batch has the unknown status "levitating"`: {Runs: []engine.RunRecord{{ID: "run_1", Status: "levitating"}}},
	} {
		if err := s.Commit(t.Context(), b); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
