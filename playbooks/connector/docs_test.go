package connector

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// TestTheDocumentationIsRight checks the connector that newcomers read, and
// finds every key of the table explained.
func TestTheDocumentationIsRight(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/connectors.md")
	if err != nil {
		t.Fatal(err)
	}
	page, checked := string(data), 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(block[1], "connector:") {
			continue
		}
		checked++
		if d, problems := Parse("docs/connectors.md", []byte(block[1])); d == nil || len(problems) > 0 {
			t.Errorf("a connector has mistakes:\n%s", yamldoc.Render(problems))
		}
	}
	if checked == 0 {
		t.Error("there is no connector in it")
	}
	for name, con := range constructs() {
		for _, k := range con.keys {
			if !regexp.MustCompile("[`{ ,]" + k.name + "[`:,}]").MatchString(page) {
				t.Errorf("the key `%s` of %s is not explained", k.name, name)
			}
		}
	}
}
