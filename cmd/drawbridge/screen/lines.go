package screen

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// mostItemLines is how many items of a run that went wrong get a line of their
// own while it runs; the report at the end names them all.
const mostItemLines = 20

// Lines reports a run's progress as plain lines: one where a step begins, one
// where it ends. The steps inside a loop are summed up with the loop, except
// where an item failed or was refused.
type Lines struct {
	out     io.Writer
	palette Palette
	began   map[string]bool
	loops   map[string]map[engine.Outcome]int
	whole   map[string]bool      // loops of which every item was reported here
	wakes   map[string]time.Time // until when a step was said to wait
	told    int
}

// NewLines makes a reporter that has reported nothing yet.
func NewLines(out io.Writer, p Palette) *Lines {
	return &Lines{
		out: out, palette: p, began: map[string]bool{}, loops: map[string]map[engine.Outcome]int{},
		whole: map[string]bool{}, wakes: map[string]time.Time{},
	}
}

// Update writes what has just become known of steps and items.
func (l *Lines) Update(steps []engine.StepRecord, items []engine.ItemRecord) {
	for _, item := range items {
		l.item(item)
	}
	for _, s := range steps {
		if !InLoop(s.Path) {
			l.step(s)
		}
	}
}

// InLoop reports whether a path is that of a step inside an item or a round.
func InLoop(path string) bool { return strings.Contains(path, "[") }

func (l *Lines) item(item engine.ItemRecord) {
	if l.loops[item.Path] == nil {
		l.loops[item.Path] = map[engine.Outcome]int{}
	}
	l.loops[item.Path][item.Outcome]++
	if item.Error == nil || l.told > mostItemLines {
		return
	}
	if l.told++; l.told > mostItemLines {
		fmt.Fprintln(l.out, "more items failed or were refused; the report names them")
		return
	}
	fmt.Fprintf(l.out, "%s[%s]: %s: %s\n", Clean(item.Path, nameWidth), itemName(item, l.palette),
		l.palette.Outcome(item.Outcome, string(item.Outcome)), Clean(item.Error.Message, 300))
}

func (l *Lines) step(s engine.StepRecord) {
	name := stepName(s, l.palette)
	switch {
	case s.Status == engine.StepStarted:
		l.whole[s.Path] = true
		l.begin(s.Path, name)
	case s.Status == engine.StepWaiting:
		fmt.Fprintf(l.out, "%s: %s\n", name, l.palette.Warn("waiting")+because(s))
	case over(s.Status):
		fmt.Fprintf(l.out, "%s: %s\n", name, l.ended(s))
	}
}

// Begun reports the steps that are open in a view: the beginning of an
// action's call is not recorded, and it may last.
func (l *Lines) Begun(steps []machine.StepView) {
	for _, s := range steps {
		switch s.Status {
		case engine.StepStarted:
			l.begin(s.Path, Clean(s.Path, nameWidth))
		case engine.StepWaiting:
			l.wait(s)
		default: // ended, which its record tells
		}
		if s.Form != program.FormForeach && s.Form != program.FormWhile {
			l.Begun(s.Steps)
		}
	}
}

// wait says once until when a step waits, and what for.
func (l *Lines) wait(s machine.StepView) {
	if !l.wakes[s.Path].Equal(s.Wake) {
		l.wakes[s.Path] = s.Wake
		fmt.Fprintf(l.out, "%s: %s%s\n", Clean(s.Path, nameWidth), l.palette.Warn("waiting"), waitsFor(s))
	}
}

func (l *Lines) begin(path, name string) {
	if !l.began[path] {
		l.began[path] = true
		fmt.Fprintf(l.out, "%s: started\n", name)
	}
}

// stepName is a step's path with the action it carries out.
func stepName(s engine.StepRecord, p Palette) string {
	name := Clean(s.Path, nameWidth)
	if s.Action != "" {
		name += p.Dim(" (" + Clean(s.Action, nameWidth) + ")")
	}
	return name
}

func (l *Lines) ended(s engine.StepRecord) string {
	text := l.palette.Step(s.Status, string(s.Status))
	if s.EndedAt != nil && s.Status != engine.StepSkipped {
		text += l.palette.Dim(" in " + Took(s.EndedAt.Sub(s.StartedAt)))
	}
	if s.Form == "foreach" && l.whole[s.Path] {
		text += "; items: " + orNone(Counts(l.loops[s.Path]))
	}
	return text + because(s)
}

// because is why a step ended as it did: its failure, or the reason of a return.
func because(s engine.StepRecord) string {
	switch {
	case s.Error != nil:
		return ": " + Clean(s.Error.Message, 300)
	case s.Form == string(program.FormReturn) && s.Why != "":
		return ": " + Clean(s.Why, 300)
	default:
		return ""
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// waitsFor says what a step waits for, and until when.
func waitsFor(s machine.StepView) string {
	when := s.Wake.UTC().Format("2006-01-02 15:04:05Z")
	switch {
	case s.Form == program.FormApprove && s.Wake.IsZero():
		return " for approval"
	case s.Form == program.FormApprove:
		return " for approval, until " + when
	case s.Form == program.FormWait && s.Wake.IsZero():
		return " for a signal"
	case s.Form == program.FormWait:
		return ", until " + when
	default:
		return ", again at " + s.Wake.UTC().Format("15:04:05Z")
	}
}
