package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// TestACalledPlaybookStandsInTheFolder whatever name a call gives, and whatever
// stands under that name.
func TestACalledPlaybookStandsInTheFolder(t *testing.T) {
	t.Parallel()
	const called = "steps:\n  - set: { a: 1 }\n"
	tests := []struct {
		name string
		call string
		make func(t *testing.T, folder, outside string)
		want string // in the messages; "" for none
	}{
		{"a file of it", "other", func(t *testing.T, folder, _ string) {
			t.Helper()
			write(t, filepath.Join(folder, "other.yaml"), called)
		}, ""},
		{"a link within it", "other", func(t *testing.T, folder, _ string) {
			t.Helper()
			write(t, filepath.Join(folder, "real.yaml"), called)
			link(t, "real.yaml", filepath.Join(folder, "other.yaml"))
		}, ""},
		{"a relative link out of it", "other", func(t *testing.T, folder, _ string) {
			t.Helper()
			link(t, "../outside/other.yaml", filepath.Join(folder, "other.yaml"))
		}, "escapes"},
		{"an absolute link out of it", "other", func(t *testing.T, folder, outside string) {
			t.Helper()
			link(t, filepath.Join(outside, "other.yaml"), filepath.Join(folder, "other.yaml"))
		}, "escapes"},
		{"a path out of it", "../outside/other", func(*testing.T, string, string) {}, "cannot be the name"},
		{"an absolute path", "/etc/other", func(*testing.T, string, string) {}, "cannot be the name"},
		{"a path over a linked folder", "sub/other", func(t *testing.T, folder, outside string) {
			t.Helper()
			link(t, outside, filepath.Join(folder, "sub"))
		}, "cannot be the name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			folder, outside := filepath.Join(base, "playbooks"), filepath.Join(base, "outside")
			for _, d := range []string{folder, outside} {
				if err := os.Mkdir(d, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			write(t, filepath.Join(outside, "other.yaml"), called)
			write(t, filepath.Join(folder, "root.yaml"), "steps:\n  - call: "+tt.call+"\n")
			tt.make(t, folder, outside)
			bundle, problems := Load(OSFiles, filepath.Join(folder, "root.yaml"))
			if len(problems) == 0 {
				_, problems = Compile(bundle, testEnvironment(t))
			}
			got := yamldoc.Render(problems)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("the messages are %q", got)
			}
			if _, there := bundle.Sources[tt.call]; there != (tt.want == "") {
				t.Errorf("it was read: %v", there)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Skipf("there are no links here: %v", err)
	}
}
