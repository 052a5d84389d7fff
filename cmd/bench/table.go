package main

import (
	"fmt"
	"io"
)

// row is one line of the table. A bound of 0 means that there is none.
type row struct {
	what   string
	here   string
	floor  string
	ratio  string
	bound  string
	missed bool
}

// table prints its rows as they come: some take minutes.
type table struct {
	out  io.Writer
	rows []row
}

func newTable(out io.Writer) *table {
	t := &table{out: out}
	t.line(row{what: "what", here: "here", floor: "floor", ratio: "ratio", bound: "bound"}, "")
	return t
}

func (t *table) add(r row) {
	t.rows = append(t.rows, r)
	verdict := ""
	switch {
	case r.missed:
		verdict = "MISSED"
	case r.bound != "":
		verdict = "ok"
	}
	t.line(r, verdict)
}

func (t *table) line(r row, verdict string) {
	fmt.Fprintf(t.out, "%-44s %14s %14s %8s %10s %s\n", r.what, r.here, r.floor, r.ratio, r.bound, verdict)
}

func (t *table) missed() int {
	n := 0
	for _, r := range t.rows {
		if r.missed {
			n++
		}
	}
	return n
}
