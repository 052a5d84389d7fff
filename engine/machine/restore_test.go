package machine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// everything is a program with every form in it.
func everything() *program.Program {
	sub := giving(playbook(look("s"), suspend("t")), "v=1")
	sub.Name = "sub"
	called, attach := calling("called", sub)
	return attach(playbook(
		look("first"),
		parallel("p",
			branch("x", try("t", nodes{within(time.Minute, retrying(3, "fixed", time.Second, 0, look("a")))}, nodes{look("c")}, nodes{look("f")})),
			branch("y", wide(2, itemsRead(each("e", "1..5", suspend("b"))))),
			branch("z", while("w", "index < 3", 5, look("d")), switchOn("sw", "steps.first.status", nil, branch("succeeded", called))),
			branch("v", each("quick", "1..1200", when("item > 1200", look("never")))),
		),
	))
}

// snapshots are all states a run of a program goes through, and the values
// they refer to.
func snapshots(tb testing.TB, p *program.Program) ([][]byte, machine.Lookup) {
	m, out := machine.New(p), [][]byte{}
	values := map[engine.Reference][]byte{}
	apply := func(ev machine.Event) {
		ev.Seq, ev.At = m.Seq()+1, epoch()
		commands, err := m.Apply(ev)
		if err != nil {
			tb.Fatal(err)
		}
		for _, c := range commands {
			if put, ok := c.(machine.PutValue); ok {
				values[put.Value.Ref] = put.Value.Data
			}
		}
		out = append(out, must[[]byte](tb)(m.Snapshot()))
	}
	apply(machine.Event{Kind: machine.Started, Value: machine.Value{Inline: startOf(tb, "")}})
	for open := m.Outstanding(); len(open) > 0; open = m.Outstanding() {
		apply(answerTo(open[len(open)/2], len(out)))
	}
	return out, func(ref engine.Reference) ([]byte, error) {
		if data, ok := values[ref]; ok {
			return data, nil
		}
		return nil, engine.ErrNotFound
	}
}

// answerTo is some answer to a command.
func answerTo(c machine.Command, n int) machine.Event {
	switch c := c.(type) {
	case machine.RunStep:
		ev := machine.Event{Kind: machine.StepDone, Frame: c.Frame, Attempt: c.Call.Attempt, Value: machine.Value{Inline: json.RawMessage(`{"n":1}`)}}
		if n%7 == 3 {
			ev.Failure = engine.Fail(engine.ClassPermanent, "gone", "it is gone")
		}
		return ev
	case machine.CollectItems:
		return machine.Event{Kind: machine.ItemsCollected, Frame: c.Frame, Value: machine.Value{Inline: json.RawMessage(`[]`)}}
	default:
		return machine.Event{Kind: machine.TimerDue}
	}
}

func TestRestoreRefuses(t *testing.T) {
	p := everything()
	all, lookup := snapshots(t, p)
	good := string(slices.MaxFunc(all, func(a, b []byte) int { return len(a) - len(b) }))
	other := everything()
	other.Hash = "another"
	for _, test := range []struct {
		name, snapshot string
		prog           *program.Program
		want           error
	}{
		{"what is no snapshot", "{", p, machine.ErrSnapshot},
		{"nothing", "", p, machine.ErrSnapshot},
		{"another program's", good, other, machine.ErrSnapshot},
		{"one with other semantics", strings.Replace(good, `"semantics":1`, `"semantics":99`, 1), p, machine.ErrSemantics},
		{"one cut short inside", strings.Replace(good, `"kids"`, `"kid"`, 1), p, machine.ErrSnapshot},
		{"a result nobody ran for", `{"semantics":1,"program":"hash-of-test","result":{"status":"succeeded"}}`, p, machine.ErrSnapshot},
		{"a value nobody has", strings.Replace(good, `"inputs":{"inline":{}}`, `"inputs":{"ref":"00"}`, 1), p, engine.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.snapshot == good && test.prog == p {
				t.Fatal("nothing is wrong with this snapshot")
			}
			if _, err := machine.Restore(test.prog, []byte(test.snapshot), lookup); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if _, err := machine.Restore(p, []byte(good), lookup); err != nil {
		t.Errorf("the snapshot itself: %v", err)
	}
}

// FuzzRestore restores garbage, and carries out what passes for a run.
func FuzzRestore(f *testing.F) {
	p := everything()
	all, lookup := snapshots(f, p)
	for _, data := range all {
		f.Add(data, byte(0))
		f.Add(data, byte(5))
	}
	f.Fuzz(func(t *testing.T, data []byte, way byte) {
		m, err := machine.Restore(p, data, lookup)
		if err != nil {
			return
		}
		at := m.View().Now
		for i := range 300 {
			ev := machine.Event{Kind: machine.TimerDue}
			if open := m.Outstanding(); len(open) > 0 && i%3 > 0 {
				ev = answerTo(open[i%len(open)], i+int(way))
			} else if i == int(way) {
				ev.Kind = machine.CancelRequested
			}
			at = at.Add(time.Second)
			ev.Seq, ev.At = m.Seq()+1, at
			if _, err := m.Apply(ev); err != nil {
				if !errors.Is(err, machine.ErrEvent) {
					t.Fatalf("applying %+v: %v", ev, err)
				}
				return
			}
			if _, err := m.Snapshot(); err != nil {
				t.Fatalf("taking a snapshot: %v", err)
			}
		}
	})
}

func TestLargeValuesLeaveTheState(t *testing.T) {
	big := strings.Repeat("x", machine.InlineLimit)
	p := taking(playbook(look("list", "text=inputs.text"), each("e", "steps.list.users", look("a", "id=item.id", "text=inputs.text")), set("s", "again=steps.list.id")),
		engine.Field{Name: "text", Type: engine.TypeString()})
	w := newTeller(t, p)
	w.apply(w.event(fmt.Sprintf(`start {"text":%q}`, big)))
	inputs := must[[]byte](t)(engine.EncodeJSON(map[string]any{"text": big}))
	wantValues(t, w, inputs)
	users := `[{"id":"a"},{"id":"` + strings.Repeat("y", machine.InlineLimit) + `"}]`
	w.apply(w.event(`answer list {"id":"` + big + `","users":` + users + `}`))
	w.apply(w.event("answer e[0]/a"))
	if size := len(must[[]byte](t)(w.m.Snapshot())); size > machine.InlineLimit {
		t.Errorf("the snapshot has %d bytes although every value is large", size)
	}
	w.apply(w.event("answer e[1]/a"))
	if result, over := w.m.Done(); !over || result.Status != engine.RunSucceeded {
		t.Errorf("the run ended %v: %+v", over, result)
	}
}

func wantValues(t *testing.T, w *teller, want ...[]byte) {
	t.Helper()
	for _, data := range want {
		found := false
		for _, stored := range w.values {
			found = found || string(stored) == string(data)
		}
		if !found {
			t.Errorf("a value of %d bytes was not put outside", len(data))
		}
	}
}

// A value the driver has stored already is not stored again.
func TestStoredOutputsKeepTheirReference(t *testing.T) {
	w := newTeller(t, playbook(look("a"), look("b")))
	w.apply(w.event("start"))
	data := json.RawMessage(`{"id":"` + strings.Repeat("x", machine.InlineLimit) + `"}`)
	ref := engine.Reference("a-reference-of-the-driver")
	ev := machine.Event{Seq: 2, At: epoch(), Kind: machine.StepDone, Frame: w.call("a").Frame, Attempt: 1, Value: machine.Value{Inline: data, Ref: ref}}
	commands, err := w.m.Apply(ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if _, put := c.(machine.PutValue); put {
			t.Errorf("it is stored again: %T", c)
		}
	}
	if s := must[[]byte](t)(w.m.Snapshot()); !strings.Contains(string(s), string(ref)) {
		t.Errorf("the snapshot does not refer to it: %s", s)
	}
}

func TestApplyRefusesWhatCannotBe(t *testing.T) {
	start := machine.Event{Seq: 1, At: epoch(), Kind: machine.Started, Value: machine.Value{Inline: startOf(t, `{"n":1}`)}}
	p := taking(playbook(look("a")), engine.Field{Name: "n", Type: engine.TypeInteger()})
	for _, test := range []struct {
		name   string
		before []machine.Event
		ev     machine.Event
	}{
		{"a gap", nil, machine.Event{Seq: 2, At: epoch(), Kind: machine.Started, Value: start.Value}},
		{"no start", nil, machine.Event{Seq: 1, At: epoch(), Kind: machine.TimerDue}},
		{"inputs of another type", nil, machine.Event{Seq: 1, At: epoch(), Kind: machine.Started, Value: machine.Value{Inline: startOf(t, `{"n":"x"}`)}}},
		{"a start that is none", nil, machine.Event{Seq: 1, At: epoch(), Kind: machine.Started, Value: machine.Value{Inline: json.RawMessage(`[]`)}}},
		{"a second start", []machine.Event{start}, machine.Event{Seq: 2, At: epoch(), Kind: machine.Started, Value: start.Value}},
		{"the past", []machine.Event{start}, machine.Event{Seq: 2, At: epoch().Add(-time.Second), Kind: machine.TimerDue}},
		{"no time at all", nil, machine.Event{Seq: 1, Kind: machine.Started, Value: start.Value, At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"a value that is no JSON", []machine.Event{start}, machine.Event{Seq: 2, At: epoch(), Kind: machine.StepDone, Value: machine.Value{Inline: json.RawMessage(`{`)}}},
		{"a value that is missing", []machine.Event{start}, machine.Event{Seq: 2, At: epoch(), Kind: machine.StepDone, Value: machine.Value{Ref: "00"}}},
		{"a kind nobody knows", []machine.Event{start}, machine.Event{Seq: 2, At: epoch(), Kind: "thing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := machine.New(p)
			for _, ev := range test.before {
				if _, err := m.Apply(ev); err != nil {
					t.Fatal(err)
				}
			}
			before := must[[]byte](t)(m.Snapshot())
			if commands, err := m.Apply(test.ev); !errors.Is(err, machine.ErrEvent) || commands != nil {
				t.Errorf("got %v and %v", commands, err)
			}
			if diff := cmp.Diff(string(before), string(must[[]byte](t)(m.Snapshot()))); diff != "" {
				t.Errorf("the machine has changed:\n%s", diff)
			}
		})
	}
}
