package expression

import (
	"math"
	"strings"
)

// mode is what happens where a member is not there.
type mode int

const (
	modeCertain mode = iota // missing and nil are errors: its type says that it is there
	modePresent             // missing is an error, nil is a value: its type is dynamic
	modeMaybe               // missing is nil: its type says that it may be
	modeLoose               // missing and nil end the path, with nil: after ?. and before ??
)

// cut is the value of a path that has ended, for the members that follow; $end
// makes nil of it.
type cut struct{}

// operations are what the virtual machine calls beside the functions of the
// language. Their names cannot be written in an expression.
func operation(name string) runner {
	switch name {
	case "$member":
		return runMember
	case "$end":
		return runEnd
	case "$slice":
		return runSlice
	case "$equal":
		return func(m *meter, args []any) (any, error) { return m.equal(args[0], args[1]) }
	case "$in":
		return runIn
	case "$range":
		return runRange
	case "$matches":
		return runMatches
	case "$contains":
		return searching(strings.Contains)
	case "$startsWith":
		return searching(strings.HasPrefix)
	case "$endsWith":
		return searching(strings.HasSuffix)
	case "$negate":
		return runNegate
	case "$tick":
		return func(m *meter, _ []any) (any, error) { return nil, m.charge(1) }
	case "$bool", "$string", "$list", "$integer":
		return conversion(name)
	case "$<", "$<=", "$>", "$>=":
		return ordering(name[1:])
	}
	op, found := strings.CutPrefix(name, "$")
	if !found {
		return nil
	}
	return func(m *meter, args []any) (any, error) { return m.calculate(op, args) }
}

func (m *meter) calculate(op string, args []any) (any, error) {
	v, err := arithmetic(op, fetched(args[0]), fetched(args[1]))
	if s, isText := v.(string); isText && err == nil {
		return m.bounded(s)
	}
	return v, err
}

// conversion holds a dynamic value against what the place needs.
func conversion(name string) runner {
	return func(_ *meter, args []any) (any, error) {
		switch name {
		case "$string":
			return asString(args, 0)
		case "$list":
			return asList(args, 0)
		case "$integer":
			if args[0] == nil {
				return nil, nil
			}
			return asInteger(args, 0)
		}
		if b, ok := args[0].(bool); ok {
			return b, nil
		}
		return nil, wrongKind(args, 0, "a bool")
	}
}

func ordering(op string) runner {
	return func(_ *meter, args []any) (any, error) {
		order, err := compare(fetched(args[0]), fetched(args[1]))
		if err != nil {
			return nil, err
		}
		switch op {
		case "<":
			return order < 0, nil
		case "<=":
			return order <= 0, nil
		case ">":
			return order > 0, nil
		}
		return order >= 0, nil
	}
}

// runMember is base.key and base[key]; args[2] is the mode.
func runMember(_ *meter, args []any) (any, error) {
	how, _ := args[2].(mode)
	switch base := args[0].(type) {
	case cut:
		return base, nil
	case nil:
		if how == modeLoose {
			return cut{}, nil
		}
		return nil, &fault{arg: 0, reason: "is missing"}
	case map[string]any:
		return fieldOf(base, args, how)
	case []any:
		return elementOf(base, args, how)
	}
	return nil, wrongKind(args, 0, "a map or a list")
}

func fieldOf(base map[string]any, args []any, how mode) (any, error) {
	key, err := asString(args, 1)
	if err != nil {
		return nil, err
	}
	v, ok := base[key]
	if how == modeLoose && v == nil {
		return cut{}, nil
	}
	if how == modeCertain && v == nil || how == modePresent && !ok {
		return nil, &fault{arg: -1, reason: "is missing"}
	}
	return fetched(v), nil
}

func elementOf(base []any, args []any, how mode) (any, error) {
	i, err := asInteger(args, 1)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i += int64(len(base))
	}
	if i < 0 || i >= int64(len(base)) {
		if how == modeLoose {
			return cut{}, nil
		}
		return nil, &fault{arg: -1, reason: "is beyond the end of the list"}
	}
	v := base[i]
	switch {
	case v == nil && how == modeLoose:
		return cut{}, nil
	case v == nil && how == modeCertain:
		return nil, &fault{arg: -1, reason: "is missing"}
	}
	return fetched(v), nil
}

func runEnd(_ *meter, args []any) (any, error) {
	if _, met := args[0].(cut); met {
		return nil, nil
	}
	return args[0], nil
}

// runSlice is base[from:to] of a list or of the characters of a string.
func runSlice(m *meter, args []any) (any, error) {
	if list, ok := args[0].([]any); ok {
		from, to, err := bounds(args, len(list))
		if err != nil {
			return nil, err
		}
		return list[from:to:to], nil
	}
	s, err := asString(args, 0)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is " + kindOf(args[0]) + ", a list or a string is needed"}
	}
	characters := []rune(s)
	from, to, err := bounds(args, len(characters))
	if err != nil {
		return nil, err
	}
	return string(characters[from:to]), m.make(len(s))
}

// bounds are the two ends of a slice: negative ones count from the end, and
// those outside are moved to the end.
func bounds(args []any, length int) (from, to int, err error) {
	ends := [2]int{0, length}
	for i := range ends {
		if args[i+1] == nil {
			continue
		}
		n, err := asInteger(args, i+1)
		if err != nil {
			return 0, 0, err
		}
		if n < 0 {
			n += int64(length)
		}
		ends[i] = int(min(max(n, 0), int64(length)))
	}
	return min(ends[0], ends[1]), ends[1], nil
}

func runIn(m *meter, args []any) (any, error) {
	switch in := args[1].(type) {
	case []any:
		for _, v := range in {
			if same, err := m.equal(v, args[0]); same || err != nil {
				return same, err
			}
		}
		return false, nil
	case map[string]any:
		key, err := asString(args, 0)
		if err != nil {
			return nil, err
		}
		_, ok := in[key]
		return ok, nil
	}
	return nil, wrongKind(args, 1, "a list or a map")
}

func runRange(m *meter, args []any) (any, error) {
	from, err := asInteger(args, 0)
	if err != nil {
		return nil, err
	}
	to, err := asInteger(args, 1)
	if err != nil {
		return nil, err
	}
	if to < from {
		return []any{}, nil
	}
	if uint64(to)-uint64(from) >= maxList {
		return nil, errTooMany()
	}
	out := make([]any, 0, to-from+1)
	for n := from; ; n++ {
		out = append(out, n)
		if n == to {
			return out, m.charge(len(out))
		}
	}
}

func searching(test func(text, part string) bool) runner {
	return func(m *meter, args []any) (any, error) {
		s, err := stringsOf(m, args)
		if err != nil {
			return nil, err
		}
		return test(s[0], s[1]), nil
	}
}

// runMatches takes a compiled pattern or a string.
func runMatches(m *meter, args []any) (any, error) {
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	p, ok := args[1].(*pattern)
	if !ok {
		text, err := asString(args, 1)
		if err != nil {
			return nil, err
		}
		if p, err = compilePattern(text); err != nil {
			return nil, &fault{arg: 1, reason: reasonOf(err)}
		}
	}
	if err := m.charge(len(s) * p.size / matchStep); err != nil {
		return nil, err
	}
	return p.MatchString(s), nil
}

func runNegate(_ *meter, args []any) (any, error) {
	switch v := fetched(args[0]).(type) {
	case float64:
		return -v, nil
	case int64:
		if v == math.MinInt64 {
			return nil, errOverflow()
		}
		return -v, nil
	}
	d, err := arithmetic("*", fetched(args[0]), int64(-1))
	if err != nil {
		return nil, wrongKind(args, 0, "a number or a duration")
	}
	return d, nil
}
