package screen

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Report is what is known of a run, for its last page and for `runs show`.
type Report struct {
	Run     engine.RunRecord
	Changes []Change               // the ledger: the last attempt of each change, in the order they began
	Counts  map[engine.Outcome]int // of all changes, also of those that are not among Changes
	Loops   []Loop
	Open    []engine.PlannedChange // what was planned and never came to be tried
	Advice  []string               // what to do next, one sentence or command each
	// Detailed also shows, of each change, what was planned, attempts, time and
	// who approved it.
	Detailed bool
}

// Change is one line of the ledger.
type Change struct {
	engine.StepRecord

	Label    string // of the loop's item it belongs to; "" for none
	UnderWay bool   // its run is being carried out, and it has no result yet

	Began      time.Time             // when its first attempt began
	Planned    *engine.PlannedChange // what was planned or approved for it; nil for nothing
	ApprovedBy []string              // people
}

// Took is how long a change took, over all attempts, and whether it has ended.
func (c Change) Took() (time.Duration, bool) {
	if c.EndedAt == nil {
		return 0, false
	}
	return c.EndedAt.Sub(c.Began), true
}

// underWay is shown in place of the outcome that a change does not have yet.
const underWay engine.Outcome = "under way"

// Shown is the outcome as people are told: while a run is carried out, a change
// without a result is nothing to worry about.
func (c Change) Shown() engine.Outcome {
	if c.UnderWay {
		return underWay
	}
	return c.Outcome()
}

// Loop is a foreach with the items people must know of.
type Loop struct {
	Path    string
	Counts  map[engine.Outcome]int
	Trouble []engine.ItemRecord // those that failed, were refused or are unsettled
	Hidden  int                 // of those, how many are left out
}

// Summary writes what a run did: every change with its reason, what was
// refused or failed and why, the outputs, the end, and what to do next.
func Summary(w io.Writer, r Report, p Palette) {
	writeChanges(w, r, p)
	writeOpen(w, r.Open, p)
	for _, loop := range r.Loops {
		writeTrouble(w, loop, r.Changes, p)
	}
	writeOutputs(w, r.Run.Outputs, p)
	fmt.Fprintln(w, ending(r.Run, p))
	if r.Run.Error != nil {
		fmt.Fprintln(w, p.Bad(failure(r.Run.Error)))
	}
	for _, line := range r.Advice {
		fmt.Fprintln(w, line)
	}
}

func writeChanges(w io.Writer, r Report, p Palette) {
	if len(r.Changes) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %s\n", p.Bold("Changes"), Counts(r.Counts))
	for _, c := range r.Changes {
		writeChange(w, c, p)
		if r.Detailed {
			writeDetail(w, c, p)
		}
	}
	if hidden := total(r.Counts) - len(r.Changes); hidden > 0 {
		fmt.Fprintf(w, "  … and %d more; --output json has them all\n", hidden)
	}
	fmt.Fprintln(w)
}

func total(counts map[engine.Outcome]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// Outcome is what became of a change. Nobody knows while only its intent is
// recorded; one that ended without an outcome did not come as far as that.
func (c Change) Outcome() engine.Outcome {
	switch {
	case c.StepRecord.Outcome != "":
		return c.StepRecord.Outcome
	case c.Status == engine.StepFailed, c.Status == engine.StepWaiting:
		return engine.OutcomeFailed
	case c.Status == engine.StepRefused:
		return engine.OutcomeRefused
	case c.Status == engine.StepCancelled:
		return engine.OutcomeSkipped
	default:
		return engine.OutcomeUnsettled
	}
}

// writeChange writes one line of the ledger, and what is to be said about it.
// What would have become of a target that was not changed is left out.
func writeChange(w io.Writer, c Change, p Palette) {
	outcome := c.Shown()
	fmt.Fprintf(w, "  %s %s", p.Outcome(outcome, fmt.Sprintf("%-9s", outcome)), who(c, p))
	delta := Delta(c.Before, c.After)
	if delta != "" && (outcome == engine.OutcomeDone || outcome == engine.OutcomeUnsettled || outcome == underWay) {
		fmt.Fprintf(w, "  %s", delta)
	}
	fmt.Fprintf(w, "  %s\n", p.Dim(Clean(c.Action, nameWidth)))
	if c.Why != "" {
		fmt.Fprintf(w, "            why: %s\n", Clean(c.Why, 400))
	}
	if c.Error != nil {
		fmt.Fprintf(w, "            %s\n", p.Bad(cause(c.Error)))
	}
}

// who names the target of a change, with the id beside the names, because
// names are chosen by those who bear them.
func who(c Change, p Palette) string {
	t := engine.Target{}
	if c.Target != nil {
		t = *c.Target
	}
	if c.Label != "" && c.Label != t.ID && c.Label != t.Name {
		return p.Bold(Clean(c.Label, nameWidth)) + " " + named(t, p)
	}
	if t.ID == "" {
		return Clean(c.Path, nameWidth)
	}
	return named(t, p)
}

func named(t engine.Target, p Palette) string {
	switch {
	case t.ID == "":
		return Clean(t.Name, nameWidth)
	case t.Name == "" || t.Name == t.ID:
		return p.Dim("(" + Clean(t.ID, nameWidth) + ")")
	default:
		return Clean(t.Name, nameWidth) + " " + p.Dim("("+Clean(t.ID, nameWidth)+")")
	}
}

// Delta writes the changed fields: "state: active → suspended".
func Delta(before, after json.RawMessage) string { return delta(before, after, nameWidth) }

// delta is Delta with values of at most so many characters.
func delta(before, after json.RawMessage, limit int) string {
	var b, a map[string]any
	if json.Unmarshal(before, &b) != nil || json.Unmarshal(after, &a) != nil {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		was, is := scalar(b[name], limit), scalar(a[name], limit)
		if was != is {
			parts = append(parts, fmt.Sprintf("%s: %s → %s", Clean(name, nameWidth), was, is))
		}
	}
	return strings.Join(parts, ", ")
}

func scalar(v any, limit int) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return Clean(v, limit)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return Clean(string(encoded), limit)
}

// writeTrouble sums a loop up and names the items that failed or were refused
// and stand in no line of the ledger.
func writeTrouble(w io.Writer, loop Loop, told []Change, p Palette) {
	fmt.Fprintf(w, "%s: %s\n", Clean(loop.Path, nameWidth), orNone(Counts(loop.Counts)))
	for _, item := range loop.Trouble {
		path := ItemPath(item)
		if slices.ContainsFunc(told, func(c Change) bool { return c.Error != nil && Within(c.Path, path) }) {
			continue
		}
		why := "nobody knows why"
		if item.Error != nil {
			why = cause(item.Error)
		}
		fmt.Fprintf(w, "  %s %s: %s\n", p.Outcome(item.Outcome, fmt.Sprintf("%-9s", item.Outcome)), itemName(item, p), why)
	}
	if loop.Hidden > 0 {
		fmt.Fprintf(w, "  … and %d more\n", loop.Hidden)
	}
	fmt.Fprintln(w)
}

// ItemPath is the path of an item: what the paths of its steps begin with.
func ItemPath(item engine.ItemRecord) string {
	var b strings.Builder
	for _, r := range item.Key {
		if !strings.ContainsRune("/[]%", r) && !unicode.IsControl(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return item.Path + "[" + b.String() + "]"
}

// Within reports whether a path is that of an item or of a step inside it.
func Within(path, itemPath string) bool {
	rest, ok := strings.CutPrefix(path, itemPath)
	return ok && (rest == "" || rest[0] == '/')
}

func itemName(item engine.ItemRecord, p Palette) string {
	if item.Label == "" || item.Label == item.Key {
		return Clean(item.Key, nameWidth)
	}
	return Clean(item.Label, nameWidth) + " " + p.Dim("("+Clean(item.Key, nameWidth)+")")
}

func writeOutputs(w io.Writer, outputs json.RawMessage, p Palette) {
	var all map[string]json.RawMessage
	if json.Unmarshal(outputs, &all) != nil || len(all) == 0 {
		return
	}
	fmt.Fprintln(w, p.Bold("Outputs"))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(w, "  %s: %s\n", Clean(name, nameWidth), Clean(string(all[name]), 500))
	}
	fmt.Fprintln(w)
}

// ending is the line a tired person looks for first.
func ending(run engine.RunRecord, p Palette) string {
	line := p.Bold(Clean(run.Playbook, nameWidth)) + ": " + p.Run(run.Status)
	if run.FinishedAt != nil {
		line += " in " + Took(run.FinishedAt.Sub(run.CreatedAt))
	}
	return line + p.Dim("  "+run.ID)
}

// failure says where it happened and what.
func failure(f *engine.Failure) string {
	if f.Step == "" {
		return cause(f)
	}
	return Clean(f.Step, nameWidth) + ": " + cause(f)
}

func cause(f *engine.Failure) string {
	return Clean(f.Message, 1000) + " [" + Clean(string(f.Class)+"/"+f.Code, nameWidth) + "]"
}
