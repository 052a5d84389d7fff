package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// reversal is the inverse of a grant's change, ready to be called.
type reversal struct {
	engine *Engine
	action engine.Changer
	call   engine.Call
	target string
	state  []byte // as it was last read
}

func (e *Engine) reversal(ctx context.Context, g engine.Grant) (*reversal, error) {
	var inverse engine.Invocation
	if err := json.Unmarshal(g.Inverse, &inverse); err != nil {
		return nil, fmt.Errorf("reading how to take it back: %w", err)
	}
	action, known := e.config.Actions.Named(inverse.Action)
	changer, able := action.(engine.Changer)
	if !known || !able {
		return nil, engine.Fail(engine.ClassInvalid, "action", "there is no action %s to take it back with", inverse.Action)
	}
	conn, err := e.config.Connections.Connection(ctx, g.Connection)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", g.Connection, err)
	}
	if e.config.Redact.String(conn.Fingerprint) != g.Fingerprint {
		return nil, engine.Fail(engine.ClassInvalid, "connection", "the connection %s leads somewhere else than when access was given; put it back", g.Connection)
	}
	spec := changer.Spec()
	inputs, err := typedInputs(spec, inverse.Inputs)
	if err != nil {
		return nil, err
	}
	r := &reversal{engine: e, action: changer, target: g.Target.ID, call: engine.Call{
		Run: g.Run, Path: g.Path + "/end", Attempt: g.Tries + 1, Action: spec.Name, Key: callKey(g.Run, g.Path+"/end"),
		Now: instant(e.config.Clock.Now()), Inputs: inputs, Connections: make(map[engine.Capability]*engine.Connection, len(spec.Needs)),
	}}
	for _, need := range spec.Needs {
		r.call.Connections[need] = conn
	}
	return r, nil
}

// typedInputs reads the stored inputs of an inverse by their declaration.
func typedInputs(spec engine.ActionSpec, inputs map[string]any) (map[string]any, error) {
	data, err := engine.EncodeJSON(inputs)
	if err != nil {
		return nil, fmt.Errorf("reading the inputs of %s: %w", spec.Name, err)
	}
	w := &wiring{inputs: optionally(spec.Inputs)}
	v, err := engine.DecodeJSON(data, w.inputs)
	if err != nil {
		return nil, fmt.Errorf("reading the inputs of %s: %w", spec.Name, err)
	}
	typed, _ := v.(map[string]any)
	for name, v := range typed {
		if v == nil {
			delete(typed, name)
		}
	}
	return typed, nil
}

// read observes the target and notes its state.
func (r *reversal) read(ctx context.Context) (engine.Subject, error) {
	limited, cancel := context.WithTimeout(ctx, r.engine.config.ChangeTimeout)
	defer cancel()
	subject, err := r.action.Read(limited, r.call)
	if err != nil {
		return subject, err
	}
	if subject.Target.ID != r.target {
		return subject, engine.Fail(engine.ClassPermanent, "target", "reading %s found another target, %s", r.target, subject.Target.ID)
	}
	state, err := engine.EncodeJSON(subject.State)
	if err != nil {
		return subject, fmt.Errorf("encoding its state: %w", err)
	}
	r.state, err = r.engine.config.Redact.JSON(state)
	return subject, err
}

// readSettled observes the target. That the change does not show is believed
// only when reads cannot lag behind it any more.
func (r *reversal) readSettled(ctx context.Context, g engine.Grant) (engine.Subject, error) {
	clock := r.engine.config.Clock
	until := begun(g).Add(settleOf(r.call))
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		subject, err := r.read(ctx)
		left := until.Sub(clock.Now())
		if err != nil || bytes.Equal(r.state, g.After) || left <= 0 {
			return subject, err
		}
		if err := r.pause(ctx, min(wait, left)); err != nil {
			return subject, err
		}
	}
}

func (r *reversal) pause(ctx context.Context, d time.Duration) error {
	timer, stop := r.engine.config.Clock.Timer(d)
	defer stop()
	select {
	case <-timer:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("reading back %s: %w", r.target, ctx.Err())
	}
}

// verify reads the target until it shows that the change was taken back, for as
// long as reads of the connection may lag.
func (r *reversal) verify(ctx context.Context, g engine.Grant) error {
	clock := r.engine.config.Clock
	until := clock.Now().Add(settleOf(r.call))
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		if _, err := r.read(ctx); err != nil {
			return fmt.Errorf("reading back %s: %w", g.Target.ID, err)
		}
		left := until.Sub(clock.Now())
		switch {
		case !bytes.Equal(r.state, g.After):
			return nil
		case left <= 0:
			return engine.Fail(engine.ClassTransient, "unverified", "%s still shows %s after it was taken back", g.Target.ID, g.After)
		}
		if err := r.pause(ctx, min(wait, left)); err != nil {
			return err
		}
	}
}

// settleOf is how long reads of a call's connection may lag.
func settleOf(call engine.Call) time.Duration {
	for _, conn := range call.Connections {
		if conn.Settle != nil {
			return *conn.Settle
		}
	}
	return engine.DefaultSettle
}
