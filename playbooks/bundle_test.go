package playbooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func files(texts map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range texts {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func load(t *testing.T, texts map[string]string, path string) Bundle {
	t.Helper()
	b, problems := Load(FSFiles(files(texts)), path)
	if len(problems) > 0 {
		t.Fatal(yamldoc.Render(problems))
	}
	return b
}

func chain() map[string]string {
	return map[string]string{
		"pb/a.yaml": "steps: [{call: b}, {call: c}]\n",
		"pb/b.yml":  "steps: [{call: c}]\n",
		"pb/c.yaml": "steps: [{uses: user.list}]\n",
		"pb/d.yaml": "steps: [{uses: user.get}]\n",
	}
}

func TestLoadReadsWhatIsCalled(t *testing.T) {
	t.Parallel()
	b := load(t, chain(), "pb/a.yaml")
	if got := b.names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("playbooks %v", got)
	}
	if b.Sources["b"].Path != "pb/b.yml" {
		t.Errorf("path %q", b.Sources["b"].Path)
	}
}

func TestCalledPlaybooksAreNamedAsTheirCaller(t *testing.T) {
	t.Parallel()
	if b := load(t, chain(), "./pb/a.yaml"); b.Sources["c"].Path != "./pb/c.yaml" || b.Sources["a"].Path != "./pb/a.yaml" {
		t.Errorf("paths %q and %q", b.Sources["a"].Path, b.Sources["c"].Path)
	}
}

func TestHashIsOfContentOnly(t *testing.T) {
	t.Parallel()
	here := load(t, chain(), "pb/a.yaml")
	moved := map[string]string{}
	for name, text := range chain() {
		moved[strings.Replace(name, "pb/", "else/where/", 1)] = text
	}
	if there := load(t, moved, "else/where/a.yaml"); here.Hash() != there.Hash() || len(here.Hash()) != 64 {
		t.Errorf("hashes %s and %s", here.Hash(), there.Hash())
	}
	edited := chain()
	edited["pb/c.yaml"] += "# later\n"
	if load(t, edited, "pb/a.yaml").Hash() == here.Hash() {
		t.Error("an edit of a called playbook does not change the hash")
	}
	if load(t, chain(), "pb/b.yml").Hash() == here.Hash() {
		t.Error("two playbooks have one hash")
	}
}

func TestProgramsCarryTheHashOfTheirOwnBundle(t *testing.T) {
	t.Parallel()
	texts := chain()
	p, problems := Compile(load(t, texts, "pb/a.yaml"), testEnvironment(t))
	if p == nil {
		t.Fatal(yamldoc.Render(problems))
	}
	if own := load(t, texts, "pb/b.yml").Hash(); p.Calls["b"].Hash != own {
		t.Errorf("hash %s, by itself it has %s", p.Calls["b"].Hash, own)
	}
	if p.Calls["b"].Calls["c"] != p.Calls["c"] {
		t.Error("a playbook that is called twice is compiled twice")
	}
}

func TestBundleSurvivesEncoding(t *testing.T) {
	t.Parallel()
	b := load(t, chain(), "pb/a.yaml")
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != b.Hash() || again.Root != "a" || again.Sources["b"].Path != "b.yaml" {
		t.Errorf("decoded %+v", again)
	}
}

func TestDecodeBundleRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":         `{`,
		"another version": `{"version":2,"root":"a","playbooks":{"a":""}}`,
		"an unknown key":  `{"version":1,"root":"a","playbooks":{"a":""},"more":1}`,
		"no root":         `{"version":1,"root":"a","playbooks":{"b":""}}`,
	} {
		if _, err := DecodeBundle([]byte(text)); !errors.Is(err, ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Bundle{Sources: map[string]Source{"a": {Data: []byte("\xff")}}}).Encode(); !errors.Is(err, ErrBundle) {
		t.Errorf("encoding what is not UTF-8: %v", err)
	}
}

func TestLoadSaysWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, problems := Load(FSFiles(files(nil)), "gone.yaml")
	if got := yamldoc.Render(problems); got != "gone.yaml: error: the file cannot be read: file does not exist [read]\n" {
		t.Errorf("message %q", got)
	}
	denied := func(path string) ([]byte, error) {
		if path == "a.yaml" {
			return []byte("steps: [{call: b}]"), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	_, problems = Load(denied, "a.yaml")
	if got := yamldoc.Render(problems); got != "b.yaml: error: the file cannot be read: permission denied [read]\n" {
		t.Errorf("message %q", got)
	}
}

func TestTooManyCalledPlaybooks(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for i := range maxPlaybooks + 5 {
		texts[fmt.Sprintf("p%d.yaml", i)] = fmt.Sprintf("steps: [{call: p%d}]\n", i+1)
	}
	b, _ := Load(FSFiles(files(texts)), "p0.yaml")
	_, problems := Compile(b, testEnvironment(t))
	if len(problems) != 1 || problems[0].Code != "too-many-playbooks" {
		t.Errorf("problems:\n%s", yamldoc.Render(problems))
	}
}

func TestCheckFindsPlaybooksInFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := "steps: [{uses: user.list}]\n"
	write("a.yaml", good)
	write("deep/b.yml", "steps: [{uses: user.lst}]\n")
	for _, skipped := range []string{"a.test.yaml", "drawbridge.yaml", ".hidden/c.yaml", ".d.yaml", "notes.md"} {
		write(skipped, "not: [a playbook")
	}
	checked := Check(testEnvironment(t), dir, filepath.Join(dir, "a.test.yaml"), filepath.Join(dir, "none"), filepath.Join(dir, ".hidden", "empty"))
	var got []string
	for _, c := range checked {
		path, _ := filepath.Rel(dir, c.Path)
		codes := []string{path}
		for _, d := range c.Diagnostics {
			codes = append(codes, d.Code)
		}
		if c.OK() != (len(c.Diagnostics) == 0) {
			t.Errorf("%s: OK is %v", path, c.OK())
		}
		got = append(got, strings.Join(codes, " "))
	}
	want := []string{"a.yaml", "deep/b.yml unknown-action", "a.test.yaml syntax", "none read", ".hidden/empty read"}
	if !slices.Equal(got, want) {
		t.Errorf("checked %q, want %q", got, want)
	}
	empty := t.TempDir()
	if _, problem := Files(empty); problem == nil || problem.Code != "no-playbooks" {
		t.Errorf("a folder without playbooks: %v", problem)
	}
}

func TestWithoutConfigurationConnectionsAreNotChecked(t *testing.T) {
	t.Parallel()
	b := load(t, map[string]string{"a.yaml": "steps: [{uses: user.list, connection: nowhere}]\n"}, "a.yaml")
	env := testEnvironment(t)
	if p, _ := Compile(b, env); p != nil {
		t.Error("an unknown connection passes with a configuration")
	}
	env.Catalog = nil
	if p, problems := Compile(b, env); p == nil {
		t.Errorf("without a configuration:\n%s", yamldoc.Render(problems))
	}
}
