package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/store/memory"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// desk is an app whose output is kept, at noon.
func desk(t *testing.T) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	redactor := &secret.Redactor{}
	var out, errs bytes.Buffer
	a := &app{
		stdin: strings.NewReader(""), stdout: redactor.Writer(&out), stderr: redactor.Writer(&errs), redactor: redactor,
		now: func() time.Time { return noon }, log: slog.New(slog.DiscardHandler), output: "table",
	}
	return a, &out, &errs
}

func (a *app) flush(t *testing.T) {
	t.Helper()
	for _, w := range []*secret.Writer{a.stdout, a.stderr} {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

func lineOf(id, name string) engine.PlannedChange {
	return engine.PlannedChange{
		Path: "contain[" + id + "]", Item: id, Action: "user.suspend", Connection: "1password", Fingerprint: "onepassword A",
		Target: engine.Target{ID: id, Name: name}, Aliases: []string{strings.ToLower(name) + "@example.com"}, Arguments: "a",
		Before: json.RawMessage(`{"state":"active"}`), After: json.RawMessage(`{"state":"suspended"}`), Why: "guessed-then-in",
	}
}

func setOf(changes ...engine.PlannedChange) engine.ChangeSet {
	return engine.ChangeSet{Playbook: "p", Changes: changes, Complete: true}
}

// kept is a store in which run_01, of the playbook contain, has these values
// and approvals.
func kept(t *testing.T, b engine.Batch, sets map[engine.Reference]engine.ChangeSet) engine.Store {
	t.Helper()
	store := memory.New()
	t.Cleanup(func() { _ = store.Close() })
	b.Bundles = []engine.Bundle{{Hash: "p", Name: "contain", Data: []byte("{}")}}
	for ref, set := range sets {
		data, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		b.Values = append(b.Values, engine.StoredValue{Ref: ref, Data: data})
	}
	if err := store.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return store
}

func run(status engine.RunStatus) engine.RunRecord {
	ended := noon
	return engine.RunRecord{
		ID: "run_01", Playbook: "contain", Hash: "p", Status: status, Actor: engine.Actor{Name: "alice", Via: "cli"}, Starters: []string{"alice"},
		Attempt: 1, Semantics: 1, CreatedAt: noon.Add(-time.Hour), FinishedAt: &ended,
	}
}

func approval(id string, status engine.ApprovalStatus, votes ...engine.Vote) engine.Approval {
	until := noon.Add(3 * time.Hour)
	return engine.Approval{
		ID: id, Run: "run_01", Path: "review", Kind: engine.ApprovalStep, Title: "Suspend 2 accounts?", By: []string{"group:oncall"}, Needs: 1,
		Status: status, Round: 1, Set: "s1", Digest: strings.Repeat("0123456789abcdef", 4), Votes: votes, CreatedAt: noon.Add(-5 * time.Minute), ExpiresAt: &until,
	}
}

func TestPlansAndApprovalsAreFoundByTheirBeginning(t *testing.T) {
	plan := func(id string, at time.Time) engine.PlanRecord {
		return engine.PlanRecord{ID: id, Playbook: "contain", Hash: "p", Set: "s1", Actor: engine.Actor{Name: "alice"}, CreatedAt: at}
	}
	store := kept(t, engine.Batch{
		Runs:      []engine.RunRecord{run(engine.RunWaiting)},
		Plans:     []engine.PlanRecord{plan("plan_01abc", noon), plan("plan_01abd", noon.Add(time.Minute))},
		Approvals: []engine.Approval{approval("apr_01abc", engine.ApprovalApproved), approval("apr_01abd", engine.ApprovalPending)},
	}, map[engine.Reference]engine.ChangeSet{"s1": setOf()})
	for argument, want := range map[string]string{
		"plan_01abc": "plan_01abc", "01ABD": "plan_01abd", "PLAN_01abd": "plan_01abd", "last": "plan_01abd", "01": "", "plan_": "", "": "", "x": "",
	} {
		got, err := resolvePlan(t.Context(), store, argument)
		if got.ID != want || (err == nil) != (want != "") || err != nil && exitCode(err) != exitUsage {
			t.Errorf("plan %q: got %q, %v", argument, got.ID, err)
		}
	}
	for argument, want := range map[string]string{"apr_01abc": "apr_01abc", "01abd": "apr_01abd", "last": "apr_01abd", "01": "", "apr_": ""} {
		got, err := resolveApproval(t.Context(), store, argument)
		if got.ID != want || (err == nil) != (want != "") {
			t.Errorf("approval %q: got %q, %v", argument, got.ID, err)
		}
	}
}

// Where two are pending nobody must decide the wrong one by `last`.
func TestLastIsOnlyTheOnlyPendingApproval(t *testing.T) {
	for count, want := range []string{"no approval is pending", "", "2 approvals are pending: name one"} {
		b := engine.Batch{Runs: []engine.RunRecord{run(engine.RunWaiting)}}
		for i := range count {
			b.Approvals = append(b.Approvals, approval(fmt.Sprintf("apr_0%d", i), engine.ApprovalPending))
		}
		_, err := resolveApproval(t.Context(), kept(t, b, map[engine.Reference]engine.ChangeSet{"s1": setOf()}), "last")
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%d pending: %v, want %q", count, err, want)
		}
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	number := func(n int) string { return fmt.Sprintf("%05d", n) }
	fetched := 0
	all := every(func(after string) ([]int, error) {
		fetched++
		var page []int
		for n := range 2*pageSize + 5 {
			if number(n) > after && len(page) < pageSize {
				page = append(page, n)
			}
		}
		return page, nil
	}, number)
	count := 0
	for _, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 2*pageSize+5 || fetched != 3 {
		t.Errorf("got %d in %d pages", count, fetched)
	}
}

func TestExitCodesOfAPlan(t *testing.T) {
	blocked := engine.PlanRecord{Complete: true, Pending: 1, Blocked: engine.Fail(engine.ClassRefused, engine.CodeMaxChanges, "too many")}
	unread := engine.ChangeSet{Failure: engine.Fail(engine.ClassTransient, "http_503", "it is down")}
	protected := engine.ChangeSet{Failure: engine.Fail(engine.ClassRefused, engine.CodeProtected, "it is protected")}
	for _, c := range []struct {
		record         engine.PlanRecord
		set            engine.ChangeSet
		want, detailed int
	}{
		{engine.PlanRecord{Complete: true}, engine.ChangeSet{}, 0, 0},
		{engine.PlanRecord{Complete: true, Pending: 1}, engine.ChangeSet{}, 0, 2},
		{engine.PlanRecord{}, engine.ChangeSet{}, 0, 2},
		{blocked, engine.ChangeSet{}, 0, 4},
		{engine.PlanRecord{}, unread, 1, 1},
		{engine.PlanRecord{Complete: true}, protected, 0, 0},
	} {
		if got := exitCode(planExit(c.record, c.set, false)); got != c.want {
			t.Errorf("%+v: %d, want %d", c, got, c.want)
		}
		if got := exitCode(planExit(c.record, c.set, true)); got != c.detailed {
			t.Errorf("%+v, in detail: %d, want %d", c, got, c.detailed)
		}
	}
}

// Programs read the plan: what is empty is [] and never null, and the one
// object is all there is.
func TestPlanAsJSON(t *testing.T) {
	refused := lineOf("U2", "Noor")
	refused.Outcome, refused.Error = engine.OutcomeRefused, engine.Fail(engine.ClassRefused, engine.CodeProtected, "it is protected")
	doc := documentOfPlan(engine.PlanRecord{
		ID: "plan_01", Playbook: "contain", Digest: "d1", Actor: engine.Actor{Name: "alice", Via: "cli"}, Inputs: json.RawMessage(`{"window":"24h"}`),
		Complete: true, CreatedAt: noon,
	}, setOf(lineOf("U1", "Mara"), refused), 24*time.Hour)
	got, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "id": "plan_01",
  "playbook": "contain",
  "hash": "d1",
  "actor": {
    "name": "alice",
    "via": "cli"
  },
  "inputs": {
    "window": "24h"
  },
  "complete": true,
  "changes": [
    {
      "path": "contain[U1]",
      "item": "U1",
      "action": "user.suspend",
      "connection": "1password",
      "target": {
        "id": "U1",
        "name": "Mara"
      },
      "before": {
        "state": "active"
      },
      "after": {
        "state": "suspended"
      },
      "outcome": "",
      "why": "guessed-then-in",
      "error": null
    },
    {
      "path": "contain[U2]",
      "item": "U2",
      "action": "user.suspend",
      "connection": "1password",
      "target": {
        "id": "U2",
        "name": "Noor"
      },
      "before": {
        "state": "active"
      },
      "after": {
        "state": "suspended"
      },
      "outcome": "refused",
      "why": "guessed-then-in",
      "error": {
        "class": "refused",
        "code": "protected",
        "message": "it is protected",
        "step": ""
      }
    }
  ],
  "announcements": [],
  "approvals": [],
  "unforeseen": [],
  "populations": [],
  "error": null,
  "blocked": null,
  "created_at": "2026-01-31T12:00:00.000Z",
  "max_age": "24h"
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Runs end in many ways; each says what can be done about it, and whether
// anything was changed.
func TestAdvice(t *testing.T) {
	none := map[engine.Outcome]int{engine.OutcomeRefused: 40}
	some := map[engine.Outcome]int{engine.OutcomeDone: 1}
	no := engine.Vote{Person: "bob", Round: 1, Reason: "travelling"}
	failed := func(code string) engine.RunRecord {
		r := run(engine.RunBlocked)
		r.Error = engine.Fail(engine.ClassRefused, code, "too much")
		return r
	}
	for name, c := range map[string]struct {
		past past
		want []string
	}{
		"waiting": {past{run: run(engine.RunWaiting), approvals: []engine.Approval{approval("apr_01", engine.ApprovalPending)}}, []string{
			"it waits for an approval: Suspend 2 accounts? (apr_01)", "may decide: group:oncall: one person, until 2026-01-31T15:00:00Z", "drawbridge approvals show apr_01",
		}},
		"waiting for a time":     {past{run: run(engine.RunWaiting)}, []string{"drawbridge runs resume run_01"}},
		"denied":                 {past{run: run(engine.RunDenied), approvals: []engine.Approval{approval("apr_01", engine.ApprovalDenied, no)}}, []string{"bob denied apr_01: travelling", "zero changes were made"}},
		"nobody decided":         {past{run: run(engine.RunDenied), approvals: []engine.Approval{approval("apr_01", engine.ApprovalExpired)}}, []string{"nobody decided apr_01 in time"}},
		"blocked before":         {past{run: failed(engine.CodeMaxChanges), counts: none}, []string{"the guard stopped it: zero changes were made", "max_changes"}},
		"blocked on the way":     {past{run: failed(engine.CodeFrozen), counts: some}, []string{"what is listed as done stays done", "drawbridge thaw"}},
		"blocked by percentage":  {past{run: failed(engine.CodeMaxPercent)}, []string{"max_percent"}},
		"blocked by the budget":  {past{run: failed(engine.CodeBudget)}, []string{"budget"}},
		"blocked by the policy":  {past{run: failed(engine.CodePolicy)}, []string{"policy"}},
		"drifted":                {past{run: run(engine.RunDrifted), counts: some}, []string{"no longer what was planned", "drawbridge plan contain"}},
		"partial":                {past{run: run(engine.RunPartial)}, []string{"drawbridge runs resume --failed run_01"}},
		"failed with failures":   {past{run: run(engine.RunFailed), counts: map[engine.Outcome]int{engine.OutcomeFailed: 1}}, []string{"runs resume --failed run_01"}},
		"failed for other cause": {past{run: run(engine.RunFailed)}, []string{"runs show run_01"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _ := desk(t)
			got := strings.Join(a.advice(&c.past), "\n")
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, got)
				}
			}
			if !strings.HasSuffix(got, "look at it again: drawbridge runs show run_01") {
				t.Errorf("it does not end with how to look at it again:\n%s", got)
			}
		})
	}
}

// The ledger holds what was planned against what happened.
func TestTheLedgerComparesPlanAndDeed(t *testing.T) {
	r := run(engine.RunPartial)
	r.ChangeSet, r.Plan, r.RetryOf = "s1", "plan_01", "run_00"
	undo := run(engine.RunSucceeded)
	undo.ID, undo.UndoOf = "run_02", "run_01"
	left := lineOf("U4", "Kim")
	left.Outcome = engine.OutcomeRefused
	set := setOf(lineOf("U1", "Mara"), lineOf("U2", "Noor"), lineOf("U3", "Zoe"), left)
	step := func(id string, attempt int, o engine.Outcome, began, ended time.Time) engine.StepRecord {
		c := lineOf(id, "name of "+id)
		return engine.StepRecord{
			Run: "run_01", Path: c.Path, Attempt: attempt, Form: "uses", Action: c.Action, Effect: engine.Change, Connection: c.Connection, Status: engine.StepSucceeded,
			Outcome: o, Target: &c.Target, Before: c.Before, After: c.After, StartedAt: began, EndedAt: &ended,
		}
	}
	over := step("U2", 1, engine.OutcomeUnchanged, noon, noon)
	over.Of = "run_00"
	voted := approval("apr_01", engine.ApprovalApproved, engine.Vote{Person: "carol", Approve: true, Round: 1}, engine.Vote{Person: "bob", Approve: true, Round: 1}, engine.Vote{Person: "dave", Approve: true, Round: 0})
	voted.Excluded = []string{"contain[U2]"}
	first := step("U1", 1, engine.OutcomeFailed, noon, noon.Add(time.Second))
	first.Status = engine.StepWaiting
	store := kept(t, engine.Batch{
		Runs: []engine.RunRecord{r, undo}, Approvals: []engine.Approval{voted},
		Steps: []engine.StepRecord{first, step("U1", 2, engine.OutcomeDone, noon.Add(2*time.Second), noon.Add(3*time.Second)), over},
	}, map[engine.Reference]engine.ChangeSet{"s1": set})
	past, err := remember(t.Context(), store, r, true)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	report := past.report(nil)
	report.Detailed = true
	screen.Kin(&got, r, past.undoneBy)
	screen.Summary(&got, report, screen.Palette{})
	want := `plan plan_01
retry of run_00
undone by run_02

Changes: 1 done, 1 unchanged
  done      name of U1 (U1)  state: active → suspended  user.suspend
            as planned; took 3.0s; 2 attempts; approved by bob, carol
  unchanged name of U2 (U2)  user.suspend
            planned: state: active → suspended; done by run_00; took 0ms

Planned, and not done: 1
  Zoe (U3)  user.suspend  state: active → suspended

contain: partial in 1h  run_01
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	doc := past.document(true)
	c := doc.Changes[0]
	if c.Attempts != 2 || c.DurationMS == nil || *c.DurationMS != 3000 || c.Planned == nil || cmp.Diff([]string{"bob", "carol"}, c.ApprovedBy) != "" {
		t.Errorf("as JSON it is %+v", c)
	}
	if len(doc.NotDone) != 1 || doc.NotDone[0].Target.ID != "U3" || cmp.Diff([]string{"run_02"}, doc.UndoneBy) != "" || doc.Changes[1].Of != "run_00" {
		t.Errorf("as JSON it is %+v", doc)
	}
}

func TestWhoFrozeCannotThaw(t *testing.T) {
	me := actor()
	conf := &config.Config{People: []engine.Person{{Name: "me", OSUser: me.Name, Email: "me@example.com"}}}
	for by, want := range map[string]bool{me.Name: false, strings.ToUpper(me.Name): false, "me@example.com": false, "somebody-else": true} {
		freeze := engine.Freeze{ID: "frz_01", Reason: "x", By: engine.Actor{Name: by, Via: "cli"}, At: noon.Add(-time.Hour)}
		store := kept(t, engine.Batch{Freezes: []engine.Freeze{freeze}}, nil)
		a, _, _ := desk(t)
		f, err := a.recordThaw(t.Context(), conf, store, "checked")
		if (err == nil) != want {
			t.Errorf("frozen by %q: %v", by, err)
		}
		if want && (f.ThawedAt == nil || f.ThawedBy.Name != me.Name || f.ThawReason != "checked") {
			t.Errorf("got %+v", f)
		}
		if _, err := store.Frozen(t.Context()); (err != nil) != want {
			t.Errorf("frozen by %q: it holds: %v", by, err)
		}
	}
}
