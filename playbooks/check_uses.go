package playbooks

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// uses checks the call of an action. The type is the zero type where the action
// is not known.
func (c *checker) uses(s *step, n *program.Node, in view) (*program.Uses, engine.Type) {
	at := in.on(s)
	it := s.given["uses"]
	n.Retry = retryOf(s)
	spec, known := c.action(it)
	if !known {
		return &program.Uses{}, engine.Type{}
	}
	u := &program.Uses{Action: spec.Name, Effect: spec.Effect, Declared: spec.Inputs, Output: c.output(s.given["with"], spec)}
	owner := inputOwner{name: spec.Name, at: s.node.FirstKey(), exactlyOne: spec.ExactlyOne}
	u.Inputs = c.inputs(s.given["with"], certainFields(spec.Inputs), owner, at)
	u.Connection = c.connection(s, spec)
	n.For = c.temporary(s, spec, at)
	c.changes = c.changes || spec.Effect == engine.Change
	return u, u.Output
}

// output is the type of what the action returns. The playbook may say it itself;
// where it does so wrongly, anything may be read.
func (c *checker) output(with item, spec engine.ActionSpec) engine.Type {
	if spec.Shape == nil {
		return spec.Output()
	}
	e, given := with.node.Entry(spec.Shape.Input)
	if !given {
		return spec.Output()
	}
	p := &parser{constructs: constructs(), doc: c.doc}
	it := p.value(key{name: spec.Shape.Input, shape: declaredOne, typ: engine.EnumOf(inputKinds()...), of: "field"}, e)
	shape, ok := p.items(it)
	c.problems = append(c.problems, p.problems...)
	if !ok || it.wrong {
		shape = engine.Type{}
	}
	fields := slices.Clone(spec.Outputs)
	for i := range fields {
		if fields[i].Name == spec.Shape.Output {
			fields[i].Type = shape
		}
	}
	return engine.MapOf(fields...)
}

// certainFields are inputs as they must be where they are given: an action that
// is handed nothing does something else than its author reads.
func certainFields(fields []engine.Field) []engine.Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Type = out[i].Type.Certain()
	}
	return out
}

func (c *checker) action(it item) (engine.ActionSpec, bool) {
	if it.wrong || it.key == nil {
		return engine.ActionSpec{}, false
	}
	name, _ := it.value.(string)
	action, known := c.env.Actions.Named(name)
	if !known {
		c.add(it.node.Unknown("action", "", c.env.Actions.Names()))
		return engine.ActionSpec{}, false
	}
	return action.Spec(), true
}

// retryOf is the step's retry, which the parser has checked; nil without one.
func retryOf(s *step) *program.Retry {
	g, has := s.inner["retry"]
	if !has {
		return nil
	}
	first := g.durationOr("first", defaultFirst)
	return &program.Retry{
		Attempts: int(g.integer("attempts")), Backoff: g.textOr("backoff", "exponential"),
		First: first, Max: max(first, g.durationOr("max", defaultMax)),
	}
}

// temporary checks `for`, which needs a way back.
func (c *checker) temporary(s *step, spec engine.ActionSpec, at view) *program.Temporary {
	it, given := s.given["for"]
	if !given {
		return nil
	}
	if spec.Inverse == "" && spec.Ends != "" {
		c.add(it.key.Errorf("inverse", "%s cannot be taken back, also not after a time: it ends by itself", spec.Name).
			WithHint("say how long it lasts with its input `%s`", spec.Ends))
		return nil
	}
	if spec.Inverse == "" {
		c.add(it.key.Errorf("inverse", "%s has no inverse: it cannot be taken back after a time", spec.Name).
			WithHint("`for` goes with changes that can be taken back: %s", strings.Join(c.reversible(), ", ")))
		return nil
	}
	v, _ := c.value(it.node, "for", engine.TypeDuration(), at)
	t := &program.Temporary{Duration: v, AtEnd: s.text("at_end"), Most: s.durationOr("max", 0), Warn: s.durationOr("warn", 0)}
	c.spans(s, t)
	return t
}

// spans checks how long a change lasts against how long it may last, and when
// people are told of its end.
func (c *checker) spans(s *step, t *program.Temporary) {
	constant, _ := t.Duration.Constant()
	lasts, known := constant.(time.Duration)
	most, warn := s.given["max"], s.given["warn"]
	limited := most.key != nil && !most.wrong
	switch {
	case known && lasts <= 0:
		c.add(s.given["for"].node.Errorf("range", "`for` must be longer than 0s").WithHint("without `for` the change stays"))
	case limited && t.Most <= 0:
		c.add(most.node.Errorf("range", "`max` must be longer than 0s").WithHint("without `max` it can be extended as long as people say"))
	case known && limited && t.Most < lasts:
		c.add(most.node.Errorf("range", "`max` is %s, shorter than the %s of `for`", engine.FormatDuration(t.Most), engine.FormatDuration(lasts)).
			WithHint("`max` is how long it may last in all, extensions included"))
	case known && t.Warn >= lasts:
		c.add(warn.node.Errorf("range", "`warn` is %s, and `for` only %s: it must be shorter", engine.FormatDuration(t.Warn), engine.FormatDuration(lasts)).
			WithHint("`warn` is how long before the end people are told"))
	case !known && limited && t.Warn >= t.Most:
		c.add(warn.node.Errorf("range", "`warn` is %s, and `max` only %s: it must be shorter", engine.FormatDuration(t.Warn), engine.FormatDuration(t.Most)))
	}
}

func (c *checker) reversible() []string {
	return slices.DeleteFunc(c.env.Actions.Names(), func(name string) bool {
		action, _ := c.env.Actions.Named(name)
		return action.Spec().Inverse == ""
	})
}

// connection checks what the step says of connections against the action's
// needs, and where there is a configuration, against that.
func (c *checker) connection(s *step, spec engine.ActionSpec) engine.ConnectionRef {
	it, given := s.given["connection"]
	ref := engine.ConnectionRef{}
	switch {
	case given && len(spec.Needs) == 0:
		c.add(it.key.Errorf("misplaced-key", "%s needs no connection", spec.Name))
		return ref
	case given && it.node.Kind() == yamldoc.Map:
		ref.ByCapability = c.connectionMap(it.node, spec)
	case given && (it.node.Kind() != yamldoc.Scalar || strings.Contains(it.node.Text(), braces)):
		c.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`connection` must be the name of a connection, or a map of one per capability, written out"))
		return ref
	case given:
		ref.Name = it.node.Text()
	}
	if given && ref.Name == "" && len(it.node.Entries()) == 0 {
		c.add(it.node.Errorf("type", "`connection` names none").WithHint("without `connection` it is the only one that fits, or the configuration's default"))
		return ref
	}
	if c.env.Catalog != nil {
		c.resolve(s, spec, ref)
		c.needed(s, spec, ref)
	}
	return ref
}

// needed reports the inputs that are given and need what the action's
// connection does not offer.
func (c *checker) needed(s *step, spec engine.ActionSpec, ref engine.ConnectionRef) {
	names, err := c.env.Catalog.Resolve(spec.Needs, ref)
	if err != nil || len(spec.Needs) == 0 {
		return // reported
	}
	info, _ := c.env.Catalog.Named(names[spec.Needs[0]])
	for _, e := range s.given["with"].node.Entries() {
		f, known := engine.FieldNamed(spec.Inputs, e.Name())
		if known && f.Needs != "" && !info.Offers(f.Needs) {
			c.add(e.Key.Errorf("capability", "connection %q does not offer %q, which the input `%s` of %s needs", info.Name, f.Needs, f.Name, spec.Name).
				WithHint("leave it out, or use another connection"))
		}
	}
}

func (c *checker) connectionMap(n *yamldoc.Node, spec engine.ActionSpec) map[engine.Capability]string {
	var needs []string
	for _, need := range spec.Needs {
		needs = append(needs, string(need))
	}
	c.problems = append(c.problems, yamldoc.UnknownKeys(n, "the connections of "+spec.Name, needs)...)
	out := map[engine.Capability]string{}
	for _, e := range n.Entries() {
		if e.Value.Kind() != yamldoc.Scalar {
			c.add(atValue(e).Errorf("type", "a connection is given by its name, not %s", e.Value.Describe()))
			continue
		}
		out[engine.Capability(e.Name())] = e.Value.Text()
	}
	return out
}

// resolve reports each capability that has no connection.
func (c *checker) resolve(s *step, spec engine.ActionSpec, ref engine.ConnectionRef) {
	for _, need := range spec.Needs {
		_, err := c.env.Catalog.Resolve([]engine.Capability{need}, ref)
		var why *engine.ResolveError
		if errors.As(err, &why) {
			c.add(c.unresolved(s, spec, why))
			if why.Unknown && why.Name == ref.Name {
				return // it does not exist for the other capabilities either
			}
		}
	}
}

func (c *checker) unresolved(s *step, spec engine.ActionSpec, why *engine.ResolveError) yamldoc.Diagnostic {
	at := s.given["uses"].node
	if it, given := s.given["connection"]; given {
		at = it.node
		if one := it.node.Get(string(why.Capability)); one != nil {
			at = one
		}
	}
	hint := "no connection of the configuration offers it"
	if len(why.Candidates) > 0 {
		hint = "these offer it: " + strings.Join(why.Candidates, ", ")
	}
	switch {
	case why.Unknown:
		return at.Errorf("unknown-connection", "there is no connection %q; %s needs one for %q", why.Name, spec.Name, why.Capability).
			WithSuggestion(engine.Nearest(why.Name, c.connectionNames())).WithHint("%s", hint)
	case why.Name != "":
		return at.Errorf("capability", "connection %q does not offer %q, which %s needs", why.Name, why.Capability, spec.Name).WithHint("%s", hint)
	case len(why.Candidates) > 1:
		return at.Errorf("ambiguous-connection", "%s needs a connection for %q, and several offer it: %s", spec.Name, why.Capability, strings.Join(why.Candidates, ", ")).
			WithHint("name one with `connection:`, or in the configuration's `defaults:`")
	default:
		return at.Errorf("no-connection", "%s needs a connection for %q, and the configuration has none", spec.Name, why.Capability)
	}
}

func (c *checker) connectionNames() []string {
	names := make([]string, len(c.env.Catalog.Connections))
	for i, info := range c.env.Catalog.Connections {
		names[i] = info.Name
	}
	return names
}
