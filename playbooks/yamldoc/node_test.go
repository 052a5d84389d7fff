package yamldoc

import (
	"strings"
	"testing"
)

func TestNodesKeepOrderAndPlaces(t *testing.T) {
	t.Parallel()
	root := parse(t, "# first\nb: 1\n\"a\": [x, 'y']\nc:\n  d: ~\n")
	var names []string
	for _, e := range root.Entries() {
		line, column := e.Key.Position()
		names = append(names, e.Name())
		if column != 1 || line != 2+len(names)-1 {
			t.Errorf("%s stands at %d:%d", e.Name(), line, column)
		}
	}
	if strings.Join(names, " ") != "b a c" {
		t.Errorf("the keys are %v", names)
	}
	items := root.Get("a").Items()
	if len(items) != 2 || items[0].Text() != "x" || items[0].Quoted() || !items[1].Quoted() {
		t.Errorf("the items are %v", items)
	}
	if d := root.Get("c").Get("d"); d.Kind() != Null || d.Text() != "" || d.Describe() != "nothing" {
		t.Errorf("a null is %s %q", d.Describe(), d.Text())
	}
	if root.FirstKey().Text() != "b" || root.Path() != "f.yaml" {
		t.Errorf("first key %q of %s", root.FirstKey().Text(), root.Path())
	}
}

func TestNothingHasNothing(t *testing.T) {
	t.Parallel()
	var n *Node
	line, column := n.Position()
	if n.Kind() != Null || n.Entries() != nil || n.Items() != nil || n.Get("x") != nil || n.Text() != "" || n.Path() != "" || line != 0 || column != 0 {
		t.Error("a nil node is not an empty null")
	}
	if line, column = n.PositionAt(3); line != 0 || column != 0 {
		t.Error("a nil node has a place")
	}
	if n.Comment() != "" || n.Quoted() || n.FirstKey() != nil {
		t.Error("a nil node has parts")
	}
}

func TestAliasesAreTheNodesTheyStandFor(t *testing.T) {
	t.Parallel()
	root := parse(t, "a: &x { k: v }\nb: *x\nc: [*x, *x]\n&k key: 1\nd: { *k : 2 }\n")
	if root.Get("a") != root.Get("b") || root.Get("c").Items()[1] != root.Get("a") {
		t.Error("an alias is a node of its own")
	}
	if line, _ := root.Get("b").Get("k").Position(); line != 1 {
		t.Errorf("what an alias stands for is in line %d", line)
	}
	if root.Get("d").Get("key").Text() != "2" {
		t.Error("an alias cannot be a key")
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"[1]":                    "a list",
		"{a: 1}":                 "a map",
		"word":                   `the text "word"`,
		"'5'":                    `the text "5"`,
		"0777":                   "0777",
		"true":                   "true",
		strings.Repeat("x", 100): `the text "` + strings.Repeat("x", 60) + `…"`,
		"null":                   "nothing",
	} {
		if got := parse(t, "v: "+yaml+"\n").Get("v").Describe(); got != want {
			t.Errorf("%s is %s, want %s", yaml, got, want)
		}
	}
}

func TestComment(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"v: a # more":         " more",
		"v: filter(a, # > 3)": " > 3)",
		"v: a":                "",
		"v: 'a' # more":       "",
		"v: a#b":              "",
		"v: [a]":              "",
	} {
		if got := parse(t, yaml+"\n").Get("v").Comment(); got != want {
			t.Errorf("%s: %q, want %q", yaml, got, want)
		}
	}
}

// Every character of a text must be found where it stands, however the text
// was written. The characters of the alphabet are themselves in any style.
func TestEveryCharacterIsFound(t *testing.T) {
	t.Parallel()
	documents := []string{
		"k: abc defé ghi\n",
		"k: 'abc ''defé'' ghi'\n",
		"k: \"abc\\n\\\"defé\\\" \\u00fc ghi\"\n",
		"k: |\n  abc\n   def\n\n  é\n",
		"k: |+\n\n    abc\n\n\n    def\n\n",
		"k: >-\n  abc\n  def\n\n  ghi\n\n\n    jkl\n  mno\n",
		"k: >\n\n   abc\n   def\n",
		"k: abc\n  def\n\n  ghi\n",
		"k: 'abc\n  def\n\n\n  ghi'\n",
		"k: \"abc\n  def \\\n  ghi\n\n  jkl\"\n",
		"- k: |-\n    abc\n    def\n  l: >2\n      abc\n    def\n",
		"k: [abc, 'def', \"gh\\ti\"]\r\nl: |\r\n  abc\r\n  def\r\n",
		"? k\n: abc\n",
		"k: &anchor abc\nl: &other 'd''ef'\n",
		"k: |\n  tab\tin it\n  x\t\n",
		"k: \"\\0\\a\\b\\t\\v\\f\\r\\e\\N\\_\\L\\P\\ abc\\x41\\U0001F600def\"\n",
		"null: abc\n",
	}
	for _, text := range documents {
		walk(parse(t, text), func(n *Node) {
			if n.kind != Scalar {
				return
			}
			for i, r := range n.value {
				if !strings.ContainsRune("abcdefghijklmno", r) || strings.HasPrefix(at(n, i), "\\") {
					continue
				}
				if got := at(n, i); !strings.HasPrefix(got, string(r)) {
					t.Errorf("%q: character %d of %q, %q, is looked for at %q", text, i, n.value, r, got)
				}
			}
		})
	}
}
