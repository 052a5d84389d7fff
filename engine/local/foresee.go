package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// foresee answers a call while looking ahead: observations are carried out,
// changes previewed, messages listed.
func (d *drive) foresee(ctx context.Context, j *job, call engine.Call, f *facts) *answer {
	d.ahead.mu.Lock()
	d.ahead.calls++
	d.ahead.mu.Unlock()
	switch action := j.wiring.action.(type) {
	case engine.Observer:
		return d.foreseeObservation(ctx, j, f, action, call)
	case engine.Announcer:
		return d.foreseeMessage(j)
	case engine.Changer:
		c := &change{drive: d, job: j, facts: f, action: action, input: call}
		return c.foresee(ctx)
	default:
		return d.failed(j, f, engine.Fail(engine.ClassPermanent, "action", "%s cannot be carried out", call.Action))
	}
}

// foreseeObservation asks now what the run would ask. What is asked after a
// change cannot be known before the change was made.
func (d *drive) foreseeObservation(ctx context.Context, j *job, f *facts, action engine.Observer, call engine.Call) *answer {
	if after := d.changedBefore(j); after != "" {
		return j.unforeseen(after)
	}
	if d.ahead.reuse {
		if a, err := d.recallAnswer(ctx, j); err != nil || a != nil {
			return d.recalled(ctx, j, f, a, err)
		}
	}
	a := d.observe(ctx, j, f, action, call)
	if a.event.Failure == nil && !a.left {
		d.ahead.keep(engine.Answer{
			Owner: d.record.ID, Path: call.Path, Arguments: f.arguments, Population: a.population, At: instant(d.engine.config.Clock.Now()),
		}, a.event.Value.Inline)
	}
	return a
}

// unforeseen is the answer of a call whose outputs are known only later.
func (j *job) unforeseen(after string) *answer {
	ev := j.done(nil, "", nil)
	ev.Unforeseen = after
	return &answer{event: ev}
}

// foreseeMessage lists what would be said.
func (d *drive) foreseeMessage(j *job) *answer {
	c := j.step.Call
	if _, said := d.said[c.Path]; said {
		return j.unforeseen(c.Path)
	}
	inputs, err := d.engine.config.Redact.JSON(c.Inputs)
	if err != nil {
		inputs = nil
	}
	d.ahead.mu.Lock()
	d.ahead.messages = append(d.ahead.messages, engine.PlannedAnnouncement{
		Path: c.Path, Action: c.Action, Connection: connectionNames(j.wiring.connections), Inputs: inputs,
	})
	d.ahead.mu.Unlock()
	if len(j.wiring.outputs.Fields) == 0 {
		return &answer{event: j.done([]byte("{}"), "", nil)}
	}
	return j.unforeseen(c.Path)
}

// foresee previews a change.
func (c *change) foresee(ctx context.Context) *answer {
	call := c.job.step.Call
	if c.drive.ahead.open[call.Path] {
		return c.job.unforeseen(call.Path)
	}
	if done := c.settled(); done != nil {
		return c.carryOver(ctx, *done)
	}
	if line := c.drive.may.line(call); line != nil && line.Error != nil && line.Error.Code == engine.CodeExcluded {
		c.drive.ahead.addLine(*line) // whoever left it out did so for good
		return c.refuse(line.Error)
	}
	if err := c.sight(ctx); err != nil {
		failure := c.drive.failure(ctx, c.job, err)
		if failure == nil {
			return &answer{left: true}
		}
		c.facts.target = &engine.Target{ID: call.Item, Name: call.Item}
		c.list(engine.OutcomeFailed, c.drive.clean(failure))
		return c.drive.failed(c.job, c.facts, failure)
	}
	if refusal := c.drive.rules.Protects(c.seen.subject); refusal != nil {
		c.list(engine.OutcomeRefused, c.drive.clean(refusal))
		c.facts.outcome = engine.OutcomeRefused
		return c.drive.failed(c.job, c.facts, refusal)
	}
	hold, err := c.hold(ctx)
	if err != nil {
		return &answer{fault: err}
	}
	if hold != nil && !c.seen.equal {
		c.list(engine.OutcomeRefused, c.drive.clean(hold))
		return c.refuse(hold)
	}
	c.facts.outcome = engine.OutcomeDone
	if c.seen.equal {
		c.facts.outcome = engine.OutcomeUnchanged
		c.list(engine.OutcomeUnchanged, nil)
	} else {
		c.list("", nil)
		c.remember()
	}
	if c.seen.preview.Outputs == nil && len(c.job.wiring.outputs.Fields) > 0 {
		a := c.job.unforeseen(call.Path)
		a.event.Outcome = c.facts.outcome
		return a
	}
	return c.answer(c.seen.preview.Outputs)
}

// sight reads the target, or takes it from the row that names it, and previews
// the change on top of those previewed before.
func (c *change) sight(ctx context.Context) error {
	subject, seen := c.recognize()
	if !seen {
		var err error
		if subject, err = c.read(ctx); err != nil {
			return err
		}
	}
	a := c.drive.ahead
	a.mu.Lock()
	a.count(subject.Population)
	for _, p := range a.states[targetKey(subject)] {
		if slices.Contains(c.job.step.Call.Earlier, p.step) {
			subject.State = overlaid(subject.State, p.state)
		}
	}
	a.mu.Unlock()
	return c.preview(subject)
}

// recognize finds the target in the element of the loop around the change.
func (c *change) recognize() (engine.Subject, bool) {
	call := c.job.step.Call
	action, able := c.action.(engine.Recognizer)
	if !able || !c.drive.ahead.rows || call.Row == nil {
		return engine.Subject{}, false
	}
	var row map[string]any
	if json.Unmarshal(call.Row, &row) != nil {
		return engine.Subject{}, false
	}
	subject, whole := action.Recognize(c.input, row)
	if !whole || subject.Connection == nil || !slices.Contains(slices.Collect(maps.Values(c.drive.wireNode(call.RowOf).connections)), subject.Connection.Name) {
		return engine.Subject{}, false
	}
	return subject, true
}

// remember is what later previews of the same target begin with. What other
// items and branches do is beside them, and not before.
func (c *change) remember() {
	a := c.drive.ahead
	a.mu.Lock()
	defer a.mu.Unlock()
	key := targetKey(c.seen.subject)
	call := c.job.step.Call
	a.states[key] = append(a.states[key], previewed{machine.NodeRef{Program: call.Program, Node: call.Node}, c.seen.preview.After})
}

func targetKey(s engine.Subject) string { return s.Connection.Name + "\x00" + s.Target.ID }

func overlaid(state, over map[string]any) map[string]any {
	out := make(map[string]any, len(state)+len(over))
	maps.Copy(out, state)
	maps.Copy(out, over)
	return out
}

// list makes the change a line of the set.
func (c *change) list(outcome engine.Outcome, failure *engine.Failure) {
	call, redact := c.job.step.Call, c.drive.engine.config.Redact
	line := engine.PlannedChange{
		Path: call.Path, Item: redact.String(call.Item), Action: call.Action, Connection: c.facts.connection, Target: *c.facts.target,
		Arguments: c.facts.arguments, Before: bytes.Clone(c.facts.before), After: bytes.Clone(c.facts.after),
		Outcome: outcome, Error: failure, Inverse: c.facts.inverse, Why: redact.String(call.Why),
	}
	if call.For > 0 {
		line.For = engine.FormatDuration(call.For)
	}
	if conn := c.seen.subject.Connection; conn != nil {
		line.Fingerprint = redact.String(conn.Print())
	}
	for _, alias := range c.seen.subject.Aliases {
		line.Aliases = append(line.Aliases, redact.String(alias))
	}
	c.drive.ahead.addLine(line)
}

// readAheadItems are the items of a loop: those the run has recorded, and those
// that ended while looking ahead.
func (d *drive) readAheadItems(ctx context.Context, c machine.CollectItems) ([]byte, error) {
	list, err := d.readItems(ctx, c.Path)
	if errors.Is(err, engine.ErrNotFound) { // a plan has no run
		list, err = []byte("[]"), nil
	}
	if err != nil {
		return nil, err
	}
	d.ahead.mu.Lock()
	defer d.ahead.mu.Unlock()
	ended := sortedItems(d.ahead.items[c.Path])
	out := bytes.TrimSuffix(list, []byte("]"))
	for i := range ended {
		data, err := engine.EncodeJSON(itemValue(ended[i]))
		if err != nil {
			return nil, fmt.Errorf("encoding the items of %s: %w", c.Path, err)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, data...)
	}
	return append(out, ']'), nil
}

func sortedItems(items []engine.ItemRecord) []engine.ItemRecord {
	slices.SortFunc(items, func(a, b engine.ItemRecord) int { return a.Index - b.Index })
	return items
}
