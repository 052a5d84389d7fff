package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// The stores' conformance suite has a batch for every record that is refused.
func TestBatchCheck(t *testing.T) {
	run := engine.RunRecord{ID: "run_1", Status: engine.RunQueued}
	step := engine.StepRecord{Run: "run_1", Path: "a", Status: engine.StepStarted}
	item := engine.ItemRecord{Run: "run_1", Path: "a", Outcome: engine.OutcomeDone}
	good := engine.Batch{Runs: []engine.RunRecord{run}, Steps: []engine.StepRecord{step}, Items: []engine.ItemRecord{item}}
	if err := good.Check(); err != nil {
		t.Errorf("a good batch: %v", err)
	}
	item.Outcome = "levitated"
	bad := engine.Batch{Items: []engine.ItemRecord{good.Items[0], item}}
	err := bad.Check()
	const want = `the record cannot be stored: item 2 of the batch has the unknown outcome "levitated"`
	if !errors.Is(err, engine.ErrRecord) || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
}

func TestKnown(t *testing.T) {
	if engine.RunStatus("done").Known() || engine.StepStatus("").Known() || engine.Outcome("ok").Known() || engine.Effect("write").Known() ||
		engine.ApprovalStatus("obsolete").Known() || engine.ApprovalKind("").Known() ||
		engine.GrantState("revoked").Known() || engine.Access("").Known() {
		t.Error("something is known that does not exist")
	}
	if !engine.RunInterrupted.Known() || !engine.RunDrifted.Known() || !engine.StepUnsettled.Known() || !engine.OutcomeUnsettled.Known() || !engine.Announce.Known() ||
		!engine.ApprovalObsolete.Known() || !engine.ApprovalGuard.Known() ||
		!engine.GrantAsking.Known() || !engine.GrantVoid.Known() || !engine.Takes.Known() {
		t.Error("something is unknown that exists")
	}
}

func TestStoredTime(t *testing.T) {
	in := time.Date(2026, time.July, 1, 1, 0, 0, 1999, time.FixedZone("CEST", 7200))
	got := engine.StoredTime(in)
	if want := time.Date(2026, time.June, 30, 23, 0, 0, 1000, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("got %v, want %v", got, want)
	}
}
