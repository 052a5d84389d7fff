package screen_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

var began = time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)

func suspend(id, name, label string, o engine.Outcome, f *engine.Failure) screen.Change {
	return screen.Change{
		Label: label,
		StepRecord: engine.StepRecord{
			Path: "contain[" + id + "]", Action: "user.suspend", Outcome: o, Error: f,
			Target: &engine.Target{ID: id, Name: name},
			Before: json.RawMessage(`{"state":"active"}`), After: json.RawMessage(`{"state":"suspended"}`),
		},
	}
}

// A change whose target could not even be read did not happen: nothing about it
// is unsettled.
func TestOutcomeOfAChange(t *testing.T) {
	for status, want := range map[engine.StepStatus]engine.Outcome{
		engine.StepStarted:   engine.OutcomeUnsettled,
		engine.StepUnsettled: engine.OutcomeUnsettled,
		engine.StepFailed:    engine.OutcomeFailed,
		engine.StepWaiting:   engine.OutcomeFailed,
		engine.StepRefused:   engine.OutcomeRefused,
		engine.StepCancelled: engine.OutcomeSkipped,
	} {
		c := screen.Change{StepRecord: engine.StepRecord{Status: status}}
		if got := c.Outcome(); got != want {
			t.Errorf("%s without an outcome is %s, want %s", status, got, want)
		}
	}
	c := screen.Change{StepRecord: engine.StepRecord{Status: engine.StepFailed, Outcome: engine.OutcomeDone}}
	if got := c.Outcome(); got != engine.OutcomeDone {
		t.Errorf("a recorded outcome is given as %s", got)
	}
}

// While a run is carried out, a change without a result is no reason to worry.
func TestChangeUnderWay(t *testing.T) {
	c := suspend("U1", "Mara", "", "", nil)
	c.Status, c.UnderWay = engine.StepStarted, true
	var got strings.Builder
	screen.Summary(&got, screen.Report{
		Run:     engine.RunRecord{ID: "run_01", Playbook: "contain", Status: engine.RunRunning},
		Changes: []screen.Change{c}, Counts: map[engine.Outcome]int{c.Shown(): 1},
	}, screen.NewPalette(false))
	want := `Changes: 1 under way
  under way Mara (U1)  state: active → suspended  user.suspend

contain: running  run_01
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Outcome() != engine.OutcomeUnsettled {
		t.Errorf("as JSON it is %s", c.Outcome())
	}
}

func TestSummary(t *testing.T) {
	ended := began.Add(1500 * time.Millisecond)
	mara := suspend("U1", "Mara", "mara@example.com", engine.OutcomeDone, nil)
	mara.Why = "guessed-then-in: failed 7\x1b[2J"
	r := screen.Report{
		Run: engine.RunRecord{
			ID: "run_01", Playbook: "contain", Status: engine.RunPartial, CreatedAt: began, FinishedAt: &ended,
			Outputs: json.RawMessage(`{"suspended":["U1"],"n":1}`),
		},
		Changes: []screen.Change{
			mara,
			suspend("U2", "Eve\n\x1b[31mALL CLEAR", "", engine.OutcomeRefused, engine.Fail(engine.ClassRefused, "protected", "it is protected")),
			suspend("U3", "", "zoe@example.com", "", nil),
			{StepRecord: engine.StepRecord{Path: "contain[U4]", Action: "user.suspend", Outcome: engine.OutcomeFailed}},
		},
		Counts: map[engine.Outcome]int{engine.OutcomeDone: 41, engine.OutcomeRefused: 1, engine.OutcomeUnsettled: 1, engine.OutcomeFailed: 1},
		Loops: []screen.Loop{{
			Path: "contain", Counts: map[engine.Outcome]int{engine.OutcomeDone: 41, engine.OutcomeFailed: 3}, Hidden: 1,
			Trouble: []engine.ItemRecord{
				{Path: "contain", Key: "U2", Label: "eve@example.com", Outcome: engine.OutcomeRefused, Error: engine.Fail(engine.ClassRefused, "protected", "it is protected")},
				{Path: "contain", Key: "U9", Label: "kim@example.com", Outcome: engine.OutcomeFailed, Error: engine.Fail(engine.ClassNotFound, "user", "nobody\u202e is there")},
			},
		}},
		Advice: []string{"look at it again"},
	}
	want := `Changes: 41 done, 1 refused, 1 failed, 1 unsettled
  done      mara@example.com Mara (U1)  state: active → suspended  user.suspend
            why: guessed-then-in: failed 7
  refused   Eve ALL CLEAR (U2)  user.suspend
            it is protected [refused/protected]
  unsettled zoe@example.com (U3)  state: active → suspended  user.suspend
  failed    contain[U4]  user.suspend
  … and 40 more; --output json has them all

contain: 41 done, 3 failed
  failed    kim@example.com (U9): nobody is there [not_found/user]
  … and 1 more

Outputs
  n: 1
  suspended: ["U1"]

contain: partial in 1.5s  run_01
look at it again
`
	var got strings.Builder
	screen.Summary(&got, r, screen.NewPalette(false))
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSummaryOfARunThatDidNothing(t *testing.T) {
	var got strings.Builder
	screen.Summary(&got, screen.Report{Run: engine.RunRecord{
		ID: "run_01", Playbook: "contain", Status: engine.RunFailed,
		Error: &engine.Failure{Class: engine.ClassPermanent, Code: "fail", Message: "no\nway", Step: "give-up"},
	}}, screen.NewPalette(false))
	if want := "contain: failed  run_01\ngive-up: no way [permanent/fail]\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestColoursOnlyWhereWanted(t *testing.T) {
	var plain, colourful strings.Builder
	r := screen.Report{Run: engine.RunRecord{Playbook: "contain", Status: engine.RunSucceeded}}
	screen.Summary(&plain, r, screen.Palette{})
	screen.Summary(&colourful, r, screen.NewPalette(true))
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colourful.String(), "\x1b[32msucceeded") {
		t.Errorf("plain %q, colourful %q", plain.String(), colourful.String())
	}
}

func TestDelta(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{`{"state":"active"}`, `{"state":"suspended"}`, "state: active → suspended"},
		{`{"a":1,"b":"x"}`, `{"a":1,"b":null}`, "b: x → nothing"},
		{`{"list":[1]}`, `{"list":[1,2]}`, "list: [1] → [1,2]"},
		{`{"n":"\u001b[2Jx"}`, `{"n":"y"}`, "n: x → y"},
		{``, `{"state":"suspended"}`, ""},
	} {
		if got := screen.Delta(json.RawMessage(c.before), json.RawMessage(c.after)); got != c.want {
			t.Errorf("Delta(%s, %s) = %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

func TestHeaderAndSteps(t *testing.T) {
	ended := began.Add(40 * time.Millisecond)
	var got strings.Builder
	run := engine.RunRecord{
		ID: "run_01", Playbook: "contain", Status: engine.RunInterrupted, CreatedAt: began,
		Actor: engine.Actor{Name: "alice", Via: "cli"}, Inputs: json.RawMessage(`{"window":"24h"}`),
	}
	screen.Header(&got, run, began.Add(90*time.Minute), screen.NewPalette(false))
	screen.Steps(&got, []engine.StepRecord{
		{Path: "find", Action: "user.list", Status: engine.StepSucceeded, StartedAt: began, EndedAt: &ended},
		{Path: "both", Form: "parallel", Status: engine.StepStarted, StartedAt: began},
		{Path: "both/left", Action: "user.get", Attempt: 3, Status: engine.StepFailed, StartedAt: began, EndedAt: &ended, Error: engine.Fail(engine.ClassTimeout, "t", "too slow")},
		{Path: "skip", Status: engine.StepSkipped, StartedAt: began, EndedAt: &ended},
	}, screen.NewPalette(false))
	want := `run_01  contain  interrupted
started 2026-01-31T03:00:00Z (1h30m ago) by alice via cli
inputs {"window":"24h"}

✓ find (user.list)  succeeded  40ms
• both  started
  ✗ both/left (user.get)  failed  40ms  attempt 3: too slow
– skip  skipped

`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPathsOfItems(t *testing.T) {
	path := screen.ItemPath(engine.ItemRecord{Path: "contain", Key: "a/b[c]%\nü"})
	if path != "contain[a%2Fb%5Bc%5D%25%0Aü]" {
		t.Errorf("got %q", path)
	}
	for inside, want := range map[string]bool{path: true, path + "/suspend": true, path + "x": false, "contain": false} {
		if got := screen.Within(inside, path); got != want {
			t.Errorf("Within(%q) = %v", inside, got)
		}
	}
}
