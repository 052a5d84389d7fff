package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is what is wrong with the text of a schedule, and where in it.
type Problem struct {
	Offset, Length int    // bytes of the text; the length may be 0 where it is empty
	Code           string // CodeCron or CodeNever
	Message        string // what is wrong
	Hint           string // what to write instead
}

// The codes of problems, as diagnostics of playbooks carry them.
const (
	CodeCron  = "cron"  // it cannot be read, or readers would disagree about it
	CodeNever = "never" // it can be read, and names a date no year has
)

// Error is the message, and what to write instead.
func (p *Problem) Error() string { return p.Message + " (" + p.Hint + ")" }

const cronHint = `five fields: minute, hour, day of the month, month and day of the week; "0 8 * * 1-5" is 8:00 on weekdays`

// cronField is what one of the five fields can hold.
type cronField struct {
	name     string
	min, max int
	names    []string // for min, min+1, …
}

// The places of the five fields.
const (
	fieldMinute = iota
	fieldHour
	fieldDay
	fieldMonth
	fieldWeekday
)

func cronFields() []cronField {
	return []cronField{
		{name: "minute", max: 59},
		{name: "hour", max: 23},
		{name: "day of the month", min: 1, max: 31},
		{name: "month", min: 1, max: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
		{name: "day of the week", max: 7, names: strings.Fields("sun mon tue wed thu fri sat")},
	}
}

// values is what a field stands for.
type values struct {
	bits      uint64 // bit n: the value n; Sunday is 0
	all       bool   // a part is * or */1
	everyNth  bool   // a part is */n with n above 1
	wildcards bool   // a part has a * or a step
}

// add takes the values of one part in.
func (v *values) add(p part) {
	for n := p.from; n <= p.to; n += p.every {
		v.bits |= 1 << n
	}
	star := p.span == "*"
	v.all = v.all || star && p.every == 1
	v.everyNth = v.everyNth || star && p.every > 1
	v.wildcards = v.wildcards || star || p.stepped
}

// CheckCron checks a cron expression of five fields and writes it so that every
// reader of them understands it alike: 7, which many take for Sunday and some
// for an error, becomes 0. It takes nothing but the five fields; Parse also
// takes @daily and the like.
func CheckCron(text string) (string, *Problem) {
	if problem := foreignCron(text); problem != nil {
		return "", problem
	}
	normal, _, problem := parseCron(text)
	return normal, problem
}

// parseCron reads the five fields.
func parseCron(text string) (string, pattern, *Problem) {
	fields, offsets := splitFields(text)
	if len(fields) != len(cronFields()) {
		return "", pattern{}, wrongCount(text, fields)
	}
	all := make([]values, len(fields))
	for i, f := range cronFields() {
		normal, v, problem := f.check(fields[i])
		if problem != nil {
			problem.Offset += offsets[i]
			return "", pattern{}, problem
		}
		fields[i], all[i] = normal, v
	}
	p := patternOf(all)
	normal := strings.Join(fields, " ")
	if problem := disputed(all, fields, offsets); problem != nil {
		return "", pattern{}, problem
	}
	return normal, p, neverFires(text, p)
}

// wrongCount reports too few or too many fields. With more than five it is
// mostly an expression of a scheduler that counts seconds or years.
func wrongCount(text string, fields []string) *Problem {
	hint := cronHint
	if n := len(fields); n == 6 || n == 7 {
		hint = "there are no seconds and no years: leave out the seconds in front and a year at the end; what remains is " + cronHint
	}
	return &Problem{Length: len(text), Code: CodeCron, Hint: hint,
		Message: fmt.Sprintf("a cron expression has 5 fields, this one has %d", len(fields))}
}

// foreignCron refuses what other schedulers put around the five fields.
func foreignCron(text string) *Problem {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch {
	case strings.Contains(first, "TZ="):
		return &Problem{Length: len(first), Code: CodeCron, Message: "a cron expression cannot name its time zone", Hint: "write `timezone: Europe/Berlin` beside `schedule`"}
	case strings.HasPrefix(first, "@"):
		return &Problem{Length: len(text), Code: CodeCron, Message: fmt.Sprintf("%s is not a cron expression", strings.TrimSpace(text)), Hint: cronHint}
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
func (f cronField) check(text string) (string, values, *Problem) {
	var out []string
	var v values
	at := 0
	for _, piece := range strings.Split(text, ",") {
		p, message, hint := f.part(piece)
		if message != "" {
			return "", v, &Problem{Offset: at, Length: max(len(piece), 1), Code: CodeCron, Message: message, Hint: hint}
		}
		out = append(out, f.normal(piece, p))
		v.add(p)
		at += len(piece) + 1
	}
	if f.max == 7 && v.bits&(1<<7) != 0 {
		v.bits = v.bits&^(1<<7) | 1
	}
	return strings.Join(out, ","), v, nil
}

// part is one of the parts of a field.
type part struct {
	span            string // what stands before the step
	from, to, every int
	stepped         bool
}

// part reads *, a value or a range, with an optional step.
func (f cronField) part(text string) (p part, problem, hint string) {
	span, step, stepped := strings.Cut(text, "/")
	p = part{span: span, every: 1, stepped: stepped}
	var ok bool
	if p.from, p.to, ok = f.span(strings.ToLower(span), stepped); !ok {
		return p, fmt.Sprintf("%q is not a cron %s", text, f.name), f.hint(text)
	}
	if p.from > p.to {
		return p, fmt.Sprintf("the cron range %q runs backwards", span), fmt.Sprintf("write %s as two ranges with a comma", span)
	}
	if !stepped {
		return p, "", ""
	}
	if p.every, ok = cronNumber(step); !ok || p.every < 1 {
		return p, fmt.Sprintf("%q is not a cron step", step), f.hint("")
	}
	if p.every > p.to-p.from {
		return p, fmt.Sprintf("a cron step of %d is longer than the %ss it counts: it would fire as if it said %d", p.every, f.name, p.from),
			"a step counts within its field and begins again with the next one"
	}
	return p, "", ""
}

// normal writes a range of days up to 7 as a list with 0.
func (f cronField) normal(text string, p part) string {
	if f.max != 7 || p.to != 7 {
		return text
	}
	var days []string
	for d := p.from; d <= p.to; d += p.every {
		days = append(days, strconv.Itoa(d%7))
	}
	return strings.Join(days, ",")
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

// hint says what the field can hold, and for the extensions of other
// schedulers what to write instead.
func (f cronField) hint(text string) string {
	if instead := f.extension(text); instead != "" {
		return instead
	}
	hint := fmt.Sprintf("the %s is %d to %d, *, a range such as %d-%d, a list with commas, or a step such as */5", f.name, f.min, f.max, f.min, f.min+2)
	if len(f.names) > 0 {
		hint += "; names are " + strings.Join(f.names, ", ")
	}
	return hint
}

// extension says what to write instead of what Quartz and others add to cron.
func (f cronField) extension(text string) string {
	for _, e := range []struct{ pattern, instead string }{
		{`^\?(/.*)?$`, "write * instead of ?"},
		{`^(\d*|[A-Za-z]{3})L$|^L-\d+$|^LW$`, f.insteadOfLast()},
		{`^\d+W$`, "there is no W: write the day itself, or * here and 1-5 as the day of the week"},
		{`^[0-9A-Za-z]+#\d*$`, "there is no #: write the day of the week alone, which is every week, or a day of the month, which is once a month"},
	} {
		if regexp.MustCompile(e.pattern).MatchString(text) {
			return e.instead
		}
	}
	return ""
}

func (f cronField) insteadOfLast() string {
	if f.max == 7 {
		return "there is no L: write the day of the week alone, which is every week, or a day of the month, which is once a month"
	}
	return "there is no L: write 1, the first day of the next month, or one trigger for each length of month: day and month 31 1,3,5,7,8,10,12, then 30 4,6,9,11, then 28 2"
}

// disputed refuses */n in one of the two day fields beside something other
// than * in the other one: half of all readers then fire on days that match
// both fields, the other half on days that match either.
func disputed(all []values, fields []string, offsets []int) *Problem {
	day, weekday := all[fieldDay], all[fieldWeekday]
	if day.all || weekday.all || !day.everyNth && !weekday.everyNth {
		return nil
	}
	at := fieldDay
	if !day.everyNth {
		at = fieldWeekday
	}
	return &Problem{
		Offset: offsets[at], Length: len(fields[at]), Code: CodeCron,
		Message: "cron readers disagree whether a */ step in one of the two day fields means days that match both fields or either",
		Hint:    "write the days out, such as 1,3,5, for days that match either, or write * in the other day field",
	}
}

// neverFires reports a date that no year has. The search begins at a fixed
// date and covers a leap year, so that the answer is always the same.
func neverFires(text string, p pattern) *Problem {
	begin := time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC)
	if _, ok := p.next(begin, begin.AddDate(2, 0, 0)); ok {
		return nil
	}
	return &Problem{Length: len(text), Code: CodeNever, Message: "this date never comes: no month it names has that day", Hint: "30 and 31 are not in every month, and February ends with 28 or 29"}
}
