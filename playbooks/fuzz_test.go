package playbooks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// seed adds every playbook of the test files.
func seed(f *testing.F) {
	f.Helper()
	for _, folder := range []string{"valid", "mistakes"} {
		for _, a := range archives(f, folder) {
			for _, file := range a.Files {
				if file.Name != "want" {
					f.Add(string(file.Data))
				}
			}
		}
	}
}

// checkDiagnostics holds what is true of all diagnostics.
func checkDiagnostics(t *testing.T, problems []yamldoc.Diagnostic) {
	t.Helper()
	for _, d := range problems {
		if d.Code == "" || d.Message == "" || d.Path == "" {
			t.Fatalf("a diagnostic without code, message or path: %+v", d)
		}
		if head := d.Headline(); strings.ContainsAny(head, "\n\r\t\x1b") {
			t.Fatalf("not one printable line: %q", head)
		}
	}
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		doc, problems := parseDocument(Source{Name: "playbook", Path: "playbook.yaml", Data: []byte(text)})
		if doc == nil && len(problems) == 0 {
			t.Fatal("neither a document nor a problem")
		}
		checkDiagnostics(t, problems)
		if doc == nil {
			return
		}
		doc.each(doc.steps, func(s *step) {
			if s.node == nil || s.line() == 0 {
				t.Fatal("a step without a place")
			}
		})
	})
}

func FuzzCheck(f *testing.F) {
	seed(f)
	env := testEnvironment(f)
	f.Fuzz(func(t *testing.T, text string) {
		b := Bundle{Root: "playbook", Sources: map[string]Source{"playbook": {Name: "playbook", Path: "playbook.yaml", Data: []byte(text)}}}
		p, problems := Compile(b, env)
		checkDiagnostics(t, problems)
		if (p == nil) != yamldoc.HasErrors(problems) {
			t.Fatalf("a program %v, with the problems\n%s", p != nil, yamldoc.Render(problems))
		}
		if p == nil {
			return
		}
		data, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := Compile(again, env)
		if second == nil || second.Hash != p.Hash || describe(second) != describe(p) {
			t.Fatalf("compiled from its encoding it is another:\n%s", cmp.Diff(describe(p), describe(second)))
		}
	})
}
