package machine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// later is the answer of a call whose outputs are known only after it was made.
const later = "later"

// outlook drives a look ahead from where a run stands, answering each call by
// its path, and writes what it comes to. The run itself must stay as it is.
func outlook(t *testing.T, p *program.Program, m *machine.Machine, answers map[string]string) []string {
	t.Helper()
	before := must[[]byte](t)(m.Snapshot())
	ahead := must[*machine.Machine](t)(m.Look())
	var lines []string
	open := ahead.Outstanding()
	for len(open) > 0 {
		c := open[0]
		open = open[1:]
		lines = append(lines, foreseen(p, c)...)
		ev, answerable := answerAhead(c, answers)
		if !answerable {
			continue
		}
		ev.Seq, ev.At = ahead.Seq()+1, epoch()
		open = append(open, must[[]machine.Command](t)(ahead.Apply(ev))...)
	}
	result, over := ahead.Done()
	if !over {
		t.Fatalf("the look did not come to its end:\n%s", must[[]byte](t)(ahead.Snapshot()))
	}
	if after := must[[]byte](t)(m.Snapshot()); string(after) != string(before) {
		t.Errorf("looking ahead has changed the run:\n%s\n%s", before, after)
	}
	return append(lines, "end "+string(result.Status)+failureText(result.Failure))
}

// foreseen writes what a command of a look says.
func foreseen(p *program.Program, c machine.Command) []string {
	switch c := c.(type) {
	case machine.RunStep:
		line := "run " + c.Call.Path + " " + string(c.Call.Inputs)
		if len(c.Call.Earlier) > 0 {
			line += " behind " + strings.Join(segments(p, c.Call.Earlier), ",")
		}
		return []string{line}
	case machine.AskApproval:
		return []string{fmt.Sprintf("ask %s %q", c.Path, c.Title)}
	case machine.Unforeseen:
		changes := ""
		if c.Changes {
			changes = ", may change something"
		}
		return []string{fmt.Sprintf("%s is known only after %s%s", c.Path, c.After, changes)}
	default:
		return nil
	}
}

func segments(p *program.Program, refs []machine.NodeRef) []string {
	var names []string
	for _, ref := range refs {
		of := p
		for _, sub := range p.Calls {
			if sub.Hash == ref.Program && p.Hash != ref.Program {
				of = sub
			}
		}
		names = append(names, of.Nodes[ref.Node].Segment)
	}
	return names
}

func answerAhead(c machine.Command, answers map[string]string) (machine.Event, bool) {
	switch c := c.(type) {
	case machine.RunStep:
		ev := machine.Event{Kind: machine.StepDone, Frame: c.Frame, Attempt: c.Call.Attempt, Value: machine.Value{Inline: json.RawMessage("{}")}}
		switch said := answers[c.Call.Path]; said {
		case "":
		case later:
			ev.Value, ev.Unforeseen = machine.Value{}, c.Call.Path
		case "fails":
			ev.Failure = engine.Fail(engine.ClassPermanent, "gone", "it is gone")
		case "perhaps":
			ev.Failure = engine.Fail(engine.ClassTimeout, "late", "nobody knows")
		default:
			ev.Value.Inline = json.RawMessage(said)
		}
		return ev, true
	case machine.AskApproval: // one that was open already waits for this
		return machine.Event{Kind: machine.Decided, Frame: c.Frame}, true
	case machine.CollectItems:
		return machine.Event{Kind: machine.ItemsCollected, Frame: c.Frame, Value: machine.Value{Inline: json.RawMessage(`[{"key":"x","label":"x","outcome":"done","error":null}]`)}}, true
	default:
		return machine.Event{}, false
	}
}

// glimpse is a program, what its calls answer, and what looking ahead from its
// beginning comes to.
type glimpse struct {
	name    string
	prog    *program.Program
	answers map[string]string
	want    string
}

func runGlimpses(t *testing.T, glimpses []glimpse) {
	t.Helper()
	for _, g := range glimpses {
		t.Run(g.name, func(t *testing.T) {
			got := outlook(t, g.prog, started(t, g.prog), g.answers)
			if diff := cmp.Diff(trimStory(g.want), got); diff != "" {
				t.Errorf("it foresees otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

func started(t *testing.T, p *program.Program) *machine.Machine {
	t.Helper()
	m := machine.New(p)
	ev := machine.Event{Seq: 1, At: epoch(), Kind: machine.Started, Value: machine.Value{Inline: startOf(t, "")}}
	if _, err := m.Apply(ev); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLook(t *testing.T) {
	runGlimpses(t, []glimpse{
		{"approvals are taken as given", playbook(approve("ok", `"Go?"`), when("steps.ok.approved", suspend("a"))), nil, `
		ask ok "Go?"
		run a {}
		end succeeded
		`},
		{"a title that is known only later does not hide what follows", playbook(look("a"), approve("ok", "'Suspend ' + steps.a.id + '?'"), suspend("b")), map[string]string{"a": later}, `
		run a {}
		ask ok "(known only after a)"
		run b {}
		end succeeded
		`},
		{"an input", playbook(look("a"), suspend("b", "id=steps.a.id"), suspend("c")), map[string]string{"a": later}, `
		run a {}
		b is known only after a, may change something
		run c {} behind b
		end succeeded
		`},
		{"a condition, and its else", playbook(look("a"), when("steps.a.n > 1", otherwise(block("k", look("b")), suspend("c"))), when("steps.a.n > 1", look("d"))), map[string]string{"a": later}, `
		run a {}
		k is known only after a, may change something
		d is known only after a
		end succeeded
		`},
		{"a list", playbook(look("a"), each("e", "steps.a.users", suspend("s")), look("f", "n=len(steps.e.items)")), map[string]string{"a": later}, `
		run a {}
		e is known only after a, may change something
		f is known only after a
		end succeeded
		`},
		{"a switch", playbook(look("a"), switchOn("s", "steps.a.id", nil, branch("x", suspend("b")), branch("y", look("c")))), map[string]string{"a": later}, `
		run a {}
		s is known only after a, may change something
		end succeeded
		`},
		{"a while, from its second round on", playbook(while("w", "index < 1 || steps.b.n > 0", 3, look("b"), suspend("c"))), map[string]string{"w[0]/b": later}, `
		run w[0]/b {}
		run w[0]/c {}
		w is known only after w[0]/b, may change something
		end succeeded
		`},
		{"a set, and what reads it", playbook(look("a"), set("s", "v=steps.a.n"), suspend("b", "n=steps.s.v")), map[string]string{"a": later}, `
		run a {}
		s is known only after a
		b is known only after a, may change something
		end succeeded
		`},
		{"the status of what is passed over", playbook(look("a"), when("steps.a.n > 1", suspend("b")), when("steps.b.status == 'succeeded'", suspend("c"))), map[string]string{"a": later}, `
		run a {}
		b is known only after a, may change something
		c is known only after a, may change something
		end succeeded
		`},
		{"a failure's message", playbook(look("a"), failing("'no ' + steps.a.id")), map[string]string{"a": later}, `
		run a {}
		end failed [permanent fail at fail~2: (known only after a)]
		`},
	})
}

func failing(message string) *program.Node {
	n := failStep("")
	n.Fail = value(message)
	return n
}

func TestLookThroughParts(t *testing.T) {
	inner := giving(taking(playbook(look("in"), suspend("ch", "x=inputs.x")), anything("x")...), "out=steps.in.n")
	inner.Name, inner.Hash = "sub", "hash-of-sub"
	passes, attach := calling("s", inner, "x=steps.a.n")
	passing := attach(playbook(look("a"), passes, suspend("b", "v=steps.s.out"), look("c")))
	gives, attachTo := calling("s", inner)
	giving := attachTo(playbook(gives, suspend("b", "v=steps.s.out"), look("c")))
	nested := playbook(look("a"), keyed("item", "item", each("e", "['x','y']",
		when("steps.a.n > 1", look("p")), keyed("item", "item", each("f", "['z']", suspend("q", "s=steps.p.status"), suspend("r")))),
	))
	runGlimpses(t, []glimpse{
		{"the inputs of a called playbook", passing, map[string]string{"a": later}, `
		run a {}
		s is known only after a, may change something
		b is known only after a, may change something
		run c {} behind ch,b
		end succeeded
		`},
		{"the outputs of a called playbook", giving, map[string]string{"s/call/in": later}, `
		run s/call/in {}
		run s/call/ch {}
		b is known only after s/call/in, may change something
		run c {} behind ch,b
		end succeeded
		`},
		{"loops in loops", nested, map[string]string{"a": later}, `
		run a {}
		e[x]/p is known only after a
		e[x]/f[z]/q is known only after a, may change something
		run e[x]/f[z]/r {} behind q
		e[y]/p is known only after a
		e[y]/f[z]/q is known only after a, may change something
		run e[y]/f[z]/r {} behind q
		end succeeded
		`},
		{"what became of items is known only when they are", playbook(look("a"), itemsRead(keyed("item", "item", each("e", "['x']", when("steps.a.n > 1", suspend("s"))))),
			when("any(steps.e.items, .outcome == 'done')", suspend("t"))), map[string]string{"a": later}, `
		run a {}
		e[x]/s is known only after a, may change something
		t is known only after a, may change something
		end succeeded
		`},
	})
}

func TestLookEarlier(t *testing.T) {
	changed := map[string]string{}
	runGlimpses(t, []glimpse{
		{"before in the same sequence", playbook(look("o"), suspend("a"), look("b"), message("m"), look("c")), changed, `
		run o {}
		run a {}
		run b {} behind a
		run m {} behind a
		run c {} behind a
		end succeeded
		`},
		{"before in an enclosing sequence, and behind a block", playbook(suspend("a"), block("k", look("b"), suspend("c")), look("d")), changed, `
		run a {}
		run k/b {} behind a
		run k/c {} behind a
		run d {} behind a,c
		end succeeded
		`},
		{"a sibling item is beside it, what is behind the loop is behind its items", playbook(keyed("item", "item", each("e", "['x','y']", look("l"), suspend("s"), look("n"))), look("z")), changed, `
		run e[x]/l {}
		run e[x]/s {}
		run e[x]/n {} behind s
		run e[y]/l {}
		run e[y]/s {}
		run e[y]/n {} behind s
		run z {} behind s
		end succeeded
		`},
		{"a branch is beside the other", playbook(parallel("p", branch("x", suspend("s"), look("l")), branch("y", look("m"), look("n"))), look("z")), changed, `
		run p/x/s {}
		run p/y/m {}
		run p/x/l {} behind s
		run p/y/n {}
		run z {} behind s
		end succeeded
		`},
		{"catch and finally are behind the body", playbook(try("t", nodes{suspend("s"), look("l")}, nodes{look("c")}, nodes{look("f")})), map[string]string{"t/try/l": "fails"}, `
		run t/try/s {}
		run t/try/l {} behind s
		run t/catch/c {} behind s
		run t/finally/f {} behind s
		end succeeded
		`},
		{"a round is behind those before it", playbook(while("w", "index < 2", 3, look("l"), suspend("s"))), changed, `
		run w[0]/l {}
		run w[0]/s {}
		run w[1]/l {} behind s
		run w[1]/s {} behind s
		end succeeded
		`},
		{"a change that has failed for good is none, one that nobody knows of is", playbook(goingOn(suspend("a")), look("b"), goingOn(suspend("c")), look("d")), map[string]string{"a": "fails", "c": "perhaps"}, `
		run a {}
		run b {}
		run c {}
		run d {} behind c
		end partial
		`},
		{"what is passed over counts as done", playbook(look("a"), when("steps.a.n > 1", block("k", suspend("s"))), look("b")), map[string]string{"a": later}, `
		run a {}
		k is known only after a, may change something
		run b {} behind s
		end succeeded
		`},
	})
}

// TestLookWhileAsking looks ahead from a run that waits for people.
func TestLookWhileAsking(t *testing.T) {
	p := playbook(askedFor(time.Hour, approve("ok", `"Go?"`)), suspend("a"), approve("two", `"And now?"`), suspend("b"))
	w := newTeller(t, p)
	w.apply(w.event("start"))
	got := outlook(t, p, w.m, nil)
	want := []string{`ask ok "Go?"`, `run a {}`, `ask two "And now?"`, `run b {} behind a`, "end succeeded"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it foresees otherwise (-want +got):\n%s", diff)
	}
	if !w.m.Parked() {
		t.Error("the run itself does not wait any more")
	}
}

// TestLookIntoABurst looks ahead from the middle of a loop that pauses.
func TestLookIntoABurst(t *testing.T) {
	p := playbook(each("e", "1..2500", when("item > 2500", look("never"))), suspend("a"))
	m := started(t, p)
	before := must[[]byte](t)(m.Snapshot())
	ahead := must[*machine.Machine](t)(m.Look())
	var asked []machine.Command
	for _, paused := ahead.NextWake(); paused; _, paused = ahead.NextWake() {
		for _, c := range must[[]machine.Command](t)(ahead.Apply(machine.Event{Seq: ahead.Seq() + 1, At: epoch(), Kind: machine.TimerDue})) {
			if run, ok := c.(machine.RunStep); ok {
				asked = append(asked, run)
			}
		}
	}
	if len(asked) != 1 || ahead.Seq() < 3 {
		t.Errorf("after %d events it asks for %d calls", ahead.Seq(), len(asked))
	}
	if after := must[[]byte](t)(m.Snapshot()); string(after) != string(before) {
		t.Error("looking ahead has changed the run")
	}
}
