package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

const (
	parkedMemoryBound = 200 << 20 // bytes, at the peak
	lateBound         = time.Second
	parkers           = 64 // runs that are parked at the same time
)

const parkedPlaybook = `inputs:
  until: { type: time }
steps:
  - wait: { until: "${{ inputs.until }}" }
  - set: { woken: true }
`

// lead is how long it takes at most to park the runs that are due soon, twice.
func lead(due int) time.Duration { return 3*time.Second + time.Duration(due)*12*time.Millisecond }

// park is a process that parks n runs until tomorrow, and some until a moment
// soon, which it writes down.
func park(ctx context.Context, n, due int, dir string) (err error) {
	b, err := newBed(dir, parkedPlaybook, func(c *local.Config) { c.Patience = time.Nanosecond }) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	if err := b.parkAll(ctx, n-due, time.Now().Add(24*time.Hour)); err != nil {
		return err
	}
	at := time.Now().Add(lead(due)).Truncate(time.Second)
	if err := b.parkAll(ctx, due, at); err != nil {
		return err
	}
	if time.Until(at) < lead(due)/2 {
		return errors.New("parking took so long that the moment is near or past")
	}
	return writeJSON(filepath.Join(dir, "due.json"), at)
}

func (b *bed) parkAll(ctx context.Context, n int, until time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i := range parkers {
		all.Go(func() {
			for n := n/parkers + min(1, max(0, n%parkers-i)); n > 0 && ctx.Err() == nil; n-- {
				if err := b.parkOne(ctx, until); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (b *bed) parkOne(ctx context.Context, until time.Time) error {
	id, err := b.engine.Start(ctx, local.StartRequest{
		Program: b.program, Bundle: b.bundle, Inputs: map[string]any{"until": until}, Actor: engine.Actor{Name: "bench"},
	})
	if err != nil {
		return err
	}
	record, err := b.engine.Drive(ctx, id)
	if err == nil && record.Status != engine.RunWaiting {
		err = fmt.Errorf("the run is %s, and should wait", record.Status)
	}
	return err
}

// serveParked is a process that serves until the runs that are due have ended,
// and writes down how late each was woken.
func serveParked(ctx context.Context, due int, dir string) (err error) {
	var at time.Time
	if err := readJSON(filepath.Join(dir, "due.json"), &at); err != nil {
		return err
	}
	w := &wakings{woken: map[string]time.Time{}, want: due, all: make(chan struct{})}
	b, err := newBed(dir, parkedPlaybook, func(c *local.Config) { c.Watch = w.watch }) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, time.Until(at)+time.Minute)
	defer cancel()
	go func() {
		select {
		case <-w.all:
		case <-ctx.Done():
		}
		cancel()
	}()
	if err := b.engine.Serve(ctx, local.Serving{}); err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	late := w.late(at)
	if len(late) != due || w.ended != due {
		return fmt.Errorf("%d runs were due, %d were woken and %d ended", due, len(late), w.ended)
	}
	return writeJSON(filepath.Join(dir, "late.json"), late)
}

// wakings notes when each run first went on.
type wakings struct {
	mu    sync.Mutex
	woken map[string]time.Time
	ended int
	want  int
	all   chan struct{} // closed when so many have ended
}

func (w *wakings) watch(p local.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, seen := w.woken[p.Run.ID]; !seen {
		w.woken[p.Run.ID] = time.Now()
	}
	if p.Run.Status.Final() {
		if w.ended++; w.ended == w.want {
			close(w.all)
		}
	}
}

// late is how late they were woken, in order.
func (w *wakings) late(at time.Time) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []time.Duration
	for _, t := range w.woken {
		out = append(out, t.Sub(at))
	}
	slices.Sort(out)
	return out
}

// measureParked parks runs in one process, and serves them in another, whose
// memory counts.
func measureParked(ctx context.Context, t *table, s sizes, dir, _ string) error {
	here, err := os.MkdirTemp(dir, "parked-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	parking, err := itself(ctx, here, nil, childPark, strconv.Itoa(s.parked), strconv.Itoa(s.due), here)
	if err != nil {
		return fmt.Errorf("parking %d runs: %w", s.parked, err)
	}
	serving, err := itself(ctx, here, nil, childParked, strconv.Itoa(s.due), here)
	if err != nil {
		return fmt.Errorf("serving %d parked runs: %w", s.parked, err)
	}
	var late []time.Duration
	if err := readJSON(filepath.Join(here, "late.json"), &late); err != nil {
		return err
	}
	t.add(row{
		what: fmt.Sprintf("%d parked runs, served, memory", s.parked), here: mebibytes(serving.memory), floor: mebibytes(parking.memory),
		bound: "≤ " + mebibytes(parkedMemoryBound), missed: serving.memory > parkedMemoryBound,
	})
	slowest := late[len(late)-1]
	t.add(row{
		what: fmt.Sprintf("  the last of %d due at once is woken after", s.due), here: seconds(slowest), floor: seconds(late[len(late)/2]),
		ratio: "median", bound: "≤ " + seconds(lateBound), missed: slowest > lateBound,
	})
	return nil
}

func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil { //nolint:gosec // the path is the benchmark's own
		return fmt.Errorf("writing down what was measured: %w", err)
	}
	return nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path) //nolint:gosec // the same
	if err != nil {
		return fmt.Errorf("reading what was measured: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
