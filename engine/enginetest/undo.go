package enginetest

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// undo plans to take back a run, and carries that out.
func (s *scene) undo(run string, items ...string) engine.RunRecord {
	s.Helper()
	return s.undoLifted(run, "", items...)
}

func (s *scene) undoLifted(run, lift string, items ...string) engine.RunRecord {
	s.Helper()
	e := s.process(&Life{})
	plan, err := e.PlanUndo(s.Context(), run, items, lift, tester())
	if err != nil {
		s.Fatalf("planning the undo: %v", err)
	}
	return s.apply(e, plan)
}

// apply applies a plan, and carries that out.
func (s *scene) apply(e Engine, plan engine.PlanRecord) engine.RunRecord {
	s.Helper()
	run, err := e.Apply(s.Context(), plan.ID, "", tester())
	if err != nil {
		s.Fatalf("applying: %v", err)
	}
	return s.drive(e, run)
}

// wantUndoes checks which runs have taken back a run, the newest first.
func (s *scene) wantUndoes(run string, want ...string) {
	s.Helper()
	undoes, err := s.store.Undoes(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, u := range undoes {
		got = append(got, u.ID)
	}
	if !equal(got, want) {
		s.Errorf("it was undone by %q, not %q", got, want)
	}
}

const lockUnlock = `
name: main
steps:
  - uses: world.lock
    with: { id: a }
  - uses: world.unlock
    with: { id: a }
  - uses: world.lock
    with: { id: a }
`

// testUndo is about taking back what a run has changed.
func testUndo(t *testing.T, r Runtime) {
	play(t, r, "newest first, and only what the run has changed", func(s *scene) {
		s.world.turn("b", locked)
		run := s.run(lockEachWith("", "1"), nil)
		e := s.process(&Life{})
		plan, err := e.PlanUndo(s.Context(), run.ID, nil, "", tester())
		if err != nil || plan.UndoOf != run.ID || plan.Pending != 3 || !plan.Complete || plan.Blocked != nil {
			s.Fatalf("the plan is %+v: %v", plan, err)
		}
		s.wantUndoes(run.ID)
		s.wantWorld("lock a", "lock c", "lock d", "tell behind")
		record := s.apply(e, plan)
		s.want(record, engine.RunSucceeded)
		s.wantWorld("lock a", "lock c", "lock d", "tell behind", "unlock d", "unlock c", "unlock a")
		s.wantUndoes(run.ID, record.ID)
	})
	play(t, r, "changes of one target are taken back in turn", func(s *scene) {
		run := s.run(lockUnlock, nil)
		s.want(s.undo(run.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "unlock a", "lock a", "unlock a", "lock a", "unlock a")
	})
	play(t, r, "what somebody has changed since is left alone", func(s *scene) {
		run := s.run(lockEachWith("", "1"), nil)
		s.world.turn("b", open)
		s.world.turn("c", erased)
		record := s.undo(run.ID)
		s.want(record, engine.RunPartial)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind", "unlock d", "unlock a")
	})
	play(t, r, "what somebody changes behind the plan is left alone too", func(s *scene) {
		run := s.run(lockEachWith("", "1"), nil)
		e := s.process(&Life{})
		plan, err := e.PlanUndo(s.Context(), run.ID, nil, "", tester())
		if err != nil {
			s.Fatal(err)
		}
		s.world.turn("b", erased)
		s.want(s.apply(e, plan), engine.RunPartial)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind", "unlock d", "unlock c", "unlock a")
	})
	play(t, r, "an undo is undone", func(s *scene) {
		run := s.run(lockOne, nil)
		undo := s.undo(run.ID)
		again := s.undo(undo.ID)
		s.want(again, engine.RunSucceeded)
		s.wantWorld("lock a", "unlock a", "lock a")
		s.wantUndoes(undo.ID, again.ID)
	})
	play(t, r, "some items of it", func(s *scene) {
		run := s.run(lockEachWith("", "1"), nil)
		s.want(s.undo(run.ID, "b", "each[d]"), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind", "unlock d", "unlock b")
		_, err := s.process(&Life{}).PlanUndo(s.Context(), run.ID, []string{"nobody"}, "", tester())
		s.refused(err, r.Refusals.Undo)
	})
	testUndoLimits(t, r)
	testUndoRefused(t, r)
}

func testUndoLimits(t *testing.T, r Runtime) {
	play(t, r, "its limits hold, unless they are lifted", func(s *scene) {
		run := s.run(lockEachWith("", "1"), nil)
		two := int64(2)
		s.guard.MaxChanges = &two
		record := s.undo(run.ID)
		s.want(record, engine.RunBlocked)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind")
		record = s.undoLifted(run.ID, "they are all at the door")
		s.want(record, engine.RunSucceeded)
		if record.Lifted != "they are all at the door" || len(s.world.Done()) != 9 {
			s.Errorf("it was lifted because of %q, and done was %q", record.Lifted, s.world.Done())
		}
	})
	play(t, r, "protection is not in its way", func(s *scene) {
		run := s.run(lockOne, nil)
		s.guard.Protect = []string{"a"}
		s.want(s.undo(run.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "unlock a")
	})
	play(t, r, "what has no way back is said, and the rest is taken back", func(s *scene) {
		run := s.run("name: main\nsteps:\n  - uses: world.lock\n    with: { id: a }\n  - uses: world.erase\n    with: { id: b }\n  - uses: world.lock\n    with: { id: c }\n", nil)
		s.want(s.undo(run.ID), engine.RunPartial)
		s.wantWorld("lock a", "erase b", "lock c", "unlock c", "unlock a")
	})
	play(t, r, "it survives the end of its process", func(s *scene) {
		run := s.run(lockEachWith("", "1"), nil)
		e := s.process(&Life{})
		plan, err := e.PlanUndo(s.Context(), run.ID, nil, "", tester())
		if err != nil {
			s.Fatal(err)
		}
		undo, err := e.Apply(s.Context(), plan.ID, "", tester())
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.decideAll(undo, func() Engine { return s.process(&Life{dieAt: 3, durable: true}) }), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind", "unlock d", "unlock c", "unlock b", "unlock a")
	})
}

func testUndoRefused(t *testing.T, r Runtime) {
	play(t, r, "what is not over, has changed nothing or is not there cannot be undone", func(s *scene) {
		e := s.process(&Life{})
		for _, run := range []string{s.run(lockOpenWith(1, ""), nil).ID, s.run(lookOne, nil).ID} {
			_, err := e.PlanUndo(s.Context(), run, nil, "", tester())
			s.refused(err, r.Refusals.Undo)
		}
		_, err := e.PlanUndo(s.Context(), "run_nobody", nil, "", tester())
		s.refused(err, engine.ErrNotFound)
	})
	play(t, r, "text that looks like an expression is none", func(s *scene) {
		s.world.join("${{ 1 }}")
		run := s.run("name: main\ninputs:\n  who: { type: string }\nsteps:\n  - uses: world.lock\n    with: { id: \"${{ inputs.who }}\" }\n", map[string]any{"who": "${{ 1 }}"})
		s.want(run, engine.RunSucceeded)
		s.want(s.undo(run.ID), engine.RunSucceeded)
		if got := strings.Join(s.world.Done(), "; "); got != "lock ${{ 1 }}; unlock ${{ 1 }}" {
			s.Errorf("in the world was done %s", got)
		}
	})
}
