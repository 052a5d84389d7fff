package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// Providers is the page that lists these providers; each has a page of its own.
func Providers(providers []engine.Provider) []byte {
	p := newPage("Providers",
		"What a connection in `drawbridge.yaml` can lead to: `provider: slack`. "+
			"A secret never stands in the file, only a reference to it: `env://NAME`, `file:///path`.")
	rows := [][]string{}
	for _, provider := range providers {
		rows = append(rows, []string{"[" + code(provider.Name) + "](" + providerPage(provider) + ")", offered(provider), provider.Summary})
	}
	p.table([]string{"Provider", "Offers", "What it is"}, rows)
	return p.bytes()
}

// providerPage is where the page of a provider stands, seen from the others.
func providerPage(provider engine.Provider) string { return "providers/" + provider.Name + ".md" }

// Provider is the page of one provider, with the actions that go through it.
func Provider(provider engine.Provider, actions []engine.Action) []byte {
	p := newPage(provider.Name, provider.Summary)
	p.paragraph(provider.Doc)
	if provider.Setup != "" {
		p.heading(2, "Set it up")
		p.paragraph(provider.Setup)
	}
	p.heading(2, "In drawbridge.yaml")
	p.paragraph("`drawbridge connections test` then says what works, and what to grant where.")
	p.code("yaml", example(provider))
	p.heading(2, "Settings")
	p.fieldTable(provider.Settings, provider.ExactlyOne)
	p.heading(2, "What goes through it")
	rows := [][]string{}
	for _, action := range actions {
		spec := action.Spec()
		if slices.ContainsFunc(spec.Needs, func(c engine.Capability) bool { return slices.Contains(provider.Capabilities, c) }) {
			name := "[" + code(spec.Name) + "](../actions.md#" + anchor(spec.Name) + ")"
			rows = append(rows, []string{name, string(spec.Effect), spec.Summary})
		}
	}
	p.table([]string{"Action", "Effect", "What it does"}, rows)
	return p.bytes()
}

// example is a connection with what a provider cannot do without.
func example(provider engine.Provider) string {
	var b strings.Builder
	fmt.Fprintf(&b, "connections:\n  %s:\n    provider: %s\n", strings.ReplaceAll(provider.Name, "onepassword", "1password"), provider.Name)
	for _, f := range provider.Settings {
		first := slices.ContainsFunc(provider.ExactlyOne, func(group []string) bool { return group[0] == f.Name })
		if f.Required || first {
			fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.Example)
		}
	}
	return b.String()
}

// offered leaves out what every provider offers.
func offered(provider engine.Provider) string {
	var names []string
	for _, c := range provider.Capabilities {
		if c != engine.CapabilityTest {
			names = append(names, "`"+string(c)+"`")
		}
	}
	return strings.Join(names, ", ")
}

// Functions is the page about these functions.
func Functions(functions []expression.Function) []byte {
	p := newPage("Functions",
		"What expressions can call, beside the operators of the language. `list | filter(.n > 1)` is the same as `filter(list, .n > 1)`. "+
			"Each example is true.")
	rows := [][]string{}
	for _, f := range functions {
		rows = append(rows, []string{code(f.Signature), f.Doc, code(f.Example)})
	}
	p.table([]string{"Function", "What it gives", "Example"}, rows)
	return p.bytes()
}

// code is an inline code span, whatever stands in it.
func code(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fmt.Sprintf("%s %s %s", fence, s, fence)
	}
	return fence + s + fence
}
