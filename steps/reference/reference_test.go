package reference_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/steps"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/reference"
)

func TestPagesAreCurrent(t *testing.T) {
	for _, p := range reference.Pages() {
		path := filepath.Join("..", "..", reference.Folder, p.Name)
		written, err := os.ReadFile(path)
		if err != nil || string(written) != string(p.Content) {
			t.Errorf("%s is not current (%v): run `go run ./cmd/drawbridge gen`", path, err)
		}
	}
}

func TestWrite(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "docs", "reference")
	if err := reference.Write(folder); err != nil {
		t.Fatal(err)
	}
	for _, p := range reference.Pages() {
		written, err := os.ReadFile(filepath.Join(folder, p.Name))
		if err != nil || string(written) != string(p.Content) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if err := reference.Write(filepath.Join(folder, "actions.md")); err == nil {
		t.Error("a file in the folder's place is no error")
	}
}

// TestEverythingIsDocumented holds the declarations to what the pages, the
// schema and the editors need.
func TestEverythingIsDocumented(t *testing.T) {
	for _, action := range steps.All() {
		spec := action.Spec()
		if spec.Summary == "" || spec.Doc == "" || len(spec.Examples) == 0 {
			t.Errorf("%s lacks a summary, a documentation or an example", spec.Name)
		}
		checkDocs(t, spec.Name+" input ", spec.Inputs)
		checkDocs(t, spec.Name+" output ", spec.Outputs)
	}
	for _, provider := range providers.All() {
		if provider.Summary == "" || provider.Doc == "" || !strings.HasPrefix(provider.Setup, "1. ") {
			t.Errorf("%s lacks a summary, a documentation or numbered steps to set it up", provider.Name)
		}
		needed := slices.Concat(provider.ExactlyOne...)
		for _, f := range provider.Settings {
			if f.Example == "" && (f.Required || slices.Contains(needed, f.Name)) {
				t.Errorf("the setting %s of %s lacks an example", f.Name, provider.Name)
			}
		}
		checkDocs(t, provider.Name+" setting ", provider.Settings)
	}
	for _, f := range expression.Functions() {
		if f.Signature == "" || f.Doc == "" || f.Example == "" {
			t.Errorf("the function %s lacks a signature, a documentation or an example", f.Name)
		}
	}
}

func checkDocs(t *testing.T, prefix string, fields []engine.Field) {
	t.Helper()
	for _, f := range fields {
		if f.Doc == "" {
			t.Errorf("%s%s is not documented", prefix, f.Name)
		}
		if f.Required && f.Default != nil {
			t.Errorf("%s%s is required and has a default", prefix, f.Name)
		}
		checkDocs(t, prefix+f.Name+".", f.Type.Fields)
		if f.Type.Elem != nil {
			checkDocs(t, prefix+f.Name+"[].", f.Type.Elem.Fields)
		}
	}
}

// sample is an action with one of everything.
type sample struct{}

func (sample) Spec() engine.ActionSpec {
	one, nine := int64(1), int64(9)
	row := engine.MapOf(engine.Field{Name: "id", Type: engine.TypeString(), Doc: "Its id."})
	return engine.ActionSpec{
		Name: "door.open", Summary: "Open a door.", Doc: "It opens.", Effect: engine.Change, Inverse: "door.close", Access: engine.Gives,
		Needs: []engine.Capability{"doors"},
		Inputs: []engine.Field{
			{Name: "id", Type: engine.Maybe(engine.TypeString()), Doc: "Which.", Example: "front"},
			{Name: "where", Type: engine.Maybe(engine.PredicateOver(row)), Doc: "Which.", Example: `id == "a|b"`},
			{Name: "width", Type: engine.TypeInteger(), Default: int64(5), Minimum: &one, Maximum: &nine, Doc: "How wide."},
		},
		ExactlyOne: [][]string{{"id", "where"}},
		Outputs: []engine.Field{
			{Name: "doors", Type: engine.ListOf(row), Doc: "What was\nopened."},
			{Name: "state", Type: engine.EnumOf("open", "shut"), Doc: "How they are."},
		},
		Examples: []engine.Example{{Title: "The front door", YAML: "- uses: door.open\n  with: { id: front }\n"}},
	}
}

func TestActions(t *testing.T) {
	got := reference.Actions([]engine.Action{sample{}})
	want, err := os.ReadFile("testdata/actions.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestFunctions(t *testing.T) {
	got := string(reference.Functions([]expression.Function{
		{Name: "map", Signature: "map(list, expression) → list", Doc: "Each.", Example: "map([1], # | string()) == [`1`]"},
	}))
	want := "| `map(list, expression) → list` | Each. | `` map([1], # \\| string()) == [`1`] `` |\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("got %s", got)
	}
}

func doorman() engine.Provider {
	secret := engine.Type{Kind: engine.KindSecret}
	return engine.Provider{
		Name: "doorman", Summary: "Opens doors.", Doc: "A person.", Setup: "1. Knock.", Capabilities: []engine.Capability{"doors", engine.CapabilityTest},
		Settings: []engine.Field{
			{Name: "token", Type: secret, Required: true, Doc: "Shown at the door.", Example: "env://TOKEN"},
			{Name: "house", Type: engine.TypeString(), Doc: "Its number.", Example: "12"},
			{Name: "street", Type: engine.TypeString(), Doc: "All houses of it.", Example: "Elm"},
		},
		ExactlyOne: [][]string{{"house", "street"}},
	}
}

func TestProviders(t *testing.T) {
	got := string(reference.Providers([]engine.Provider{doorman()}))
	if want := "| [`doorman`](providers/doorman.md) | `doors` | Opens doors. |\n"; !strings.Contains(got, want) {
		t.Errorf("%q is not in\n%s", want, got)
	}
}

func TestProvider(t *testing.T) {
	got := reference.Provider(doorman(), []engine.Action{sample{}})
	want, err := os.ReadFile("testdata/doorman.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
