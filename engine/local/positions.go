package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// positions is engine.Positions over a store.
type positions struct{ store engine.Store }

var _ engine.Positions = positions{}

// Position is where a reader is.
func (p positions) Position(ctx context.Context, key string) (engine.Position, error) {
	at, err := p.store.Position(ctx, key)
	if err != nil {
		return engine.Position{}, fmt.Errorf("looking how far a log was read: %w", err)
	}
	return at, nil
}

// Move makes a position the reader's, unless somebody else was faster.
func (p positions) Move(ctx context.Context, to engine.Position) (bool, error) {
	err := p.store.Commit(ctx, engine.Batch{Positions: []engine.Position{to}})
	switch {
	case errors.Is(err, engine.ErrConflict):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("recording how far a log was read: %w", err)
	}
	return true, nil
}
