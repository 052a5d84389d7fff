package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

const (
	barWidth  = 20 // characters of a progress bar
	nameWidth = 60 // characters of a step's name
)

// Tree turns views of a run into the lines of a live frame. It remembers when
// it saw each step first, because a view does not say how long a step takes.
type Tree struct {
	palette Palette
	started map[string]time.Time
	took    map[string]time.Duration
	turn    int
}

// NewTree makes a tree that has seen nothing yet.
func NewTree(p Palette) *Tree {
	return &Tree{palette: p, started: map[string]time.Time{}, took: map[string]time.Duration{}}
}

// Lines draws a view for a terminal of that many columns and rows. Where the
// tree is higher than the terminal its first lines give way, because what
// happens now stands at the end.
func (t *Tree) Lines(v machine.View, now time.Time, columns, rows int) []string {
	t.turn++
	var lines []string
	for _, s := range v.Root {
		lines = t.add(lines, s, now, 0)
	}
	if room := max(rows-2, 3); len(lines) > room {
		over := len(lines) - room + 1
		lines = append([]string{t.palette.Dim(fmt.Sprintf("… %d lines above", over))}, lines[over:]...)
	}
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], max(columns-1, 10), "…")
	}
	return lines
}

func (t *Tree) add(lines []string, s machine.StepView, now time.Time, depth int) []string {
	lines = append(lines, strings.Repeat("  ", depth)+t.line(s, now))
	for _, child := range s.Steps {
		lines = t.add(lines, child, now, depth+1)
	}
	return lines
}

func (t *Tree) line(s machine.StepView, now time.Time) string {
	sign := t.palette.Step(s.Status, t.sign(s.Status))
	parts := []string{sign, Clean(title(s), nameWidth)}
	if s.Form == program.FormForeach && s.Total > 0 {
		parts = append(parts, t.progress(s))
	}
	if d := t.duration(s, now); d >= 50*time.Millisecond {
		parts = append(parts, t.palette.Dim(Took(d)))
	}
	if s.Status == engine.StepWaiting && s.Wake.After(now) {
		parts = append(parts, t.palette.Warn("again in "+Took(s.Wake.Sub(now))))
	}
	if s.Failure != nil {
		parts = append(parts, t.palette.Bad(Clean(s.Failure.Message, 200)))
	}
	return strings.Join(parts, "  ")
}

// sign turns while a step is under way.
func (t *Tree) sign(s engine.StepStatus) string {
	if s != engine.StepStarted {
		return mark(s)
	}
	frames := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	return frames[t.turn%len(frames)]
}

func (t *Tree) progress(s machine.StepView) string {
	finished := 0
	for _, n := range s.Counts {
		finished += n
	}
	full := barWidth * min(finished, s.Total) / s.Total
	bar := t.palette.Good(strings.Repeat("█", full)) + t.palette.Dim(strings.Repeat("░", barWidth-full))
	return fmt.Sprintf("%s %d/%d  %s", bar, finished, s.Total, Counts(s.Counts))
}

func (t *Tree) duration(s machine.StepView, now time.Time) time.Duration {
	if d, ended := t.took[s.Path]; ended {
		return d
	}
	first, seen := t.started[s.Path]
	if !seen {
		first = now
		t.started[s.Path] = now
	}
	d := now.Sub(first)
	if over(s.Status) {
		t.took[s.Path] = d
	}
	return d
}

func over(s engine.StepStatus) bool {
	return s != "" && s != engine.StepStarted && s != engine.StepWaiting
}

// title is what a step is called: its title and, of an item, the path's end.
func title(s machine.StepView) string {
	if s.Title != "" {
		return s.Title
	}
	return s.Path
}

// Counts lists how many items ended how, the good ones first.
func Counts(byOutcome map[engine.Outcome]int) string {
	var parts []string
	for _, o := range outcomes() {
		if n := byOutcome[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

func outcomes() []engine.Outcome {
	return []engine.Outcome{
		engine.OutcomeDone, engine.OutcomeUnchanged, engine.OutcomeSkipped,
		engine.OutcomeRefused, engine.OutcomeFailed, engine.OutcomeUnsettled, underWay,
	}
}

// Took writes how long something took, as precisely as people care.
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.Truncate(time.Second).String())
	}
}
