package yamldoc

import (
	"strings"
	"unicode/utf8"
)

// scan reads a scalar again from the source, to know where each byte of its
// value came from. The parser keeps only where it began.
type scan struct {
	text string
	pos  int
	out  []byte
	from []int // source offset of each byte of out
}

func (s *scan) emit(text string, at int) {
	for range len(text) {
		s.from = append(s.from, at)
	}
	s.out = append(s.out, text...)
}

func (s *scan) copy() {
	s.emit(s.text[s.pos:s.pos+1], s.pos)
	s.pos++
}

// offsets is the source offset of each byte of the node's text, and of its
// end. Where reading again does not give the same text, all are the beginning.
func (n *Node) offsets() []int {
	if n.kind == Scalar {
		s := n.rescan()
		if string(s.out) == n.value {
			return append(s.from, s.pos)
		}
	}
	at := make([]int, len(n.value)+1)
	for i := range at {
		at[i] = n.start
	}
	return at
}

func (n *Node) rescan() scan {
	s := scan{text: n.src.text, pos: n.start}
	switch n.style {
	case singleQuoted, doubleQuoted:
		s.quoted()
	case literal:
		s.literal(n.value)
	case folded:
		s.folded(n.value)
	default:
		s.plain(len(n.value))
	}
	return s
}

// rawLength is how many bytes of the source to underline.
func (n *Node) rawLength() int {
	if n.kind != Scalar {
		return 1
	}
	if n.style == literal || n.style == folded {
		return 1
	}
	s := n.rescan()
	if string(s.out) != n.value {
		return 1
	}
	if n.style != plain {
		s.pos++ // the closing quote
	}
	return s.pos - n.start
}

func (s *scan) plain(length int) {
	for s.pos < len(s.text) && len(s.out) < length {
		if s.atSpace() {
			s.space()
		} else {
			s.copy()
		}
	}
}

// quoted reads up to the closing quote.
func (s *scan) quoted() {
	if s.pos >= len(s.text) {
		return
	}
	quote := s.text[s.pos]
	s.pos++
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '\'' && quote == c && strings.HasPrefix(s.text[s.pos:], "''"):
			s.emit("'", s.pos)
			s.pos += 2
		case c == quote:
			return
		case s.atSpace():
			s.space()
		case c == '\\' && quote == '"':
			s.escape()
		default:
			s.copy()
		}
	}
}

func (s *scan) atSpace() bool {
	return s.pos < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.pos]) >= 0
}

// skipSpace passes blanks and line breaks and counts the breaks.
func (s *scan) skipSpace() (breaks int) {
	for s.atSpace() {
		if n := breakAt(s.text, s.pos); n > 0 {
			breaks++
			s.pos += n
		} else {
			s.pos++
		}
	}
	return breaks
}

// space folds line breaks: one is a space, each further one a newline.
func (s *scan) space() {
	start := s.pos
	switch breaks := s.skipSpace(); breaks {
	case 0:
		end := s.pos
		for s.pos = start; s.pos < end; {
			s.copy()
		}
	case 1:
		s.emit(" ", start)
	default:
		s.emit(strings.Repeat("\n", breaks-1), start)
	}
}

// escape reads a backslash and what follows it.
func (s *scan) escape() {
	start := s.pos
	s.pos++
	if breakAt(s.text, s.pos) > 0 {
		s.emit(strings.Repeat("\n", s.skipSpace()-1), start)
		return
	}
	if s.pos >= len(s.text) {
		return
	}
	c := s.text[s.pos]
	s.pos++
	if digits := strings.IndexByte("xuU", c); digits >= 0 {
		s.codePoint(start, 2<<digits)
		return
	}
	s.emit(escaped(c), start)
}

func (s *scan) codePoint(start, digits int) {
	r := rune(0)
	for range digits {
		if s.pos >= len(s.text) {
			return
		}
		r = r<<4 | rune(strings.IndexByte("0123456789abcdef", s.text[s.pos]|0x20)&0xf)
		s.pos++
	}
	s.emit(string(utf8.AppendRune(nil, r)), start)
}

// escaped is what a backslash and the character stand for.
func escaped(c byte) string {
	switch c {
	case '0':
		return "\x00"
	case 'a':
		return "\a"
	case 'b':
		return "\b"
	case 't', '\t':
		return "\t"
	case 'n':
		return "\n"
	case 'v':
		return "\v"
	case 'f':
		return "\f"
	case 'r':
		return "\r"
	case 'e':
		return "\x1b"
	case 'N':
		return "\u0085"
	case '_':
		return "\u00a0"
	case 'L':
		return "\u2028"
	case 'P':
		return "\u2029"
	default:
		return string(c)
	}
}

// nextLine is the line from the position on without its break, and the
// position after the break.
func (s *scan) nextLine() (line string, next int) {
	end := s.pos
	for end < len(s.text) && breakAt(s.text, end) == 0 {
		end++
	}
	return s.text[s.pos:end], end + breakAt(s.text, end)
}

// literal reads a | block: line for line the value, each with the same indent cut off.
func (s *scan) literal(value string) {
	_, s.pos = s.nextLine() // the header
	for rest := value; rest != ""; {
		want, after, broken := strings.Cut(rest, "\n")
		line, next := s.nextLine()
		if !strings.HasSuffix(line, want) {
			return
		}
		s.pos += len(line) - len(want)
		s.emitAlong(want)
		if broken {
			s.emit("\n", s.pos)
			s.pos = next
		}
		rest = after
	}
}

// emitAlong copies text that stands at the position as it is.
func (s *scan) emitAlong(text string) {
	for range len(text) {
		s.copy()
	}
}

// folded reads a > block: neighbouring lines become one unless they are
// indented further.
func (s *scan) folded(value string) {
	_, s.pos = s.nextLine()
	indent, blanks, previous := -1, 0, ""
	for s.pos < len(s.text) && len(s.out) < len(value) {
		line, next := s.nextLine()
		if indent < 0 {
			indent = foldIndent(line, value)
		}
		content := line[min(max(indent, 0), len(line)):]
		if indent < 0 || strings.Trim(line[:len(line)-len(content)], " ") != "" || content == "" {
			blanks, s.pos = blanks+1, next
			continue
		}
		s.emit(foldBreak(previous, content, blanks), s.pos)
		s.pos += len(line) - len(content)
		s.emitAlong(content)
		blanks, previous, s.pos = 0, content, next
	}
	s.tail(value)
}

// tail takes the line breaks a block ends with, however it chomps them.
func (s *scan) tail(value string) {
	if rest, ok := strings.CutPrefix(value, string(s.out)); ok && strings.Trim(rest, "\n") == "" {
		s.emit(rest, min(s.pos, len(s.text)))
	}
}

// foldIndent is how much of a block's first line with text is indentation, or
// -1 while there is no text.
func foldIndent(line, value string) int {
	first, _, _ := strings.Cut(strings.TrimLeft(value, "\n"), "\n")
	text := strings.TrimLeft(line, " ")
	if text == "" {
		return -1
	}
	return len(line) - len(text) - (len(first) - len(strings.TrimLeft(first, " ")))
}

// foldBreak is what a folded block makes of the break between two lines with
// so many empty ones between them.
func foldBreak(previous, next string, empty int) string {
	indented := func(line string) bool { return strings.IndexAny(line, " \t") == 0 }
	switch {
	case previous == "":
		return strings.Repeat("\n", empty)
	case indented(previous) || indented(next):
		return strings.Repeat("\n", empty+1)
	case empty == 0:
		return " "
	default:
		return strings.Repeat("\n", empty)
	}
}

// Comment is the comment a plain scalar ends at, without its #, or "". Its
// author may have meant it as a part of the text.
func (n *Node) Comment() string {
	if n.Kind() != Scalar || n.style != plain {
		return ""
	}
	at := n.offsets()
	rest, _, _ := strings.Cut(n.src.text[at[len(at)-1]:], "\n")
	comment, _ := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "#")
	if len(comment) == len(strings.TrimLeft(rest, " \t")) {
		return ""
	}
	return comment
}
