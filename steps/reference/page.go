package reference

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// page is Markdown in the making.
type page struct{ b bytes.Buffer }

func newPage(title, introduction string) *page {
	p := &page{}
	p.b.WriteString("<!-- Made by `go run ./cmd/drawbridge gen`. Do not edit. -->\n\n")
	p.b.WriteString("# " + title + "\n\n")
	p.paragraph(introduction)
	return p
}

// bytes is the page, ending in one line break.
func (p *page) bytes() []byte {
	return append(bytes.TrimRight(p.b.Bytes(), "\n"), '\n')
}

func (p *page) heading(level int, text string) {
	p.b.WriteString(strings.Repeat("#", level) + " " + text + "\n\n")
}

func (p *page) paragraph(text string) {
	if text = strings.TrimSpace(text); text != "" {
		p.b.WriteString(text + "\n\n")
	}
}

func (p *page) code(language, text string) {
	fmt.Fprintf(&p.b, "```%s\n%s\n```\n\n", language, strings.TrimRight(text, "\n"))
}

func (p *page) table(head []string, rows [][]string) {
	p.row(head)
	p.b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, cells := range rows {
		p.row(cells)
	}
	p.b.WriteByte('\n')
}

func (p *page) row(cells []string) {
	for _, cell := range cells {
		cell = strings.ReplaceAll(strings.ReplaceAll(cell, "\n", " "), "|", `\|`)
		p.b.WriteString("| " + cell + " ")
	}
	p.b.WriteString("|\n")
}

// fields is a table of fields and of the fields inside them, under a heading;
// nothing where there are none.
func (p *page) fields(title string, fields []engine.Field, exactlyOne [][]string) {
	if len(fields) == 0 {
		return
	}
	p.heading(3, title)
	p.fieldTable(fields, exactlyOne)
}

func (p *page) fieldTable(fields []engine.Field, exactlyOne [][]string) {
	if len(fields) == 0 {
		p.paragraph("None.")
		return
	}
	inputs := hasInputs(fields)
	head := []string{"Name", "Type", "Meaning"}
	if inputs {
		head = []string{"Name", "Type", "Default", "Meaning"}
	}
	var rows [][]string
	for _, f := range flatten(fields, "") {
		row := []string{"`" + f.Name + "`", f.Type.String(), meaning(f)}
		if inputs {
			row = []string{row[0], row[1], fallback(f), row[2]}
		}
		rows = append(rows, row)
	}
	p.table(head, rows)
	for _, group := range exactlyOne {
		p.paragraph("Exactly one of `" + strings.Join(group, "`, `") + "` is needed.")
	}
}

// hasInputs reports whether fields are what people give, not what they get.
func hasInputs(fields []engine.Field) bool {
	for _, f := range fields {
		if f.Required || f.Default != nil || f.Example != "" {
			return true
		}
	}
	return false
}

// flatten lists fields and those inside them, with names such as users[].id.
func flatten(fields []engine.Field, prefix string) []engine.Field {
	var flat []engine.Field
	for _, f := range fields {
		f.Name = prefix + f.Name
		flat = append(flat, f)
		switch {
		case f.Type.Kind == engine.KindMap:
			flat = append(flat, flatten(f.Type.Fields, f.Name+".")...)
		case f.Type.Kind == engine.KindList && f.Type.Elem != nil:
			flat = append(flat, flatten(f.Type.Elem.Fields, f.Name+"[].")...)
		}
	}
	return flat
}

// fallback is what holds where a field is not given.
func fallback(f engine.Field) string {
	switch {
	case f.Required:
		return "*required*"
	case f.Default == nil:
		return ""
	}
	encoded, err := engine.EncodeJSON(f.Default)
	if err != nil {
		return fmt.Sprint(f.Default)
	}
	return code(strings.Trim(string(encoded), `"`))
}

func meaning(f engine.Field) string {
	s := f.Doc
	switch {
	case f.Minimum != nil && f.Maximum != nil:
		s += fmt.Sprintf(" From %d to %d.", *f.Minimum, *f.Maximum)
	case f.Minimum != nil:
		s += fmt.Sprintf(" At least %d.", *f.Minimum)
	case f.Maximum != nil:
		s += fmt.Sprintf(" At most %d.", *f.Maximum)
	}
	if f.Example != "" {
		s += " Example: " + code(f.Example)
	}
	return s
}

// link leads to the section of that name on the same page.
func link(name string) string {
	return "[" + code(name) + "](#" + anchor(name) + ")"
}

// anchor is the fragment of a section of that name.
func anchor(name string) string {
	return strings.NewReplacer(".", "", " ", "-").Replace(strings.ToLower(name))
}
