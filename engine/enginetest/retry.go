package enginetest

import (
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const sweepAndTell = `
name: main
steps:
  - id: all
    uses: world.list
  - uses: world.tell
    with: { text: begun }
  - id: each
    foreach: steps.all.accounts | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
  - id: last
    uses: world.lock
    with: { id: d }
  - uses: world.tell
    with: { text: "done: ${{ len(filter(steps.each.items, .outcome == \"done\")) }}" }
`

func broken() error { return engine.Fail(engine.ClassPermanent, "broken", "it is broken") }

// retry repeats what has failed in a run, and carries that out.
func (s *scene) retry(run string) engine.RunRecord {
	s.Helper()
	e := s.process(&Life{})
	again, err := e.Retry(s.Context(), run, tester())
	if err != nil {
		s.Fatalf("retrying: %v", err)
	}
	record := s.drive(e, again)
	if record.RetryOf != run {
		s.Errorf("it is a retry of %q", record.RetryOf)
	}
	return record
}

// testRetry is about runs that repeat what has failed in another.
func testRetry(t *testing.T, r Runtime) {
	play(t, r, "what is settled is not done again", func(s *scene) {
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(sweepAndTell, nil)
		s.want(run, engine.RunPartial)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3")
		record := s.retry(run.ID)
		s.want(record, engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3", "lock b")
		if n := s.world.Calls("list"); n != 1 {
			s.Errorf("the accounts were listed %d times", n)
		}
		if got := s.items(record.ID, "each"); !equal(got, []string{"a done", "b done", "c done", "d done"}) {
			s.Errorf("the items are %q", got)
		}
		if got := s.step(record.ID, "each[a]"); got.Of != run.ID {
			s.Errorf("the record of what was settled says it was done in %q", got.Of)
		}
	})
	play(t, r, "what drifted is done as it is now", func(s *scene) {
		e := s.process(&Life{})
		plan, err := e.Plan(s.Context(), s.request(sweepAndTell, nil))
		if err != nil {
			s.Fatal(err)
		}
		s.world.turn("b", erased)
		run := s.apply(e, plan)
		s.want(run, engine.RunPartial)
		s.want(s.retry(run.ID), engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3", "lock b")
	})
	play(t, r, "a retry that came to nothing loses nothing", func(s *scene) {
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(sweepAndTell, nil)
		s.freeze("stop")
		blocked := s.retry(run.ID)
		s.want(blocked, engine.RunBlocked)
		s.thaw()
		s.want(s.retry(blocked.ID), engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3", "lock b")
		if n := s.world.Calls("list"); n != 1 {
			s.Errorf("the accounts were listed %d times", n)
		}
	})
	play(t, r, "a run that asks people asks them again, about what is left", func(s *scene) {
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(lockOpenWith(1, ""), nil)
		s.approve(run.ID, "bob")
		s.want(s.drive(s.process(&Life{}), run.ID), engine.RunPartial)
		record := s.retry(run.ID)
		s.want(record, engine.RunWaiting)
		s.wantPending(s.set(s.asked(record.ID).Set), "b")
		s.world.join("e") // it is none of what has failed
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock c", "lock d", "tell locked: true", "lock b")
	})
	play(t, r, "what was settled does not count against the limits", func(s *scene) {
		three := int64(3)
		s.world.turn("d", locked)
		s.guard.MaxChanges = &three
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(sweepAndTell, nil)
		one := int64(1)
		s.guard.MaxChanges = &one
		s.want(s.retry(run.ID), engine.RunSucceeded)
	})
	play(t, r, "what is not over, or did not fail, cannot be retried", func(s *scene) {
		e := s.process(&Life{})
		for _, run := range []string{s.run(lockOpenWith(1, ""), nil).ID, s.run(lookOne, nil).ID} {
			_, err := e.Retry(s.Context(), run, tester())
			s.refused(err, r.Refusals.Retry)
		}
	})
	if r.Brief {
		return
	}
	play(t, r, "a retry survives the end of its process", func(s *scene) {
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(sweepAndTell, nil)
		again, err := s.process(&Life{}).Retry(s.Context(), run.ID, tester())
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.decideAll(again, func() Engine { return s.process(&Life{dieAt: 3, durable: true}) }), engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3", "lock b")
	})
}
