package machine_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// maxEvents is more than any random run can need.
const maxEvents = 20_000

// TestRandomRuns drives random programs through random worlds and checks what
// must hold of every run, after every event.
func TestRandomRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, g := randomProgram(t)
		w := &world{t: t, at: epoch()}
		r := &run{t: t, prog: p, plain: machine.New(p), restored: machine.New(p), judge: newJudge(t, g)}
		r.apply(w, machine.Event{Seq: 1, At: w.at, Kind: machine.Started, Value: machine.Value{Inline: startInputs()}})
		for range maxEvents {
			if _, over := r.plain.Done(); over {
				r.judge.end(r.plain, w)
				r.again()
				return
			}
			w.calm = r.plain.Seq() > 200
			ev, ok := w.next(r.plain)
			if !ok {
				t.Fatalf("nothing is left to do, and the run is not over:\n%s", r.snapshot(r.plain))
			}
			r.apply(w, ev)
		}
		t.Fatalf("the run did not end within %d events", maxEvents)
	})
}

func startInputs() []byte { return []byte(`{"run":"run_1","attempt":1,"inputs":{}}`) }

// run is a run carried out twice at once: by one machine, and by one that is
// restored from its snapshot after every event.
type run struct {
	t        *rapid.T
	prog     *program.Program
	plain    *machine.Machine
	restored *machine.Machine
	judge    *judge
	events   []machine.Event
	commands [][]machine.Command
}

func (r *run) apply(w *world, ev machine.Event) {
	commands, err := r.plain.Apply(ev)
	same, err2 := r.restored.Apply(ev)
	if err := errors.Join(err, err2); err != nil {
		r.t.Fatalf("applying %+v: %v", ev, err)
	}
	if !reflect.DeepEqual(commands, same) {
		r.t.Fatalf("a restored machine decides otherwise after %+v:\n%+v\n%+v", ev, commands, same)
	}
	r.events, r.commands = append(r.events, ev), append(r.commands, commands)
	w.see(r.plain, commands)
	r.judge.see(w, commands)
	if ev.Seq%16 == 1 {
		r.looksAhead(ev.Seq)
	}
	before := r.snapshot(r.restored)
	if plain := r.snapshot(r.plain); plain != before {
		r.t.Fatalf("a restored machine is in another state:\n%s\n%s", plain, before)
	}
	r.restored, err = machine.Restore(r.prog, []byte(before), nil)
	if err != nil {
		r.t.Fatalf("restoring: %v\n%s", err, before)
	}
	if after := r.snapshot(r.restored); after != before {
		r.t.Fatalf("restoring changes the state:\n%s\n%s", before, after)
	}
	if !reflect.DeepEqual(r.plain.Outstanding(), r.restored.Outstanding()) || !reflect.DeepEqual(r.plain.View(), r.restored.View()) {
		r.t.Fatalf("a restored machine waits for something else or looks otherwise")
	}
}

// mostForeseen is more events than looking ahead over any random run can need.
const mostForeseen = 5_000

// looksAhead drives a look to its end, with answers of every kind: it comes to
// one, nothing unforeseen leaves the machine as a failure, and the run stays
// as it is.
func (r *run) looksAhead(seed uint64) {
	before := r.snapshot(r.plain)
	ahead, err := r.plain.Look()
	if err != nil {
		r.t.Fatalf("looking ahead: %v", err)
	}
	open := ahead.Outstanding()
	for n := range mostForeseen {
		if result, over := ahead.Done(); over {
			failsForeseen(r.t, result.Failure)
			if after := r.snapshot(r.plain); after != before {
				r.t.Fatalf("looking ahead has changed the run:\n%s\n%s", before, after)
			}
			return
		}
		ev := machine.Event{Kind: machine.TimerDue, At: ahead.View().Now}
		if wake, timed := ahead.NextWake(); timed && len(open) == 0 && wake.After(ev.At) {
			ev.At = wake
		}
		if len(open) > 0 {
			ev = foretold(open[0], seed+uint64(n), ev)
			open = open[1:]
		}
		ev.Seq = ahead.Seq() + 1
		commands, err := ahead.Apply(ev)
		if err != nil {
			r.t.Fatalf("looking ahead, applying %+v: %v", ev, err)
		}
		for _, c := range commands {
			if step, ok := c.(machine.PutStep); ok {
				failsForeseen(r.t, step.Step.Error)
			}
		}
		open = append(open, commands...)
	}
	r.t.Fatalf("looking ahead did not end within %d events", mostForeseen)
}

func failsForeseen(t *rapid.T, f *engine.Failure) {
	if f != nil && f.Class == "unforeseen" {
		t.Fatalf("what cannot be foreseen is taken for a failure: %+v", f)
	}
}

// foretold is one of the answers that looking ahead gives to a command.
func foretold(c machine.Command, seed uint64, otherwise machine.Event) machine.Event {
	switch c := c.(type) {
	case machine.AskApproval:
		otherwise.Kind, otherwise.Frame = machine.Decided, c.Frame
	case machine.PassWait:
		otherwise.Kind, otherwise.Frame = machine.Passed, c.Frame
	case machine.CollectItems:
		otherwise.Kind, otherwise.Frame, otherwise.Value = machine.ItemsCollected, c.Frame, machine.Value{Inline: []byte(`[]`)}
	case machine.RunStep:
		otherwise.Kind, otherwise.Frame, otherwise.Attempt = machine.StepDone, c.Frame, c.Call.Attempt
		switch seed % 5 {
		case 0:
			otherwise.Unforeseen = c.Call.Path
		case 1:
			otherwise.Failure = engine.Fail(engine.ClassTransient, "busy", "busy")
		case 2:
			otherwise.Failure = engine.Fail(engine.ClassRefused, engine.CodeProtected, "protected")
		default:
			otherwise.Value = machine.Value{Inline: []byte(`{"n":1}`)}
		}
	}
	return otherwise
}

func (r *run) snapshot(m *machine.Machine) string {
	data, err := m.Snapshot()
	if err != nil {
		r.t.Fatalf("taking a snapshot: %v", err)
	}
	return string(data)
}

// again applies the same events to a new machine: the same commands must follow.
func (r *run) again() {
	m := machine.New(r.prog)
	for i, ev := range r.events {
		commands, err := m.Apply(ev)
		if err != nil || !reflect.DeepEqual(commands, r.commands[i]) {
			r.t.Fatalf("event %d leads to other commands the second time (%v):\n%+v\n%+v", i, err, r.commands[i], commands)
		}
	}
}

// judge watches a run for what must never be.
type judge struct {
	t     *rapid.T
	g     *maker
	asked map[string]bool // frame and attempt
	began map[string]bool // paths of steps that began
	ended map[string]bool
	items map[string]int // by the loop's path
	seen  map[string]bool
}

func newJudge(t *rapid.T, g *maker) *judge {
	return &judge{
		t: t, g: g, asked: map[string]bool{}, began: map[string]bool{}, ended: map[string]bool{},
		items: map[string]int{}, seen: map[string]bool{},
	}
}

func (j *judge) see(w *world, commands []machine.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case machine.RunStep:
			j.asks(c)
			if w.stopped != "" && !strings.Contains(c.Call.Path, "/finally/") {
				j.t.Fatalf("%s begins although the run is being stopped", c.Call.Path)
			}
		case machine.AskApproval:
			if w.stopped != "" && !strings.Contains(c.Path, "/finally/") {
				j.t.Fatalf("%s asks although the run is being stopped", c.Path)
			}
		case machine.PutItem:
			j.item(c.Item)
		case machine.PutStep:
			j.step(c.Step)
		}
	}
}

func (j *judge) asks(c machine.RunStep) {
	once := fmt.Sprintf("%d#%d", c.Frame, c.Call.Attempt)
	if j.asked[once] {
		j.t.Fatalf("%s is asked for twice as frame %s", c.Call.Path, once)
	}
	j.asked[once] = true
}

func (j *judge) item(item engine.ItemRecord) {
	once := fmt.Sprintf("%s[%d]", item.Path, item.Index)
	if j.seen[once] {
		j.t.Fatalf("item %s is recorded twice", once)
	}
	j.seen[once] = true
	j.items[item.Path]++
	if item.Outcome == "" || item.Key == "" {
		j.t.Fatalf("item %s has no outcome or key", once)
	}
}

func (j *judge) step(s engine.StepRecord) {
	id := s.Path[strings.LastIndex(s.Path, "/")+1:]
	if s.Status == engine.StepStarted || s.Status == engine.StepWaiting {
		j.began[s.Path] = true
		return
	}
	if j.ended[s.Path] {
		j.t.Fatalf("step %s ends twice", s.Path)
	}
	j.ended[s.Path] = true
	if !j.began[s.Path] {
		return
	}
	if last := j.g.tries[id]; last != "" && !j.ended[s.Path+last] {
		j.t.Fatalf("step %s ended %s, and its finally did not run to its end", s.Path, s.Status)
	}
	if total, loop := j.g.lists[id]; loop && j.items[s.Path] != total {
		j.t.Fatalf("loop %s ended %s after %d of %d items", s.Path, s.Status, j.items[s.Path], total)
	}
}

// end judges the result.
func (j *judge) end(m *machine.Machine, w *world) {
	result, _ := m.Done()
	if !result.Status.Final() {
		j.t.Fatalf("the run ended %s", result.Status)
	}
	for path := range j.began {
		if !j.ended[path] {
			j.t.Fatalf("step %s began and did not end", path)
		}
	}
	if len(m.Outstanding()) > 0 || len(w.flying) > 0 {
		j.t.Fatalf("the run ended with %d calls in flight", len(w.flying))
	}
	allowed := []engine.RunStatus{engine.RunSucceeded, engine.RunPartial, engine.RunFailed}
	if w.refused {
		allowed = append(allowed, engine.RunBlocked)
	}
	if w.stopped != "" {
		if late := m.Seq() == w.since+1; !late { // timers go before an event that is late, and may end the run
			allowed = nil
		}
		allowed = append(allowed, w.stopped)
	}
	if !slices.Contains(allowed, result.Status) {
		j.t.Fatalf("the run ended %s instead of %s", result.Status, allowed)
	}
	if _, timed := m.NextWake(); timed {
		j.t.Fatalf("the run ended and wants to be woken")
	}
}
