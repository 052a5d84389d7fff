package expression

import (
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Function is a function of the language, for the reference pages and editors.
type Function struct {
	Name      string
	Signature string // "lower(text: string) → string"
	Doc       string // one or two sentences
	Example   string // an expression that is true
}

// Functions are all functions, by name.
func Functions() []Function {
	var out []Function
	for _, f := range functions() {
		out = append(out, f.Function)
	}
	slices.SortFunc(out, func(a, b Function) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// runner computes a function's result. It must neither keep nor change args.
type runner func(m *meter, args []any) (any, error)

// function is everything there is to know about a function: how it is
// described, checked and computed. The loops over elements have no runner,
// the virtual machine has instructions for them.
type function struct {
	Function
	min, max int // arguments; max -1: any number
	check    func(c *checker, call call) engine.Type
	run      runner
}

func functions() []function {
	return slices.Concat(loopFunctions(), listFunctions(), mapFunctions(), textFunctions(), numberFunctions(), timeFunctions(), conversionFunctions())
}

// loopFunctions evaluate a predicate for each element of a list.
func loopFunctions() []function {
	return []function{
		{Function{"all", "all(list, predicate) → bool", "Whether the predicate holds for every element; true for an empty list.", `all([1, 2], # > 0)`}, 2, 2, checkTest(engine.TypeBool()), nil},
		{Function{"any", "any(list, predicate) → bool", "Whether the predicate holds for at least one element.", `any([1, 2], # > 1)`}, 2, 2, checkTest(engine.TypeBool()), nil},
		{Function{"none", "none(list, predicate) → bool", "Whether the predicate holds for no element.", `none([1, 2], # > 2)`}, 2, 2, checkTest(engine.TypeBool()), nil},
		{Function{"one", "one(list, predicate) → bool", "Whether the predicate holds for exactly one element.", `one([1, 2], # > 1)`}, 2, 2, checkTest(engine.TypeBool()), nil},
		{Function{"count", "count(list, predicate) → integer", "For how many elements the predicate holds; without one, how many are true.", `count([1, 2, 3], # > 1) == 2`}, 1, 2, checkCount, nil},
		{Function{"filter", "filter(list, predicate) → list", "The elements for which the predicate holds.", `filter([1, 2, 3], # != 2) == [1, 3]`}, 2, 2, checkFilter, nil},
		{Function{"map", "map(list, expression) → list", "The expression's value for each element.", `map([{n: 1}, {n: 2}], .n) == [1, 2]`}, 2, 2, checkMap, nil},
		{Function{"find", "find(list, predicate) → element?", "The first element for which the predicate holds, nil when there is none.", `(find([1, 2, 3], # > 1) ?? 0) == 2`}, 2, 2, checkFind, nil},
		{Function{"findLast", "findLast(list, predicate) → element?", "The last element for which the predicate holds, nil when there is none.", `(findLast([1, 2, 3], # < 3) ?? 0) == 2`}, 2, 2, checkFind, nil},
		{Function{"findIndex", "findIndex(list, predicate) → integer?", "The place, from 0, of the first element for which the predicate holds.", `(findIndex([1, 2, 3], # > 1) ?? -1) == 1`}, 2, 2, checkTest(engine.Maybe(engine.TypeInteger())), nil},
		{Function{"groupBy", "groupBy(list, expression) → map of list", "The elements by the expression's value, which must be a string.", `groupBy(["ab", "ac", "b"], #[:1])["a"] == ["ab", "ac"]`}, 2, 2, checkGroupBy, runGroupBy},
		{Function{"sortBy", "sortBy(list, expression, order) → list", "The elements ordered by the expression's value, \"asc\" (the default) or \"desc\"; equal ones stay in their order.", `sortBy([{n: 2}, {n: 1}], .n)[0].n == 1`}, 2, 3, checkSortBy, runSortBy},
		{Function{"reduce", "reduce(list, expression, start) → value", "Folds a list into one value: #acc is the value so far, # the element.", `reduce([1, 2, 3], #acc + #, 0) == 6`}, 3, 3, checkReduce, nil},
		{Function{"sum", "sum(list, expression) → number", "The sum of the numbers or durations in a list, or of the expression's values; 0 for an empty list.", `sum([{n: 1}, {n: 2}], .n) == 3`}, 1, 2, checkSum, runSum},
	}
}

func checkTest(result engine.Type) func(*checker, call) engine.Type {
	return func(c *checker, call call) engine.Type {
		c.test(call, c.list(call, 0))
		return result
	}
}

func checkCount(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	switch {
	case len(call.args) == 2:
		c.test(call, item)
	case !assignable(item, engine.TypeBool()):
		c.problem(call.args[0], codeType, "this is a list of %s, a list of bool is needed", item)
	}
	return engine.TypeInteger()
}

// checkFilter knows that filter(list, # != nil) leaves nothing missing.
func checkFilter(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	c.test(call, item)
	c.elements = append(c.elements, element{})
	if slices.Contains(c.knownBy(bodyNode(call.args[1]), true), c.key(&ast.PointerNode{})) {
		item = item.Certain()
	}
	c.elements = c.elements[:len(c.elements)-1]
	return engine.ListOf(item)
}

func checkMap(c *checker, call call) engine.Type {
	c.builds = true
	return engine.ListOf(c.body(call, element{item: c.list(call, 0)}))
}

func checkFind(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	c.test(call, item)
	return maybe(item)
}

func checkGroupBy(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	c.fitBody(call, element{item: item}, engine.TypeString())
	return engine.DictOf(engine.ListOf(item))
}

func checkSortBy(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	at := bodyNode(call.args[1])
	c.sortable(at, c.certain(at, c.body(call, element{item: item})))
	checkSortOrder(c, call, 2)
	return engine.ListOf(item)
}

func checkSortOrder(c *checker, call call, i int) {
	if len(call.args) > i {
		c.arg(call, i, engine.EnumOf("asc", "desc"))
	}
}

// checkReduce holds the type of #acc to that of the start.
func checkReduce(c *checker, call call) engine.Type {
	c.builds = true
	item := c.list(call, 0)
	start := widen(c.operand(call.args[2]))
	c.fitBody(call, element{item: item, acc: &start}, start)
	return start
}

func checkSum(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	at := call.args[0]
	if len(call.args) == 2 {
		item = c.body(call, element{item: item})
		at = bodyNode(call.args[1])
		item = c.certain(at, item)
	} else {
		item = c.certainElement(at, item)
	}
	if unknown(item) || isAny(item) || isNumeric(item) || item.Kind == engine.KindDuration {
		return item
	}
	c.problem(at, codeType, "%s cannot be summed, only numbers and durations", describe(item))
	return engine.Type{}
}

// certainElement is certain for the elements of a list.
func (c *checker) certainElement(list ast.Node, item engine.Type) engine.Type {
	if item.Optional {
		p := c.problem(list, codeOptional, "an element of `%s` may be missing", c.src.quote(list))
		p.Hint = c.leaveOut(list)
	}
	return item.Certain()
}

func (c *checker) leaveOut(list ast.Node) string {
	return "leave out those that are: `filter(" + c.src.quote(list) + ", # != nil)`"
}

// sortable checks what a list is ordered by.
func (c *checker) sortable(at ast.Node, key engine.Type) {
	if !unknown(key) && !isAny(key) && !ordered(key) {
		c.problem(at, codeType, "%s has no order", describe(key))
	}
}

func runGroupBy(m *meter, args []any) (any, error) {
	pairs, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any)
	for _, p := range pairs {
		pair, _ := p.([]any)
		key, err := asString(pair, 1)
		if err != nil {
			return nil, &fault{arg: 0, reason: "has an element without a key that is a string"}
		}
		group, _ := out[key].([]any)
		out[key] = append(group, pair[0])
	}
	return out, m.charge(len(pairs))
}

func runSortBy(m *meter, args []any) (any, error) {
	pairs, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	descending, err := isDescending(args, 1)
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(pairs)
	second := func(pair any) any { p, _ := pair.([]any); return p[1] }
	if err := m.sort(sorted, second, descending); err != nil {
		return nil, err
	}
	for i, pair := range sorted {
		p, _ := pair.([]any)
		sorted[i] = p[0]
	}
	return sorted, nil
}

func runSum(m *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	total := args[1] // a zero of the right kind
	for i, v := range list {
		if _, isDuration := v.(time.Duration); isDuration && i == 0 {
			total = time.Duration(0)
		}
		if total, err = arithmetic("+", total, v); err != nil {
			return nil, inElement(err)
		}
	}
	return total, m.charge(len(list))
}
