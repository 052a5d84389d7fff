package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func approvalIDs(t *testing.T, s engine.Store, q engine.ApprovalQuery) []string {
	t.Helper()
	var out []string
	for _, a := range must[[]engine.Approval](t)(s.Approvals(t.Context(), q)) {
		out = append(out, a.ID)
	}
	return out
}

func approvalsComeBack(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	full, plain := fullApproval("appr_1", "run_1"), plainApproval("appr_2", "run_2")
	written := fullApproval("appr_1", "run_1")
	for i := range written.Votes { // kept in UTC, to the microsecond, as all times are
		written.Votes[i].At = written.Votes[i].At.Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	}
	commit(t, s, engine.Batch{Approvals: []engine.Approval{written, plain}})
	written.By[0], written.Excluded[0], written.Votes[0].Person, written.Votes[0].Except[0] = "X", "X", "X", "X"
	got := must[engine.Approval](t)(s.Approval(t.Context(), "appr_1"))
	same(t, "the full approval", got, full)
	got.By[0], got.Votes[0].Except[0] = "Y", "Y"
	same(t, "the list", must[[]engine.Approval](t)(s.Approvals(t.Context(), engine.ApprovalQuery{})), []engine.Approval{plain, full})
}

func approvalsReplaced(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	commit(t, s, engine.Batch{Approvals: []engine.Approval{plainApproval("appr_1", "run_1"), fullApproval("appr_2", "run_1")}})
	a, b := fullApproval("appr_1", "run_2"), plainApproval("appr_2", "run_1")
	a.Set = "s7"
	commit(t, s, engine.Batch{
		Values: []engine.StoredValue{{Ref: "s7", Data: []byte("other")}}, Approvals: []engine.Approval{a, b},
	})
	same(t, "the approvals", must[[]engine.Approval](t)(s.Approvals(t.Context(), engine.ApprovalQuery{})), []engine.Approval{b, a})
}

func approvalsSelected(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2", "run_3")
	statuses := []engine.ApprovalStatus{
		engine.ApprovalPending, engine.ApprovalApproved, engine.ApprovalDenied, engine.ApprovalExpired, engine.ApprovalObsolete,
	}
	var b engine.Batch
	for i, status := range statuses {
		a := plainApproval(fmt.Sprintf("appr_%d", i), []string{"run_1", "run_2"}[i%2])
		a.Status = status
		b.Approvals = append(b.Approvals, a)
	}
	commit(t, s, b)
	for name, c := range map[string]struct {
		query engine.ApprovalQuery
		want  []string
	}{
		"a run":               {engine.ApprovalQuery{Run: "run_1"}, []string{"appr_4", "appr_2", "appr_0"}},
		"a status":            {engine.ApprovalQuery{Statuses: statuses[:1]}, []string{"appr_0"}},
		"three statuses":      {engine.ApprovalQuery{Statuses: statuses[:3]}, []string{"appr_2", "appr_1", "appr_0"}},
		"both":                {engine.ApprovalQuery{Run: "run_1", Statuses: statuses[:2]}, []string{"appr_0"}},
		"a page of both":      {engine.ApprovalQuery{Run: "run_1", Statuses: statuses[:3], After: "appr_2"}, []string{"appr_0"}},
		"after another run's": {engine.ApprovalQuery{Run: "run_1", After: "appr_3"}, []string{"appr_2", "appr_0"}},
		"a run without any":   {engine.ApprovalQuery{Run: "run_3"}, nil},
	} {
		same(t, name, approvalIDs(t, s, c.query), c.want)
	}
}

func approvalsInPages(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	var b engine.Batch
	for i := range 101 {
		a := plainApproval(fmt.Sprintf("appr_%03d", i), "run_1")
		a.CreatedAt = noon().Add(-time.Duration(i/2) * time.Hour) // two together at a time
		b.Approvals = append(b.Approvals, a)
	}
	commit(t, s, b)
	same(t, "a page", approvalIDs(t, s, engine.ApprovalQuery{Limit: 3}), []string{"appr_001", "appr_000", "appr_003"})
	same(t, "the next", approvalIDs(t, s, engine.ApprovalQuery{Limit: 2, After: "appr_003"}), []string{"appr_002", "appr_005"})
	same(t, "a page unless told", len(approvalIDs(t, s, engine.ApprovalQuery{})), 100)
	same(t, "the rest", approvalIDs(t, s, engine.ApprovalQuery{After: "appr_098"}), []string{"appr_100"})
}

// holding makes sure which freeze holds; "" for none.
func holding(t *testing.T, s engine.Store, want string) {
	t.Helper()
	f, err := s.Frozen(t.Context())
	if want == "" && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("frozen: got %q, %v, want %v", f.ID, err, engine.ErrNotFound)
	}
	if want != "" && (err != nil || f.ID != want) {
		t.Errorf("frozen: got %q, %v, want %q", f.ID, err, want)
	}
}

func freezes(t *testing.T, s engine.Store) {
	put := func(f engine.Freeze, after time.Duration) {
		t.Helper()
		f.At = noon().Add(after)
		commit(t, s, engine.Batch{Freezes: []engine.Freeze{f}})
	}
	holding(t, s, "")
	put(freeze("freeze_3"), 0)
	holding(t, s, "freeze_3")
	put(freeze("freeze_1"), time.Hour)
	put(freeze("freeze_2"), time.Minute)
	holding(t, s, "freeze_1")
	put(thawed("freeze_1"), time.Hour)
	holding(t, s, "freeze_2")
	put(thawed("freeze_9"), 2*time.Hour)
	holding(t, s, "freeze_2")
	put(freeze("freeze_8"), time.Minute) // at the same time: the later id
	holding(t, s, "freeze_8")
	put(thawed("freeze_8"), time.Minute)
	put(thawed("freeze_2"), time.Minute)
	holding(t, s, "freeze_3")
	put(thawed("freeze_3"), 0)
	holding(t, s, "")
}

func freezesComeBack(t *testing.T, s engine.Store) {
	f, odd := freeze("freeze_1"), thawed("freeze_2")
	f.ThawReason = "not yet"
	commit(t, s, engine.Batch{Freezes: []engine.Freeze{f, odd}})
	same(t, "the freeze", must[engine.Freeze](t)(s.Frozen(t.Context())), f)

	again := thawed("freeze_1")
	commit(t, s, engine.Batch{Freezes: []engine.Freeze{again}})
	again = freeze("freeze_1")
	again.At = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Freezes: []engine.Freeze{again}})
	same(t, "the freeze, replaced", must[engine.Freeze](t)(s.Frozen(t.Context())), freeze("freeze_1"))
}

func undoes(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	undo := func(id, of string, after time.Duration) engine.RunRecord {
		r := plainRun(id)
		r.UndoOf, r.CreatedAt = of, noon().Add(after)
		return r
	}
	older, newer, twin := undo("run_5", "run_1", 0), undo("run_3", "run_1", time.Hour), undo("run_4", "run_1", time.Hour)
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{older, newer, twin, undo("run_6", "run_2", 0)}})
	list := func(run string) []engine.RunRecord {
		return must[[]engine.RunRecord](t)(s.Undoes(t.Context(), run))
	}
	same(t, "the undoes", list("run_1"), []engine.RunRecord{twin, newer, older})
	same(t, "those of an undo", list("run_5"), []engine.RunRecord(nil))
	newer.UndoOf = ""
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{newer}})
	same(t, "after one was replaced", list("run_1"), []engine.RunRecord{twin, older})
}
