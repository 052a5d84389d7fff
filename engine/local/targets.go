package local

import (
	"context"
	"fmt"
	"sync"
)

// targets lets one change at a time at each target of a run. The zero value is ready.
type targets struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the target is free again
}

// acquire waits until the target is free. waited reports whether somebody else
// had it: what was read of it before may not be so any more.
func (t *targets) acquire(ctx context.Context, connection, id string) (waited bool, release func(), err error) {
	key := connection + "\x00" + id
	for {
		busy := t.try(key)
		if busy == nil {
			return waited, func() { t.release(key) }, nil
		}
		waited = true
		select {
		case <-ctx.Done():
			return waited, nil, fmt.Errorf("waiting for another change of the same target: %w", ctx.Err())
		case <-busy:
		}
	}
}

func (t *targets) try(key string) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if busy := t.held[key]; busy != nil {
		return busy
	}
	if t.held == nil {
		t.held = make(map[string]chan struct{})
	}
	t.held[key] = make(chan struct{})
	return nil
}

func (t *targets) release(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.held[key])
	delete(t.held, key)
}
