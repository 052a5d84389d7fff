package expression

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func (c *checker) unary(n *ast.UnaryNode) engine.Type {
	if n.Operator == "not" || n.Operator == "!" {
		return c.negation(n)
	}
	t := c.operand(n.Node)
	if unknown(t) || isAny(t) || isNumeric(t) || t.Kind == engine.KindDuration {
		return t
	}
	c.problem(n.Node, codeType, "this is %s, a number or a duration is needed", describe(t))
	return engine.Type{}
}

// negation is not a, which binds tighter than any comparison.
func (c *checker) negation(n *ast.UnaryNode) engine.Type {
	before := len(c.problems)
	t := c.check(n.Node)
	c.fit(n.Node, t, engine.TypeBool())
	if len(c.problems) == before {
		return engine.TypeBool()
	}
	if p := &c.problems[len(c.problems)-1]; p.Code == codeType && p.Hint == "" {
		p.Hint = "`not` is for what directly follows it: to negate a comparison write `not (a == b)`"
	}
	return engine.Type{}
}

func (c *checker) binary(n *ast.BinaryNode) engine.Type {
	switch n.Operator {
	case "&&", "and":
		c.condition(n.Left)
		c.knowing(c.knownBy(n.Left, true), func() engine.Type { c.condition(n.Right); return engine.Type{} })
		return engine.TypeBool()
	case "||", "or":
		c.condition(n.Left)
		c.knowing(c.knownBy(n.Left, false), func() engine.Type { c.condition(n.Right); return engine.Type{} })
		return engine.TypeBool()
	case "==", "!=":
		c.equality(n)
		return engine.TypeBool()
	case "<", "<=", ">", ">=":
		c.order(n)
		return engine.TypeBool()
	case "in":
		c.membership(n)
		return engine.TypeBool()
	case "matches", "contains", "startsWith", "endsWith":
		c.search(n)
		return engine.TypeBool()
	case "??":
		return c.otherwise(n)
	case "..":
		c.fit(n.Left, c.check(n.Left), engine.TypeInteger())
		c.fit(n.Right, c.check(n.Right), engine.TypeInteger())
		return engine.ListOf(engine.TypeInteger())
	}
	return c.arithmetic(n)
}

func (c *checker) equality(n *ast.BinaryNode) {
	a, b := c.check(n.Left), c.check(n.Right)
	if a.Kind == engine.KindNull || b.Kind == engine.KindNull {
		return // the one comparison made for values that may be missing
	}
	a, b = c.certain(n.Left, a), c.certain(n.Right, b)
	if c.literalIn(n.Right, a) || c.literalIn(n.Left, b) {
		return
	}
	if !canEqual(a, b) {
		c.neverEqual(n, a, b)
	}
}

// literalIn checks a literal that stands beside an enumeration.
func (c *checker) literalIn(n ast.Node, t engine.Type) bool {
	literal, ok := n.(*ast.StringNode)
	if !ok || t.Kind != engine.KindString || len(t.Enum) == 0 {
		return false
	}
	c.oneOf(literal, t)
	return true
}

func (c *checker) neverEqual(n ast.Node, a, b engine.Type) {
	p := c.problem(n, codeType, "%s and %s are never equal", describe(a), describe(b))
	if isNumeric(a) && isString(b) || isString(a) && isNumeric(b) {
		p.Hint = "convert one of them with `int(…)` or `string(…)`"
	}
}

func (c *checker) order(n *ast.BinaryNode) {
	a, b := c.operand(n.Left), c.operand(n.Right)
	for _, side := range []ast.Node{n.Left, n.Right} {
		t := c.types[side].Certain()
		if !unknown(t) && !isAny(t) && t.Kind != engine.KindNull && !ordered(t) {
			c.problem(side, codeType, "%s has no order", describe(t))
			return
		}
	}
	if !canEqual(widen(a), widen(b)) {
		c.problem(n, codeType, "%s and %s cannot be compared", describe(widen(a)), describe(widen(b)))
	}
}

func (c *checker) membership(n *ast.BinaryNode) {
	item, in := c.operand(n.Left), c.operand(n.Right)
	switch {
	case unknown(item) || unknown(in) || isAny(in):
	case in.Kind == engine.KindMap:
		c.fit(n.Left, item, engine.TypeString())
		c.membershipOfFields(n, in)
	case in.Kind == engine.KindList:
		c.membershipOfList(n, item, elem(in))
	case isString(in):
		c.problem(n.Right, codeType, "this is a string, a list or a map is needed").Hint = "write `text contains part`"
	default:
		c.problem(n.Right, codeType, "this is %s, a list or a map is needed", describe(in))
	}
}

// membershipOfFields refuses to ask for a field by name: a map with fixed
// fields has all of them, also those whose value is nil.
func (c *checker) membershipOfFields(n *ast.BinaryNode, in engine.Type) {
	name, isLiteral := n.Left.(*ast.StringNode)
	if !isLiteral || len(in.Fields) == 0 {
		return
	}
	if _, known := in.Field(name.Value); !known {
		c.unknownField(name, name.Value, in)
		return
	}
	c.problem(n, codeType, "which fields a map of this kind has is known before anything runs").Hint =
		"to ask whether it has a value write `" + c.src.quote(n.Right) + "." + name.Value + " != nil`"
}

func (c *checker) membershipOfList(n *ast.BinaryNode, item, of engine.Type) {
	list, isLiteral := n.Right.(*ast.ArrayNode)
	if isLiteral && len(item.Enum) > 0 && (isString(of) || isAny(of)) {
		for _, literal := range list.Nodes {
			c.literalIn(literal, item)
		}
		return
	}
	if !c.literalIn(n.Left, of) && !canEqual(item, of) {
		c.neverEqual(n, item, of)
	}
}

func (c *checker) search(n *ast.BinaryNode) {
	left, right := c.operand(n.Left), c.operand(n.Right)
	if n.Operator == "contains" && left.Kind == engine.KindList {
		c.problem(n.Left, codeType, "this is a list, a string is needed").Hint = "write `element in list`"
		return
	}
	c.fit(n.Left, left, engine.TypeString())
	c.fit(n.Right, right, engine.TypeString())
	if n.Operator == "matches" {
		c.pattern(n.Right)
	}
}

// pattern checks a regular expression that is written out.
func (c *checker) pattern(n ast.Node) {
	literal, ok := n.(*ast.StringNode)
	if !ok {
		return
	}
	_, err := compilePattern(literal.Value)
	switch {
	case errors.Is(err, errLargePattern):
		c.problem(n, codeBounds, "this %s", err).Hint = fmt.Sprintf("it can have %d bytes, and %d parts where its repetitions are written out", maxPattern, maxStates)
	case err != nil:
		c.problem(n, codeSyntax, "this %s", clip(err.Error()))
	}
}

// otherwise is a ?? b: b where a is missing.
func (c *checker) otherwise(n *ast.BinaryNode) engine.Type {
	a, b := c.check(n.Left), c.check(n.Right)
	a, b = emptied(n.Left, a, b), emptied(n.Right, b, a)
	t, ok := c.common(a.Certain(), b)
	if !ok {
		c.problem(n, codeType, "both sides of `??` must have one type: these are %s and %s", describe(a.Certain()), describe(b))
		return engine.Type{}
	}
	if literal, isLiteral := n.Right.(*ast.StringNode); isLiteral && len(a.Enum) > 0 {
		return commonString(a, engine.EnumOf(literal.Value))
	}
	return t
}

func (c *checker) conditional(n *ast.ConditionalNode) engine.Type {
	c.condition(n.Cond)
	a := c.knowing(c.knownBy(n.Cond, true), func() engine.Type { return c.check(n.Exp1) })
	b := c.knowing(c.knownBy(n.Cond, false), func() engine.Type { return c.check(n.Exp2) })
	a, b = emptied(n.Exp1, a, b), emptied(n.Exp2, b, a)
	t, ok := c.common(a, b)
	if !ok {
		c.problem(n, codeType, "both branches must have one type: these are %s and %s", describe(a), describe(b))
	}
	return t
}

func (c *checker) array(n *ast.ArrayNode) engine.Type {
	c.builds = true
	list := engine.Type{Kind: engine.KindList}
	for _, item := range n.Nodes {
		t := c.check(item)
		if list.Elem == nil {
			list = engine.ListOf(t)
			continue
		}
		both, ok := c.common(*list.Elem, t)
		if !ok {
			c.problem(item, codeType, "the elements of a list must have one type: this is %s, the first is %s", describe(t), describe(*list.Elem))
			return engine.Type{}
		}
		list = engine.ListOf(both)
	}
	return list
}

func (c *checker) mapping(n *ast.MapNode) engine.Type {
	c.builds = true
	out := engine.Type{Kind: engine.KindMap}
	computed := false
	for _, node := range n.Pairs {
		pair, _ := node.(*ast.PairNode)
		t := c.check(pair.Value)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			c.fit(pair.Key, c.operand(pair.Key), engine.TypeString())
			computed = true
			continue
		}
		if _, twice := out.Field(key.Value); twice {
			c.problem(key, codeType, "the key `%s` is there twice", clip(key.Value))
		}
		out.Fields = append(out.Fields, engine.Field{Name: key.Value, Type: t})
	}
	if computed { // which keys there are is known only when it runs
		return engine.Type{Kind: engine.KindMap}
	}
	return out
}

// arithmetic is + - * / % ** over numbers, times, durations and strings.
func (c *checker) arithmetic(n *ast.BinaryNode) engine.Type {
	a, b := c.operand(n.Left), c.operand(n.Right)
	if unknown(a) || unknown(b) {
		return engine.Type{}
	}
	if t, ok := arithmeticType(n.Operator, a, b); ok {
		return t
	}
	p := c.problem(n, codeType, "`%s` is not for %s and %s", n.Operator, describe(widen(a)), describe(widen(b)))
	switch {
	case n.Operator != "+":
	case isString(a) && printable(b):
		p.Hint = "write `string(" + c.src.quote(n.Right) + ")`"
	case isString(b) && printable(a):
		p.Hint = "write `string(" + c.src.quote(n.Left) + ")`"
	case a.Kind == engine.KindList && b.Kind == engine.KindList:
		p.Hint = "write `concat(a, b)`"
	}
	return engine.Type{}
}

// arithmeticType is the type of a result; with a dynamic operand it is dynamic
// where that operand decides it.
func arithmeticType(op string, a, b engine.Type) (engine.Type, bool) {
	if isAny(a) || isAny(b) {
		return dynamicArithmetic(op, a, b)
	}
	if isNumeric(a) && isNumeric(b) {
		return numericArithmetic(op, a, b)
	}
	if op == "+" && isString(a) && isString(b) {
		return engine.TypeString(), true
	}
	return timeArithmetic(op, a, b)
}

// timeArithmetic is that of times and durations: the operations that have a
// meaning, by operator and the kinds of both sides.
func timeArithmetic(op string, a, b engine.Type) (engine.Type, bool) {
	side := func(t engine.Type) string {
		switch {
		case isNumeric(t):
			return "n"
		case t.Kind == engine.KindTime:
			return "t"
		case t.Kind == engine.KindDuration:
			return "d"
		}
		return "?"
	}
	switch side(a) + op + side(b) {
	case "t-t", "d+d", "d-d", "d*n", "n*d", "d/n":
		return engine.TypeDuration(), true
	case "t+d", "d+t", "t-d":
		return engine.TypeTime(), true
	case "d/d":
		return engine.TypeNumber(), true
	}
	return engine.Type{}, false
}

func numericArithmetic(op string, a, b engine.Type) (engine.Type, bool) {
	whole := a.Kind == engine.KindInteger && b.Kind == engine.KindInteger
	switch {
	case op == "%":
		return engine.TypeInteger(), whole
	case op == "/" || op == "**" || op == "^" || !whole:
		return engine.TypeNumber(), true
	}
	return engine.TypeInteger(), true
}

func dynamicArithmetic(op string, a, b engine.Type) (engine.Type, bool) {
	known := a
	if isAny(a) {
		known = b
	}
	switch {
	case op == "%":
		return engine.TypeInteger(), isAny(known) || known.Kind == engine.KindInteger
	case op == "**" || op == "^":
		return engine.TypeNumber(), isAny(known) || isNumeric(known)
	case isAny(known):
		return engine.TypeAny(), true
	case op == "+" && isString(known):
		return engine.TypeString(), true
	case isNumeric(known), isKind(engine.KindTime, engine.KindDuration)(known):
		return engine.TypeAny(), true
	}
	return engine.Type{}, false
}
