package identity

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// span is a stretch of time: from is in it, to is not.
type span struct{ from, to time.Time }

// lagField declares the input that ends windows a little before now.
func lagField() engine.Field {
	return engine.Field{
		Name: "lag", Type: engine.TypeDuration(), Default: 5 * time.Minute,
		Doc: "How long before now the window ends. Logs arrive late, and what is not there yet would be missed for good by a playbook that runs every half hour.", Example: "5m",
	}
}

// spanInputs are the inputs that spanOf reads.
func spanInputs() []engine.Field {
	return []engine.Field{
		{
			Name: "window", Type: engine.Maybe(engine.TypeDuration()),
			Doc: "How long a stretch of time to read. It ends at `to`, or `lag` before now.", Example: "24h",
		},
		{
			Name: "from", Type: engine.Maybe(engine.TypeTime()),
			Doc: "Where to begin reading, instead of `window`; included.", Example: `"2026-01-05T00:00:00Z"`,
		},
		{
			Name: "to", Type: engine.Maybe(engine.TypeTime()),
			Doc: "Where to stop reading; not included. Never later than `lag` before now.", Example: `"2026-01-06T00:00:00Z"`,
		},
		lagField(),
	}
}

// spanOutputs say what stretch of time was really read.
func spanOutputs() []engine.Field {
	return []engine.Field{
		{Name: "from", Type: engine.TypeTime(), Doc: "Where the window began."},
		{Name: "to", Type: engine.TypeTime(), Doc: "Where the window ended: a later run that begins here misses nothing."},
	}
}

// spanOf is the stretch of time a call asks for. One that is empty, or begins
// before the service's memory does, is an invalid failure. A window as long as
// the memory is allowed: it loses at its beginning what `lag` adds.
func spanOf(call engine.Call, reach time.Duration) (span, error) {
	now := call.Now.UTC()
	lag, _ := call.Inputs["lag"].(time.Duration)
	s := span{to: now.Add(-lag)}
	if to, given := call.Inputs["to"].(time.Time); given && to.Before(s.to) {
		s.to = to
	}
	s.from = spanStart(call, s.to, lag, reach)
	if !s.from.Before(s.to) {
		return span{}, engine.Fail(engine.ClassInvalid, "empty_window", "the window from %s to %s is empty",
			s.from.Format(engine.TimeLayout), s.to.Format(engine.TimeLayout))
	}
	return s, withinReach("sign-ins", now.Sub(s.from), reach)
}

func spanStart(call engine.Call, end time.Time, lag, reach time.Duration) time.Time {
	if from, given := call.Inputs["from"].(time.Time); given {
		return from
	}
	window, _ := call.Inputs["window"].(time.Duration)
	start, memory := end.Add(-window), call.Now.UTC().Add(-reach)
	if missing := memory.Sub(start); missing > 0 && missing <= lag && memory.Before(end) {
		return memory
	}
	return start
}

// withinReach refuses a question about a time the service has forgotten, whose
// answer would be that nobody did anything.
func withinReach(what string, back, reach time.Duration) error {
	if back <= reach {
		return nil
	}
	return engine.Fail(engine.ClassInvalid, "reach", "%s are remembered for %s only, and the step asks %s back",
		what, engine.FormatDuration(reach), engine.FormatDuration(back.Truncate(time.Second)))
}
