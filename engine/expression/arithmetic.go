package expression

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// arithmetic is one of + - * / % ** over two values.
func arithmetic(op string, a, b any) (any, error) {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return integers(op, x, y)
		case float64:
			return floats(op, float64(x), y)
		case time.Duration:
			return scaled(op, y, float64(x), op == "*")
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return floats(op, x, float64(y))
		case float64:
			return floats(op, x, y)
		case time.Duration:
			return scaled(op, y, x, op == "*")
		}
	case time.Duration:
		return durations(op, x, b)
	case time.Time:
		return times(op, x, b)
	case string:
		if y, ok := b.(string); ok && op == "+" {
			return x + y, nil
		}
	}
	return nil, operandFault(a, b)
}

func operandFault(a, b any) error {
	if b == nil {
		return &fault{arg: 1, reason: "is missing"}
	}
	if a == nil {
		return &fault{arg: 0, reason: "is missing"}
	}
	return &fault{arg: -1, reason: "is not defined for " + kindOf(a) + " and " + kindOf(b)}
}

func integers(op string, a, b int64) (any, error) {
	switch op {
	case "+":
		if sum := a + b; (sum > a) == (b > 0) {
			return sum, nil
		}
	case "-":
		if diff := a - b; (diff < a) == (b > 0) {
			return diff, nil
		}
	case "*":
		if product, ok := multiply(a, b); ok {
			return product, nil
		}
	case "%":
		if b == 0 {
			return nil, &fault{arg: 1, reason: "is zero: nothing can be divided by it"}
		}
		if b == -1 {
			return int64(0), nil
		}
		return a % b, nil
	default:
		return floats(op, float64(a), float64(b))
	}
	return nil, errOverflow()
}

func multiply(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	if a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
		return 0, false // the one product whose quotient overflows too
	}
	product := a * b
	return product, product/b == a
}

func floats(op string, a, b float64) (any, error) {
	switch op {
	case "+":
		return finite(a + b)
	case "-":
		return finite(a - b)
	case "*":
		return finite(a * b)
	case "/":
		if b == 0 {
			return nil, &fault{arg: 1, reason: "is zero: nothing can be divided by it"}
		}
		return finite(a / b)
	case "**", "^":
		return finite(math.Pow(a, b))
	}
	return nil, &fault{arg: -1, reason: "is not defined for numbers with a fraction"}
}

// finite is an error for what is no number, or too large for one.
func finite(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &fault{arg: -1, reason: "is not a finite number"}
	}
	return f, nil
}

// scaled is a duration times or divided by a number.
func scaled(op string, d time.Duration, by float64, allowed bool) (any, error) {
	if !allowed {
		return nil, &fault{arg: -1, reason: "is not defined for a number and a duration"}
	}
	if op == "/" && by == 0 {
		return nil, &fault{arg: 1, reason: "is zero: nothing can be divided by it"}
	}
	n, whole := wholeFactor(by)
	switch {
	case whole && op == "/" && n != -1:
		return d / time.Duration(n), nil
	case whole:
		if product, ok := multiply(int64(d), n); ok {
			return time.Duration(product), nil
		}
		return nil, errDuration()
	case op == "/":
		by = 1 / by
	}
	f := float64(d) * by
	if math.IsNaN(f) || f >= math.MaxInt64 || f <= math.MinInt64 {
		return nil, errDuration()
	}
	return time.Duration(f), nil
}

// wholeFactor is a number as an integer, where a float64 holds it exactly.
func wholeFactor(f float64) (int64, bool) {
	const exact = 1 << 53
	return int64(f), f == math.Trunc(f) && math.Abs(f) < exact
}

func errDuration() error {
	return &fault{arg: -1, reason: "is longer than a duration can be"}
}

func durations(op string, a time.Duration, b any) (any, error) {
	switch y := b.(type) {
	case int64:
		return scaled(op, a, float64(y), op == "*" || op == "/")
	case float64:
		return scaled(op, a, y, op == "*" || op == "/")
	case time.Time:
		if op == "+" {
			return moved(y, a)
		}
	case time.Duration:
		if op == "/" {
			return floats(op, float64(a), float64(y))
		}
		if op != "+" && op != "-" {
			break
		}
		total, err := integers(op, int64(a), int64(y))
		if err != nil {
			return nil, errDuration()
		}
		n, _ := total.(int64)
		return time.Duration(n), nil
	}
	return nil, operandFault(a, b)
}

func times(op string, a time.Time, b any) (any, error) {
	switch y := b.(type) {
	case time.Duration:
		if op == "+" {
			return moved(a, y)
		}
		if op == "-" && y != math.MinInt64 {
			return moved(a, -y)
		}
	case time.Time:
		if op != "-" {
			break
		}
		if d := a.Sub(y); d != math.MaxInt64 && d != math.MinInt64 {
			return d, nil
		}
		return nil, errDuration()
	}
	return nil, operandFault(a, b)
}

// moved is a time plus a duration, within the years that can be written down.
func moved(at time.Time, by time.Duration) (any, error) {
	const lastYear = 9999
	to := at.Add(by)
	if year := to.UTC().Year(); year < 0 || year > lastYear {
		return nil, &fault{arg: -1, reason: "is beyond the years 0 to 9999"}
	}
	return to, nil
}

// compare orders two values: below zero when a comes first.
func compare(a, b any) (int, error) {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, y), nil
		case float64:
			return cmp.Compare(float64(x), y), nil
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, float64(y)), nil
		case float64:
			return cmp.Compare(x, y), nil
		}
	case string:
		if y, ok := fetched(b).(string); ok {
			return strings.Compare(x, y), nil
		}
	case engine.Text:
		return compare(x.String(), b)
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return cmp.Compare(x, y), nil
		}
	}
	if a == nil || b == nil {
		return 0, operandFault(a, b)
	}
	return 0, &fault{arg: -1, reason: "cannot be told: " + kindOf(a) + " and " + kindOf(b) + " have no order"}
}

// equal reports whether two values are the same. Values of different kinds
// never are; an integer and a number can be.
func (m *meter) equal(a, b any) (bool, error) {
	if err := m.charge(1); err != nil {
		return false, err
	}
	switch x := fetched(a).(type) {
	case nil:
		return b == nil, nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y, nil
	case []any:
		y, ok := b.([]any)
		if !ok {
			return false, nil
		}
		return m.equalLists(x, y)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return false, nil
		}
		return m.equalMaps(x, y)
	default:
		b = fetched(b)
		if b == nil || kindOf(x) != kindOf(b) && !bothNumbers(x, b) {
			return false, nil
		}
		order, err := compare(x, b)
		return order == 0, err
	}
}

func bothNumbers(a, b any) bool {
	number := func(v any) bool {
		switch v.(type) {
		case int64, float64:
			return true
		}
		return false
	}
	return number(a) && number(b)
}

func (m *meter) equalLists(a, b []any) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if same, err := m.equal(a[i], b[i]); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (m *meter) equalMaps(a, b map[string]any) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for k, x := range a {
		y, ok := b[k]
		if !ok {
			return false, nil
		}
		if same, err := m.equal(x, y); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}
