package onepasswordconnect

import (
	"context"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// OpenHasty opens a connection that does not wait between attempts.
func OpenHasty(o engine.Opening) (*engine.Connection, error) {
	return open(o, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}
