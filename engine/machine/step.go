package machine

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// enter begins a step: its condition, then what its form says.
func (m *Machine) enter(f *frame) (ending, bool) {
	n := f.node
	holds, fail := m.condition(f.parent.env, f.path, n.If)
	switch {
	case fail != nil:
		return failed(fail), true
	case !holds && n.Else == nil:
		return ending{status: engine.StepSkipped}, true
	}
	if n.Form != program.FormUses && !overOneAction(n) && n.Timeout > 0 {
		m.arm(f, m.now.Add(n.Timeout))
	}
	m.recordBegin(f)
	if !holds {
		return m.run(f, part{name: partElse})
	}
	return m.perform(f)
}

// overOneAction reports a foreach whose items are calls of one action, so that
// its timeout is each call's.
func overOneAction(n *program.Node) bool { return n.Form == program.FormForeach && n.Uses != nil }

// perform carries out what the step's form says.
func (m *Machine) perform(f *frame) (ending, bool) {
	n := f.node
	switch n.Form {
	case program.FormUses:
		return m.invoke(f)
	case program.FormSteps:
		return m.run(f, part{name: partBody})
	case program.FormForeach:
		return m.enterLoop(f)
	case program.FormParallel:
		return m.enterBranches(f)
	case program.FormSwitch:
		return m.choose(f)
	case program.FormWhile:
		return m.rounds(f)
	case program.FormCall:
		return m.enterCall(f)
	case program.FormTry:
		return m.enterTry(f)
	case program.FormApprove:
		return m.enterApproval(f)
	case program.FormWait:
		return m.enterWait(f)
	case program.FormSet, program.FormFail, program.FormReturn:
		f.deeds.ran = true
		return m.performAtOnce(f), true
	default:
		return m.unavailable(f, string(n.Form)), true
	}
}

// performAtOnce carries out the forms that end as soon as they begin.
func (m *Machine) performAtOnce(f *frame) ending {
	switch f.node.Form {
	case program.FormSet:
		return m.assign(f)
	case program.FormFail:
		return m.fail(f)
	default:
		return m.giveBack(f)
	}
}

// giveBack carries out a `return`.
func (m *Machine) giveBack(f *frame) ending {
	if f.node.Return.IsZero() {
		return returned("")
	}
	reason, fail := m.text(f.env, f.path, f.node.Return)
	if fail != nil {
		return failed(fail)
	}
	return returned(reason)
}

func (m *Machine) unavailable(f *frame, what string) ending {
	fail := engine.Fail(engine.ClassInvalid, "unavailable", "`%s` is not available in this version yet", what)
	fail.Step = f.path
	return failed(fail)
}

// assign carries out a `set`.
func (m *Machine) assign(f *frame) ending {
	values, fail := m.assigned(f)
	if fail != nil {
		return failed(fail)
	}
	data, err := engine.EncodeJSON(values)
	if err != nil {
		return failed(invalid(f.path, err))
	}
	return ending{status: engine.StepSucceeded, value: m.keepOwn(data)}
}

// fail carries out a `fail`.
func (m *Machine) fail(f *frame) ending {
	message, fail := m.text(f.env, f.path, f.node.Fail)
	if fail != nil {
		return failed(fail)
	}
	fail = engine.Fail(engine.ClassPermanent, engine.CodeFailStep, "%s", message)
	fail.Step = f.path
	return failed(fail)
}

// choose begins the case of a switch that matches, else its default. A switch
// where nothing matches is skipped.
func (m *Machine) choose(f *frame) (ending, bool) {
	v, fail := m.evaluate(f.env, f.path, f.node.Switch)
	if fail != nil {
		return failed(fail), true
	}
	for i, b := range f.node.Branches {
		if matches(v, b.Match) {
			return m.run(f, part{name: partBranch, n: int64(i)})
		}
	}
	if f.node.Default == nil {
		return ending{status: engine.StepSkipped}, true
	}
	return m.run(f, part{name: partDefault})
}

// matches compares a value with a case's literal; whole numbers are equal to
// what they are as fractions. Lists and maps match nothing.
func matches(v, literal any) bool {
	a, aok := number(v)
	b, bok := number(literal)
	if aok || bok {
		return aok && bok && a == b
	}
	switch v.(type) {
	case []any, map[string]any, engine.Text, engine.Predicate:
		return false
	}
	switch literal.(type) {
	case []any, map[string]any, engine.Text, engine.Predicate:
		return false
	}
	return v == literal
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// stepOver is what remains to be done when a step has ended: its own timeout
// outweighs what became of its parts, and its result goes to its scope.
func (m *Machine) stepOver(f *frame, e ending) ending {
	if f.timedOut && e.status != engine.StepRefused {
		e = failed(m.timeoutOf(f))
	}
	m.remember(f, e)
	return e
}

// remember puts a step's result where expressions find it.
func (m *Machine) remember(f *frame, e ending) {
	if f.node.ID != "" {
		f.parent.env.put(&outcome{node: f.node, status: e.status, failure: e.failure, value: e.value, after: e.after})
	}
}

func (m *Machine) timeoutOf(f *frame) *engine.Failure {
	fail := engine.Fail(engine.ClassTimeout, "timeout", "it took longer than %s", engine.FormatDuration(f.node.Timeout))
	fail.Step = f.path
	return fail
}
