package testrun_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

const page = "../../../docs/testing.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheDocumentation runs every test on the page: against the examples, or
// against the playbook that stands before it.
func TestTheDocumentation(t *testing.T) {
	files := map[string]string{}
	examples, err := filepath.Glob(examples + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	files["drawbridge.yaml"] = strings.Replace(files["drawbridge.yaml"], "connections:\n",
		"connections:\n  service: { provider: http, base_url: \"https://service.example.com\" }\n", 1) // of which the page speaks
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readPage(t), -1) {
		if !strings.Contains(block[1], "tests:") {
			files["page.yaml"] = block[1]
			continue
		}
		files["page.test.yaml"] = block[1]
		runner := inMemory(t, files)
		file := load(t, runner, "page.test.yaml")
		for _, c := range file.Suite.Cases {
			ran++
			if r := runner.Run(t.Context(), file, c); len(r.Failures) > 0 {
				t.Errorf("%s:\n%s", c.Name, yamldoc.Render(r.Failures))
			}
		}
	}
	if ran < 6 {
		t.Errorf("only %d tests are on the page", ran)
	}
}

// TestTheDocumentationNamesEveryKey keeps the page whole.
func TestTheDocumentationNamesEveryKey(t *testing.T) {
	data, err := playbooktest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Enum []string `json:"enum"`
			} `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	text := readPage(t)
	for _, def := range schema.Defs {
		for name, property := range def.Properties {
			for _, word := range append(property.Enum, name) {
				if !regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`).MatchString(text) {
					t.Errorf("the page does not name %s", word)
				}
			}
		}
	}
}
