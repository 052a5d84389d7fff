package screen

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Header writes what a run is: who started it, when, with what.
func Header(w io.Writer, run engine.RunRecord, now time.Time, p Palette) {
	fmt.Fprintf(w, "%s  %s  %s\n", p.Bold(run.ID), Clean(run.Playbook, nameWidth), p.Run(run.Status))
	fmt.Fprintf(w, "started %s (%s ago) by %s via %s\n", run.CreatedAt.UTC().Format(time.RFC3339), Took(now.Sub(run.CreatedAt)),
		Clean(run.Actor.Name, nameWidth), Clean(run.Actor.Via, nameWidth))
	if s := string(run.Inputs); s != "" && s != "{}" && s != "null" {
		fmt.Fprintf(w, "inputs %s\n", Clean(s, 500))
	}
	fmt.Fprintln(w)
}

// Steps writes the tree of recorded steps, indented by their paths. The items
// of loops are summed up by Summary.
func Steps(w io.Writer, steps []engine.StepRecord, p Palette) {
	for _, s := range steps {
		line := strings.Repeat("  ", strings.Count(s.Path, "/")) + p.Step(s.Status, mark(s.Status)) + " " + stepName(s, p)
		line += "  " + p.Step(s.Status, string(s.Status))
		if s.EndedAt != nil && s.Status != engine.StepSkipped {
			line += p.Dim("  " + Took(s.EndedAt.Sub(s.StartedAt)))
		}
		if s.Attempt > 1 {
			line += p.Warn(fmt.Sprintf("  attempt %d", s.Attempt))
		}
		fmt.Fprintln(w, line+because(s))
	}
	if len(steps) > 0 {
		fmt.Fprintln(w)
	}
}
