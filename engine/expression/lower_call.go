package expression

import (
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func (l *lowering) call(n ast.Node, name string, args []ast.Node, where span) ast.Node {
	switch name {
	case "all", "any", "none", "one", "filter", "map", "find":
		return l.loop(name, args, where)
	case "findLast": // the machine's own loop backwards leaves values on its stack
		return l.invoke(where, "last", runLast, l.loop("filter", args, where))
	case "count", "findIndex":
		return l.operate(where, "$integer", l.loop(name, args, where))
	case "reduce":
		return l.reduce(args, where)
	case "sum":
		return l.sum(n, args, where)
	case "groupBy", "sortBy":
		return l.keyed(name, args, where)
	case "ago":
		return l.ago(args, where)
	}
	return l.invoke(where, name, l.runnerOf(name), l.all(args)...)
}

func (l *lowering) runnerOf(name string) runner {
	for _, f := range l.functions {
		if f.Name == name {
			return f.run
		}
	}
	return nil
}

// loop is one of the machine's own loops over a list. A count without a
// predicate counts the elements that are true.
func (l *lowering) loop(name string, args []ast.Node, where span) ast.Node {
	list := l.converted(args[0], engine.KindList)
	l.depth++
	var body ast.Node
	switch {
	case len(args) == 1:
		body = l.operate(where, "$bool", l.place(&ast.PointerNode{}, where))
	case name == "map":
		body = l.lower(bodyNode(args[1]))
	default:
		body = l.condition(bodyNode(args[1]))
	}
	l.depth--
	return l.builtin(name, where, list, body)
}

// builtin makes a loop whose every turn counts against the budget.
func (l *lowering) builtin(name string, where span, list, body ast.Node, more ...ast.Node) ast.Node {
	tick := l.operate(where, "$tick")
	turn := l.place(&ast.SequenceNode{Nodes: []ast.Node{tick, body}}, where)
	predicate := l.place(&ast.PredicateNode{Node: turn}, where)
	return l.place(&ast.BuiltinNode{Name: name, Arguments: append([]ast.Node{list, predicate}, more...)}, where)
}

func (l *lowering) reduce(args []ast.Node, where span) ast.Node {
	list, start := l.converted(args[0], engine.KindList), l.lower(args[2])
	l.depth++
	body := l.lower(bodyNode(args[1]))
	l.depth--
	return l.builtin("reduce", where, list, body, start)
}

// sum adds up with our own addition, from a zero of the right kind.
func (l *lowering) sum(n ast.Node, args []ast.Node, where span) ast.Node {
	list := l.converted(args[0], engine.KindList)
	if len(args) == 2 {
		list = l.loop("map", args, where)
	}
	var zero any = int64(0)
	if t := l.types[n]; t.Kind == engine.KindNumber {
		zero = 0.0
	} else if t.Kind == engine.KindDuration {
		zero = time.Duration(0)
	}
	return l.invoke(where, "sum", runSum, list, l.constant(zero, where))
}

// keyed makes [element, key] pairs of a list for groupBy and sortBy.
func (l *lowering) keyed(name string, args []ast.Node, where span) ast.Node {
	list := l.converted(args[0], engine.KindList)
	l.depth++
	key := l.lower(bodyNode(args[1]))
	l.depth--
	pair := l.place(&ast.ArrayNode{Nodes: []ast.Node{l.place(&ast.PointerNode{}, where), key}}, where)
	pairs := l.builtin("map", where, list, pair)
	return l.invoke(where, name, l.runnerOf(name), append([]ast.Node{pairs}, l.all(args[2:])...)...)
}

// ago is run.time minus a duration.
func (l *lowering) ago(args []ast.Node, where span) ast.Node {
	run := l.place(&ast.IdentifierNode{Value: "run"}, where)
	if v, ok := l.known["run"]; ok {
		run = l.constant(v, where)
	}
	start := l.operate(where, "$member", run, l.constant("time", where), l.constant(modeCertain, where))
	length := l.invoke(l.src.span(args[0]), "ago", runDuration, l.lower(args[0]))
	return l.operate(where, "$-", start, length)
}
