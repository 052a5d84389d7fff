package steps_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/steps"
	"github.com/drawbridge-soar/drawbridge/steps/connector"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

func actions(t *testing.T) *engine.Actions {
	t.Helper()
	all, err := engine.NewActions(steps.All()...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAllIsSortedAndConsistent(t *testing.T) {
	var names []string
	for _, action := range steps.All() {
		names = append(names, action.Spec().Name)
	}
	if known := actions(t).Names(); !slices.Equal(names, known) {
		t.Errorf("got %v, want them sorted", names)
	}
}

// TestInversesTakeEachOtherBack guards undo: an inverse is reversible itself,
// and does the opposite to access.
func TestInversesTakeEachOtherBack(t *testing.T) {
	all := actions(t)
	for _, action := range steps.All() {
		spec := action.Spec()
		if spec.Inverse == "" {
			continue
		}
		inverse, _ := all.Named(spec.Inverse)
		if back := inverse.Spec(); back.Inverse != spec.Name || back.Access == spec.Access {
			t.Errorf("%s (%s) and %s (%s) do not take each other back", spec.Name, spec.Access, back.Name, back.Access)
		}
	}
}

// TestEveryNeedIsOffered finds an action that no provider could carry out.
func TestEveryNeedIsOffered(t *testing.T) {
	offered := make(map[engine.Capability]bool)
	names := make(map[string]bool)
	for _, provider := range append(providers.All(), okta(t)) {
		if names[provider.Name] {
			t.Errorf("the provider %s is in the list twice", provider.Name)
		}
		names[provider.Name] = true
		for _, capability := range provider.Capabilities {
			offered[capability] = true
		}
		if !slices.Contains(provider.Capabilities, engine.CapabilityTest) {
			t.Errorf("the provider %s cannot be tested", provider.Name)
		}
	}
	for _, action := range steps.All() {
		for _, need := range action.Spec().Needs {
			if !offered[need] {
				t.Errorf("%s needs %s, which no provider offers", action.Spec().Name, need)
			}
		}
	}
}

// okta is the connector file that is shipped: it is all that offers some
// capabilities.
func okta(t *testing.T) engine.Provider {
	t.Helper()
	def, problems := definition.Read("../examples/connectors/okta.yaml")
	if def == nil {
		t.Fatal(problems)
	}
	return connector.Provider(def)
}

// TestExamplesCheck checks every example of the reference as a playbook.
func TestExamplesCheck(t *testing.T) {
	environment := playbooks.Environment{Actions: actions(t)}
	for _, action := range steps.All() {
		for _, example := range action.Spec().Examples {
			source := "name: example\nsteps:\n  " + strings.ReplaceAll(strings.TrimSpace(example.YAML), "\n", "\n  ") + "\n"
			bundle := playbooks.Bundle{Root: "example", Sources: map[string]playbooks.Source{
				"example": {Name: "example", Path: action.Spec().Name + ".yaml", Data: []byte(source)},
			}}
			if _, problems := playbooks.Compile(bundle, environment); len(problems) > 0 {
				t.Errorf("%s, %q: %v", action.Spec().Name, example.Title, problems)
			}
		}
	}
}
