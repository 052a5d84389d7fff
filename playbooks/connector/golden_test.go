package connector_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// update rewrites the expected messages: go test ./playbooks/connector -update.
var update = flag.Bool("update", false, "rewrite the golden files")

// archives are the test files of a folder: a connector file and the messages.
func archives(tb testing.TB) map[string]*txtar.Archive {
	tb.Helper()
	paths, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no test files: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		out[path] = a
	}
	return out
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for path, a := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			d, problems := connector.Parse("gate.yaml", a.Files[0].Data)
			if d != nil || !yamldoc.HasErrors(problems) {
				t.Error("it passes the checks")
			}
			got := yamldoc.Render(problems)
			if *update {
				a.Files = []txtar.File{a.Files[0], {Name: "want", Data: []byte(got)}}
				if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// examples are the connector files that are shipped.
func examples(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob("../../examples/connectors/*.yaml")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no examples: %v", err)
	}
	return append(paths, "testdata/gate.yaml")
}

func TestExamplesPassTheChecks(t *testing.T) {
	t.Parallel()
	for _, path := range examples(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, problems := connector.Parse(path, data)
		if d == nil || len(problems) > 0 {
			t.Fatalf("\n%s", yamldoc.Render(problems))
		}
		if !connector.IsFile(data) || d.Name == "" || len(d.Hash) != 64 {
			t.Errorf("%s: %+v", path, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range examples(f) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	for _, a := range archives(f) {
		f.Add(string(a.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, problems := connector.Parse("connector.yaml", []byte(text))
		if (d == nil) != yamldoc.HasErrors(problems) {
			t.Fatalf("a definition %v, with the problems\n%s", d != nil, yamldoc.Render(problems))
		}
		for _, p := range problems {
			if p.Code == "" || p.Message == "" || strings.ContainsAny(p.Headline(), "\n\r\t\x1b") {
				t.Fatalf("not one printable line with a code: %+v", p)
			}
		}
	})
}
