package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	bundleHash = "b0"
	setRef     = engine.Reference("s0") // of the change set
)

// noon is when everything in the suite happens.
func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC) }

func pointer[T any](v T) *T { return &v }

func bundle() engine.Bundle {
	return engine.Bundle{Hash: bundleHash, Name: "contain", Data: []byte("name: contain\n")}
}

func changeSet() engine.StoredValue {
	return engine.StoredValue{Ref: setRef, Data: []byte(`{"changes":[]}`)}
}

// plainRun is a run with nothing optional in it.
func plainRun(id string) engine.RunRecord {
	return engine.RunRecord{
		ID: id, Playbook: "contain", Hash: bundleHash, Status: engine.RunRunning,
		Actor: engine.Actor{Name: "alice", Via: "cli"}, Attempt: 1, MaxChanges: pointer(int64(3)), Connections: []byte(`{"op":"onepassword ACCOUNT"}`), Semantics: 1, CreatedAt: noon(),
	}
}

func failure() *engine.Failure {
	return &engine.Failure{
		Class: engine.ClassTransient, Code: "rate_limited", Message: "too many requests",
		Step: "contain[a]/suspend", NotBefore: noon().Add(time.Second),
	}
}

// fullRun is a run with everything optional in it.
func fullRun(id string) engine.RunRecord {
	r := plainRun(id)
	r.Status = engine.RunFailed
	r.Inputs, r.Trigger, r.Outputs = json.RawMessage(`{"window":"24h"}`), json.RawMessage(`null`), json.RawMessage(`{"n": 5}`)
	r.Error, r.FinishedAt, r.WakeAt = failure(), pointer(noon().Add(time.Minute)), pointer(noon().Add(time.Hour))
	r.Starters, r.Plan, r.UndoOf, r.RetryOf = []string{"alice", "bob"}, "plan_1", "run_8", "run_9"
	r.Lifted, r.ChangeSet, r.Strict, r.Key = "the whole tenant was hit", setRef, true, "key of "+id
	return r
}

func plainStep(run, path string) engine.StepRecord {
	return engine.StepRecord{Run: run, Path: path, Attempt: 1, Form: "set", Status: engine.StepStarted, StartedAt: noon()}
}

func fullStep(run, path string) engine.StepRecord {
	s := plainStep(run, path)
	s.Form, s.Action, s.Effect, s.Connection = "uses", "user.suspend", engine.Change, "1password"
	s.Status, s.Outcome, s.Target = engine.StepFailed, engine.OutcomeFailed, &engine.Target{ID: "U1", Name: "Alice"}
	s.Before, s.After = json.RawMessage(`{"state":"active"}`), json.RawMessage(`{"state":"suspended"}`)
	s.Arguments, s.Inverse = "9f86d0", json.RawMessage(`{"action":"user.reactivate","inputs":{"id":"U1"}}`)
	s.Why, s.Of = "guessed-then-in: failed 7", "run_9"
	s.Error, s.EndedAt = failure(), pointer(noon().Add(time.Second))
	return s
}

// plainPlan is a plan with nothing optional in it.
func plainPlan(id string) engine.PlanRecord {
	return engine.PlanRecord{
		ID: id, Playbook: "contain", Hash: bundleHash, Actor: engine.Actor{Name: "alice", Via: "cli"}, Semantics: 1,
		Set: setRef, Digest: "d0", Shown: "d1", CreatedAt: noon(),
	}
}

// fullPlan is a plan with everything optional in it.
func fullPlan(id string) engine.PlanRecord {
	p := plainPlan(id)
	p.Source, p.UndoOf, p.Lifted = "contain.yaml", "run_1", "the whole tenant was hit"
	p.Inputs, p.Connections = json.RawMessage(`{"window":"24h"}`), json.RawMessage(`{"op":"onepassword ACCOUNT"}`)
	p.MaxChanges, p.Pending, p.Complete, p.Blocked = pointer(int64(3)), 7, true, failure()
	return p
}

func answer(owner, path, arguments string) engine.Answer {
	return engine.Answer{Owner: owner, Path: path, Arguments: arguments, Value: setRef, At: noon()}
}

// plainApproval is an approval with nothing optional in it.
func plainApproval(id, run string) engine.Approval {
	return engine.Approval{
		ID: id, Run: run, Kind: engine.ApprovalStep, Title: "Suspend them?", Needs: 1, Status: engine.ApprovalPending, Round: 1,
		Set: setRef, Digest: "d0", Shown: "d1", CreatedAt: noon(),
	}
}

// fullApproval is an approval with everything optional in it.
func fullApproval(id, run string) engine.Approval {
	a := plainApproval(id, run)
	a.Path, a.Kind, a.By, a.Notify, a.Status = "ask", engine.ApprovalGuard, []string{"bob", "group:security"}, "slack", engine.ApprovalApproved
	a.Needs, a.Round, a.Excluded = 2, 3, []string{"contain[a]/suspend"}
	a.Votes = []engine.Vote{
		{Person: "bob", User: "bob", Via: "cli", Approve: true, Round: 3, Digest: "d0", Except: []string{"contain[a]/suspend"}, Reason: "known", At: noon()},
		{Person: "carol", User: "c", Via: "api", Proven: true, Round: 2, Digest: "d0", At: noon().Add(time.Second)},
	}
	a.ExpiresAt, a.ToldAt, a.DecidedAt = pointer(noon().Add(time.Hour)), pointer(noon().Add(time.Second)), pointer(noon().Add(time.Minute))
	return a
}

func freeze(id string) engine.Freeze {
	return engine.Freeze{ID: id, Reason: "something is wrong", By: engine.Actor{Name: "alice", Via: "cli"}, At: noon()}
}

// thawed is a freeze that somebody has ended.
func thawed(id string) engine.Freeze {
	f := freeze(id)
	f.ThawedBy, f.ThawReason, f.ThawedAt = &engine.Actor{Name: "bob", Via: "cli"}, "all is well", pointer(noon().Add(time.Hour))
	return f
}

// plainGrant is a grant with nothing optional in it.
func plainGrant(id, run string) engine.Grant {
	return engine.Grant{
		ID: id, Run: run, Path: "give", Playbook: "contain", Action: "group.add", Access: engine.Gives, Connection: "op",
		Target: engine.Target{ID: "U1"}, State: engine.GrantArmed, EndsAt: noon().Add(4 * time.Hour), NextTry: noon().Add(4 * time.Hour),
		CreatedAt: noon(),
	}
}

// fullGrant is a grant with everything optional in it.
func fullGrant(id, run string) engine.Grant {
	g := plainGrant(id, run)
	g.Access, g.AtEnd, g.State, g.Fingerprint, g.Target.Name = engine.Takes, "ask", engine.GrantAsking, "onepassword ACCOUNT", "Alice"
	g.Inverse, g.Before, g.After = json.RawMessage(`{"action":"group.remove"}`), json.RawMessage(`{"member":false}`), json.RawMessage(`{"member":true}`)
	g.Lasts, g.Tries, g.Error, g.Approval = 4*time.Hour+time.Microsecond, 7, failure(), "appr_1"
	g.Most, g.Warn = 8*time.Hour+time.Microsecond, 15*time.Minute+time.Microsecond
	g.WarnedAt, g.AlarmedAt = pointer(noon().Add(time.Hour)), pointer(noon().Add(2*time.Hour))
	g.StartedAt, g.EndedAt = pointer(noon().Add(time.Second)), pointer(noon().Add(3*time.Hour))
	g.EndedBy, g.Reason = "bob", "the case is closed"
	return g
}

func hold(id string) engine.Hold {
	return engine.Hold{ID: id, Connection: "op", Target: "U1", Reason: "evidence", By: engine.Actor{Name: "alice", Via: "cli"}, At: noon()}
}

// released is a hold that somebody has released.
func released(id string) engine.Hold {
	h := hold(id)
	h.ReleasedBy, h.ReleaseReason, h.ReleasedAt = &engine.Actor{Name: "bob", Via: "cli"}, "copied", pointer(noon().Add(time.Hour))
	return h
}

func signal(run, id string) engine.Signal {
	return engine.Signal{Run: run, ID: id, Name: "approved", Body: json.RawMessage(`{"ok":true}`), By: engine.Actor{Name: "alice", Via: "cli"}, At: noon()}
}

// withKey is a plain run with an idempotency key.
func withKey(id, key string) engine.RunRecord {
	r := plainRun(id)
	r.Key = key
	return r
}

func item(run string, index int) engine.ItemRecord {
	return engine.ItemRecord{
		Run: run, Path: "contain", Index: index, Key: fmt.Sprintf("U%d", index), Label: fmt.Sprintf("u%d@example.com", index),
		Outcome: engine.OutcomeDone, EndedAt: noon(),
	}
}

func event(run string, seq uint64) engine.Event {
	return engine.Event{Run: run, Seq: seq, At: noon(), Kind: "step_done", Data: json.RawMessage(fmt.Sprintf(`{"seq":%d}`, seq))}
}

// journal is the events from one sequence number to another.
func journal(run string, from, to uint64) []engine.Event {
	var out []engine.Event
	for seq := from; seq <= to; seq++ {
		out = append(out, event(run, seq))
	}
	return out
}

// commit writes a batch or ends the test.
func commit(t *testing.T, s engine.Store, b engine.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatalf("committing: %v", err)
	}
}

// withRuns writes plain runs, their bundle and a change set.
func withRuns(t *testing.T, s engine.Store, ids ...string) {
	t.Helper()
	b := engine.Batch{Bundles: []engine.Bundle{bundle()}, Values: []engine.StoredValue{changeSet()}}
	for _, id := range ids {
		b.Runs = append(b.Runs, plainRun(id))
	}
	commit(t, s, b)
}

// refused commits a batch that must fail with that error.
func refused(t *testing.T, s engine.Store, b engine.Batch, want error) {
	t.Helper()
	if err := s.Commit(t.Context(), b); !errors.Is(err, want) {
		t.Errorf("committing: got the error %v, want %v", err, want)
	}
}

// must unwraps the result of a read or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		return v
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: got + instead of -\n%s", what, diff)
	}
}

// seqs are the sequence numbers of a run's journal.
func seqs(t *testing.T, s engine.Store, run string) []uint64 {
	t.Helper()
	var out []uint64
	for _, e := range must[[]engine.Event](t)(s.Events(t.Context(), run, 0)) {
		out = append(out, e.Seq)
	}
	return out
}

func runIDs(t *testing.T, s engine.Store, q engine.RunQuery) []string {
	t.Helper()
	var out []string
	for _, r := range must[[]engine.RunRecord](t)(s.Runs(t.Context(), q)) {
		out = append(out, r.ID)
	}
	return out
}

func stepPaths(t *testing.T, s engine.Store, q engine.StepQuery) []string {
	t.Helper()
	var out []string
	for _, st := range must[[]engine.StepRecord](t)(s.Steps(t.Context(), q)) {
		out = append(out, fmt.Sprintf("%s#%d", st.Path, st.Attempt))
	}
	return out
}

func indexes(t *testing.T, s engine.Store, q engine.ItemQuery) []int {
	t.Helper()
	var out []int
	for _, it := range must[[]engine.ItemRecord](t)(s.Items(t.Context(), q)) {
		out = append(out, it.Index)
	}
	return out
}
