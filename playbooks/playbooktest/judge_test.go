package playbooktest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// expecting is a test of testdata/playbook.yaml with these expectations.
func expecting(t *testing.T, expect string) *playbooktest.Case {
	t.Helper()
	suite, problems := playbooktest.Parse("x.test.yaml", []byte("tests:\n- name: it holds\n  expect: "+expect+"\n"))
	if suite != nil {
		problems = append(problems, suite.Bind(subject(t))...)
	}
	if len(problems) > 0 {
		t.Fatalf("\n%s", yamldoc.Render(problems))
	}
	return suite.Cases[0]
}

// whatHappened is a run that suspended Ann at the second attempt, was refused
// Ben, and told one person.
func whatHappened() playbooktest.Happened {
	change := func(id string, attempt int, status engine.StepStatus, outcome engine.Outcome) engine.StepRecord {
		return engine.StepRecord{
			Path: "contain[" + id + "]/suspend", Attempt: attempt, Form: "uses", Action: "user.suspend", Effect: engine.Change,
			Status: status, Outcome: outcome, Target: &engine.Target{ID: id, Name: "Name of " + id},
		}
	}
	refused := &engine.Failure{Class: engine.ClassRefused, Code: "protected", Message: "B is protected"}
	return playbooktest.Happened{
		Run: engine.RunRecord{Status: engine.RunPartial, Outputs: json.RawMessage(`{"many":2}`)},
		Steps: []engine.StepRecord{
			{Path: "all", Form: "uses", Effect: engine.Observe, Status: engine.StepSucceeded},
			{Path: "review", Form: "approve", Status: engine.StepSkipped},
			{Path: "contain", Form: "foreach", Status: engine.StepPartial},
			change("A", 1, engine.StepFailed, ""),
			change("B", 1, engine.StepRefused, engine.OutcomeRefused),
			change("A", 2, engine.StepSucceeded, engine.OutcomeDone),
		},
		Items: []engine.ItemRecord{
			{Path: "contain", Key: "A", Label: "ann@example.com", Outcome: engine.OutcomeDone},
			{Path: "contain", Key: "B", Label: "ben@example.com", Outcome: engine.OutcomeRefused, Error: refused},
		},
		Grants:   []engine.Grant{{Action: "user.suspend", Target: engine.Target{ID: "A", Name: "Name of A"}, State: engine.GrantAsking}},
		Messages: []string{"Suspended: ann@example.com"},
		Aliases:  map[string]string{"A": "ann@example.com", "B": "ben@example.com"},
		PlanErr:  errors.New("not today"),
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		expect string
		want   []string // what is said, each somewhere in its line; none where all holds
	}{
		"status":             {expect: "{ status: partial }"},
		"another status":     {expect: "{ status: succeeded }", want: []string{"3:21: error: status: expected succeeded, got partial"}},
		"an error":           {expect: "{ error: x }", want: []string{`3:20: error: error: expected "x" in it, got nothing`}},
		"changes by id":      {expect: "{ changes: [{ target: A }, { target: B, outcome: refused }] }"},
		"changes by address": {expect: "{ changes: [{ target: ben@example.com, outcome: refused }, { target: ANN@example.com, action: user.suspend }] }"},
		"changes by name":    {expect: "{ changes: [{ target: Name of A }, { target: Name of B, outcome: refused }] }"},
		"one change is missing": {expect: "{ changes: [{ target: A }, { target: B, outcome: refused }, { target: C }] }",
			want: []string{"expected a change of C, got none"}},
		"one change too many": {expect: "{ changes: [{ target: A }] }",
			want: []string{"3:22: error: a change was not expected: user.suspend of ben@example.com: refused"}},
		"another action": {expect: "{ changes: [{ target: A, action: user.reactivate }, { target: B, outcome: refused }] }",
			want: []string{"a change was not expected: user.suspend of ann", "expected a change of A, got none"}},
		"another outcome": {expect: "{ changes: [{ target: A }, { target: B }] }",
			want: []string{"change of B: expected done, got refused"}},
		"a change expected twice": {expect: "{ changes: [{ target: A }, { target: A }, { target: B, outcome: refused }] }",
			want: []string{"expected a change of A, got none"}},
		"no changes":            {expect: "{ changes: [] }", want: []string{"of ann@example.com: done", "of ben@example.com: refused"}},
		"how many were made":    {expect: "{ changes: { count: 1 } }"},
		"another number":        {expect: "{ changes: { count: 2 } }", want: []string{"changes: expected 2, got 1; there are user.suspend of ann@example.com: done, user.suspend of ben"}},
		"a grant":               {expect: "{ grants: [{ target: ann@example.com, action: user.suspend, state: asking }] }"},
		"a grant that lives on": {expect: "{ grants: [{ target: A }] }", want: []string{"grant of A: expected active, got asking"}},
		"no grants":             {expect: "{ grants: [] }", want: []string{"a grant was not expected: user.suspend of ann@example.com: asking"}},
		"a plan there is none":  {expect: "{ plan: [] }", want: []string{"plan: there is none: not today"}},
		"messages":              {expect: "{ messages: { count: 1, contains: [ann, Suspended], lacks: [ben] } }"},
		"other messages": {expect: "{ messages: { count: 2, contains: [ben], lacks: [ann] } }",
			want: []string{"messages: expected 2, got 1", `expected "ben" in one of them`, `expected "ann" in none of them`}},
		"items by key and label": {expect: "{ items: { contain: { A: done, ben@example.com: refused } } }"},
		"another item": {expect: "{ items: { contain: { A: failed, C: done } } }",
			want: []string{"an item was not expected: ben@example.com (B): refused", "expected failed for A, got done", "expected the item C, got none"}},
		"the path":             {expect: "{ path: { ran: [all, contain, suspend], not_ran: [review] } }"},
		"the path of one item": {expect: `{ path: { ran: ["contain[A]/suspend"], not_ran: ["contain[C]/suspend"] } }`},
		"another path": {expect: "{ path: { ran: [contain, all, review], not_ran: [suspend] } }",
			want: []string{"all runs after those named before it", "expected that review runs, and it did not", "expected that suspend does not run"}},
		"outputs":        {expect: "{ outputs: { many: 2 } }"},
		"another output": {expect: "{ outputs: { many: 3 } }", want: []string{"outputs: expected 3 of many, got 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := expecting(t, c.expect).Judge(whatHappened())
			if len(found) != len(c.want) {
				t.Fatalf("%d things do not hold:\n%s", len(found), yamldoc.Render(found))
			}
			for i, d := range found {
				if !strings.Contains(d.Headline(), c.want[i]) {
					t.Errorf("it says %s, not %s", d.Headline(), c.want[i])
				}
			}
		})
	}
}

func TestJudgeARunThatCouldNotBeStarted(t *testing.T) {
	refused := playbooktest.Happened{Error: engine.Fail(engine.ClassInvalid, "inputs", "window must be at least 1h")}
	for expect, holds := range map[string]bool{
		"{ error: at least 1h }":              true,
		"{ changes: [] }":                     false,
		"{ status: failed }":                  false,
		"{ status: failed, error: at least }": false,
	} {
		if found := expecting(t, expect).Judge(refused); (len(found) == 0) != holds {
			t.Errorf("%s:\n%s", expect, yamldoc.Render(found))
		}
	}
}

func TestJudgeThePlan(t *testing.T) {
	h := whatHappened()
	h.Plan = &engine.ChangeSet{Changes: []engine.PlannedChange{
		{Action: "user.suspend", Target: engine.Target{ID: "A"}},
		{Action: "user.suspend", Target: engine.Target{ID: "B"}, Outcome: engine.OutcomeRefused},
		{Action: "user.suspend", Target: engine.Target{ID: "C"}, Aliases: []string{"cleo@example.com"}, Outcome: engine.OutcomeUnchanged},
	}}
	for expect, holds := range map[string]bool{
		"{ plan: { count: 1 } }": true,
		"{ plan: { count: 3 } }": false,
		"{ plan: [{ target: A }, { target: B, outcome: refused }, { target: cleo@example.com, outcome: unchanged }] }": true,
		"{ plan: [{ target: A }, { target: B }, { target: C, outcome: unchanged }] }":                                  false,
		"{ plan: [{ target: A }] }": false,
	} {
		if found := expecting(t, expect).Judge(h); (len(found) == 0) != holds {
			t.Errorf("%s:\n%s", expect, yamldoc.Render(found))
		}
	}
}
