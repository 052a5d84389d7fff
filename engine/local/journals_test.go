package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/enginetest"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// journals holds a folder for each version of machine.Semantics, with journals
// of runs that were carried out by it. None of them is ever changed.
const journals = "testdata/journals"

// replayer is the machine of one version of the semantics.
type replayer struct {
	begin   func(*program.Program) *machine.Machine
	restore func(*program.Program, []byte, machine.Lookup) (*machine.Machine, error)
}

// replayers are the versions that this engine can carry on, by their numbers.
func replayers() map[int]replayer {
	return map[int]replayer{machine.Semantics: {machine.New, machine.Restore}}
}

// Runs that were parked by an earlier Drawbridge go on: what each version
// decided is decided still, whatever the others decide.
func TestJournalsOfEveryVersionReplay(t *testing.T) {
	recordMissing(t)
	versions := journalVersions(t)
	if !slices.Contains(versions, machine.Semantics) {
		t.Errorf("there are no journals of machine.Semantics %d. Once its decisions are final, record them: go test ./engine/local -run Journals -record", machine.Semantics)
	}
	for _, v := range versions {
		t.Run(strconv.Itoa(v), func(t *testing.T) {
			r, ok := replayers()[v]
			if !ok {
				t.Fatalf("this engine refuses runs of machine.Semantics %d, and has %d: whoever upgrades loses what is parked. Keep the decisions of %d in the machine, let Engine.load choose by RunRecord.Semantics, and add what it chooses to replayers() here; its journals stay as they are", v, machine.Semantics, v)
			}
			for _, file := range journalFiles(t, v) {
				j := readJournal(t, file)
				t.Run(j.name, func(t *testing.T) { j.replay(t, r) })
			}
		})
	}
}

// What is not in a journal is not kept: every form of step, every kind of event
// and every command is in one.
func TestJournalsHoldEverything(t *testing.T) {
	missing := map[string]bool{}
	for _, form := range []program.Form{
		program.FormUses, program.FormSteps, program.FormForeach, program.FormParallel, program.FormSwitch, program.FormWhile, program.FormApprove,
		program.FormWait, program.FormCall, program.FormSet, program.FormTry, program.FormFail, program.FormReturn,
	} {
		missing["form "+string(form)] = true
	}
	for _, kind := range []machine.EventKind{
		machine.Started, machine.StepDone, machine.ItemsCollected, machine.TimerDue, machine.CancelRequested, machine.Decided, machine.Halted, machine.Signalled,
	} {
		missing["event "+string(kind)] = true
	}
	for _, command := range []string{"run", "cancel", "value", "item", "step", "collect", "ask"} {
		missing["command "+command] = true
	}
	for _, file := range journalFiles(t, machine.Semantics) {
		j := readJournal(t, file)
		for _, e := range j.entries {
			delete(missing, "event "+e.stored.Kind)
			for _, line := range e.commands {
				word, _, _ := strings.Cut(line, " ")
				delete(missing, "command "+word)
			}
		}
		for _, n := range j.program(t).Nodes {
			delete(missing, "form "+string(n.Form))
		}
	}
	if len(missing) > 0 {
		t.Errorf("no journal of version %d has %q; add a playbook to recordings() and record it: go test ./engine/local -run Journals -record", machine.Semantics, slices.Sorted(maps.Keys(missing)))
	}
}

func journalVersions(t *testing.T) []int {
	t.Helper()
	folders, err := os.ReadDir(journals)
	if err != nil {
		t.Fatal(err)
	}
	var versions []int
	for _, f := range folders {
		v, err := strconv.Atoi(f.Name())
		if err != nil || v < 1 || v > machine.Semantics {
			t.Errorf("%s/%s is no version up to machine.Semantics %d", journals, f.Name(), machine.Semantics)
			continue
		}
		versions = append(versions, v)
	}
	slices.Sort(versions)
	return versions
}

func journalFiles(t *testing.T, version int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(journals, strconv.Itoa(version), "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("there are no journals of version %d in %s", version, journals)
	}
	return files
}

// journal is one file: playbooks, `main.yaml` is the one that was run; `journal`,
// each event as the store keeps it with the commands that follow from it, behind
// it and indented; `values` by reference; `snapshot-SEQ`, the state after the
// event of that number; and `end`.
type journal struct {
	name      string
	sources   map[string]string
	entries   []entry
	values    map[engine.Reference][]byte
	snapshots map[uint64][]byte
	end       string
}

// entry is an event and what the machine decided on it.
type entry struct {
	stored   engine.Event
	commands []string
}

func readJournal(t *testing.T, file string) journal {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	j := journal{
		name: strings.TrimSuffix(filepath.Base(file), ".txtar"), sources: map[string]string{},
		values: map[engine.Reference][]byte{}, snapshots: map[uint64][]byte{},
	}
	for _, part := range archive.Files {
		if err := j.read(part.Name, string(part.Data)); err != nil {
			t.Fatalf("reading %s, %s: %v", file, part.Name, err)
		}
	}
	if len(j.entries) < 2 || len(j.snapshots) < 2 || j.end == "" {
		t.Fatalf("%s has %d events, %d snapshots and the end %q", file, len(j.entries), len(j.snapshots), j.end)
	}
	return j
}

func (j *journal) read(part, text string) error {
	if name, source := strings.CutSuffix(part, ".yaml"); source {
		j.sources[name] = text
		return nil
	}
	if seq, snapshot := strings.CutPrefix(part, "snapshot-"); snapshot {
		n, err := strconv.ParseUint(seq, 10, 64)
		j.snapshots[n] = []byte(strings.TrimSpace(text))
		return err
	}
	switch part {
	case "journal":
		return j.readEntries(text)
	case "values":
		for line := range strings.Lines(text) {
			ref, data, _ := strings.Cut(strings.TrimSpace(line), " ")
			j.values[engine.Reference(ref)] = []byte(data)
		}
	case "end":
		j.end = strings.TrimSpace(text)
	default:
		return fmt.Errorf("it is not known what this is")
	}
	return nil
}

func (j *journal) readEntries(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if command, indented := strings.CutPrefix(line, "  "); indented {
			last := &j.entries[len(j.entries)-1]
			last.commands = append(last.commands, command)
			continue
		}
		stored, err := parseEvent(line)
		if err != nil {
			return err
		}
		j.entries = append(j.entries, entry{stored: stored})
	}
	return nil
}

// format is how a journal is written down.
func (j *journal) format() []byte {
	a := &txtar.Archive{}
	add := func(name string, text string) { a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)}) }
	for _, name := range slices.Sorted(maps.Keys(j.sources)) {
		add(name+".yaml", j.sources[name])
	}
	var events, values strings.Builder
	for _, e := range j.entries {
		fmt.Fprintln(&events, formatEvent(e.stored))
		for _, c := range e.commands {
			fmt.Fprintf(&events, "  %s\n", c)
		}
	}
	add("journal", events.String())
	for _, ref := range slices.Sorted(maps.Keys(j.values)) {
		fmt.Fprintf(&values, "%s %s\n", ref, j.values[ref])
	}
	add("values", values.String())
	for _, seq := range slices.Sorted(maps.Keys(j.snapshots)) {
		add(fmt.Sprintf("snapshot-%d", seq), string(j.snapshots[seq])+"\n")
	}
	add("end", j.end+"\n")
	return txtar.Format(a)
}

func formatEvent(e engine.Event) string {
	return fmt.Sprintf("%d %s %s %s", e.Seq, e.At.Format(time.RFC3339Nano), e.Kind, e.Data)
}

func parseEvent(line string) (engine.Event, error) {
	words := strings.SplitN(line, " ", 4)
	if len(words) < 4 {
		return engine.Event{}, fmt.Errorf("this is no event: %s", line)
	}
	seq, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return engine.Event{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, words[1])
	return engine.Event{Seq: seq, At: at, Kind: words[2], Data: json.RawMessage(words[3])}, err
}

// program compiles the playbooks with the actions of the suite.
func (j *journal) program(t *testing.T) *program.Program {
	t.Helper()
	actions, err := engine.NewActions(enginetest.Actions()...)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := compile(t, j.sources, actions, worldCatalog())
	return p
}

func worldCatalog() engine.Catalog {
	return engine.Catalog{Connections: []engine.ConnectionInfo{{Name: "world", Provider: "enginetest", Capabilities: []engine.Capability{"world"}}}}
}

func (j *journal) lookup(ref engine.Reference) ([]byte, error) {
	if data, ok := j.values[ref]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("the value %s: %w", ref, engine.ErrNotFound)
}

// replay carries the journal out from its beginning, and from each of its snapshots.
func (j *journal) replay(t *testing.T, r replayer) {
	p := j.program(t)
	j.applyAll(t, r.begin(p))
	for seq, data := range j.snapshots {
		m, err := r.restore(p, data, j.lookup)
		if err != nil {
			t.Fatalf("restoring the snapshot after event %d: %v", seq, err)
		}
		if m.Seq() != seq {
			t.Fatalf("the snapshot after event %d is that after event %d", seq, m.Seq())
		}
		j.applyAll(t, m)
	}
}

// applyAll applies what the machine has not heard yet, and wants what was
// decided then.
func (j *journal) applyAll(t *testing.T, m *machine.Machine) {
	t.Helper()
	from := m.Seq()
	for _, e := range j.entries[from:] {
		if got := j.apply(t, m, e.stored); !slices.Equal(got, e.commands) {
			t.Fatalf("replayed from event %d, this event is decided otherwise than in the journal:\n%s\nnow:\n  %s\nthen:\n  %s\nRuns that are parked now would go on otherwise. Where that is wanted, add 1 to machine.Semantics and see CONTRIBUTING.md",
				from+1, formatEvent(e.stored), strings.Join(got, "\n  "), strings.Join(e.commands, "\n  "))
		}
		if want := j.snapshots[e.stored.Seq]; want != nil {
			wantSnapshot(t, m, want)
		}
	}
	if got := endOf(m); got != j.end {
		t.Errorf("replayed from event %d, it ends otherwise:\nnow:  %s\nthen: %s", from+1, got, j.end)
	}
}

func wantSnapshot(t *testing.T, m *machine.Machine, want []byte) {
	t.Helper()
	got, err := m.Snapshot()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("after event %d the state is another, %v:\nnow:  %s\nthen: %s", m.Seq(), err, got, want)
	}
}

// apply reads an event as the engine reads it from its store, and applies it.
func (j *journal) apply(t *testing.T, m *machine.Machine, stored engine.Event) []string {
	t.Helper()
	var ev machine.Event
	if err := json.Unmarshal(stored.Data, &ev); err != nil {
		t.Fatalf("decoding event %d: %v", stored.Seq, err)
	}
	if ev.Seq != stored.Seq || !ev.At.Equal(stored.At) || string(ev.Kind) != stored.Kind {
		t.Errorf("event %d is stored as one of %s, %s", stored.Seq, stored.At, stored.Kind)
	}
	if ev.Value.Ref != "" && ev.Value.Inline == nil {
		ev.Value.Inline = j.values[ev.Value.Ref]
	}
	commands, err := m.Apply(ev)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(commands))
	for i, c := range commands {
		lines[i] = render(t, c)
	}
	return lines
}

// endOf is how a run ended, in one line.
func endOf(m *machine.Machine) string {
	r, over := m.Done()
	if !over {
		return "not over"
	}
	var l line
	l.add("outputs", r.Outputs)
	l.add("failure", r.Failure)
	l.add("reason", r.Reason)
	return l.of(string(r.Status))
}

// line is a command in one line: a word, and what is not empty as NAME=JSON. So
// a field that is added to a command later changes no line of older versions, in
// which it is empty.
type line []string

func (l *line) add(name string, v any) {
	data, err := json.Marshal(v)
	switch {
	case err != nil:
		data = []byte(strconv.Quote(err.Error()))
	case slices.Contains([]string{`""`, "0", "false", "null", "[]", `"0001-01-01T00:00:00Z"`, `{"program":"","node":0}`}, string(data)):
		return
	}
	*l = append(*l, name+"="+string(data))
}

func (l *line) addDuration(name string, d time.Duration) {
	if d != 0 {
		l.add(name, d.String())
	}
}

func (l *line) of(word string) string { return strings.Join(append([]string{word}, *l...), " ") }

// render writes a command. It names every field itself, so that these lines do
// not change when a field in Go is called otherwise.
func render(t *testing.T, c machine.Command) string {
	t.Helper()
	var l line
	switch c := c.(type) {
	case machine.RunStep:
		l.add("frame", c.Frame)
		l.add("deadline", c.Deadline)
		l.addCall(c.Call)
		return l.of("run")
	case machine.CancelStep:
		l.add("frame", c.Frame)
		return l.of("cancel")
	case machine.CollectItems:
		l.add("frame", c.Frame)
		l.add("path", c.Path)
		return l.of("collect")
	case machine.AskApproval:
		l.addQuestion(c)
		return l.of("ask")
	case machine.PutValue:
		l.add("ref", c.Value.Ref)
		l.add("size", len(c.Value.Data))
		return l.of("value")
	case machine.PutItem:
		l.addItem(c.Item)
		return l.of("item")
	case machine.PutStep:
		l.addStep(c.Step)
		return l.of("step")
	default:
		t.Fatalf("how is a %T written? Add it to render", c)
		return ""
	}
}

func (l *line) addCall(c machine.Call) {
	l.add("path", c.Path)
	l.add("attempt", c.Attempt)
	l.add("program", c.Program)
	l.add("node", c.Node)
	l.add("action", c.Action)
	l.add("effect", c.Effect)
	l.add("connection", c.Connection.Name)
	l.add("connections", c.Connection.ByCapability)
	l.add("inputs", c.Inputs)
	l.add("at", c.At)
	l.add("why", c.Why)
	l.addDuration("for", c.For)
	l.add("at_end", c.AtEnd)
	l.addDuration("most", c.Most)
	l.addDuration("warn", c.Warn)
	l.add("earlier", c.Earlier)
	l.add("item", c.Item)
}

func (l *line) addQuestion(a machine.AskApproval) {
	l.add("frame", a.Frame)
	l.add("path", a.Path)
	l.add("title", a.Title)
	l.add("by", a.By)
	l.add("needs", a.Needs)
	l.add("notify", a.Notify)
	l.add("expires", a.Expires)
}

func (l *line) addItem(i engine.ItemRecord) {
	l.add("path", i.Path)
	l.add("index", i.Index)
	l.add("key", i.Key)
	l.add("label", i.Label)
	l.add("outcome", i.Outcome)
	l.add("error", i.Error)
	l.add("ended", i.EndedAt)
}

// addStep leaves out what only the driver of a run fills in.
func (l *line) addStep(s engine.StepRecord) {
	l.add("path", s.Path)
	l.add("attempt", s.Attempt)
	l.add("form", s.Form)
	l.add("action", s.Action)
	l.add("effect", s.Effect)
	l.add("connection", s.Connection)
	l.add("status", s.Status)
	l.add("outcome", s.Outcome)
	l.add("why", s.Why)
	l.add("error", s.Error)
	l.add("began", s.StartedAt)
	l.add("ended", s.EndedAt)
}
