package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// mostOpen is how many changes that never came to be tried are named.
const mostOpen = 50

// Kin writes what a run has to do with other runs and plans.
func Kin(w io.Writer, run engine.RunRecord, undoneBy []string) {
	lines := 0
	say := func(format, id string) {
		if id != "" {
			fmt.Fprintf(w, format+"\n", Clean(id, nameWidth))
			lines++
		}
	}
	say("plan %s", run.Plan)
	say("undo of %s", run.UndoOf)
	say("retry of %s", run.RetryOf)
	for _, id := range undoneBy {
		say("undone by %s", id)
	}
	if run.Lifted != "" {
		fmt.Fprintf(w, "its limits were lifted: %s\n", Clean(run.Lifted, 300))
		lines++
	}
	if lines > 0 {
		fmt.Fprintln(w)
	}
}

// writeDetail writes what else the ledger knows of a change.
func writeDetail(w io.Writer, c Change, p Palette) {
	var parts []string
	if text := plannedFor(c); text != "" {
		parts = append(parts, text)
	}
	if c.Of != "" {
		parts = append(parts, "done by "+Clean(c.Of, nameWidth))
	}
	if took, ended := c.Took(); ended {
		parts = append(parts, "took "+Took(took))
	}
	if c.Attempt > 1 {
		parts = append(parts, fmt.Sprintf("%d attempts", c.Attempt))
	}
	if len(c.ApprovedBy) > 0 {
		parts = append(parts, "approved by "+Clean(strings.Join(c.ApprovedBy, ", "), 200))
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "            %s\n", p.Dim(strings.Join(parts, "; ")))
	}
}

// plannedFor says what was planned for a change, where anything was.
func plannedFor(c Change) string {
	switch {
	case c.Planned == nil:
		return ""
	case c.Planned.Outcome != "":
		return "planned: " + string(c.Planned.Outcome)
	case c.Outcome() == engine.OutcomeDone && Delta(c.Planned.Before, c.Planned.After) == Delta(c.Before, c.After):
		return "as planned"
	default:
		return "planned: " + PlannedDelta(*c.Planned)
	}
}

// writeOpen names what was planned and never came to be tried.
func writeOpen(w io.Writer, list []engine.PlannedChange, p Palette) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d\n", p.Bold("Planned, and not done"), len(list))
	for i, c := range list {
		if i == mostOpen {
			fmt.Fprintf(w, "  … and %d more; --output json has them all\n", len(list)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", changeLine(c, p))
	}
	fmt.Fprintln(w)
}
