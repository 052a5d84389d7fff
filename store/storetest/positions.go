package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func position(revision int64, cursor string) engine.Position {
	return engine.Position{
		Key: "k", Connection: "events", Log: "audit", Reader: "watch", Cursor: cursor, Revision: revision,
		At: noon().Add(time.Duration(revision) * time.Minute),
	}
}

func moving(positions ...engine.Position) engine.Batch { return engine.Batch{Positions: positions} }

// positions: a reader comes further one revision at a time, and never goes back.
func positions(t *testing.T, s engine.Store) {
	at := func() engine.Position { return must[engine.Position](t)(s.Position(t.Context(), "k")) }
	if _, err := s.Position(t.Context(), "k"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("nobody has read yet: got the error %v", err)
	}
	refused(t, s, moving(position(2, "b")), engine.ErrConflict)
	first := position(1, "a")
	first.At = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, moving(first))
	first.At = noon()
	same(t, "the position", at(), first)
	commit(t, s, moving(first)) // the same again
	refused(t, s, moving(position(1, "other")), engine.ErrConflict)
	refused(t, s, moving(position(3, "c")), engine.ErrConflict)
	commit(t, s, moving(position(2, "b"), position(3, "c")))
	same(t, "moved", at(), position(3, "c"))
	refused(t, s, moving(position(2, "b")), engine.ErrConflict)
	refused(t, s, moving(position(1, "a")), engine.ErrConflict)
	refused(t, s, moving(position(4, "d"), position(4, "e")), engine.ErrConflict)
	same(t, "not moved", at(), position(3, "c"))

	other := position(1, "x")
	other.Key, other.Reader = "k2", "other"
	commit(t, s, moving(other))
	same(t, "another reader", must[engine.Position](t)(s.Position(t.Context(), "k2")), other)
	same(t, "the first is where it was", at(), position(3, "c"))
}

// positionsRace: of many that move a reader from the same place one does.
func positionsRace(t *testing.T, s engine.Store) {
	errs := make([]error, 8)
	together(len(errs), func(i int) {
		errs[i] = s.Commit(t.Context(), moving(position(1, fmt.Sprintf("c%d", i))))
	})
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Errorf("%d and %d both moved it", won, i)
		case err == nil:
			won = i
		case !errors.Is(err, engine.ErrConflict):
			t.Errorf("moving: got the error %v", err)
		}
	}
	same(t, "the position", must[engine.Position](t)(s.Position(t.Context(), "k")).Cursor, fmt.Sprintf("c%d", won))
}
