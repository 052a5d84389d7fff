package playbooktest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func seed(f *testing.F) {
	f.Helper()
	mistakes, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range mistakes {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.Files[0].Data))
	}
	examples, err := filepath.Glob("../../examples/*.test.yaml")
	if err != nil || len(examples) == 0 {
		f.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
}

// FuzzParse holds what is true of every test file: it is read or something is
// said about it, at a place, and judging what never happened does not crash.
func FuzzParse(f *testing.F) {
	seed(f)
	prog := subject(f)
	f.Fuzz(func(t *testing.T, text string) {
		suite, problems := playbooktest.Parse("playbook.test.yaml", []byte(text))
		if (suite == nil) != yamldoc.HasErrors(problems) {
			t.Fatalf("a suite %v, with the problems\n%s", suite != nil, yamldoc.Render(problems))
		}
		if suite == nil {
			return
		}
		if len(suite.Cases) == 0 {
			t.Fatal("a suite without tests")
		}
		problems = append(problems, suite.Bind(prog)...)
		for _, c := range suite.Cases {
			if strings.TrimSpace(c.Name) == "" || c.Line() == 0 {
				t.Fatalf("a test without a name or a place: %+v", c)
			}
			problems = append(problems, c.Judge(playbooktest.Happened{})...)
		}
		for _, d := range problems {
			if d.Code == "" || d.Message == "" || d.Line == 0 {
				t.Fatalf("a diagnostic without code, message or place: %+v", d)
			}
			if strings.ContainsAny(d.Headline(), "\n\r\t\x1b") {
				t.Fatalf("not one printable line: %q", d.Headline())
			}
		}
	})
}
