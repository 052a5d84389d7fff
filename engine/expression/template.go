package expression

import "strings"

// Segment is a stretch of a string that may hold ${{ … }}.
type Segment struct {
	Literal string // text outside; "$${{" stands for a literal "${{"
	Source  string // the expression inside, without the braces and outer space
	IsExpr  bool
	Offset  int // byte offset of Literal or Source in the scanned string
}

const (
	opening      = "${{"
	closing      = "}}"
	codeTemplate = "template"
)

// Scan splits a string at its ${{ … }}, minding string literals, braces and
// comments inside them. An unclosed one, and one without an expression, is a
// problem; then there are no segments.
func Scan(s string) ([]Segment, []Problem) {
	var scan scanner
	for at := 0; at < len(s); {
		i := strings.Index(s[at:], opening)
		if i < 0 {
			scan.literal(s[at:], at)
			break
		}
		begin := at + i
		if begin > at && s[begin-1] == '$' {
			scan.literal(s[at:begin-1]+opening, at)
			at = begin + len(opening)
			continue
		}
		scan.literal(s[at:begin], at)
		at = scan.expression(s, begin)
	}
	if len(scan.problems) > 0 {
		return nil, scan.problems
	}
	return scan.segments, nil
}

type scanner struct {
	segments []Segment
	problems []Problem
}

// literal adds text, to the segment before it where that is text too.
func (sc *scanner) literal(text string, at int) {
	if text == "" {
		return
	}
	if n := len(sc.segments); n > 0 && !sc.segments[n-1].IsExpr {
		sc.segments[n-1].Literal += text
		return
	}
	sc.segments = append(sc.segments, Segment{Literal: text, Offset: at})
}

// expression adds what stands between the braces at begin, and gives the place after it.
func (sc *scanner) expression(s string, begin int) int {
	from := begin + len(opening)
	to, openQuote := endOf(s, from)
	if to < 0 {
		p := Problem{Offset: begin, Length: len(opening), Code: codeTemplate, Message: "unclosed `${{`", Hint: "end the expression with `}}`; for the characters themselves write `$${{`"}
		if openQuote {
			p.Hint = "a quotation mark in it has no counterpart"
		}
		sc.problems = append(sc.problems, p)
		return len(s)
	}
	source := strings.TrimSpace(s[from:to])
	if source == "" {
		sc.problems = append(sc.problems, Problem{Offset: begin, Length: to + len(closing) - begin, Code: codeTemplate, Message: "there is no expression between `${{` and `}}`"})
		return to + len(closing)
	}
	sc.segments = append(sc.segments, Segment{Source: source, IsExpr: true, Offset: from + strings.Index(s[from:to], source)})
	return to + len(closing)
}

// endOf finds the }} that ends the expression beginning at from: not one in a
// string or a comment, nor one that closes a brace of the expression. It is -1
// where there is none, and then says whether a string was still open.
func endOf(s string, from int) (end int, openQuote bool) {
	depth := 0
	for i := from; i < len(s); {
		switch {
		case s[i] == '"' || s[i] == '\'' || s[i] == '`':
			after := afterString(s, i)
			if after < 0 {
				return -1, true
			}
			i = after
			continue
		case strings.HasPrefix(s[i:], "//"):
			i = after(s, i, "\n")
			continue
		case strings.HasPrefix(s[i:], "/*"):
			i = after(s, i+2, "*/")
			continue
		case s[i] == '{':
			depth++
		case s[i] == '}' && depth > 0:
			depth--
		case strings.HasPrefix(s[i:], closing):
			return i, false
		}
		i++
	}
	return -1, false
}

// after is the place behind the next mark, or the end.
func after(s string, from int, mark string) int {
	i := strings.Index(s[from:], mark)
	if i < 0 {
		return len(s)
	}
	return from + i + len(mark)
}

// afterString is the place behind the string literal that begins at from, -1
// where it does not end. Backticks know no escapes, the others no line breaks.
func afterString(s string, from int) int {
	quote := s[from]
	for i := from + 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1
		case s[i] == '\\' && quote != '`':
			i++
		case s[i] == '\n' && quote != '`':
			return -1
		}
	}
	return -1
}
