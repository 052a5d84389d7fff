package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// recordPage is how many step records are read at a time.
const recordPage = 2000

// load puts a run together as its store knows it: the last snapshot, the
// events since, and what its changes have done or may have done.
func (e *Engine) load(ctx context.Context, run string) (*drive, error) {
	record, err := e.config.Store.Run(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if record.Status.Final() {
		return &drive{record: record}, nil
	}
	if record.Semantics != machine.Semantics {
		return nil, fmt.Errorf("%w: it needs semantics %d and this one has %d", ErrVersion, record.Semantics, machine.Semantics)
	}
	prog, err := e.program(ctx, record.Hash)
	if err != nil {
		return nil, err
	}
	if err := e.checkMoved(ctx, record, prog); err != nil {
		return nil, err
	}
	d := newDrive(e, record, prog)
	if d.rules, err = e.rulesOf(record, prog); err != nil {
		return nil, err
	}
	d.ledger = guard.NewLedger(d.rules)
	if prog.Changes {
		if err := d.recall(ctx); err != nil {
			return nil, err
		}
	}
	if err := d.restore(ctx); err != nil {
		return nil, err
	}
	err = d.recallWhatMayBeDone(ctx)
	return d, err
}

// recallWhatMayBeDone reads what was foreseen, asked and answered.
func (d *drive) recallWhatMayBeDone(ctx context.Context) error {
	if err := d.recallApprovals(ctx); err != nil {
		return err
	}
	if !d.programs[d.record.Hash].Changes {
		return d.recallSettled(ctx)
	}
	if d.record.ChangeSet != "" {
		set, err := d.engine.changeSet(ctx, d.record.ChangeSet)
		if err != nil {
			return err
		}
		d.may = newLicense(set, d.record.Strict, d.record.Plan != "")
	}
	for _, a := range d.approvals {
		if a.Kind == engine.ApprovalGuard && a.Status == engine.ApprovalApproved {
			set, err := d.engine.changeSet(ctx, a.Set)
			if err != nil {
				return err
			}
			d.ledger.Allow(set.Without(a.Excluded))
		}
	}
	if err := d.recallAnswers(ctx); err != nil {
		return err
	}
	return d.recallSettled(ctx)
}

// recall reads what the run's changes have done: the ledger counts them, and
// those without a result have to be settled.
func (d *drive) recall(ctx context.Context) error {
	q := engine.StepQuery{Run: d.record.ID, Effects: []engine.Effect{engine.Change}, Limit: recordPage}
	for {
		page, err := d.engine.config.Store.Steps(ctx, q)
		if err != nil {
			return fmt.Errorf("reading its changes: %w", err)
		}
		d.ledger.Recall(page...)
		for _, s := range page {
			d.recallOne(s)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After += len(page)
	}
}

func (d *drive) recallOne(s engine.StepRecord) {
	switch {
	case s.Target == nil:
	case s.Status == engine.StepStarted:
		d.intents[attempt{s.Path, s.Attempt}] = s
	case s.Outcome == engine.OutcomeFailed && s.Error != nil && s.Error.Uncertain():
		d.uncertain[s.Path] = s
	}
}

// restore brings the machine to where the run stands. What it asked for on the
// way has been recorded then; what is still open it is asked for again.
func (d *drive) restore(ctx context.Context) error {
	if err := d.restoreSnapshot(ctx); err != nil {
		return err
	}
	events, err := d.engine.config.Store.Events(ctx, d.record.ID, d.kept)
	if err != nil {
		return fmt.Errorf("reading its journal: %w", err)
	}
	for _, stored := range events {
		ev, err := d.decodeEvent(ctx, stored)
		if err != nil {
			return fmt.Errorf("reading event %d of its journal: %w", stored.Seq, err)
		}
		if _, err := d.machine.Apply(ev); err != nil {
			return fmt.Errorf("replaying its journal: %w", err)
		}
	}
	d.last = d.machine.View().Now
	return nil
}

func (d *drive) restoreSnapshot(ctx context.Context) error {
	prog := d.programs[d.record.Hash]
	snapshot, err := d.engine.config.Store.Snapshot(ctx, d.record.ID)
	if errors.Is(err, engine.ErrNotFound) {
		d.machine = machine.New(prog)
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading its snapshot: %w", err)
	}
	lookup := func(ref engine.Reference) ([]byte, error) { return d.engine.config.Store.Value(ctx, ref) }
	if d.machine, err = machine.Restore(prog, snapshot.Data, lookup); err != nil {
		return fmt.Errorf("restoring its snapshot: %w", err)
	}
	d.kept = snapshot.Seq
	return nil
}

// decodeEvent puts back the value that was stored beside the event.
func (d *drive) decodeEvent(ctx context.Context, stored engine.Event) (machine.Event, error) {
	var ev machine.Event
	if err := json.Unmarshal(stored.Data, &ev); err != nil {
		return ev, fmt.Errorf("decoding: %w", err)
	}
	if ev.Value.Ref == "" || ev.Value.Inline != nil {
		return ev, nil
	}
	data, err := d.engine.config.Store.Value(ctx, ev.Value.Ref)
	if err != nil {
		return ev, fmt.Errorf("reading its value: %w", err)
	}
	ev.Value.Inline = data
	return ev, nil
}
