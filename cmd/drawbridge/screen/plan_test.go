package screen_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func planned(id, name string, o engine.Outcome, f *engine.Failure) engine.PlannedChange {
	return engine.PlannedChange{
		Path: "contain[" + id + "]", Item: id, Action: "user.suspend", Connection: "1password", Fingerprint: "onepassword A",
		Target: engine.Target{ID: id, Name: name}, Arguments: "a1", Outcome: o, Error: f,
		Before: json.RawMessage(`{"state":"active"}`), After: json.RawMessage(`{"state":"suspended"}`),
	}
}

const hostile = "Eve <!channel> <https://evil.example|Approve> \x1b[31m`x` | *b* [a](//e) @oncall #1 www.evil.example\nALL\u202e CLEAR"

func hostilePlan() screen.Plan {
	why := planned("U1AAAAAAAAAAAAAAAAAAAAAAAA", "Mara Lindqvist", "", nil)
	why.Why = "guessed-then-in: failed 7 times from 203.0.113.9 within ten minutes, then signed in from the very same address; |" + hostile
	long := planned("U2AAAAAAAAAAAAAAAAAAAAAAAA", hostile, "", nil)
	long.For = "4h"
	long.After = json.RawMessage(`{"state":"suspended","groups":["security-oncall","administrators","everybody","finance"]}`)
	return screen.Plan{
		Record: engine.PlanRecord{
			ID: "plan_01", Playbook: "contain", Digest: "0123456789abcdef0123", Actor: engine.Actor{Name: "alice", Via: "cli"}, CreatedAt: began,
			Blocked: engine.Fail(engine.ClassRefused, engine.CodeMaxChanges, "2 targets would be changed and at most 1 may be"),
		},
		Set: engine.ChangeSet{
			Changes: []engine.PlannedChange{
				why, long,
				planned("U3", "Break Glass 1", engine.OutcomeRefused, engine.Fail(engine.ClassRefused, engine.CodeProtected, "%s", hostile)),
				planned("U4", "Zoë", engine.OutcomeUnchanged, nil),
			},
			Announcements: []engine.PlannedAnnouncement{
				{Path: "tell", Action: "message.send", Connection: "slack", Inputs: json.RawMessage(`{"text":{"$text":[{"s":"Suspended: "},{"s":"Eve\u001b[2J <!channel>","foreign":true}]}}`)},
				{Path: "after", Action: "message.send", Connection: "slack", Inputs: json.RawMessage(`null`), After: "contain"},
			},
			Approvals:   []engine.PlannedApproval{{Path: "review", Title: "Suspend 2 accounts?", By: []string{"group:security-oncall"}, Needs: 2}},
			Unforeseen:  []engine.Unforeseen{{Path: "clean-up", After: "contain", Changes: true}},
			Populations: []engine.Population{{Connection: "1password", Count: 1234}},
			Failure:     &engine.Failure{Class: engine.ClassPermanent, Code: "fail", Message: "no way", Step: "give-up"},
		},
		Advice: []string{"drawbridge apply plan_01"},
	}
}

func TestPlanAsATable(t *testing.T) {
	var got strings.Builder
	screen.WritePlan(&got, hostilePlan(), screen.Palette{})
	golden(t, "plan.txt", got.String())
	for line := range strings.Lines(got.String()) {
		if ansi.StringWidth(line) > 100 && !strings.Contains(line, "BLOCKED") {
			t.Errorf("a line leaves the 100 columns: %q", line)
		}
	}
	if strings.ContainsAny(got.String(), "\x1b\u202e") {
		t.Errorf("foreign text acts on the terminal: %q", got.String())
	}
}

// Nothing of what a name says may act in a pull request: no markup, no link,
// nobody mentioned, and every row has its six cells.
func TestPlanAsMarkdown(t *testing.T) {
	var got strings.Builder
	screen.WriteMarkdown(&got, hostilePlan())
	golden(t, "plan.md", got.String())
	for _, live := range []string{"<!", "<https", "://", "@oncall", "[a]", "*b*", "`x`", "www.", "\x1b", "\u202e"} {
		if strings.Contains(got.String(), live) {
			t.Errorf("%q is live in\n%s", live, got.String())
		}
	}
	for line := range strings.Lines(got.String()) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "suspended") && strings.Count(line, "|") != 7 {
			t.Errorf("a row with other cells than its header: %s", line)
		}
	}
}

func TestMarkdownIsInert(t *testing.T) {
	for text, want := range map[string]string{
		"first_seen":           "first_seen",
		"_a_ b_":               "&#95;a&#95; b&#95;",
		"a\\|b":                "a&#92;&#124;b",
		"- x":                  "&#45; x",
		"http://e.example":     "http&#58;&#8203;//e.example",
		"WWW.e.example":        "WWW&#46;&#8203;e.example",
		"a@b.example":          "a&#64;&#8203;b.example",
		"<script>&amp;":        "&#60;script&#62;&#38;amp;",
		"state: a → b, 10-12.": "state: a → b, 10-12.",
	} {
		if got := screen.Markdown(text, 0); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestTheNameIsShortenedAndNeverTheID(t *testing.T) {
	id := strings.Repeat("I", 36)
	c := planned(id, strings.Repeat("name ", 30), "", nil)
	c.Path = "contain"
	var got strings.Builder
	screen.ChangeSet(&got, engine.ChangeSet{Changes: []engine.PlannedChange{c}, Complete: true}, screen.Palette{})
	if !strings.Contains(got.String(), "name n") || !strings.Contains(got.String(), "… ("+id+")  user.suspend  1password") {
		t.Errorf("got\n%s", got.String())
	}
	if !strings.Contains(got.String(), "Complete: nothing else would be changed") {
		t.Errorf("it does not say that it is complete:\n%s", got.String())
	}
}

func TestPlanOfNothing(t *testing.T) {
	var got strings.Builder
	screen.ChangeSet(&got, engine.ChangeSet{Complete: true}, screen.Palette{})
	if want := "Changes: none\n\nComplete: nothing else would be changed\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestWhatARenewalChanged(t *testing.T) {
	same, gone, other, come := planned("U1", "Mara", "", nil), planned("U2", "Noor", "", nil), planned("U3", "Zoe", "", nil), planned("U4", "Kim", "", nil)
	refused := gone
	refused.Outcome, refused.Error = engine.OutcomeRefused, engine.Fail(engine.ClassRefused, engine.CodeProtected, "it is protected")
	altered := other
	altered.Before = json.RawMessage(`{"state":"invited"}`)
	renamed := same
	renamed.Target.Name = "somebody else"
	d := screen.Compare(engine.ChangeSet{Changes: []engine.PlannedChange{same, gone, other}}, engine.ChangeSet{Changes: []engine.PlannedChange{renamed, refused, altered, come}})
	var got strings.Builder
	screen.WriteDifference(&got, d, screen.Palette{})
	want := `  + added   Kim (U4)  user.suspend  state: active → suspended
  - removed Noor (U2)  user.suspend  state: active → suspended
  ~ altered Zoe (U3)  user.suspend  state: invited → suspended
            was: Zoe (U3)  user.suspend  state: active → suspended
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Reset()
	screen.WriteDifference(&got, screen.Difference{}, screen.Palette{})
	if !strings.Contains(got.String(), "the same changes") {
		t.Errorf("got %q", got.String())
	}
}
