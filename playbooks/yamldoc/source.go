package yamldoc

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// source is the text of a file with the byte offset at which each line begins.
type source struct {
	path  string
	text  string
	lines []int
}

func newSource(path, text string) *source {
	s := &source{path: path, text: text, lines: []int{0}}
	for i := 0; i < len(text); i++ {
		if n := breakAt(text, i); n > 0 {
			i += n - 1
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// breakAt is the length of the line break at i, or 0. The other characters
// YAML takes for line breaks are refused before anything is parsed.
func breakAt(text string, i int) int {
	switch {
	case i >= len(text):
		return 0
	case strings.HasPrefix(text[i:], "\r\n"):
		return 2
	case text[i] == '\n' || text[i] == '\r':
		return 1
	default:
		return 0
	}
}

// line is the text of a 1-based line without its break, or "".
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	text := s.text[s.lines[n-1]:]
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:end]
	}
	return text
}

// offset is the byte offset of a 1-based line and column, within the text.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return len(s.text)
	}
	at := s.lines[line-1]
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(s.text[at:])
		at += size
	}
	return min(at, len(s.text))
}

// position is the 1-based line and column, in characters, of a byte offset.
func (s *source) position(offset int) (line, column int) {
	offset = max(0, min(offset, len(s.text)))
	line = sort.SearchInts(s.lines, offset+1)
	return line, utf8.RuneCountInString(s.text[s.lines[line-1]:offset]) + 1
}

// diagnostic points at a stretch of the source, given in bytes.
func (s *source) diagnostic(offset, length int, code, message string) Diagnostic {
	line, column := s.position(offset)
	end := min(offset+max(length, 0), len(s.text))
	runes := 0
	if end > offset {
		stretch, _, _ := strings.Cut(s.text[offset:end], "\n")
		runes = utf8.RuneCountInString(strings.TrimRight(stretch, "\r"))
	}
	return Diagnostic{
		Path: s.path, Line: line, Column: column, Length: max(runes, 1),
		Severity: Error, Code: code, Message: message,
		Snippet: newSnippet(s.line(line), column, max(runes, 1)),
	}
}
