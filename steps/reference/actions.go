package reference

import (
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Actions is the page about these actions.
func Actions(actions []engine.Action) []byte {
	p := newPage("Actions",
		"What a step can do: `uses: user.suspend`. An action *observes*, *changes* one target, or *announces*. "+
			"It acts through connections that offer the capabilities it needs; see [providers](providers.md).")
	rows := [][]string{}
	for _, action := range actions {
		spec := action.Spec()
		rows = append(rows, []string{link(spec.Name), string(spec.Effect), spec.Summary})
	}
	p.table([]string{"Action", "Effect", "What it does"}, rows)
	for _, action := range actions {
		p.action(action.Spec())
	}
	return p.bytes()
}

func (p *page) action(spec engine.ActionSpec) {
	p.heading(2, spec.Name)
	p.paragraph(spec.Summary)
	p.paragraph(spec.Doc)
	p.paragraph(effect(spec) + needs(spec.Needs))
	p.fields("Inputs", spec.Inputs, spec.ExactlyOne)
	p.fields("Outputs", spec.Outputs, nil)
	for _, row := range predicateRows(spec.Inputs) {
		p.fields("Fields in `"+row.name+"`", row.fields, nil)
	}
	for _, example := range spec.Examples {
		p.heading(3, "Example: "+example.Title)
		p.code("yaml", example.YAML)
	}
}

func effect(spec engine.ActionSpec) string {
	switch spec.Effect {
	case engine.Observe:
		return "It observes: it reads and has no side effects."
	case engine.Announce:
		return "It announces: it is left out of a plan, and happens at least once in a run."
	default:
		return "It changes its target." + reversal(spec)
	}
}

func reversal(spec engine.ActionSpec) string {
	if spec.Inverse == "" {
		return " It cannot be taken back."
	}
	return fmt.Sprintf(" It %s access and is taken back by %s.", spec.Access, link(spec.Inverse))
}

func needs(capabilities []engine.Capability) string {
	if len(capabilities) == 0 {
		return ""
	}
	names := make([]string, len(capabilities))
	for i, c := range capabilities {
		names[i] = "`" + string(c) + "`"
	}
	return " It needs connections that offer " + strings.Join(names, ", ") + "."
}

// predicateRow is the names a predicate input can use.
type predicateRow struct {
	name   string
	fields []engine.Field
}

// predicateRows finds the predicates among inputs, at any depth.
func predicateRows(inputs []engine.Field) []predicateRow {
	var rows []predicateRow
	for _, in := range flatten(inputs, "") {
		if in.Type.Kind == engine.KindPredicate && in.Type.Row != nil {
			rows = append(rows, predicateRow{name: in.Name, fields: in.Type.Row.Fields})
		}
	}
	return rows
}
