package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// StartRequest says what to run.
type StartRequest struct {
	Program *program.Program
	Bundle  engine.Bundle  // the sources of Program, by its hash
	Source  string         // the file Program was read from, which a plan remembers; "" where there is none
	Inputs  map[string]any // those given; ReadInputs reads them from text
	// MaxChanges is a lower cap on changes for this run alone, which holds
	// however often it is resumed; nil for none. It cannot raise any limit.
	MaxChanges *int64
	Actor      engine.Actor
	Trigger    json.RawMessage   // what triggered the run; nil when it was started by hand
	Key        string            // its idempotency key; "" for none
	Series     string            // the trigger that starts it; "" for none
	Queue      bool              // it is recorded as queued, for Serve to carry out
	Deliveries []engine.Delivery // webhook calls that are taken together with it; their Run is filled in
}

// StartOnce is Start for something that may be asked for more than once: where
// a run with the request's key exists, that one's id is returned, and false.
func (e *Engine) StartOnce(ctx context.Context, req StartRequest) (id string, created bool, err error) {
	id, err = e.Start(ctx, req)
	if req.Key == "" || !errors.Is(err, engine.ErrDuplicate) && !errors.Is(err, ErrBusy) {
		return id, err == nil, err
	}
	there, missing := e.config.Store.RunByKey(ctx, req.Key)
	switch {
	case missing == nil:
		return there.ID, false, nil
	case errors.Is(missing, engine.ErrNotFound): // nothing was started, for want of a place
		return "", false, err
	default:
		return "", false, fmt.Errorf("finding the run with the key %q: %w", req.Key, missing)
	}
}

// Start records a new run and returns its id; Drive carries it out. Before
// anything is recorded it refuses what would not work: inputs that do not fit
// (ErrInputs), parts of the language or limits that cannot be honoured yet
// (ErrUnavailable), and connections that are missing or cannot be opened. Where
// the playbook's `concurrency` has no place for another run, it is recorded as
// queued, or the error wraps ErrBusy, as the playbook says.
func (e *Engine) Start(ctx context.Context, req StartRequest) (string, error) {
	record, err := e.newRecord(ctx, req)
	if err == nil {
		err = e.checkPolicy(req.Program)
	}
	if err == nil {
		err = e.record(ctx, &record, req.Program, beginning{Bundles: []engine.Bundle{req.Bundle}, As: record.Actor, At: record.CreatedAt, Deliveries: req.Deliveries})
	}
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	return record.ID, nil
}

// newRecord is the record of a run that has not begun.
func (e *Engine) newRecord(ctx context.Context, req StartRequest) (engine.RunRecord, error) {
	var none engine.RunRecord
	inputs, err := e.examine(ctx, req)
	if err != nil {
		return none, err
	}
	trigger, err := e.config.Redact.JSON(req.Trigger)
	if err != nil {
		return none, fmt.Errorf("recording the trigger: %w", err)
	}
	connections, err := e.fingerprints(ctx, req.Program)
	if err != nil {
		return none, err
	}
	now := instant(e.config.Clock.Now())
	id, err := e.ids.make("run", now)
	if err != nil {
		return none, err
	}
	e.keep(req.Program)
	status := engine.RunRunning
	if req.Queue {
		status = engine.RunQueued
	}
	record := engine.RunRecord{
		ID: id, Playbook: req.Program.Name, Hash: req.Program.Hash, Status: status, Actor: req.Actor, Key: req.Key, Series: req.Series,
		Inputs: inputs, Trigger: trigger, Attempt: 1, MaxChanges: req.MaxChanges, Connections: connections,
		Starters: e.starters(req.Actor), Semantics: machine.Semantics, CreatedAt: now,
	}
	record.Group, err = groupOf(record, req.Program)
	return record, err
}

// checkPolicy refuses what the configuration does not let a playbook do.
func (e *Engine) checkPolicy(p *program.Program) error {
	through := func(u *program.Uses) ([]string, error) {
		names, err := e.resolve(u)
		return slices.Compact(slices.Sorted(maps.Values(names))), err
	}
	var problems []string
	for _, v := range e.config.Guard.Check(p, through) {
		problems = append(problems, v.Message)
	}
	if len(problems) == 0 {
		return nil
	}
	return engine.Fail(engine.ClassRefused, engine.CodePolicy, "%s", strings.Join(problems, "; "))
}

// starters are the names of actors, each once.
func (e *Engine) starters(actors ...engine.Actor) []string {
	var names []string
	for _, a := range actors {
		names = append(names, e.config.People.Names(a)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// joined are the starters of a run that another goes on with, and its own.
func (e *Engine) joined(older []string, by engine.Actor) []string {
	names := append(slices.Clone(older), e.starters(by)...)
	slices.Sort(names)
	return slices.Compact(names)
}

// beginning is with what a new run is recorded. As and At are who started it and
// when, as its expressions see it.
type beginning struct {
	Bundles    []engine.Bundle
	As         engine.Actor
	At         time.Time
	Deliveries []engine.Delivery
}

// record writes a new run with its first event. One for which there is no place
// is written as queued.
func (e *Engine) record(ctx context.Context, record *engine.RunRecord, prog *program.Program, b beginning) error {
	started, err := startEvent(*record, b.As, b.At)
	if err != nil {
		return err
	}
	release, err := e.enrol(ctx, record, prog)
	if err != nil {
		return err
	}
	defer release()
	d := newDrive(e, *record, prog)
	d.machine = machine.New(prog)
	d.batch.Bundles = b.Bundles
	for _, delivery := range b.Deliveries {
		delivery.Run = record.ID
		d.batch.Deliveries = append(d.batch.Deliveries, delivery)
	}
	d.changed = true
	if d.audited() {
		d.audit(engine.AuditStart(*record))
	}
	if _, err := d.apply(ctx, []machine.Event{started}); err != nil {
		return err
	}
	if record.Status == engine.RunQueued {
		e.poke(record.ID)
	}
	return nil
}

func startEvent(record engine.RunRecord, as engine.Actor, at time.Time) (machine.Event, error) {
	started, err := json.Marshal(machine.Start{
		Run: record.ID, Actor: as, Time: at, Attempt: record.Attempt, Inputs: record.Inputs, Trigger: record.Trigger,
	})
	if err != nil {
		return machine.Event{}, fmt.Errorf("encoding how it starts: %w", err)
	}
	return machine.Event{Kind: machine.Started, Value: machine.Value{Inline: started}}, nil
}

// examine checks everything that can be known to be wrong before the run.
func (e *Engine) examine(ctx context.Context, req StartRequest) (json.RawMessage, error) {
	if req.Bundle.Hash != req.Program.Hash {
		return nil, fmt.Errorf("the sources have the hash %s and the program %s", req.Bundle.Hash, req.Program.Hash)
	}
	if _, err := e.rules(req.Program, nil); err != nil {
		return nil, err
	}
	if err := e.checkCap(req.Program, req.MaxChanges); err != nil {
		return nil, err
	}
	if err := unavailable(req.Program); err != nil {
		return nil, err
	}
	inputs, err := completeInputs(req.Program.Inputs, req.Inputs)
	if err != nil {
		return nil, err
	}
	if err := e.checkConnections(ctx, req.Program); err != nil {
		return nil, err
	}
	return e.encodeInputs(inputs)
}

// rules are the limits for a run of a program, which are also those of all it
// calls. Where nothing can change, no limit is in the way.
func (e *Engine) rules(p *program.Program, lowered *int64) (*guard.Rules, error) {
	if !p.Changes {
		return &guard.Rules{}, nil
	}
	rules, err := guard.NewRules(e.config.Guard, p.Name, p.Guard)
	everyProgram(p, func(called *program.Program) {
		if err == nil && called != p {
			rules, err = rules.Calling(e.config.Guard, called.Name, called.Guard)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("combining the limits: %w", err)
	}
	if lowered != nil {
		rules = rules.Lowered(*lowered)
	}
	return rules, nil
}

// rulesOf are the limits of a run that is there.
func (e *Engine) rulesOf(record engine.RunRecord, p *program.Program) (*guard.Rules, error) {
	rules, err := e.rules(p, record.MaxChanges)
	if err == nil && record.UndoOf != "" && p.Changes {
		rules = rules.ForUndo(record.Lifted != "")
	}
	return rules, err
}

// checkCap refuses a cap for one run that would be higher than what holds
// anyway: whoever asks for it expects more than the run may do.
func (e *Engine) checkCap(p *program.Program, asked *int64) error {
	if asked == nil || !p.Changes {
		return nil
	}
	rules, err := e.rules(p, nil)
	switch {
	case err != nil:
		return err
	case *asked < 0:
		return fmt.Errorf("%w: the run's cap on changes is %d; it cannot be less than 0", guard.ErrSetting, *asked)
	case *asked > rules.MaxChanges():
		return fmt.Errorf("%w: a cap of %d would raise the limit on changes, which is %d", guard.ErrSetting, *asked, rules.MaxChanges())
	}
	return nil
}

func unavailable(root *program.Program) error {
	var problems []error
	everyProgram(root, func(p *program.Program) {
		for _, u := range p.Unavailable {
			problems = append(problems, fmt.Errorf("%s:%d:%d: %s is %w", p.Name, u.Line, u.Column, u.What, ErrUnavailable))
		}
	})
	return errors.Join(problems...)
}

// checkConnections opens every connection some step will need, so that a
// mistake in the configuration shows before the first account is touched.
func (e *Engine) checkConnections(ctx context.Context, root *program.Program) error {
	needed, err := e.needed(root, func(*program.Uses) bool { return true })
	problems := []error{err}
	for _, name := range needed {
		if _, err := e.config.Connections.Connection(ctx, name); err != nil {
			problems = append(problems, fmt.Errorf("opening connection %s: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

// needed names the connections of those calls, sorted.
func (e *Engine) needed(root *program.Program, which func(*program.Uses) bool) ([]string, error) {
	var problems []error
	needed := make(map[string]bool)
	everyProgram(root, func(p *program.Program) {
		for _, n := range p.Nodes {
			if n.Uses == nil || !which(n.Uses) {
				continue
			}
			names, err := e.resolve(n.Uses)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: %w", p.Name, n.Line, err))
			}
			for _, name := range names {
				needed[name] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(needed)), errors.Join(problems...)
}

// fingerprints says where the connections lead that something may be changed
// through.
func (e *Engine) fingerprints(ctx context.Context, root *program.Program) (json.RawMessage, error) {
	names, err := e.needed(root, func(u *program.Uses) bool { return u.Effect == engine.Change })
	if err != nil {
		return nil, err
	}
	prints := make(map[string]any, len(names))
	for _, name := range names {
		c, err := e.config.Connections.Connection(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("opening connection %s: %w", name, err)
		}
		prints[name] = c.Print()
	}
	data, err := engine.EncodeJSON(prints)
	if err != nil {
		return nil, fmt.Errorf("recording the connections: %w", err)
	}
	return e.config.Redact.JSON(data)
}

// checkMoved refuses to go on where a connection leads somewhere else than
// when the run was started: what it has begun there is not known here, and
// whom it names may be somebody else.
func (e *Engine) checkMoved(ctx context.Context, record engine.RunRecord, root *program.Program) error {
	now, err := e.fingerprints(ctx, root)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, record.Connections) {
		return fmt.Errorf("%w: it was started with %s, and the configuration now has %s; put the connections back, or start a new run",
			ErrMoved, record.Connections, now)
	}
	return nil
}

// resolve names the connection for each capability a step's action needs.
func (e *Engine) resolve(uses *program.Uses) (map[engine.Capability]string, error) {
	action, known := e.config.Actions.Named(uses.Action)
	if !known {
		return nil, engine.Fail(engine.ClassInvalid, "action", "there is no action %s", uses.Action)
	}
	names, err := e.config.Catalog.Resolve(action.Spec().Needs, uses.Connection)
	if err != nil {
		return nil, engine.Fail(engine.ClassInvalid, "connection", "%s: %s", uses.Action, err)
	}
	return names, nil
}
