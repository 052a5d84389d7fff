package yamldoc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *Node {
	t.Helper()
	n, problems := Parse("f.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatalf("unexpected problems:\n%s", Render(problems))
	}
	return n
}

// at finds what stands at the place of a byte offset of a scalar's text.
func at(n *Node, offset int) string {
	line, column := n.PositionAt(offset)
	runes := []rune(n.src.line(line))
	if column > len(runes) {
		return "<end>"
	}
	return string(runes[column-1:])
}

func TestPlacesInsideScalars(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, yaml string }{
		{"plain", "k: before é MARK after\n"},
		{"plain over lines", "k: before\n   more\n\n\n   MARK after\n"},
		{"single", "k: 'it''s é MARK ''x'''\n"},
		{"single over lines", "k: 'one''\n\n  two  \n\n\n  MARK'\n"},
		{"double", `k: "tab\t \u00e9 \x41 \"q\" \\ MARK"` + "\n"},
		{"double over lines", "k: \"one \\\n   two\n\n   three \\\n\n   MARK\"\n"},
		{"literal", "k: |\n    one é\n      two\n\n    three MARK\n"},
		{"literal keeps indent", "k: |2\n    one\n  two MARK\n"},
		{"literal strip", "k: |- # comment\n\n\n  one MARK\n\n"},
		{"literal last line", "k: |\n  one MARK"},
		{"literal windows", "k: |\r\n  one\r\n  two MARK\r\n"},
		{"folded", "k: >\n  one\n  two\n\n  three\n    four\n  five MARK\n"},
		{"folded blank lines", "k: >+\n\n  one\n\n\n  two\n\n    three\n\n  MARK\n\n"},
		{"folded keeps indent", "k: >2-\n    one\n    two\n  MARK\n"},
		{"in a flow map", `k: {a: 'x', b: "y", c: [1, "\tMARK"]}` + "\n"},
		{"anchored", "k: &a !x\n"},
		{"anchored double", "k: &name   \"\\tMARK\"\n"},
		{"after a byte order mark", "\ufeffk: 'MARK'\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, _ := Parse("f.yaml", []byte(tt.yaml))
			var found bool
			walk(n, func(s *Node) {
				for i := range s.value {
					if strings.HasPrefix(s.value[i:], "MARK") {
						found = true
						if got := at(s, i); !strings.HasPrefix(got, "MARK") {
							t.Errorf("the place of MARK shows %q", got)
						}
					}
				}
			})
			if want := strings.Contains(tt.yaml, "MARK"); found != want {
				t.Errorf("MARK found: %v", found)
			}
		})
	}
}

func walk(n *Node, visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, e := range n.entries {
		walk(e.Key, visit)
		walk(e.Value, visit)
	}
	for _, i := range n.items {
		walk(i, visit)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
	laughs := "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
		"d: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"empty", "", []string{`f.yaml:1:1: error: the file is empty [empty]`}},
		{"only a comment", "# nothing\n", []string{`f.yaml:1:1: error: the file is empty [empty]`}},
		{"duplicates", "a: 1\nb: 2\na: 3\n\"b\": 4\n", []string{
			`f.yaml:3:1: error: the key "a" is given twice; the first is in line 1 [duplicate-key]`,
			`f.yaml:4:1: error: the key "b" is given twice; the first is in line 2 [duplicate-key]`,
		}},
		{"second document", "a: 1\n\n--- # more\nb: 1\n", []string{`f.yaml:3:1: error: a second document begins here [second-document]`}},
		{"merge key", "a: &a {x: 1}\nb:\n  <<: *a\n", []string{`f.yaml:3:3: error: merge keys (<<) are not supported [merge-key]`}},
		{"tag", "a: !!binary aGk=\nb: !mine\n  c: d\n", []string{
			`f.yaml:1:4: error: a value cannot have a YAML tag [tag]`,
			`f.yaml:2:4: error: a value cannot have a YAML tag [tag]`,
		}},
		{"negation", "if: !x\n", []string{`f.yaml:1:5: error: a value cannot have a YAML tag [tag]`}},
		{"a map as key", "{a: 1}: 2\n", []string{`f.yaml:1:1: error: a key must be a name, not a map [key]`}},
		{"too deep", "k: " + deep, []string{`f.yaml:1:67: error: nested more than 64 levels deep [too-deep]`}},
		{"alias of itself", "a: &a [*a]\n", []string{`f.yaml:1:8: error: the alias *a stands inside what it stands for [aliases]`}},
		{"unknown alias", "a: [1, *b]\n", []string{`f.yaml:1:8: error: there is no anchor &b before this alias [aliases]`}},
		{"many laughs", laughs, []string{`f.yaml:4:26: error: aliases expand to more than 10000 values [aliases]`}},
		{"aliases too deep", "a: &a " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\nb: " + strings.Repeat("[", 40) + "*a" + strings.Repeat("]", 40), []string{
			`f.yaml:2:44: error: nested more than 64 levels deep [too-deep]`,
		}},
		{"two problems of a map", "a: &a {}\nb:\n  <<: *a\n  c: !x y\n  c: 1\n", []string{
			`f.yaml:3:3: error: merge keys (<<) are not supported [merge-key]`,
			`f.yaml:4:6: error: a value cannot have a YAML tag [tag]`,
			`f.yaml:5:3: error: the key "c" is given twice; the first is in line 4 [duplicate-key]`,
		}},
		{"an empty key", "? \n: a\n", []string{`f.yaml:1:2: error: a key must be a name, not nothing [key]`}},
		{"after a long list", "l: [1,\n 2,\n 3]\n\n# more\nb: @x\n", []string{`f.yaml:6:1: error: this is not YAML: found character that cannot start any token [syntax]`}},
		{"many aliases", "a: &a x\nb: [" + strings.Repeat("*a, ", MaxAliases+1) + "]\n", []string{`f.yaml:2:405: error: more than 100 aliases [aliases]`}},
		{"control character", "a: b\nc: \x01\n", []string{`f.yaml:2:4: error: the character U+0001 does not show and is not allowed [characters]`}},
		{"hidden character", "a: \"x\u202ey\"\n", []string{`f.yaml:1:6: error: the character U+202E does not show and is not allowed [characters]`}},
		{"not UTF-8", "a: \xff\n", []string{`f.yaml:1:4: error: the file is not UTF-8 [characters]`}},
		{"tab", "a:\n\tb: 1\n", []string{`f.yaml:2:1: error: a tab cannot indent YAML [syntax]`}},
		{"indent", "steps:\n  - id: a\n    uses: x\n   with: y\nmore: 1\n", []string{
			`f.yaml:4:4: error: this is not YAML: did not find expected '-' indicator [syntax]`,
		}},
		{"unclosed quote", "a: 1\nb: \"x\nc: 1\nd: 2\n", []string{`f.yaml:2:1: error: this is not YAML: found unexpected end of stream [syntax]`}},
		{"unclosed bracket after a long list", "l: [1,\n 2,\n 3]\nb: {x: 1\nc: [\nd: 2\n", []string{
			`f.yaml:4:1: error: this is not YAML: did not find expected ',' or '}' [syntax]`,
		}},
		{"colon", "a: 1\ntext: wrong: here\n", []string{`f.yaml:2:1: error: this is not YAML: mapping values are not allowed in this context [syntax]`}},
		{"too large", strings.Repeat("#", MaxSize+1), []string{`f.yaml: error: the file has 1048577 bytes; at most 1048576 are read [too-large]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, problems := Parse("f.yaml", []byte(tt.yaml))
			var got []string
			for _, p := range problems {
				got = append(got, p.Headline())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("../testdata/*/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range seeds {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("a: &a |\n  x\nb: >+\n\n  y\n   z\nc: \"\\\n  \\u00e9\"\nd: 'it''s\n\n  x'\n? x\n: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, problems := Parse("f.yaml", []byte(text))
		if n == nil && len(problems) == 0 {
			t.Fatal("neither a document nor a problem")
		}
		for _, p := range problems {
			checkDiagnostic(t, p)
		}
		walk(n, func(s *Node) {
			if s.kind == Scalar && len(s.offsets()) != len(s.value)+1 {
				t.Fatalf("%d offsets for %q", len(s.offsets()), s.value)
			}
			checkDiagnostic(t, s.ErrorAt(len(s.value)/2, 3, "x", "y"))
		})
	})
}

func checkDiagnostic(t *testing.T, d Diagnostic) {
	t.Helper()
	if d.Line < 0 || d.Line > 0 && d.Column < 1 || d.Length < 0 {
		t.Fatalf("a diagnostic without a place: %+v", d)
	}
	if rendered := d.String(); strings.ContainsAny(rendered, "\x00\x1b\r\t") || strings.Count(rendered, "\n") > 4 {
		t.Fatalf("not safe to print: %q", rendered)
	}
}
