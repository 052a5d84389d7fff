package enginetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// verbs are what the audit trail says of an object, in order.
func (s *scene) verbs(object string) []string {
	s.Helper()
	trail, err := s.store.Audit(s.Context(), engine.AuditQuery{})
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, r := range trail {
		if r.Object == object {
			out = append(out, string(r.Verb))
		}
	}
	return out
}

func (s *scene) wantVerbs(object string, want ...string) {
	s.Helper()
	if got := s.verbs(object); !slices.Equal(got, want) {
		s.Errorf("the audit trail says of %s %q, not %q", object, got, want)
	}
}

// testGrantLimits is about how long grants may last, and who hears of their end.
func testGrantLimits(t *testing.T, r Runtime) {
	play(t, r, "it is extended within max, and not beyond", func(s *scene) {
		s.world.turn("a", locked)
		g := s.grant(s.run(openFor+"    max: 2h\n", nil).ID)
		if g.Most != 2*time.Hour {
			s.Errorf("it may last %s", g.Most)
		}
		e := s.process(&Life{})
		_, err := e.ExtendGrant(s.Context(), g.ID, g.StartedAt.Add(2*time.Hour+time.Second), by("bob"), "longer")
		s.refused(err, r.Refusals.Grant)
		if g, err = e.ExtendGrant(s.Context(), g.ID, g.StartedAt.Add(2*time.Hour), by("bob"), "longer"); err != nil {
			s.Fatal(err)
		}
		s.wantVerbs(g.ID, "grant.armed", "grant.started", "grant.extended")
		s.wait(3 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
		s.wantVerbs(g.ID, "grant.armed", "grant.started", "grant.extended", "grant.ended")
	})
	play(t, r, "one that would last longer than max is not given", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run("name: main\ninputs:\n  long: { type: duration, default: 3h }\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n    for: ${{ inputs.long }}\n    max: 2h\n", nil)
		s.want(record, engine.RunFailed)
		s.wantWorld()
		if got := s.grants(record.ID); len(got) != 0 {
			s.Errorf("there is a grant: %+v", got)
		}
	})
	play(t, r, "people are told once before its end, and again where it is extended", func(s *scene) {
		s.world.turn("a", locked)
		run := s.run(openFor+"    warn: 15m\n", nil).ID
		s.wait(44 * time.Minute)
		s.sweep()
		if g := s.grant(run); g.WarnedAt != nil {
			s.Errorf("people were told at %s", g.WarnedAt)
		}
		s.wait(2 * time.Minute)
		s.sweep()
		s.sweep()
		g := s.wantGrant(run, engine.GrantActive)
		s.wantVerbs(g.ID, "grant.armed", "grant.started", "grant.warned")
		if _, err := s.process(&Life{}).ExtendGrant(s.Context(), g.ID, g.EndsAt.Add(time.Hour), by("bob"), "longer"); err != nil {
			s.Fatal(err)
		}
		s.wait(time.Hour)
		s.sweep()
		s.wantVerbs(g.ID, "grant.armed", "grant.started", "grant.warned", "grant.extended", "grant.warned")
		s.wantWorld("unlock a")
		s.wait(time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "nobody is told of the end of one that another outlives, nor after the end", func(s *scene) {
		s.world.turn("a", locked)
		short := s.run(openFor+"    warn: 15m\n", nil).ID
		long := s.run("name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n    for: 3h\n    warn: 15m\n", nil).ID
		s.wait(50 * time.Minute)
		s.sweep()
		s.wait(4 * time.Hour)
		s.sweep()
		for _, run := range []string{short, long} {
			if g := s.wantGrant(run, engine.GrantEnded); g.WarnedAt != nil {
				s.Errorf("people were told of %s at %s", run, g.WarnedAt)
			}
		}
		s.wantWorld("unlock a", "lock a")
	})
	testGrantAlarms(t, r)
}

// testGrantAlarms is about grants that should have ended.
func testGrantAlarms(t *testing.T, r Runtime) {
	play(t, r, "it raises one alarm when it is overdue", func(s *scene) {
		s.world.turn("a", locked)
		run := s.run(openFor, nil).ID
		for range 100 {
			s.world.Script("lock a", Fault{Err: busy()})
		}
		s.wait(time.Hour)
		s.sweep()
		if g := s.grant(run); g.AlarmedAt != nil || g.Overdue(time.Now()) {
			s.Errorf("it is overdue at once: %+v", g)
		}
		for range 20 {
			s.wait(time.Minute)
			s.sweep()
		}
		g := s.wantGrant(run, engine.GrantActive)
		if g.AlarmedAt == nil || g.AlarmedAt.Sub(g.EndsAt) < engine.OverdueAfter || g.AlarmedAt.Sub(g.EndsAt) > 2*engine.OverdueAfter || !g.Overdue(time.Now()) {
			s.Errorf("it was due at %s and raised an alarm at %s", g.EndsAt, g.AlarmedAt)
		}
		s.wantVerbs(g.ID, "grant.armed", "grant.started", "grant.overdue")
	})
	play(t, r, "what people hold is not overdue", func(s *scene) {
		s.world.turn("a", locked)
		run := s.run(openFor, nil).ID
		s.hold("a")
		for range 3 {
			s.wait(time.Hour)
			s.sweep()
		}
		if g := s.wantGrant(run, engine.GrantActive); g.AlarmedAt != nil || g.Overdue(time.Now()) {
			s.Errorf("it raised an alarm: %+v", g)
		}
	})
	play(t, r, "a service that does not answer keeps no sweep busy, and is asked again", func(s *scene) {
		const all = 9
		for i := range all {
			s.world.join(fmt.Sprintf("n%d", i))
			s.world.turn(fmt.Sprintf("n%d", i), locked)
			s.world.Script(fmt.Sprintf("lock n%d", i), Fault{Blocks: true})
		}
		s.want(s.run("name: main\nsteps:\n  - uses: world.list\n    id: all\n  - foreach: steps.all.accounts | filter(.state == \"locked\")\n    as: one\n    key: one.id\n    steps:\n      - uses: world.unlock\n        with: { id: \"${{ one.id }}\" }\n        for: 1h\n", nil), engine.RunSucceeded)
		if got := len(s.world.Done()); got != all {
			s.Fatalf("access was given %d times", got)
		}
		s.wait(time.Hour)
		began := time.Now()
		s.sweep()
		if took := time.Since(began); took > 10*time.Minute {
			s.Errorf("the sweep took %s", took)
		}
		for range 10 {
			s.wait(5 * time.Minute)
			s.sweep()
		}
		if got := len(s.world.Done()); got != 2*all {
			s.Errorf("%d changes were made: %q", got, s.world.Done())
		}
	})
}

// testGrantUndo is about grants that an undo ends.
func testGrantUndo(t *testing.T, r Runtime) {
	const longer = "name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n    for: 3h\n"
	play(t, r, "one that joined ends, and another holds on", func(s *scene) {
		s.world.turn("a", locked)
		first := s.run(openFor, nil)
		second := s.run(longer, nil)
		s.want(s.undo(second.ID), engine.RunPartial)
		s.wantWorld("unlock a")
		g := s.wantGrant(second.ID, engine.GrantEnded)
		s.wantVerbs(g.ID, "grant.started", "grant.ended")
		s.wait(time.Hour)
		s.sweep()
		s.wantGrant(first.ID, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "one that joined and is left alone is taken back as before the first", func(s *scene) {
		s.world.turn("a", locked)
		s.run(openFor, nil)
		second := s.run(longer, nil)
		s.wait(90 * time.Minute)
		s.sweep()
		s.want(s.undo(second.ID), engine.RunSucceeded)
		s.wantGrant(second.ID, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "what was changed since is left alone, and its grant lives to its time", func(s *scene) {
		s.world.turn("a", locked)
		run := s.run(openFor, nil).ID
		s.world.turn("a", erased)
		s.want(s.undo(run), engine.RunPartial)
		s.world.turn("a", open) // what was seen was not the last word
		s.wait(time.Hour)
		s.sweep()
		s.wantGrant(run, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "a question about it is withdrawn", func(s *scene) {
		run := s.run(lockFor, nil).ID
		s.wait(time.Hour)
		s.sweep()
		s.wantGrant(run, engine.GrantAsking)
		s.want(s.undo(run), engine.RunSucceeded)
		s.wantGrant(run, engine.GrantEnded)
		if a := s.approvals(run)[0]; a.Status != engine.ApprovalObsolete {
			s.Errorf("the request is %s", a.Status)
		}
	})
	for _, durable := range []bool{false, true} {
		died := true
		for n := 1; died && n < mostDeaths; n++ {
			play(t, r, fmt.Sprintf("dying with commit %d, durable %v", n, durable), func(s *scene) {
				s.world.turn("a", locked)
				first, second := s.run(openFor, nil), s.run(longer, nil)
				for _, run := range []string{first.ID, second.ID} { // one is held by the other, and one is not
					e := s.process(&Life{})
					plan, err := e.PlanUndo(s.Context(), run, nil, "", tester())
					if err != nil {
						s.Fatal(err)
					}
					undo, err := e.Apply(s.Context(), plan.ID, "", tester())
					if err != nil {
						s.Fatal(err)
					}
					life := &Life{dieAt: n, durable: durable}
					_, _ = s.process(life).Drive(s.Context(), undo) // it may die
					died = life.Dead()
					if died && !s.stored(undo).Status.Final() {
						s.drive(s.process(&Life{}), undo)
					}
					s.wantGrant(run, engine.GrantEnded)
				}
				s.wantWorld("unlock a", "lock a")
			})
		}
	}
}

func (s *scene) stored(run string) engine.RunRecord {
	s.Helper()
	record, err := s.store.Run(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	return record
}

// testGrantsOfNobody is about grants whose run is forgotten.
func testGrantsOfNobody(t *testing.T, r Runtime) {
	forget := func(s *scene) {
		s.Helper()
		s.run(lookOne, nil) // the newest is always kept
		if _, err := s.store.Prune(s.Context(), engine.Retention{Now: time.Now(), Actor: tester(), Runs: time.Minute, Keep: 1}); err != nil {
			s.Fatal(err)
		}
	}
	play(t, r, "given access is taken back when its run is forgotten", func(s *scene) {
		s.world.turn("a", locked)
		run := s.run(openFor, nil).ID
		s.wait(30 * time.Minute)
		forget(s)
		if _, err := s.store.Run(s.Context(), run); err == nil {
			s.Fatal("the run is still there")
		}
		s.sweep()
		s.wantGrant(run, engine.GrantActive)
		s.wait(30 * time.Minute)
		s.sweep()
		s.wantGrant(run, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "a run that people will be asked about is not forgotten before", func(s *scene) {
		run := s.run(lockFor, nil).ID
		s.wait(30 * time.Minute)
		forget(s)
		s.wait(30 * time.Minute)
		s.sweep()
		_, err := s.says(run, "tester", true)
		s.refused(err, r.Refusals.Decision)
		s.approve(run, "bob")
		s.wantWorld("lock a", "unlock a")
		s.wait(time.Hour)
		forget(s)
		if _, err := s.store.Run(s.Context(), run); err == nil {
			s.Error("the run is kept for ever")
		}
	})
}
