package expression

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// call is one use of a function.
type call struct {
	node ast.Node
	name string
	args []ast.Node
}

func (c *checker) functionNamed(name string) *function {
	for i := range c.functions {
		if c.functions[i].Name == name {
			return &c.functions[i]
		}
	}
	return nil
}

func (c *checker) callNode(n *ast.CallNode) engine.Type {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		return c.call(n, callee.Value, n.Arguments)
	case *ast.MemberNode:
		p := c.problem(callee.Property, codeUnknownFunction, "values have no methods")
		if name, ok := callee.Property.(*ast.StringNode); ok && c.functionNamed(name.Value) != nil {
			p.Hint = "write `" + name.Value + "(" + c.src.quote(callee.Node) + ")`"
		}
	default:
		c.problem(n, codeUnknownFunction, "this is not a function")
	}
	return engine.Type{}
}

func (c *checker) call(n ast.Node, name string, args []ast.Node) engine.Type {
	f := c.functionNamed(name)
	if f == nil {
		c.noFunction(n, name)
		return engine.Type{}
	}
	if len(args) < f.min || f.max >= 0 && len(args) > f.max {
		c.problem(n, codeType, "`%s` takes %s, %d given", name, f.arity(), len(args)).Hint = "write `" + f.Signature + "`"
		return engine.Type{}
	}
	return f.check(c, call{n, name, args})
}

func (f *function) arity() string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", n)
	}
	switch {
	case f.max < 0:
		return "at least " + plural(f.min)
	case f.min == f.max:
		return plural(f.min)
	}
	return fmt.Sprintf("%d to %s", f.min, plural(f.max))
}

func (c *checker) noFunction(n ast.Node, name string) {
	where := c.src.span(n)
	start := c.src.toByte(n.Location().From)
	if call, ok := n.(*ast.CallNode); ok {
		start = c.src.toByte(call.Callee.Location().From)
	}
	p := Problem{Offset: start, Length: min(len(name), where.to-start), Code: codeUnknownFunction, Message: fmt.Sprintf("unknown function %#q", clip(name))}
	if instead, ok := removed(name); ok {
		p.Message, p.Hint = fmt.Sprintf("there is no function %#q", name), instead
	} else {
		p.Suggestion = engine.Nearest(name, c.functionNames())
	}
	c.problems = append(c.problems, p)
}

func (c *checker) functionNames() []string {
	names := make([]string, len(c.functions))
	for i, f := range c.functions {
		names[i] = f.Name
	}
	return names
}

// removed says what to write instead of what the language is known for
// elsewhere and is left out here.
func removed(name string) (string, bool) {
	switch name {
	case "now":
		return "write `run.time`: a clock would give another result when the run is resumed", true
	case "date":
		return "write `time(\"2026-01-02T15:04:05Z\")`", true
	case "timezone":
		return "times are in UTC", true
	case "toPairs", "fromPairs":
		return "use `keys` and `values`", true
	case "get":
		return "write `map?.[key]`", true
	case "type":
		return "types are known before anything runs", true
	case "hasPrefix":
		return "write `text startsWith \"prefix\"`", true
	case "hasSuffix":
		return "write `text endsWith \"suffix\"`", true
	case "findLastIndex":
		return "use `findIndex` over `reverse(list)`", true
	case "splitAfter", "lastIndexOf":
		return "use `split`", true
	}
	if strings.HasPrefix(name, "bit") {
		return "there are no operations on bits", true
	}
	return "", false
}

// arg checks one argument against the type it must have.
func (c *checker) arg(call call, i int, want engine.Type) engine.Type {
	t := c.check(call.args[i])
	c.fit(call.args[i], t, want)
	return t.Certain()
}

// takes is the check of a function with fixed types.
func takes(result engine.Type, params ...engine.Type) func(*checker, call) engine.Type {
	return func(c *checker, call call) engine.Type {
		for i := range call.args {
			c.arg(call, i, params[i])
		}
		return result
	}
}

// list checks an argument that must be a list and gives its elements' type.
func (c *checker) list(call call, i int) engine.Type {
	t := c.operand(call.args[i])
	switch {
	case unknown(t) || isAny(t):
		return t
	case t.Kind != engine.KindList:
		c.problem(call.args[i], codeType, "this is %s, a list is needed", describe(t))
		return engine.Type{}
	}
	return elem(t)
}

// body checks the predicate of a call, its second argument, for elements of a type.
func (c *checker) body(call call, here element) engine.Type {
	predicate, ok := call.args[1].(*ast.PredicateNode)
	if !ok {
		c.problem(call.args[1], codeSyntax, "this cannot stand in an expression")
		return engine.Type{}
	}
	if len(c.elements) == maxNested {
		c.problem(call.node, codeBounds, "functions over elements can be nested %d deep at most", maxNested).Hint = "compute the inner list in a step of its own, with `set`"
		return engine.Type{}
	}
	c.elements = append(c.elements, here)
	t := c.check(predicate.Node)
	c.elements = c.elements[:len(c.elements)-1]
	return t
}

// test is body for a predicate that must be a bool.
func (c *checker) test(call call, item engine.Type) {
	c.fitBody(call, element{item: item}, engine.TypeBool())
}

func (c *checker) fitBody(call call, here element, want engine.Type) {
	c.fit(bodyNode(call.args[1]), c.body(call, here), want)
}

// bodyNode is the expression within a predicate.
func bodyNode(n ast.Node) ast.Node {
	if predicate, ok := n.(*ast.PredicateNode); ok {
		return predicate.Node
	}
	return n
}
