package enginetest

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// files are playbooks, each with what carrying it out comes to: one for every
// form of step. A case is a file: playbooks (`main.yaml` is the one that is
// run), `inputs` as JSON, `faults` (calls that fail for good), and what is
// wanted: `status`, `outputs`, and what was done in the `world`.
//
//go:embed forms/*.txtar
var files embed.FS

// form is one of the files.
type form struct {
	name     string
	playbook string // all of its playbooks
	inputs   map[string]any
	faults   []string
	status   engine.RunStatus
	outputs  string // "" when it does not matter
	world    []string
	anyOrder bool // of world
}

// forms reads the files.
func forms(t *testing.T) []form {
	t.Helper()
	names, err := fs.Glob(files, "forms/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no forms: %v", err)
	}
	all := make([]form, len(names))
	for i, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = parseForm(t, strings.TrimSuffix(path.Base(name), ".txtar"), data)
	}
	return all
}

func parseForm(t *testing.T, name string, data []byte) form {
	t.Helper()
	f := form{name: name}
	playbooks := &txtar.Archive{}
	for _, part := range txtar.Parse(data).Files {
		text := strings.TrimSpace(string(part.Data))
		switch part.Name {
		case "inputs":
			f.inputs = parseInputs(t, part.Data)
		case "faults":
			f.faults = lines(text)
		case "status":
			f.status = engine.RunStatus(text)
		case "outputs":
			f.outputs = text
		case "world":
			text, f.anyOrder = strings.CutPrefix(text, "in any order\n")
			f.world = lines(text)
		default:
			playbooks.Files = append(playbooks.Files, part)
		}
	}
	f.playbook = string(txtar.Format(playbooks))
	return f
}

func parseInputs(t *testing.T, data []byte) map[string]any {
	t.Helper()
	v, err := engine.DecodeJSON(data, engine.DictOf(engine.TypeAny()))
	inputs, ok := v.(map[string]any)
	if err != nil || !ok {
		t.Fatalf("reading the inputs: %v", err)
	}
	return inputs
}

func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
}

func testForms(t *testing.T, r Runtime) {
	for _, f := range forms(t) {
		play(t, r, f.name, func(s *scene) {
			for _, call := range f.faults {
				s.world.Script(call, Fault{Err: engine.Fail(engine.ClassPermanent, "broken", "it is broken")})
			}
			record := s.run(f.playbook, f.inputs)
			s.want(record, f.status)
			s.wantForm(f)
			if f.outputs != "" {
				s.wantOutputs(record, f.outputs)
			}
			if again := s.drive(s.process(&Life{}), record.ID); again.Status != f.status {
				s.Errorf("carried out again it is %s", again.Status)
			}
			s.wantForm(f)
		})
	}
}

func (s *scene) wantForm(f form) {
	s.Helper()
	done := s.world.Done()
	if f.anyOrder {
		done = sorted(done)
	}
	if !equal(done, f.world) {
		s.Errorf("in the world was done %q, not %q", done, f.world)
	}
}

// split reads several playbooks in one text, by name. A text that is no txtar
// archive is one playbook, "main".
func split(text string) map[string]string {
	archive := txtar.Parse([]byte(text))
	if len(archive.Files) == 0 {
		return map[string]string{"main": text}
	}
	files := make(map[string]string, len(archive.Files))
	for _, f := range archive.Files {
		files[strings.TrimSuffix(f.Name, ".yaml")] = string(f.Data)
	}
	return files
}

func filesOf(b engine.Bundle) map[string]string { return split(string(b.Data)) }

// sorted is a copy in order, for what happens at the same time.
func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
