package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func (c *checker) isLet(name string) bool {
	_, ok := engine.FieldNamed(c.lets, name)
	return ok
}

func (c *checker) name(n *ast.IdentifierNode) engine.Type {
	if v, ok := engine.FieldNamed(c.lets, n.Value); ok {
		return v.Type
	}
	if why, ok := c.scope.unavailable[n.Value]; ok {
		c.problem(n, codeNotRun, "`%s` cannot be used here: %s", n.Value, why)
		return engine.Type{}
	}
	root, isRoot := c.scope.root(n.Value)
	field, isField := c.scope.rowField(n.Value)
	switch {
	case isRoot && isField:
		c.problem(n, codeClash, "`%s` is both a field of the row and a name of the playbook", n.Value).Hint = "rename the loop variable, or use the field in another step"
		return engine.Type{}
	case isField:
		return field
	case isRoot:
		return root
	}
	p := c.problem(n, codeUnknownName, "unknown name `%s`", n.Value)
	p.Suggestion = engine.Nearest(n.Value, append(c.scope.known(), fieldNames(c.lets)...))
	p.Hint = c.nameHint(n.Value)
	if n.Value == "null" { // what was meant is known
		return typeNull()
	}
	return engine.Type{}
}

func (c *checker) nameHint(name string) string {
	switch {
	case name == "null":
		return "write `nil`"
	case name == "$env":
		return "name the value you mean"
	case c.functionNamed(name) != nil:
		return "`" + name + "` is a function: write `" + name + "(…)`"
	case len(c.elements) > 0 && c.elementHas(name):
		return "a field of the element is written `." + name + "`"
	}
	return ""
}

func (c *checker) elementHas(name string) bool {
	_, ok := c.elements[len(c.elements)-1].item.Field(name)
	return ok
}

func (c *checker) pointer(n *ast.PointerNode) engine.Type {
	here := element{}
	if len(c.elements) > 0 {
		here = c.elements[len(c.elements)-1]
	}
	switch {
	case n.Name == "":
		return here.item
	case n.Name == "index":
		return engine.TypeInteger()
	case n.Name == "acc" && here.acc != nil:
		return *here.acc
	case n.Name == "acc":
		c.problem(n, codeUnknownName, "`#acc` is there only in reduce")
	default:
		c.problem(n, codeUnknownName, "unknown name `#%s`", n.Name).Suggestion = engine.Nearest(n.Name, []string{"index", "acc"})
	}
	return engine.Type{}
}

// let adds a variable for the rest of the expression.
func (c *checker) let(n *ast.VariableDeclaratorNode) engine.Type {
	t := c.check(n.Value)
	switch {
	case strings.HasPrefix(n.Name, "$"): // those names are ours
		c.problem(n, codeSyntax, "the name of a variable cannot begin with `$`")
	case c.taken(n.Name):
		p := c.problem(n, codeClash, "`%s` is the name of something else already", n.Name)
		p.Length = min(p.Length, len("let ")+len(n.Name))
	}
	c.lets = append(c.lets, engine.Field{Name: n.Name, Type: t})
	body := c.check(n.Expr)
	c.lets = c.lets[:len(c.lets)-1]
	return body
}

func (c *checker) taken(name string) bool {
	return slices.Contains(append(c.scope.known(), fieldNames(c.lets)...), name) || c.functionNamed(name) != nil
}

// member is a.b and a[b].
func (c *checker) member(n *ast.MemberNode) engine.Type {
	path, isRead := c.readPath(n)
	isRead = isRead && c.key(n) != "" // every link of it is a plain name
	if why, ok := c.scope.unavailable[dotted(path)]; ok && isRead {
		c.infer(n.Node)
		c.problem(n, codeNotRun, "`%s` cannot be used here: %s", dotted(path), why)
		return engine.Type{}
	}
	base := c.base(n)
	name, named := n.Property.(*ast.StringNode)
	if !named {
		return c.index(n, base)
	}
	c.types[name] = engine.TypeString()
	t := c.field(n, base, name)
	if isRead && t.Optional {
		c.optional[dotted(path)] = true
	}
	return t
}

// base is the type of what a member is taken of. With ?. it may be nil.
func (c *checker) base(n *ast.MemberNode) engine.Type {
	t := c.infer(n.Node)
	switch {
	case t.Kind == engine.KindNull:
		c.problem(n.Node, codeType, "nil has no fields")
		return engine.Type{}
	case t.Optional && n.Optional:
		c.mayBeNil()
	case t.Optional:
		c.missing(n.Node, c.instead(n))
	}
	return t.Certain()
}

// instead is how to reach a member of a value that may be missing.
func (c *checker) instead(n *ast.MemberNode) string {
	base := c.src.quote(n.Node)
	if name, ok := n.Property.(*ast.StringNode); ok {
		return base + "?." + name.Value + " ?? …"
	}
	return base + "?.[" + c.src.quote(n.Property) + "] ?? …"
}

func (c *checker) mayBeNil() {
	if len(c.chains) > 0 {
		*c.chains[len(c.chains)-1] = true
	}
}

// chain is a path with ?. in it: nil as soon as one of them meets nil.
func (c *checker) chain(n *ast.ChainNode) engine.Type {
	var canBeNil bool
	c.chains = append(c.chains, &canBeNil)
	t := c.infer(n.Node)
	c.chains = c.chains[:len(c.chains)-1]
	if canBeNil {
		return maybe(t)
	}
	return t
}

func (c *checker) field(n *ast.MemberNode, base engine.Type, name *ast.StringNode) engine.Type {
	switch {
	case unknown(base):
		return base
	case isAny(base):
		return engine.TypeAny()
	case base.Kind == engine.KindMap && len(base.Fields) == 0:
		if n.Optional {
			c.mayBeNil()
		}
		return elem(base)
	case base.Kind == engine.KindMap:
		if f, ok := base.Field(name.Value); ok {
			return f.Type
		}
		c.unknownField(name, name.Value, base)
	case base.Kind == engine.KindList:
		c.problem(name, codeType, "a list has no field `%s`", clip(name.Value)).Hint =
			"write `map(" + c.src.quote(n.Node) + ", ." + name.Value + ")` for that of each element"
	default:
		c.problem(name, codeType, "%s has no field `%s`", describe(base), clip(name.Value))
	}
	return engine.Type{}
}

func (c *checker) unknownField(at ast.Node, name string, t engine.Type) {
	names := fieldNames(t.Fields)
	p := c.problem(at, codeUnknownField, "unknown field `%s`", clip(name))
	p.Suggestion = engine.Nearest(name, names)
	const shown = 12
	if len(names) <= shown {
		p.Hint = "it has " + strings.Join(names, ", ")
	}
}

func (c *checker) index(n *ast.MemberNode, base engine.Type) engine.Type {
	key := c.operand(n.Property)
	switch {
	case unknown(base):
		return base
	case isAny(base):
		if !isKind("", engine.KindAny, engine.KindInteger, engine.KindString)(key) {
			c.problem(n.Property, codeType, "this is %s, a string or an integer is needed", describe(key))
		}
		return engine.TypeAny()
	case base.Kind == engine.KindList:
		c.fit(n.Property, key, engine.TypeInteger())
	case base.Kind == engine.KindMap && len(base.Fields) == 0:
		c.fit(n.Property, key, engine.TypeString())
	case base.Kind == engine.KindMap:
		c.problem(n.Property, codeDynamic, "the field must be named: which one it is cannot be computed").Hint = "write `.name`"
		return engine.Type{}
	default:
		c.problem(n, codeType, "%s has no elements", describe(base))
		return engine.Type{}
	}
	if n.Optional {
		c.mayBeNil()
	}
	return elem(base)
}

func (c *checker) slice(n *ast.SliceNode) engine.Type {
	t := c.operand(n.Node)
	for _, bound := range []ast.Node{n.From, n.To} {
		if bound != nil {
			c.fit(bound, c.check(bound), engine.TypeInteger())
		}
	}
	if !unknown(t) && !isAny(t) && !isString(t) && t.Kind != engine.KindList {
		c.problem(n.Node, codeType, "this is %s, a list or a string is needed", describe(t))
		return engine.Type{}
	}
	return widen(t)
}
