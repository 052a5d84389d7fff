package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	tableWidth  = 100 // columns a table of changes takes at most
	tableIndent = 2
	tableGap    = 2
	leastName   = 8  // characters of a name that are kept, whatever stands beside it
	mostDelta   = 32 // a longer change leaves the column to names
)

// columns are the widths of a table of changes.
type columns struct{ target, action, connection, delta int }

// writeTable writes changes to be made in columns, each with where it stands
// and why below it. Nothing of an id and of what is changed is ever cut off:
// what does not fit its column goes to a line of its own.
func writeTable(w io.Writer, list []engine.PlannedChange, p Palette) {
	if len(list) == 0 {
		return
	}
	cols := fit(list)
	header := pad("TARGET", cols.target) + pad("ACTION", cols.action) + pad("CONNECTION", cols.connection)
	if cols.delta > 0 {
		header += "BEFORE → AFTER"
	}
	fmt.Fprintln(w, p.Dim(strings.TrimRight(strings.Repeat(" ", tableIndent)+header, " ")))
	for _, c := range list {
		writeRow(w, c, cols, p)
	}
}

func writeRow(w io.Writer, c engine.PlannedChange, cols columns, p Palette) {
	delta := PlannedDelta(c)
	row := pad(targetCell(c.Target, cols.target), cols.target) + pad(cell(c.Action, cols.action), cols.action) + pad(cell(c.Connection, cols.connection), cols.connection)
	fits := ansi.StringWidth(delta) <= cols.delta
	if fits {
		row += p.Warn(delta)
	}
	fmt.Fprintln(w, strings.Repeat(" ", tableIndent)+strings.TrimRight(row, " "))
	if !fits {
		writeBelow(w, "    ", delta)
	}
	at := Clean(c.Path, 0)
	if c.Why != "" {
		at += "  why: " + Clean(c.Why, 400)
	}
	writeBelow(w, "    ", at)
}

// fit chooses the widths: names give way first, then the column of what is
// changed, and actions and connections have little to give.
func fit(list []engine.PlannedChange) columns {
	c := columns{target: len("TARGET"), action: len("ACTION"), connection: len("CONNECTION"), delta: len("BEFORE → AFTER") - 2}
	least := c.target
	for _, line := range list {
		c.target = max(c.target, ansi.StringWidth(targetCell(line.Target, tableWidth)))
		least = max(least, ansi.StringWidth(targetCell(line.Target, 0)))
		c.action = max(c.action, min(ansi.StringWidth(Clean(line.Action, 0)), 24))
		c.connection = max(c.connection, min(ansi.StringWidth(Clean(line.Connection, 0)), 16))
		if width := ansi.StringWidth(PlannedDelta(line)); width <= mostDelta {
			c.delta = max(c.delta, width)
		}
	}
	room := tableWidth - tableIndent - 3*tableGap - c.action - c.connection
	if least+c.delta > room { // ids that long leave no room for a column
		c.delta = 0
	}
	c.target = min(c.target, max(room-c.delta, least))
	return c
}

// targetCell is a target's name with its id beside it, of which only the name
// is shortened: names are chosen by those who bear them.
func targetCell(t engine.Target, limit int) string {
	id, name := Clean(t.ID, 0), Clean(t.Name, 0)
	switch {
	case id == "":
		return ansi.Truncate(name, max(limit, leastName), "…")
	case name == "" || name == id:
		return "(" + id + ")"
	}
	suffix := " (" + id + ")"
	return ansi.Truncate(name, max(limit-ansi.StringWidth(suffix), leastName), "…") + suffix
}

func cell(s string, limit int) string { return ansi.Truncate(Clean(s, 0), limit, "…") }

// pad fills a cell up to its column and the gap behind it.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)+tableGap)
}

// writeBelow writes text under a line, indented and broken where it would
// leave the table.
func writeBelow(w io.Writer, indent, text string) {
	for _, line := range broken(text, tableWidth-len(indent)) {
		fmt.Fprintln(w, indent+line)
	}
}

// broken breaks a text at its spaces, and only there where that is possible:
// times and ids keep their hyphens together.
func broken(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) > width {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		} else if line != "" {
			line += " "
		}
		line += word
		for ansi.StringWidth(line) > width {
			lines, line = append(lines, ansi.Truncate(line, width, "")), ansi.TruncateLeft(line, width, "")
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}
