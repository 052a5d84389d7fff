package enginetest

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// testCalls is about one call: what is recorded of it, and answers that are none.
func testCalls(t *testing.T, r Runtime) {
	play(t, r, "the record of a change", func(s *scene) {
		record := s.run(lockOne, nil)
		s.want(record, engine.RunSucceeded)
		got := s.step(record.ID, "lock")
		want := engine.StepRecord{
			Run: record.ID, Path: "lock", Attempt: 1, Form: "uses", Action: "world.lock", Effect: engine.Change,
			Connection: connectionName, Status: engine.StepSucceeded, Outcome: engine.OutcomeDone,
		}
		if got.Target == nil || *got.Target != (engine.Target{ID: "a", Name: "Account a"}) || got.EndedAt == nil || got.Arguments == "" {
			s.Errorf("the record is incomplete: %+v", got)
		}
		if string(got.Before) != `{"state":"open"}` || string(got.After) != `{"state":"locked"}` ||
			string(got.Inverse) != `{"action":"world.unlock","inputs":{"id":"a"}}` {
			s.Errorf("it changed %s to %s, and back by %s", got.Before, got.After, got.Inverse)
		}
		got.Target, got.EndedAt, got.Arguments, got.Before, got.After, got.Inverse, got.StartedAt = nil, nil, "", nil, nil, nil, want.StartedAt
		if !sameRecord(got, want) {
			s.Errorf("the record is %+v, not %+v", got, want)
		}
	})
	play(t, r, "a change with nothing to do", func(s *scene) {
		s.run(lockOne, nil)
		record := s.run(lockOne, nil)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"changed":false}`)
		s.wantWorld("lock a")
		if got := s.step(record.ID, "lock"); got.Outcome != engine.OutcomeUnchanged || s.world.Calls("lock a") != 1 {
			s.Errorf("the outcome is %q after %d calls", got.Outcome, s.world.Calls("lock a"))
		}
	})
	testOddAnswers(t, r)
	for range 5 { // whichever comes first
		play(t, r, "two changes of one target at once", func(s *scene) { s.want(s.run(lockTwice, nil), engine.RunSucceeded) })
	}
	play(t, r, "two changes of one target", func(s *scene) {
		s.world.Script("lock a", Fault{Takes: time.Second})
		record := s.run(lockTwice, nil)
		s.want(record, engine.RunSucceeded)
		s.wantWorld("lock a")
		if s.world.overlap {
			s.Error("the target was changed by both at once")
		}
	})
}

// testOddAnswers is about actions that do not answer as they should.
func testOddAnswers(t *testing.T, r Runtime) {
	play(t, r, "an observation that crashes", func(s *scene) {
		s.world.Script("look a", Fault{Panic: true, Err: engine.Fail(engine.ClassPermanent, "x", "x")})
		record := s.run(lookOne, nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassPermanent, "crash", "look")
	})
	play(t, r, "a change that crashes behind its effect", func(s *scene) {
		s.world.Script("lock a", Fault{Panic: true})
		record := s.run(lockOne, nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassPermanent, "crash", "lock")
		s.wantWorld()
	})
	play(t, r, "an answer of the wrong shape", func(s *scene) {
		record := s.run("name: main\nsteps:\n  - id: odd\n    uses: world.odd\n", nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassPermanent, "outputs", "odd")
	})
	play(t, r, "a target that does not exist", func(s *scene) {
		record := s.run("name: main\nsteps:\n  - id: lock\n    uses: world.lock\n    with: { id: nobody }\n", nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassNotFound, "no_account", "lock")
	})
}

const lockTwice = `
name: main
steps:
  - parallel:
      one:
        - uses: world.lock
          with: { id: a }
      two:
        - uses: world.lock
          with: { id: a }
`

const lockOne = `
name: main
steps:
  - id: lock
    uses: world.lock
    with: { id: a }
outputs:
  changed: ${{ steps.lock.changed }}
`

const lookOne = `
name: main
steps:
  - id: look
    uses: world.look
    with: { id: a }
`

func sameRecord(a, b engine.StepRecord) bool {
	return a.Run == b.Run && a.Path == b.Path && a.Attempt == b.Attempt && a.Form == b.Form && a.Action == b.Action &&
		a.Effect == b.Effect && a.Connection == b.Connection && a.Status == b.Status && a.Outcome == b.Outcome && a.Error == b.Error
}
