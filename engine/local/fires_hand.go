package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// ErrSchedule means that a playbook has no schedule at that place.
var ErrSchedule = errors.New("there is no such schedule")

// PauseSchedule keeps the schedule at a place among a playbook's triggers from
// firing, until ResumeSchedule. Runs under way go on. One that is paused already
// stays as it is. Errors wrap ErrSchedule, or are those of the store.
func (e *Engine) PauseSchedule(ctx context.Context, p Active, place int, by engine.Actor, reason string) (engine.ScheduleState, error) {
	return e.changeSchedule(ctx, p, place, func(state *engine.ScheduleState, now time.Time) *engine.AuditEntry {
		if state.PausedAt != nil {
			return nil
		}
		state.PausedAt, state.PausedBy, state.Reason = &now, e.config.People.Who(by), e.config.Redact.String(reason)
		entry := engine.AuditPause(by, *state)
		return &entry
	})
}

// ResumeSchedule lets a paused schedule fire again. Its fire times since then
// were missed, and its `missed` says what is made up for. One that is not paused
// stays as it is. Errors wrap ErrSchedule, or are those of the store.
func (e *Engine) ResumeSchedule(ctx context.Context, p Active, place int, by engine.Actor) (engine.ScheduleState, error) {
	return e.changeSchedule(ctx, p, place, func(state *engine.ScheduleState, now time.Time) *engine.AuditEntry {
		if state.PausedAt == nil {
			return nil
		}
		entry := engine.AuditUnpause(now, by, *state)
		state.PausedAt, state.PausedBy, state.Reason = nil, "", ""
		return &entry
	})
}

// changeSchedule changes what is remembered of a schedule, while nothing fires.
// change returns nil where nothing is to be changed.
func (e *Engine) changeSchedule(
	ctx context.Context, p Active, place int, change func(*engine.ScheduleState, time.Time) *engine.AuditEntry,
) (engine.ScheduleState, error) {
	if err := scheduled(p, place); err != nil {
		return engine.ScheduleState{}, err
	}
	e.fires.mu.Lock()
	defer e.fires.mu.Unlock()
	states, err := e.schedules(ctx)
	if err != nil {
		return engine.ScheduleState{}, err
	}
	now := engine.StoredTime(e.config.Clock.Now())
	id, spec := Series(p.Program.Name, place), specOf(p.Program.Triggers[place])
	state, known := states[id]
	if !known || state.Spec != spec { // nothing has fired by it yet
		state.ID, state.Playbook, state.Spec, state.LastAt = id, p.Program.Name, spec, now
	}
	entry := change(&state, now)
	if entry == nil {
		return state, nil
	}
	b := engine.Batch{Schedules: []engine.ScheduleState{state}, Audit: []engine.AuditEntry{*entry}}
	if err := e.config.Store.Commit(ctx, b); err != nil {
		return state, fmt.Errorf("recording the schedule %s: %w", id, err)
	}
	return state, nil
}

func scheduled(p Active, place int) error {
	if place < 0 || place >= len(p.Program.Triggers) || p.Program.Triggers[place].Schedule == "" {
		return fmt.Errorf("%w: %s", ErrSchedule, Series(p.Program.Name, place))
	}
	return nil
}

// Trigger records a run as a schedule's, started now and by somebody, whatever
// other runs there are and also where the schedule is paused; Drive carries it
// out. It is none of the schedule's fire times. Errors are those of Start, and
// wrap ErrSchedule.
func (e *Engine) Trigger(ctx context.Context, p Active, place int, by engine.Actor) (string, error) {
	if err := scheduled(p, place); err != nil {
		return "", err
	}
	now := e.config.Clock.Now()
	trigger, err := scheduleTrigger(now)
	if err != nil {
		return "", err
	}
	inputs, err := e.TriggerInputs(p.Program, p.Program.Triggers[place], trigger)
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", p.Program.Name, err)
	}
	series := Series(p.Program.Name, place)
	key, err := e.ids.make("by-hand", instant(now))
	if err != nil {
		return "", err
	}
	run, err := e.Start(ctx, StartRequest{
		Program: p.Program, Bundle: p.Bundle, Source: p.Source, Inputs: inputs, Actor: by, Trigger: trigger, Series: series, Key: series + "@" + key,
	})
	if err != nil {
		return "", err
	}
	record := engine.RunRecord{ID: run, Actor: by, Series: series, CreatedAt: instant(now)}
	if err := e.config.Store.Commit(ctx, engine.Batch{Audit: []engine.AuditEntry{engine.AuditTrigger(record)}}); err != nil {
		return run, fmt.Errorf("recording who triggered %s: %w", run, err)
	}
	return run, nil
}
