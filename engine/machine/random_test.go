package machine_test

import (
	"encoding/json"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// maker makes random programs: every form, nested, with every modifier.
type maker struct {
	t     *rapid.T
	left  int // how many steps may still be made
	n     int
	lists map[string]int    // by id: how many items the loop of that step has
	tries map[string]string // by id: where the last step of its finally is
	subs  map[string]*program.Program
	stay  bool // no return: it would end the finally it is in
}

func randomProgram(t *rapid.T) (*program.Program, *maker) {
	g := &maker{t: t, left: 25, lists: map[string]int{}, tries: map[string]string{}, subs: map[string]*program.Program{}}
	p := playbook(g.steps(0)...)
	p.Calls = g.subs
	return giving(p, "id=run.id"), g
}

func (g *maker) chance(percent int) bool { return rapid.IntRange(0, 99).Draw(g.t, "chance") < percent }

func (g *maker) pick(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "pick") }

func (g *maker) id() string {
	g.n++
	return fmt.Sprintf("n%d", g.n)
}

func (g *maker) steps(depth int) nodes {
	var out nodes
	for i := 0; i < 4 && (i == 0 || g.left > 0 && g.chance(60)); i++ {
		out = append(out, g.step(depth))
	}
	return out
}

func (g *maker) step(depth int) *program.Node {
	g.left--
	n := g.form(depth)
	if g.chance(15) {
		n.If = bare([]string{"false", "run.attempt == 1", "steps.n1.status == 'succeeded'"}[g.pick(3)])
		if n.Form == program.FormSteps && g.chance(50) {
			n.Else = g.steps(depth + 1)
		}
	}
	n.Continue = g.chance(25)
	if g.chance(20) && n.Form != program.FormSet && n.Form != program.FormFail && n.Form != program.FormReturn {
		n.Timeout = time.Duration(1+g.pick(10)) * time.Second
	}
	if n.Uses != nil && g.chance(40) {
		n.Retry = &program.Retry{Attempts: 1 + g.pick(3), Backoff: []string{"fixed", "exponential"}[g.pick(2)], First: time.Duration(g.pick(3)) * time.Second, Max: 4 * time.Second}
	}
	return n
}

func (g *maker) form(depth int) *program.Node {
	kinds := 16
	if depth > 3 || g.left <= 0 {
		kinds = 8
	}
	id := g.id()
	switch g.pick(kinds) {
	case 0, 1:
		return look(id)
	case 2:
		return suspend(id)
	case 3:
		return set(id, "v=run.attempt")
	case 4:
		return &program.Node{ID: id, Form: program.FormFail, Fail: failStep("no").Fail}
	case 5:
		if g.stay {
			return look(id)
		}
		return &program.Node{ID: id, Form: program.FormReturn}
	case 6:
		return g.approval(id)
	case 7:
		return g.wait(id)
	case 8:
		return block(id, g.steps(depth+1)...)
	case 9, 10:
		return g.loop(id, depth)
	case 11:
		return parallel(id, branch("x", g.steps(depth+1)...), branch("y", g.steps(depth+1)...))
	case 12:
		return switchOn(id, "steps.n1.status", g.steps(depth+1), branch("succeeded", g.steps(depth+1)...))
	case 13:
		body := append(nodes{look(g.id()), look(g.id(), "round=index")}, g.steps(depth+1)...)
		return while(id, fmt.Sprintf("index < %d", g.pick(4)), int64(2+g.pick(2)), body...)
	case 14:
		return g.call(id, depth)
	default:
		return g.try(id, depth)
	}
}

func (g *maker) approval(id string) *program.Node {
	n := approve(id, "'Go on with ' + run.id + '?'")
	n.Approve.Timeout = time.Duration(g.pick(3)*3) * time.Second
	if g.chance(40) {
		goingOnDenied(n)
	}
	return n
}

func (g *maker) wait(id string) *program.Node {
	switch g.pick(3) {
	case 0:
		return waitSignal(id, "go")
	case 1:
		return waitUntil(id, "run.time + duration('5s')")
	default:
		return waitFor(id, time.Duration(1+g.pick(4))*time.Second)
	}
}

func (g *maker) loop(id string, depth int) *program.Node {
	items := g.pick(5)
	list := fmt.Sprintf("filter(1..5, # <= %d)", items)
	n := eachCall(id, list, call("suspend", engine.Change, with("id=item")))
	if g.chance(50) {
		n = each(id, list, g.steps(depth+1)...)
	}
	g.lists[id] = items
	n.Foreach.Concurrency = 1 + g.pick(3)
	n.Foreach.ItemsRead = g.chance(50)
	return n
}

func (g *maker) call(id string, depth int) *program.Node {
	sub := giving(playbook(g.steps(depth+2)...), "v=run.attempt")
	sub.Name, sub.Calls = "sub-"+id, g.subs
	g.subs[sub.Name] = sub
	n, _ := calling(id, sub)
	return n
}

// try makes a try whose finally comes to its last step whatever happens.
func (g *maker) try(id string, depth int) *program.Node {
	var catch, finally nodes
	if g.chance(60) {
		catch = g.steps(depth + 1)
	}
	if catch == nil || g.chance(70) {
		last, stay := g.id(), g.stay
		g.stay = true
		finally = nodes{goingOn(look(g.id())), goingOn(block(g.id(), g.steps(depth+1)...)), set(last, "v=1")}
		g.stay = stay
		g.tries[id] = "/finally/" + last
	}
	return try(id, g.steps(depth+1), catch, finally)
}

// world is a random driver: it answers in any order, with any outcome, late,
// twice, and lets timers fire when it likes.
type world struct {
	t          *rapid.T
	at         time.Time
	flying     []machine.RunStep
	collecting []machine.CollectItems
	asking     []machine.AskApproval
	answered   []machine.Event // to be repeated
	calm       bool            // only what ends the run
	refused    bool
	stopped    engine.RunStatus // how the run must end since it was stopped
	since      uint64           // the event before the one that stopped it
}

func (w *world) stop(m *machine.Machine, as engine.RunStatus) {
	if w.stopped == "" {
		w.stopped, w.since = as, m.Seq()
	}
}

func (w *world) pick(n int) int { return rapid.IntRange(0, n-1).Draw(w.t, "pick") }

// next is the next thing that happens; false where nothing can.
func (w *world) next(m *machine.Machine) (machine.Event, bool) {
	ev, ok := w.choose(m)
	if w.pick(4) == 0 {
		w.at = w.at.Add(time.Duration(w.pick(5000)) * time.Millisecond)
	}
	ev.Seq, ev.At = m.Seq()+1, w.at
	return ev, ok
}

func (w *world) choose(m *machine.Machine) (machine.Event, bool) {
	wake, timed := m.NextWake()
	odd := 99
	if !w.calm {
		odd = w.pick(100)
	}
	switch {
	case odd < 2:
		w.stop(m, engine.RunCancelled)
		return machine.Event{Kind: machine.CancelRequested, Reason: "enough"}, true
	case odd < 6:
		return machine.Event{Kind: machine.TimerDue}, true
	case odd == 6:
		codes := []string{engine.CodeMaxPercent, engine.CodeFrozen, engine.CodeOutside}
		which := w.pick(len(codes))
		w.stop(m, []engine.RunStatus{engine.RunBlocked, engine.RunBlocked, engine.RunDrifted}[which])
		return machine.Event{Kind: machine.Halted, Failure: engine.Fail(engine.ClassRefused, codes[which], "no")}, true
	case odd == 7:
		return machine.Event{Kind: machine.Signalled, Name: "go", Value: machine.Value{Inline: json.RawMessage(`{"n":1}`)}}, true
	case odd < 12 && len(w.answered) > 0:
		return w.answered[w.pick(len(w.answered))], true
	case timed && (len(w.flying)+len(w.collecting)+len(w.asking) == 0 || odd < 20):
		if wake.After(w.at) {
			w.at = wake
		}
		return machine.Event{Kind: machine.TimerDue}, true
	case len(w.collecting) > 0:
		c := w.collecting[0]
		w.collecting = w.collecting[1:]
		return machine.Event{Kind: machine.ItemsCollected, Frame: c.Frame, Value: machine.Value{Inline: json.RawMessage(`[]`)}}, true
	case len(w.asking) > 0 && (len(w.flying) == 0 || odd < 30):
		return w.decide(), true
	case len(w.flying) > 0:
		return w.answer(m), true
	case len(m.Awaits()) > 0:
		return machine.Event{Kind: machine.Signalled, Name: m.Awaits()[0]}, true
	}
	return machine.Event{}, false
}

func (w *world) answer(m *machine.Machine) machine.Event {
	i := w.pick(len(w.flying))
	run := w.flying[i]
	w.flying = append(w.flying[:i:i], w.flying[i+1:]...)
	ev := machine.Event{Kind: machine.StepDone, Frame: run.Frame, Attempt: run.Call.Attempt}
	fails := []engine.Failure{
		{Class: engine.ClassTransient}, {Class: engine.ClassTransient}, {Class: engine.ClassTimeout}, {Class: engine.ClassPermanent},
		{Class: engine.ClassCancelled}, {Class: engine.ClassUnsettled}, {Class: engine.ClassRefused, Code: engine.CodeProtected},
		{Class: engine.ClassRefused, Code: engine.CodeMaxChanges},
	}
	which := w.pick(2 * len(fails))
	switch {
	case which < len(fails) && !w.calm:
		f := fails[which]
		ev.Failure = &f
		w.refused = w.refused || f.Class == engine.ClassRefused
		if f.Code == engine.CodeMaxChanges {
			w.stop(m, engine.RunBlocked)
		}
	case run.Call.Effect == engine.Change:
		ev.Value, ev.Outcome = machine.Value{Inline: json.RawMessage(`{}`)}, []engine.Outcome{engine.OutcomeDone, engine.OutcomeUnchanged}[w.pick(2)]
	default:
		ev.Value = machine.Value{Inline: json.RawMessage(fmt.Sprintf(`{"n":%d}`, w.pick(9)))}
	}
	w.answered = append(w.answered, ev)
	return ev
}

// decide is what people say, perhaps to a question that is over.
func (w *world) decide() machine.Event {
	ev := machine.Event{Kind: machine.Decided, Frame: w.asking[0].Frame}
	w.asking = w.asking[1:]
	if !w.calm && w.pick(3) == 0 {
		ev.Failure = engine.Fail(engine.ClassRefused, engine.CodeDenied, "no")
	}
	w.answered = append(w.answered, ev)
	return ev
}

// denied notes how the run must end since an approval was denied or had
// expired: a timer goes before the event that is applied with it.
func (w *world) denied(m *machine.Machine, s engine.StepRecord) {
	if s.Form != string(program.FormApprove) || s.Status != engine.StepRefused {
		return
	}
	if w.stopped == "" || w.since+1 == m.Seq() {
		w.stopped, w.since = engine.RunDenied, m.Seq()-1
	}
}

func (w *world) see(m *machine.Machine, commands []machine.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case machine.AskApproval:
			w.asking = append(w.asking, c)
		case machine.PutStep:
			w.denied(m, c.Step)
		case machine.RunStep:
			w.flying = append(w.flying, c)
		case machine.CollectItems:
			w.collecting = append(w.collecting, c)
		}
	}
}
