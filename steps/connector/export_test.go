package connector

import (
	"context"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// OpenHasty opens a connection that does not wait between attempts.
func OpenHasty(def *connector.Definition, o engine.Opening) (*engine.Connection, error) {
	return open(def, o, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}
