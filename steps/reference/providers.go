package reference

import (
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// Providers is the page about these providers.
func Providers(providers []engine.Provider) []byte {
	p := newPage("Providers",
		"What a connection in `drawbridge.yaml` can lead to: `provider: slack`. "+
			"A secret never stands in the file, only a reference to it: `env://NAME`, `file:///path`.")
	rows := [][]string{}
	for _, provider := range providers {
		rows = append(rows, []string{link(provider.Name), offered(provider), provider.Summary})
	}
	p.table([]string{"Provider", "Offers", "What it is"}, rows)
	for _, provider := range providers {
		p.heading(2, provider.Name)
		p.paragraph(provider.Summary)
		p.paragraph(provider.Doc)
		p.fields("Settings", provider.Settings, provider.ExactlyOne)
	}
	return p.bytes()
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
