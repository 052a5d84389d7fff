package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
)

// errorDocument is printed with -o json where a command fails before it has
// anything else to answer.
type errorDocument struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    int    `json:"code"` // the exit code
	Message string `json:"message"`
}

// print writes the one JSON object of a command.
func (a *app) print(doc any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	a.answered = true
	if _, err := a.stdout.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// say writes a line about what happens, for people.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

// table writes rows under a header, in columns, cleaned of everything that
// acts on a terminal. Without rows it says so.
func (a *app) table(header []string, rows [][]string, none string) error {
	if len(rows) == 0 {
		a.say("%s", none)
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, row := range rows {
		clean := make([]string, len(row))
		for i, cell := range row {
			clean[i] = screen.Clean(cell, 100)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(clean, "\t"), "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
