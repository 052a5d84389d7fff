package machine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// sweep lists users and suspends each, or looks at each first.
func sweep(body bool) *program.Program {
	loop := eachCall("contain", "steps.list.users", call("suspend", engine.Change, with("id=user.id")))
	if body {
		loop = each("contain", "steps.list.users", look("found", "id=user.id"), suspend("gone", "id=steps.found.id"))
	}
	loop.Foreach.As, loop.Foreach.Elem, loop.Foreach.Concurrency = "user", userType(), 4
	return playbook(look("list"), keyed("user.id", "user.email ?? user.id", loop))
}

func population(n int) json.RawMessage {
	var b bytes.Buffer
	b.WriteString(`{"users":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"USER%022d","email":"person.number.%d@example.com"}`, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// driver answers every call at once, in the order asked.
type driver struct {
	m        *machine.Machine
	todo     []machine.RunStep
	users    json.RawMessage
	events   int
	snapshot int // the largest
	every    int // events between snapshots; 0: never
}

func (d *driver) apply(tb testing.TB, ev machine.Event) {
	ev.Seq, ev.At = d.m.Seq()+1, epoch()
	commands, err := d.m.Apply(ev)
	if err != nil {
		tb.Fatal(err)
	}
	d.events++
	for _, c := range commands {
		if run, ok := c.(machine.RunStep); ok {
			d.todo = append(d.todo, run)
		}
	}
	if d.every > 0 && d.events%d.every == 0 {
		data := must[[]byte](tb)(d.m.Snapshot())
		d.snapshot = max(d.snapshot, len(data))
	}
}

func (d *driver) start(tb testing.TB, p *program.Program) {
	d.m = machine.New(p)
	d.apply(tb, machine.Event{Kind: machine.Started, Value: machine.Value{Inline: startOf(tb, "")}})
	d.answer(tb)
}

// answer answers the oldest call.
func (d *driver) answer(tb testing.TB) {
	run := d.todo[0]
	d.todo = d.todo[1:]
	out, outcome := json.RawMessage(`{}`), engine.Outcome("")
	switch {
	case run.Call.Path == "list":
		out = d.users
	case run.Call.Effect == engine.Change:
		outcome = engine.OutcomeDone
	default:
		out = json.RawMessage(`{"id":"USER0000000000000000000001","n":1}`)
	}
	d.apply(tb, machine.Event{Kind: machine.StepDone, Frame: run.Frame, Attempt: 1, Value: machine.Value{Inline: out}, Outcome: outcome})
}

// BenchmarkForeach is the cost of one event in a loop over 100,000 items.
func BenchmarkForeach(b *testing.B) {
	users := population(100_000)
	for _, form := range []string{"uses", "steps"} {
		b.Run(form, func(b *testing.B) {
			p := sweep(form == "steps")
			d := &driver{users: users}
			b.ReportAllocs()
			for b.Loop() {
				if len(d.todo) == 0 {
					b.StopTimer()
					d = &driver{users: users}
					d.start(b, p)
					b.StartTimer()
				}
				d.answer(b)
			}
		})
	}
}

// BenchmarkFreeze is the cost of entering a loop, per item of 100,000.
func BenchmarkFreeze(b *testing.B) {
	users, p := population(100_000), sweep(false)
	b.ReportAllocs()
	for b.Loop() {
		d := &driver{users: users}
		d.start(b, p)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/item")
}

// TestForeachStaysFlat runs a loop over many items: neither the snapshot nor
// the memory may grow with those that have ended.
func TestForeachStaysFlat(t *testing.T) {
	const items = 100_000
	d := &driver{users: population(items), every: 997}
	d.start(t, sweep(true))
	before := heap()
	peak := before
	for len(d.todo) > 0 {
		d.answer(t)
		if d.events%50_000 == 0 {
			peak = max(peak, heap())
		}
	}
	result, over := d.m.Done()
	if !over || result.Status != engine.RunSucceeded {
		t.Fatalf("the run ended %v, %s: %v", over, result.Status, result.Failure)
	}
	if d.events < 2*items {
		t.Errorf("%d events for %d items of two steps", d.events, items)
	}
	if d.snapshot == 0 || d.snapshot > 16<<10 {
		t.Errorf("the largest snapshot has %d bytes", d.snapshot)
	}
	if grown := int64(peak) - int64(before); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes over the loop", grown)
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
