package playbooks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// cronProblem is what is wrong with a cron expression, and where in it.
type cronProblem struct {
	offset, length int
	code           string
	message, hint  string
}

const cronHint = `five fields: minute, hour, day of the month, month and day of the week; "0 8 * * 1-5" is 8:00 on weekdays`

// cronField is what one of the five fields can hold.
type cronField struct {
	name     string
	min, max int
	names    []string // for min, min+1, …
}

func cronFields() []cronField {
	return []cronField{
		{name: "minute", max: 59},
		{name: "hour", max: 23},
		{name: "day of the month", min: 1, max: 31},
		{name: "month", min: 1, max: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
		{name: "day of the week", max: 7, names: strings.Fields("sun mon tue wed thu fri sat")},
	}
}

// parseCron checks a cron expression and writes it so that every reader of the
// five standard fields understands it alike: 7, which many take for Sunday and
// some for an error, becomes 0.
func parseCron(text string) (string, *cronProblem) {
	if problem := foreignCron(text); problem != nil {
		return "", problem
	}
	fields, offsets := splitFields(text)
	if len(fields) != len(cronFields()) {
		return "", &cronProblem{length: len(text), code: "cron", hint: cronHint,
			message: fmt.Sprintf("a cron expression has 5 fields, this one has %d", len(fields))}
	}
	for i, f := range cronFields() {
		normal, problem := f.check(fields[i])
		if problem != nil {
			problem.offset += offsets[i]
			return "", problem
		}
		fields[i] = normal
	}
	normal := strings.Join(fields, " ")
	return normal, neverFires(text, normal)
}

// foreignCron refuses what other schedulers put around the five fields.
func foreignCron(text string) *cronProblem {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch {
	case strings.Contains(first, "TZ="):
		return &cronProblem{length: len(first), code: "cron", message: "a cron expression cannot name its time zone", hint: "write `timezone: Europe/Berlin` beside `schedule`"}
	case strings.HasPrefix(first, "@"):
		return &cronProblem{length: len(text), code: "cron", message: fmt.Sprintf("%s is not a cron expression", strings.TrimSpace(text)), hint: cronHint}
	}
	return nil
}

func splitFields(text string) (fields []string, offsets []int) {
	for i := 0; i < len(text); {
		if text[i] == ' ' || text[i] == '\t' {
			i++
			continue
		}
		end := i
		for end < len(text) && text[end] != ' ' && text[end] != '\t' {
			end++
		}
		fields, offsets = append(fields, text[i:end]), append(offsets, i)
		i = end
	}
	return fields, offsets
}

// check reads one field: parts with commas between them.
func (f cronField) check(text string) (string, *cronProblem) {
	var out []string
	at := 0
	for _, part := range strings.Split(text, ",") {
		normal, message, hint := f.part(part)
		if message != "" {
			return "", &cronProblem{offset: at, length: max(len(part), 1), code: "cron", message: message, hint: hint}
		}
		out = append(out, normal)
		at += len(part) + 1
	}
	return strings.Join(out, ","), nil
}

// part reads *, a value or a range, with an optional step.
func (f cronField) part(text string) (normal, problem, hint string) {
	span, step, stepped := strings.Cut(text, "/")
	from, to, ok := f.span(strings.ToLower(span), stepped)
	if !ok {
		return "", fmt.Sprintf("%q is not a cron %s", text, f.name), f.hint()
	}
	if from > to {
		return "", fmt.Sprintf("the cron range %q runs backwards", span), fmt.Sprintf("write %s as two ranges with a comma", span)
	}
	every := 1
	if stepped {
		n, ok := cronNumber(step)
		if !ok || n < 1 {
			return "", fmt.Sprintf("%q is not a cron step", step), f.hint()
		}
		if n > to-from {
			return "", fmt.Sprintf("a cron step of %d is longer than the %ss it counts: it would fire as if it said %d", n, f.name, from),
				"a step counts within its field and begins again with the next one"
		}
		every = n
	}
	if f.max == 7 && to == 7 && span != "*" {
		return sundays(from, to, every), "", ""
	}
	return text, "", ""
}

// span reads the part before a step. A lone value with a step counts from it on.
func (f cronField) span(text string, stepped bool) (from, to int, ok bool) {
	if text == "*" {
		return f.min, f.last(), true
	}
	low, high, isRange := strings.Cut(text, "-")
	from, ok = f.value(low)
	if !ok {
		return 0, 0, false
	}
	switch {
	case isRange:
		to, ok = f.value(high)
	case stepped:
		to = f.last()
	default:
		to = from
	}
	return from, to, ok
}

// last is the greatest value that is not another name for an earlier one.
func (f cronField) last() int {
	if f.max == 7 {
		return 6
	}
	return f.max
}

func (f cronField) value(text string) (int, bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.min + i, true
	}
	n, ok := cronNumber(text)
	return n, ok && n >= f.min && n <= f.max
}

// cronNumber reads at most two digits.
func cronNumber(text string) (int, bool) {
	if text == "" || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func (f cronField) hint() string {
	hint := fmt.Sprintf("the %s is %d to %d, *, a range such as %d-%d, a list with commas, or a step such as */5", f.name, f.min, f.max, f.min, f.min+2)
	if len(f.names) > 0 {
		hint += "; names are " + strings.Join(f.names, ", ")
	}
	return hint
}

// sundays writes a range up to 7 as a list with 0.
func sundays(from, to, every int) string {
	var days []string
	for d := from; d <= to; d += every {
		days = append(days, strconv.Itoa(d%7))
	}
	return strings.Join(days, ",")
}

// neverFires reports a date that no year has. The search begins at a fixed
// date and covers a leap year, so that the answer is always the same.
func neverFires(text, normal string) (problem *cronProblem) {
	broken := &cronProblem{length: len(text), code: "cron", message: fmt.Sprintf("%q is not a cron expression", text), hint: cronHint}
	defer func() {
		if recover() != nil { // the library panics on input it does not expect
			problem = broken
		}
	}()
	schedule, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(normal)
	if err != nil {
		return broken
	}
	if schedule.Next(time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return &cronProblem{length: len(text), code: "never", message: "this date never comes: no month it names has that day", hint: "30 and 31 are not in every month, and February ends with 28 or 29"}
	}
	return nil
}
