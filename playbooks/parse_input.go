package playbooks

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (p *parser) inputs(it item) {
	for _, e := range p.named(it, "inputs", "an input") {
		p.doc.inputs = append(p.doc.inputs, p.input(e))
	}
}

// input reads one declaration. A broken one has the zero type, which fits everything.
func (p *parser) input(e yamldoc.Entry) engine.Field {
	f := engine.Field{Name: e.Name()}
	if e.Value.Kind() != yamldoc.Map {
		p.add(atValue(e).Errorf("type", "an input must be a map, not %s", e.Value.Describe()).
			WithHint("write %s: { type: string }", e.Name()))
		return f
	}
	g := p.keys(e.Value, "input")
	f.Doc = g.text("description")
	if g["type"].wrong || !g.has("type") || g["items"].wrong {
		return f
	}
	f.Type = inputType(g)
	p.inputLimits(g, &f)
	p.inputDefault(g, &f)
	return f
}

func inputType(g given) engine.Type {
	t := plainType(g.text("type"))
	if t.Kind == engine.KindList && g.has("items") {
		elem := plainType(g.text("items"))
		t.Elem = &elem
	}
	t.Enum = g.texts("enum")
	if optional, _ := g["optional"].value.(bool); optional {
		t.Optional = true
	}
	return t
}

// plainType is the type of a kind as inputs are declared with.
func plainType(kind string) engine.Type {
	switch kind {
	case "boolean":
		return engine.TypeBool()
	case "list":
		return engine.ListOf(engine.TypeAny())
	case "map":
		return engine.DictOf(engine.TypeAny())
	default:
		return engine.Type{Kind: engine.Kind(kind)}
	}
}

// inputLimits checks the keys that belong to one kind only.
func (p *parser) inputLimits(g given, f *engine.Field) {
	belongs := map[string]engine.Kind{
		"enum": engine.KindString, "items": engine.KindList, "minimum": engine.KindInteger, "maximum": engine.KindInteger,
	}
	for name, kind := range belongs {
		if g.has(name) && f.Type.Kind != kind {
			p.add(g[name].key.Errorf("misplaced-key", "`%s` belongs to an input of type %s", name, kind))
		}
	}
	f.Minimum, f.Maximum = limit(g["minimum"]), limit(g["maximum"])
	if f.Minimum != nil && f.Maximum != nil && *f.Minimum > *f.Maximum {
		p.add(g["minimum"].node.Errorf("range", "the minimum %d is greater than the maximum %d", *f.Minimum, *f.Maximum))
	}
	if g.has("enum") && !g["enum"].wrong && len(f.Type.Enum) == 0 {
		p.add(g["enum"].node.Errorf("enum", "an enumeration needs at least one value"))
	}
}

func limit(it item) *int64 {
	if n, ok := it.value.(int64); ok {
		return &n
	}
	return nil
}

func (p *parser) inputDefault(g given, f *engine.Field) {
	def, given := g["default"]
	if !given {
		f.Required = !f.Type.Optional
		return
	}
	if f.Type.Optional {
		p.add(g["optional"].key.Errorf("misplaced-key", "an input with a default is never missing: it is not optional").
			WithHint("leave out one of `optional` and `default`"))
		f.Type.Optional = false
	}
	if def.wrong {
		return
	}
	v, problems := yamldoc.DecodeField(def.node, *f)
	for _, d := range problems {
		if d.Code == "type" {
			d.Message = "the default " + d.Message
		}
		if def.node.Kind() == yamldoc.Null {
			d = d.WithHint("for an input that may be missing write `optional: true` instead")
		}
		p.add(d)
	}
	f.Default = v
	f.Type.Optional = v == nil && len(problems) == 0 // nothing is a value only of kind any
}
