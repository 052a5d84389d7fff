package connector

import (
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Capability is what the connections of a connector offer for its own actions.
func (d *Definition) Capability() engine.Capability { return engine.Capability(d.Name) }

func (r *reader) actions(v value, d *Definition) {
	var read []given
	for _, e := range r.entries(v) {
		if !fieldPattern().MatchString(e.Name()) {
			r.add(e.Key.Errorf("name", "%q cannot be the name of an action", e.Name()).WithHint("use small letters, digits and _"))
		}
		g := r.keys(e.Value, "action")
		read = append(read, g)
		d.Actions = append(d.Actions, r.action(e, g, d))
	}
	for i, g := range read {
		r.inverse(g, d, &d.Actions[i])
	}
}

func (r *reader) action(e yamldoc.Entry, g given, d *Definition) Action {
	a := Action{Spec: engine.ActionSpec{
		Name: d.Name + "." + e.Name(), Summary: g.text("summary"), Doc: g.text("description"),
		Effect: engine.Effect(g.text("effect")), Needs: []engine.Capability{d.Capability()},
	}}
	if v, ok := g["inputs"]; ok && v.node.Kind() != yamldoc.Null {
		fields, problems := playbooks.DeclaredInputs(v.entry())
		r.add(problems...)
		a.Spec.Inputs = fields
	}
	r.belongs(g, a.Spec.Effect)
	why := changes
	if a.Spec.Effect == engine.Observe {
		why = either
	}
	a.Call = r.request(g, nil, "actions."+e.Name(), why, inputTypes(a.Spec.Inputs))
	a.Call.Repeatable = as[bool](g, "repeatable")
	answer := &a.Call
	if a.Spec.Effect == engine.Change {
		a.Change = r.change(e, g, &a)
		answer = a.Change.Read
		a.Spec.Outputs = []engine.Field{{Name: "changed", Type: engine.TypeBool(), Doc: "Whether this step did it; false where it was so already."}}
	}
	r.outputs(g["outputs"], &a, answer)
	return a
}

// inputTypes are inputs as expressions see them: one with a default is there.
func inputTypes(fields []engine.Field) []engine.Field {
	out := slices.Clone(fields)
	for i := range out {
		if !out[i].Required && out[i].Default == nil {
			out[i].Type.Optional = true
		}
	}
	return out
}

// belongs reports keys that go with another effect.
func (r *reader) belongs(g given, effect engine.Effect) {
	only := map[string][]engine.Effect{
		"repeatable": {engine.Change, engine.Announce}, "each": {engine.Observe},
	}
	for _, name := range []string{"read", "target", "state", "after", "access", "inverse"} {
		only[name] = []engine.Effect{engine.Change}
	}
	for name, effects := range only {
		if g.has(name) && effect != "" && !slices.Contains(effects, effect) {
			r.add(g[name].key.Errorf("misplaced-key", "`%s` does not go with `effect: %s`", name, effect))
		}
	}
}

// answerScope is what expressions over the answer of a call may use.
func (r *reader) answerScope(inputs []engine.Field, c *Call) *expression.Scope {
	switch {
	case c == nil || c.Returns.Kind == "" && !c.Listing:
		return r.inputScope(inputs)
	case c.Listing:
		return r.inputScope(inputs, engine.Field{Name: "rows", Type: engine.ListOf(c.Row)}).
			WithUnavailable("response", "the request is a listing: what it has read, of all pages, is `rows`")
	default:
		return r.inputScope(inputs, engine.Field{Name: "response", Type: c.Returns})
	}
}

func (r *reader) outputs(v value, a *Action, answer *Call) {
	scope := r.answerScope(inputTypes(a.Spec.Inputs), answer)
	for _, e := range r.entries(v) {
		if !fieldPattern().MatchString(e.Name()) || slices.Contains([]string{"status", "error", "changed"}, e.Name()) {
			r.add(e.Key.Errorf("name", "an output cannot be called %q", e.Name()).
				WithHint("use small letters, digits and _; every step has status and error, and a change has changed"))
			continue
		}
		g := r.keys(e.Value, "output")
		f := engine.Field{Name: e.Name(), Doc: g.text("description")}
		if t, ok := g["type"]; ok && t.node.Kind() != yamldoc.Null {
			var problems []yamldoc.Diagnostic
			f.Type, problems = playbooks.DeclaredType(t.entry())
			r.add(problems...)
		}
		a.Spec.Outputs = append(a.Spec.Outputs, f)
		if v, ok := g["value"]; ok {
			if expr := r.bare(v.entry(), scope, orAny(f.Type)); expr != nil {
				a.Out = append(a.Out, Mapped{Name: f.Name, Expr: expr})
			}
		}
	}
}

func (r *reader) change(e yamldoc.Entry, g given, a *Action) *Change {
	c := &Change{}
	inputs := inputTypes(a.Spec.Inputs)
	if v, ok := g["read"]; ok && v.node.Kind() != yamldoc.Null {
		read := r.call(v, a.Call.Name+".read", reads, inputs...)
		c.Read = &read
	}
	scope := r.answerScope(inputs, c.Read)
	target, ok := r.nested(g, "target", "target")
	if !ok && !g.has("target") {
		r.add(e.Key.Errorf("missing-key", "a change needs `target`: what it changes").WithHint("target: { id: inputs.id }"))
	}
	c.ID = r.bare(target["id"].entry(), scope, engine.TypeString())
	c.Target = r.bare(target["name"].entry(), scope, engine.TypeString())
	c.Aliases = r.bares(target["aliases"], scope)
	r.states(e, g, c, scope, inputs)
	return c
}

func (r *reader) bares(v value, scope *expression.Scope) []*expression.Expression {
	if v.key == nil {
		return nil
	}
	if v.node.Kind() != yamldoc.List {
		r.add(v.node.Errorf("type", "`%s` must be a list of expressions, not %s", v.key.Text(), v.node.Describe()))
		return nil
	}
	var out []*expression.Expression
	for _, item := range v.node.Items() {
		if e := r.bare(yamldoc.Entry{Key: v.key, Value: item}, scope, engine.Maybe(engine.TypeString())); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// states compiles what a change is about, before and after.
func (r *reader) states(e yamldoc.Entry, g given, c *Change, scope *expression.Scope, inputs []engine.Field) {
	for _, name := range []string{"state", "after"} {
		switch {
		case c.Read != nil && !g.has(name):
			r.add(e.Key.Errorf("missing-key", "a change with `read` needs `%s`", name).
				WithHint("state says what the change is about, as it is read, and after what it makes of it: so it is previewed, and found out after a crash"))
		case c.Read == nil && g.has(name):
			r.add(g[name].key.Errorf("misplaced-key", "`%s` goes with `read`: without it nobody can see the state", name))
		}
	}
	if c.Read == nil {
		return
	}
	c.State = r.mapped(g["state"], func(string) engine.Type { return engine.TypeAny() }, scope)
	var known []string
	for _, s := range c.State {
		known = append(known, s.Name)
	}
	if v, ok := g["after"]; ok && g.has("state") {
		for _, e := range r.entries(v) {
			if !slices.Contains(known, e.Name()) {
				r.add(e.Key.Unknown("field", "`after`", known))
			}
		}
	}
	for _, s := range c.State {
		n := g["after"].node.Get(s.Name)
		if n == nil {
			if g.has("after") && g["after"].node.Kind() == yamldoc.Map {
				r.add(g["after"].key.Errorf("missing-key", "`after` needs `%s`, as `state` has it", s.Name))
			}
			continue
		}
		v, _ := r.template(n, s.Name, s.Expr.Type(), r.inputScope(inputs))
		c.After = append(c.After, Param{Name: s.Name, Value: v})
	}
}

// inverse checks how a change is taken back, when all actions are known.
func (r *reader) inverse(g given, d *Definition, a *Action) {
	how, ok := r.nested(g, "inverse", "inverse")
	if !ok || a.Change == nil {
		if g.has("access") && a.Spec.Effect == engine.Change {
			r.add(g["access"].key.Errorf("misplaced-key", "`access` goes with `inverse`: it says what happens at the end of `for:`"))
		}
		return
	}
	a.Spec.Access = engine.Access(g.text("access"))
	if a.Spec.Access == "" && !g.has("access") {
		r.add(g["inverse"].key.Errorf("missing-key", "a change with an inverse needs `access`: gives or takes").
			WithHint("access that was given ends by itself; for access that was taken somebody is asked"))
	}
	name := how.text("action")
	other := slices.IndexFunc(d.Actions, func(o Action) bool { return o.Spec.Name == d.Name+"."+name && o.Spec.Effect == engine.Change })
	if name != "" && other < 0 {
		r.add(how["action"].node.Unknown("action", "this file that changes something", changing(d)))
		return
	}
	if other < 0 {
		return
	}
	a.Spec.Inverse = d.Name + "." + name
	a.Change.Inverse = &Inverse{Action: a.Spec.Inverse, With: r.with(how["with"], d.Actions[other].Spec, inputTypes(a.Spec.Inputs))}
}

func changing(d *Definition) []string {
	var out []string
	for _, a := range d.Actions {
		if a.Spec.Effect == engine.Change {
			out = append(out, a.Spec.Name[len(d.Name)+1:])
		}
	}
	return out
}

// with compiles the inputs of an inverse.
func (r *reader) with(v value, of engine.ActionSpec, inputs []engine.Field) []Param {
	if v.key == nil {
		return nil
	}
	target := engine.Field{Name: "target", Type: engine.MapOf(engine.Field{Name: "id", Type: engine.TypeString()}, engine.Field{Name: "name", Type: engine.TypeString()})}
	scope := r.inputScope(inputs, target)
	var out []Param
	var known []string
	for _, f := range of.Inputs {
		known = append(known, f.Name)
		n := v.node.Get(f.Name)
		switch {
		case n != nil:
			value, _ := r.template(n, f.Name, f.Type, scope)
			out = append(out, Param{Name: f.Name, Value: value})
		case f.Required:
			r.add(v.key.Errorf("missing-input", "%s needs the input `%s`", of.Name, f.Name))
		}
	}
	for _, e := range r.entries(v) {
		if !slices.Contains(known, e.Name()) {
			r.add(e.Key.Unknown("input", of.Name, known))
		}
	}
	return out
}
