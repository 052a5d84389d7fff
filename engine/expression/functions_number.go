package expression

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func numberFunctions() []function {
	number := engine.TypeNumber()
	return []function{
		{Function{"abs", "abs(n: number) → number", "The number without its sign; an integer stays one.", `abs(-5) == 5`}, 1, 1, checkSameNumber, runAbs},
		{Function{"ceil", "ceil(n: number) → integer", "The nearest integer above.", `ceil(1.2) == 2`}, 1, 1, takes(engine.TypeInteger(), number), rounded(math.Ceil)},
		{Function{"floor", "floor(n: number) → integer", "The nearest integer below.", `floor(1.8) == 1`}, 1, 1, takes(engine.TypeInteger(), number), rounded(math.Floor)},
		{Function{"round", "round(n: number) → integer", "The nearest integer, halves away from zero.", `round(1.5) == 2`}, 1, 1, takes(engine.TypeInteger(), number), rounded(math.Round)},
		{Function{"min", "min(a, b, …) → value · min(list) → element?", "The least of some numbers, times, durations or strings; of a list it is nil when that is empty.", `min(3, 1, 2) == 1`}, 1, -1, checkExtreme, extreme(-1)},
		{Function{"max", "max(a, b, …) → value · max(list) → element?", "The greatest of some numbers, times, durations or strings; of a list it is nil when that is empty.", `(max([3, 1, 2]) ?? 0) == 3`}, 1, -1, checkExtreme, extreme(+1)},
		{Function{"mean", "mean(list of number) → number?", "The arithmetic mean, nil for an empty list.", `(mean([1, 2, 6]) ?? 0) == 3`}, 1, 1, takes(engine.Maybe(number), engine.ListOf(number)), runMean},
		{Function{"median", "median(list of number) → number?", "The middle one of the sorted numbers, or the mean of the two in the middle; nil for an empty list.", `(median([9, 1, 2]) ?? 0) == 2`}, 1, 1, takes(engine.Maybe(number), engine.ListOf(number)), runMedian},
	}
}

func conversionFunctions() []function {
	return []function{
		{Function{"int", "int(value: number | string) → integer", "The integer a string says, or a number without what stands after the point.", `int("42") == 42`}, 1, 1, checkConversion(engine.TypeInteger(), isNumericOrString), runInt},
		{Function{"float", "float(value: number | string) → number", "The number a string says, or an integer as a number.", `float("2.5") == 2.5`}, 1, 1, checkConversion(engine.TypeNumber(), isNumericOrString), runFloat},
		{Function{"string", "string(value: bool | number | string | time | duration) → string", "The value as it would stand in a text.", `string(42) == "42"`}, 1, 1, checkConversion(engine.TypeString(), printable), runString},
		{Function{"toJSON", "toJSON(value) → string", "The value as JSON, with sorted keys.", `toJSON({b: 1, a: "x"}) == '{"a":"x","b":1}'`}, 1, 1, takes(engine.TypeString(), engine.TypeAny()), runToJSON},
		{Function{"fromJSON", "fromJSON(text: string) → any", "The value a JSON text says; its fields are dynamic.", `fromJSON('{"n": 5}').n == 5`}, 1, 1, takes(engine.TypeAny(), engine.TypeString()), runFromJSON},
	}
}

func isNumericOrString(t engine.Type) bool { return isNumeric(t) || isString(t) }

func checkConversion(result engine.Type, from func(engine.Type) bool) func(*checker, call) engine.Type {
	return func(c *checker, call call) engine.Type {
		t := c.operand(call.args[0])
		if !unknown(t) && !isAny(t) && !from(t) {
			p := c.problem(call.args[0], codeType, "%s cannot become %s", describe(t), describe(result))
			if isString(result) {
				p.Hint = "write `toJSON(" + c.src.quote(call.args[0]) + ")`"
			}
		}
		return result
	}
}

func checkSameNumber(c *checker, call call) engine.Type {
	return c.arg(call, 0, engine.TypeNumber())
}

// checkExtreme is min and max: of several values, or of one list.
func checkExtreme(c *checker, call call) engine.Type {
	if len(call.args) == 1 {
		item := c.list(call, 0)
		c.sortable(call.args[0], c.certainElement(call.args[0], item))
		return maybe(item)
	}
	all := engine.Type{}
	for i, arg := range call.args {
		t := c.operand(arg)
		c.sortable(arg, t)
		if i == 0 {
			all = t
			continue
		}
		both, ok := c.common(all, t)
		if !ok {
			c.problem(arg, codeType, "this is %s, the first is %s", describe(t), describe(all))
			return engine.Type{}
		}
		all = both
	}
	return all
}

func runAbs(_ *meter, args []any) (any, error) {
	if n, ok := args[0].(int64); ok {
		if n == math.MinInt64 {
			return nil, errOverflow()
		}
		return max(n, -n), nil
	}
	f, err := asNumber(args, 0)
	return math.Abs(f), err
}

func rounded(round func(float64) float64) runner {
	return func(_ *meter, args []any) (any, error) {
		if n, ok := args[0].(int64); ok {
			return n, nil
		}
		f, err := asNumber(args, 0)
		if err != nil {
			return nil, err
		}
		return wholeNumber(round(f))
	}
}

// wholeNumber is a float64 without its fraction, if an integer can hold it.
func wholeNumber(f float64) (any, error) {
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return nil, errOverflow()
	}
	return int64(f), nil
}

func extreme(sign int) runner {
	return func(m *meter, args []any) (any, error) {
		list := args
		if len(args) == 1 {
			var err error
			if list, err = asList(args, 0); err != nil || len(list) == 0 {
				return nil, err
			}
		}
		best := list[0]
		for _, v := range list {
			order, err := compare(v, best)
			if err != nil {
				return nil, inElement(err)
			}
			if order*sign > 0 {
				best = v
			}
		}
		return best, m.charge(len(list))
	}
}

func numbersOf(m *meter, args []any) ([]float64, error) {
	list, err := asList(args, 0)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(list))
	for i := range list {
		if out[i], err = asNumber(list, i); err != nil {
			return nil, inElement(err)
		}
	}
	return out, m.charge(len(out))
}

func runMean(m *meter, args []any) (any, error) {
	numbers, err := numbersOf(m, args)
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	total := 0.0
	for _, n := range numbers {
		total += n
	}
	return finite(total / float64(len(numbers)))
}

func runMedian(m *meter, args []any) (any, error) {
	numbers, err := numbersOf(m, args)
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	slices.Sort(numbers)
	middle := len(numbers) / 2
	if len(numbers)%2 == 1 {
		return numbers[middle], nil
	}
	return finite((numbers[middle-1] + numbers[middle]) / 2)
}

func runInt(_ *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return v, nil
	case float64:
		return wholeNumber(v)
	}
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not an integer"}
	}
	return n, nil
}

func runFloat(_ *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not a number"}
	}
	return finite(f)
}

func runString(m *meter, args []any) (any, error) {
	switch args[0].(type) {
	case nil, []any, map[string]any:
		return nil, &fault{arg: 0, reason: "is " + kindOf(args[0]) + ", a single value is needed"}
	}
	return m.format(args[0])
}

func runToJSON(m *meter, args []any) (any, error) { return m.encode(args[0]) }

func runFromJSON(m *meter, args []any) (any, error) {
	s, err := stringsOf(m, args)
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(s[0])) { // a decoder alone would not see what follows the value
		return nil, &fault{arg: 0, reason: "is not JSON"}
	}
	v, err := engine.DecodeJSON([]byte(s[0]), engine.TypeAny())
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not JSON"}
	}
	size := scale{parts: maxParts, bytes: maxText}
	if err := size.weigh(v); err != nil {
		return nil, err
	}
	return v, m.charge(maxParts - size.parts)
}

// format is a value as it stands in a text.
func (m *meter) format(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case engine.Text:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return formatFloat(v), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339), nil
	case time.Duration:
		return engine.FormatDuration(v), nil
	}
	return m.encode(v)
}

func formatFloat(f float64) string {
	const readable = 1e15
	if math.Abs(f) < readable {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
