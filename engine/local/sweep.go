package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// sweepPage is how many due grants are read at a time.
const sweepPage = 200

// Swept says what a sweep of the grants has done.
type Swept struct {
	Ended   []engine.Grant // taken back, or nothing was left to take back
	Asked   []engine.Grant // people are asked
	Kept    []engine.Grant
	Failed  []engine.Grant // not taken back yet; tried again
	Held    []engine.Grant // a hold or a freeze keeps them as they are; tried again
	Overdue []engine.Grant // of those that failed, the ones past their time for long
}

// Sweep ends the grants whose time is up: access that was given is taken back,
// whatever became of the run; of access that was taken, people are asked, as
// the grant says. What cannot be done now is tried again by a later sweep, for
// ever. Errors are those of the store and of ctx.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	var out Swept
	q := engine.GrantQuery{
		States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}, DueBy: e.config.Clock.Now(), Limit: sweepPage,
	}
	for {
		due, err := e.config.Store.Grants(ctx, q)
		if err != nil {
			return out, fmt.Errorf("reading the grants that are due: %w", err)
		}
		for _, g := range due {
			if err := e.sweepOne(ctx, g, &out); err != nil {
				return out, err
			}
		}
		if len(due) < q.Limit {
			return out, nil
		}
	}
}

// sweepOne goes on with one grant, alone among all that change its target.
func (e *Engine) sweepOne(ctx context.Context, g engine.Grant, out *Swept) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sweeping the grants: %w", ctx.Err())
	}
	g, release, err := e.alone(ctx, g)
	if err != nil {
		return err
	}
	defer release()
	if g.State.Final() || g.NextTry.After(e.config.Clock.Now()) { // somebody was here meanwhile
		return nil
	}
	switch {
	case g.State == engine.GrantAsking:
		return e.sweepAsked(ctx, g, out)
	case g.AtEnd == "keep":
		return e.keepGrant(ctx, g, "", "its time is up, and it stays as the playbook says", out)
	default:
		return e.takeBack(ctx, g, out)
	}
}

// alone reads a grant again when nobody else can touch its target.
func (e *Engine) alone(ctx context.Context, g engine.Grant) (engine.Grant, func(), error) {
	_, release, err := e.targets.acquire(ctx, g.Connection, g.Target.ID)
	if err != nil {
		return g, nil, fmt.Errorf("ending %s: %w", g.ID, err)
	}
	again, err := e.config.Store.Grant(ctx, g.ID)
	if err != nil {
		release()
		return g, nil, fmt.Errorf("reading the grant %s: %w", g.ID, err)
	}
	return again, release, nil
}

// takeBack reverses the change of a grant, or asks whether to, and records how
// that went. The caller has the target for itself.
func (e *Engine) takeBack(ctx context.Context, g engine.Grant, out *Swept) error {
	v, err := e.reverse(ctx, g)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("sweeping the grants: %w", ctx.Err())
	case err != nil:
		return e.tryAgain(ctx, g, err, out)
	case v.state == engine.GrantAsking:
		return e.askAtEnd(ctx, g, v.aliases, out)
	case v.state == engine.GrantKept:
		return e.keepGrant(ctx, g, "", v.reason, out)
	}
	now := instant(e.config.Clock.Now())
	g.State, g.EndedAt, g.Error = v.state, &now, nil
	if g.Reason == "" {
		g.Reason = v.reason
	}
	out.Ended = append(out.Ended, g)
	return e.keepRecord(ctx, g)
}

// tryAgain records why a grant could not be ended now, and when that is tried next.
func (e *Engine) tryAgain(ctx context.Context, g engine.Grant, err error, out *Swept) error {
	now := instant(e.config.Clock.Now())
	failure := engine.AsFailure(err)
	failure.Message = e.config.Redact.String(failure.Message)
	g.Error = failure
	if failure.Class == engine.ClassRefused { // what keeps it was decided by people, and is no failure
		g.NextTry = now.Add(heldRetry)
		out.Held = append(out.Held, g)
		return e.keepRecord(ctx, g)
	}
	g.Tries++
	g.NextTry = now.Add(pauseAfter(g.Tries))
	out.Failed = append(out.Failed, g)
	if now.Sub(g.EndsAt) >= overdueAfter {
		out.Overdue = append(out.Overdue, g)
	}
	e.config.Log.Warn("a grant could not be ended and is tried again", "grant", g.ID, "target", g.Target.ID, "tries", g.Tries, "error", failure.Message)
	return e.keepRecord(ctx, g)
}

func pauseAfter(tries int) time.Duration {
	pause := firstRetry
	for i := 1; i < tries && pause < lastRetry; i++ {
		pause *= 2
	}
	return min(pause, lastRetry)
}

func (e *Engine) keepGrant(ctx context.Context, g engine.Grant, by, reason string, out *Swept) error {
	now := instant(e.config.Clock.Now())
	g.State, g.EndedAt, g.EndedBy, g.Reason = engine.GrantKept, &now, by, reason
	out.Kept = append(out.Kept, g)
	return e.keepRecord(ctx, g)
}

func (e *Engine) keepRecord(ctx context.Context, g engine.Grant) error {
	if err := e.config.Store.Commit(context.WithoutCancel(ctx), engine.Batch{Grants: []engine.Grant{g}}); err != nil {
		return fmt.Errorf("recording the grant %s: %w", g.ID, err)
	}
	return nil
}

// verdictAtEnd is what becomes of a grant at its end, and why.
type verdictAtEnd struct {
	state   engine.GrantState
	reason  string
	aliases []string // of the target people are to be asked about: who it is must not decide
}

// reverse takes back what a grant gave and reads it back. Where nothing has to
// be taken back, or people are to be asked first, it only says so.
func (e *Engine) reverse(ctx context.Context, g engine.Grant) (verdictAtEnd, error) {
	v, err := e.spared(ctx, g)
	if err != nil || v.state != "" {
		return v, err
	}
	r, err := e.reversal(ctx, g)
	if err != nil {
		return v, err
	}
	before, err := r.readSettled(ctx, g)
	switch {
	case errors.Is(err, &engine.Failure{Class: engine.ClassNotFound}):
		return verdictAtEnd{state: engine.GrantEnded, reason: "its target is gone"}, nil
	case err != nil:
		return v, fmt.Errorf("reading %s: %w", g.Target.ID, err)
	case bytes.Equal(r.state, g.Before) && g.State == engine.GrantArmed:
		return verdictAtEnd{state: engine.GrantVoid, reason: "the change was not made"}, nil
	case bytes.Equal(r.state, g.Before):
		return verdictAtEnd{state: engine.GrantEnded, reason: "it was taken back already"}, nil
	case !bytes.Equal(r.state, g.After):
		return verdictAtEnd{state: engine.GrantEnded, reason: fmt.Sprintf("somebody has changed it since: it was %s and is %s", g.After, r.state)}, nil
	case g.AtEnd == "ask" && g.State != engine.GrantAsking:
		for _, alias := range before.Aliases {
			v.aliases = append(v.aliases, e.config.Redact.String(alias))
		}
		v.state = engine.GrantAsking
		return v, nil
	}
	if err := e.mayReverse(ctx, g, before); err != nil {
		return v, err
	}
	limited, cancel := context.WithTimeout(ctx, e.config.ChangeTimeout)
	defer cancel()
	if _, err := r.action.Perform(limited, r.call, before); err != nil {
		return v, fmt.Errorf("taking back %s of %s: %w", g.Action, g.Target.ID, err)
	}
	return verdictAtEnd{state: engine.GrantEnded, reason: "its time was up"}, r.verify(ctx, g)
}

// spared says why a grant ends without anything being taken back: another one
// lives, or one that lived beside it was kept. Only access that was taken is
// kept by that: containment never lifts itself.
func (e *Engine) spared(ctx context.Context, g engine.Grant) (verdictAtEnd, error) {
	live, err := e.liveGrants(ctx, g.Connection, g.Target.ID, g.After)
	if err != nil {
		return verdictAtEnd{}, err
	}
	for _, other := range live {
		if other.ID != g.ID {
			return verdictAtEnd{state: engine.GrantEnded, reason: fmt.Sprintf("%s still holds it, until %s", other.ID, other.EndsAt.UTC().Format(time.RFC3339))}, nil
		}
	}
	if g.Access == engine.Gives || g.State == engine.GrantAsking {
		return verdictAtEnd{}, nil
	}
	kept, err := e.grantsOn(ctx, g.Connection, g.Target.ID, g.After, engine.GrantKept)
	if err != nil {
		return verdictAtEnd{}, err
	}
	for _, other := range kept {
		if other.EndedAt != nil && other.EndedAt.After(g.CreatedAt) {
			return verdictAtEnd{state: engine.GrantKept, reason: other.ID + ", which lived beside it, was kept"}, nil
		}
	}
	return verdictAtEnd{}, nil
}

// mayReverse refuses what a hold or a freeze keeps as it is. Taking back access
// that was given goes on while changes are frozen.
func (e *Engine) mayReverse(ctx context.Context, g engine.Grant, s engine.Subject) error {
	hold, err := e.held(ctx, g.Connection, append([]string{g.Target.ID, g.Target.Name}, s.Aliases...)...)
	if err != nil {
		return err
	}
	if hold != nil {
		return heldBy(*hold)
	}
	if g.Access == engine.Gives {
		return nil
	}
	freeze, err := e.config.Store.Frozen(ctx)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("asking whether changes are frozen: %w", err)
	default:
		return engine.Fail(engine.ClassRefused, engine.CodeFrozen, "changes are frozen by %s: %s", freeze.By.Name, freeze.Reason)
	}
}

func heldBy(h engine.Hold) *engine.Failure {
	return engine.Fail(engine.ClassRefused, engine.CodeHeld, "%s is held as it is by %s since %s: %s", h.Target, h.By.Name, h.At.UTC().Format(time.RFC3339), h.Reason)
}

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
	made := g.EndsAt.Add(-g.Lasts)
	if g.StartedAt != nil {
		made = *g.StartedAt
	}
	until := made.Add(settleOf(r.call))
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

// sameTarget reports whether a word names the target: its id, or one of its
// names and addresses in any letter case.
func sameTarget(word string, names []string) bool {
	for _, n := range names {
		if n != "" && strings.EqualFold(strings.TrimSpace(word), n) {
			return true
		}
	}
	return false
}
