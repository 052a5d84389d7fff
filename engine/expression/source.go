package expression

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// Bounds on what is compiled.
const (
	maxSource = 16 << 10 // bytes
	maxNodes  = 2000     // of the syntax tree
	maxNested = 2        // predicates within predicates
)

// span is a stretch of the source in bytes.
type span struct{ from, to int }

// token is a token with its place in bytes; mate is the index of the bracket
// that closes or opens it, -1 for everything else.
type token struct {
	span
	mate int
}

// source is an expression's text with what is needed to point into it. The
// parser counts in runes and gives a node the place of one token only, its
// operator or name; span widens that to the whole of the node.
type source struct {
	text   string
	bytes  []int // byte offset of each rune and of the end; nil when both are the same
	tokens []token
	spans  map[ast.Node]span
}

// parse reads the text. A problem leaves the node nil.
func parse(text string) (src *source, root ast.Node, problem *Problem) {
	src = &source{text: text, spans: make(map[ast.Node]span)}
	if wrong := checkText(text); wrong != nil {
		return src, nil, wrong
	}
	src.countRunes()
	defer func() {
		if recover() != nil { // the parser is another's: a mistake there must not end the process
			root, problem = nil, &Problem{Length: len(text), Code: codeSyntax, Message: "this is not an expression"}
		}
	}()
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		problem = src.syntaxProblem(err)
		return src, nil, problem
	}
	src.readTokens()
	ast.Walk(&tree.Node, chainer{})
	return src, tree.Node, nil
}

// chainer lets a chain go on over an index: the parser ends it there, so that
// a?.b[0] would be an error where a is nil, though a?.b.c is none.
type chainer struct{}

// Visit puts a member of a chain into the chain.
func (chainer) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		if chain, ok := n.Node.(*ast.ChainNode); ok {
			n.Node, chain.Node = chain.Node, n
			ast.Patch(node, chain)
		}
	case *ast.ChainNode:
		if chain, ok := n.Node.(*ast.ChainNode); ok {
			ast.Patch(node, chain)
		}
	}
}

func checkText(text string) *Problem {
	if len(text) > maxSource {
		return &Problem{Length: len(text), Code: codeBounds, Message: fmt.Sprintf("an expression can have at most %d bytes, this one has %d", maxSource, len(text))}
	}
	if strings.TrimSpace(text) == "" {
		return &Problem{Length: len(text), Code: codeSyntax, Message: "the expression is empty"}
	}
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return &Problem{Offset: i, Length: 1, Code: codeSyntax, Message: "this is not valid UTF-8"}
		}
	}
	return nil
}

func (s *source) countRunes() {
	if utf8.RuneCountInString(s.text) == len(s.text) {
		return
	}
	for i := range s.text {
		s.bytes = append(s.bytes, i)
	}
	s.bytes = append(s.bytes, len(s.text))
}

// toByte converts a position of the parser, which may lie past the end.
func (s *source) toByte(runes int) int {
	if s.bytes == nil {
		return min(max(runes, 0), len(s.text))
	}
	return s.bytes[min(max(runes, 0), len(s.bytes)-1)]
}

func (s *source) readTokens() {
	tokens, err := lexer.Lex(file.NewSource(s.text))
	if err != nil {
		return // cannot be: the parser has read the same tokens
	}
	var open []int
	for _, t := range tokens {
		if t.Kind == lexer.EOF {
			break
		}
		here := token{span{s.toByte(t.From), s.toByte(t.To)}, -1}
		s.tokens = append(s.tokens, here)
		if t.Kind != lexer.Bracket {
			continue
		}
		if t.Value == "(" || t.Value == "[" || t.Value == "{" {
			open = append(open, len(s.tokens)-1)
		} else if len(open) > 0 {
			i, j := open[len(open)-1], len(s.tokens)-1
			open, s.tokens[i].mate, s.tokens[j].mate = open[:len(open)-1], j, i
		}
	}
}

// at is the index of the token that begins at the byte, or -1.
func (s *source) at(from int) int {
	i, found := slices.BinarySearchFunc(s.tokens, from, func(t token, from int) int { return t.from - from })
	if !found {
		return -1
	}
	return i
}

// span is the stretch a node takes up, brackets included.
func (s *source) span(n ast.Node) span {
	if known, ok := s.spans[n]; ok {
		return known
	}
	first, last := s.tokenRange(n)
	where := span{0, len(s.text)}
	if first >= 0 && last < len(s.tokens) {
		where = span{s.tokens[first].from, s.tokens[last].to}
	}
	s.spans[n] = where
	return where
}

func (s *source) tokenRange(n ast.Node) (first, last int) {
	first, last = len(s.tokens), -1
	if hasOwnToken(n) {
		first, last = s.own(n)
	}
	for _, child := range children(n) {
		where := s.span(child)
		first = min(first, s.at(where.from))
		last = max(last, s.endingAt(where.to))
	}
	if last < 0 {
		return -1, -1
	}
	return s.balance(first, last)
}

// endingAt is the index of the token that ends at the byte, or -1.
func (s *source) endingAt(to int) int {
	i, found := slices.BinarySearchFunc(s.tokens, to, func(t token, to int) int { return t.to - to })
	if !found {
		return -1
	}
	return i
}

// own is the range of the node's own tokens, without its children.
func (s *source) own(n ast.Node) (first, last int) {
	first = s.at(s.toByte(n.Location().From))
	last = first
	next := first + 1
	if first < 0 || next >= len(s.tokens) {
		return first, last
	}
	switch n := n.(type) {
	case *ast.PointerNode:
		if n.Name != "" {
			last = next // #index is two tokens
		}
	case *ast.BuiltinNode, *ast.CallNode:
		if s.tokens[next].mate > next {
			last = s.tokens[next].mate
		}
	case *ast.VariableDeclaratorNode:
		first-- // let
	}
	return first, last
}

// balance widens a range until every bracket in it has its mate in it too.
func (s *source) balance(first, last int) (int, int) {
	if first < 0 {
		return -1, -1
	}
	for i := first; i <= last; i++ {
		mate := s.tokens[i].mate
		if mate > last {
			last = mate
		}
		if mate >= 0 && mate < first {
			first, i = mate, mate
		}
	}
	return first, last
}

// hasOwnToken is false for nodes whose place says nothing about them.
func hasOwnToken(n ast.Node) bool {
	switch n.(type) {
	case *ast.ConditionalNode, *ast.PairNode, *ast.SequenceNode:
		return false
	}
	return true
}

func children(n ast.Node) []ast.Node {
	var out []ast.Node
	switch n := n.(type) {
	case *ast.UnaryNode:
		out = []ast.Node{n.Node}
	case *ast.BinaryNode:
		out = []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		out = []ast.Node{n.Node}
	case *ast.MemberNode:
		out = []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		out = []ast.Node{n.Node, n.From, n.To}
	case *ast.CallNode:
		out = append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		out = slices.Clone(n.Arguments)
	case *ast.PredicateNode:
		out = []ast.Node{n.Node}
	case *ast.ConditionalNode:
		out = []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		out = []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		out = slices.Clone(n.Nodes)
	case *ast.ArrayNode:
		out = slices.Clone(n.Nodes)
	case *ast.MapNode:
		out = slices.Clone(n.Pairs)
	case *ast.PairNode:
		out = []ast.Node{n.Key, n.Value}
	}
	return slices.DeleteFunc(out, func(n ast.Node) bool { return n == nil })
}

// quote is a node's text for a message: without line breaks, and clipped.
func (s *source) quote(n ast.Node) string {
	where := s.span(n)
	return clip(s.text[where.from:where.to])
}

// clip makes a text fit into a message.
func clip(text string) string {
	const limit = 80
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// syntaxProblem words an error of the parser.
func (s *source) syntaxProblem(err error) *Problem {
	p := &Problem{Length: len(s.text), Code: codeSyntax, Message: "this is not an expression"}
	var at *file.Error
	if !errors.As(err, &at) {
		return p
	}
	p.Offset = s.toByte(at.From)
	p.Length = max(0, s.toByte(at.To)-p.Offset)
	p.reword(at.Message)
	if p.Message == endsEarly {
		p.Offset, p.Length = len(strings.TrimRight(s.text, " \t\r\n")), 0
	}
	return p
}

const endsEarly = "the expression ends too early"

func (p *Problem) reword(message string) {
	unexpected := ""
	if m := regexp.MustCompile(`(?s)^unexpected token \w+\("(.*)"\)$`).FindStringSubmatch(message); len(m) > 1 {
		unexpected = m[1]
	}
	switch {
	case strings.Contains(message, "unexpected token EOF"), message == "unexpected end of expression":
		p.Message = endsEarly
	case strings.Contains(message, "maximum allowed nodes"):
		p.Code, p.Message = codeBounds, fmt.Sprintf("an expression can have at most %d parts", maxNodes)
	case strings.Contains(message, "cannot be mixed"):
		p.Message = "`??` beside another operator needs parentheses"
		p.Hint = "write `(a ?? b) == c`"
	case message == "literal not terminated":
		p.Message = "this text has no closing quote"
	case unexpected == "=":
		p.Message, p.Suggestion = "unexpected `=`", "=="
		p.Hint = "to compare, write `==`"
	case unexpected == ":":
		p.Message = "unexpected `:`"
		p.Hint = "a map as the value for each element needs parentheses: `map(list, ({id: .id}))`"
	case unexpected != "":
		p.Message = "unexpected `" + clip(unexpected) + "`"
	default:
		p.Message = lowerFirst(message)
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
