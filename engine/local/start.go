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
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// StartRequest says what to run.
type StartRequest struct {
	Program *program.Program
	Bundle  engine.Bundle  // the sources of Program, by its hash
	Inputs  map[string]any // those given; ReadInputs reads them from text
	// MaxChanges is a lower cap on changes for this run alone, which holds
	// however often it is resumed; nil for none. It cannot raise any limit.
	MaxChanges *int64
	Actor      engine.Actor
	Trigger    json.RawMessage // what triggered the run; nil when it was started by hand
}

// Start records a new run and returns its id; Drive carries it out. Before
// anything is recorded it refuses what would not work: inputs that do not fit
// (ErrInputs), parts of the language or limits that cannot be honoured yet
// (ErrUnavailable), and connections that are missing or cannot be opened.
func (e *Engine) Start(ctx context.Context, req StartRequest) (string, error) {
	inputs, err := e.examine(ctx, req)
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	trigger, err := e.config.Redact.JSON(req.Trigger)
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	connections, err := e.fingerprints(ctx, req.Program)
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	now := instant(e.config.Clock.Now())
	id, err := e.ids.run(now)
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	record := engine.RunRecord{
		ID: id, Playbook: req.Program.Name, Hash: req.Program.Hash, Status: engine.RunRunning, Actor: req.Actor,
		Inputs: inputs, Trigger: trigger, Attempt: 1, MaxChanges: req.MaxChanges, Connections: connections,
		Semantics: machine.Semantics, CreatedAt: now,
	}
	if err := e.record(ctx, record, req); err != nil {
		return "", fmt.Errorf("starting %s: %w", req.Program.Name, err)
	}
	return id, nil
}

// record writes the new run with its first event.
func (e *Engine) record(ctx context.Context, record engine.RunRecord, req StartRequest) error {
	started, err := json.Marshal(machine.Start{
		Run: record.ID, Actor: record.Actor, Attempt: record.Attempt, Inputs: record.Inputs, Trigger: record.Trigger,
	})
	if err != nil {
		return fmt.Errorf("encoding how it starts: %w", err)
	}
	e.keep(req.Program)
	d := newDrive(e, record, req.Program)
	d.machine = machine.New(req.Program)
	d.batch.Bundles = []engine.Bundle{req.Bundle}
	d.changed = true
	_, err = d.apply(ctx, []machine.Event{{Kind: machine.Started, Value: machine.Value{Inline: started}}})
	return err
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
		prints[name] = c.Fingerprint
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
