package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func signalIDs(t *testing.T, s engine.Store, run string) []string {
	t.Helper()
	var out []string
	for _, sig := range must[[]engine.Signal](t)(s.Signals(t.Context(), run)) {
		out = append(out, sig.ID)
	}
	return out
}

// taken is a signal that became an event of its run.
func taken(sig engine.Signal, seq uint64) engine.Signal {
	sig.Taken = seq
	return sig
}

func signals(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	first, second, early, bare := signal("run_1", "b"), signal("run_1", "a"), signal("run_1", "c"), signal("run_2", "b")
	early.At, bare.Body = noon().Add(-time.Second), nil
	written := first
	written.At, written.Body = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60)), append(json.RawMessage(nil), first.Body...)
	commit(t, s, engine.Batch{Signals: []engine.Signal{written, second, bare}})
	commit(t, s, engine.Batch{Signals: []engine.Signal{early}})
	written.Body[0] = 'X'
	list := func(run string) []engine.Signal { return must[[]engine.Signal](t)(s.Signals(t.Context(), run)) }
	list("run_1")[0].Body[0] = 'Y'
	same(t, "the signals", list("run_1"), []engine.Signal{early, first, second})
	same(t, "those of the other run", list("run_2"), []engine.Signal{bare})

	commit(t, s, engine.Batch{Events: journal("run_1", 1, 1), Signals: []engine.Signal{taken(first, 1)}})
	same(t, "after one was taken", signalIDs(t, s, "run_1"), []string{"c", "a"})
	same(t, "those of the other run", signalIDs(t, s, "run_2"), []string{"b"})
}

// signalsOnce: a sender that repeats itself is heard once, before and after the
// run has taken its signal.
func signalsOnce(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	sig := signal("run_1", "a")
	again := sig
	again.At, again.By.Name = noon().Add(time.Hour), "bob"
	commit(t, s, engine.Batch{Signals: []engine.Signal{sig, again}})
	commit(t, s, engine.Batch{Signals: []engine.Signal{again}})
	same(t, "the signals", must[[]engine.Signal](t)(s.Signals(t.Context(), "run_1")), []engine.Signal{sig})
	commit(t, s, engine.Batch{Signals: []engine.Signal{taken(again, 7)}})
	same(t, "taken", signalIDs(t, s, "run_1"), []string(nil))
	commit(t, s, engine.Batch{Signals: []engine.Signal{again}})
	same(t, "sent again", signalIDs(t, s, "run_1"), []string(nil))
}

func signalsConflict(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	sig := signal("run_1", "a")
	commit(t, s, engine.Batch{Signals: []engine.Signal{sig}})
	for name, change := range map[string]func(*engine.Signal){
		"another body": func(s *engine.Signal) { s.Body = json.RawMessage(`{"ok":false}`) },
		"no body":      func(s *engine.Signal) { s.Body = nil },
		"another name": func(s *engine.Signal) { s.Name = "denied" },
	} {
		other, free := sig, signal("run_1", "b")
		change(&other)
		t.Run(name, func(t *testing.T) {
			refused(t, s, engine.Batch{Signals: []engine.Signal{free, other}}, engine.ErrConflict)
			refused(t, s, engine.Batch{Signals: []engine.Signal{free, taken(other, 3)}}, engine.ErrConflict)
			other.ID = free.ID
			refused(t, s, engine.Batch{Signals: []engine.Signal{free, other}}, engine.ErrConflict) // within a batch
		})
	}
	same(t, "the signals", must[[]engine.Signal](t)(s.Signals(t.Context(), "run_1")), []engine.Signal{sig})
	other := signal("run_2", "a")
	other.Body = nil
	commit(t, s, engine.Batch{Signals: []engine.Signal{other}}) // an id is of one run
}

func schedules(t *testing.T, s engine.Store) {
	plain := engine.ScheduleState{ID: "sweep/1", Playbook: "sweep", Spec: "0 2 * * * Europe/Berlin", LastAt: noon()}
	paused := engine.ScheduleState{
		ID: "sweep/0", Playbook: "sweep", Spec: "@every 5m", LastAt: noon(), PausedAt: pointer(noon().Add(time.Hour)), PausedBy: "alice", Reason: "a holiday",
	}
	written := plain
	written.LastAt = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Schedules: []engine.ScheduleState{written, paused, {ID: "new/0"}}})
	list := func() []engine.ScheduleState { return must[[]engine.ScheduleState](t)(s.Schedules(t.Context())) }
	*list()[1].PausedAt = time.Now()
	same(t, "the schedules", list(), []engine.ScheduleState{{ID: "new/0"}, paused, plain})

	plain, paused = paused, plain // each the other way round
	plain.ID, paused.ID, paused.Playbook, paused.LastAt = paused.ID, plain.ID, "other", noon().Add(time.Hour)
	commit(t, s, engine.Batch{Schedules: []engine.ScheduleState{plain, paused}})
	same(t, "replaced", list(), []engine.ScheduleState{{ID: "new/0"}, paused, plain})
}

// throttles: in the far future, since one that is past may be forgotten.
func throttles(t *testing.T, s engine.Store) {
	far := noon().AddDate(100, 0, 0)
	okta, op := engine.Throttle{Connection: "okta", Until: far}, engine.Throttle{Connection: "op", Until: far.Add(time.Hour)}
	list := func() []engine.Throttle { return must[[]engine.Throttle](t)(s.Throttles(t.Context())) }
	commit(t, s, engine.Batch{Throttles: []engine.Throttle{op, okta}})
	same(t, "the throttles", list(), []engine.Throttle{okta, op})
	okta.Until = far.Add(2*time.Hour + time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Throttles: []engine.Throttle{okta}})
	okta.Until = far.Add(2 * time.Hour)
	same(t, "replaced", list(), []engine.Throttle{okta, op})
}

// lastUses: a step that went through two connections used both.
func lastUses(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	same(t, "before any call", must[[]engine.Use](t)(s.LastUses(t.Context())), []engine.Use(nil))
	through := func(run, path, connection string, after time.Duration) engine.StepRecord {
		st := plainStep(run, path)
		st.Connection, st.StartedAt = connection, noon().Add(after)
		return st
	}
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{
		through("run_1", "users", "op", time.Minute),
		through("run_1", "dormant", "events, op", time.Hour),
		through("run_1", "review", "", 3*time.Hour),
		through("run_2", "users", "op", 2*time.Hour),
		through("run_2", "again", "op", time.Second),
	}})
	same(t, "the last uses", must[[]engine.Use](t)(s.LastUses(t.Context())), []engine.Use{
		{Connection: "events", At: noon().Add(time.Hour), Run: "run_1"},
		{Connection: "op", At: noon().Add(2 * time.Hour), Run: "run_2"},
	})
}

// deliveries: a call that is repeated is refused, with all that came with it.
func deliveries(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	call := func(hook, id, run string) engine.Batch {
		return engine.Batch{Deliveries: []engine.Delivery{{Hook: hook, ID: id, Run: run, At: noon()}}}
	}
	commit(t, s, call("alert", "d1", "run_1"))
	refused(t, s, call("alert", "d1", "run_1"), engine.ErrDuplicate)
	refused(t, s, call("alert", "d1", ""), engine.ErrDuplicate)
	again := call("alert", "d1", "run_2")
	again.Runs = []engine.RunRecord{plainRun("run_2")}
	refused(t, s, again, engine.ErrDuplicate)
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_1"})

	twice := call("alert", "d2", "")
	twice.Deliveries = append(twice.Deliveries, twice.Deliveries...)
	refused(t, s, twice, engine.ErrDuplicate)
	commit(t, s, call("alert", "d2", ""))
	commit(t, s, call("case", "d1", "run_1")) // an id is of one hook
}
