package config

import (
	"math"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Rate is how often and how many times at once a connection's service is
// called, by all runs together. What the service itself asks for (Retry-After)
// holds beside it.
type Rate struct {
	PerSecond   float64 // calls; 0: any number
	Burst       int     // calls at once after a pause; PerSecond rounded up by default, 0 without PerSecond
	Concurrency int     // calls under way at the same time; 0: any number
}

// The greatest numbers of `rate`.
const (
	maxPerSecond   = 10_000
	maxBurst       = 10_000
	maxConcurrency = 1000
)

func (d *decoder) rate(n *yamldoc.Node) *Rate {
	if n == nil || !d.isMap(n, "rate", []string{"per_second", "burst", "concurrency"}) {
		return nil
	}
	out := &Rate{PerSecond: d.perSecond(n.Get("per_second"))}
	out.Burst = int(math.Ceil(out.PerSecond))
	if burst := d.bounded(n.Get("burst"), "burst", maxBurst); burst != nil {
		out.Burst = *burst
	}
	if concurrency := d.bounded(n.Get("concurrency"), "concurrency", maxConcurrency); concurrency != nil {
		out.Concurrency = *concurrency
	}
	switch burst, _ := n.Entry("burst"); {
	case n.Get("per_second") == nil && burst.Key != nil:
		d.report(burst.Key.Errorf("missing", "burst needs per_second: without it there is no rate to exceed"))
	case len(n.Entries()) == 0:
		d.report(n.Errorf("missing", "rate limits nothing").WithHint("write { per_second: 5, concurrency: 4 }, or leave it out"))
	}
	return out
}

func (d *decoder) perSecond(n *yamldoc.Node) float64 {
	v, ok := d.value(n, engine.Field{Type: engine.TypeNumber()}).(float64)
	if inside := v > 0 && v <= maxPerSecond; ok && !inside { // not a number is never inside
		d.report(n.Errorf("range", "per_second must be more than 0 and at most %d", maxPerSecond).WithHint("0.5 is one call in two seconds"))
	}
	return v
}
