package screen

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Plan is a saved plan as people look at it before anything is done.
type Plan struct {
	Record engine.PlanRecord
	Set    engine.ChangeSet
	Advice []string // what to do next, one sentence or command each
}

// valueWidth is how many characters of a value are shown to who decides on it.
const valueWidth = 1000

// ShortHash is as much of a hash as people compare.
func ShortHash(hash string) string { return hash[:min(len(hash), 12)] }

// WritePlan writes what would be done and what is said against it, and at the
// end the plan's id and hash.
func WritePlan(w io.Writer, pl Plan, p Palette) {
	ChangeSet(w, pl.Set, p)
	if pl.Record.Blocked != nil {
		fmt.Fprintf(w, "%s %s\n", p.Bad("BLOCKED: a run of this would change nothing:"), cause(pl.Record.Blocked))
	}
	r := pl.Record
	fmt.Fprintf(w, "%s  %s  hash %s  made %s by %s\n", p.Bold(r.ID), Clean(r.Playbook, nameWidth), ShortHash(r.Digest),
		r.CreatedAt.UTC().Format(time.RFC3339), Clean(r.Actor.Name, nameWidth))
	if r.UndoOf != "" {
		fmt.Fprintf(w, "it undoes %s\n", Clean(r.UndoOf, nameWidth))
	}
	for _, line := range pl.Advice {
		fmt.Fprintln(w, line)
	}
}

// ChangeSet writes a change set: a table of what would be changed, then what
// would not and why, the messages, the approvals, and what is not known yet.
func ChangeSet(w io.Writer, set engine.ChangeSet, p Palette) {
	fmt.Fprintf(w, "%s: %s\n", p.Bold("Changes"), Planned(set))
	writeTable(w, set.Pending(), p)
	fmt.Fprintln(w)
	writeOthers(w, set, p)
	writeAnnouncements(w, set.Announcements, p)
	writeApprovals(w, set.Approvals, p)
	writeUnforeseen(w, set, p)
	writePopulations(w, set.Populations)
	if set.Failure != nil {
		fmt.Fprintf(w, "%s %s\n\n", p.Bad("The run would fail:"), failure(set.Failure))
	}
	fmt.Fprintln(w, completeness(set, p))
}

// Planned counts a change set's lines: "3 to make, 1 refused".
func Planned(set engine.ChangeSet) string {
	counts := map[engine.Outcome]int{}
	for _, c := range set.Changes {
		counts[c.Outcome]++
	}
	var parts []string
	if n := counts[""]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d to make", n))
	}
	if others := Counts(counts); others != "" {
		parts = append(parts, others)
	}
	return orNone(strings.Join(parts, ", "))
}

// PlannedDelta writes what a line of a plan changes, and for how long.
func PlannedDelta(c engine.PlannedChange) string {
	text := orNone(delta(c.Before, c.After, valueWidth))
	if c.For != "" {
		text += " for " + Clean(c.For, nameWidth)
	}
	return text
}

// writeOthers names the lines of which nothing would be done; those that need
// nothing are only counted.
func writeOthers(w io.Writer, set engine.ChangeSet, p Palette) {
	told := 0
	for _, c := range set.Changes {
		if c.Outcome == "" || c.Outcome == engine.OutcomeUnchanged {
			continue
		}
		if told++; told == 1 {
			fmt.Fprintf(w, "%s\n", p.Bold("Left as it is"))
		}
		fmt.Fprintf(w, "  %s %s  %s\n", p.Outcome(c.Outcome, fmt.Sprintf("%-9s", c.Outcome)), named(c.Target, p), p.Dim(Clean(c.Action, nameWidth)))
		if c.Error != nil {
			writeBelow(w, "            ", cause(c.Error))
		}
	}
	if told > 0 {
		fmt.Fprintln(w)
	}
}

func writeAnnouncements(w io.Writer, list []engine.PlannedAnnouncement, p Palette) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s (none is sent before the run comes to it)\n", p.Bold("Messages"))
	for _, a := range list {
		fmt.Fprintf(w, "  %s  %s over %s\n", Clean(a.Path, nameWidth), Clean(a.Action, nameWidth), Clean(a.Connection, nameWidth))
		switch text := MessageText(a); {
		case a.After != "":
			fmt.Fprintf(w, "    what it says is known only after %s\n", Clean(a.After, nameWidth))
		case text != "":
			writeBelow(w, "    ", text)
		}
	}
	fmt.Fprintln(w)
}

// MessageText is what a message would say: its text, else all its inputs as
// JSON; "" where they are not known.
func MessageText(a engine.PlannedAnnouncement) string {
	var inputs struct {
		Text json.RawMessage `json:"text"`
	}
	if len(a.Inputs) == 0 || string(a.Inputs) == "null" {
		return ""
	}
	if json.Unmarshal(a.Inputs, &inputs) == nil && len(inputs.Text) > 0 {
		return Clean(spoken(inputs.Text), 500)
	}
	return Clean(string(a.Inputs), 500)
}

// spoken reads a text, which stands in JSON as a string or in parts that may
// be wrapped in an object with a tag.
func spoken(raw json.RawMessage) string {
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return plain
	}
	var text engine.Text
	if json.Unmarshal(raw, &text) == nil {
		return text.String()
	}
	var tagged map[string]engine.Text
	if json.Unmarshal(raw, &tagged) == nil && len(tagged) == 1 {
		for _, text := range tagged {
			return text.String()
		}
	}
	return string(raw)
}

func writeApprovals(w io.Writer, list []engine.PlannedApproval, p Palette) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, p.Bold("Approvals that would be asked for"))
	for _, a := range list {
		fmt.Fprintf(w, "  %s  %s\n    %s\n", Clean(a.Path, nameWidth), Clean(a.Title, 200), Deciders(a.By, a.Needs))
	}
	fmt.Fprintln(w)
}

// Deciders says who may decide, and how many of them it takes.
func Deciders(by []string, needs int) string {
	who := "anybody under `people:` in the configuration"
	if len(by) > 0 {
		clean := make([]string, len(by))
		for i, name := range by {
			clean[i] = Clean(name, nameWidth)
		}
		who = strings.Join(clean, ", ")
	}
	if needs > 1 {
		return fmt.Sprintf("%s: %d different people", who, needs)
	}
	return who + ": one person"
}

func writeUnforeseen(w io.Writer, set engine.ChangeSet, p Palette) {
	if len(set.Unforeseen) == 0 {
		return
	}
	fmt.Fprintln(w, p.Bold("Known only later"))
	for _, u := range set.Unforeseen {
		line := fmt.Sprintf("  %s  known only after %s", Clean(u.Path, nameWidth), Clean(u.After, nameWidth))
		if u.Changes {
			line += p.Warn("  (it may change something)")
		}
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
}

func writePopulations(w io.Writer, list []engine.Population) {
	for _, pop := range list {
		fmt.Fprintf(w, "Population of %s: %d\n", Clean(pop.Connection, nameWidth), pop.Count)
	}
	if len(list) > 0 {
		fmt.Fprintln(w)
	}
}

// completeness says whether more may be changed than is listed.
func completeness(set engine.ChangeSet, p Palette) string {
	switch {
	case set.Failure != nil:
		return p.Warn("Incomplete:") + " what would come behind the failure is not known"
	case set.Bound != "":
		return p.Warn("Incomplete:") + " looking ahead ended early: " + Clean(set.Bound, 300)
	case !set.Complete:
		return p.Warn("Incomplete:") + " what is known only later may change more than is listed"
	default:
		return "Complete: nothing else would be changed"
	}
}

// Difference is what lies between two change sets, of the changes to be made.
type Difference struct {
	Added   []engine.PlannedChange
	Removed []engine.PlannedChange
	Altered []Alteration
}

// Alteration is one line that stands in both sets, but differs.
type Alteration struct{ Was, Is engine.PlannedChange }

// Compare finds what has changed from one set to another, by path.
func Compare(was, is engine.ChangeSet) Difference {
	var d Difference
	before, after := was.Pending(), is.Pending()
	for _, c := range after {
		at := slices.IndexFunc(before, func(b engine.PlannedChange) bool { return b.Path == c.Path })
		switch {
		case at < 0:
			d.Added = append(d.Added, c)
		case !sameChange(before[at], c):
			d.Altered = append(d.Altered, Alteration{Was: before[at], Is: c})
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(c engine.PlannedChange) bool { return b.Path == c.Path }) {
			d.Removed = append(d.Removed, b)
		}
	}
	return d
}

// sameChange compares what a hash of a change set covers.
func sameChange(a, b engine.PlannedChange) bool {
	one, other := engine.ChangeSet{Changes: []engine.PlannedChange{a}}, engine.ChangeSet{Changes: []engine.PlannedChange{b}}
	return one.Hash() == other.Hash()
}

// WriteDifference writes one line for each change that came, went or differs.
func WriteDifference(w io.Writer, d Difference, p Palette) {
	for _, c := range d.Added {
		fmt.Fprintf(w, "  %s %s\n", p.Bad("+ added  "), changeLine(c, p))
	}
	for _, c := range d.Removed {
		fmt.Fprintf(w, "  %s %s\n", p.Good("- removed"), changeLine(c, p))
	}
	for _, a := range d.Altered {
		fmt.Fprintf(w, "  %s %s\n", p.Warn("~ altered"), changeLine(a.Is, p))
		fmt.Fprintf(w, "            was: %s\n", changeLine(a.Was, p))
	}
	if len(d.Added)+len(d.Removed)+len(d.Altered) == 0 {
		fmt.Fprintln(w, "  the same changes, of another version of the playbook or with other names and reasons")
	}
}

func changeLine(c engine.PlannedChange, p Palette) string {
	return fmt.Sprintf("%s  %s  %s", named(c.Target, p), p.Dim(Clean(c.Action, nameWidth)), PlannedDelta(c))
}
