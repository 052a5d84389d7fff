package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Position is how far a reader of a log has come: everything the service
// recorded before the cursor has been dealt with.
type Position struct {
	Key        string    `json:"key"`        // what the cursor is good for, and whose it is, as a hash; see PositionKey
	Connection string    `json:"connection"` // for people
	Log        string    `json:"log"`        // for people: which of the service's logs
	Reader     string    `json:"reader"`     // for people: the playbook, or the name it gave itself
	Cursor     string    `json:"cursor"`     // the service's word; no secret
	Revision   int64     `json:"revision"`   // from 1, one more each time the reader comes further
	At         time.Time `json:"at"`         // when it was last moved
}

// PositionKey is the key of the position that a reader has in a log. A cursor
// is good for one log only, so everything it depends on is part of the key:
// where the connection leads, whose credentials it has, which log it is and in
// which version of the service's interface.
func PositionKey(fingerprint, credentials, log, version, reader string) string {
	sum := sha256.New()
	for _, part := range []string{fingerprint, credentials, log, version, reader} {
		fmt.Fprintf(sum, "%d %s\n", len(part), part) // so that no two lists of parts are written the same
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Positions remembers how far readers of logs have come, over runs and
// restarts. It may be used by several goroutines.
type Positions interface {
	// Position is where the reader with that key is; ErrNotFound where it has
	// not read yet.
	Position(ctx context.Context, key string) (Position, error)
	// Move makes a position the reader's, if its Revision is one more than that
	// of the position there is, and 1 where there is none. It reports whether it
	// is the reader's now: also when it was so already. False means that the
	// reader was moved meanwhile, and stays where it is.
	Move(ctx context.Context, p Position) (bool, error)
}
