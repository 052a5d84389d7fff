package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func recordsComeBack(t *testing.T, s engine.Store) {
	r, st, it := fullRun("run_1"), fullStep("run_1", "contain[a]/suspend"), item("run_1", 0)
	it.Outcome, it.Error = engine.OutcomeFailed, failure()
	value := engine.StoredValue{Ref: "v0", Data: []byte(`["large"]`)}
	snap := engine.Snapshot{Run: "run_1", Seq: 1, Semantics: 7, Data: []byte{0, 1, 0xff}}
	commit(t, s, engine.Batch{
		Bundles: []engine.Bundle{bundle()}, Values: []engine.StoredValue{value, changeSet()}, Runs: []engine.RunRecord{r},
		Events: journal("run_1", 1, 2), Steps: []engine.StepRecord{st}, Items: []engine.ItemRecord{it},
		Snapshots: []engine.Snapshot{snap},
	})
	ctx := t.Context()
	same(t, "the run", must[engine.RunRecord](t)(s.Run(ctx, "run_1")), r)
	same(t, "the list of runs", must[[]engine.RunRecord](t)(s.Runs(ctx, engine.RunQuery{})), []engine.RunRecord{r})
	same(t, "the bundle", must[engine.Bundle](t)(s.Bundle(ctx, bundleHash)), bundle())
	same(t, "the snapshot", must[engine.Snapshot](t)(s.Snapshot(ctx, "run_1")), snap)
	same(t, "the journal", must[[]engine.Event](t)(s.Events(ctx, "run_1", 1)), journal("run_1", 2, 2))
	same(t, "the steps", must[[]engine.StepRecord](t)(s.Steps(ctx, engine.StepQuery{Run: "run_1"})), []engine.StepRecord{st})
	same(t, "the items", must[[]engine.ItemRecord](t)(s.Items(ctx, engine.ItemQuery{Run: "run_1", Path: "contain"})), []engine.ItemRecord{it})
	same(t, "the value", must[[]byte](t)(s.Value(ctx, "v0")), value.Data)
}

func optionalFieldsStayAbsent(t *testing.T, s engine.Store) {
	st, it := plainStep("run_1", "a"), item("run_1", 0)
	ev := engine.Event{Run: "run_1", Seq: 1, At: noon(), Kind: "timer_due"}
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Events: []engine.Event{ev}, Steps: []engine.StepRecord{st}, Items: []engine.ItemRecord{it}})
	ctx := t.Context()
	same(t, "the run", must[engine.RunRecord](t)(s.Run(ctx, "run_1")), plainRun("run_1"))
	same(t, "the journal", must[[]engine.Event](t)(s.Events(ctx, "run_1", 0)), []engine.Event{ev})
	same(t, "the steps", must[[]engine.StepRecord](t)(s.Steps(ctx, engine.StepQuery{Run: "run_1"})), []engine.StepRecord{st})
	same(t, "the items", must[[]engine.ItemRecord](t)(s.Items(ctx, engine.ItemQuery{Run: "run_1", Path: "contain"})), []engine.ItemRecord{it})
}

// emptyData: a value, a bundle or a snapshot of no bytes exists all the same.
func emptyData(t *testing.T, s engine.Store) {
	commit(t, s, engine.Batch{
		Bundles:   []engine.Bundle{{Hash: bundleHash, Name: "empty"}},
		Values:    []engine.StoredValue{{Ref: "v0"}},
		Runs:      []engine.RunRecord{plainRun("run_1")},
		Snapshots: []engine.Snapshot{{Run: "run_1", Seq: 1}},
	})
	same(t, "the bundle", must[engine.Bundle](t)(s.Bundle(t.Context(), bundleHash)).Data, []byte{})
	same(t, "the value", must[[]byte](t)(s.Value(t.Context(), "v0")), []byte{})
	same(t, "the snapshot", must[engine.Snapshot](t)(s.Snapshot(t.Context(), "run_1")).Data, []byte{})
}

// keepsCopies: neither what was handed over nor what was handed out is the
// store's own.
func keepsCopies(t *testing.T, s engine.Store) {
	r, st := fullRun("run_1"), fullStep("run_1", "a")
	value := engine.StoredValue{Ref: "v0", Data: []byte("value")}
	commit(t, s, engine.Batch{
		Bundles: []engine.Bundle{bundle()}, Values: []engine.StoredValue{value, changeSet()},
		Runs: []engine.RunRecord{r}, Steps: []engine.StepRecord{st},
	})
	value.Data[0], r.Inputs[0], r.Error.Message, r.Starters[0], st.Target.ID = 'X', 'X', "X", "X", "X"
	read := func() (engine.RunRecord, engine.StepRecord, []byte) {
		steps := must[[]engine.StepRecord](t)(s.Steps(t.Context(), engine.StepQuery{Run: "run_1"}))
		return must[engine.RunRecord](t)(s.Run(t.Context(), "run_1")), steps[0], must[[]byte](t)(s.Value(t.Context(), "v0"))
	}
	gotRun, gotStep, gotValue := read()
	gotValue[0], gotRun.Inputs[0], gotRun.Error.Message, gotRun.Starters[0], gotStep.Target.ID = 'Y', 'Y', "Y", "Y", "Y"
	gotRun, gotStep, gotValue = read()
	same(t, "the run", gotRun, fullRun("run_1"))
	same(t, "the step", gotStep, fullStep("run_1", "a"))
	same(t, "the value", string(gotValue), "value")
}

func times(t *testing.T, s engine.Store) {
	zone := time.FixedZone("CEST", 2*60*60)
	in := time.Date(2026, time.July, 1, 1, 2, 3, 456789999, zone)
	want := time.Date(2026, time.June, 30, 23, 2, 3, 456789000, time.UTC)
	r, st, it := plainRun("run_1"), plainStep("run_1", "a"), item("run_1", 0)
	r.CreatedAt, r.FinishedAt, r.WakeAt, st.StartedAt, st.EndedAt, it.EndedAt = in, &in, &in, in, &in, in
	r.Error = &engine.Failure{Class: engine.ClassTimeout, NotBefore: in}
	ev := event("run_1", 1)
	ev.At = in
	commit(t, s, engine.Batch{
		Bundles: []engine.Bundle{bundle()}, Runs: []engine.RunRecord{r}, Events: []engine.Event{ev},
		Steps: []engine.StepRecord{st}, Items: []engine.ItemRecord{it},
	})
	ctx := t.Context()
	gotRun := must[engine.RunRecord](t)(s.Run(ctx, "run_1"))
	gotStep := must[[]engine.StepRecord](t)(s.Steps(ctx, engine.StepQuery{Run: "run_1"}))[0]
	for name, got := range map[string]time.Time{
		"run created": gotRun.CreatedAt, "run finished": *gotRun.FinishedAt, "run wakes": *gotRun.WakeAt,
		"run's error, not before": gotRun.Error.NotBefore,
		"step started":            gotStep.StartedAt, "step ended": *gotStep.EndedAt,
		"event at":   must[[]engine.Event](t)(s.Events(ctx, "run_1", 0))[0].At,
		"item ended": must[[]engine.ItemRecord](t)(s.Items(ctx, engine.ItemQuery{Run: "run_1", Path: "contain"}))[0].EndedAt,
	} {
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// anyText: paths, keys and messages are made of other people's text.
func anyText(t *testing.T, s engine.Store) {
	st := fullStep("run_1", `contain[O'Hara %25 "x"; DROP TABLE run; --]/ünïcode 漢字`)
	st.Target.Name, st.Error.Message = "nul \x00 and \u202e and 😀", "one line\nand another"
	it := item("run_1", 0)
	it.Path, it.Key, it.Label = st.Path, "", "\x00"
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{st}, Items: []engine.ItemRecord{it}})
	same(t, "the steps", must[[]engine.StepRecord](t)(s.Steps(t.Context(), engine.StepQuery{Run: "run_1", Prefix: st.Path})), []engine.StepRecord{st})
	same(t, "the items", must[[]engine.ItemRecord](t)(s.Items(t.Context(), engine.ItemQuery{Run: "run_1", Path: st.Path})), []engine.ItemRecord{it})
}

func missing(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	ctx := t.Context()
	for name, read := range map[string]func() error{
		"a run":                   func() error { _, err := s.Run(ctx, "run_2"); return err },
		"a bundle":                func() error { _, err := s.Bundle(ctx, "b1"); return err },
		"a value":                 func() error { _, err := s.Value(ctx, "v1"); return err },
		"the snapshot of no run":  func() error { _, err := s.Snapshot(ctx, "run_2"); return err },
		"a run's snapshot":        func() error { _, err := s.Snapshot(ctx, "run_1"); return err },
		"the journal of no run":   func() error { _, err := s.Events(ctx, "run_2", 0); return err },
		"the steps of no run":     func() error { _, err := s.Steps(ctx, engine.StepQuery{Run: "run_2"}); return err },
		"the items of no run":     func() error { _, err := s.Items(ctx, engine.ItemQuery{Run: "run_2", Path: "a"}); return err },
		"the page after no run":   func() error { _, err := s.Runs(ctx, engine.RunQuery{After: "run_2"}); return err },
		"a plan":                  func() error { _, err := s.Plan(ctx, "plan_1"); return err },
		"the page after no plan":  func() error { _, err := s.Plans(ctx, engine.PlanQuery{After: "plan_1"}); return err },
		"the answers of nobody":   func() error { _, err := s.Answers(ctx, "plan_1"); return err },
		"an approval":             func() error { _, err := s.Approval(ctx, "appr_1"); return err },
		"approvals of no run":     func() error { _, err := s.Approvals(ctx, engine.ApprovalQuery{Run: "run_2"}); return err },
		"approvals after none":    func() error { _, err := s.Approvals(ctx, engine.ApprovalQuery{After: "appr_1"}); return err },
		"a freeze":                func() error { _, err := s.Frozen(ctx); return err },
		"a grant":                 func() error { _, err := s.Grant(ctx, "gnt_1"); return err },
		"grants of no run":        func() error { _, err := s.Grants(ctx, engine.GrantQuery{Run: "run_2"}); return err },
		"grants after none":       func() error { _, err := s.Grants(ctx, engine.GrantQuery{After: "gnt_1"}); return err },
		"the signals of no run":   func() error { _, err := s.Signals(ctx, "run_2"); return err },
		"a key":                   func() error { _, err := s.RunByKey(ctx, "sweep/0"); return err },
		"the run of no key":       func() error { _, err := s.RunByKey(ctx, ""); return err },
		"the undoes of no run":    func() error { _, err := s.Undoes(ctx, "run_2"); return err },
		"a run with an empty id":  func() error { _, err := s.Run(ctx, ""); return err },
		"the value of no content": func() error { _, err := s.Value(ctx, ""); return err },
	} {
		if err := read(); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: got the error %v, want %v", name, err, engine.ErrNotFound)
		}
	}
	if got := seqs(t, s, "run_1"); len(got) > 0 {
		t.Errorf("a journal without events: got %v", got)
	}
	if got := stepPaths(t, s, engine.StepQuery{Run: "run_1"}); len(got) > 0 {
		t.Errorf("a run without steps: got %v", got)
	}
}

func orphans(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	stray := plainRun("run_2")
	stray.Hash = "b1"
	changing, plan, lost, unseen := plainRun("run_2"), plainPlan("plan_1"), answer("run_1", "a", ""), plainApproval("appr_1", "run_1")
	changing.ChangeSet, plan.Set, lost.Value, unseen.Set = "s1", "s1", "s1", "s1"
	for name, b := range map[string]engine.Batch{
		"a run without its bundle": {Runs: []engine.RunRecord{stray}},
		"a run without its set":    {Runs: []engine.RunRecord{changing}},
		"a plan without its set":   {Plans: []engine.PlanRecord{plan}},
		"an answer without value":  {Answers: []engine.Answer{lost}},
		"an answer":                {Answers: []engine.Answer{answer("run_2", "a", "")}},
		"an approval without set":  {Approvals: []engine.Approval{unseen}},
		"an approval":              {Approvals: []engine.Approval{plainApproval("appr_1", "run_2")}},
		"a grant":                  {Grants: []engine.Grant{plainGrant("gnt_1", "run_2")}},
		"a signal":                 {Signals: []engine.Signal{signal("run_2", "sig_1")}},
		"a delivery":               {Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1", Run: "run_2"}}},
		"an event":                 {Events: []engine.Event{event("run_2", 1)}},
		"a step":                   {Steps: []engine.StepRecord{plainStep("run_2", "a")}},
		"an item":                  {Items: []engine.ItemRecord{item("run_2", 0)}},
		"a snapshot":               {Snapshots: []engine.Snapshot{{Run: "run_2", Seq: 1, Data: json.RawMessage("x")}}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, s, b, engine.ErrNotFound) })
	}
}
