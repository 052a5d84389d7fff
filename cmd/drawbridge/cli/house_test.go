package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/playbooks"
)

// housed is a house with a folder of playbooks.
func housed(t *testing.T, files map[string]string) (*house, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &house{conf: &config.Config{Playbooks: []string{dir}}}, dir
}

// A client may name the playbooks of the server's folders, and nothing else
// that stands there.
func TestWhatAServerOwnsArePlaybooks(t *testing.T) {
	h, dir := housed(t, nil)
	for name, want := range map[string]bool{
		"offboard.yaml": true, "team/sweep.yml": true,
		"secrets.env": false, "drawbridge.yaml": false, "drawbridge.db": false, ".hidden.yaml": false, "offboard.test.yaml": false, "../outside.yaml": false,
	} {
		if got := h.owns(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: it is %t", name, got)
		}
	}
}

func TestNobodySendsAPlaybookUnderTheNameOfAnother(t *testing.T) {
	const own, helper = "name: Offboard people\nsteps: [{call: helper}]\n", "steps: []\n"
	h, _ := housed(t, map[string]string{"offboard.yaml": own, "team/helper.yaml": helper, "other/helper.yaml": "# another one\n" + helper})
	for _, c := range []struct {
		what    string
		sent    map[string]string
		refused bool
	}{
		{"one with a name of its own", map[string]string{"mine": "name: mine\nsteps: []\n"}, false},
		{"the server's", map[string]string{"offboard": own, "helper": helper}, false},
		{"the server's in a file of another name", map[string]string{"mine": own, "helper": helper}, false},
		{"the name of a file", map[string]string{"offboard": helper}, true},
		{"the name that stands in a file", map[string]string{"mine": "name: Offboard people\nsteps: []\n"}, true},
		{"the same, as the policy reads it", map[string]string{"mine": "name: \"OFFBOARD\\u200b people \"\nsteps: []\n"}, true},
		{"another one to be called, that stands deeper", map[string]string{"offboard": own, "helper": "steps: [{uses: user.list}]\n"}, true},
		{"a broken one", map[string]string{"offboard": "{"}, true},
	} {
		b := playbooks.Bundle{Sources: map[string]playbooks.Source{}}
		for name, text := range c.sent {
			b.Sources[name] = playbooks.Source{Name: name, Path: name + ".yaml", Data: []byte(text)}
		}
		err := h.refuseImpostor(b)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "differs from the playbook") {
			t.Errorf("%s: got %v", c.what, err)
		}
	}
}
