package enginetest

import (
	"context"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Life is the life of one process. The zero Life never ends.
type Life struct {
	mu      sync.Mutex
	commits int
	dead    bool

	dieAt   int  // with which commit it dies; 0: never
	durable bool // whether that commit still becomes durable
}

// Dead reports whether the process has died. Nothing it calls from then on has
// an effect.
func (l *Life) Dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// Kill ends the process.
func (l *Life) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

// Store is a store as the process reaches it: nothing once it is dead.
func (l *Life) Store(s engine.Store) engine.Store { return mortalStore{s, l} }

type mortalStore struct {
	engine.Store
	life *Life
}

// Commit dies before or behind the commit that was chosen.
func (s mortalStore) Commit(ctx context.Context, b engine.Batch) error {
	dies, durable, err := s.life.commit()
	if err != nil || dies && !durable {
		s.life.Kill()
		return errDead
	}
	if err := s.Store.Commit(ctx, b); err != nil {
		return err
	}
	if dies {
		s.life.Kill()
		return errDead
	}
	return nil
}

func (l *Life) commit() (dies, durable bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return false, false, errDead
	}
	l.commits++
	return l.commits == l.dieAt, l.durable, nil
}
