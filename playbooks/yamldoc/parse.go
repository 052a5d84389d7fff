package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of a document.
const (
	MaxSize      = 1 << 20 // bytes of a file
	MaxDepth     = 64      // levels, aliases expanded
	MaxAliases   = 100     // uses of anchors
	MaxExpansion = 10_000  // nodes that aliases may add
)

// Parse reads the one document of a file. With errors the node is nil, or what
// could be read where the rest is still worth checking. It never panics.
func Parse(path string, data []byte) (*Node, []Diagnostic) {
	if len(data) > MaxSize {
		return nil, []Diagnostic{NewDiagnostic(path, "too-large", "the file has %d bytes; at most %d are read", len(data), MaxSize)}
	}
	src := newSource(path, strings.TrimPrefix(string(data), "\ufeff"))
	if d, bad := checkCharacters(src); bad {
		return nil, []Diagnostic{d}
	}
	doc, extra, err := decode(src.text)
	if err != nil {
		return nil, []Diagnostic{syntaxError(src, err)}
	}
	if doc == nil || len(doc.Content) == 0 {
		return nil, []Diagnostic{src.diagnostic(0, 0, "empty", "the file is empty")}
	}
	c := converter{src: src, done: map[*yaml.Node]*Node{}}
	if extra != nil {
		c.report(src.offset(extra.Line, extra.Column), 3, "second-document", "a second document begins here").
			hint("put it in a file of its own")
	}
	root := c.convert(doc.Content[0], 1)
	if c.fatal || c.partial {
		root = nil
	}
	return root, Sort(c.diagnostics)
}

// decode reads the first document and the beginning of a second one.
func decode(text string) (first, second *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // yaml.v3 panics on some comments it cannot place
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	var doc, extra yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("decoding: %w", err)
	}
	if err := dec.Decode(&extra); err == nil {
		second = &extra
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("decoding: %w", err)
	}
	return &doc, second, nil
}

// checkCharacters refuses what editors hide and YAML treats as a line break.
func checkCharacters(src *source) (Diagnostic, bool) {
	for i, r := range src.text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(src.text[i:], "\ufffd"):
			return src.diagnostic(i, 1, "characters", "the file is not UTF-8"), true
		case r == '\t' || r == '\n' || r == '\r':
		case unicode.IsControl(r) || hidden(r) || r == 0xFFFE || r == 0xFFFF:
			return src.diagnostic(i, utf8.RuneLen(r), "characters", fmt.Sprintf("the character U+%04X does not show and is not allowed", r)).
				WithHint(`remove it, or write "\u%04X" inside double quotes`, r), true
		}
	}
	return Diagnostic{}, false
}

// converter turns what yaml.v3 read into nodes of our own and checks it.
type converter struct {
	src         *source
	done        map[*yaml.Node]*Node // nil while it is being converted
	diagnostics []Diagnostic
	aliases     int
	expanded    int
	fatal       bool // nothing more is read
	partial     bool // a value is not what its author meant: only the document itself is worth checking
}

// report adds an error; the result lets the caller add a hint to it.
func (c *converter) report(offset, length int, code, message string) *reported {
	c.diagnostics = append(c.diagnostics, c.src.diagnostic(offset, length, code, message))
	return &reported{&c.diagnostics[len(c.diagnostics)-1]}
}

type reported struct{ d *Diagnostic }

func (r *reported) hint(text string) { r.d.Hint = text }

func (c *converter) convert(y *yaml.Node, depth int) *Node {
	if y.Kind == yaml.AliasNode {
		return c.alias(y, depth)
	}
	n := &Node{src: c.src, start: c.src.offset(y.Line, y.Column), size: 1, height: 1}
	if c.fatal {
		return n
	}
	if depth > MaxDepth {
		c.stop(n.start, "too-deep", fmt.Sprintf("nested more than %d levels deep", MaxDepth))
		return n
	}
	c.done[y] = nil
	c.properties(y, n)
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = Map
		c.mapping(y, n, depth)
	case yaml.SequenceNode:
		n.kind = List
		c.sequence(y, n, depth)
	default:
		scalar(y, n)
	}
	c.done[y] = n
	return n
}

// stop reports an error after which nothing more is read.
func (c *converter) stop(offset int, code, message string) {
	if !c.fatal {
		c.report(offset, 1, code, message)
	}
	c.fatal = true
}

func (c *converter) alias(y *yaml.Node, depth int) *Node {
	at := c.src.offset(y.Line, y.Column)
	c.aliases++
	n, seen := c.done[y.Alias]
	switch {
	case c.aliases > MaxAliases:
		c.stop(at, "aliases", fmt.Sprintf("more than %d aliases", MaxAliases))
	case seen && n == nil:
		c.stop(at, "aliases", fmt.Sprintf("the alias *%s stands inside what it stands for", y.Value))
	case n == nil:
		c.stop(at, "aliases", fmt.Sprintf("the alias *%s stands for nothing", y.Value))
	case depth+n.height-1 > MaxDepth:
		c.stop(at, "too-deep", fmt.Sprintf("nested more than %d levels deep", MaxDepth))
	default:
		if c.expanded += n.size; c.expanded <= MaxExpansion {
			return n
		}
		c.stop(at, "aliases", fmt.Sprintf("aliases expand to more than %d values", MaxExpansion))
	}
	return &Node{src: c.src, start: at, size: 1, height: 1}
}

// properties passes an anchor and refuses a tag in front of a value.
func (c *converter) properties(y *yaml.Node, n *Node) {
	for n.start < len(c.src.text) {
		switch c.src.text[n.start] {
		case '!':
			c.report(n.start, 1, "tag", "a value cannot have a YAML tag").
				hint("a text that begins with ! must be in quotes")
			c.partial = true
			return
		case '&':
			if y.Anchor == "" {
				return
			}
			n.start = c.afterProperty(n.start)
		default:
			return
		}
	}
}

// afterProperty is where the value begins after an anchor. Where the anchor
// stands for an empty value there is nothing, and the anchor stays the place.
func (c *converter) afterProperty(at int) int {
	s := scan{text: c.src.text, pos: at}
	for s.pos < len(s.text) && !s.atSpace() && strings.IndexByte(",[]{}", s.text[s.pos]) < 0 {
		s.pos++
	}
	s.skipSpace()
	return s.pos
}

func (c *converter) sequence(y *yaml.Node, n *Node, depth int) {
	for _, item := range y.Content {
		child := c.convert(item, depth+1)
		n.items = append(n.items, child)
		n.grow(child)
	}
}

func (n *Node) grow(child *Node) {
	n.size += child.size
	n.height = max(n.height, child.height+1)
}

func (c *converter) mapping(y *yaml.Node, n *Node, depth int) {
	seen := make(map[string]*Node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content) && !c.fatal; i += 2 {
		key := c.convert(y.Content[i], depth+1)
		value := c.convert(y.Content[i+1], depth+1)
		n.grow(key)
		n.grow(value)
		if c.key(y.Content[i], key, seen) {
			n.entries = append(n.entries, Entry{Key: key, Value: value})
		}
	}
}

// key checks a key of a map.
func (c *converter) key(y *yaml.Node, key *Node, seen map[string]*Node) bool {
	if c.fatal {
		return false
	}
	if key.kind == Null && y.Kind == yaml.ScalarNode && y.Value != "" {
		key.kind, key.value = Scalar, y.Value // the word null, used as a name
	}
	at, length := key.start, key.rawLength()
	first, twice := seen[key.value]
	switch {
	case key.kind != Scalar || key.value == "":
		c.report(at, length, "key", "a key must be a name, not "+key.Describe())
	case key.value == "<<" && !key.Quoted():
		c.report(at, length, "merge-key", "merge keys (<<) are not supported").hint("write the keys out, or use an alias for the whole value")
		c.partial = true
	case twice:
		line, _ := first.Position()
		c.report(at, length, "duplicate-key", fmt.Sprintf("the key %q is given twice; the first is in line %d", clip(key.value), line))
	default:
		seen[key.value] = key
		return true
	}
	return false
}

func scalar(y *yaml.Node, n *Node) {
	n.kind, n.value = Scalar, y.Value
	switch {
	case y.Style&yaml.SingleQuotedStyle != 0:
		n.style = singleQuoted
	case y.Style&yaml.DoubleQuotedStyle != 0:
		n.style = doubleQuoted
	case y.Style&yaml.LiteralStyle != 0:
		n.style = literal
	case y.Style&yaml.FoldedStyle != 0:
		n.style = folded
	case isNull(y.Value):
		n.kind = Null
	}
}

func isNull(text string) bool {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}
