package screen

import (
	"image/color"

	"charm.land/lipgloss/v2"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Palette gives meaning a colour. The zero Palette writes no escape sequences.
type Palette struct{ colour bool }

// NewPalette makes a palette; without colour every method returns its text as it is.
func NewPalette(colour bool) Palette { return Palette{colour: colour} }

// Good is for what went as it should.
func (p Palette) Good(s string) string { return p.paint(s, lipgloss.Green) }

// Warn is for what a person should look at.
func (p Palette) Warn(s string) string { return p.paint(s, lipgloss.Yellow) }

// Bad is for what went wrong.
func (p Palette) Bad(s string) string { return p.paint(s, lipgloss.Red) }

// Busy is for what is under way.
func (p Palette) Busy(s string) string { return p.paint(s, lipgloss.Cyan) }

// Dim is for what can be passed over.
func (p Palette) Dim(s string) string {
	if !p.colour || s == "" {
		return s
	}
	return lipgloss.NewStyle().Faint(true).Render(s)
}

// Bold is for what must not be passed over.
func (p Palette) Bold(s string) string {
	if !p.colour || s == "" {
		return s
	}
	return lipgloss.NewStyle().Bold(true).Render(s)
}

func (p Palette) paint(s string, c color.Color) string {
	if !p.colour || s == "" {
		return s
	}
	return lipgloss.NewStyle().Foreground(c).Render(s)
}

// Run colours a run's status.
func (p Palette) Run(s engine.RunStatus) string {
	switch s {
	case engine.RunSucceeded:
		return p.Good(string(s))
	case engine.RunFailed, engine.RunBlocked, engine.RunDenied, engine.RunDrifted:
		return p.Bad(string(s))
	case engine.RunRunning, engine.RunQueued:
		return p.Busy(string(s))
	default:
		return p.Warn(string(s))
	}
}

// Step colours text by a step's status.
func (p Palette) Step(s engine.StepStatus, text string) string {
	switch s {
	case engine.StepSucceeded:
		return p.Good(text)
	case engine.StepFailed:
		return p.Bad(text)
	case engine.StepStarted, engine.StepWaiting:
		return p.Busy(text)
	case engine.StepSkipped:
		return p.Dim(text)
	default:
		return p.Warn(text)
	}
}

// Outcome colours text by an item's or a change's outcome.
func (p Palette) Outcome(o engine.Outcome, text string) string {
	switch o {
	case engine.OutcomeDone:
		return p.Good(text)
	case engine.OutcomeFailed:
		return p.Bad(text)
	case engine.OutcomeUnchanged, engine.OutcomeSkipped:
		return p.Dim(text)
	default:
		return p.Warn(text)
	}
}

// mark is the sign in front of a step.
func mark(s engine.StepStatus) string {
	switch s {
	case engine.StepSucceeded:
		return "✓"
	case engine.StepPartial:
		return "◐"
	case engine.StepFailed:
		return "✗"
	case engine.StepSkipped:
		return "–"
	case engine.StepRefused:
		return "⊘"
	case engine.StepUnsettled:
		return "?"
	case engine.StepCancelled:
		return "×"
	case engine.StepWaiting:
		return "…"
	default:
		return "•"
	}
}
