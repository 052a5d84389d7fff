package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const day = 24 * time.Hour

// ended is a run that ended so long before noon, having taken no time.
func ended(id string, before time.Duration) engine.RunRecord {
	r := plainRun(id)
	r.Status, r.CreatedAt = engine.RunSucceeded, noon().Add(-before)
	r.FinishedAt = pointer(r.CreatedAt)
	return r
}

// withEnded writes runs that have ended, the first one longest ago.
func withEnded(t *testing.T, s engine.Store, n int) {
	t.Helper()
	withRuns(t, s)
	for i := range n {
		commit(t, s, engine.Batch{Runs: []engine.RunRecord{ended(fmt.Sprintf("run_%d", i), time.Duration(n-i)*day)}})
	}
}

func prune(t *testing.T, s engine.Store, r engine.Retention) engine.Pruned {
	t.Helper()
	r.Now, r.Actor = noon(), engine.Actor{Name: "alice", Via: "cli"}
	return must[engine.Pruned](t)(s.Prune(t.Context(), r))
}

func gone(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%s: got the error %v, want %v", what, err, engine.ErrNotFound)
	}
}

func prunesByAge(t *testing.T, s engine.Store) {
	withEnded(t, s, 5)
	late := ended("run_late", 9*day)
	late.FinishedAt = pointer(noon())
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{late}})
	if p := prune(t, s, engine.Retention{Runs: 3 * day}); p.Runs != 2 || p.First != "run_0" {
		t.Errorf("got %+v", p)
	}
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_4", "run_3", "run_2", "run_late"})
}

func prunesByCount(t *testing.T, s engine.Store) {
	withEnded(t, s, 5)
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{plainRun("run_open")}})
	prune(t, s, engine.Retention{Keep: 2})
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_open", "run_4", "run_3"})
}

// prunesDeliveries: one that is forgotten may come again, and no other.
func prunesDeliveries(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	delivered := func(id string, before time.Duration) engine.Batch {
		return engine.Batch{Deliveries: []engine.Delivery{{Hook: "alert", ID: id, Run: "run_1", At: noon().Add(-before)}}}
	}
	for i := range 450 {
		commit(t, s, delivered(fmt.Sprintf("old_%d", i), 4*day))
	}
	commit(t, s, delivered("new", 2*day))
	prune(t, s, engine.Retention{Keep: 1})
	refused(t, s, delivered("old_0", 0), engine.ErrDuplicate)
	prune(t, s, engine.Retention{Deliveries: 3 * day})
	refused(t, s, delivered("new", 0), engine.ErrDuplicate)
	for _, id := range []string{"old_0", "old_449"} {
		commit(t, s, delivered(id, 0))
	}
}

func prunesNothing(t *testing.T, s engine.Store) {
	withEnded(t, s, 3)
	if p := prune(t, s, engine.Retention{}); p.Runs != 0 || p.Over {
		t.Errorf("without a limit: got %+v", p)
	}
	if p := prune(t, s, engine.Retention{Runs: day / 2, DryRun: true}); p.Runs != 3 {
		t.Errorf("a dry run: got %+v", p)
	}
	if got := runIDs(t, s, engine.RunQuery{}); len(got) != 3 {
		t.Errorf("left: %v", got)
	}
	if got := trail(t, s); len(got) != 0 {
		t.Errorf("the trail tells of %+v", got)
	}
}

// prunesBySize: where even one byte is too much, everything goes that may.
func prunesBySize(t *testing.T, s engine.Store) {
	withEnded(t, s, 3)
	open := plainRun("run_open")
	open.Inputs = []byte(`{"n":12345678901234567890}`)
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{open}})
	if p := prune(t, s, engine.Retention{Bytes: 1}); p.Runs != 3 || !p.Over {
		t.Errorf("got %+v", p)
	}
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_open"})
}

// prunesWhatIsOfARun: with a run goes everything of it, and nothing of others.
func prunesWhatIsOfARun(t *testing.T, s engine.Store) {
	withEnded(t, s, 2)
	both := engine.Batch{}
	for _, id := range []string{"run_0", "run_1"} {
		both.Events = append(both.Events, journal(id, 1, 3)...)
		both.Steps = append(both.Steps, fullStep(id, "contain"))
		both.Items = append(both.Items, item(id, 0), item(id, 1))
		both.Answers = append(both.Answers, answer(id, "list", ""))
		both.Approvals = append(both.Approvals, fullApproval("apr_"+id, id))
		both.Snapshots = append(both.Snapshots, engine.Snapshot{Run: id, Seq: 2, Semantics: 1})
	}
	commit(t, s, both)
	prune(t, s, engine.Retention{Keep: 1})
	for what, ask := range map[string]func(id string) (any, error){
		"run":      func(id string) (any, error) { return s.Run(t.Context(), id) },
		"journal":  func(id string) (any, error) { return s.Events(t.Context(), id, 0) },
		"snapshot": func(id string) (any, error) { return s.Snapshot(t.Context(), id) },
		"steps":    func(id string) (any, error) { return s.Steps(t.Context(), engine.StepQuery{Run: id}) },
		"answers":  func(id string) (any, error) { return s.Answers(t.Context(), id) },
		"approval": func(id string) (any, error) { return s.Approval(t.Context(), "apr_"+id) },
	} {
		_, err := ask("run_0")
		gone(t, "the "+what+" of the run that went", err)
		if _, err := ask("run_1"); err != nil {
			t.Errorf("the %s of the run that stays: %v", what, err)
		}
	}
	again := ended("run_0", day) // nothing of the old one is its own
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{again}, Events: journal("run_0", 1, 1)})
	same(t, "its steps", stepPaths(t, s, engine.StepQuery{Run: "run_0"}), []string(nil))
	same(t, "its items", indexes(t, s, engine.ItemQuery{Run: "run_0", Path: "contain"}), []int(nil))
	same(t, "its answers", questions(t, s, "run_0"), []string(nil))
}

// prunesNeverWhatIsNeeded: whatever the limits say.
func prunesNeverWhatIsNeeded(t *testing.T, s engine.Store) {
	withEnded(t, s, 8)
	undo, retry := ended("run_undo", 0), plainRun("run_retry")
	undo.UndoOf, retry.RetryOf = "run_1", "run_2"
	undo.FinishedAt, undo.Status = nil, engine.RunWaiting
	open := plainRun("run_open")
	open.CreatedAt = noon().Add(-99 * day)
	recent, old := change("run_3", "a", "U1"), change("run_4", "a", "U1")
	recent.StartedAt, old.StartedAt = noon().Add(-day), noon().Add(-day-time.Microsecond)
	pending := plainApproval("apr_1", "run_5")
	pending.Set = "s1"
	asks, lifts, over := plainGrant("gnt_asks", "run_6"), plainGrant("gnt_lifts", "run_7"), plainGrant("gnt_over", "run_0")
	asks.AtEnd, lifts.AtEnd, over.AtEnd, over.State = "ask", "lift", "ask", engine.GrantKept
	commit(t, s, engine.Batch{
		Values: []engine.StoredValue{{Ref: "s1", Data: []byte("asked")}}, Runs: []engine.RunRecord{undo, retry, open},
		Steps: []engine.StepRecord{recent, old}, Approvals: []engine.Approval{pending}, Freezes: []engine.Freeze{freeze("frz_1")},
		Grants: []engine.Grant{asks, lifts, over}, Audit: []engine.AuditEntry{entry("a")},
	})
	prune(t, s, engine.Retention{Runs: time.Hour, Keep: 1, Bytes: 1, Plans: time.Hour, KeepChanges: day})
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}),
		[]string{"run_undo", "run_retry", "run_6", "run_5", "run_3", "run_2", "run_1", "run_open"})
	spent(t, s, "op", noon().Add(-day), 1)
	if f := must[engine.Freeze](t)(s.Frozen(t.Context())); f.ID != "frz_1" {
		t.Errorf("the freeze: %+v", f)
	}
	must[[]byte](t)(s.Value(t.Context(), "s1"))
	same(t, "the grants", len(grantIDs(t, s, engine.GrantQuery{})), 3)
	lifts.State = engine.GrantEnded
	commit(t, s, engine.Batch{Grants: []engine.Grant{lifts}}) // it outlives its run
	if got := trail(t, s); got[0].Object != "a" || got[len(got)-1].Verb != engine.AuditPruned {
		t.Errorf("got the trail %+v", got)
	}
}

// prunesChains: where a run goes, the one goes too that only it has kept.
func prunesChains(t *testing.T, s engine.Store) {
	withEnded(t, s, 1)
	second, third := ended("run_second", day/2), ended("run_third", day/3)
	second.RetryOf, third.UndoOf = "run_0", "run_second"
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{second, third}})
	if p := prune(t, s, engine.Retention{Runs: time.Hour}); p.Runs != 3 {
		t.Errorf("got %+v", p)
	}
}

func prunesPlans(t *testing.T, s engine.Store) {
	applied, old, fresh := plainPlan("plan_applied"), plainPlan("plan_old"), plainPlan("plan_fresh")
	applied.CreatedAt, old.CreatedAt = noon().Add(-9*day), noon().Add(-2*day)
	withPlans(t, s, applied, old, fresh)
	r := ended("run_2", 8*day)
	r.Plan = applied.ID
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{r}, Answers: []engine.Answer{answer("plan_old", "a", ""), answer("plan_applied", "a", "")}})
	if p := prune(t, s, engine.Retention{Plans: day}); p.Plans != 1 || p.Runs != 0 {
		t.Errorf("got %+v", p)
	}
	same(t, "the plans", planIDs(t, s, engine.PlanQuery{}), []string{"plan_fresh", "plan_applied"})
	prune(t, s, engine.Retention{Runs: day})
	same(t, "the plans without the run", planIDs(t, s, engine.PlanQuery{}), []string{"plan_fresh"})
	commit(t, s, engine.Batch{Plans: []engine.PlanRecord{old}})
	same(t, "the answers of a new plan", questions(t, s, "plan_old"), []string(nil))
}

// prunesValues: what nobody refers to goes, and nothing else.
func prunesValues(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	value := func(ref engine.Reference) engine.StoredValue {
		return engine.StoredValue{Ref: ref, Data: []byte(ref)}
	}
	old, asked := ended("run_old", 9*day), answer("run_1", "a", "")
	asked.Value = "answer"
	old.Hash, old.ChangeSet = "b1", "theirs"
	commit(t, s, engine.Batch{
		Bundles: []engine.Bundle{{Hash: "b1", Name: "old"}}, Values: []engine.StoredValue{value("answer"), value("nobody"), value("theirs")},
		Runs: []engine.RunRecord{old}, Answers: []engine.Answer{asked},
	})
	commit(t, s, engine.Batch{Values: []engine.StoredValue{value("state"), value("both")}, Events: journal("run_1", 1, 1)})
	commit(t, s, engine.Batch{Values: []engine.StoredValue{value("both"), value("other")}, Events: journal("run_old", 1, 1)})
	if p := prune(t, s, engine.Retention{Runs: day}); p.Values != 4 || p.Bundles != 1 {
		t.Errorf("got %+v", p)
	}
	for ref, stays := range map[engine.Reference]bool{"answer": true, "state": true, "both": true, "nobody": false, "theirs": false, "other": false, setRef: false} {
		if _, err := s.Value(t.Context(), ref); (err == nil) != stays {
			t.Errorf("the value %s stays: %t (%v)", ref, !stays, err)
		}
	}
	_, err := s.Bundle(t.Context(), "b1")
	gone(t, "the bundle", err)
	commit(t, s, engine.Batch{Values: []engine.StoredValue{value("nobody")}}) // it can come again
	must[[]byte](t)(s.Value(t.Context(), "nobody"))
}

// prunesWhileRunsGoOn: whoever commits meanwhile loses nothing.
func prunesWhileRunsGoOn(t *testing.T, s engine.Store) {
	withEnded(t, s, 50)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 8 {
			if _, err := s.Prune(t.Context(), engine.Retention{Now: noon(), Keep: 1}); err != nil {
				t.Errorf("pruning: %v", err)
			}
		}
	}()
	n := 0
	for over := false; !over; n++ {
		select {
		case <-done:
			over = true
		default:
		}
		ref := engine.Reference(fmt.Sprint("v", n%3)) // it comes and goes
		run := ended(fmt.Sprintf("run_new_%04d", n), 0)
		run.Status, run.FinishedAt, run.ChangeSet = engine.RunRunning, nil, ref
		commit(t, s, engine.Batch{Values: []engine.StoredValue{{Ref: ref, Data: []byte(ref)}}, Runs: []engine.RunRecord{run}, Events: journal(run.ID, 1, 1)})
		if _, err := s.Value(t.Context(), ref); err != nil {
			t.Fatalf("the value of %s: %v", run.ID, err)
		}
		run.Status = engine.RunSucceeded
		commit(t, s, engine.Batch{Runs: []engine.RunRecord{run}})
	}
}
