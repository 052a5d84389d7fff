package machine

import (
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// enterCall begins a called playbook, in a scope of its own.
func (m *Machine) enterCall(f *frame) (ending, bool) {
	sub := f.code.called(f.node.Call.Playbook)
	args, fail := m.arguments(f, f.node.Call.Inputs, sub.prog.Inputs)
	if fail != nil {
		return failed(fail), true
	}
	data, err := engine.EncodeJSON(args)
	if err != nil {
		return failed(invalid(f.path, err)), true
	}
	child := m.open(f, part{name: partCall})
	child.env.inputs = m.keepOwn(data)
	e, done := m.launch(child)
	if !done {
		return ending{}, false
	}
	return m.called(f, child, e)
}

// called ends a call with the outputs of its playbook. A return in it ends
// only the called playbook.
func (m *Machine) called(f, child *frame, e ending) (ending, bool) {
	if !e.fine() && !e.returned {
		return e, true
	}
	value, fail := m.outputs(child.env, f.path)
	if fail != nil && fail.Class == classUnforeseen {
		return ending{status: engine.StepSucceeded, after: fail.Step}, true
	}
	if fail != nil {
		return failed(fail), true
	}
	return ending{status: engine.StepSucceeded, value: value}, true
}

// outputs evaluates the declared outputs of a playbook that has come to its end.
func (m *Machine) outputs(e *env, path string) (val, *engine.Failure) {
	values := make(map[string]any, len(e.code.prog.Outputs))
	for _, out := range e.code.prog.Outputs {
		names, err := m.names(e, out.Value.Reads())
		if err == nil {
			values[out.Name], err = out.Value.Eval(names)
		}
		if err == nil && out.Type.Kind != "" {
			values[out.Name], err = engine.Conform(values[out.Name], out.Type)
		}
		if err != nil {
			return val{}, invalid(path, fmt.Errorf("output %s: %w", out.Name, err))
		}
	}
	data, err := engine.EncodeJSON(values)
	if err != nil {
		return val{}, invalid(path, err)
	}
	return m.keepOwn(data), nil
}

// finished is how a run ended.
type finished struct {
	status  engine.RunStatus
	outputs val
	failure *engine.Failure
	reason  string
}

func (r *finished) public() Result {
	out := Result{Status: r.status, Failure: r.failure, Outputs: r.outputs.data, Reason: r.reason}
	if out.Outputs == nil {
		out.Outputs = []byte("null")
	}
	return out
}

// conclude ends the run.
func (m *Machine) conclude(e ending) {
	root := m.root
	switch {
	case root.stop == stopHalt:
		m.result = &finished{status: refusedStatus(m.halted.Code), failure: m.halted}
	case root.stop == stopCancel:
		m.result = &finished{status: engine.RunCancelled, failure: m.cancelled}
	case e.status == engine.StepRefused:
		m.result = &finished{status: refusedStatus(e.failure.Code), failure: e.failure}
	case !e.fine() && !e.returned:
		m.result = &finished{status: engine.RunFailed, failure: e.failure}
	default:
		m.result = m.complete(root.env)
		m.result.reason = e.reason
	}
	m.root = nil
}

// refusedStatus is how a run ends that was refused with that code.
func refusedStatus(code string) engine.RunStatus {
	switch code {
	case engine.CodeDenied, engine.CodeExpired, engine.CodeExcluded:
		return engine.RunDenied
	case engine.CodeOutside, engine.CodeDrift:
		return engine.RunDrifted
	default:
		return engine.RunBlocked
	}
}

// complete is the result of a run that came to its end.
func (m *Machine) complete(e *env) *finished {
	outputs, fail := m.outputs(e, "")
	switch {
	case fail != nil && fail.Class != classUnforeseen:
		return &finished{status: engine.RunFailed, failure: fail}
	case m.spoilt:
		return &finished{status: engine.RunPartial, outputs: outputs}
	default:
		return &finished{status: engine.RunSucceeded, outputs: outputs}
	}
}
