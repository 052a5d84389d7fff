package playbooks

import (
	"strings"

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
	if p.declaration(g, &f) {
		p.inputDefault(g, &f)
	}
	return f
}

// declaration reads what a value is declared to be. It reports false where the
// type is missing or wrong: it stays the zero type, which fits everything.
func (p *parser) declaration(g given, f *engine.Field) bool {
	f.Doc = g.text("description")
	items, itemsOK := p.items(g["items"])
	fields, fieldsOK := p.fields(g["fields"])
	if g["type"].wrong || !g.has("type") || !itemsOK || !fieldsOK {
		return false
	}
	f.Type = plainType(g.text("type"))
	if f.Type.Kind == engine.KindList && g.has("items") {
		f.Type.Elem = &items
	}
	if f.Type.Kind == engine.KindMap && g.has("fields") {
		f.Type = engine.MapOf(fields...)
	}
	f.Type.Enum = g.texts("enum")
	f.Type.Optional, _ = g["optional"].value.(bool)
	f.Required = !f.Type.Optional
	p.inputLimits(g, f)
	return true
}

// items is the type of a list's elements.
func (p *parser) items(it item) (engine.Type, bool) {
	if it.key == nil {
		return engine.Type{}, true
	}
	if it.node.Kind() != yamldoc.Map {
		kind, _ := it.value.(string)
		return plainType(kind), !it.wrong
	}
	var f engine.Field
	ok := p.declaration(p.keys(it.node, "field"), &f)
	return f.Type, ok
}

// fields reads named declarations: those of a map, or of a webhook's body.
func (p *parser) fields(it item) ([]engine.Field, bool) {
	if it.key == nil {
		return nil, true
	}
	if it.node.Kind() != yamldoc.Map || len(it.node.Entries()) == 0 {
		p.add(atValue(yamldoc.Entry{Key: it.key, Value: it.node}).Errorf("type", "`%s` must be a map of names with what each is, not %s", it.key.Text(), emptyOr(it.node)).
			WithHint("write %s: { id: string }", it.key.Text()))
		return nil, false
	}
	var out []engine.Field
	all := true
	for _, e := range it.node.Entries() {
		f, ok := p.fieldOf(e)
		out, all = append(out, f), all && ok
	}
	return out, all
}

func emptyOr(n *yamldoc.Node) string {
	if n.Kind() == yamldoc.Map {
		return "an empty one"
	}
	return n.Describe()
}

// fieldOf reads one named declaration: a kind alone, or a map.
func (p *parser) fieldOf(e yamldoc.Entry) (engine.Field, bool) {
	f := engine.Field{Name: e.Name(), Required: true}
	named := true
	if strings.TrimSpace(f.Name) == "" || len([]rune(f.Name)) > maxName || strings.ContainsAny(f.Name, "\n\r") {
		p.add(e.Key.Errorf("name", "%q cannot be the name of a field", f.Name))
		named = false
	}
	if e.Value.Kind() == yamldoc.Map {
		return f, p.declaration(p.keys(e.Value, "field"), &f) && named
	}
	kind := key{name: e.Name(), typ: engine.EnumOf(inputKinds()...)}
	it := item{key: e.Key, node: e.Value}
	if e.Value.Kind() != yamldoc.Scalar {
		p.add(atValue(e).Errorf("type", "a field must be a kind or a map, not %s", e.Value.Describe()).WithHint("write %s: string, or %s: { type: string }", e.Name(), e.Name()))
		return f, false
	}
	p.literal(kind, &it)
	text, _ := it.value.(string)
	f.Type = plainType(text)
	return f, named && !it.wrong
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
		"enum": engine.KindString, "items": engine.KindList, "fields": engine.KindMap, "minimum": engine.KindInteger, "maximum": engine.KindInteger,
	}
	for name, kind := range belongs {
		if g.has(name) && f.Type.Kind != kind {
			p.add(g[name].key.Errorf("misplaced-key", "`%s` belongs to the type %s", name, kind))
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
		return
	}
	f.Required = false
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
