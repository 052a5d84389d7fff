package enginetest

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

// freeze stops every change.
func (s *scene) freeze(reason string) {
	s.Helper()
	f := engine.Freeze{ID: "frz_1", Reason: reason, By: by("carol"), At: time.Now().UTC()}
	if err := s.store.Commit(s.Context(), engine.Batch{Freezes: []engine.Freeze{f}}); err != nil {
		s.Fatal(err)
	}
}

// thaw lets changes happen again.
func (s *scene) thaw() {
	s.Helper()
	f, err := s.store.Frozen(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	now, who := time.Now().UTC(), by("alice")
	f.ThawedAt, f.ThawedBy, f.ThawReason = &now, &who, "it is over"
	if err := s.store.Commit(s.Context(), engine.Batch{Freezes: []engine.Freeze{f}}); err != nil {
		s.Fatal(err)
	}
}

// testFreeze is about the brake.
func testFreeze(t *testing.T, r Runtime) {
	play(t, r, "before the first change", func(s *scene) {
		s.freeze("an incident")
		record := s.run(lockEachWith("", "1"), nil)
		s.want(record, engine.RunBlocked)
		if record.Error == nil || record.Error.Code != engine.CodeFrozen || !strings.Contains(record.Error.Message, "carol: an incident") {
			s.Errorf("it does not say who froze it and why: %+v", record.Error)
		}
		s.wantWorld()
		s.want(s.run(lookOne, nil), engine.RunSucceeded)
		s.thaw()
		s.want(s.run(lockOne, nil), engine.RunSucceeded)
	})
	play(t, r, "in the middle", func(s *scene) {
		s.world.Script("lock b", Fault{Takes: 5 * time.Second})
		d := s.begin(lockEachWith("", "1"))
		s.freeze("an incident")
		record := <-d.result
		s.want(record, engine.RunBlocked)
		s.wantWorld("lock a", "lock b")
		if got := s.items(record.ID, "each"); !equal(got, []string{"a done", "b done", "c refused", "d refused"}) {
			s.Errorf("the items are %q", got)
		}
	})
	play(t, r, "no approval lets anything through", func(s *scene) {
		s.guard.Limits = asking(2)
		record := s.run(lockEachWith("", "1"), nil)
		s.approve(record.ID, "carol")
		s.freeze("an incident")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunBlocked)
		s.wantWorld()
	})
	play(t, r, "an undo takes back access that was given, and gives none back", func(s *scene) {
		s.world.turn("a", locked)
		gave := s.run("name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n", nil)
		took := s.run("name: main\nsteps:\n  - uses: world.lock\n    with: { id: b }\n", nil)
		s.freeze("an incident")
		s.want(s.undo(gave.ID), engine.RunSucceeded)
		s.want(s.undo(took.ID), engine.RunBlocked)
		s.wantWorld("unlock a", "lock b", "lock a")
		s.want(s.run(lockOpenWith(1, ""), nil), engine.RunBlocked) // taking access is no undo by itself
	})
	play(t, r, "an undo that needs an approval takes back access too", func(s *scene) {
		s.world.turn("a", locked)
		gave := s.run("name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n", nil)
		s.mandatory(guard.PolicyApproval{})
		s.freeze("an incident")
		record := s.undo(gave.ID)
		s.want(record, engine.RunWaiting)
		s.approve(record.ID, "carol")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("unlock a", "lock a")
	})
}

func (s *scene) budget(changes int64) {
	s.guard.Budget = &guard.Budget{Changes: changes, Per: 24 * time.Hour}
}

func lockThis(id string) string {
	return "name: main\nsteps:\n  - id: lock\n    uses: world.lock\n    with: { id: " + id + " }\n"
}

// testBudget is about what all runs together may change.
func testBudget(t *testing.T, r Runtime) {
	play(t, r, "over several runs, and a day later it is there again", func(s *scene) {
		s.budget(2)
		s.want(s.run(lockThis("a"), nil), engine.RunSucceeded)
		s.want(s.run(lockThis("b"), nil), engine.RunSucceeded)
		record := s.run(lockThis("c"), nil)
		s.want(record, engine.RunBlocked)
		s.wantFailure(record, engine.ClassRefused, engine.CodeBudget, "")
		s.wait(25 * time.Hour)
		s.want(s.run(lockThis("c"), nil), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c")
	})
	play(t, r, "over it, nothing is changed", func(s *scene) {
		s.budget(3)
		s.want(s.run(lockEachWith("", "1"), nil), engine.RunBlocked)
		s.wantWorld()
	})
	play(t, r, "one target is one, however often a run changes it", func(s *scene) {
		s.budget(1)
		s.want(s.run(lockUnlock, nil), engine.RunSucceeded)
		s.wantWorld("lock a", "unlock a", "lock a")
	})
	play(t, r, "concurrent runs do not overspend", func(s *scene) {
		s.budget(2)
		e := s.process(&Life{})
		var group errgroup.Group
		for _, id := range []string{"a", "b", "c", "d"} {
			s.world.Script("lock "+id, Fault{Takes: time.Second})
			run := s.start(e, lockThis(id), nil)
			group.Go(func() error {
				_, err := e.Drive(s.Context(), run)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			s.Fatal(err)
		}
		if done := s.world.Done(); len(done) != 2 {
			s.Errorf("in the world was done %q", done)
		}
	})
}

// testSameTarget is about two runs that want the same.
func testSameTarget(t *testing.T, r Runtime) {
	play(t, r, "the second waits, and then finds nothing to do", func(s *scene) {
		s.world.Script("lock a", Fault{Takes: 5 * time.Second})
		e := s.process(&Life{})
		runs := []string{s.start(e, lockOne, nil), s.start(e, lockOne, nil)}
		var group errgroup.Group
		for _, run := range runs {
			group.Go(func() error {
				_, err := e.Drive(s.Context(), run)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			s.Fatal(err)
		}
		outcomes := []string{string(s.step(runs[0], "lock").Outcome), string(s.step(runs[1], "lock").Outcome)}
		if !equal(sorted(outcomes), []string{"done", "unchanged"}) || s.world.overlap {
			s.Errorf("they ended %q, both at once: %v", outcomes, s.world.overlap)
		}
		s.wantWorld("lock a")
	})
	play(t, r, "of two saved plans, the second is refused", func(s *scene) {
		e := s.process(&Life{})
		var plans []engine.PlanRecord
		for range 2 {
			plan, err := e.Plan(s.Context(), s.request(lockOne, nil))
			if err != nil {
				s.Fatal(err)
			}
			plans = append(plans, plan)
		}
		s.want(s.apply(e, plans[0]), engine.RunSucceeded)
		s.want(s.apply(e, plans[1]), engine.RunDrifted)
		s.wantWorld("lock a")
	})
	play(t, r, "the second wants it otherwise: it waits, and begins with what it then finds", func(s *scene) {
		s.world.Script("lock a", Fault{Takes: 5 * time.Second})
		d := s.begin(lockOne)
		record := s.drive(d.engine, s.start(d.engine, strings.Replace(lockThis("a"), "world.lock", "world.erase", 1), nil))
		s.want(<-d.result, engine.RunSucceeded)
		s.want(record, engine.RunSucceeded)
		if got := s.step(record.ID, "lock"); string(got.Before) != `{"state":"locked"}` {
			s.Errorf("it was %s before", got.Before)
		}
		s.wantWorld("lock a", "erase a")
	})
}

const lockCounted = `
name: main
%GUARD%
steps:
  - id: all
    uses: world.census
  - id: each
    foreach: steps.all.accounts | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
`

// testPercent is about the share of all accounts.
func testPercent(t *testing.T, r Runtime) {
	counted := func(guard string) string { return strings.Replace(lockCounted, "%GUARD%", guard, 1) }
	for _, c := range []struct {
		name    string
		guard   string
		more    int // other accounts, beside the four that are open
		counted *int64
		want    engine.RunStatus
	}{
		{"four of eighty are 5 percent", "", 76, nil, engine.RunSucceeded},
		{"four of seventy-nine are more", "", 75, nil, engine.RunBlocked},
		{"four of four are more", "", 0, nil, engine.RunBlocked},
		{"a playbook lowers it", "guard: { max_percent: 1 }", 100, nil, engine.RunBlocked},
		{"a population that is empty blocks", "", 0, new(int64), engine.RunBlocked},
	} {
		play(t, r, c.name, func(s *scene) {
			s.world.crowd(c.more)
			s.world.counted = c.counted
			record := s.run(counted(c.guard), nil)
			s.want(record, c.want)
			if c.want == engine.RunBlocked {
				s.wantFailure(record, engine.ClassRefused, engine.CodeMaxPercent, "")
				s.wantWorld()
			}
		})
	}
	play(t, r, "three are never too many", func(s *scene) {
		s.world.turn("d", locked)
		s.want(s.run(counted(""), nil), engine.RunSucceeded)
	})
	play(t, r, "an explicit percentage of nobody knows how many blocks", func(s *scene) {
		record := s.run(lockEachWith("guard: { max_percent: 50 }", "1"), nil)
		s.want(record, engine.RunBlocked)
		s.wantWorld()
	})
	play(t, r, "a retry knows the population its run has counted", func(s *scene) {
		s.world.crowd(10)
		s.guard.MaxPercent = new(float64)
		*s.guard.MaxPercent = 50
		s.world.Script("lock b", Fault{Err: broken()})
		run := s.run(counted(""), nil)
		s.want(run, engine.RunPartial)
		s.want(s.retry(run.ID), engine.RunSucceeded)
	})
}
