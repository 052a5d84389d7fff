package local_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// nothing is an action that does nothing.
type nothing struct{}

func (nothing) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name: "bench.nothing", Summary: "Nothing.", Effect: engine.Observe,
		Inputs:  []engine.Field{{Name: "n", Type: engine.TypeInteger(), Required: true}},
		Outputs: []engine.Field{{Name: "n", Type: engine.TypeInteger()}},
	}
}

func (nothing) Observe(_ context.Context, call engine.Call) (engine.Observation, error) {
	return engine.Observation{Outputs: call.Inputs}, nil
}

// numbers is an action that lists numbers.
type numbers struct{ n int }

func (numbers) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name: "bench.numbers", Summary: "Numbers.", Effect: engine.Observe,
		Outputs: []engine.Field{{Name: "list", Type: engine.ListOf(engine.TypeInteger())}},
	}
}

func (a numbers) Observe(context.Context, engine.Call) (engine.Observation, error) {
	list := make([]any, a.n)
	for i := range list {
		list[i] = int64(i)
	}
	return engine.Observation{Outputs: map[string]any{"list": list}}, nil
}

type noConnections struct{}

func (noConnections) Connection(_ context.Context, name string) (*engine.Connection, error) {
	return nil, fmt.Errorf("there is no connection %s", name)
}

func benchEngine(tb testing.TB, actions ...engine.Action) (*local.Engine, func(string) local.StartRequest) {
	tb.Helper()
	store, err := sqlite.Open(tb.TempDir()+"/bench.db", sqlite.Options{Mode: sqlite.Engine, Command: "bench"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	set, err := engine.NewActions(actions...)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := local.New(local.Config{
		Store: store, Actions: set, Connections: noConnections{},
		Programs: func(context.Context, engine.Bundle) (*program.Program, error) { return nil, engine.ErrNotFound },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return e, func(text string) local.StartRequest {
		p, b := compile(tb, map[string]string{"main": text}, set, engine.Catalog{})
		return local.StartRequest{Program: p, Bundle: b}
	}
}

func drive(tb testing.TB, e *local.Engine, req local.StartRequest) {
	tb.Helper()
	run, err := e.Start(context.Background(), req)
	if err != nil {
		tb.Fatal(err)
	}
	record, err := e.Drive(context.Background(), run)
	if err != nil || record.Status != engine.RunSucceeded {
		tb.Fatalf("the run is %s: %v %v", record.Status, record.Error, err)
	}
}

// BenchmarkSteps carries out playbooks of 100 steps on SQLite, durably.
func BenchmarkSteps(b *testing.B) {
	const steps = 100
	text := "name: main\nsteps:\n" + strings.Repeat("  - uses: bench.nothing\n    with: { n: 1 }\n", steps)
	for _, runs := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%d runs", runs), func(b *testing.B) {
			e, request := benchEngine(b, nothing{})
			req := request(text)
			b.ResetTimer()
			for b.Loop() {
				var group errgroup.Group
				for range runs {
					group.Go(func() error { drive(b, e, req); return nil })
				}
				_ = group.Wait()
			}
			b.ReportMetric(float64(b.N*runs*steps)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

// TestLoopMemory carries out loops of growing length: memory stays flat, and
// time grows no faster than the loop.
func TestLoopMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	idle := heap()
	var times []time.Duration
	for _, n := range []int{2_000, 20_000} {
		e, request := benchEngine(t, nothing{}, numbers{n})
		req := request(loop)
		began := time.Now()
		most := watchHeap(func() { drive(t, e, req) })
		times = append(times, time.Since(began))
		t.Logf("%d items: %s, %d MiB above idle", n, time.Since(began), (int64(most)-int64(idle))>>20)
		if most > idle+64<<20 {
			t.Errorf("%d items needed %d MiB", n, (most-idle)>>20)
		}
	}
	if times[1] > 30*times[0] {
		t.Errorf("ten times the items took %s instead of %s", times[1], times[0])
	}
}

const loop = `
name: main
steps:
  - id: all
    uses: bench.numbers
  - id: each
    foreach: steps.all.list
    as: n
    concurrency: 64
    uses: bench.nothing
    with: { n: "${{ n }}" }
`

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// watchHeap is the most heap that was in use while f ran.
func watchHeap(f func()) uint64 {
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapInuse))
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most.Load()
}
