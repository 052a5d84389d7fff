package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// view is what can be seen from one place of a playbook: the loops around it
// and the steps that ran before. It is passed by value and never changed.
type view struct {
	at      *step    // the step whose expressions are compiled; nil in outputs
	trigger *trigger // in the `with` and `dedupe` of a trigger, which see nothing else
	before  bool     // before the run begins: there are inputs and a trigger, and nothing else
	vars    []engine.Field
	steps   []visible
}

// visible is a step as expressions after it see it.
type visible struct {
	id      string
	outputs engine.Type // the zero type where the step is wrong: anything may be read
	certain bool        // it has run
	failed  bool        // it has failed, and its error is there
	late    bool        // the playbook may have returned before it
}

// on is the view of the expressions of a step.
func (v view) on(s *step) view {
	v.at = s
	return v
}

// and adds steps that ran.
func (v view) and(seen ...visible) view {
	v.steps = append(slices.Clip(v.steps), seen...)
	return v
}

// perhaps is the same steps where they may not have run.
func perhaps(seen []visible) []visible {
	out := slices.Clone(seen)
	for i := range out {
		out[i].certain = false
	}
	return out
}

// in is the view inside a loop. Its variables are gone after it.
func (v view) in(vars ...engine.Field) view {
	v.vars = slices.DeleteFunc(slices.Clone(v.vars), func(f engine.Field) bool { return f.Name == "index" })
	v.vars = append(v.vars, vars...)
	return v
}

// afterReturn is the view of the outputs: they are evaluated also where the
// playbook returned early.
func (v view) afterReturn() view {
	v.steps = slices.Clone(v.steps)
	for i := range v.steps {
		v.steps[i].certain = v.steps[i].certain && !v.steps[i].late
	}
	return v
}

// stepFields are the fields every step has beside its outputs.
func stepFields() []string { return []string{"status", "error"} }

// typ is the type of steps.<id>. Where the step may not have run its outputs
// are optional; `status` is there in any case ("skipped" where it did not run)
// and so is `error`, which is nil unless it failed.
func (s visible) typ() engine.Type {
	if s.outputs.Kind == "" {
		return engine.Type{}
	}
	failure := engine.Maybe(engine.FailureType())
	if s.failed {
		failure = engine.FailureType()
	}
	fields := []engine.Field{
		{Name: "status", Type: statusType()},
		{Name: "error", Type: failure},
	}
	for _, f := range s.outputs.Fields {
		if !s.certain && f.Type.Kind != "" {
			f.Type = engine.Maybe(f.Type)
		}
		fields = append(fields, f)
	}
	return engine.MapOf(fields...)
}

// statusType is the type of steps.<id>.status.
func statusType() engine.Type {
	return engine.EnumOf(string(engine.StepSucceeded), string(engine.StepPartial), string(engine.StepFailed), string(engine.StepSkipped),
		string(engine.StepRefused), string(engine.StepCancelled), string(engine.StepUnsettled))
}

// runType is the type of `run`.
func runType() engine.Type {
	return engine.MapOf(
		engine.Field{Name: "id", Type: engine.TypeString()},
		engine.Field{Name: "time", Type: engine.TypeTime()},
		engine.Field{Name: "actor", Type: engine.TypeString()},
		engine.Field{Name: "attempt", Type: engine.TypeInteger()},
	)
}

// typ is the type of `trigger` where it is known which one it is.
func (t *trigger) typ() engine.Type {
	fields := []engine.Field{{Name: "kind", Type: engine.TriggerType().Fields[0].Type}, {Name: "time", Type: engine.TypeTime()}}
	if t.has("webhook") {
		fields = append(fields, engine.Field{Name: "webhook", Type: engine.TypeString()}, engine.Field{Name: "body", Type: t.body()})
	}
	return engine.MapOf(fields...)
}

// body is the type of the webhook's body.
func (t *trigger) body() engine.Type {
	if t.program.Body.Kind == "" {
		return engine.TypeAny()
	}
	return t.program.Body
}

// scope is what an expression at this place may use.
func (c *checker) scope(v view, source string) *expression.Scope {
	if v.trigger != nil {
		why := "a trigger's inputs are made before the run begins"
		return expression.NewScope(engine.Field{Name: "trigger", Type: v.trigger.typ()}).
			WithUnavailable("steps", why).WithUnavailable("inputs", why).WithUnavailable("run", why)
	}
	names := append([]engine.Field{{Name: "run", Type: runType()}}, v.vars...)
	missing := map[string]string{}
	if len(c.doc.inputs) > 0 {
		names = append(names, engine.Field{Name: "inputs", Type: engine.MapOf(c.doc.inputs...)})
	} else {
		missing["inputs"] = "this playbook declares none"
	}
	names = append(names, c.doc.started(missing)...)
	if _, inLoop := engine.FieldNamed(v.vars, "index"); !inLoop {
		missing["index"] = "there is no loop around it"
	}
	steps := stepsType(v, source)
	if len(steps.Fields) > 0 {
		names = append(names, engine.Field{Name: "steps", Type: steps})
	}
	c.explain(missing, v, source, len(steps.Fields) > 0)
	if v.before {
		why := "it is decided before the run begins"
		missing["run"], missing["steps"] = why, why
	}
	scope := expression.NewScope(names...)
	for path, why := range missing {
		scope = scope.WithUnavailable(path, why)
	}
	return scope
}

// started is the name `trigger`, with why parts of it cannot be used. A run
// that somebody starts by hand has none.
func (d *document) started(missing map[string]string) []engine.Field {
	if len(d.triggers) == 0 {
		missing["trigger"] = "this playbook has no triggers"
		return nil
	}
	list := make([]program.Trigger, len(d.triggers))
	for i, t := range d.triggers {
		list[i] = t.program
	}
	_, reasons := program.SharedBody(list)
	for path, why := range reasons {
		missing["trigger."+path] = why
	}
	return []engine.Field{{Name: "trigger", Type: engine.Maybe(program.TriggerType(list))}}
}

// stepsType is the type of `steps`. Those the expression does not name are in
// it only to be suggested: there may be a thousand.
func stepsType(v view, source string) engine.Type {
	fields := make([]engine.Field, 0, len(v.steps))
	all := needsAllSteps(source)
	for _, s := range v.steps {
		f := engine.Field{Name: s.id}
		if all || strings.Contains(source, s.id) {
			f.Type = s.typ()
		}
		fields = append(fields, f)
	}
	return engine.MapOf(fields...)
}

// needsAllSteps reports whether an expression can reach steps it does not name:
// it uses all of them as one value, or writes a name with escapes.
func needsAllSteps(source string) bool {
	return strings.Contains(source, `\`) || regexp.MustCompile(`\bsteps\s*([^.?\s]|\?[^.]|$)`).MatchString(source)
}

// explain says why the steps an expression names cannot be used.
func (c *checker) explain(missing map[string]string, v view, source string, some bool) {
	if !some {
		missing["steps"] = "no step with an id has run before"
	}
	for id, s := range c.doc.byID {
		if !strings.Contains(source, id) || slices.ContainsFunc(v.steps, func(o visible) bool { return o.id == id }) {
			continue
		}
		why := reason(v.at, s)
		if some {
			missing["steps."+id] = "it " + why
		} else if strings.Contains(source, "steps."+id) || strings.Contains(source, "steps?."+id) {
			missing["steps"] = fmt.Sprintf("step %#q %s", id, why)
		}
	}
}

// reason says why a step cannot be used from another, or from the outputs
// where that is nil.
func reason(from, to *step) string {
	line := to.line()
	if from == to {
		return "is this step"
	}
	common, fromSlot, toSlot := meet(from, to)
	switch {
	case common == to:
		return fmt.Sprintf("is the step around this one, in line %d", line)
	case loopBetween(common, to) != nil:
		loop := loopBetween(common, to)
		return fmt.Sprintf("is inside the loop in line %d and can be used only there", loop.line())
	case common != nil && fromSlot != toSlot && common.form != program.FormTry:
		return fmt.Sprintf("is in another branch, at line %d", line)
	default:
		return fmt.Sprintf("runs later, at line %d", line)
	}
}

// meet finds the innermost step around both, and in which of its lists each stands.
func meet(from, to *step) (common *step, fromSlot, toSlot string) {
	above := map[*step]string{}
	slot := ""
	for s := from; s != nil; s = s.parent {
		above[s], slot = slot, s.within
	}
	slot = ""
	for s := to; s != nil; s = s.parent {
		if in, ok := above[s]; ok {
			return s, in, slot
		}
		slot = s.within
	}
	return nil, "", ""
}

// loopBetween is the innermost loop around a step, below another.
func loopBetween(common, s *step) *step {
	for up := s.parent; up != nil && up != common; up = up.parent {
		if up.loops() {
			return up
		}
	}
	return nil
}
