package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func (a *app) actionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "actions", Short: "The reference of the actions playbooks can use"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the actions", Args: cobra.NoArgs,
			RunE: work(func(context.Context, []string) error { return a.actionsList() }),
		},
		&cobra.Command{
			Use: "show ACTION", Short: "Show an action's inputs, outputs and examples", Args: cobra.ExactArgs(1),
			RunE: work(func(_ context.Context, args []string) error { return a.actionsShow(args[0]) }),
		},
	)
	return cmd
}

// actionDocument is an action as -o json prints it.
type actionDocument struct {
	Name     string              `json:"name"`
	Summary  string              `json:"summary"`
	Doc      string              `json:"doc,omitempty"`
	Effect   engine.Effect       `json:"effect"`
	Needs    []engine.Capability `json:"needs"`
	Inverse  string              `json:"inverse,omitempty"`
	Access   engine.Access       `json:"access,omitempty"`
	Inputs   []fieldDocument     `json:"inputs,omitempty"`
	Outputs  []fieldDocument     `json:"outputs,omitempty"`
	Examples []exampleDocument   `json:"examples,omitempty"`
}

type fieldDocument struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	Default  any    `json:"default,omitempty"`
	Doc      string `json:"doc,omitempty"`

	Fields []fieldDocument `json:"fields,omitempty"` // of a map, or of the maps in a list
	Row    []fieldDocument `json:"row,omitempty"`    // of a predicate: its bare names
}

type exampleDocument struct {
	Title string `json:"title"`
	YAML  string `json:"yaml"`
}

// actions are those of the binary, and of the configuration's connector files
// where there is one.
func (a *app) actions() (*engine.Actions, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	return knownActions(conf)
}

func (a *app) actionsList() error {
	actions, err := a.actions()
	if err != nil {
		return err
	}
	docs, rows := []actionDocument{}, [][]string{}
	for _, name := range actions.Names() {
		action, _ := actions.Named(name)
		spec := action.Spec()
		docs = append(docs, brief(spec))
		rows = append(rows, []string{spec.Name, string(spec.Effect), spec.Summary})
	}
	if a.json() {
		return a.print(map[string]any{"actions": docs})
	}
	return a.table([]string{"ACTION", "EFFECT", "WHAT IT DOES"}, rows, "there are no actions")
}

func brief(spec engine.ActionSpec) actionDocument {
	needs := spec.Needs
	if needs == nil {
		needs = []engine.Capability{}
	}
	return actionDocument{
		Name: spec.Name, Summary: spec.Summary, Effect: spec.Effect, Needs: needs, Inverse: spec.Inverse, Access: spec.Access,
	}
}

func (a *app) actionsShow(name string) error {
	actions, err := a.actions()
	if err != nil {
		return err
	}
	action, ok := actions.Named(name)
	if !ok {
		return usage("there is no action %q%s", name, didYouMean(name, actions.Names()))
	}
	spec := action.Spec()
	if a.json() {
		doc := brief(spec)
		doc.Doc, doc.Inputs, doc.Outputs = spec.Doc, fieldDocuments(spec.Inputs), fieldDocuments(spec.Outputs)
		for _, e := range spec.Examples {
			doc.Examples = append(doc.Examples, exampleDocument(e))
		}
		return a.print(doc)
	}
	a.writeAction(a.stdout, spec)
	return nil
}

func fieldDocuments(fields []engine.Field) []fieldDocument {
	var out []fieldDocument
	for _, f := range fields {
		doc := fieldDocument{Name: f.Name, Type: f.Type.String(), Required: f.Required, Default: defaultOf(f), Doc: f.Doc}
		if f.Type.Row == nil {
			doc.Fields = fieldDocuments(inside(f.Type))
		} else {
			doc.Row = fieldDocuments(inside(f.Type))
		}
		out = append(out, doc)
	}
	return out
}

// inside is the fields of a map, of the maps in a list, or of the row that a
// predicate is about.
func inside(t engine.Type) []engine.Field {
	switch {
	case t.Row != nil:
		return t.Row.Fields
	case t.Elem != nil:
		return inside(*t.Elem)
	default:
		return t.Fields
	}
}

// defaultOf is a default as it would stand in YAML.
func defaultOf(f engine.Field) any {
	if f.Default == nil {
		return nil
	}
	encoded, err := engine.EncodeJSON(f.Default)
	if err != nil {
		return fmt.Sprint(f.Default)
	}
	return strings.Trim(string(encoded), `"`)
}

func (a *app) writeAction(w io.Writer, spec engine.ActionSpec) {
	fmt.Fprintf(w, "%s  (%s)\n%s\n", a.palette.Bold(spec.Name), spec.Effect, spec.Summary)
	if spec.Inverse != "" {
		fmt.Fprintf(w, "Taken back by %s.\n", spec.Inverse)
	}
	if len(spec.Needs) > 0 {
		fmt.Fprintf(w, "Needs a connection that offers: %s.\n", join(spec.Needs))
	}
	a.writeFields(w, "Inputs", spec.Inputs)
	for _, group := range spec.ExactlyOne {
		fmt.Fprintf(w, "  exactly one of: %s\n", strings.Join(group, ", "))
	}
	a.writeFields(w, "Outputs", spec.Outputs)
	if spec.Doc != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(spec.Doc))
	}
	for _, e := range spec.Examples {
		fmt.Fprintf(w, "\n%s\n%s", a.palette.Bold("Example: "+e.Title), indent(e.YAML))
	}
}

func (a *app) writeFields(w io.Writer, title string, fields []engine.Field) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", a.palette.Bold(title))
	for _, f := range fields {
		fmt.Fprintf(w, "  %s  (%s)\n", f.Name, typeOf(f))
		if f.Doc != "" {
			fmt.Fprintf(w, "      %s\n", f.Doc)
		}
		writeInside(w, f, "      ")
	}
}

// writeInside writes the fields inside a field, a line each.
func writeInside(w io.Writer, outer engine.Field, indent string) {
	fields := inside(outer.Type)
	if outer.Type.Row != nil {
		fmt.Fprintf(w, "%sIts bare names:\n", indent)
		indent += "  "
	}
	for _, f := range fields {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s%s  (%s)  %s", indent, f.Name, typeOf(f), f.Doc), " "))
		writeInside(w, f, indent+"  ")
	}
}

// typeOf names a field's type, and says what happens without it.
func typeOf(f engine.Field) string {
	switch {
	case f.Required:
		return f.Type.String() + ", required"
	case f.Default != nil:
		return fmt.Sprintf("%s, default %v", f.Type, defaultOf(f))
	default:
		return f.Type.String()
	}
}

func join[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	return strings.Join(parts, ", ")
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

// didYouMean proposes the nearest of the known names.
func didYouMean(name string, known []string) string {
	if near := engine.Nearest(name, known); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}
