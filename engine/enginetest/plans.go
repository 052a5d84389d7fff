package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// plan plans a playbook.
func (s *scene) plan(playbook string) engine.PlanRecord {
	s.Helper()
	plan, err := s.process(&Life{}).Plan(s.Context(), s.request(playbook, nil))
	if err != nil {
		s.Fatalf("planning: %v", err)
	}
	return plan
}

// cannotApply checks that a plan is refused, and nothing recorded or done.
func (s *scene) cannotApply(plan engine.PlanRecord, current string) {
	s.Helper()
	_, err := s.process(&Life{}).Apply(s.Context(), plan.ID, current, tester())
	s.refused(err, s.runtime.Refusals.Plan)
}

// testPlans is about seeing first, and then doing exactly that.
func testPlans(t *testing.T, r Runtime) {
	play(t, r, "a plan changes nothing and tells nobody", func(s *scene) {
		s.world.turn("b", locked)
		plan := s.plan(sweepAndTell)
		s.wantNothing()
		set := s.set(plan.Set)
		s.wantPending(set, "a", "c", "d")
		if plan.Pending != 3 || plan.Digest != set.Hash() || !plan.Complete || plan.Blocked != nil || len(set.Announcements) != 2 {
			s.Errorf("the plan is %+v with the messages %+v", plan, set.Announcements)
		}
		if again := s.plan(sweepAndTell); again.Digest != plan.Digest || again.ID == plan.ID {
			s.Errorf("planned again, the hash is %s and not %s", again.Digest, plan.Digest)
		}
		stored, err := s.store.Plan(s.Context(), plan.ID)
		if err != nil || stored.Digest != plan.Digest {
			s.Errorf("the store knows it as %+v: %v", stored, err)
		}
	})
	play(t, r, "it is applied exactly, and its observations answer the reads", func(s *scene) {
		plan := s.plan(sweepAndTell)
		s.world.join("e")
		record := s.apply(s.process(&Life{}), plan)
		s.want(record, engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock b", "lock c", "lock d", "tell done: 4")
		if n := s.world.Calls("list"); n != 1 || record.Plan != plan.ID {
			s.Errorf("the accounts were listed %d times, by a run of the plan %q", n, record.Plan)
		}
	})
	play(t, r, "what somebody has changed since is refused, also where it is as it shall be", func(s *scene) {
		plan := s.plan(lockEachWith("", "1"))
		s.world.turn("b", erased)
		s.world.turn("c", locked)
		record := s.apply(s.process(&Life{}), plan)
		s.want(record, engine.RunPartial)
		s.wantWorld("lock a", "lock d", "tell behind")
		if got := s.items(record.ID, "each"); !equal(got, []string{"a done", "b refused", "c refused", "d done"}) {
			s.Errorf("the items are %q", got)
		}
		if f := s.step(record.ID, "each[c]").Error; f == nil || f.Code != engine.CodeDrift || !strings.Contains(f.Message, `{"state":"open"}`) {
			s.Errorf("c was refused for %+v", f)
		}
		s.want(s.undo(record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock d", "tell behind", "unlock d", "unlock a")
	})
	play(t, r, "somebody undoes what was done already: it is none of the plan's", func(s *scene) {
		s.world.turn("a", locked)
		plan := s.plan(lockOne)
		s.world.turn("a", open)
		s.want(s.apply(s.process(&Life{}), plan), engine.RunDrifted)
		s.wantWorld()
	})
	testPlansOutside(t, r)
	testPlansRefused(t, r)
	testPlansOfParts(t, r)
}

func testPlansOutside(t *testing.T, r Runtime) {
	play(t, r, "where the plan could not see, the run stops", func(s *scene) {
		plan := s.plan(strings.Replace(lockFound, "%CAP%", "9", 1))
		set := s.set(plan.Set)
		s.wantPending(set, "a")
		if plan.Complete || len(set.Unforeseen) == 0 || !set.Unforeseen[0].Changes {
			s.Errorf("it claims to be complete: %v, and cannot foresee %+v", plan.Complete, set.Unforeseen)
		}
		record := s.apply(s.process(&Life{}), plan)
		s.want(record, engine.RunDrifted)
		s.wantWorld("lock a")
		if got := s.items(record.ID, "each"); !equal(got, []string{"b refused", "c refused", "d refused"}) {
			s.Errorf("the items are %q", got)
		}
	})
	play(t, r, "a read that fails while planning lets nothing in later", func(s *scene) {
		s.world.Script("list", Fault{Err: broken()})
		plan := s.plan(findAndLock)
		record := s.apply(s.process(&Life{}), plan)
		s.want(record, engine.RunDrifted)
		s.wantWorld()
	})
	play(t, r, "people cannot approve more than the plan", func(s *scene) {
		plan := s.plan(lockOpenWith(1, ""))
		s.world.turn("b", erased)
		s.world.join("e")
		e := s.process(&Life{})
		run, err := e.Apply(s.Context(), plan.ID, plan.Hash, tester())
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunWaiting)
		s.approve(run, "bob")
		s.want(s.drive(s.process(&Life{}), run), engine.RunPartial)
		s.wantWorld("lock a", "lock c", "lock d", "tell locked: true")
	})
	play(t, r, "people can leave out of a plan", func(s *scene) {
		plan := s.plan(lockOpenWith(1, ""))
		e := s.process(&Life{})
		run, err := e.Apply(s.Context(), plan.ID, plan.Hash, tester())
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunWaiting)
		if _, err := e.Decide(s.Context(), Decision{Approval: s.asked(run).ID, Actor: by("bob"), Approve: true, Except: []string{"c"}}); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunPartial)
		s.wantWorld("lock a", "lock b", "lock d", "tell locked: true")
	})
	play(t, r, "what the guard says against it is in the plan, and holds", func(s *scene) {
		plan := s.plan(lockEachWith("guard: { max_changes: 2 }", "1"))
		if plan.Blocked == nil || plan.Blocked.Code != engine.CodeMaxChanges {
			s.Errorf("the guard says %+v", plan.Blocked)
		}
		s.want(s.apply(s.process(&Life{}), plan), engine.RunBlocked)
		s.wantWorld()
	})
}

func testPlansRefused(t *testing.T, r Runtime) {
	play(t, r, "too old", func(s *scene) {
		plan := s.plan(lockOne)
		s.wait(24*time.Hour + time.Second)
		s.cannotApply(plan, plan.Hash)
		s.wantNothing()
	})
	play(t, r, "just not too old", func(s *scene) {
		plan := s.plan(lockOne)
		s.wait(24 * time.Hour)
		s.want(s.apply(s.process(&Life{}), plan), engine.RunSucceeded)
	})
	play(t, r, "twice", func(s *scene) {
		plan := s.plan(lockOne)
		s.want(s.apply(s.process(&Life{}), plan), engine.RunSucceeded)
		s.cannotApply(plan, plan.Hash)
		s.wantWorld("lock a")
	})
	play(t, r, "of another playbook", func(s *scene) {
		plan := s.plan(lockOne)
		s.cannotApply(plan, s.plan(lookOne).Hash)
		s.wantNothing()
	})
	play(t, r, "through other connections", func(s *scene) {
		plan := s.plan(lockOne)
		s.world.place = "somewhere else"
		s.cannotApply(plan, plan.Hash)
		s.wantNothing()
	})
	play(t, r, "that is not there", func(s *scene) {
		_, err := s.process(&Life{}).Apply(s.Context(), "plan_nobody", "", tester())
		s.refused(err, engine.ErrNotFound)
	})
}

const lockThroughCall = `
-- main.yaml --
name: main
steps:
  - uses: world.lock
    with: { id: a }
  - id: sub
    call: sub
    with: { who: b }
  - uses: world.tell
    with: { text: "${{ steps.sub.locked }}" }
-- sub.yaml --
name: sub
inputs:
  who: { type: string }
steps:
  - id: lock
    uses: world.lock
    with: { id: "${{ inputs.who }}" }
outputs:
  locked: ${{ steps.lock.account.id }}
`

func testPlansOfParts(t *testing.T, r Runtime) {
	play(t, r, "called playbooks", func(s *scene) {
		plan := s.plan(lockThroughCall)
		s.wantPending(s.set(plan.Set), "b", "a") // by their paths
		s.want(s.apply(s.process(&Life{}), plan), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "tell b")
	})
	play(t, r, "several changes of one target, each on top of the one before", func(s *scene) {
		plan := s.plan(lockUnlock)
		var states []string
		for _, c := range s.set(plan.Set).Changes {
			states = append(states, string(c.Before)+string(c.After))
		}
		opens, locks := `{"state":"locked"}{"state":"open"}`, `{"state":"open"}{"state":"locked"}`
		if !equal(states, []string{locks, opens, locks}) {
			s.Errorf("it would go through %q", states)
		}
		s.want(s.apply(s.process(&Life{}), plan), engine.RunSucceeded)
		s.wantWorld("lock a", "unlock a", "lock a")
	})
	for range 3 { // whichever comes first
		play(t, r, "two changes of one target at once", func(s *scene) {
			s.want(s.apply(s.process(&Life{}), s.plan(lockTwice)), engine.RunSucceeded)
			s.wantWorld("lock a")
		})
	}
	play(t, r, "a change nobody can read is no part of it", func(s *scene) {
		s.world.Script("read b", Fault{Err: broken()})
		plan := s.plan(lockEachWith("", "1"))
		s.wantPending(s.set(plan.Set), "a", "c", "d")
		s.want(s.apply(s.process(&Life{}), plan), engine.RunPartial)
		s.wantWorld("lock a", "lock c", "lock d", "tell behind")
	})
	if r.Brief {
		return
	}
	for n := 1; n < 25; n++ {
		play(t, r, fmt.Sprintf("dying with commit %d", n), func(s *scene) {
			plan := s.plan(sweepAndTell)
			run, err := s.process(&Life{}).Apply(s.Context(), plan.ID, plan.Hash, tester())
			if err != nil {
				s.Fatal(err)
			}
			life := &Life{dieAt: n, durable: n%2 == 0}
			s.want(s.decideAll(run, func() Engine {
				if life.Dead() {
					return s.process(&Life{})
				}
				return s.process(life)
			}), engine.RunSucceeded)
			if n := s.world.Calls("list"); n != 1 {
				s.Errorf("the accounts were listed %d times", n)
			}
		})
	}
}
