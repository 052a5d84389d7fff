package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheSchedulesPageShowsWhatIsPrinted runs the commands of docs/schedules.md
// on its playbook. UPDATE_SCRIPTS=1 rewrites what they print.
func TestTheSchedulesPageShowsWhatIsPrinted(t *testing.T) {
	const page = "../../docs/schedules.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	playbook := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if playbook == nil {
		t.Fatal("the page shows no playbook")
	}
	if err := os.WriteFile(filepath.Join(dir, "nightly.yaml"), playbook[1], 0o600); err != nil {
		t.Fatal(err)
	}
	session := regexp.MustCompile("(?s)```\n\\$ (drawbridge [^\n]*)\n(.*?)```")
	if !session.Match(text) {
		t.Fatal("the page shows no command")
	}
	now := session.ReplaceAllStringFunc(string(text), func(block string) string {
		words := strings.Fields(session.FindStringSubmatch(block)[1])
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", words, err)
		}
		return "```\n$ " + strings.Join(words, " ") + "\n" + string(out) + "```"
	})
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(page, []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), now); diff != "" {
		t.Errorf("docs/schedules.md shows something else than is printed (-page +printed):\n%s", diff)
	}
}
