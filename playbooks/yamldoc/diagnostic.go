package yamldoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Severity says whether a diagnostic keeps a file from being used.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // the file cannot be used
	Warning Severity = "warning" // it can, but it probably does not do what was meant
)

// Diagnostic is one thing wrong with a file. Lines and columns count from 1,
// columns and lengths in characters; Line is 0 where the whole file is meant.
type Diagnostic struct {
	Path       string   `json:"path"`
	Line       int      `json:"line"`
	Column     int      `json:"column"`
	Length     int      `json:"length"`
	Severity   Severity `json:"severity"`
	Code       string   `json:"code"`                 // stable, for machines: "unknown-key"
	Message    string   `json:"message"`              // the cause, in one line
	Suggestion string   `json:"suggestion,omitempty"` // the nearest known name
	Hint       string   `json:"hint,omitempty"`       // what to write instead
	Snippet    Snippet  `json:"snippet,omitzero"`     // the line it points at
}

// Snippet is a source line made safe to print, and clipped around the place meant.
type Snippet struct {
	Text   string `json:"text"`
	Offset int    `json:"offset"` // characters before the place
	Length int    `json:"length"` // characters of the place, at least 1
}

// NewDiagnostic makes an error about a file as a whole: one that cannot be read.
func NewDiagnostic(path, code, format string, args ...any) Diagnostic {
	return Diagnostic{Path: path, Severity: Error, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrorIn is an error at a place of a file that is known by its line and
// column only, from 1; at line 0 it is about the file as a whole.
func ErrorIn(path string, data []byte, line, column int, code, format string, args ...any) Diagnostic {
	d := NewDiagnostic(path, code, format, args...)
	if line > 0 {
		d.Line, d.Column, d.Length = line, max(column, 1), 1
		d.Snippet = newSnippet(newSource(path, string(data)).line(line), d.Column, d.Length)
	}
	return d
}

// WithHint is d that also says what to write instead.
func (d Diagnostic) WithHint(format string, args ...any) Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// WithSuggestion is d that proposes a name; "" proposes nothing.
func (d Diagnostic) WithSuggestion(name string) Diagnostic {
	d.Suggestion = name
	return d
}

// AsWarning is d that does not keep the file from being used.
func (d Diagnostic) AsWarning() Diagnostic {
	d.Severity = Warning
	return d
}

// HasErrors reports whether one of the diagnostics is an error.
func HasErrors(list []Diagnostic) bool {
	return slices.ContainsFunc(list, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sort orders diagnostics by path, line and column and drops those that say
// the same of the same place. It returns a new slice.
func Sort(list []Diagnostic) []Diagnostic {
	out := slices.Clone(list)
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
	)
}

// Headline is the first line of a rendered diagnostic:
// PATH:LINE:COL: error: cause (did you mean X?) [code].
func (d Diagnostic) Headline() string {
	var b strings.Builder
	b.WriteString(printable(d.Path))
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
	}
	fmt.Fprintf(&b, ": %s: %s", d.Severity, printable(d.Message))
	if d.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", printable(d.Suggestion))
	}
	fmt.Fprintf(&b, " [%s]", d.Code)
	return b.String()
}

// String is the diagnostic for people: the headline, the source line with a
// caret under the place, and the hint. It ends with a newline and holds no
// control characters beside newlines.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.Headline() + "\n")
	if d.Snippet.Text != "" {
		number := fmt.Sprintf("%5d", d.Line)
		carets := strings.Repeat("^", max(d.Snippet.Length, 1))
		fmt.Fprintf(&b, "%s | %s\n", number, d.Snippet.Text)
		fmt.Fprintf(&b, "%s | %s%s\n", strings.Repeat(" ", len(number)), strings.Repeat(" ", d.Snippet.Offset), carets)
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "      hint: %s\n", printable(d.Hint))
	}
	return b.String()
}

// Render is all diagnostics for people, in the order given.
func Render(list []Diagnostic) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(d.String())
	}
	return b.String()
}

// snippetWidth is how many characters of a line are shown at most.
const snippetWidth = 120

func newSnippet(line string, column, length int) Snippet {
	runes := []rune(clipLine(line, column))
	for i, r := range runes {
		runes[i] = safe(r)
	}
	before := min(column-1, len(runes))
	from := 0
	if before+length > snippetWidth {
		from = max(0, before-snippetWidth/3)
	}
	to := min(len(runes), from+snippetWidth)
	text, offset := string(runes[from:to]), before-from
	if from > 0 {
		text, offset = "…"+text, offset+1
	}
	if to < len(runes) {
		text += "…"
	}
	return Snippet{Text: text, Offset: offset, Length: max(1, min(length, to-before))}
}

// clipLine keeps a line of a megabyte from being decoded to its end for a
// snippet of a hundred characters.
func clipLine(line string, column int) string {
	const bytesPerRune = 4
	return line[:min(len(line), (column+2*snippetWidth)*bytesPerRune)]
}

// printable is text as one line without characters that act on a terminal or
// reorder what is read.
func printable(text string) string {
	return strings.Map(safe, text)
}

func safe(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case unicode.IsControl(r) || hidden(r):
		return unicode.ReplacementChar
	default:
		return r
	}
}

// hidden reports characters that make a line read differently from what it says.
func hidden(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // bidirectional overrides and isolates
		return true
	case r == 0x2028, r == 0x2029, r == 0xFEFF, r == 0x200E, r == 0x200F, r == 0x061C:
		return true
	default:
		return false
	}
}
