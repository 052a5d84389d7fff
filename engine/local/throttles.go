package local

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// throttleStep is by how much a time must be later than the recorded one to be
// recorded: a service that refuses many calls says almost the same each time.
const throttleStep = time.Second

// throttleTime is how long recording may take.
const throttleTime = 10 * time.Second

// Throttles is an engine.Throttles over a store. Times are recorded in the
// background, in their order and several together: a process that dies at once
// may forget the last one.
type Throttles struct {
	store engine.Store
	log   *slog.Logger

	mu      sync.Mutex
	until   map[string]time.Time // by connection, as it is or will be recorded
	pending map[string]time.Time
	writing bool // a goroutine records what is pending
	writes  sync.WaitGroup
}

// NewThrottles reads what earlier processes recorded. It must be closed before
// the store is. Log may be nil.
func NewThrottles(ctx context.Context, store engine.Store, log *slog.Logger) (*Throttles, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	recorded, err := store.Throttles(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading until when services are not to be called: %w", err)
	}
	t := &Throttles{store: store, log: log, until: make(map[string]time.Time), pending: make(map[string]time.Time)}
	for _, r := range recorded {
		t.until[r.Connection] = r.Until
	}
	return t, nil
}

// Until is the time before which a connection's service is not to be called.
func (t *Throttles) Until(connection string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.until[connection]
}

// Penalized records a time that is later than what is recorded, in the background.
func (t *Throttles) Penalized(connection string, until time.Time) {
	until = instant(until)
	t.mu.Lock()
	defer t.mu.Unlock()
	if until.Sub(t.until[connection]) <= throttleStep {
		return
	}
	t.until[connection], t.pending[connection] = until, until
	if !t.writing {
		t.writing = true
		t.writes.Go(t.write)
	}
}

// write records until nothing is pending.
func (t *Throttles) write() {
	for {
		rows := t.takePending()
		if len(rows) == 0 {
			return
		}
		if err := t.record(rows); err != nil {
			t.log.Warn("a restart would call services that asked not to be called", "error", err)
			t.forget(rows)
		}
	}
}

func (t *Throttles) record(rows []engine.Throttle) error {
	ctx, cancel := context.WithTimeout(context.Background(), throttleTime)
	defer cancel()
	if err := t.store.Commit(ctx, engine.Batch{Throttles: rows}); err != nil {
		return fmt.Errorf("recording until when services are not to be called: %w", err)
	}
	return nil
}

// takePending is what is to be recorded now; where that is nothing, the
// goroutine ends, and the next time begins another.
func (t *Throttles) takePending() []engine.Throttle {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []engine.Throttle
	for _, connection := range slices.Sorted(maps.Keys(t.pending)) {
		rows = append(rows, engine.Throttle{Connection: connection, Until: t.pending[connection]})
	}
	clear(t.pending)
	t.writing = len(rows) > 0
	return rows
}

// forget lets the next time be recorded, since these were not.
func (t *Throttles) forget(rows []engine.Throttle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range rows {
		if t.until[r.Connection].Equal(r.Until) {
			delete(t.until, r.Connection)
		}
	}
}

// Close waits until all is recorded.
func (t *Throttles) Close() { t.writes.Wait() }
