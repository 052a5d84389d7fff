package machine_test

import (
	"encoding/json"
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

// A spec is a program and the story of one run of it. A line of the story that
// is not indented is an event; the indented lines after it are what it leads to:
//
//	start {INPUTS}                              start a run
//	answer PATH {OUTPUTS} [OUTCOME]             a call succeeds
//	fail PATH CLASS [CODE] [not-before DURATION]
//	items PATH [LIST]                           the items of a loop are read back
//	decide PATH yes|no [REASON]                 people approve or deny
//	halt CODE                                   no change may follow
//	signal NAME [BODY]
//	cancel REASON
//	tick                                        a timer is due
//
// Any of them may begin with "+DURATION", the time since the start; it stays
// until the next. `parked` says that the run waits for people alone. After every
// event the machine is replaced by what its snapshot restores to.
type spec struct {
	name  string
	prog  *program.Program
	story string
}

func runSpecs(t *testing.T, specs []spec) {
	t.Helper()
	for _, s := range specs {
		t.Run(s.name, func(t *testing.T) {
			want := trimStory(s.story)
			if diff := cmp.Diff(want, tell(t, s.prog, want)); diff != "" {
				t.Errorf("the run went otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// trimStory removes the indentation of a story as it stands in Go.
func trimStory(story string) []string {
	var out []string
	for line := range strings.SplitSeq(story, "\n") {
		if line = strings.TrimPrefix(line, "\t\t"); strings.TrimSpace(line) != "" {
			out = append(out, strings.ReplaceAll(strings.TrimRight(line, " \t"), "\t", "  "))
		}
	}
	return out
}

// teller drives one run and writes down what happens.
type teller struct {
	t       *testing.T
	prog    *program.Program
	m       *machine.Machine
	since   time.Duration
	frames  map[string]machine.RunStep
	collect map[string]machine.FrameID
	asked   map[string]machine.FrameID
	values  map[engine.Reference][]byte
	ended   bool
	lines   []string
}

func newTeller(t *testing.T, p *program.Program) *teller {
	return &teller{
		t: t, prog: p, m: machine.New(p), frames: map[string]machine.RunStep{},
		collect: map[string]machine.FrameID{}, asked: map[string]machine.FrameID{}, values: map[engine.Reference][]byte{},
	}
}

// tell repeats the events of a story and writes what they lead to.
func tell(t *testing.T, p *program.Program, story []string) []string {
	w := newTeller(t, p)
	for _, line := range story {
		if strings.HasPrefix(line, " ") {
			continue
		}
		w.lines = append(w.lines, line)
		w.apply(w.event(line))
	}
	return w.lines
}

func (w *teller) apply(ev machine.Event) {
	w.t.Helper()
	ev.Seq, ev.At = w.m.Seq()+1, epoch().Add(w.since)
	commands, err := w.m.Apply(ev)
	if err != nil {
		w.t.Fatalf("applying %s: %v", ev.Kind, err)
	}
	for _, c := range commands {
		w.write(c)
	}
	if result, over := w.m.Done(); over && !w.ended {
		w.ended = true
		w.lines = append(w.lines, fmt.Sprintf("  end %s%s %s", result.Status, failureText(result.Failure), result.Outputs))
	} else if wake, ok := w.m.NextWake(); ok {
		w.lines = append(w.lines, fmt.Sprintf("  wake +%s", wake.Sub(epoch())))
	}
	if w.m.Parked() {
		w.lines = append(w.lines, "  parked")
	}
	w.restore()
}

// restore goes on with a restored machine, which must be the same.
func (w *teller) restore() {
	w.t.Helper()
	before := must[[]byte](w.t)(w.m.Snapshot())
	m, err := machine.Restore(w.prog, before, w.lookup)
	if err != nil {
		w.t.Fatalf("restoring: %v\n%s", err, before)
	}
	after := must[[]byte](w.t)(m.Snapshot())
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		w.t.Fatalf("a restored machine is another one:\n%s", diff)
	}
	if diff := cmp.Diff(w.m.Outstanding(), m.Outstanding()); diff != "" {
		w.t.Fatalf("a restored machine waits for something else:\n%s", diff)
	}
	w.m = m
}

func (w *teller) lookup(ref engine.Reference) ([]byte, error) {
	data, ok := w.values[ref]
	if !ok {
		return nil, engine.ErrNotFound
	}
	return data, nil
}

// event reads an event of a story.
func (w *teller) event(line string) machine.Event {
	w.t.Helper()
	if after, ok := strings.CutPrefix(line, "+"); ok {
		since, rest, _ := strings.Cut(after, " ")
		w.since, line = must[time.Duration](w.t)(engine.ParseDuration(since)), rest
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "start":
		return machine.Event{Kind: machine.Started, Value: machine.Value{Inline: startOf(w.t, rest)}}
	case "answer":
		return w.answer(rest)
	case "fail":
		return w.failure(rest)
	case "items":
		path, list, _ := strings.Cut(rest, " ")
		return machine.Event{Kind: machine.ItemsCollected, Frame: w.collect[path], Value: machine.Value{Inline: json.RawMessage(list)}}
	case "decide":
		return w.decision(rest)
	case "halt":
		return machine.Event{Kind: machine.Halted, Failure: engine.Fail(engine.ClassRefused, rest, "no change may follow")}
	case "signal":
		name, body, _ := strings.Cut(rest, " ")
		ev := machine.Event{Kind: machine.Signalled, Name: name}
		if body != "" {
			ev.Value.Inline = json.RawMessage(body)
		}
		return ev
	case "cancel":
		return machine.Event{Kind: machine.CancelRequested, Reason: rest}
	case "tick":
		return machine.Event{Kind: machine.TimerDue}
	}
	w.t.Fatalf("no such event: %s", line)
	return machine.Event{}
}

func startOf(t testing.TB, inputs string) json.RawMessage {
	if inputs == "" {
		inputs = "{}"
	}
	return must[[]byte](t)(json.Marshal(machine.Start{
		Run: "run_1", Actor: engine.Actor{Name: "alice", Via: "cli"}, Attempt: 1, Inputs: json.RawMessage(inputs),
	}))
}

func (w *teller) call(path string) machine.RunStep {
	w.t.Helper()
	c, ok := w.frames[path]
	if !ok {
		w.t.Fatalf("%s was not asked for", path)
	}
	return c
}

func (w *teller) answer(rest string) machine.Event {
	path, rest, _ := strings.Cut(rest, " ")
	out, outcome, _ := strings.Cut(rest, " ")
	if out == "" {
		out = "{}"
	}
	c := w.call(path)
	return machine.Event{Kind: machine.StepDone, Frame: c.Frame, Attempt: c.Call.Attempt,
		Value: machine.Value{Inline: json.RawMessage(out)}, Outcome: engine.Outcome(outcome)}
}

func (w *teller) failure(rest string) machine.Event {
	words := strings.Fields(rest)
	c := w.call(words[0])
	f := &engine.Failure{Class: engine.Class(words[1]), Message: "it went wrong"}
	if i := slices.Index(words, "not-before"); i > 0 {
		f.NotBefore = epoch().Add(must[time.Duration](w.t)(engine.ParseDuration(words[i+1])))
		words = words[:i]
	}
	if len(words) > 2 {
		f.Code = words[2]
	}
	return machine.Event{Kind: machine.StepDone, Frame: c.Frame, Attempt: c.Call.Attempt, Failure: f}
}

// decision is what people say; a question that is over is still answered.
func (w *teller) decision(rest string) machine.Event {
	w.t.Helper()
	path, rest, _ := strings.Cut(rest, " ")
	word, reason, _ := strings.Cut(rest, " ")
	frame, ok := w.asked[path]
	if !ok {
		w.t.Fatalf("%s was not asked", path)
	}
	ev := machine.Event{Kind: machine.Decided, Frame: frame}
	if word == "no" {
		ev.Failure = engine.Fail(engine.ClassRefused, engine.CodeDenied, "%s", reason)
	}
	return ev
}

// write notes a command.
func (w *teller) write(c machine.Command) {
	line := ""
	switch c := c.(type) {
	case machine.RunStep:
		w.frames[c.Call.Path] = c
		line = fmt.Sprintf("run %s%s %s%s", c.Call.Path, again(c.Call.Attempt), c.Call.Inputs, until(c.Deadline))
	case machine.CancelStep:
		line = "stop " + w.pathOf(c.Frame)
	case machine.PutStep:
		line = fmt.Sprintf("step %s%s %s%s", c.Step.Path, again(c.Step.Attempt), c.Step.Status, failureText(c.Step.Error))
		if c.Step.Why != "" {
			line += ": " + c.Step.Why
		}
	case machine.PutItem:
		label := ""
		if c.Item.Label != c.Item.Key {
			label = " (" + c.Item.Label + ")"
		}
		line = fmt.Sprintf("item %s[%s]%s %s%s", c.Item.Path, c.Item.Key, label, c.Item.Outcome, failureText(c.Item.Error))
	case machine.PutValue:
		w.values[c.Value.Ref] = c.Value.Data
		line = fmt.Sprintf("value %d bytes", len(c.Value.Data))
	case machine.CollectItems:
		w.collect[c.Path] = c.Frame
		line = "collect " + c.Path
	case machine.AskApproval:
		w.asked[c.Path] = c.Frame
		line = fmt.Sprintf("ask %s %q by %s needs %d%s", c.Path, c.Title, strings.Join(c.By, ","), c.Needs, until(c.Expires))
	}
	w.lines = append(w.lines, "  "+line)
}

func again(attempt int) string {
	if attempt == 1 {
		return ""
	}
	return fmt.Sprintf("#%d", attempt)
}

func until(deadline time.Time) string {
	if deadline.IsZero() {
		return ""
	}
	return " until +" + deadline.Sub(epoch()).String()
}

func failureText(f *engine.Failure) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf(" [%s %s at %s: %s]", f.Class, f.Code, f.Step, strings.ReplaceAll(f.Message, "`", "'"))
}

func (w *teller) pathOf(frame machine.FrameID) string {
	paths := []string{}
	for path, c := range w.frames {
		if c.Frame == frame {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return strings.Join(paths, ",")
}
