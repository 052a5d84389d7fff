package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// keyOf makes sure which run has a key; "" for none.
func keyOf(t *testing.T, s engine.Store, key, want string) {
	t.Helper()
	r, err := s.RunByKey(t.Context(), key)
	if want == "" && !errors.Is(err, engine.ErrNotFound) || want != "" && (err != nil || r.ID != want) {
		t.Errorf("the key %q: got %q, %v, want %q", key, r.ID, err, want)
	}
}

func runsByKey(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2") // of which none has a key
	full := fullRun("run_3")
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{full, withKey("run_4", "k4")}})
	same(t, "the run", must[engine.RunRecord](t)(s.RunByKey(t.Context(), full.Key)), full)
	keyOf(t, s, "k", "")
	keyOf(t, s, "", "")

	commit(t, s, engine.Batch{Runs: []engine.RunRecord{full, withKey("run_4", "k5")}}) // replaced, with the same key and another
	keyOf(t, s, full.Key, "run_3")
	keyOf(t, s, "k4", "")
	keyOf(t, s, "k5", "run_4")
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{plainRun("run_4"), withKey("run_5", "k5")}}) // given up, and taken
	keyOf(t, s, "k5", "run_5")
}

func keysDuplicate(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{withKey("run_2", "k")}})
	late := plainRun("run_1")
	late.Key, late.Status = "k", engine.RunFailed
	for name, runs := range map[string][]engine.RunRecord{
		"a new run":           {withKey("run_3", "k")},
		"a run that is there": {late},
		"behind a good one":   {withKey("run_3", "k3"), withKey("run_4", "k")},
		"two of a batch":      {withKey("run_3", "k3"), withKey("run_4", "k3")},
		"given up too late":   {withKey("run_3", "k"), plainRun("run_2")},
		"taken back":          {withKey("run_2", "k2"), withKey("run_3", "k"), withKey("run_2", "k")},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s, engine.Batch{Values: []engine.StoredValue{{Ref: "v1"}}, Runs: runs}, engine.ErrDuplicate)
		})
	}
	same(t, "the runs", must[[]engine.RunRecord](t)(s.Runs(t.Context(), engine.RunQuery{})), []engine.RunRecord{withKey("run_2", "k"), plainRun("run_1")})
	for key, want := range map[string]string{"k": "run_2", "k2": "", "k3": ""} {
		keyOf(t, s, key, want)
	}
	if _, err := s.Value(t.Context(), "v1"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the value: got the error %v", err)
	}
}

// keysRace: of those who start a run with the same key at the same time one
// wins, nothing of the others is there, and who only comes with them loses nothing.
func keysRace(t *testing.T, s engine.Store) {
	const rounds, rivals, others = 10, 6, 6
	withRuns(t, s, "run_0")
	for round := range rounds {
		key := fmt.Sprintf("sweep/0@%d", round)
		var won, lost, winner atomic.Int32
		together(rivals+others, func(i int) {
			id := fmt.Sprintf("run_%d_%d", round, i)
			b := engine.Batch{Runs: []engine.RunRecord{plainRun(id)}, Grants: []engine.Grant{plainGrant("gnt_"+id, id)}, Events: journal(id, 1, 1)}
			if i < rivals {
				b.Runs[0].Key = key
			}
			switch err := s.Commit(t.Context(), b); {
			case err == nil && i < rivals:
				won.Add(1)
				winner.Store(int32(i))
			case errors.Is(err, engine.ErrDuplicate) && i < rivals:
				lost.Add(1)
			case err != nil:
				t.Errorf("committing %s: %v", id, err)
			}
		})
		if won.Load() != 1 || lost.Load() != rivals-1 {
			t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
		}
		keyOf(t, s, key, fmt.Sprintf("run_%d_%d", round, winner.Load()))
	}
	const left = rounds * (1 + others)
	same(t, "the runs", len(runIDs(t, s, engine.RunQuery{Limit: 1000})), 1+left)
	same(t, "the grants", len(grantIDs(t, s, engine.GrantQuery{Limit: 1000})), left)
}

func dueIDs(t *testing.T, s engine.Store, by time.Time, limit int) []string {
	t.Helper()
	var out []string
	for _, r := range must[[]engine.RunRecord](t)(s.Due(t.Context(), by, limit)) {
		out = append(out, r.ID)
	}
	return out
}

// sleeper is a run that wakes some time after noon.
func sleeper(id string, after time.Duration) engine.RunRecord {
	r := plainRun(id)
	r.Status, r.WakeAt = engine.RunWaiting, pointer(noon().Add(after))
	return r
}

func queued(id string, after time.Duration) engine.RunRecord {
	r := plainRun(id)
	r.Status, r.CreatedAt = engine.RunQueued, noon().Add(after)
	return r
}

func runsDue(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	forever, done, full := plainRun("run_2"), sleeper("run_3", 0), sleeper("run_4", time.Second)
	forever.Status, done.Status = engine.RunWaiting, engine.RunCancelled // one waits for people
	full.Inputs, full.Key, full.Starters = []byte(`{"n":1}`), "k", []string{"alice"}
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{forever, done, full, sleeper("run_5", time.Hour)}})
	same(t, "before", dueIDs(t, s, noon().Add(time.Second-time.Microsecond), 0), []string(nil))
	same(t, "at the moment", must[[]engine.RunRecord](t)(s.Due(t.Context(), noon().Add(time.Second), 0)), []engine.RunRecord{full})
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{queued("run_6", 2*time.Hour)}}) // whatever the clock says
	same(t, "with one queued", dueIDs(t, s, noon(), 0), []string{"run_6"})
	full.Status = engine.RunRunning
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{full}})
	same(t, "those left", dueIDs(t, s, noon().Add(time.Hour), 0), []string{"run_5", "run_6"})
}

func dueInOrder(t *testing.T, s engine.Store) {
	withRuns(t, s)
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{
		sleeper("run_1", 4*time.Second), queued("run_2", 3*time.Second), sleeper("run_9", 2*time.Second),
		sleeper("run_4", time.Second), queued("run_8", time.Second), queued("run_5", time.Second), queued("run_6", 9*time.Second),
	}})
	by := noon().Add(4 * time.Second)
	want := []string{"run_4", "run_5", "run_8", "run_9", "run_2", "run_1", "run_6"}
	for limit := 1; limit <= len(want); limit++ {
		same(t, fmt.Sprintf("the first %d", limit), dueIDs(t, s, by, limit), want[:limit])
	}
	var many engine.Batch
	for i := range 101 {
		many.Runs = append(many.Runs, sleeper(fmt.Sprintf("run_x%03d", i), 0))
	}
	commit(t, s, many)
	same(t, "a page unless told", len(dueIDs(t, s, by, 0)), 100)
	same(t, "more than a page", len(dueIDs(t, s, by, 1000)), 108)
}

// dueBySignal: a run that waits has something to do when a signal was sent that
// it has not heard, whenever it wakes.
func dueBySignal(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_0")
	forever := plainRun("run_1")
	forever.Status = engine.RunWaiting
	done := plainRun("run_3")
	done.Status = engine.RunSucceeded
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{forever, sleeper("run_2", time.Hour), done, sleeper("run_4", -time.Minute)}})
	var sent []engine.Signal
	for i, run := range []string{"run_2", "run_1", "run_0", "run_3", "run_4", "run_1"} {
		sig := signal(run, strconv.Itoa(i))
		sig.At = noon().Add(time.Duration(i) * time.Second)
		sent = append(sent, sig)
	}
	same(t, "before", dueIDs(t, s, noon(), 0), []string{"run_4"})
	commit(t, s, engine.Batch{Signals: sent})
	same(t, "after", dueIDs(t, s, noon(), 0), []string{"run_4", "run_2", "run_1"})
	commit(t, s, engine.Batch{Signals: []engine.Signal{taken(sent[0], 1), taken(sent[1], 1)}})
	same(t, "heard in part", dueIDs(t, s, noon(), 0), []string{"run_4", "run_1"})
	commit(t, s, engine.Batch{Signals: []engine.Signal{taken(sent[5], 2)}})
	same(t, "heard", dueIDs(t, s, noon(), 0), []string{"run_4"})
}

// dueFairly: playbooks take turns, and the groups of a playbook do.
func dueFairly(t *testing.T, s engine.Store) {
	withRuns(t, s)
	of := func(r engine.RunRecord, playbook, group string) engine.RunRecord {
		r.Playbook, r.Group = playbook, group
		return r
	}
	var runs []engine.RunRecord
	for i := range 4 {
		runs = append(runs, of(queued(fmt.Sprintf("run_a%d", i), time.Duration(i)*time.Second), "a", "a/x"))
	}
	runs = append(runs,
		of(queued("run_b0", 10*time.Second), "b", ""), of(sleeper("run_b1", 11*time.Second), "b", "b/x"),
		of(queued("run_a8", 12*time.Second), "a", "a/y"), of(sleeper("run_a9", 13*time.Second), "a", "a/x"))
	commit(t, s, engine.Batch{Runs: runs})
	want := []string{"run_a0", "run_b0", "run_b1", "run_a8", "run_a9", "run_a1", "run_a2", "run_a3"}
	for limit := 1; limit <= len(want); limit++ {
		same(t, fmt.Sprintf("the first %d", limit), dueIDs(t, s, noon().Add(time.Minute), limit), want[:limit])
	}
}

// togetherWithARun: what belongs to a change is there with the step, or not at all.
func togetherWithARun(t *testing.T, s engine.Store) {
	withRuns(t, s)
	write := func(id, key string) engine.Batch {
		return engine.Batch{
			Runs: []engine.RunRecord{withKey(id, key)}, Events: journal(id, 1, 1), Steps: []engine.StepRecord{plainStep(id, "give")},
			Grants: []engine.Grant{plainGrant("gnt_1", id)}, Holds: []engine.Hold{hold("hld_1")}, Signals: []engine.Signal{signal(id, "sig_1")},
			Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1", Run: id, At: noon()}},
		}
	}
	commit(t, s, write("run_1", "k"))
	refused(t, s, write("run_2", "k"), engine.ErrDuplicate)  // its key
	refused(t, s, write("run_2", "k2"), engine.ErrDuplicate) // its delivery
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_1"})
	same(t, "the grant", must[engine.Grant](t)(s.Grant(t.Context(), "gnt_1")), plainGrant("gnt_1", "run_1"))
	same(t, "the signals", signalIDs(t, s, "run_1"), []string{"sig_1"})
	same(t, "the holds", holdIDs(t, s, false), []string{"hld_1"})
	same(t, "the steps", stepPaths(t, s, engine.StepQuery{Run: "run_1"}), []string{"give#1"})
	keyOf(t, s, "k2", "")
}
