package enginetest

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// testWaysAround tries to get a run approved by those who must not: whoever had
// a hand in it, and whoever it is about. None of the ways works.
func testWaysAround(t *testing.T, r Runtime) {
	refuses := func(s *scene, run string, users ...string) {
		s.Helper()
		for _, user := range users {
			for _, approve := range []bool{true, false} {
				_, err := s.says(run, user, approve)
				s.refused(err, r.Refusals.Decision)
			}
		}
		s.want(s.drive(s.process(&Life{}), run), engine.RunWaiting)
		s.wantWorld()
	}
	startedBy := func(s *scene, actor engine.Actor) string {
		s.Helper()
		req := s.request(lockOpenWith(1, ""), nil)
		req.Actor = actor
		e := s.process(&Life{})
		run, err := e.Start(s.Context(), req)
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunWaiting)
		return run
	}
	play(t, r, "start by webhook and approve oneself", func(s *scene) {
		refuses(s, startedBy(s, engine.Actor{Name: "bob@corp.example", Via: "webhook"}), "bob")
	})
	play(t, r, "another spelling", func(s *scene) {
		refuses(s, startedBy(s, by("asmith")), "alice", "ASMITH", " Alice@Corp.Example ", "ａｌｉｃｅ", "al\u200bice")
	})
	play(t, r, "approve twice", func(s *scene) {
		record := s.run(lockOpenWith(2, ""), nil)
		s.approve(record.ID, "bob")
		refuses(s, record.ID, "bob", "bob@corp.example")
	})
	play(t, r, "a second group", func(s *scene) {
		record := s.run(strings.Replace(lockOpenWith(2, ""), `["group:oncall"]`, `["group:oncall", "group:second", alice]`, 1), nil)
		s.approve(record.ID, "alice")
		refuses(s, record.ID, "asmith", "tester")
	})
	play(t, r, "after the time-out", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		id := s.asked(record.ID).ID
		s.wait(5 * time.Hour)
		for range 2 {
			_, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: id, Actor: by("bob"), Approve: true})
			s.refused(err, r.Refusals.Decision)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld()
	})
	testMoreWaysAround(t, r, refuses, startedBy)
}

func testMoreWaysAround(t *testing.T, r Runtime, refuses func(*scene, string, ...string), startedBy func(*scene, engine.Actor) string) {
	play(t, r, "a decision once more", func(s *scene) {
		record := s.run(strings.Replace(asksFirst, `"group:oncall"]`, `"group:oncall"], needs: 2`, 1), nil)
		first := s.asked(record.ID)
		again := Decision{Approval: first.ID, Actor: by("bob"), Approve: true, Digest: first.Digest}
		if _, err := s.process(&Life{}).Decide(s.Context(), again); err != nil {
			s.Fatal(err)
		}
		s.world.join("e")
		_, err := s.says(record.ID, "alice", true)
		s.refused(err, r.Refusals.Renewed)
		_, err = s.process(&Life{}).Decide(s.Context(), again)
		s.refused(err, r.Refusals.Decision)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		if _, err := s.says(record.ID, "alice", false); err != nil {
			s.Fatal(err)
		}
		_, err = s.process(&Life{}).Decide(s.Context(), Decision{Approval: first.ID, Actor: by("bob"), Approve: true})
		s.refused(err, r.Refusals.Decision)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld()
	})
	play(t, r, "a decision on another run's approval", func(s *scene) {
		other := s.run(lockOpenWith(1, ""), nil)
		mine := startedBy(s, by("bob"))
		if a, b := s.asked(other.ID), s.asked(mine); a.Digest != b.Digest {
			s.Fatalf("the two ask the same, and the hashes are %s and %s", a.Digest, b.Digest)
		}
		s.approve(other.ID, "bob")
		refuses(s, mine, "bob")
	})
	play(t, r, "through resume", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		record, err := s.process(&Life{}).Resume(s.Context(), record.ID, by("bob"))
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunWaiting)
		refuses(s, record.ID, "bob", "tester")
		s.approve(record.ID, "alice")
	})
	play(t, r, "through a retry by somebody else", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		if _, err := s.says(record.ID, "alice", false); err != nil {
			s.Fatal(err)
		}
		e := s.process(&Life{})
		s.want(s.drive(e, record.ID), engine.RunDenied)
		again, err := e.Retry(s.Context(), record.ID, by("bob"))
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, again), engine.RunWaiting)
		refuses(s, again, "bob", "tester")
	})
	play(t, r, "through a plan that somebody else applies", func(s *scene) {
		req := s.request(lockOpenWith(1, ""), nil)
		req.Actor = by("bob")
		e := s.process(&Life{})
		plan, err := e.Plan(s.Context(), req)
		if err != nil {
			s.Fatal(err)
		}
		run, err := e.Apply(s.Context(), plan.ID, plan.Hash, by("alice"))
		if err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(e, run), engine.RunWaiting)
		refuses(s, run, "bob", "alice")
	})
	play(t, r, "as a target, even of a line that is left out or not carried out", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		refuses(s, record.ID, "dave", "a@example.com")
		_, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.asked(record.ID).ID, Actor: by("dave"), Approve: true, Except: []string{"a"}})
		s.refused(err, r.Refusals.Decision)
		s.guard.Protect = []string{"a"}
		refuses(s, s.run(lockOpenWith(1, ""), nil).ID, "dave")
	})
	play(t, r, "as nobody, or as somebody who is not asked", func(s *scene) {
		refuses(s, s.run(lockOpenWith(1, ""), nil).ID, "root", "", "carol", "group:oncall")
	})
}
