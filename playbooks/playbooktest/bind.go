package playbooktest

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Bind holds a suite against its playbook: inputs, recorded answers and
// outputs are read by their declared types, and every step that is named must
// be there. A misspelt one would otherwise never have run.
func (s *Suite) Bind(p *program.Program) []yamldoc.Diagnostic {
	b := &binder{program: p, places: places(p)}
	for _, c := range s.Cases {
		b.bind(c)
	}
	return yamldoc.Sort(b.problems)
}

// binder collects what does not fit a playbook.
type binder struct {
	program  *program.Program
	places   map[string]place
	problems []yamldoc.Diagnostic
}

func (b *binder) add(list ...yamldoc.Diagnostic) { b.problems = append(b.problems, list...) }

func (b *binder) bind(c *Case) {
	c.Inputs = b.inputs(c.inputs)
	c.Observations = b.observations(c.observed)
	for i := range c.Approvals {
		b.decision(&c.Approvals[i])
	}
	if c.Trigger != nil {
		c.Trigger = b.trigger(*c.Trigger)
	}
	for _, s := range c.Signals {
		b.signal(s)
	}
	for _, named := range []*want[[]step]{c.Expect.ran, c.Expect.notRan} {
		if named == nil {
			continue
		}
		for i := range named.value {
			b.step(&named.value[i])
		}
	}
	for i := range c.Expect.items {
		b.loop(&c.Expect.items[i].step)
	}
	for i := range c.Expect.outputs {
		b.output(&c.Expect.outputs[i])
	}
}

func (b *binder) inputs(entries []yamldoc.Entry) map[string]any {
	out := map[string]any{}
	for _, e := range entries {
		f, known := engine.FieldNamed(b.program.Inputs, e.Name())
		if !known {
			b.add(e.Key.Unknown("input", "", fieldNames(b.program.Inputs)))
			continue
		}
		// Bounds are left to the engine: that it refuses a value can be tested.
		v, problems := yamldoc.Decode(e.Value, f.Type)
		b.add(problems...)
		out[e.Name()] = v
	}
	return out
}

func fieldNames(fields []engine.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

func (b *binder) observations(entries []yamldoc.Entry) []Observation {
	var out []Observation
	for _, e := range entries {
		named := step{at: e.Key, name: e.Name()}
		b.step(&named)
		at, ok := b.places[plain(named.path)]
		if !ok {
			continue
		}
		if at.node.Uses == nil || at.node.Uses.Effect != engine.Observe {
			b.add(e.Key.Errorf("no-observation", "%s observes nothing, so it has no recorded answer", e.Name()).
				WithHint("changes and messages go to the simulated tenant"))
			continue
		}
		v, problems := yamldoc.Decode(e.Value, required(at.node.Uses.Output))
		b.add(problems...)
		outputs, _ := v.(map[string]any)
		out = append(out, Observation{Step: named.path, Outputs: outputs})
	}
	return out
}

// required is a type of outputs of which none that is never missing may be left out.
func required(t engine.Type) engine.Type {
	if t.Elem != nil {
		elem := required(*t.Elem)
		t.Elem = &elem
	}
	fields := make([]engine.Field, len(t.Fields))
	for i, f := range t.Fields {
		f.Type = required(f.Type)
		f.Required = !f.Type.Optional
		fields[i] = f
	}
	t.Fields = fields
	return t
}

func (b *binder) decision(d *Decision) {
	if d.Step == "" {
		return
	}
	path := find(b.places, d.Step)
	switch at, ok := b.places[plain(path)]; {
	case !ok:
		b.unknown(d.at)
	case at.node.Form != program.FormApprove && at.node.For == nil:
		b.add(d.at.Errorf("no-approval", "%s asks nobody: it is no approve step, and changes nothing for a time", d.Step))
	default:
		d.Step = path
	}
}

func (b *binder) step(s *step) {
	if s.path = find(b.places, s.name); s.path == "" {
		b.unknown(s.at)
	}
}

// unknown reports a step that is not there, with the nearest path or id.
func (b *binder) unknown(at *yamldoc.Node) {
	paths := names(b.places)
	known := slices.Clone(paths)
	for _, path := range paths {
		known = append(known, path[strings.LastIndexByte(path, '/')+1:])
	}
	b.add(at.Unknown("step", "", paths).WithSuggestion(engine.Nearest(at.Text(), known)))
}

func (b *binder) loop(s *step) {
	b.step(s)
	if at, ok := b.places[plain(s.path)]; ok && at.node.Form != program.FormForeach {
		b.add(s.at.Errorf("no-loop", "%s has no items: it is no foreach", s.name))
	}
}

func (b *binder) output(o *output) {
	declared := map[string]engine.Type{}
	var known []string
	for _, out := range b.program.Outputs {
		declared[out.Name] = out.Type
		known = append(known, out.Name)
	}
	t, ok := declared[o.key.Text()]
	if !ok {
		b.add(o.key.Unknown("output", "", known))
		return
	}
	v, problems := yamldoc.Decode(o.value, engine.Maybe(t))
	b.add(problems...)
	if len(problems) > 0 {
		return
	}
	data, err := engine.EncodeJSON(v)
	if err != nil {
		b.add(o.value.Errorf("type", "it cannot be compared: %v", err))
	}
	o.json = data
}
