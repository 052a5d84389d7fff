package expression

import (
	"errors"
	"slices"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Predicate is a compiled predicate over rows. It reuses memory between calls
// and must not be used by several goroutines at once.
type Predicate struct {
	source  string
	program *vm.Program
	sites   []site
	fields  []rowField
	machine vm.VM
	meter   *meter
}

// rowField is a field of the row the predicate uses.
type rowField struct {
	name string
	t    engine.Type
}

// capture is the predicate with the values of the outer names it reads, frozen.
func (e *Expression) capture(values map[string]any) (any, error) {
	captured := make(map[string]any)
	for _, path := range e.reads {
		if err := e.captureOne(captured, values, path); err != nil {
			return nil, err
		}
	}
	return engine.Predicate{Source: e.source, Captured: captured}, nil
}

// captureOne copies the value at a path. Where the path ends early, at a nil or
// at a list, so does the copy. A key that is not there stays away, for it is an
// error to read it, unless its type says that it may be missing.
func (e *Expression) captureOne(into, from map[string]any, path Path) error {
	for i, name := range path {
		v := fetched(from[name])
		if v == nil {
			if i == 0 && slices.Contains(e.roots, root{name, true}) {
				return missingRoot(e.source, name)
			}
			if _, given := from[name]; given || i == 0 || e.optional[dotted(path[:i+1])] {
				into[name] = nil
			}
			return nil
		}
		deeper, isMap := v.(map[string]any)
		if i == len(path)-1 || !isMap {
			into[name] = freeze(v)
			return nil
		}
		next, _ := into[name].(map[string]any)
		if next == nil {
			next = make(map[string]any)
			into[name] = next
		}
		into, from = next, deeper
	}
	return nil
}

// The journal keeps captured values as JSON without knowing their types. Times
// and durations therefore stand in them as maps with one of these keys.
const (
	frozenTime     = "$time"     // RFC 3339 with nanoseconds
	frozenDuration = "$duration" // nanoseconds
	frozenMap      = "$map"      // a map that looks like one of the others
)

// freeze copies a value into a form that JSON keeps.
func freeze(v any) any {
	switch v := fetched(v).(type) {
	case time.Time:
		return map[string]any{frozenTime: v.UTC().Format(time.RFC3339Nano)}
	case time.Duration:
		return map[string]any{frozenDuration: int64(v)}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = freeze(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = freeze(item)
		}
		if isFrozen(v) {
			return map[string]any{frozenMap: out}
		}
		return out
	default:
		return v
	}
}

func isFrozen(m map[string]any) bool {
	if len(m) != 1 {
		return false
	}
	for k := range m {
		return k == frozenTime || k == frozenDuration || k == frozenMap
	}
	return false
}

// thaw is the inverse of freeze.
func thaw(v any) (any, error) {
	switch v := fetched(v).(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = thaw(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		if isFrozen(v) {
			return thawTagged(v)
		}
		return thawMap(v)
	default:
		return v, nil
	}
}

func thawMap(v map[string]any) (any, error) {
	out := make(map[string]any, len(v))
	for k, item := range v {
		var err error
		if out[k], err = thaw(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var errFrozen = errors.New("a captured value is damaged")

func thawTagged(v map[string]any) (any, error) {
	if tagged, ok := v[frozenTime].(string); ok {
		at, err := time.Parse(time.RFC3339Nano, tagged)
		if err != nil {
			return nil, errFrozen
		}
		return at.UTC(), nil
	}
	if n, ok := v[frozenDuration].(int64); ok {
		return time.Duration(n), nil
	}
	if inner, ok := v[frozenMap].(map[string]any); ok {
		return thawMap(inner)
	}
	return nil, errFrozen
}

// CompilePredicate compiles what the machine handed to an action, for rows of
// the declared type. It means what it meant where the playbook was checked:
// outer names have the values captured then. Errors wrap ErrEvaluation.
func CompilePredicate(p engine.Predicate, row engine.Type) (*Predicate, error) {
	thawed, err := thawMap(p.Captured)
	if err != nil {
		return nil, uncompilable(p.Source, err.Error())
	}
	known, _ := thawed.(map[string]any)
	scope := NewScope().WithRow(row)
	for name := range known {
		scope = scope.With(name, engine.TypeAny())
	}
	src, node, problem := parse(p.Source)
	if problem != nil {
		return nil, uncompilable(p.Source, problem.Message)
	}
	c := newChecker(src, scope)
	c.fit(node, c.check(node), engine.TypeBool())
	if len(c.problems) > 0 {
		return nil, uncompilable(p.Source, inOrder(c.problems)[0].Message)
	}
	l := newLowering(c)
	l.known, l.meter = known, &meter{}
	program, err := l.predicate(node)
	if err != nil {
		return nil, uncompilable(p.Source, "it cannot be compiled")
	}
	return &Predicate{source: p.Source, program: program, sites: l.sites, fields: rowFields(c), meter: l.meter, machine: vm.VM{MemoryBudget: maxMemory}}, nil
}

func uncompilable(source, why string) error {
	return &evaluationError{engine.Fail(engine.ClassInvalid, engine.CodeExpression, "compiling `%s`: %s", clip(source), why)}
}

func rowFields(c *checker) []rowField {
	var fields []rowField
	for _, name := range c.rowReads() {
		t, _ := c.scope.rowField(name)
		fields = append(fields, rowField{name, t})
	}
	return fields
}

// Match evaluates it over one row. A field that is missing though its type
// says that it is there is an error, as is one of another kind.
func (p *Predicate) Match(row map[string]any) (bool, error) {
	for i := range p.fields {
		f := &p.fields[i]
		if v := row[f.name]; !f.accepts(v) {
			return false, p.wrongField(f, v)
		}
	}
	p.meter.left = maxSteps
	v, err := p.machine.Run(p.program, row)
	if err != nil {
		return false, explain(p.source, p.sites, &p.machine, err)
	}
	matches, ok := v.(bool)
	if !ok {
		return false, failed(p.source, span{0, len(p.source)}, "is "+kindOf(v)+", a bool is needed")
	}
	return matches, nil
}

func (p *Predicate) wrongField(f *rowField, v any) error {
	reason := "is missing"
	if v != nil {
		reason = "is " + kindOf(v) + ", " + describe(f.t) + " is needed"
	}
	return &evaluationError{engine.Fail(engine.ClassInvalid, engine.CodeExpression, "evaluating `%s`: `%s` %s", clip(p.source), f.name, reason)}
}

// accepts reports whether a value is of the field's kind.
func (f *rowField) accepts(v any) bool {
	ok := false
	switch v.(type) {
	case nil:
		return f.t.Optional || f.t.Kind == engine.KindAny || f.t.Kind == engine.KindNull
	case string:
		ok = f.t.Kind == engine.KindString || f.t.Kind == engine.KindText
	case bool:
		ok = f.t.Kind == engine.KindBool
	case int64, int:
		ok = f.t.Kind == engine.KindInteger || f.t.Kind == engine.KindNumber
	case float64:
		ok = f.t.Kind == engine.KindNumber
	case time.Time:
		ok = f.t.Kind == engine.KindTime
	case time.Duration:
		ok = f.t.Kind == engine.KindDuration
	case []any:
		ok = f.t.Kind == engine.KindList
	case map[string]any:
		ok = f.t.Kind == engine.KindMap
	case engine.Text:
		ok = f.t.Kind == engine.KindText
	}
	return ok || f.t.Kind == engine.KindAny
}
