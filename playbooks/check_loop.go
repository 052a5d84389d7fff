package playbooks

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// foreach checks a loop over a list. Of what is inside, only the items' fates
// are seen after it.
func (c *checker) foreach(s *step, n *program.Node, in view) {
	f := &program.Foreach{As: s.textOr("as", "item"), Concurrency: int(s.integer("concurrency"))}
	n.Foreach = f
	f.List = c.bare(s.given["foreach"], in.on(s), engine.Type{Kind: engine.KindList})
	if f.List != nil {
		f.Elem = elementOf(f.List.Type())
	}
	at := in.in(engine.Field{Name: f.As, Type: f.Elem}, engine.Field{Name: "index", Type: engine.TypeInteger()})
	f.Key = c.itemName(s.given["key"], at.on(s))
	f.Label = c.itemName(s.given["label"], at.on(s))
	if f.Key == nil && !s.has("key") && hasID(f.Elem) {
		f.KeyField = "id"
	}
	changed := c.changes
	c.changes = false
	if s.acts {
		n.Uses, _ = c.uses(s, n, at)
	} else {
		n.Body, _ = c.sequence(s.slot("steps"), at)
	}
	if c.changes {
		c.changeByIndex(s, f)
	}
	c.changes = c.changes || changed
	n.Output = engine.MapOf(engine.Field{Name: "items", Type: engine.ListOf(engine.ItemType())})
	if s.id != "" {
		c.loops[s.id] = f
	}
}

func elementOf(list engine.Type) engine.Type {
	if list.Kind == engine.KindList && list.Elem != nil {
		return *list.Elem
	}
	return engine.TypeAny()
}

// itemName compiles what names an item: a text or an integer.
func (c *checker) itemName(it item, at view) *expression.Expression {
	e := c.bare(it, at, engine.TypeAny())
	if e == nil {
		return nil
	}
	switch t := e.Type(); {
	case t.Optional:
		c.add(it.node.Errorf("optional", "`%s` may be missing: say what then, `%s ?? …`", clipSource(e.Source()), clipSource(e.Source())))
	case t.Kind == "": // of a list that is wrong
	case t.Kind != engine.KindString && t.Kind != engine.KindInteger && t.Kind != engine.KindAny:
		c.add(it.node.Errorf("type", "`%s` must be a string or an integer, not %s", it.key.Text(), yamldoc.Article(t)))
	}
	return e
}

func hasID(elem engine.Type) bool {
	f, ok := elem.Field("id")
	return ok && !f.Type.Optional && (f.Type.Kind == engine.KindString || f.Type.Kind == engine.KindInteger)
}

// changeByIndex reports a loop over changes whose items are named by their
// place: the same place is somebody else when the list is read again.
func (c *checker) changeByIndex(s *step, f *program.Foreach) {
	at := s.given["foreach"].node
	switch {
	case f.List == nil || f.Elem.Kind == "" || s.given["key"].wrong:
		return
	case s.has("key"):
		if f.Key == nil || !reads(f.Key, "index") || reads(f.Key, f.As) {
			return
		}
		at = s.given["key"].node
	case f.KeyField != "":
		return
	}
	hint := "write key: " + f.As
	if f.Elem.Kind != engine.KindString && f.Elem.Kind != engine.KindInteger {
		hint += ".FIELD, with a field that is different for each"
	}
	c.add(at.Errorf("change-by-index", "a change keyed by index: after a crash or in a plan the same index may be somebody else").WithHint("%s", hint))
}

// reads reports whether an expression uses a root name.
func reads(e *expression.Expression, root string) bool {
	return slices.ContainsFunc(e.Reads(), func(p expression.Path) bool { return p[0] == root })
}

// while checks a loop with a condition. The condition may read what the last
// round left; before the first there is nothing.
func (c *checker) while(s *step, n *program.Node, in view) {
	at := in.in(engine.Field{Name: "index", Type: engine.TypeInteger()})
	var seen []visible
	n.Body, seen = c.sequence(s.slot("steps"), at)
	n.While = &program.While{Max: s.integer("max")}
	n.While.Condition = c.bare(s.given["while"], at.and(perhaps(seen)...).on(s), engine.TypeBool())
}

// cases checks a switch: its literals are read by the type of its expression.
func (c *checker) cases(s *step, n *program.Node, in view) []visible {
	n.Switch = c.bare(s.given["switch"], in.on(s), engine.TypeAny())
	var t engine.Type
	if n.Switch != nil {
		t = c.switchable(s.given["switch"].node, n.Switch.Type())
	}
	var seen []visible
	matches := map[any]bool{}
	for _, sl := range s.slots {
		nodes, more := c.sequence(sl.steps, in)
		seen = append(seen, more...)
		if sl.kind == "default" {
			n.Default = nodes
			continue
		}
		match := c.match(sl.key, t, matches)
		c.defaultAmongCases(s, sl, t)
		n.Branches = append(n.Branches, program.Branch{Name: sl.name, Match: match, Steps: nodes})
	}
	return perhaps(seen)
}

// switchable reports a value that cannot be told apart by literals; the type is
// then the zero type.
func (c *checker) switchable(n *yamldoc.Node, t engine.Type) engine.Type {
	switch {
	case t.Optional:
		c.add(n.Errorf("optional", "`%s` may be missing: say what then, `%s ?? …`", clipSource(n.Text()), clipSource(n.Text())))
	case t.Kind == engine.KindString || t.Kind == engine.KindInteger || t.Kind == engine.KindBool || t.Kind == engine.KindAny:
		return t
	default:
		c.add(n.Errorf("type", "a switch needs a string, an integer or a bool, not %s", yamldoc.Article(t)))
	}
	return engine.Type{}
}

// defaultAmongCases warns of a `default` that is a case like any other.
func (c *checker) defaultAmongCases(s *step, sl slot, t engine.Type) {
	if sl.name != "default" || sl.key.Quoted() || s.has("default") || len(t.Enum) > 0 {
		return
	}
	c.add(sl.key.Errorf("default", "this case is for the text \"default\", not for everything else").
		WithHint("write `default:` beside `cases:`, or put the case in quotes").AsWarning())
}

func (c *checker) match(key *yamldoc.Node, t engine.Type, seen map[any]bool) any {
	if t.Kind == "" {
		return nil
	}
	if at := strings.Index(key.Text(), braces); at >= 0 {
		c.add(key.ErrorAt(at, len(braces), "literal", "a case is fixed: it cannot hold ${{ … }}").WithHint("use steps with `if`"))
		return nil
	}
	v, problems := yamldoc.Decode(key, t)
	if c.named("case", problems) {
		return nil
	}
	if seen[v] {
		c.add(key.Errorf("duplicate-key", "the case %s is there twice", strings.TrimSpace(key.Text())))
	}
	seen[v] = true
	return v
}
