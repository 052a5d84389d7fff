package local

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// wiring is what all calls of one step have in common. It is made once and then
// only read.
type wiring struct {
	node        *program.Node
	action      engine.Action
	inputs      engine.Type
	outputs     engine.Type
	connections map[engine.Capability]string
	failure     *engine.Failure // why the step cannot be carried out at all
}

// wire makes or finds the wiring of a call.
func (d *drive) wire(call machine.Call) *wiring {
	prog := d.programs[call.Program]
	if prog == nil || call.Node < 0 || call.Node >= len(prog.Nodes) || prog.Nodes[call.Node].Uses == nil {
		return &wiring{node: &program.Node{}, failure: engine.Fail(engine.ClassPermanent, "program", "the program has no such step")}
	}
	node := prog.Nodes[call.Node]
	if p := d.wirings[node]; p != nil {
		return p
	}
	p := d.engine.newWiring(node)
	d.wirings[node] = p
	return p
}

func (e *Engine) newWiring(node *program.Node) *wiring {
	p := &wiring{node: node}
	names, err := e.resolve(node.Uses)
	if err != nil {
		p.failure = engine.AsFailure(err)
		return p
	}
	p.connections = names
	p.action, _ = e.config.Actions.Named(node.Uses.Action)
	spec := p.action.Spec()
	p.inputs, p.outputs = optionally(spec.Inputs), spec.Output()
	if spec.Shape != nil {
		p.outputs = node.Uses.Output // as the playbook says
	}
	return p
}

// optionally is the type of given inputs: those that are not required may be absent.
func optionally(fields []engine.Field) engine.Type {
	out := make([]engine.Field, len(fields))
	for i, f := range fields {
		f.Type.Optional = f.Type.Optional || !f.Required
		out[i] = f
	}
	return engine.MapOf(out...)
}

// decodeInputs reads a call's inputs by type; absent optional ones are absent.
func (p *wiring) decodeInputs(data []byte) (map[string]any, error) {
	if len(data) == 0 {
		return map[string]any{}, nil
	}
	v, err := engine.DecodeJSON(data, p.inputs)
	if err != nil {
		return nil, engine.Fail(engine.ClassInvalid, "inputs", "reading the inputs of %s: %s", p.node.Uses.Action, err)
	}
	inputs, _ := v.(map[string]any)
	for name, v := range inputs {
		if v == nil {
			delete(inputs, name)
		}
	}
	return inputs, nil
}
