// Package reference writes the reference pages: the actions, the providers and
// the functions of expressions, each made from the declaration the checker and
// the runtime use.
package reference

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/steps"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
)

// Folder is where the pages stand, relative to the root of the repository.
const Folder = "docs/reference"

// Page is one file of the reference.
type Page struct {
	Name    string // "actions.md", "providers/slack.md"
	Content []byte // Markdown
}

// Pages are all pages of this binary's reference.
func Pages() []Page {
	pages := []Page{
		{Name: "actions.md", Content: Actions(steps.All())},
		{Name: "functions.md", Content: Functions(expression.Functions())},
		{Name: "providers.md", Content: Providers(providers.All())},
	}
	for _, p := range providers.All() {
		pages = append(pages, Page{Name: providerPage(p), Content: Provider(p, steps.All())})
	}
	return pages
}

// Write writes every page into a folder, which it makes where it is missing.
func Write(folder string) error {
	for _, p := range Pages() {
		path := filepath.Join(folder, p.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // pages of the repository, for everybody to read
			return fmt.Errorf("making the folder of the reference: %w", err)
		}
		if err := os.WriteFile(path, p.Content, 0o644); err != nil { //nolint:gosec // the same
			return fmt.Errorf("writing a reference page: %w", err)
		}
	}
	return nil
}
