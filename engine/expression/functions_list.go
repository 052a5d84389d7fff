package expression

import (
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func listFunctions() []function {
	return []function{
		{Function{"len", "len(value: string | list | map) → integer", "How many characters, elements or keys there are.", `len("héllo") == 5`}, 1, 1, checkLen, runLen},
		{Function{"first", "first(list) → element?", "The first element, nil when there is none.", `(first([1, 2]) ?? 0) == 1`}, 1, 1, checkEnd, runFirst},
		{Function{"last", "last(list) → element?", "The last element, nil when there is none.", `(last([1, 2]) ?? 0) == 2`}, 1, 1, checkEnd, runLast},
		{Function{"take", "take(list, n: integer) → list", "The first n elements, or all when there are fewer.", `take([1, 2, 3], 2) == [1, 2]`}, 2, 2, checkTake, runTake},
		{Function{"reverse", "reverse(list) → list", "The elements from the last to the first.", `reverse([1, 2]) == [2, 1]`}, 1, 1, checkSameList, runReverse},
		{Function{"sort", "sort(list, order) → list", "The elements in order, \"asc\" (the default) or \"desc\".", `sort([3, 1, 2], "desc") == [3, 2, 1]`}, 1, 2, checkSort, runSort},
		{Function{"uniq", "uniq(list) → list", "The elements without repetitions, in the order of their first appearance.", `uniq([1, 2, 1]) == [1, 2]`}, 1, 1, checkSameList, runUniq},
		{Function{"concat", "concat(list, list, …) → list", "The elements of all the lists, one list after the other.", `concat([1], [2, 3]) == [1, 2, 3]`}, 1, -1, checkConcat, runConcat},
		{Function{"flatten", "flatten(list of list) → list", "The elements of the lists in a list.", `flatten([[1], [2, 3]]) == [1, 2, 3]`}, 1, 1, checkFlatten, runFlatten},
		{Function{"join", "join(list of string, separator: string) → string", "The strings one after the other, with the separator (or nothing) between them.", `join(["a", "b"], ", ") == "a, b"`}, 1, 2, takes(engine.TypeString(), engine.ListOf(engine.TypeString()), engine.TypeString()), runJoin},
	}
}

func mapFunctions() []function {
	return []function{
		{Function{"keys", "keys(map) → list of string", "The keys, sorted.", `keys({b: 1, a: 2}) == ["a", "b"]`}, 1, 1, checkKeys, runKeys},
		{Function{"values", "values(map) → list", "The values, in the order of their sorted keys.", `values({b: 1, a: 2}) == [2, 1]`}, 1, 1, checkValues, runValues},
	}
}

func checkLen(c *checker, call call) engine.Type {
	t := c.operand(call.args[0])
	if !unknown(t) && !isAny(t) && !isString(t) && !isKind(engine.KindList, engine.KindMap)(t) {
		c.problem(call.args[0], codeType, "this is %s, a string, a list or a map is needed", describe(t))
	}
	return engine.TypeInteger()
}

func checkEnd(c *checker, call call) engine.Type { return maybe(c.list(call, 0)) }

func checkSameList(c *checker, call call) engine.Type { return engine.ListOf(c.list(call, 0)) }

func checkTake(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	c.arg(call, 1, engine.TypeInteger())
	return engine.ListOf(item)
}

func checkSort(c *checker, call call) engine.Type {
	item := c.list(call, 0)
	c.sortable(call.args[0], c.certainElement(call.args[0], item))
	checkSortOrder(c, call, 1)
	return engine.ListOf(item)
}

func checkConcat(c *checker, call call) engine.Type {
	c.builds = true
	out := engine.Type{Kind: engine.KindList}
	for i := range call.args {
		both, ok := c.commonList(out, engine.ListOf(c.list(call, i)))
		if !ok {
			c.problem(call.args[i], codeType, "the lists must have elements of one type")
			return engine.Type{}
		}
		out = both
	}
	return out
}

func checkFlatten(c *checker, call call) engine.Type {
	c.builds = true
	inner := c.list(call, 0)
	if unknown(inner) || isAny(inner) || inner.Kind == engine.KindList && !inner.Optional {
		return engine.ListOf(elem(inner))
	}
	c.problem(call.args[0], codeType, "this is a list of %s, a list of lists is needed", inner)
	return engine.Type{}
}

func checkKeys(c *checker, call call) engine.Type {
	c.mapping1(call)
	return engine.ListOf(engine.TypeString())
}

// checkValues gives the values of a map with fixed fields a type only where
// they have one in common.
func checkValues(c *checker, call call) engine.Type {
	t := c.mapping1(call)
	if len(t.Fields) == 0 {
		return engine.ListOf(elem(t))
	}
	all := t.Fields[0].Type
	for _, f := range t.Fields[1:] {
		both, ok := c.common(all, f.Type)
		if !ok {
			return engine.ListOf(engine.TypeAny())
		}
		all = both
	}
	return engine.ListOf(all)
}

// mapping1 checks a first argument that must be a map.
func (c *checker) mapping1(call call) engine.Type {
	t := c.operand(call.args[0])
	if !unknown(t) && !isAny(t) && t.Kind != engine.KindMap {
		c.problem(call.args[0], codeType, "this is %s, a map is needed", describe(t))
	}
	return t
}

func runLen(_ *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case []any:
		return int64(len(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	}
	s, err := asString(args, 0)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is " + kindOf(args[0]) + ", a string, a list or a map is needed"}
	}
	return runes(s), nil
}

func runFirst(_ *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

func runLast(_ *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[len(list)-1], nil
}

func runTake(_ *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := asInteger(args, 1)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, &fault{arg: 1, reason: "is negative"}
	}
	return list[:min(n, int64(len(list)))], nil
}

func runReverse(m *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	slices.Reverse(out)
	return out, m.charge(len(out))
}

func runSort(m *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	descending, err := isDescending(args, 1)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	return out, m.sort(out, func(v any) any { return v }, descending)
}

func isDescending(args []any, i int) (bool, error) {
	if len(args) <= i {
		return false, nil
	}
	order, err := asString(args, i)
	if err == nil && order != "asc" && order != "desc" {
		err = &fault{arg: i, reason: `is neither "asc" nor "desc"`}
	}
	return order == "desc", err
}

// sort orders a list by a key of its elements, keeping equal ones in their order.
func (m *meter) sort(list []any, key func(any) any, descending bool) error {
	var failed error
	slices.SortStableFunc(list, func(a, b any) int {
		order, err := compare(key(a), key(b))
		if err != nil {
			failed = inElement(err)
		}
		if m.charge(1) != nil {
			failed = errBudget()
		}
		if descending {
			return -order
		}
		return order
	})
	return failed
}

func runUniq(m *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	seen := make(map[any]bool, len(list))
	out := make([]any, 0, len(list))
	for _, v := range list {
		key, err := m.identity(v)
		if err != nil {
			return nil, err
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, v)
		}
	}
	return out, nil
}

// identity is a key that two values share exactly when they are equal.
func (m *meter) identity(v any) (any, error) {
	if err := m.charge(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil, bool, int64, string, time.Duration:
		return v, nil
	case float64:
		if n := int64(v); float64(n) == v {
			return n, nil
		}
		return v, nil
	case time.Time:
		return [2]int64{v.Unix(), int64(v.Nanosecond())}, nil
	case engine.Text:
		return v.String(), nil
	}
	type encoded string // apart from strings that look like it
	text, err := m.encode(v)
	return encoded(text), err
}

func runConcat(m *meter, args []any) (any, error) {
	var out []any
	for i := range args {
		list, err := asList(args, i)
		if err != nil {
			return nil, err
		}
		if err := m.grow(len(out), len(list)); err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return orEmpty(out), nil
}

func runFlatten(m *meter, args []any) (any, error) {
	lists, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	var out []any
	for i := range lists {
		list, err := asList(lists, i)
		if err != nil {
			return nil, inElement(err)
		}
		if err := m.grow(len(out), len(list)); err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return orEmpty(out), nil
}

func orEmpty(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

func runJoin(m *meter, args []any) (any, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	separator := ""
	if len(args) > 1 {
		if separator, err = asString(args, 1); err != nil {
			return nil, err
		}
	}
	b := m.text()
	for i := range list {
		s, err := asString(list, i)
		if err != nil {
			return nil, inElement(err)
		}
		if i > 0 {
			s = separator + s
		}
		if err := b.add(s); err != nil {
			return nil, err
		}
	}
	return b.String(), m.charge(len(list))
}

func runKeys(m *meter, args []any) (any, error) {
	sorted, _, err := sortedKeys(m, args)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(sorted))
	for i, k := range sorted {
		out[i] = k
	}
	return out, nil
}

func runValues(m *meter, args []any) (any, error) {
	sorted, values, err := sortedKeys(m, args)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(sorted))
	for i, k := range sorted {
		out[i] = fetched(values[k])
	}
	return out, nil
}

func sortedKeys(m *meter, args []any) ([]string, map[string]any, error) {
	values, err := asMap(args, 0)
	if err != nil {
		return nil, nil, err
	}
	return slices.Sorted(maps.Keys(values)), values, m.charge(len(values))
}
