package storetest

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func emptyBatch(t *testing.T, s engine.Store) { commit(t, s, engine.Batch{}) }

func nonsense(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	for name, b := range nonsensical() {
		t.Run(name, func(t *testing.T) { refused(t, s, b, engine.ErrRecord) })
	}
	same(t, "the journal", seqs(t, s, "run_1"), []uint64(nil))
}

func nonsensical() map[string]engine.Batch {
	run := func(change func(*engine.RunRecord)) engine.Batch {
		r := plainRun("run_1")
		change(&r)
		return engine.Batch{Runs: []engine.RunRecord{r}}
	}
	step := func(change func(*engine.StepRecord)) engine.Batch {
		st := plainStep("run_1", "a")
		change(&st)
		return engine.Batch{Steps: []engine.StepRecord{st}}
	}
	item := func(change func(*engine.ItemRecord)) engine.Batch {
		it := item("run_1", 0)
		change(&it)
		return engine.Batch{Items: []engine.ItemRecord{it}}
	}
	approval := func(change func(*engine.Approval)) engine.Batch {
		a := plainApproval("appr_1", "run_1")
		change(&a)
		return engine.Batch{Approvals: []engine.Approval{a}}
	}
	grant := func(change func(*engine.Grant)) engine.Batch {
		g := plainGrant("gnt_1", "run_1")
		change(&g)
		return engine.Batch{Grants: []engine.Grant{g}}
	}
	signal := func(change func(*engine.Signal)) engine.Batch {
		sig := signal("run_1", "sig_1")
		change(&sig)
		return engine.Batch{Signals: []engine.Signal{sig}}
	}
	half, partly := thawed("freeze_1"), released("hld_1")
	half.ThawedBy, partly.ReleasedAt = nil, nil
	return map[string]engine.Batch{
		"plan without id":         {Plans: []engine.PlanRecord{{Set: setRef}}},
		"plan without change set": {Plans: []engine.PlanRecord{{ID: "plan_1"}}},
		"answer of nobody":        {Answers: []engine.Answer{answer("", "a", "")}},
		"answer without path":     {Answers: []engine.Answer{answer("run_1", "", "")}},
		"answer without value":    {Answers: []engine.Answer{{Owner: "run_1", Path: "a"}}},
		"approval without id":     approval(func(a *engine.Approval) { a.ID = "" }),
		"approval of no run":      approval(func(a *engine.Approval) { a.Run = "" }),
		"approval kind":           approval(func(a *engine.Approval) { a.Kind = "" }),
		"approval status":         approval(func(a *engine.Approval) { a.Status = "obsolete" }),
		"approval without set":    approval(func(a *engine.Approval) { a.Set = "" }),
		"freeze without id":       {Freezes: []engine.Freeze{freeze("")}},
		"freeze thawed by nobody": {Freezes: []engine.Freeze{half}},
		"grant without id":        grant(func(g *engine.Grant) { g.ID = "" }),
		"grant of no run":         grant(func(g *engine.Grant) { g.Run = "" }),
		"grant state":             grant(func(g *engine.Grant) { g.State = "revoked" }),
		"grant access":            grant(func(g *engine.Grant) { g.Access = "" }),
		"grant at its end":        grant(func(g *engine.Grant) { g.AtEnd = "burn" }),
		"hold without id":         {Holds: []engine.Hold{hold("")}},
		"hold of nothing":         {Holds: []engine.Hold{{ID: "hld_1"}}},
		"hold released never":     {Holds: []engine.Hold{partly}},
		"signal to no run":        signal(func(s *engine.Signal) { s.Run = "" }),
		"signal without id":       signal(func(s *engine.Signal) { s.ID = "" }),
		"signal without name":     signal(func(s *engine.Signal) { s.Name = "" }),
		"signal taken beyond all": signal(func(s *engine.Signal) { s.Taken = math.MaxUint64 }),
		"schedule without id":     {Schedules: []engine.ScheduleState{{Playbook: "sweep"}}},
		"delivery to no hook":     {Deliveries: []engine.Delivery{{ID: "d1"}}},
		"delivery without id":     {Deliveries: []engine.Delivery{{Hook: "alert"}}},
		"throttle of nothing":     {Throttles: []engine.Throttle{{Until: noon()}}},
		"position without key":    {Positions: []engine.Position{{Cursor: "c", Revision: 1}}},
		"position without cursor": {Positions: []engine.Position{{Key: "k", Revision: 1}}},
		"position before all":     {Positions: []engine.Position{{Key: "k", Cursor: "c"}}},
		"bundle without hash":     {Bundles: []engine.Bundle{{Name: "x"}}},
		"value without reference": {Values: []engine.StoredValue{{Data: []byte("x")}}},
		"run without id":          run(func(r *engine.RunRecord) { r.ID = "" }),
		"run status":              run(func(r *engine.RunRecord) { r.Status = "done" }),
		"event 0":                 {Events: []engine.Event{event("run_1", 0)}},
		"event beyond all":        {Events: []engine.Event{event("run_1", math.MaxUint64)}},
		"event of no run":         {Events: []engine.Event{event("", 1)}},
		"step without path":       step(func(s *engine.StepRecord) { s.Path = "" }),
		"step status":             step(func(s *engine.StepRecord) { s.Status = "" }),
		"step outcome":            step(func(s *engine.StepRecord) { s.Outcome = "ok" }),
		"step effect":             step(func(s *engine.StepRecord) { s.Effect = "write" }),
		"item without path":       item(func(i *engine.ItemRecord) { i.Path = "" }),
		"item index":              item(func(i *engine.ItemRecord) { i.Index = -1 }),
		"item outcome":            item(func(i *engine.ItemRecord) { i.Outcome = "" }),
		"snapshot 0":              {Snapshots: []engine.Snapshot{{Run: "run_1"}}},
		"snapshot of no run":      {Snapshots: []engine.Snapshot{{Seq: 1}}},
	}
}

// allOrNothing: a batch whose last record is refused leaves no trace of the
// records before it.
func allOrNothing(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 2), Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 2}}})
	changed := plainRun("run_1")
	changed.Status, changed.Key = engine.RunCancelled, "taken by nobody"
	fresh := bundle()
	fresh.Hash = "b1"
	refused(t, s, engine.Batch{
		Bundles: []engine.Bundle{fresh}, Values: []engine.StoredValue{{Ref: "v1", Data: []byte("x")}},
		Runs: []engine.RunRecord{changed, plainRun("run_2")}, Events: journal("run_1", 3, 4),
		Steps: []engine.StepRecord{plainStep("run_1", "a")}, Items: []engine.ItemRecord{item("run_1", 0)},
		Plans: []engine.PlanRecord{plainPlan("plan_1")}, Answers: []engine.Answer{answer("run_1", "a", "")},
		Approvals: []engine.Approval{plainApproval("appr_1", "run_1")}, Freezes: []engine.Freeze{freeze("freeze_1")},
		Grants: []engine.Grant{plainGrant("gnt_1", "run_1")}, Holds: []engine.Hold{hold("hld_1")},
		Signals: []engine.Signal{signal("run_1", "sig_1")}, Schedules: []engine.ScheduleState{{ID: "sweep/0"}},
		Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1"}}, Throttles: []engine.Throttle{{Connection: "op"}},
		Positions: []engine.Position{position(1, "c")},
		Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 1}},
	}, engine.ErrConflict)

	ctx := t.Context()
	same(t, "the run", must[engine.RunRecord](t)(s.Run(ctx, "run_1")), plainRun("run_1"))
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_1"})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64(nil))
	same(t, "the steps", stepPaths(t, s, engine.StepQuery{Run: "run_1"}), []string(nil))
	same(t, "the items", indexes(t, s, engine.ItemQuery{Run: "run_1", Path: "contain"}), []int(nil))
	same(t, "the snapshot", must[engine.Snapshot](t)(s.Snapshot(ctx, "run_1")).Seq, uint64(2))
	same(t, "the plans", planIDs(t, s, engine.PlanQuery{}), []string(nil))
	same(t, "the answers", questions(t, s, "run_1"), []string(nil))
	same(t, "the approvals", approvalIDs(t, s, engine.ApprovalQuery{}), []string(nil))
	holding(t, s, "")
	same(t, "the grants", grantIDs(t, s, engine.GrantQuery{}), []string(nil))
	same(t, "the holds", holdIDs(t, s, true), []string(nil))
	same(t, "the signals", signalIDs(t, s, "run_1"), []string(nil))
	same(t, "the schedules", must[[]engine.ScheduleState](t)(s.Schedules(ctx)), []engine.ScheduleState(nil))
	same(t, "the throttles", must[[]engine.Throttle](t)(s.Throttles(ctx)), []engine.Throttle(nil))
	commit(t, s, engine.Batch{Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1"}}})
	if _, err := s.Position(ctx, "k"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the position: got the error %v", err)
	}
	if _, err := s.RunByKey(ctx, changed.Key); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the key: got the error %v", err)
	}
	if _, err := s.Bundle(ctx, "b1"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the bundle: got the error %v", err)
	}
	if _, err := s.Value(ctx, "v1"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the value: got the error %v", err)
	}
	commit(t, s, engine.Batch{Events: journal("run_1", 3, 3)})
}

func eventConflict(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 3)})
	other := event("run_1", 2)
	other.Kind = "cancel_requested"
	refused(t, s, engine.Batch{Events: []engine.Event{other}}, engine.ErrConflict)
	refused(t, s, engine.Batch{Events: []engine.Event{event("run_1", 4), event("run_1", 4)}}, engine.ErrConflict)
	same(t, "the journal", must[[]engine.Event](t)(s.Events(t.Context(), "run_1", 0)), journal("run_1", 1, 3))
	commit(t, s, engine.Batch{Events: append(journal("run_1", 4, 4), journal("run_2", 1, 1)...)})
}

func trimmedConflict(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 3), Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 3}}})
	refused(t, s, engine.Batch{Events: journal("run_1", 3, 3)}, engine.ErrConflict)
	refused(t, s, engine.Batch{Events: journal("run_1", 1, 1)}, engine.ErrConflict)
	commit(t, s, engine.Batch{Events: journal("run_1", 4, 4)})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{4})
}

func eventGap(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	refused(t, s, engine.Batch{Events: journal("run_1", 2, 2)}, engine.ErrRecord)
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 2)})
	refused(t, s, engine.Batch{Events: journal("run_1", 4, 4)}, engine.ErrRecord)
	refused(t, s, engine.Batch{Events: []engine.Event{event("run_1", 3), event("run_1", 5)}}, engine.ErrRecord)
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{1, 2})

	commit(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 6}}})
	refused(t, s, engine.Batch{Events: journal("run_1", 8, 8)}, engine.ErrRecord)
	commit(t, s, engine.Batch{Events: journal("run_1", 7, 7)})
}

func batchOrder(t *testing.T, s engine.Store) {
	commit(t, s, engine.Batch{
		Snapshots:  []engine.Snapshot{{Run: "run_1", Seq: 1}},
		Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1", Run: "run_1", At: noon()}},
		Signals:    []engine.Signal{signal("run_1", "sig_1")},
		Grants:     []engine.Grant{plainGrant("gnt_1", "run_1")},
		Freezes:    []engine.Freeze{freeze("freeze_1")},
		Approvals:  []engine.Approval{plainApproval("appr_1", "run_1")},
		Answers:    []engine.Answer{answer("plan_1", "a", ""), answer("run_1", "a", "")},
		Plans:      []engine.PlanRecord{plainPlan("plan_1")},
		Items:      []engine.ItemRecord{item("run_1", 0)},
		Steps:      []engine.StepRecord{plainStep("run_1", "a")},
		Events:     journal("run_1", 1, 2),
		Runs:       []engine.RunRecord{fullRun("run_1")},
		Values:     []engine.StoredValue{changeSet()},
		Bundles:    []engine.Bundle{bundle()},
	})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{2})
}

func upserts(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{
		Steps: []engine.StepRecord{plainStep("run_1", "a"), fullStep("run_1", "b")},
		Items: []engine.ItemRecord{item("run_1", 0)},
	})
	r, it := fullRun("run_1"), item("run_1", 0)
	r.Playbook, r.CreatedAt = "other", noon().Add(time.Hour)
	it.Key, it.Label, it.Outcome, it.Error = "K", "L", engine.OutcomeRefused, failure()
	a, b := fullStep("run_1", "a"), plainStep("run_1", "b")
	a.StartedAt = noon().Add(time.Hour)
	second := plainStep("run_1", "a")
	second.Attempt = 2
	commit(t, s, engine.Batch{
		Runs: []engine.RunRecord{r}, Steps: []engine.StepRecord{a, b, second}, Items: []engine.ItemRecord{it},
	})
	ctx := t.Context()
	same(t, "the run", must[[]engine.RunRecord](t)(s.Runs(ctx, engine.RunQuery{})), []engine.RunRecord{r})
	same(t, "the steps", must[[]engine.StepRecord](t)(s.Steps(ctx, engine.StepQuery{Run: "run_1"})), []engine.StepRecord{a, b, second})
	same(t, "the items", must[[]engine.ItemRecord](t)(s.Items(ctx, engine.ItemQuery{Run: "run_1", Path: "contain"})), []engine.ItemRecord{it})
}

func valuesOnce(t *testing.T, s engine.Store) {
	v := engine.StoredValue{Ref: "v0", Data: []byte("first")}
	commit(t, s, engine.Batch{Values: []engine.StoredValue{v, v}})
	commit(t, s, engine.Batch{Values: []engine.StoredValue{{Ref: "v0", Data: []byte("second")}, {Ref: "v1", Data: []byte("third")}}})
	same(t, "the value", must[[]byte](t)(s.Value(t.Context(), "v0")), []byte("first"))
	same(t, "the value beside it", must[[]byte](t)(s.Value(t.Context(), "v1")), []byte("third"))
}

func bundlesOnce(t *testing.T, s engine.Store) {
	other := bundle()
	other.Name = "other"
	commit(t, s, engine.Batch{Bundles: []engine.Bundle{bundle(), other}})
	commit(t, s, engine.Batch{Bundles: []engine.Bundle{other}, Runs: []engine.RunRecord{plainRun("run_1")}})
	same(t, "the bundle", must[engine.Bundle](t)(s.Bundle(t.Context(), bundleHash)), bundle())
}

func snapshotTrims(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 5), Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 3, Semantics: 1, Data: []byte("three")}}})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{4, 5})
	commit(t, s, engine.Batch{Events: journal("run_1", 6, 6), Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 5, Semantics: 2, Data: []byte("five")}}})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{6})
	same(t, "the snapshot", must[engine.Snapshot](t)(s.Snapshot(t.Context(), "run_1")),
		engine.Snapshot{Run: "run_1", Seq: 5, Semantics: 2, Data: []byte("five")})
	commit(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 6}}})
	same(t, "the journal", seqs(t, s, "run_1"), []uint64(nil))
}

func snapshotOfOneRun(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	commit(t, s, engine.Batch{Events: append(journal("run_1", 1, 2), journal("run_2", 1, 2)...)})
	commit(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 2}}})
	same(t, "its journal", seqs(t, s, "run_1"), []uint64(nil))
	same(t, "the other journal", seqs(t, s, "run_2"), []uint64{1, 2})
}

func olderSnapshot(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Events: journal("run_1", 1, 5), Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 3}}})
	refused(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 2}}}, engine.ErrConflict)
	refused(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 5}, {Run: "run_1", Seq: 4}}}, engine.ErrConflict)
	same(t, "the journal", seqs(t, s, "run_1"), []uint64{4, 5})
	commit(t, s, engine.Batch{Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 3, Data: []byte("again")}}})
}
