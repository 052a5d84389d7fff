package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// gatePath is the path of approvals that are about the run as a whole.
const gatePath = ""

// gateTimeout is how long a blocked run waits for somebody to let it through,
// where the policy says nothing else.
const gateTimeout = 24 * time.Hour

// begin settles, before the first change, what the run may do: it looks ahead,
// the guard judges what it saw, and people are asked where that is wanted. The
// bool is whether the run goes on now.
func (d *drive) begin(ctx context.Context) (bool, error) {
	if !d.programs[d.record.Hash].Changes || d.machine.Seq() > 1 || ending(d.events) {
		return true, nil
	}
	if gate := d.approvals[gatePath]; gate != nil {
		return d.passGate(ctx, gate)
	}
	if d.may == nil {
		o, err := d.lookAhead(ctx, glance{reuse: d.record.RetryOf != ""})
		if errors.Is(err, errAsked) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		// Where an approval is mandatory, what nobody has foreseen was asked of nobody.
		if err := d.license(ctx, o, d.engine.config.Guard.Approval(d.record.Playbook) != nil); err != nil {
			return false, err
		}
	}
	return d.clear(ctx, d.may.set)
}

// clear lets a change set through, stops the run, or asks people.
func (d *drive) clear(ctx context.Context, set engine.ChangeSet) (bool, error) {
	refusal, err := d.judge(ctx, set)
	if err != nil {
		return false, err
	}
	policy := d.engine.config.Guard.Approval(d.record.Playbook)
	pending := len(set.Pending()) > 0 || !set.Complete && set.Failure == nil
	switch {
	case refusal != nil && (!d.rules.Asks() || !overridable(refusal)):
		d.halt(refusal)
		return true, nil
	case refusal != nil:
		return d.openGate(ctx, set, engine.ApprovalGuard, "Let it through? "+refusal.Message)
	case pending && policy != nil:
		return d.openGate(ctx, set, engine.ApprovalPolicy, fmt.Sprintf("Let %s change %d targets?", d.record.Playbook, len(set.Pending())))
	default:
		return true, nil
	}
}

// overridable reports whether people may let a run through that was refused so.
func overridable(f *engine.Failure) bool { return f.Code != engine.CodeFrozen }

// judge asks the guard about a whole change set, and whether changes are frozen.
func (d *drive) judge(ctx context.Context, set engine.ChangeSet) (*engine.Failure, error) {
	pending := set.Pending()
	if len(pending) == 0 {
		return nil, nil
	}
	if refusal, err := d.frozen(ctx); err != nil || refusal != nil && !d.onlyTakesBack(pending) {
		return refusal, err
	}
	spent, err := d.spent(ctx, pending)
	if err != nil {
		return nil, err
	}
	return d.ledger.Judge(set, spent), nil
}

// spent is what all runs have changed of late through the connections of a
// change set, where a budget counts it.
func (d *drive) spent(ctx context.Context, pending []engine.PlannedChange) (map[string]int64, error) {
	budget := d.rules.Budget()
	if budget == nil {
		return nil, nil
	}
	since := d.engine.config.Clock.Now().Add(-budget.Per)
	spent := make(map[string]int64)
	for _, c := range pending {
		if _, asked := spent[c.Connection]; asked {
			continue
		}
		n, err := d.engine.config.Store.Spent(ctx, c.Connection, since)
		if err != nil {
			return nil, fmt.Errorf("reading the budget of %s: %w", c.Connection, err)
		}
		spent[c.Connection] = n
	}
	return spent, nil
}

// frozen is the refusal of every change while changes are frozen.
func (d *drive) frozen(ctx context.Context) (*engine.Failure, error) {
	freeze, err := d.engine.config.Store.Frozen(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking whether changes are frozen: %w", err)
	}
	return engine.Fail(engine.ClassRefused, engine.CodeFrozen, "changes are frozen since %s by %s: %s",
		freeze.At.UTC().Format(time.RFC3339), freeze.By.Name, freeze.Reason), nil
}

// onlyTakesBack reports an undo that takes back access that was given: no
// freeze stops that.
func (d *drive) onlyTakesBack(pending []engine.PlannedChange) bool {
	for _, c := range pending {
		if !d.takesBack(c.Action) {
			return false
		}
	}
	return true
}

// takesBack reports whether an action of an undo takes back access that was given.
func (d *drive) takesBack(action string) bool {
	a, known := d.engine.config.Actions.Named(action)
	return known && d.record.UndoOf != "" && a.Spec().Access == engine.Takes
}

// halt stops the run before anything of it was begun, or from where it stands.
func (d *drive) halt(refusal *engine.Failure) {
	d.events = append(d.events, machine.Event{Kind: machine.Halted, Failure: d.clean(refusal)})
}

// license makes a change set, with the observations behind it, what the run may
// do from now on. It is durable when license returns.
func (d *drive) license(ctx context.Context, o *outlook, strict bool) error {
	set := o.set
	if d.may != nil {
		made, err := d.made(ctx)
		if err != nil {
			return err
		}
		set, strict = merged(d.may.set, set, made), strict || d.may.strict
	}
	value, err := encodeSet(set)
	if err != nil {
		return err
	}
	for _, v := range o.values {
		d.addValue(v)
	}
	d.addValue(value)
	d.batch.Answers = append(d.batch.Answers, o.answers...)
	d.learn(o.answers)
	d.may = newLicense(set, strict, d.record.Plan != "")
	d.record.ChangeSet, d.record.Strict, d.changed = value.Ref, strict, true
	_, err = d.apply(context.WithoutCancel(ctx), nil)
	return err
}

// made are the paths of the changes the run has made, or tried.
func (d *drive) made(ctx context.Context) (map[string]bool, error) {
	paths := make(map[string]bool)
	q := engine.StepQuery{Run: d.record.ID, Effects: []engine.Effect{engine.Change}, Limit: recordPage}
	for {
		page, err := d.engine.config.Store.Steps(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading its changes: %w", err)
		}
		for i := range page {
			paths[page[i].Path] = true
		}
		if len(page) < q.Limit {
			return paths, nil
		}
		q.After += len(page)
	}
}

// licensed reports whether a job may be begun: a change must have been
// foreseen, and the run must not have been stopped, unless it is one that an
// earlier drive may have made already.
func (d *drive) licensed(j *job) bool {
	_, settled := d.settled[inquiry{j.step.Call.Path, hash(j.step.Call.Inputs)}] // only its answer is carried over
	if j.collect != nil || j.step.Call.Effect != engine.Change || j.intent != nil || settled {
		return true
	}
	return d.may.line(j.step.Call) != nil && d.machine.Halted() == nil
}

// hold keeps a change back that nobody has foreseen. Where what may be done was
// planned or approved, or the run was stopped, it is refused instead.
func (d *drive) hold(j *job) {
	switch halted := d.machine.Halted(); {
	case halted != nil:
		d.refuse(j, halted)
	case d.may != nil && d.may.strict:
		d.refuse(j, outside(j.step.Call))
	default:
		d.held = append(d.held, j)
	}
}

// refuse answers for a change that is not even begun.
func (d *drive) refuse(j *job, refusal *engine.Failure) {
	a := d.failed(j, &facts{
		connection: connectionNames(j.wiring.connections), arguments: hash(j.step.Call.Inputs), outcome: engine.OutcomeRefused,
	}, refusal)
	a.job = j
	d.take(a)
}

// ending reports whether a person has asked the run to end.
func ending(events []machine.Event) bool {
	return slices.ContainsFunc(events, func(ev machine.Event) bool { return ev.Kind == machine.CancelRequested })
}

// thinking reports whether the run stands still until it has looked ahead again.
func (d *drive) thinking() bool {
	return len(d.ready) == 0 && len(d.flights) == 0 && (len(d.held) > 0 || len(d.asking) > 0)
}

// reconsider looks ahead from where the run stands: for changes that nobody has
// foreseen, and for questions to people.
func (d *drive) reconsider(ctx context.Context) error {
	o, err := d.lookAhead(ctx, glance{reuse: len(d.held) == 0 || d.record.Plan != ""})
	if errors.Is(err, errAsked) {
		return nil
	}
	if err != nil {
		return err
	}
	questions := d.asking
	d.asking = nil
	refusal, err := d.judge(ctx, o.set)
	if err != nil {
		return err
	}
	if refusal != nil {
		d.refuseHeld(refusal)
		d.halt(refusal)
		return nil
	}
	if len(questions) > 0 {
		return d.request(ctx, o, questions)
	}
	if err := d.license(ctx, o, false); err != nil {
		return err
	}
	held := d.held
	d.held = nil
	for _, j := range held {
		if d.licensed(j) {
			d.ready = append(d.ready, j)
			continue
		}
		d.refuse(j, outside(j.step.Call))
	}
	return nil
}

// refuseHeld answers for the changes that were kept back.
func (d *drive) refuseHeld(refusal *engine.Failure) {
	held := d.held
	d.held = nil
	for _, j := range held {
		d.refuse(j, refusal)
	}
}
