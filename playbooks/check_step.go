package playbooks

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// sequence checks steps in order, and returns what is seen of them afterwards.
func (c *checker) sequence(steps []*step, in view) ([]*program.Node, []visible) {
	var nodes []*program.Node
	var seen []visible
	for i, s := range steps {
		node, more := c.step(s, in.and(seen...))
		nodes, seen = append(nodes, node), append(seen, more...)
		if ends(s) && i+1 < len(steps) {
			c.add(steps[i+1].node.FirstKey().Errorf("unreachable", "nothing after this `%s` is ever carried out", s.form).
				WithHint("give the step in line %d an `if`", s.line()).AsWarning())
		}
	}
	return nodes, seen
}

// ends reports whether nothing can follow the step.
func ends(s *step) bool {
	return (s.form == program.FormFail || s.form == program.FormReturn) && !s.has("if") && s.text("on_error") != "continue"
}

// step checks one step and what is inside it.
func (c *checker) step(s *step, in view) (*program.Node, []visible) {
	line, column := s.node.Position()
	n := &program.Node{
		Index: len(c.out.Nodes), ID: s.id, Name: s.text("name"), Segment: s.segment, Line: line, Column: column,
		Form: s.form, Timeout: s.durationOr("timeout", 0), Continue: s.text("on_error") == "continue",
	}
	c.out.Nodes = append(c.out.Nodes, n)
	n.If = c.bare(s.given["if"], in.on(s), engine.TypeBool())
	late := c.returned
	seen := c.form(s, n, in)
	late = late || s.form == program.FormParallel && c.returned
	certain := !s.has("if") && !n.Continue
	if s.id != "" {
		seen = append(seen, visible{id: s.id, outputs: n.Output, certain: true})
	}
	for i := range seen {
		seen[i].certain = seen[i].certain && certain
		seen[i].late = seen[i].late || late
	}
	return n, seen
}

// form checks what belongs to the step's form, and returns the steps inside
// that are seen after it.
func (c *checker) form(s *step, n *program.Node, in view) []visible {
	n.Output = engine.Type{Kind: engine.KindMap}
	switch s.form {
	case program.FormUses:
		n.Uses, n.Output = c.uses(s, n, in)
	case program.FormCall:
		n.Call, n.Output = c.call(s, in)
	case program.FormForeach:
		c.foreach(s, n, in)
	case program.FormWhile:
		c.while(s, n, in)
	case program.FormSteps:
		return c.block(s, n, in)
	case program.FormParallel:
		return c.parallel(s, n, in)
	case program.FormSwitch:
		return c.cases(s, n, in)
	case program.FormTry:
		return c.try(s, n, in)
	default:
		c.plainForm(s, n, in.on(s))
	}
	return nil
}

// plainForm checks the forms that hold no steps and call nothing.
func (c *checker) plainForm(s *step, n *program.Node, at view) {
	switch s.form {
	case program.FormSet:
		n.Set, n.Output = c.set(s, at)
	case program.FormFail:
		n.Fail = c.template(s.given["fail"], at)
	case program.FormReturn:
		n.Return = c.template(s.given["return"], at)
		c.returned = true
	case program.FormApprove:
		n.Approve = c.approve(s, at)
		n.Output = engine.MapOf(engine.Field{Name: "approved", Type: engine.TypeBool()})
	case program.FormWait:
		n.Wait = c.wait(s, at)
		n.Output = waitOutput(n.Wait)
	default:
		n.Output = engine.Type{}
	}
}

// template compiles a text; nothing at all is no value.
func (c *checker) template(it item, at view) expression.Value {
	if it.key == nil || it.wrong || it.node.Kind() == yamldoc.Null {
		return expression.Value{}
	}
	v, _ := c.value(it.node, it.key.Text(), engine.TypeString(), at)
	return v
}

func (c *checker) block(s *step, n *program.Node, in view) []visible {
	var body, otherwise []visible
	n.Body, body = c.sequence(s.slot("steps"), in)
	n.Else, otherwise = c.sequence(s.slot("else"), in)
	return append(body, otherwise...)
}

func (c *checker) parallel(s *step, n *program.Node, in view) []visible {
	var seen []visible
	for _, sl := range s.slots {
		nodes, more := c.sequence(sl.steps, in)
		n.Branches = append(n.Branches, program.Branch{Name: sl.name, Steps: nodes})
		seen = append(seen, more...)
	}
	return seen
}

// try checks the three lists of a try. What ran in one of the first two may not
// have run for those that come after it.
func (c *checker) try(s *step, n *program.Node, in view) []visible {
	var body, caught, final []visible
	n.Body, body = c.sequence(s.slot("try"), in)
	before := body
	if s.has("catch") {
		at := in.and(perhaps(body)...)
		if s.id != "" {
			at = at.and(visible{id: s.id, outputs: engine.Type{Kind: engine.KindMap}, certain: true, failed: true})
		}
		n.Catch, caught = c.sequence(s.slot("catch"), at)
		before = perhaps(append(body, caught...))
	}
	n.Finally, final = c.sequence(s.slot("finally"), in.and(perhaps(before)...))
	return append(before, final...)
}

func (c *checker) set(s *step, at view) ([]program.Assignment, engine.Type) {
	it := s.given["set"]
	if it.node.Kind() != yamldoc.Map || len(it.node.Entries()) == 0 {
		c.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`set` must be a map of names with values, not %s", it.node.Describe()))
		return nil, engine.Type{}
	}
	var out []program.Assignment
	var fields []engine.Field
	for _, e := range it.node.Entries() {
		if !identifierPattern().MatchString(e.Name()) || isStepField(e.Name()) {
			c.add(e.Key.Errorf("name", "%q cannot be the name of a value", e.Name()).
				WithHint("a name has letters, digits and _, and is neither status nor error"))
			continue
		}
		v, t := c.value(e.Value, e.Name(), engine.TypeAny(), at)
		out = append(out, program.Assignment{Name: e.Name(), Type: t, Value: v})
		fields = append(fields, engine.Field{Name: e.Name(), Type: t})
	}
	return out, engine.MapOf(fields...)
}

func isStepField(name string) bool { return name == "status" || name == "error" }

func (c *checker) wait(s *step, at view) *program.Wait {
	g := s.inner["wait"]
	w := &program.Wait{Signal: g.text("signal")}
	if it, given := g["for"]; given {
		w.For, _ = c.value(it.node, "for", engine.TypeDuration(), at)
	}
	if it, given := g["until"]; given {
		w.Until, _ = c.value(it.node, "until", engine.TypeTime(), at)
	}
	return w
}

// waitOutput is what a wait leaves: what came with a signal.
func waitOutput(w *program.Wait) engine.Type {
	if w.Signal == "" {
		return engine.Type{Kind: engine.KindMap}
	}
	return engine.MapOf(engine.Field{Name: "body", Type: engine.TypeAny()})
}
