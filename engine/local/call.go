package local

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// codeCrash is the code of an action that panicked.
const codeCrash = "crash"

// facts are what only the call knows of a step, for its record.
type facts struct {
	connection string
	arguments  string
	target     *engine.Target
	before     []byte
	after      []byte
	inverse    []byte
	of         string         // the run that really did it
	outcome    engine.Outcome // of a change that was found or made out; "" where it did not come that far
}

// complete fills in a record; nil facts add nothing.
func (f *facts) complete(s engine.StepRecord) engine.StepRecord {
	if f == nil {
		return s
	}
	s.Connection, s.Arguments, s.Target = f.connection, f.arguments, f.target
	s.Before, s.After, s.Inverse, s.Outcome, s.Of = f.before, f.after, f.inverse, f.outcome, f.of
	return s
}

// call carries out one call of an action.
func (d *drive) call(step, calls context.Context, j *job) *answer {
	if j.wiring.failure != nil {
		return d.failed(j, nil, j.wiring.failure)
	}
	call, err := d.prepare(calls, j) // also for a step that was stopped: what became of its change must be found out
	f := &facts{connection: connectionNames(j.wiring.connections), arguments: hash(j.step.Call.Inputs)}
	if err != nil {
		return d.failed(j, f, d.failure(step, j, err))
	}
	if d.ahead != nil {
		ctx, done := d.limited(step, j)
		defer done()
		return d.foresee(ctx, j, call, f)
	}
	switch action := j.wiring.action.(type) {
	case engine.Observer:
		ctx, done := d.limited(step, j)
		defer done()
		if a, err := d.recallAnswer(ctx, j); err != nil || a != nil {
			return d.recalled(ctx, j, f, a, err)
		}
		return d.observe(ctx, j, f, action, call)
	case engine.Announcer:
		if done, said := d.said[call.Path]; said {
			return d.saidBefore(j, f, done)
		}
		ctx, stopped := either(calls, step)
		defer stopped()
		ctx, done := d.limited(ctx, j)
		defer done()
		return d.announce(ctx, j, f, action, call)
	case engine.Changer:
		c := &change{drive: d, job: j, facts: f, action: action, input: call}
		return c.carry(step, calls)
	default:
		return d.failed(j, f, engine.Fail(engine.ClassPermanent, "action", "%s cannot be carried out", call.Action))
	}
}

func (d *drive) observe(ctx context.Context, j *job, f *facts, action engine.Observer, call engine.Call) *answer {
	seen, err := guarded(d, call, func() (engine.Observation, error) { return action.Observe(ctx, call) })
	a := d.conclude(ctx, j, f, seen.Outputs, err)
	a.population = seen.Population
	return a
}

func (d *drive) announce(ctx context.Context, j *job, f *facts, action engine.Announcer, call engine.Call) *answer {
	outputs, err := guarded(d, call, func() (map[string]any, error) { return action.Announce(ctx, call) })
	return d.conclude(ctx, j, f, outputs, err)
}

// recalled is the answer to an observation that was kept. Reading it can be cut
// off, as the observation could have been.
func (d *drive) recalled(ctx context.Context, j *job, f *facts, a *answer, err error) *answer {
	switch {
	case err == nil:
		return a
	case ctx.Err() != nil:
		return d.failed(j, f, d.failure(ctx, j, err))
	default:
		return &answer{fault: err}
	}
}

// saidBefore answers for a message that the run which is retried has sent.
func (d *drive) saidBefore(j *job, f *facts, done engine.StepRecord) *answer {
	f.of = done.Of
	outputs := make(map[string]any, len(j.wiring.outputs.Fields))
	data, failure := d.encodeOutputs(j.wiring, outputs)
	if failure != nil {
		data = []byte("{}")
	}
	return &answer{event: j.done(data, "", nil), facts: f}
}

// conclude is the answer of a call that has returned.
func (d *drive) conclude(ctx context.Context, j *job, f *facts, outputs map[string]any, err error) *answer {
	if err != nil {
		return d.failed(j, f, repeatable(d.failure(ctx, j, err)))
	}
	data, failure := d.encodeOutputs(j.wiring, outputs)
	if failure != nil {
		return d.failed(j, f, failure)
	}
	if len(data) > largeOutput {
		runtime.GC() // what was encoded takes many times that, and would let the heap grow to twice as much
	}
	return &answer{event: j.done(data, "", nil), facts: f}
}

// largeOutput is the size in bytes of encoded outputs from which collecting
// the garbage they leave at once costs less than the memory it holds.
const largeOutput = 1 << 20

// repeatable is the failure of a call that changes nothing: where nobody knows
// whether it was carried out, it may simply be made again.
func repeatable(f *engine.Failure) *engine.Failure {
	if f != nil && f.Class == engine.ClassUnsettled {
		f.Class = engine.ClassTransient
	}
	return f
}

// failed is the answer of a call that failed; nil failure means that the call
// was cut off by the end of the process and is to be made again.
func (d *drive) failed(j *job, f *facts, failure *engine.Failure) *answer {
	if failure == nil {
		return &answer{left: true}
	}
	failure = d.clean(failure)
	if failure.Step == "" {
		failure.Step = j.step.Call.Path
	}
	return &answer{event: j.done(nil, "", failure), facts: f}
}

// prepare makes the call the action gets.
func (d *drive) prepare(ctx context.Context, j *job) (engine.Call, error) {
	c := j.step.Call
	inputs, err := j.wiring.decodeInputs(c.Inputs)
	if err != nil {
		return engine.Call{}, err
	}
	call := engine.Call{
		Run: d.record.ID, Path: c.Path, Attempt: c.Attempt, Action: c.Action, Key: callKey(d.record.ID, c.Path),
		Now: c.At, Inputs: inputs, Connections: make(map[engine.Capability]*engine.Connection, len(j.wiring.connections)),
		Secrets:  &d.engine.safe,
		Playbook: d.record.Playbook, Positions: positions{d.engine.config.Store},
	}
	for capability, name := range j.wiring.connections {
		conn, err := d.engine.config.Connections.Connection(ctx, name)
		if err != nil {
			return engine.Call{}, fmt.Errorf("opening connection %s: %w", name, err)
		}
		call.Connections[capability] = conn
	}
	return call, nil
}

// limited bounds a call by its step's deadline. A call that is made again after
// a restart gets its whole time anew.
func (d *drive) limited(ctx context.Context, j *job) (context.Context, context.CancelFunc) {
	left, bounded := d.timeLeft(j)
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, left, errDeadline)
}

func (d *drive) timeLeft(j *job) (time.Duration, bool) {
	switch {
	case j.step.Deadline.IsZero():
		return 0, false
	case j.renewed:
		return j.wiring.node.Timeout, true
	default:
		return j.step.Deadline.Sub(d.engine.config.Clock.Now()), true
	}
}

// isLate reports whether a call's time is up: it was not stopped for any other
// reason then.
func (d *drive) isLate(j *job) bool {
	return !j.renewed && !j.step.Deadline.IsZero() && !d.engine.config.Clock.Now().Before(j.step.Deadline)
}

// wholeLimit is the longest a call can take: its step's timeout, or for a
// change the engine's.
func (d *drive) wholeLimit(j *job) time.Duration {
	if whole := j.wiring.node.Timeout; whole > 0 {
		return whole
	}
	return d.engine.config.ChangeTimeout
}

// either is a context that ends with the first, or when the second's step is
// stopped: not when the second merely belongs to an interrupted run.
func either(ctx, step context.Context) (context.Context, func()) {
	out, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(step, func() {
		if errors.Is(context.Cause(step), errStopped) {
			cancel(errStopped)
		}
	})
	return out, func() { unhook(); cancel(nil) }
}

// failure classifies an error of a call. It is nil where the call was cut off
// because the process ends.
func (d *drive) failure(ctx context.Context, j *job, err error) *engine.Failure {
	if ctx.Err() == nil {
		return engine.AsFailure(err)
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errDeadline), errors.Is(cause, errStopped) && d.isLate(j):
		return engine.Fail(engine.ClassTimeout, "deadline", "%s took longer than %s", j.step.Call.Action, engine.FormatDuration(d.wholeLimit(j)))
	case errors.Is(cause, errStopped):
		return cancelled()
	default:
		return nil
	}
}

// guarded calls an action and turns a panic into a failure.
func guarded[T any](d *drive, call engine.Call, f func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.engine.config.Log.Error("an action crashed", "action", call.Action, "step", call.Path,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = engine.Fail(engine.ClassPermanent, codeCrash, "%s crashed, which is a mistake in it; the log says where", call.Action)
		}
	}()
	return f()
}

// encodeOutputs checks outputs against their declaration and removes secrets.
func (d *drive) encodeOutputs(p *wiring, outputs map[string]any) ([]byte, *engine.Failure) {
	if outputs == nil {
		outputs = map[string]any{}
	}
	v, err := engine.Conform(outputs, p.outputs)
	if err != nil {
		return nil, engine.Fail(engine.ClassPermanent, "outputs", "%s answered with something else than it declares: %s", p.node.Uses.Action, err)
	}
	return d.encode(v, p.node.Uses.Action)
}

// encode writes a value of an action as it may be stored.
func (d *drive) encode(v any, action string) ([]byte, *engine.Failure) {
	data, err := engine.EncodeJSON(v)
	if err != nil {
		return nil, engine.Fail(engine.ClassPermanent, "outputs", "%s answered with something that cannot be stored: %s", action, err)
	}
	clean, err := d.engine.config.Redact.JSON(data)
	if err != nil {
		return nil, engine.Fail(engine.ClassPermanent, "outputs", "%s answered with something that cannot be stored: %s", action, err)
	}
	return clean, nil
}

// longestMessage is how many bytes of a failure's message are kept.
const longestMessage = 4 << 10

// clean is a failure as it may be stored.
func (d *drive) clean(f *engine.Failure) *engine.Failure {
	c := *f
	c.Message, c.Code = d.engine.config.Redact.String(c.Message), d.engine.config.Redact.String(c.Code)
	if len(c.Message) > longestMessage {
		c.Message = strings.ToValidUTF8(c.Message[:longestMessage], "") + "…"
	}
	c.NotBefore = instant(c.NotBefore)
	return &c
}

func connectionNames(byCapability map[engine.Capability]string) string {
	var names []string
	for _, name := range byCapability {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
