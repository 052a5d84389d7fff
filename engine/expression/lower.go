package expression

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// meterName is the name of the meter among the root names. It cannot be
// written in an expression.
const meterName = "$meter"

// lowering turns the checked tree into the one the virtual machine gets. What
// the machine does as we want it is left to it: loops, conditions, variables,
// comparisons of values whose types are known. For everything else it calls
// our own functions, which check members, overflow, sizes and the budget.
type lowering struct {
	src       *source
	types     map[ast.Node]engine.Type
	functions []function
	used      map[string]runner
	sites     []site
	depth     int            // of predicates
	known     map[string]any // root names whose values are known already, for predicates
	meter     *meter         // of a predicate; otherwise it is a root name
	problems  []Problem
}

// site is where a part of the lowered tree stands in the source. The machine
// says at which of them an error happened.
type site struct {
	where span
	args  []span
}

func newLowering(c *checker) *lowering {
	return &lowering{src: c.src, types: c.types, functions: c.functions, used: make(map[string]runner)}
}

// place gives a lowered node its site, and a type that keeps the machine from
// looking for pointers.
func (l *lowering) place(n ast.Node, where span, args ...ast.Node) ast.Node {
	s := site{where: where}
	for _, arg := range args {
		s.args = append(s.args, l.sites[arg.Location().From].where)
	}
	n.SetLocation(file.Location{From: len(l.sites)})
	l.sites = append(l.sites, s)
	n.SetType(reflect.TypeFor[bool]())
	return n
}

func (l *lowering) constant(v any, where span) ast.Node {
	return l.place(&ast.ConstantNode{Value: v}, where)
}

// invoke calls one of our functions, or computes it now where its arguments
// are known.
func (l *lowering) invoke(where span, name string, run runner, args ...ast.Node) ast.Node {
	if v, ok := l.fold(where, name, run, args); ok {
		return l.constant(v, where)
	}
	l.used[name] = run
	callee := l.place(&ast.IdentifierNode{Value: name}, where)
	all := append([]ast.Node{l.meterNode(where)}, args...)
	return l.place(&ast.CallNode{Callee: callee, Arguments: all}, where, args...)
}

func (l *lowering) operate(where span, name string, args ...ast.Node) ast.Node {
	return l.invoke(where, name, operation(name), args...)
}

func (l *lowering) meterNode(where span) ast.Node {
	if l.meter != nil {
		return l.constant(l.meter, where)
	}
	return l.place(&ast.IdentifierNode{Value: meterName}, where)
}

// fold computes a call whose arguments are constants. One that fails whatever
// the run brings is a problem of the expression; with known root names it is
// left to fail where it is reached.
func (l *lowering) fold(where span, name string, run runner, args []ast.Node) (any, bool) {
	const budget = 1000
	values := make([]any, len(args))
	for i, arg := range args {
		v, ok := valueOf(arg)
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	if len(args) == 0 {
		return nil, false
	}
	v, err := run(&meter{left: budget}, values)
	if err != nil {
		l.alwaysFails(where, args, err)
		return nil, false
	}
	return v, isScalar(v) || name == "$member"
}

func (l *lowering) alwaysFails(where span, args []ast.Node, err error) {
	f, ok := err.(*fault) //nolint:errorlint // runners return it bare
	if !ok || l.meter != nil || f.reason == errBudget().Error() {
		return
	}
	if f.arg >= 0 && f.arg < len(args) {
		where = l.sites[args[f.arg].Location().From].where
	}
	l.problems = append(l.problems, Problem{Offset: where.from, Length: where.to - where.from, Code: codeType, Message: "`" + clip(l.src.text[where.from:where.to]) + "` " + f.reason})
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string, time.Time, time.Duration:
		return true
	}
	return false
}

// valueOf is the value of a lowered constant.
func valueOf(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.ConstantNode:
		return n.Value, true
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return int64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	}
	return nil, false
}

func (l *lowering) lower(n ast.Node) ast.Node {
	where := l.src.span(n)
	switch n := n.(type) {
	case *ast.NilNode:
		return l.place(&ast.NilNode{}, where)
	case *ast.BoolNode:
		return l.place(&ast.BoolNode{Value: n.Value}, where)
	case *ast.IntegerNode:
		return l.typed(l.place(&ast.IntegerNode{Value: n.Value}, where), reflect.TypeFor[int64]())
	case *ast.FloatNode:
		return l.typed(l.place(&ast.FloatNode{Value: n.Value}, where), reflect.TypeFor[float64]())
	case *ast.StringNode:
		return l.typed(l.place(&ast.StringNode{Value: n.Value}, where), reflect.TypeFor[string]())
	case *ast.IdentifierNode:
		return l.name(n, where)
	case *ast.PointerNode:
		return l.pointer(n, where)
	case *ast.MemberNode:
		return l.member(n, false)
	case *ast.ChainNode:
		return l.operate(where, "$end", l.path(n.Node, false))
	case *ast.SliceNode:
		return l.operate(where, "$slice", l.lower(n.Node), l.bound(n.From, where), l.bound(n.To, where))
	case *ast.UnaryNode:
		return l.unary(n, where)
	case *ast.BinaryNode:
		return l.binary(n, where)
	}
	return l.compound(n, where)
}

func (l *lowering) compound(n ast.Node, where span) ast.Node {
	switch n := n.(type) {
	case *ast.ConditionalNode:
		return l.place(&ast.ConditionalNode{Cond: l.condition(n.Cond), Exp1: l.lower(n.Exp1), Exp2: l.lower(n.Exp2)}, where)
	case *ast.VariableDeclaratorNode:
		return l.place(&ast.VariableDeclaratorNode{Name: n.Name, Value: l.lower(n.Value), Expr: l.lower(n.Expr)}, where)
	case *ast.ArrayNode:
		return l.place(&ast.ArrayNode{Nodes: l.all(n.Nodes)}, where)
	case *ast.MapNode:
		return l.place(&ast.MapNode{Pairs: l.all(n.Pairs)}, where)
	case *ast.PairNode:
		return l.place(&ast.PairNode{Key: l.converted(n.Key, engine.KindString), Value: l.lower(n.Value)}, where)
	case *ast.BuiltinNode:
		return l.call(n, n.Name, n.Arguments, where)
	case *ast.CallNode:
		name, _ := n.Callee.(*ast.IdentifierNode)
		return l.call(n, name.Value, n.Arguments, where)
	}
	return l.place(&ast.NilNode{}, where) // cannot be: the checker lets nothing else pass
}

func (l *lowering) typed(n ast.Node, t reflect.Type) ast.Node {
	n.SetType(t)
	return n
}

func (l *lowering) all(nodes []ast.Node) []ast.Node {
	out := make([]ast.Node, len(nodes))
	for i, n := range nodes {
		out[i] = l.lower(n)
	}
	return out
}

func (l *lowering) name(n *ast.IdentifierNode, where span) ast.Node {
	if v, ok := l.known[n.Value]; ok {
		return l.constant(v, where)
	}
	id := l.place(&ast.IdentifierNode{Value: n.Value}, where)
	switch t := l.types[n]; {
	case t.Kind == engine.KindText && !t.Optional:
		return l.operate(where, "$string", id)
	case t.Kind == engine.KindString && !t.Optional:
		return l.typed(id, reflect.TypeFor[string]())
	}
	return id
}

func (l *lowering) pointer(n *ast.PointerNode, where span) ast.Node {
	p := l.place(&ast.PointerNode{Name: n.Name}, where)
	if n.Name == "index" { // the machine counts in int
		return l.operate(where, "$integer", p)
	}
	return p
}

// path lowers a link of a path, loosely where a ?? follows it.
func (l *lowering) path(n ast.Node, loose bool) ast.Node {
	switch n := n.(type) {
	case *ast.MemberNode:
		return l.member(n, loose)
	case *ast.ChainNode:
		return l.path(n.Node, loose)
	}
	return l.lower(n)
}

// loose lowers what stands before a ??.
func (l *lowering) loose(n ast.Node) ast.Node {
	switch n.(type) {
	case *ast.MemberNode, *ast.ChainNode:
		return l.operate(l.src.span(n), "$end", l.path(n, true))
	}
	return l.lower(n)
}

// listed lowers a list that is only looked into: one of constants is made once.
func (l *lowering) listed(n ast.Node) ast.Node {
	lowered := l.lower(n)
	array, ok := lowered.(*ast.ArrayNode)
	if !ok {
		return lowered
	}
	values := make([]any, len(array.Nodes))
	for i, item := range array.Nodes {
		v, ok := valueOf(item)
		if !ok {
			return lowered
		}
		values[i] = v
	}
	return l.constant(values, l.src.span(n))
}

func (l *lowering) member(n *ast.MemberNode, loose bool) ast.Node {
	where := l.src.span(n)
	how := l.constant(l.modeOf(n, loose), where)
	return l.operate(where, "$member", l.path(n.Node, loose), l.lower(n.Property), how)
}

func (l *lowering) modeOf(n *ast.MemberNode, loose bool) mode {
	t := l.types[n]
	base := l.types[n.Node]
	fixed := base.Kind == engine.KindMap && len(base.Fields) > 0
	switch {
	case loose || n.Optional:
		return modeLoose
	case fixed && (t.Optional || t.Kind == engine.KindAny):
		return modeMaybe
	case t.Optional || t.Kind == engine.KindAny:
		return modePresent
	}
	return modeCertain
}

func (l *lowering) bound(n ast.Node, where span) ast.Node {
	if n == nil {
		return l.place(&ast.NilNode{}, where)
	}
	return l.lower(n)
}

// converted lowers an operand and, where its type is dynamic or its elements
// may come in another form, has its value checked.
func (l *lowering) converted(n ast.Node, want engine.Kind) ast.Node {
	lowered := l.lower(n)
	t := l.types[n]
	if t.Kind == want && want != engine.KindList && want != engine.KindText {
		return lowered
	}
	if _, isLiteral := n.(*ast.StringNode); isLiteral {
		return lowered
	}
	return l.operate(l.src.span(n), "$"+string(want), lowered)
}

func (l *lowering) condition(n ast.Node) ast.Node { return l.converted(n, engine.KindBool) }

func (l *lowering) unary(n *ast.UnaryNode, where span) ast.Node {
	switch n.Operator {
	case "not", "!":
		return l.place(&ast.UnaryNode{Operator: "not", Node: l.condition(n.Node)}, where)
	case "-":
		return l.operate(where, "$negate", l.lower(n.Node))
	}
	return l.lower(n.Node)
}

func (l *lowering) binary(n *ast.BinaryNode, where span) ast.Node {
	switch n.Operator {
	case "&&", "and", "||", "or":
		return l.place(&ast.BinaryNode{Operator: n.Operator, Left: l.condition(n.Left), Right: l.condition(n.Right)}, where)
	case "==", "!=":
		return l.equality(n, where)
	case "<", "<=", ">", ">=":
		return l.order(n, where)
	case "??":
		return l.place(&ast.BinaryNode{Operator: "??", Left: l.loose(n.Left), Right: l.lower(n.Right)}, where)
	case "in":
		return l.operate(where, "$in", l.lower(n.Left), l.listed(n.Right))
	case "..":
		return l.operate(where, "$range", l.lower(n.Left), l.lower(n.Right))
	case "matches", "contains", "startsWith", "endsWith":
		return l.search(n, where)
	}
	return l.operate(where, "$"+n.Operator, l.lower(n.Left), l.lower(n.Right))
}

// direct reports whether the machine can compare the values itself: both are
// there and of the same known kind.
func (l *lowering) direct(n *ast.BinaryNode, left, right ast.Node) bool {
	a, b := l.refined(n.Left, left), l.refined(n.Right, right)
	alike := a.Kind == b.Kind || isNumeric(a) && isNumeric(b)
	return alike && !a.Optional && !b.Optional && isKind(engine.KindInteger, engine.KindNumber, engine.KindString, engine.KindTime, engine.KindDuration)(a)
}

// refined is a node's type, or that of the value it turned out to have.
func (l *lowering) refined(n, lowered ast.Node) engine.Type {
	v, ok := valueOf(lowered)
	if t := l.types[n]; !ok || t.Kind != engine.KindAny {
		return t
	}
	switch v.(type) {
	case int64:
		return engine.TypeInteger()
	case float64:
		return engine.TypeNumber()
	case string:
		return engine.TypeString()
	case time.Time:
		return engine.TypeTime()
	case time.Duration:
		return engine.TypeDuration()
	}
	return engine.TypeAny()
}

func (l *lowering) equality(n *ast.BinaryNode, where span) ast.Node {
	left, right := l.lower(n.Left), l.lower(n.Right)
	if l.direct(n, left, right) {
		if l.refined(n.Left, left).Kind == engine.KindString { // the machine has a shortcut for strings
			left.SetType(reflect.TypeFor[string]())
			right.SetType(reflect.TypeFor[string]())
		}
		return l.place(&ast.BinaryNode{Operator: n.Operator, Left: left, Right: right}, where)
	}
	same := l.operate(where, "$equal", left, right)
	if n.Operator == "!=" {
		return l.place(&ast.UnaryNode{Operator: "not", Node: same}, where)
	}
	return same
}

func (l *lowering) order(n *ast.BinaryNode, where span) ast.Node {
	left, right := l.lower(n.Left), l.lower(n.Right)
	if l.direct(n, left, right) {
		return l.place(&ast.BinaryNode{Operator: n.Operator, Left: left, Right: right}, where)
	}
	return l.operate(where, "$"+n.Operator, left, right)
}

// search leaves tests of strings to the machine where they happen once; in a
// predicate they count against the budget, as regular expressions always do.
func (l *lowering) search(n *ast.BinaryNode, where span) ast.Node {
	if l.depth == 0 && n.Operator != "matches" && l.types[n.Right].Kind == engine.KindString {
		left, right := l.converted(n.Left, engine.KindString), l.converted(n.Right, engine.KindString)
		return l.place(&ast.BinaryNode{Operator: n.Operator, Left: left, Right: right}, where)
	}
	right := l.lower(n.Right)
	if literal, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
		right = l.pattern(literal)
	}
	return l.operate(where, "$"+n.Operator, l.lower(n.Left), right)
}

// pattern compiles a regular expression once. The checker has seen that it is one.
func (l *lowering) pattern(n *ast.StringNode) ast.Node {
	where := l.src.span(n)
	p, err := compilePattern(n.Value)
	if err != nil {
		return l.constant(n.Value, where)
	}
	return l.constant(p, where)
}
