package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// ErrBusy means that as many runs of a playbook are under way as its
// `concurrency` lets there be. The error names them.
var ErrBusy = errors.New("enough runs of the playbook are under way")

// errBehind is the ErrBusy of a run that waits for earlier ones of its schedule.
var errBehind = fmt.Errorf("%w: earlier runs of its schedule are not over", ErrBusy)

// underWay are the statuses that take a place in a group.
func underWay() []engine.RunStatus {
	return []engine.RunStatus{engine.RunRunning, engine.RunWaiting, engine.RunInterrupted, engine.RunUnsettled}
}

// admission hands out the places of groups. Who is under way is asked of the
// store each time; places are only what the store does not show yet.
type admission struct {
	mu     sync.Mutex
	places map[string]map[string]int // by group and run: how many hold it
}

// give takes a place for a run. The caller holds mu.
func (a *admission) give(group, run string) (release func()) {
	if a.places == nil {
		a.places = make(map[string]map[string]int)
	}
	if a.places[group] == nil {
		a.places[group] = make(map[string]int)
	}
	a.places[group][run]++
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.places[group][run]--; a.places[group][run] > 0 {
			return
		}
		if delete(a.places[group], run); len(a.places[group]) == 0 {
			delete(a.places, group)
		}
	})
}

// others are the runs of a group beside one of them that have those statuses, or
// are about to be under way: as many as matter. The caller holds admission.mu.
func (e *Engine) others(ctx context.Context, group, run string, most int, statuses []engine.RunStatus) ([]string, error) {
	there, err := e.config.Store.Runs(ctx, engine.RunQuery{Group: group, Statuses: statuses, Limit: most + 1})
	if err != nil {
		return nil, fmt.Errorf("counting the runs under way: %w", err)
	}
	var ids []string
	for i := range there {
		ids = append(ids, there[i].ID)
	}
	for id := range e.admission.places[group] {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == run }), nil
}

// enrol finds a place for a run that is about to be recorded, or lets it queue,
// as its playbook says. release is called when it is recorded.
func (e *Engine) enrol(ctx context.Context, record *engine.RunRecord, p *program.Program) (release func(), err error) {
	c := p.Concurrency
	if c == nil || record.Group == "" {
		return func() {}, nil
	}
	e.admission.mu.Lock()
	defer e.admission.mu.Unlock()
	before, err := e.others(ctx, record.Group, record.ID, c.Max, append(underWay(), engine.RunQueued))
	switch {
	case err != nil:
		return nil, err
	case len(before) >= c.Max && c.Strategy == "skip":
		return nil, busy(record.Group, c.Max, before)
	case len(before) >= c.Max:
		record.Status = engine.RunQueued
		return func() {}, nil
	}
	return e.admission.give(record.Group, record.ID), nil
}

// admit finds a place for a run that is queued and about to be carried out. The
// error wraps ErrBusy where there is none.
func (e *Engine) admit(ctx context.Context, record engine.RunRecord) (release func(), err error) {
	if record.Status != engine.RunQueued {
		return func() {}, nil
	}
	behind, err := e.seriesBusy(ctx, record)
	if err != nil {
		return nil, err
	}
	if behind {
		return nil, fmt.Errorf("%w: %s", errBehind, record.Series)
	}
	if record.Group == "" {
		return func() {}, nil
	}
	prog, err := e.program(ctx, record.Hash)
	if err != nil {
		return nil, err
	}
	if prog.Concurrency == nil {
		return func() {}, nil
	}
	e.admission.mu.Lock()
	defer e.admission.mu.Unlock()
	before, err := e.others(ctx, record.Group, record.ID, prog.Concurrency.Max, underWay())
	if err != nil {
		return nil, err
	}
	if len(before) >= prog.Concurrency.Max {
		return nil, busy(record.Group, prog.Concurrency.Max, before)
	}
	return e.admission.give(record.Group, record.ID), nil
}

func busy(group string, most int, runs []string) error {
	return fmt.Errorf("%w: of %s there may be %d at the same time, and there are %s", ErrBusy, strings.TrimSuffix(group, "/"), most, strings.Join(runs, ", "))
}

// groupOf names what the playbook's `concurrency` counts a run with; "" where it
// has none.
func groupOf(record engine.RunRecord, p *program.Program) (string, error) {
	c := p.Concurrency
	if c == nil {
		return "", nil
	}
	if c.Key == nil {
		return p.Name + "/", nil
	}
	inputs, err := decodedOr(record.Inputs, engine.MapOf(p.Inputs...))
	if err != nil {
		return "", fmt.Errorf("reading the inputs: %w", err)
	}
	trigger, err := decodedOr(record.Trigger, engine.Maybe(program.TriggerType(p.Triggers)))
	if err != nil {
		return "", fmt.Errorf("reading the trigger: %w", err)
	}
	names := map[string]any{"inputs": inputs, "trigger": trigger, "run": map[string]any{"time": record.CreatedAt}}
	key, err := c.Key.Eval(names)
	if err != nil {
		return "", fmt.Errorf("concurrency.key: %w", err)
	}
	if key == nil {
		return "", fmt.Errorf("%w: concurrency.key, `%s`, has no value", ErrInputs, c.Key.Source())
	}
	return fmt.Sprintf("%s/%v", p.Name, key), nil
}

func decodedOr(data json.RawMessage, t engine.Type) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	v, err := engine.DecodeJSON(data, t)
	if err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	return v, nil
}
