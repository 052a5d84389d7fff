package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The codes of problems.
const (
	codeSyntax          = "syntax"
	codeUnknownName     = "unknown-name"
	codeUnknownField    = "unknown-field"
	codeUnknownFunction = "unknown-function"
	codeType            = "type"
	codeOptional        = "optional"
	codeEnum            = "enum"
	codeDynamic         = "dynamic"
	codeNotRun          = "not-run"
	codeBounds          = "bounds"
	codeClash           = "clash"
)

// checker finds the type of every node of one expression. It goes on after a
// problem, with the zero Type for what it does not know.
type checker struct {
	src       *source
	scope     *Scope
	functions []function
	problems  []Problem
	types     map[ast.Node]engine.Type
	reads     []Path
	elements  []element       // of the predicates around the node, innermost last
	lets      []engine.Field  // the variables around the node
	facts     map[string]int  // paths that are not nil here
	chains    []*bool         // of the chains around the node: whether ?. can give nil
	optional  map[string]bool // dotted reads that may be missing
	mixed     bool            // an integer may stand for a number in the result
	builds    bool            // the expression can make a value larger than those it is given
}

// element is what # and #acc are in a predicate.
type element struct {
	item engine.Type
	acc  *engine.Type // only in reduce
}

func newChecker(src *source, scope *Scope) *checker {
	return &checker{src: src, scope: scope, functions: functions(), types: make(map[ast.Node]engine.Type), facts: make(map[string]int), optional: make(map[string]bool)}
}

// problem reports one thing wrong with a node.
func (c *checker) problem(n ast.Node, code, format string, args ...any) *Problem {
	where := c.src.span(n)
	c.problems = append(c.problems, Problem{Offset: where.from, Length: where.to - where.from, Code: code, Message: fmt.Sprintf(format, args...)})
	return &c.problems[len(c.problems)-1]
}

// check finds the type of a node and notes what it reads.
func (c *checker) check(n ast.Node) engine.Type {
	t := c.infer(n)
	if path, ok := c.readPath(n); ok {
		c.reads = append(c.reads, path)
	}
	return t
}

// infer is check without the note, for the inner links of a path.
func (c *checker) infer(n ast.Node) engine.Type {
	t := c.inferOf(n)
	if t.Optional && c.facts[c.key(n)] > 0 {
		t = t.Certain()
	}
	c.types[n] = t
	return t
}

func (c *checker) inferOf(n ast.Node) engine.Type {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.ChainNode:
		return c.chain(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.mapping(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		return c.callNode(n)
	}
	return c.literal(n)
}

// literal is the type of what stands for itself.
func (c *checker) literal(n ast.Node) engine.Type {
	switch n.(type) {
	case *ast.NilNode:
		return typeNull()
	case *ast.BoolNode:
		return engine.TypeBool()
	case *ast.IntegerNode:
		return engine.TypeInteger()
	case *ast.FloatNode:
		return engine.TypeNumber()
	case *ast.StringNode:
		return engine.TypeString()
	case *ast.SequenceNode:
		c.problem(n, codeSyntax, "only one expression can stand here").Hint = "`;` is for `let name = value; …`"
	case *ast.BytesNode:
		c.problem(n, codeType, "there are no byte strings").Hint = "leave the `b` before the quote out"
	default:
		c.problem(n, codeSyntax, "this cannot stand in an expression")
	}
	return engine.Type{}
}

// readPath is the static read a node stands for.
func (c *checker) readPath(n ast.Node) (Path, bool) {
	var links []ast.Node
	for n != nil {
		switch link := n.(type) {
		case *ast.ChainNode:
			n = link.Node
		case *ast.MemberNode:
			links = append(links, link.Property)
			n = link.Node
		case *ast.IdentifierNode:
			_, isRoot := c.scope.root(link.Value)
			return namesOf(link.Value, links), isRoot && !c.isLet(link.Value)
		default:
			return nil, false
		}
	}
	return nil, false
}

func namesOf(root string, links []ast.Node) Path {
	path := Path{root}
	for _, link := range slices.Backward(links) {
		name, ok := link.(*ast.StringNode)
		if !ok {
			break
		}
		path = append(path, name.Value)
	}
	return path
}

// unique are paths, sorted and without duplicates.
func unique(paths []Path) []Path {
	slices.SortFunc(paths, slices.Compare)
	return slices.CompactFunc(paths, slices.Equal)
}

// key names a path that can be known not to be nil, or is "".
func (c *checker) key(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.PointerNode:
		return fmt.Sprintf("#%d%s", len(c.elements), n.Name)
	case *ast.ChainNode:
		return c.key(n.Node)
	case *ast.MemberNode:
		base := c.key(n.Node)
		if name, ok := n.Property.(*ast.StringNode); ok && base != "" {
			return base + "." + name.Value
		}
	}
	return ""
}

// knownBy are the paths that are not nil where the condition has the value.
func (c *checker) knownBy(condition ast.Node, value bool) []string {
	switch n := condition.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return c.knownBy(n.Node, !value)
		}
	case *ast.BinaryNode:
		switch {
		case (n.Operator == "&&" || n.Operator == "and") && value, (n.Operator == "||" || n.Operator == "or") && !value:
			return append(c.knownBy(n.Left, value), c.knownBy(n.Right, value)...)
		case n.Operator == "!=" && value, n.Operator == "==" && !value:
			return c.comparedWithNil(n)
		}
	}
	return nil
}

func (c *checker) comparedWithNil(n *ast.BinaryNode) []string {
	if _, ok := n.Right.(*ast.NilNode); ok {
		return c.withPrefixes(n.Left)
	}
	if _, ok := n.Left.(*ast.NilNode); ok {
		return c.withPrefixes(n.Right)
	}
	return nil
}

// withPrefixes is the path and those it begins with: a?.b is not nil only
// where a is not.
func (c *checker) withPrefixes(n ast.Node) []string {
	var keys []string
	for n != nil {
		if key := c.key(n); key != "" {
			keys = append(keys, key)
		}
		switch link := n.(type) {
		case *ast.ChainNode:
			n = link.Node
		case *ast.MemberNode:
			n = link.Node
		default:
			n = nil
		}
	}
	return keys
}

// knowing checks something with the paths known not to be nil.
func (c *checker) knowing(keys []string, check func() engine.Type) engine.Type {
	for _, key := range keys {
		c.facts[key]++
	}
	t := check()
	for _, key := range keys {
		c.facts[key]--
	}
	return t
}

// certain reports a value that may be missing and gives its type without that.
func (c *checker) certain(n ast.Node, t engine.Type) engine.Type {
	if t.Kind == engine.KindNull {
		c.problem(n, codeType, "nil cannot be used here")
		return engine.Type{}
	}
	if t.Optional {
		c.missing(n, c.src.quote(n)+" ?? …")
	}
	return t.Certain()
}

func (c *checker) missing(n ast.Node, instead string) {
	c.problem(n, codeOptional, "`%s` may be missing: say what then, `%s`", c.src.quote(n), instead)
}

// operand checks a node whose value must be there.
func (c *checker) operand(n ast.Node) engine.Type { return c.certain(n, c.check(n)) }

// condition checks a node that must be a bool.
func (c *checker) condition(n ast.Node) { c.fit(n, c.check(n), engine.TypeBool()) }

// fit reports where a value is not what is wanted, as near to the cause as it
// can: at the branch, the element or the literal.
func (c *checker) fit(n ast.Node, got, want engine.Type) {
	if unknown(got) || unknown(want) || isAny(want) {
		return
	}
	if c.fitParts(n, want) {
		return
	}
	switch {
	case got.Optional && !want.Optional:
		c.missing(n, c.src.quote(n)+" ?? …")
	case !assignable(got, want):
		c.mismatch(n, got, want)
	}
}

func (c *checker) mismatch(n ast.Node, got, want engine.Type) {
	p := c.problem(n, codeType, "this is %s, %s is needed", describe(got), describe(want))
	if got.Kind == engine.KindMap && want.Kind == engine.KindMap {
		p.Message = "this map does not fit: " + difference(got, want)
	}
	switch {
	case isString(want) && len(want.Enum) == 0 && printable(got.Certain()):
		p.Hint = "write `string(" + c.src.quote(n) + ")`"
	case got.Kind == engine.KindList && elem(got).Optional:
		p.Hint = c.leaveOut(n)
	case want.Kind == engine.KindInteger && got.Kind == engine.KindNumber:
		p.Hint = "write `int(" + c.src.quote(n) + ")`"
	}
}

// difference is the first reason why a map is not what is wanted.
func difference(got, want engine.Type) string {
	for _, f := range want.Fields {
		have, ok := got.Field(f.Name)
		if !ok && !f.Type.Optional {
			return "it has no `" + f.Name + "`"
		}
		if ok && !assignable(have.Type, f.Type) {
			return "its `" + f.Name + "` is " + describe(have.Type) + ", " + describe(f.Type) + " is needed"
		}
	}
	return "its values must be " + describe(elem(want))
}

// fitParts holds the parts of a node against what is wanted, where the node is
// made of parts.
func (c *checker) fitParts(n ast.Node, want engine.Type) bool {
	switch n := n.(type) {
	case *ast.ConditionalNode:
		c.fit(n.Exp1, c.types[n.Exp1], want)
		c.fit(n.Exp2, c.types[n.Exp2], want)
	case *ast.VariableDeclaratorNode:
		c.fit(n.Expr, c.types[n.Expr], want)
	case *ast.BinaryNode:
		if n.Operator != "??" {
			return false
		}
		c.fit(n.Left, c.types[n.Left].Certain(), want)
		c.fit(n.Right, c.types[n.Right], want)
	case *ast.StringNode:
		if want.Kind != engine.KindString || len(want.Enum) == 0 {
			return false
		}
		c.oneOf(n, want)
	case *ast.ArrayNode:
		return c.fitArray(n, want)
	case *ast.MapNode:
		return c.fitMapping(n, want)
	default:
		return false
	}
	return true
}

func (c *checker) fitArray(n *ast.ArrayNode, want engine.Type) bool {
	if want.Kind != engine.KindList {
		return false
	}
	for _, item := range n.Nodes {
		c.fit(item, c.types[item], elem(want))
	}
	return true
}

func (c *checker) fitMapping(n *ast.MapNode, want engine.Type) bool {
	if want.Kind != engine.KindMap {
		return false
	}
	given := make(map[string]bool)
	for _, node := range n.Pairs {
		pair, _ := node.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return false
		}
		given[key.Value] = true
		f, known := want.Field(key.Value)
		switch {
		case known:
			c.fit(pair.Value, c.types[pair.Value], f.Type)
		case len(want.Fields) > 0:
			c.unknownField(key, key.Value, want)
		default:
			c.fit(pair.Value, c.types[pair.Value], elem(want))
		}
	}
	for _, f := range want.Fields {
		if !given[f.Name] && !f.Type.Optional {
			c.problem(n, codeType, "`%s` is missing: %s is needed", f.Name, describe(f.Type))
		}
	}
	return true
}

// oneOf reports a literal that is none of an enumeration's values.
func (c *checker) oneOf(n *ast.StringNode, want engine.Type) {
	if !slices.Contains(want.Enum, n.Value) {
		p := c.problem(n, codeEnum, "%q is none of %s", clip(n.Value), enumeration(want.Enum))
		p.Suggestion = engine.Nearest(n.Value, want.Enum)
	}
}

func dotted(path Path) string { return strings.Join(path, ".") }
