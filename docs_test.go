package drawbridge_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/steps"
)

// TestPlaybooksInTheDocumentationAreRight checks every YAML block that is a
// playbook, in the README and below docs.
func TestPlaybooksInTheDocumentationAreRight(t *testing.T) {
	actions, err := engine.NewActions(steps.All()...)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(block[1], "steps:") {
				continue
			}
			checked++
			bundle := playbooks.Bundle{Root: "playbook.yaml", Sources: map[string]playbooks.Source{"playbook.yaml": {Path: page, Data: []byte(block[1])}}}
			if _, problems := playbooks.Compile(bundle, playbooks.Environment{Actions: actions}); len(problems) > 0 {
				t.Errorf("%s: a playbook has mistakes:\n%s\n%v", page, block[1], problems)
			}
		}
	}
	if checked < 3 {
		t.Errorf("only %d playbooks were found in the documentation", checked)
	}
}

// TestTheReadmeShowsTheExampleAsItIs keeps the playbook of the tour the one
// that the demo runs.
func TestTheReadmeShowsTheExampleAsItIs(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("examples/contain-suspicious-users.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(example)+"```") {
		t.Error("README.md shows another playbook than examples/contain-suspicious-users.yaml")
	}
}
