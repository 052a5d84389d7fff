package enginetest

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// testGrantsAsking is about what becomes of access that was taken for a time.
func testGrantsAsking(t *testing.T, r Runtime) {
	due := func(s *scene, more string) engine.RunRecord {
		s.Helper()
		record := s.run(lockFor+more, nil)
		s.want(record, engine.RunSucceeded)
		s.wait(time.Hour)
		s.sweep()
		return record
	}
	play(t, r, "it asks, and is taken back when somebody says so", func(s *scene) {
		record := due(s, "")
		s.wantGrant(record.ID, engine.GrantAsking)
		s.wantWorld("lock a")
		if a := s.asked(record.ID); a.Kind != engine.ApprovalGrant || len(s.heard) != 1 {
			s.Errorf("asked was %+v, told %d times", a, len(s.heard))
		}
		_, err := s.says(record.ID, "tester", true)
		s.refused(err, r.Refusals.Decision)
		_, err = s.says(record.ID, "dave", true)
		s.refused(err, r.Refusals.Decision)
		s.approve(record.ID, "bob")
		s.wantWorld("lock a", "unlock a")
		s.wantGrant(record.ID, engine.GrantEnded)
	})
	play(t, r, "it stays when somebody says so, and the grant says who", func(s *scene) {
		record := due(s, "")
		if _, err := s.says(record.ID, "bob", false); err != nil {
			s.Fatal(err)
		}
		if g := s.wantGrant(record.ID, engine.GrantKept); g.EndedBy != "bob" || g.Reason != "bob denied it: because" {
			s.Errorf("the grant says %q by %q", g.Reason, g.EndedBy)
		}
		s.wait(48 * time.Hour)
		s.sweep()
		s.wantWorld("lock a")
	})
	play(t, r, "without an answer it stays", func(s *scene) {
		record := due(s, "")
		s.wait(25 * time.Hour)
		s.sweep()
		s.wantGrant(record.ID, engine.GrantKept)
		s.wantWorld("lock a")
		if a := s.approvals(record.ID)[0]; a.Status != engine.ApprovalExpired {
			s.Errorf("the request is %s", a.Status)
		}
	})
	play(t, r, "it keeps or lifts where the playbook says so", func(s *scene) {
		s.wantGrant(due(s, "    at_end: keep\n").ID, engine.GrantKept)
		s.wantWorld("lock a")
		s.world.turn("a", open)
		s.wantGrant(due(s, "    at_end: lift\n").ID, engine.GrantEnded)
		s.wantWorld("lock a", "lock a", "unlock a")
	})
	play(t, r, "nobody is asked about what is lifted already", func(s *scene) {
		record := s.run(lockFor, nil)
		s.world.turn("a", open)
		s.wait(time.Hour)
		s.sweep()
		s.wantGrant(record.ID, engine.GrantEnded)
		if len(s.heard) != 0 {
			s.Error("people were asked")
		}
	})
	play(t, r, "who may not answer the question cannot end it by hand instead", func(s *scene) {
		record := due(s, "")
		for _, who := range []string{"tester", "nobody"} { // who started the run, and a stranger
			_, err := s.process(&Life{}).EndGrant(s.Context(), s.grant(record.ID).ID, by(who), "it is time")
			s.refused(err, r.Refusals.Grant)
		}
		s.wantGrant(record.ID, engine.GrantAsking)
		s.asked(record.ID)
		s.wantWorld("lock a")
	})
	play(t, r, "ended by hand, the question is withdrawn", func(s *scene) {
		record := due(s, "")
		if _, err := s.process(&Life{}).EndGrant(s.Context(), s.grant(record.ID).ID, by("bob"), "talked to them"); err != nil {
			s.Fatal(err)
		}
		s.wantGrant(record.ID, engine.GrantEnded)
		a := s.approvals(record.ID)[0]
		if a.Status != engine.ApprovalObsolete {
			s.Errorf("the request is %s", a.Status)
		}
		_, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: a.ID, Actor: by("bob")})
		s.refused(err, r.Refusals.Decision)
		s.wantGrant(record.ID, engine.GrantEnded)
		s.wantWorld("lock a", "unlock a")
	})
	play(t, r, "an answer survives the death of whoever took it", func(s *scene) {
		record := due(s, "")
		e := s.process(&Life{dieAt: 1, durable: true})
		if _, err := e.Decide(s.Context(), Decision{Approval: s.asked(record.ID).ID, Actor: by("bob"), Approve: true}); err == nil {
			s.Fatal("it did not die")
		}
		s.sweep()
		s.wantGrant(record.ID, engine.GrantEnded)
		s.wantWorld("lock a", "unlock a")
	})
}

// testGrantsTogether is about grants of several runs on one target.
func testGrantsTogether(t *testing.T, r Runtime) {
	const longer = "name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n    for: 3h\n"
	play(t, r, "the last one ends it, as it was before the first", func(s *scene) {
		s.world.turn("a", locked)
		first := s.run(openFor, nil)
		second := s.run(longer, nil)
		s.want(second, engine.RunSucceeded)
		s.wantGrant(second.ID, engine.GrantActive)
		s.wait(90 * time.Minute)
		s.sweep()
		s.wantGrant(first.ID, engine.GrantEnded)
		s.wantWorld("unlock a")
		s.wait(2 * time.Hour)
		s.sweep()
		s.wantGrant(second.ID, engine.GrantEnded)
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "an undo leaves what another run's grant still holds", func(s *scene) {
		s.world.turn("a", locked)
		first := s.run(openFor, nil)
		s.run(longer, nil)
		s.want(s.undo(first.ID), engine.RunPartial)
		s.wantWorld("unlock a")
		s.wantGrant(first.ID, engine.GrantEnded)
		s.wait(4 * time.Hour)
		s.sweep()
		s.wantWorld("unlock a", "lock a")
	})
	play(t, r, "a suspension that was kept is not lifted by the end of another", func(s *scene) {
		kept := s.run(lockFor+"    at_end: keep\n", nil)
		lifted := s.run("name: main\nsteps:\n  - uses: world.lock\n    with: { id: a }\n    for: 3h\n    at_end: lift\n", nil)
		s.wait(4 * time.Hour)
		s.sweep()
		s.wantGrant(kept.ID, engine.GrantKept)
		s.wantGrant(lifted.ID, engine.GrantKept)
		s.wantWorld("lock a")
	})
}

func (s *scene) hold(target string) engine.Hold {
	s.Helper()
	h := engine.Hold{ID: "hld_1", Target: target, Reason: "evidence", By: by("bob"), At: time.Now()}
	s.write(engine.Batch{Holds: []engine.Hold{h}})
	return h
}

func (s *scene) write(b engine.Batch) {
	s.Helper()
	if err := s.store.Commit(s.Context(), b); err != nil {
		s.Fatal(err)
	}
}

// testHolds is about targets that are to stay as they are.
func testHolds(t *testing.T, r Runtime) {
	for _, word := range []string{"a", "A@example.com", "Account a"} {
		play(t, r, "nothing ends on "+word+" until it is released", func(s *scene) {
			record := s.run(lockFor+"    at_end: lift\n", nil)
			h := s.hold(word)
			s.wait(2 * time.Hour)
			s.sweep()
			if g := s.wantGrant(record.ID, engine.GrantActive); g.Error == nil || g.Error.Code != engine.CodeHeld || g.Tries != 0 {
				s.Errorf("the grant says %v after %d tries", g.Error, g.Tries)
			}
			s.wantWorld("lock a")
			now, who := time.Now(), by("bob")
			h.ReleasedAt, h.ReleasedBy = &now, &who
			s.write(engine.Batch{Holds: []engine.Hold{h}})
			s.wait(time.Minute)
			s.sweep()
			s.wantGrant(record.ID, engine.GrantEnded)
			s.wantWorld("lock a", "unlock a")
		})
	}
	play(t, r, "no undo and nothing that gives access touches it, and containment does", func(s *scene) {
		run := s.run(lockOne, nil)
		s.hold("a")
		s.undo(run.ID)
		s.run("name: main\nsteps:\n  - uses: world.unlock\n    with: { id: a }\n", nil)
		s.wantWorld("lock a")
		s.world.turn("a", open)
		s.want(s.run(lockOne, nil), engine.RunSucceeded)
		s.wantWorld("lock a", "lock a")
	})
}

// testWaits is about runs that are parked while they wait for a time.
func testWaits(t *testing.T, r Runtime) {
	const waits = "name: main\nsteps:\n  - uses: world.lock\n    with: { id: a }\n  - wait: { for: 2h }\n  - uses: world.lock\n    with: { id: b }\n"
	play(t, r, "it parks until then, through restarts", func(s *scene) {
		s.patience = time.Minute
		record := s.run(waits, nil)
		s.want(record, engine.RunWaiting)
		if record.WakeAt == nil || time.Until(*record.WakeAt).Round(time.Second) != 2*time.Hour {
			s.Errorf("it wakes at %v", record.WakeAt)
		}
		s.wait(time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantWorld("lock a")
		s.wait(time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b")
	})
	play(t, r, "late is not lost", func(s *scene) {
		s.patience = time.Minute
		record := s.run(waits, nil)
		s.wait(72 * time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b")
	})
	play(t, r, "a time that is past is no wait", func(s *scene) {
		s.want(s.run("name: main\nsteps:\n  - wait: { until: \"${{ run.time }}\" }\n", nil), engine.RunSucceeded)
	})
}

// testSignals is about runs that wait for something to be said.
func testSignals(t *testing.T, r Runtime) {
	const waits = "name: main\nsteps:\n  - id: word\n    wait: { signal: go }\n  - uses: world.lock\n    with: { id: a }\n"
	sends := func(s *scene, e Engine, run, id, name string) error {
		s.Helper()
		return e.Signal(s.Context(), engine.Signal{Run: run, ID: id, Name: name, Body: []byte(`{"ok":true}`), By: tester()})
	}
	play(t, r, "it goes on when it hears it, once", func(s *scene) {
		record := s.run(waits+"  - wait: { signal: go }\n", nil)
		s.want(record, engine.RunWaiting)
		for range 2 {
			if err := sends(s, s.process(&Life{}), record.ID, "1", "go"); err != nil {
				s.Fatal(err)
			}
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantWorld("lock a")
		if err := sends(s, s.process(&Life{}), record.ID, "1", "go"); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		if err := sends(s, s.process(&Life{}), record.ID, "2", "go"); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.refused(sends(s, s.process(&Life{}), record.ID, "3", "go"), r.Refusals.Signal)
		s.refused(sends(s, s.process(&Life{}), "run_nobody", "3", "go"), engine.ErrNotFound)
	})
	play(t, r, "another id with the same content is another, the same id with another is refused", func(s *scene) {
		record := s.run(waits, nil)
		e := s.process(&Life{})
		if err := sends(s, e, record.ID, "1", "no"); err != nil {
			s.Fatal(err)
		}
		s.refused(e.Signal(s.Context(), engine.Signal{Run: record.ID, ID: "1", Name: "no", Body: []byte("2")}), r.Refusals.Signal)
		s.want(s.drive(e, record.ID), engine.RunWaiting)
		s.wantWorld()
	})
	play(t, r, "while it is carried out, it is heard at once", func(s *scene) {
		s.world.Script("look a", Fault{Takes: time.Hour})
		d := s.begin("name: main\nsteps:\n  - parallel:\n      slow:\n        - uses: world.look\n          with: { id: a }\n      quick:\n        - wait: { signal: go }\n        - uses: world.tell\n          with: { text: heard }\n")
		if err := sends(s, d.engine, d.run, "1", "go"); err != nil {
			s.Fatal(err)
		}
		s.wait(time.Minute)
		s.wantWorld("tell heard")
		s.want(<-d.result, engine.RunSucceeded)
	})
	play(t, r, "it survives every death", func(s *scene) {
		for n := 1; n < 12; n++ {
			for _, durable := range []bool{false, true} {
				s.world.turn("a", open)
				record := s.run(waits, nil)
				if err := sends(s, s.process(&Life{}), record.ID, "1", "go"); err != nil {
					s.Fatal(err)
				}
				_, _ = s.process(&Life{dieAt: n, durable: durable}).Drive(s.Context(), record.ID) // it may die
				s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
			}
		}
		if got := len(s.world.Done()); got != 22 {
			s.Errorf("%d changes were made", got)
		}
	})
}
