package yamldoc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiagnosticAsText(t *testing.T) {
	t.Parallel()
	n := parse(t, "a: 1\nsteps:\n\n  - uses: user.lst # é\n").Get("steps").Items()[0].Get("uses")
	tests := []struct {
		name string
		in   Diagnostic
		want string
	}{
		{
			"everything",
			n.Errorf("unknown-action", "unknown action %q", "user.lst").WithSuggestion("user.list").WithHint("known: %s", "user.list"),
			"f.yaml:4:11: error: unknown action \"user.lst\" (did you mean user.list?) [unknown-action]\n" +
				"    4 |   - uses: user.lst # é\n" +
				"      |           ^^^^^^^^\n" +
				"      hint: known: user.list\n",
		},
		{
			"a stretch of it",
			n.ErrorAt(5, 3, "x", "here").AsWarning(),
			"f.yaml:4:16: warning: here [x]\n    4 |   - uses: user.lst # é\n      |                ^^^\n",
		},
		{"a whole file", NewDiagnostic("g.yaml", "read", "no %s", "file"), "g.yaml: error: no file [read]\n"},
		{
			"a place known by line and column",
			ErrorIn("h.yaml", []byte("a: 1\r\n  b: 2\n"), 2, 3, "x", "no %s", "b"),
			"h.yaml:2:3: error: no b [x]\n    2 |   b: 2\n      |   ^\n",
		},
		{"a place that is not there", ErrorIn("h.yaml", []byte("a: 1\n"), 7, 0, "x", "no"), "h.yaml:7:1: error: no [x]\n"},
		{"no line", ErrorIn("h.yaml", []byte("a: 1\n"), 0, 0, "x", "no"), "h.yaml: error: no [x]\n"},
		{
			"control characters",
			NewDiagnostic("a\x1b[31m.yaml", "x", "two\nlines\r\x07 and \u202eback").WithHint("tab\there"),
			"a\ufffd[31m.yaml: error: two lines \ufffd and \ufffdback [x]\n      hint: tab here\n",
		},
		{"no place", (*Node)(nil).Errorf("x", "nowhere"), ": error: nowhere [x]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.in.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSnippetsAreClippedAroundThePlace(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 500)
	tests := []struct{ name, yaml, mark string }{
		{"at the beginning", "k: MARK " + long, "MARK"},
		{"far to the right", "k: \"" + long + " MARK " + long + "\"", "MARK"},
		{"at the end", "k: \"é" + long + " MARK\"", "MARK"},
		{"after tabs", "k: 'x\t\t\tMARK'", "MARK"},
		{"longer than the line", "k: 'MARK" + long + "'", "MARK" + long},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := parse(t, tt.yaml).Get("k")
			d := n.ErrorAt(strings.Index(n.Text(), "MARK"), len(tt.mark), "x", "y")
			runes := []rune(d.Snippet.Text)
			if len(runes) > snippetWidth+2 {
				t.Errorf("%d characters are shown", len(runes))
			}
			if got := string(runes[d.Snippet.Offset:]); !strings.HasPrefix(got, "MARK") {
				t.Errorf("the caret stands under %q", got)
			}
			if end := d.Snippet.Offset + d.Snippet.Length; end > len(runes) {
				t.Errorf("the carets end at %d of %d characters", end, len(runes))
			}
		})
	}
}

func TestSortOrdersAndDropsRepetitions(t *testing.T) {
	t.Parallel()
	at := func(path string, line, column int, message string) Diagnostic {
		return Diagnostic{Path: path, Line: line, Column: column, Severity: Error, Code: "x", Message: message}
	}
	in := []Diagnostic{at("b", 1, 1, "m"), at("a", 2, 1, "m"), at("a", 1, 9, "m"), at("a", 1, 2, "n"), at("a", 1, 2, "m"), at("a", 2, 1, "m")}
	want := []Diagnostic{at("a", 1, 2, "m"), at("a", 1, 2, "n"), at("a", 1, 9, "m"), at("a", 2, 1, "m"), at("b", 1, 1, "m")}
	if diff := cmp.Diff(want, Sort(in)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if in[0].Path != "b" {
		t.Error("the list given was changed")
	}
}

func TestHasErrors(t *testing.T) {
	t.Parallel()
	warning := NewDiagnostic("a", "x", "y").AsWarning()
	if HasErrors(nil) || HasErrors([]Diagnostic{warning}) {
		t.Error("a warning is taken for an error")
	}
	if !HasErrors([]Diagnostic{warning, NewDiagnostic("a", "x", "y")}) {
		t.Error("an error is overlooked")
	}
}

func TestDiagnosticAsJSON(t *testing.T) {
	t.Parallel()
	d := parse(t, "key: value\n").Get("key").Errorf("code", "wrong").WithSuggestion("valve").WithHint("do")
	got, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"path":"f.yaml","line":1,"column":6,"length":5,"severity":"error","code":"code","message":"wrong",` +
		`"suggestion":"valve","hint":"do","snippet":{"text":"key: value","offset":5,"length":5}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	n := parse(t, "name: x\ninptus: 1\nzzzzzz: 2\n")
	got := Render(UnknownKeys(n, "a playbook", []string{"name", "inputs"}))
	want := `f.yaml:2:1: error: unknown key "inptus" in a playbook (did you mean inputs?) [unknown-key]
    2 | inptus: 1
      | ^^^^^^
      hint: known: inputs, name
f.yaml:3:1: error: unknown key "zzzzzz" in a playbook [unknown-key]
    3 | zzzzzz: 2
      | ^^^^^^
      hint: known: inputs, name
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if more := UnknownKeys(nil, "nothing", nil); more != nil {
		t.Errorf("nothing has the unknown keys %v", more)
	}
}
