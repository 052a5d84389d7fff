package cli

import (
	"context"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// When a serving process forgets what retention lets go.
const (
	firstForgetting = time.Minute
	forgetEvery     = time.Hour
)

// forget lets go what retention does not keep, a minute after the start and
// then every hour, until ctx ends.
func (h *house) forget(ctx context.Context) {
	for pause := firstForgetting; sleep(ctx, pause); pause = forgetEvery {
		h.prune(ctx)
	}
}

// prune does it once. That it failed is known from the log, and it is tried
// again an hour later.
func (h *house) prune(ctx context.Context) {
	limits := h.conf.Retain(h.app.now(), engine.Actor{Name: actor().Name, Via: "serve"})
	pruned, err := h.rt.store.Prune(ctx, limits)
	switch {
	case err != nil && ctx.Err() != nil: // it goes on with the next start
	case err != nil:
		h.app.log.Error("forgetting what retention lets go", "error", err)
	case pruned.Over:
		h.app.log.Warn("the database is larger than retention.max_size, and nothing more may go",
			"size", config.FormatSize(pruned.Bytes), "max_size", config.FormatSize(limits.Bytes), "runs", pruned.Runs)
	default:
		h.app.log.Info("forgot what retention lets go", "runs", pruned.Runs, "plans", pruned.Plans, "values", pruned.Values,
			"freed", config.FormatSize(pruned.Freed), "size", config.FormatSize(pruned.Bytes))
	}
}
