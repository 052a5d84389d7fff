package playbooks

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// DeclaredInputs reads the declarations under the key of a map, as a playbook
// declares its inputs, for other files that declare what they are given.
func DeclaredInputs(e yamldoc.Entry) ([]engine.Field, []yamldoc.Diagnostic) {
	p := declaring()
	p.inputs(item{key: e.Key, node: e.Value})
	return p.doc.inputs, p.problems
}

// DeclaredType reads what one value is declared to be: a kind alone, or a map
// such as { type: list, items: … }. It is the zero type where that is wrong.
func DeclaredType(e yamldoc.Entry) (engine.Type, []yamldoc.Diagnostic) {
	p := declaring()
	f, ok := p.fieldOf(e)
	if !ok {
		return engine.Type{}, p.problems
	}
	return f.Type, p.problems
}

func declaring() *parser {
	return &parser{constructs: constructs(), doc: &document{byID: map[string]*step{}}}
}

// DeclarationSchemas are the JSON Schemas of an input and of a field, by the
// names they refer to each other with: to be definitions of another schema.
func DeclarationSchemas() map[string]any {
	out := map[string]any{}
	for _, name := range []string{"input", "field"} {
		out[name] = normal(constructs()[name].schema())
	}
	return out
}

// DeclarationSchema is that of one value: a kind alone, or a field's.
func DeclarationSchema() map[string]any {
	s, _ := normal(declaration("field")).(object)
	return s
}
