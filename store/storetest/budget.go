package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// change is the record of a change that was made, of a target of that id.
func change(run, path, target string) engine.StepRecord {
	st := plainStep(run, path)
	st.Effect, st.Connection, st.Status, st.Outcome = engine.Change, "op", engine.StepSucceeded, engine.OutcomeDone
	st.Target = &engine.Target{ID: target, Name: "the name of " + target}
	return st
}

// spent makes sure what the budget of a connection has paid for since a time.
func spent(t *testing.T, s engine.Store, connection string, since time.Time, want int64) {
	t.Helper()
	if got, err := s.Spent(t.Context(), connection, since); err != nil || got != want {
		t.Errorf("spent of %s since %v: got %d, %v, want %d", connection, since, got, err, want)
	}
}

// spentOutcomes writes every combination of effect, status, outcome and failure
// there is, and compares the count with the record's own judgement.
func spentOutcomes(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	var b engine.Batch
	want := int64(0)
	for _, st := range everyChange() {
		st.Path = fmt.Sprintf("s%d", len(b.Steps))
		st.Target = &engine.Target{ID: "U-" + st.Path}
		if st.MayHaveChanged() {
			want++
		}
		b.Steps = append(b.Steps, st)
	}
	commit(t, s, b)
	spent(t, s, "op", noon(), want)

	for i := range b.Steps { // without a target there is nothing to count
		b.Steps[i].Target = nil
	}
	commit(t, s, b)
	spent(t, s, "op", noon(), 0)
}

func everyChange() []engine.StepRecord {
	statuses := []engine.StepStatus{
		engine.StepStarted, engine.StepWaiting, engine.StepSucceeded, engine.StepFailed, engine.StepSkipped,
		engine.StepRefused, engine.StepCancelled, engine.StepUnsettled,
	}
	outcomes := []engine.Outcome{
		"", engine.OutcomeDone, engine.OutcomeUnchanged, engine.OutcomeSkipped, engine.OutcomeRefused,
		engine.OutcomeFailed, engine.OutcomeUnsettled,
	}
	classes := []engine.Class{
		"", engine.ClassInvalid, engine.ClassTransient, engine.ClassPermanent, engine.ClassAuth, engine.ClassNotFound,
		engine.ClassRefused, engine.ClassTimeout, engine.ClassCancelled, engine.ClassUnsettled,
	}
	var out []engine.StepRecord
	for _, effect := range []engine.Effect{"", engine.Observe, engine.Change, engine.Announce} {
		for _, status := range statuses {
			for _, outcome := range outcomes {
				for _, class := range classes {
					st := change("run_1", "", "")
					st.Effect, st.Status, st.Outcome = effect, status, outcome
					if class != "" {
						st.Error = engine.Fail(class, "x", "x")
					}
					out = append(out, st)
				}
			}
		}
	}
	return out
}

func spentTargets(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	again := change("run_1", "suspend", "U1")
	again.Attempt = 2
	cased := change("run_2", "f", "u2")
	cased.Target.Name = "the name of U2"
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{
		change("run_1", "suspend", "U1"), again, change("run_1", "revoke", "U1"),
		change("run_2", "suspend", "U1"), change("run_2", "revoke", "U2"), cased,
	}})
	spent(t, s, "op", noon(), 3)
}

func spentSince(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	var b engine.Batch
	for i, after := range []time.Duration{-time.Hour, -time.Microsecond, 0, time.Hour} {
		st := change("run_1", fmt.Sprintf("s%d", i), fmt.Sprintf("U%d", i))
		st.StartedAt, st.EndedAt = noon().Add(after), pointer(noon().Add(24*time.Hour))
		b.Steps = append(b.Steps, st)
	}
	commit(t, s, b)
	spent(t, s, "op", time.Time{}, 4)
	spent(t, s, "op", noon(), 2)
	spent(t, s, "op", noon().Add(time.Nanosecond), 2)
	spent(t, s, "op", noon().In(time.FixedZone("CEST", 2*60*60)), 2)
	spent(t, s, "op", noon().Add(time.Microsecond), 1)
	spent(t, s, "op", noon().Add(2*time.Hour), 0)
}

func spentConnections(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	other, nowhere := change("run_1", "b", "U2"), change("run_1", "c", "U3")
	other.Connection, nowhere.Connection = "okta", ""
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{change("run_1", "a", "U1"), other, nowhere, change("run_1", "d", "U4")}})
	spent(t, s, "op", noon(), 2)
	spent(t, s, "okta", noon(), 1)
	spent(t, s, "OP", noon(), 0)
	spent(t, s, "unknown", noon(), 0)
}

func spentCarriedOver(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	carried := change("run_2", "a", "U1")
	carried.Of, carried.StartedAt = "run_1", noon().Add(time.Hour)
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{change("run_1", "a", "U1"), carried, change("run_2", "b", "U2")}})
	spent(t, s, "op", noon(), 2)
	spent(t, s, "op", noon().Add(time.Hour), 0)
}

func spentReplaced(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	st := change("run_1", "a", "U1")
	put := func(status engine.StepStatus, outcome engine.Outcome, failure *engine.Failure, want int64) {
		t.Helper()
		st.Status, st.Outcome, st.Error = status, outcome, failure
		commit(t, s, engine.Batch{Steps: []engine.StepRecord{st}})
		spent(t, s, "op", noon(), want)
	}
	put(engine.StepStarted, "", nil, 1)
	put(engine.StepFailed, engine.OutcomeFailed, engine.Fail(engine.ClassPermanent, "x", "x"), 0)
	put(engine.StepFailed, engine.OutcomeFailed, engine.Fail(engine.ClassTimeout, "x", "x"), 1)
	put(engine.StepSucceeded, engine.OutcomeUnchanged, nil, 0)
	put(engine.StepSucceeded, engine.OutcomeDone, nil, 1)
}
