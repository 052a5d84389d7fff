package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// inputOwner is what is given inputs, for messages.
type inputOwner struct {
	name       string
	at         *yamldoc.Node // where to point when one is missing
	exactlyOne [][]string
}

// inputs checks what is given against what is declared, in declaration order.
func (c *checker) inputs(with item, declared []engine.Field, owner inputOwner, at view) []program.Assignment {
	if with.key != nil && with.node.Kind() != yamldoc.Map && with.node.Kind() != yamldoc.Null {
		c.add(with.node.Errorf("type", "`with` must be a map of inputs, not %s", with.node.Describe()))
		return nil
	}
	for _, e := range with.node.Entries() {
		if _, known := engine.FieldNamed(declared, e.Name()); !known {
			c.add(e.Key.Unknown("input", owner.name, fieldNames(declared)))
		}
	}
	meant := misspelt(with.node, fieldNames(declared))
	var out []program.Assignment
	for _, f := range declared {
		e, given := with.node.Entry(f.Name)
		switch {
		case given && f.Type.Kind == engine.KindType: // it says what the output is
		case given:
			out = append(out, program.Assignment{Name: f.Name, Type: f.Type, Value: c.field(e.Value, f, at)})
		case f.Required && !slices.Contains(meant, f.Name):
			c.add(owner.at.Errorf("missing-input", "%s needs the input `%s`", owner.name, f.Name).WithHint("%s", describeInput(f)))
		}
	}
	c.exactlyOne(with.node, owner, meant)
	return out
}

// misspelt are the known names that unknown keys of a map seem to mean. That
// they are missing goes without saying.
func misspelt(n *yamldoc.Node, known []string) []string {
	var meant []string
	for _, e := range n.Entries() {
		if near := engine.Nearest(e.Name(), known); near != "" && !slices.Contains(known, e.Name()) {
			meant = append(meant, near)
		}
	}
	return meant
}

func describeInput(f engine.Field) string {
	hint := fmt.Sprintf("%s is %s", f.Name, yamldoc.Article(f.Type))
	if f.Doc != "" {
		hint += ": " + f.Doc
	}
	return hint
}

func (c *checker) exactlyOne(with *yamldoc.Node, owner inputOwner, meant []string) {
	for _, group := range owner.exactlyOne {
		var present []yamldoc.Entry
		for _, e := range with.Entries() {
			if slices.Contains(group, e.Name()) {
				present = append(present, e)
			}
		}
		names := strings.Join(group, ", ")
		switch {
		case len(present) == 0 && slices.ContainsFunc(meant, func(name string) bool { return slices.Contains(group, name) }):
		case len(present) == 0:
			c.add(owner.at.Errorf("missing-input", "%s needs exactly one of the inputs %s", owner.name, names))
		case len(present) > 1:
			c.add(present[1].Key.Errorf("one-of", "%s takes exactly one of the inputs %s", owner.name, names))
		}
	}
}
