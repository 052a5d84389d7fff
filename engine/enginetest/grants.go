package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// openFor gives access for an hour.
const openFor = "name: main\nsteps:\n  - id: give\n    uses: world.unlock\n    with: { id: a }\n    for: 1h\n"

// lockFor takes access for an hour.
const lockFor = "name: main\nsteps:\n  - id: take\n    uses: world.lock\n    with: { id: a }\n    for: 1h\n"

// sweep ends what is due, in a process of its own.
func (s *scene) sweep() {
	s.Helper()
	if err := s.process(&Life{}).Sweep(s.Context()); err != nil {
		s.Fatalf("sweeping: %v", err)
	}
}

// grants are those of a run, the first to end first.
func (s *scene) grants(run string) []engine.Grant {
	s.Helper()
	list, err := s.store.Grants(s.Context(), engine.GrantQuery{Run: run})
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// grant is the one of a run.
func (s *scene) grant(run string) engine.Grant {
	s.Helper()
	list := s.grants(run)
	if len(list) != 1 {
		s.Fatalf("the run has %d grants, not one", len(list))
	}
	return list[0]
}

func (s *scene) wantGrant(run string, want engine.GrantState) engine.Grant {
	s.Helper()
	g := s.grant(run)
	if g.State != want {
		s.Errorf("the grant is %s, not %s: %s %v", g.State, want, g.Reason, g.Error)
	}
	return g
}

// testGrants is about changes for a time.
func testGrants(t *testing.T, r Runtime) {
	play(t, r, "access that was given is taken back at its time, and not before", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(openFor, nil)
		s.want(record, engine.RunSucceeded)
		g := s.wantGrant(record.ID, engine.GrantActive)
		if g.Access != engine.Gives || g.AtEnd != "lift" || g.StartedAt == nil || !g.EndsAt.Equal(g.StartedAt.Add(time.Hour)) {
			s.Errorf("the grant is %+v", g)
		}
		s.wait(59 * time.Minute)
		s.sweep()
		s.wantWorld("unlock a")
		s.wait(2 * time.Minute)
		s.sweep()
		s.sweep()
		s.wantWorld("unlock a", "lock a")
		s.wantGrant(record.ID, engine.GrantEnded)
	})
	play(t, r, "what was there before stays", func(s *scene) {
		record := s.run(openFor, nil)
		if got := s.grants(record.ID); len(got) != 0 {
			s.Errorf("there is a grant: %+v", got)
		}
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantWorld()
	})
	play(t, r, "taken back already is success, and what somebody has changed since stays", func(s *scene) {
		for _, state := range []string{locked, erased} {
			s.world.turn("a", locked)
			record := s.run(openFor, nil)
			s.world.turn("a", state)
			s.wait(2 * time.Hour)
			s.sweep()
			s.wantGrant(record.ID, engine.GrantEnded)
		}
		s.wantWorld("unlock a", "unlock a")
	})
	play(t, r, "a read that lags is not taken for the end of access", func(s *scene) {
		s.world.turn("a", locked)
		s.world.Script("unlock a", Fault{Lag: 4 * time.Second})
		record := s.run(strings.Replace(openFor, "1h", "1s", 1), nil)
		s.wait(time.Second)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
		s.wantGrant(record.ID, engine.GrantEnded)
	})
	play(t, r, "it is tried again for ever", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(openFor, nil)
		for range 30 {
			s.world.Script("lock a", Fault{Err: busy()})
		}
		s.wait(time.Hour)
		for range 40 {
			s.sweep()
			s.wait(5 * time.Minute)
		}
		s.wantWorld("unlock a", "lock a")
		if g := s.wantGrant(record.ID, engine.GrantEnded); g.Tries != 30 {
			s.Errorf("it was tried %d times", g.Tries)
		}
	})
	play(t, r, "a reply that is lost does no harm", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(openFor, nil)
		s.world.Script("lock a", Fault{Err: busy(), After: true})
		s.wait(time.Hour)
		s.sweep()
		s.wantGrant(record.ID, engine.GrantActive)
		s.wait(time.Minute)
		s.sweep()
		s.wantGrant(record.ID, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "a change that is refused leaves no grant behind", func(s *scene) {
		s.world.turn("a", locked)
		s.world.Script("unlock a", Fault{Err: engine.Fail(engine.ClassAuth, "denied", "no")})
		record := s.run(openFor, nil)
		s.want(record, engine.RunFailed)
		s.wantGrant(record.ID, engine.GrantVoid)
	})
	play(t, r, "a freeze does not keep given access, and keeps taken access", func(s *scene) {
		s.world.turn("a", locked)
		gave := s.run(openFor, nil)
		took := s.run(strings.Replace(lockFor, "id: a", "id: b", 1)+"    at_end: lift\n", nil)
		freeze := engine.Freeze{ID: "frz_1", Reason: "now", By: tester(), At: time.Now()}
		if err := s.store.Commit(s.Context(), engine.Batch{Freezes: []engine.Freeze{freeze}}); err != nil {
			s.Fatal(err)
		}
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantGrant(gave.ID, engine.GrantEnded)
		s.wantGrant(took.ID, engine.GrantActive)
		s.wantWorld("unlock a", "lock b", "lock a")
	})
	testGrantsOfRuns(t, r)
	testGrantsByHand(t, r)
}

// testGrantsOfRuns is about runs that end otherwise than they should.
func testGrantsOfRuns(t *testing.T, r Runtime) {
	play(t, r, "a run that fails leaves no given access behind", func(s *scene) {
		s.world.turn("a", locked)
		s.want(s.run(openFor+"  - fail: never mind\n", nil), engine.RunFailed)
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "nor does one that is cancelled", func(s *scene) {
		s.world.turn("a", locked)
		d := s.begin(openFor + "  - wait: { signal: go }\n")
		<-d.result
		if _, err := d.engine.Cancel(s.Context(), d.run, "enough"); err != nil {
			s.Fatal(err)
		}
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "cancelling lifts no suspension", func(s *scene) {
		d := s.begin(lockFor + "    at_end: lift\n  - wait: { signal: go }\n")
		<-d.result
		if _, err := d.engine.Cancel(s.Context(), d.run, "enough"); err != nil {
			s.Fatal(err)
		}
		s.sweep()
		s.wantWorld("lock a")
	})
	play(t, r, "an undo ends it", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(openFor, nil)
		s.want(s.undo(record.ID), engine.RunSucceeded)
		s.wantGrant(record.ID, engine.GrantEnded)
		s.world.turn("a", open) // for good, by somebody else
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
}

// testGrantsByHand is about grants that people extend and end.
func testGrantsByHand(t *testing.T, r Runtime) {
	play(t, r, "it is extended, and ends then", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(openFor, nil)
		g := s.grant(record.ID)
		e := s.process(&Life{})
		if _, err := e.ExtendGrant(s.Context(), g.ID, g.EndsAt.Add(time.Hour), by("bob"), "longer"); err != nil {
			s.Fatal(err)
		}
		_, err := e.ExtendGrant(s.Context(), g.ID, time.Now().Add(-time.Hour), by("bob"), "shorter")
		s.refused(err, r.Refusals.Grant)
		s.wait(90 * time.Minute)
		s.sweep()
		s.wantWorld("unlock a")
		s.wait(time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "it is ended before its time, once", func(s *scene) {
		s.world.turn("a", locked)
		g := s.grant(s.run(openFor, nil).ID)
		e := s.process(&Life{})
		ended, err := e.EndGrant(s.Context(), g.ID, by("bob"), "done")
		if err != nil || ended.State != engine.GrantEnded || ended.EndedBy != "bob" || ended.Reason != "done" {
			s.Errorf("it is %+v: %v", ended, err)
		}
		_, err = e.EndGrant(s.Context(), g.ID, by("bob"), "again")
		s.refused(err, r.Refusals.Grant)
		_, err = e.ExtendGrant(s.Context(), g.ID, time.Now().Add(time.Hour), by("bob"), "again")
		s.refused(err, r.Refusals.Grant)
		_, err = e.EndGrant(s.Context(), "gnt_nobody", by("bob"), "again")
		s.refused(err, engine.ErrNotFound)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "what was ended by hand and could not be is tried again, and not asked about", func(s *scene) {
		record := s.run(lockFor, nil)
		s.world.Script("unlock a", Fault{Err: busy()})
		if _, err := s.process(&Life{}).EndGrant(s.Context(), s.grant(record.ID).ID, by("bob"), "done"); err != nil {
			s.Fatal(err)
		}
		s.wantGrant(record.ID, engine.GrantActive)
		s.wait(time.Minute)
		s.sweep()
		s.wantGrant(record.ID, engine.GrantEnded)
		s.wantWorld("lock a", "unlock a")
	})
}

// testGrantDeaths kills the process with each of its commits, before and after.
func testGrantDeaths(t *testing.T, r Runtime) {
	for _, resumed := range []bool{true, false} {
		for _, durable := range []bool{false, true} {
			died := true
			for n := 2; died && n < mostDeaths; n++ {
				play(t, r, fmt.Sprintf("giving access, dying with commit %d, durable %v, resumed %v", n, durable, resumed), func(s *scene) {
					s.world.turn("a", locked)
					life := &Life{dieAt: n, durable: durable}
					e := s.process(life)
					run := s.start(e, openFor, nil)
					_, _ = e.Drive(s.Context(), run) // it may die
					died = life.Dead()
					if resumed {
						s.drive(s.process(&Life{}), run)
					}
					s.wait(2 * time.Hour)
					s.sweep()
					s.wantLocked()
					s.drive(s.process(&Life{}), run)
					s.wait(2 * time.Hour)
					s.sweep()
					s.wantLocked()
				})
			}
		}
	}
	play(t, r, "killed during the call that gives access, which happened", func(s *scene) {
		s.world.turn("a", locked)
		run := s.killed(openFor, "unlock a")
		s.wait(3 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
		s.wantGrant(run, engine.GrantEnded)
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "found out late, it ends when it would have", func(s *scene) {
		s.world.turn("a", locked)
		run := s.killed(openFor, "unlock a")
		s.wait(50 * time.Minute)
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wait(15 * time.Minute)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "killed during the call that takes access, it asks and does not lift", func(s *scene) {
		run := s.killed(lockFor, "lock a")
		s.wait(3 * time.Hour)
		s.sweep()
		s.wantWorld("lock a")
		s.wantGrant(run, engine.GrantAsking)
	})
	for _, happened := range []bool{false, true} {
		play(t, r, fmt.Sprintf("killed during the call that takes it back, happened %v", happened), func(s *scene) {
			s.world.turn("a", locked)
			run := s.run(openFor, nil).ID
			s.wait(time.Hour)
			life := &Life{}
			s.world.Script("lock a", Fault{Err: errDead, After: happened, Then: life.Kill})
			if err := s.process(life).Sweep(s.Context()); err == nil {
				s.Fatal("it did not die")
			}
			s.wantGrant(run, engine.GrantActive)
			s.sweep()
			s.wantGrant(run, engine.GrantEnded)
			s.wantWorld("unlock a", "lock a")
		})
	}
	for _, durable := range []bool{false, true} {
		play(t, r, fmt.Sprintf("killed during the reversal, durable %v", durable), func(s *scene) {
			s.world.turn("a", locked)
			record := s.run(openFor, nil)
			s.wait(time.Hour)
			if err := s.process(&Life{dieAt: 1, durable: durable}).Sweep(s.Context()); err == nil {
				s.Fatal("it did not die")
			}
			s.sweep()
			s.wantGrant(record.ID, engine.GrantEnded)
			s.wantWorld("unlock a", "lock a")
		})
	}
}

// killed starts a playbook in a process that dies when an operation has had its
// effect, before anybody is told.
func (s *scene) killed(playbook, operation string) string {
	s.Helper()
	life := &Life{}
	s.world.Script(operation, Fault{Err: errDead, After: true, Then: life.Kill})
	e := s.process(life)
	run := s.start(e, playbook, nil)
	if _, err := e.Drive(s.Context(), run); err == nil {
		s.Fatal("it did not die")
	}
	return run
}

// wantLocked checks that no given access is left, and none was given twice.
func (s *scene) wantLocked() {
	s.Helper()
	done := strings.Join(s.world.Done(), ", ")
	if done != "" && done != "unlock a, lock a" {
		s.Errorf("in the world was done %s", done)
	}
}
