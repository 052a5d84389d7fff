package playbooktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// codeExpect is the code of an expectation that does not hold.
const codeExpect = "expect"

// Happened is what came of a test.
type Happened struct {
	Run      engine.RunRecord // its status is "" where it could not be started
	Error    *engine.Failure  // the run's, or why it could not be started
	Steps    []engine.StepRecord
	Items    []engine.ItemRecord
	Messages []string
	Grants   []engine.Grant
	Plan     *engine.ChangeSet // nil where the test expects nothing of it
	PlanErr  error             // why there is none
	Aliases  map[string]string // addresses by id
}

// Judge compares what happened with what was expected: what does not hold,
// each at its place in the test file.
func (c *Case) Judge(h Happened) []yamldoc.Diagnostic {
	j := &judge{Happened: h}
	e := c.Expect
	j.end(c)
	if e.changes != nil {
		j.lines(*e.changes, j.changes(), "change")
	}
	if e.plan != nil {
		j.plan(*e.plan)
	}
	if e.grants != nil {
		j.lines(*e.grants, j.grants(), "grant")
	}
	if e.messages != nil {
		j.messages(*e.messages)
	}
	for _, l := range e.items {
		j.items(l)
	}
	j.path(e)
	for _, o := range e.outputs {
		j.output(o)
	}
	return yamldoc.Sort(j.found)
}

type judge struct {
	Happened

	found []yamldoc.Diagnostic
}

func (j *judge) differs(at *yamldoc.Node, format string, args ...any) {
	j.found = append(j.found, at.Errorf(codeExpect, format, args...))
}

// end compares how the run ended. An error that nobody expects is told where
// the status is not what it should be.
func (j *judge) end(c *Case) {
	e := c.Expect
	got := string(j.Run.Status)
	if got == "" {
		got = "that it could not be started"
	}
	if e.status != nil && e.status.value != j.Run.Status {
		j.differs(e.status.at, "status: expected %s, got %s%s", e.status.value, got, because(j.Error))
	}
	if e.failure != nil && !strings.Contains(describe(j.Error), e.failure.value) {
		j.differs(e.failure.at, "error: expected %q in it, got %s", e.failure.value, orNothing(describe(j.Error)))
	}
	if e.status == nil && e.failure == nil && j.Run.Status == "" {
		j.found = append(j.found, c.Failed("the run could not be started%s", because(j.Error)))
	}
}

func describe(f *engine.Failure) string {
	if f == nil {
		return ""
	}
	return string(f.Class) + "/" + f.Code + ": " + f.Message
}

func because(f *engine.Failure) string {
	if f == nil {
		return ""
	}
	at := ""
	if f.Step != "" {
		at = f.Step + ": "
	}
	return " (" + at + describe(f) + ")"
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// made is a change as a test may expect it.
type made struct {
	names   []string
	action  string
	outcome engine.Outcome
}

// String is the change as a message shows it.
func (m made) String() string {
	outcome := m.outcome
	if outcome == "" {
		outcome = "planned"
	}
	return fmt.Sprintf("%s of %s: %s", m.action, m.who(), outcome)
}

func (m made) who() string {
	if len(m.names) > 1 && m.names[1] != "" {
		return m.names[1]
	}
	return m.names[0]
}

func (m made) is(l line) bool {
	named := slices.ContainsFunc(m.names, func(n string) bool { return n != "" && strings.EqualFold(n, l.target) })
	return named && (l.action == "" || l.action == m.action)
}

// changes are the changes the run came to: the last attempt of each.
func (j *judge) changes() []made {
	var paths []string
	last := map[string]engine.StepRecord{}
	for _, s := range j.Steps {
		if s.Effect != engine.Change || s.Form != "uses" || s.Status == engine.StepSkipped {
			continue
		}
		before, seen := last[s.Path]
		if !seen {
			paths = append(paths, s.Path)
		}
		if !seen || s.Attempt >= before.Attempt {
			last[s.Path] = s
		}
	}
	var out []made
	for _, path := range paths {
		out = append(out, j.change(last[path]))
	}
	return out
}

func (j *judge) change(s engine.StepRecord) made {
	m := made{action: s.Action, outcome: outcomeOf(s), names: []string{s.Path}}
	if t := s.Target; t != nil {
		m.names = []string{t.ID, j.Aliases[t.ID], t.Name}
	}
	return m
}

// grants are the temporary changes, whose outcome is their state.
func (j *judge) grants() []made {
	var out []made
	for _, g := range j.Grants {
		names := []string{g.Target.ID, j.Aliases[g.Target.ID], g.Target.Name}
		out = append(out, made{names: names, action: g.Action, outcome: engine.Outcome(g.State)})
	}
	return out
}

// outcomeOf is what became of a change. One that ended without an outcome did
// not come as far as that; nobody knows while only its intent is recorded.
func outcomeOf(s engine.StepRecord) engine.Outcome {
	if s.Outcome != "" {
		return s.Outcome
	}
	switch s.Status {
	case engine.StepFailed, engine.StepWaiting:
		return engine.OutcomeFailed
	case engine.StepRefused:
		return engine.OutcomeRefused
	case engine.StepCancelled:
		return engine.OutcomeSkipped
	default:
		return engine.OutcomeUnsettled
	}
}

// lines compares changes with those expected. What is a line of the file is
// told there, what is no line of it at the whole list.
func (j *judge) lines(expected lines, got []made, what string) {
	if expected.count != nil {
		counts := func(m made) bool { return m.outcome == engine.OutcomeDone || m.outcome == "" }
		if n := int64(count(got, counts)); n != *expected.count {
			j.differs(expected.at, "%ss: expected %d, got %d%s", what, *expected.count, n, listed(got))
		}
		return
	}
	left := slices.Clone(got)
	for _, l := range expected.exact {
		left = j.line(l, left, what)
	}
	for _, m := range left {
		j.differs(expected.at, "a %s was not expected: %s", what, m)
	}
}

// line takes the change that is expected out of those that are left.
func (j *judge) line(l line, left []made, what string) []made {
	i := slices.IndexFunc(left, func(m made) bool { return m.is(l) && m.outcome == l.outcome })
	if i < 0 {
		i = slices.IndexFunc(left, func(m made) bool { return m.is(l) })
	}
	if i < 0 {
		j.differs(l.at, "expected a %s of %s, got none%s", what, l.target, listed(left))
		return left
	}
	if left[i].outcome != l.outcome {
		j.differs(l.wrong, "%s of %s: expected %s, got %s", what, l.target, shown(l.outcome), shown(left[i].outcome))
	}
	return slices.Delete(left, i, i+1)
}

func shown(o engine.Outcome) engine.Outcome {
	if o == "" {
		return "that it is made"
	}
	return o
}

func count[T any](list []T, is func(T) bool) int {
	n := 0
	for _, v := range list {
		if is(v) {
			n++
		}
	}
	return n
}

// listed names the first few changes, for a message.
func listed(all []made) string {
	const most = 5
	if len(all) == 0 {
		return ""
	}
	var parts []string
	for _, m := range all[:min(most, len(all))] {
		parts = append(parts, m.String())
	}
	if len(all) > most {
		parts = append(parts, fmt.Sprintf("%d more", len(all)-most))
	}
	return "; there are " + strings.Join(parts, ", ")
}

func (j *judge) plan(expected lines) {
	if j.Plan == nil {
		j.differs(expected.at, "plan: there is none: %v", j.PlanErr)
		return
	}
	var got []made
	for _, c := range j.Plan.Changes {
		names := append([]string{c.Target.ID, j.Aliases[c.Target.ID], c.Target.Name}, c.Aliases...)
		got = append(got, made{names: names, action: c.Action, outcome: c.Outcome})
	}
	j.lines(expected, got, "planned change")
}

func (j *judge) messages(expected messages) {
	if n := int64(len(j.Messages)); expected.count != nil && expected.count.value != n {
		j.differs(expected.count.at, "messages: expected %d, got %d%s", expected.count.value, n, quoted(j.Messages))
	}
	for _, w := range expected.contains {
		if !j.told(w.value) {
			j.differs(w.at, "messages: expected %q in one of them, got %s", w.value, orNothing(strings.TrimPrefix(quoted(j.Messages), ": ")))
		}
	}
	for _, w := range expected.lacks {
		if j.told(w.value) {
			j.differs(w.at, "messages: expected %q in none of them, got %s", w.value, strings.TrimPrefix(quoted(j.Messages), ": "))
		}
	}
}

func (j *judge) told(text string) bool {
	return slices.ContainsFunc(j.Messages, func(m string) bool { return strings.Contains(m, text) })
}

func quoted(messages []string) string {
	if len(messages) == 0 {
		return ""
	}
	var parts []string
	for _, m := range messages {
		parts = append(parts, fmt.Sprintf("%q", m))
	}
	return ": " + strings.Join(parts, ", ")
}

// items compares the items of a loop: all of them.
func (j *judge) items(l loop) {
	var got []engine.ItemRecord
	for _, it := range j.Items {
		if Matches(l.step.path, it.Path) {
			got = append(got, it)
		}
	}
	for _, expected := range l.items {
		i := slices.IndexFunc(got, func(it engine.ItemRecord) bool {
			return strings.EqualFold(it.Key, expected.name) || strings.EqualFold(it.Label, expected.name)
		})
		if i < 0 {
			j.differs(expected.at, "%s: expected the item %s, got none", l.step.name, expected.name)
			continue
		}
		if got[i].Outcome != expected.outcome {
			j.differs(expected.at, "%s: expected %s for %s, got %s%s", l.step.name, expected.outcome, expected.name, got[i].Outcome, because(got[i].Error))
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, it := range got {
		j.differs(l.step.at, "%s: an item was not expected: %s (%s): %s", l.step.name, it.Label, it.Key, it.Outcome)
	}
}

// path compares which steps ran, in the order they began.
func (j *judge) path(e Expect) {
	var ran []string
	for _, s := range j.Steps {
		if s.Status != engine.StepSkipped {
			ran = append(ran, s.Path)
		}
	}
	if e.ran != nil {
		j.order(e.ran.value, ran)
	}
	if e.notRan == nil {
		return
	}
	for _, s := range e.notRan.value {
		if slices.ContainsFunc(ran, func(path string) bool { return Matches(s.path, path) }) {
			j.differs(s.at, "path: expected that %s does not run, and it did", s.name)
		}
	}
}

func (j *judge) order(expected []step, ran []string) {
	after := 0
	for _, s := range expected {
		matches := func(path string) bool { return Matches(s.path, path) }
		i := slices.IndexFunc(ran[after:], matches)
		switch {
		case i >= 0:
			after += i + 1
		case slices.ContainsFunc(ran, matches):
			j.differs(s.at, "path: expected that %s runs after those named before it, and it ran earlier", s.name)
		default:
			j.differs(s.at, "path: expected that %s runs, and it did not", s.name)
		}
	}
}

func (j *judge) output(o output) {
	var all map[string]json.RawMessage
	if len(j.Run.Outputs) > 0 {
		if err := json.Unmarshal(j.Run.Outputs, &all); err != nil {
			j.differs(o.key, "outputs: they cannot be read: %v", err)
			return
		}
	}
	got, there := all[o.key.Text()]
	switch {
	case !there:
		j.differs(o.value, "outputs: expected %s of %s, got nothing", o.json, o.key.Text())
	case !bytes.Equal(got, o.json):
		j.differs(o.value, "outputs: expected %s of %s, got %s", o.json, o.key.Text(), got)
	}
}
