package local

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// ErrSignal means that a signal cannot be sent: its run is over, it says too
// little, or another one with its id was sent before.
var ErrSignal = errors.New("the signal cannot be sent")

// Signal makes a signal durable, for the step of its run that waits for it now
// or will. The same one sent again, by its run and id, is one signal. Where
// this Engine carries the run out, or its Serve works, the run hears the signal at
// once; otherwise when it is driven next. Errors wrap ErrSignal and engine.ErrNotFound.
func (e *Engine) Signal(ctx context.Context, s engine.Signal) error {
	if s.ID == "" || s.Name == "" {
		return fmt.Errorf("signalling %s: %w: it needs a name and an id", s.Run, ErrSignal)
	}
	run, err := e.config.Store.Run(ctx, s.Run)
	switch {
	case err != nil:
		return fmt.Errorf("signalling %s: %w", s.Run, err)
	case run.Status.Final():
		return fmt.Errorf("signalling %s: %w: the run is over: %s", s.Run, ErrSignal, run.Status)
	}
	s.ID, s.Name = e.config.Redact.String(s.ID), e.config.Redact.String(s.Name)
	if len(s.Body) == 0 {
		s.Body = []byte("null")
	}
	if s.Body, err = e.config.Redact.JSON(s.Body); err != nil {
		return fmt.Errorf("signalling %s: %w: reading its body: %w", s.Run, ErrSignal, err)
	}
	s.At, s.Taken = instant(e.config.Clock.Now()), 0
	err = e.config.Store.Commit(ctx, engine.Batch{Signals: []engine.Signal{s}, Audit: []engine.AuditEntry{engine.AuditSignal(s)}})
	switch {
	case errors.Is(err, engine.ErrConflict):
		return fmt.Errorf("signalling %s: %w: one with the id %q and another content was sent before", s.Run, ErrSignal, s.ID)
	case err != nil:
		return fmt.Errorf("signalling %s: recording it: %w", s.Run, err)
	}
	e.nudge(s.Run)
	e.poke(s.Run)
	return nil
}

// Awaits are the names of the signals a run waits for, sorted.
func (e *Engine) Awaits(ctx context.Context, run string) ([]string, error) {
	d, err := e.load(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("reading run %s: %w", run, err)
	}
	if d.machine == nil { // it is over
		return nil, nil
	}
	return d.machine.Awaits(), nil
}

// nudge lets the goroutine that carries out a run, if there is one, look for
// signals. One that was not looked at yet says the same.
func (e *Engine) nudge(run string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case e.nudges[run] <- struct{}{}: // nobody hears it where the channel is nil
	default:
	}
}

// nudged is where a run that is being carried out is nudged.
func (e *Engine) nudged(run string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nudges[run]
}

// hearSignals hands the machine the signals that were sent since, in their order.
func (d *drive) hearSignals(ctx context.Context) error {
	sent, err := d.engine.config.Store.Signals(ctx, d.record.ID)
	if err != nil {
		return fmt.Errorf("reading its signals: %w", err)
	}
	for _, s := range sent {
		if slices.ContainsFunc(d.signals, func(heard engine.Signal) bool { return heard.ID == s.ID }) {
			continue
		}
		d.signals = append(d.signals, s)
		d.events = append(d.events, machine.Event{Kind: machine.Signalled, Name: s.Name, Value: machine.Value{Inline: s.Body}})
	}
	return nil
}

// takeSignal marks the signal that an event is about as taken, with the event.
func (d *drive) takeSignal(ev machine.Event) {
	if ev.Kind != machine.Signalled || len(d.signals) == 0 {
		return
	}
	taken := d.signals[0]
	d.signals = d.signals[1:]
	taken.Taken = ev.Seq
	d.batch.Signals = append(d.batch.Signals, taken)
}
