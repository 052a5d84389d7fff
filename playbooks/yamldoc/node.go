package yamldoc

import (
	"fmt"
	"strings"
)

// Kind is what a node is before anybody asked for a type.
type Kind uint8

// The kinds of nodes.
const (
	Null   Kind = iota // nothing, ~ or null
	Scalar             // text; Bool, Integer and Number say whether it is one
	List
	Map
)

// style is how a scalar was written.
type style uint8

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	literal
	folded
)

// Node is a value of a document. It is immutable; an alias is the very node
// its anchor stands at. A nil Node is a Null without a place.
type Node struct {
	src     *source
	kind    Kind
	style   style
	start   int // byte offset of the value, after its anchor
	value   string
	entries []Entry
	items   []*Node
	size    int // nodes in it, aliases expanded
	height  int // levels in it
}

// Entry is one key of a map with its value.
type Entry struct {
	Key   *Node
	Value *Node
}

// Name is the key as text.
func (e Entry) Name() string { return e.Key.value }

// Kind is what the node is.
func (n *Node) Kind() Kind {
	if n == nil {
		return Null
	}
	return n.kind
}

// Entries are the keys of a map in the order written; nil for other kinds.
func (n *Node) Entries() []Entry {
	if n == nil {
		return nil
	}
	return n.entries
}

// Entry finds a key of a map.
func (n *Node) Entry(name string) (Entry, bool) {
	for _, e := range n.Entries() {
		if e.Name() == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Get is the value of a key of a map, or nil.
func (n *Node) Get(name string) *Node {
	e, _ := n.Entry(name)
	return e.Value
}

// FirstKey is the first key of a map, the place to point at when something is
// missing in it; the node itself where it has none.
func (n *Node) FirstKey() *Node {
	if entries := n.Entries(); len(entries) > 0 {
		return entries[0].Key
	}
	return n
}

// Items are the elements of a list; nil for other kinds.
func (n *Node) Items() []*Node {
	if n == nil {
		return nil
	}
	return n.items
}

// Text is the text of a scalar without quotes and escapes; "" for other kinds.
func (n *Node) Text() string {
	if n.Kind() != Scalar {
		return ""
	}
	return n.value
}

// Quoted reports whether a scalar was marked as text by quotes or as a block.
func (n *Node) Quoted() bool { return n != nil && n.style != plain }

// Path is the file the node stands in.
func (n *Node) Path() string {
	if n == nil {
		return ""
	}
	return n.src.path
}

// Position is the line and column the node begins at, from 1.
func (n *Node) Position() (line, column int) {
	if n == nil {
		return 0, 0
	}
	return n.src.position(n.start)
}

// Describe names the node for a message: "a list", `the text "yes"`.
func (n *Node) Describe() string {
	switch n.Kind() {
	case Null:
		return "nothing"
	case List:
		return "a list"
	case Map:
		if len(n.entries) == 0 {
			return "an empty map"
		}
		return "a map"
	case Scalar:
	}
	_, isBool := n.Bool()
	if !n.Quoted() && (isBool || strings.IndexAny(n.value, "0123456789+-.") == 0) {
		return clip(n.value)
	}
	return fmt.Sprintf("the text %q", clip(n.value))
}

// Errorf is an error that points at the node.
func (n *Node) Errorf(code, format string, args ...any) Diagnostic {
	message := fmt.Sprintf(format, args...)
	if n == nil {
		return Diagnostic{Severity: Error, Code: code, Message: message}
	}
	return n.src.diagnostic(n.start, n.rawLength(), code, message)
}

// ErrorAt is an error that points at a stretch of the node's text, given in
// bytes of Text, wherever that stands in the file.
func (n *Node) ErrorAt(offset, length int, code, format string, args ...any) Diagnostic {
	if n == nil {
		return n.Errorf(code, format, args...)
	}
	at := n.offsets()
	offset = max(0, min(offset, len(n.value)))
	end := max(offset, min(offset+length, len(n.value)))
	return n.src.diagnostic(at[offset], at[end]-at[offset], code, fmt.Sprintf(format, args...))
}

// PositionAt is the line and column of a byte of the node's text.
func (n *Node) PositionAt(offset int) (line, column int) {
	if n == nil {
		return 0, 0
	}
	return n.src.position(n.offsets()[max(0, min(offset, len(n.value)))])
}
