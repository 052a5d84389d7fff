package schedule

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// spec is a cron expression together with what it means, both made by the test:
// nothing here reads an expression.
type spec struct {
	text   string
	fields [5]field
}

type field struct {
	text  string
	holds [60]bool
	star  bool // * or */1
	steps bool // a * or a step
}

// matches says it as the manual of cron does.
func (s spec) matches(w shown) bool {
	if !s.fields[0].holds[w.minute] || !s.fields[1].holds[w.hour] || !s.fields[3].holds[w.month] {
		return false
	}
	day, weekday := s.fields[2].holds[w.day], s.fields[4].holds[w.weekday]
	if s.fields[2].star || s.fields[4].star {
		return day && weekday
	}
	return day || weekday
}

func (s spec) fixedHours() bool { return !s.fields[1].steps }

// specs makes expressions that fire on some day of every month or nearly so,
// mostly at the hours at which clocks change.
func specs() *rapid.Generator[spec] {
	return rapid.Custom(func(t *rapid.T) spec {
		s := spec{fields: [5]field{
			fields(0, 59).Draw(t, "minute"), hours().Draw(t, "hour"), fields(1, 31).Draw(t, "day"), months().Draw(t, "month"), fields(0, 6).Draw(t, "weekday"),
		}}
		if day, weekday := &s.fields[2], &s.fields[4]; !day.star && !weekday.star && (day.steps || weekday.steps) {
			*day = every(1, 31) // some of these would be refused
		}
		var texts []string
		for _, f := range s.fields {
			texts = append(texts, f.text)
		}
		s.text = strings.Join(texts, " ")
		return s
	})
}

func months() *rapid.Generator[field] {
	return rapid.Custom(func(t *rapid.T) field {
		if rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
			return every(1, 12)
		}
		return fields(1, 12).Draw(t, "months")
	})
}

func hours() *rapid.Generator[field] {
	return rapid.Custom(func(t *rapid.T) field {
		if rapid.Bool().Draw(t, "any") {
			return fields(0, 23).Draw(t, "hours")
		}
		return fields(0, 3).Draw(t, "early").upTo(23)
	})
}

// upTo makes a field that was drawn from fewer values one of more.
func (f field) upTo(last int) field {
	if strings.HasPrefix(f.text, "*") || strings.Contains(f.text, "/") {
		return every(0, last)
	}
	return f
}

func every(low, high int) field {
	f := field{text: "*", star: true, steps: true}
	f.put(low, high, 1)
	return f
}

func (f *field) put(from, to, every int) {
	for n := from; n <= to; n += every {
		f.holds[n] = true
	}
}

// fields makes the field of values from low to high.
func fields(low, high int) *rapid.Generator[field] {
	return rapid.Custom(func(t *rapid.T) field {
		f := field{}
		a := rapid.IntRange(low, high-1).Draw(t, "from")
		b := rapid.IntRange(a+1, high).Draw(t, "to")
		switch rapid.IntRange(0, 6).Draw(t, "form") {
		case 0:
			return every(low, high)
		case 1:
			every := rapid.IntRange(2, min(high-low, 20)).Draw(t, "every")
			f.text, f.steps = fmt.Sprintf("*/%d", every), true
			f.put(low, high, every)
		case 2:
			every := rapid.IntRange(1, b-a).Draw(t, "every")
			f.text, f.steps = fmt.Sprintf("%d-%d/%d", a, b, every), true
			f.put(a, b, every)
		case 3:
			f.text = fmt.Sprintf("%d-%d", a, b)
			f.put(a, b, 1)
		case 4:
			f.text = fmt.Sprintf("%d,%d", b, a)
			f.holds[a], f.holds[b] = true, true
		default:
			f.text = fmt.Sprint(a)
			f.holds[a] = true
		}
		return f
	})
}

func (f field) String() string { return f.text }
