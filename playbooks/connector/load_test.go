package connector_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// folder is one with the gate's file beside a secret place that is not in it.
func folder(t *testing.T) (dir, outside string) {
	t.Helper()
	data, err := os.ReadFile("testdata/gate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	dir, outside = filepath.Join(base, "connectors"), filepath.Join(base, "elsewhere")
	for _, d := range []string{dir, outside} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "gate.yaml"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, outside
}

func link(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Skipf("there are no links here: %v", err)
	}
}

func TestAFolderIsNotLeft(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, dir, outside string)
		want string // in the messages; "" for none
	}{
		{"a link within the folder", func(t *testing.T, dir, _ string) {
			t.Helper()
			if err := os.Mkdir(filepath.Join(dir, "..data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "gate.yaml"), filepath.Join(dir, "..data", "gate.yaml")); err != nil {
				t.Fatal(err)
			}
			link(t, "..data/gate.yaml", filepath.Join(dir, "gate.yaml"))
		}, ""},
		{"a relative link out of it", func(t *testing.T, dir, _ string) {
			t.Helper()
			link(t, "../elsewhere/gate.yaml", filepath.Join(dir, "other.yaml"))
		}, "not followed"},
		{"an absolute link out of it", func(t *testing.T, dir, outside string) {
			t.Helper()
			link(t, filepath.Join(outside, "gate.yaml"), filepath.Join(dir, "other.yaml"))
		}, "not followed"},
		{"a link over a linked folder", func(t *testing.T, dir, outside string) {
			t.Helper()
			link(t, outside, filepath.Join(dir, "sub"))
			link(t, "sub/gate.yaml", filepath.Join(dir, "other.yaml"))
		}, "not followed"},
		{"a link to nothing", func(t *testing.T, dir, _ string) {
			t.Helper()
			link(t, "missing.yaml", filepath.Join(dir, "other.yaml"))
		}, "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, outside := folder(t)
			tt.make(t, dir, outside)
			all, problems := connector.Load(dir)
			got := yamldoc.Render(problems)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("the messages are %q", got)
			}
			if len(all) != 1 || all[0].Name != "gate" {
				t.Errorf("it has %d connectors", len(all))
			}
		})
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	if _, problems := connector.Load(filepath.Join(t.TempDir(), "missing")); !yamldoc.HasErrors(problems) {
		t.Error("a folder that is not there has no connectors")
	}
	if _, problems := connector.Load(t.TempDir()); !yamldoc.HasErrors(problems) {
		t.Error("an empty folder is no mistake")
	}
}

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	dir, outside := folder(t)
	all, _ := connector.Load(dir)
	more, _ := connector.Load(outside)
	free := func(string) string { return "" }
	if problems := connector.Distinct(append(all, more...), free); len(problems) != 1 || !strings.Contains(problems[0].Message, "two files") {
		t.Errorf("the messages are %q", yamldoc.Render(problems))
	}
	taken := func(name string) string { return "it is the name of a provider" }
	if problems := connector.Distinct(all, taken); len(problems) != 1 {
		t.Errorf("the messages are %q", yamldoc.Render(problems))
	}
}
