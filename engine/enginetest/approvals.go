package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// lockOpen asks whether to lock every open account, and locks them.
const lockOpen = `
name: main
steps:
  - id: all
    uses: world.list
  - id: ok
    approve: { title: "Lock ${{ len(steps.all.accounts) }}?", by: ["group:oncall"], needs: %NEEDS%, timeout: 4h%DENY% }
  - id: each
    foreach: steps.all.accounts | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
  - uses: world.tell
    with: { text: "locked: ${{ steps.ok.approved }}" }
`

func lockOpenWith(needs int, deny string) string {
	return strings.NewReplacer("%NEEDS%", strconv.Itoa(needs), "%DENY%", deny).Replace(lockOpen)
}

// asksFirst asks before it even looks.
const asksFirst = `
name: main
steps:
  - id: ok
    approve: { title: 'Lock them?', by: ["group:oncall"] }
  - id: all
    uses: world.list
    on_error: continue
  - id: each
    foreach: (steps.all?.accounts ?? []) | filter(.state == "open")
    as: who
    key: who.id
    uses: world.lock
    with: { id: "${{ who.id }}" }
`

// testApprovals is about runs that ask people on their way.
func testApprovals(t *testing.T, r Runtime) {
	play(t, r, "a run parks, costs nothing, and goes on when it is approved", func(s *scene) {
		s.world.turn("a", locked)
		record := s.run(lockOpenWith(1, ""), nil)
		s.want(record, engine.RunWaiting)
		s.wantWorld()
		a := s.asked(record.ID)
		if a.Kind != engine.ApprovalStep || a.Path != "ok" || a.Title != "Lock 4?" || a.Needs != 1 || a.Round != 1 || a.ToldAt == nil || len(s.heard) != 1 {
			s.Errorf("the request is %+v, told %d times", a, len(s.heard))
		}
		if record.WakeAt == nil || a.ExpiresAt == nil || !record.WakeAt.Equal(*a.ExpiresAt) || a.ExpiresAt.Sub(a.CreatedAt) != 4*time.Hour {
			s.Errorf("it wakes at %v and the request expires at %v", record.WakeAt, a.ExpiresAt)
		}
		s.wantPending(s.set(a.Set), "b", "c", "d")
		if decided := s.approve(record.ID, "bob"); decided.Status != engine.ApprovalApproved || decided.Votes[0].Person != "bob" || decided.Votes[0].Digest != a.Digest {
			s.Errorf("the decision is %+v", decided)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock b", "lock c", "lock d", "tell locked: true")
	})
	play(t, r, "looked at again, it still waits, and nobody is told twice", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		for range 3 {
			s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		}
		if len(s.heard) != 1 || len(s.approvals(record.ID)) != 1 {
			s.Errorf("%d requests, told %d times", len(s.approvals(record.ID)), len(s.heard))
		}
	})
	play(t, r, "those who could not be told are told later", func(s *scene) {
		s.deaf = errors.New("the line is dead")
		record := s.run(lockOpenWith(1, ""), nil)
		s.want(record, engine.RunWaiting)
		s.deaf = nil
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		if len(s.heard) != 1 || s.asked(record.ID).ToldAt == nil {
			s.Errorf("told %d times", len(s.heard))
		}
	})
	testDenials(t, r)
	testVotes(t, r)
	testRenewals(t, r)
	testDeadlines(t, r)
	testApprovalsStopped(t, r)
	testBeside(t, r)
	testStanding(t, r)
	testApprovalDeaths(t, r)
}

func testDenials(t *testing.T, r Runtime) {
	play(t, r, "denied, nothing is changed", func(s *scene) {
		record := s.run(lockOpenWith(2, ""), nil)
		if a, err := s.says(record.ID, "bob", false); err != nil || a.Status != engine.ApprovalDenied {
			s.Fatalf("it is %s: %v", a.Status, err)
		}
		record = s.drive(s.process(&Life{}), record.ID)
		s.want(record, engine.RunDenied)
		s.wantFailure(record, engine.ClassRefused, engine.CodeDenied, "ok")
		if !strings.Contains(record.Error.Message, "bob denied it: because") {
			s.Errorf("it does not say who denied it and why: %s", record.Error.Message)
		}
		s.wantWorld()
	})
	play(t, r, "denied, it goes on where the step says so", func(s *scene) {
		playbook := strings.Replace(lockOpenWith(1, ", on_deny: continue"), "    foreach:", "    if: steps.ok.approved\n    foreach:", 1)
		record := s.run(playbook, nil)
		if _, err := s.says(record.ID, "bob", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("tell locked: false")
	})
	play(t, r, "denied, finally tells and changes nothing", func(s *scene) {
		record := s.run(deniedFinally, nil)
		if _, err := s.says(record.ID, "bob", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld("tell cleaned up")
	})
}

const deniedFinally = `
name: main
steps:
  - try:
      - id: ok
        approve: { title: 'Lock a and b?', by: ["group:oncall"] }
      - uses: world.lock
        with: { id: a }
    catch:
      - uses: world.tell
        with: { text: caught }
    finally:
      - uses: world.tell
        with: { text: cleaned up }
      - uses: world.lock
        with: { id: b }
`

func testVotes(t *testing.T, r Runtime) {
	play(t, r, "two people are two distinct people", func(s *scene) {
		record := s.run(lockOpenWith(2, ""), nil)
		if a := s.approve(record.ID, "bob"); a.Status != engine.ApprovalPending {
			s.Errorf("after one vote it is %s", a.Status)
		}
		_, err := s.says(record.ID, "BOB@corp.example", true)
		s.refused(err, r.Refusals.Decision)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantWorld()
		s.approve(record.ID, "asmith")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
	})
	play(t, r, "what is left out is refused, and the rest is done", func(s *scene) {
		record := s.run(lockOpenWith(2, ""), nil)
		id := s.asked(record.ID).ID
		decide := func(user string, except ...string) (engine.Approval, error) {
			return s.process(&Life{}).Decide(s.Context(), Decision{Approval: id, Actor: by(user), Approve: true, Except: except})
		}
		_, err := decide("bob", "nobody")
		s.refused(err, r.Refusals.Decision)
		a, err := decide("bob", "B", "Account c")
		if err != nil || !equal(a.Excluded, []string{"each[b]", "each[c]"}) || a.Votes[0].Digest == a.Digest {
			s.Fatalf("it leaves out %q with the hash %s: %v", a.Excluded, a.Votes[0].Digest, err)
		}
		_, err = decide("asmith", "d")
		s.refused(err, r.Refusals.Decision)
		if _, err = decide("asmith"); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunPartial)
		s.wantWorld("lock a", "lock d", "tell locked: true")
		if got := s.items(record.ID, "each"); !equal(got, []string{"a done", "b refused", "c refused", "d done"}) {
			s.Errorf("the items are %q", got)
		}
		if f := s.step(record.ID, "each[b]").Error; f == nil || f.Code != engine.CodeExcluded {
			s.Errorf("b was refused for %+v", f)
		}
	})
	play(t, r, "what one approval leaves out, the next does not let in", func(s *scene) {
		playbook := strings.Replace(lockOpenWith(1, ""), "  - id: each", "  - id: sure\n    approve: { title: 'Sure?', by: [carol] }\n  - id: each", 1)
		record := s.run(playbook, nil)
		if _, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.asked(record.ID).ID, Actor: by("bob"), Approve: true, Except: []string{"b"}}); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantPending(s.set(s.asked(record.ID).Set), "a", "c", "d")
		if all := s.approvals(record.ID); len(all) != 2 {
			s.Errorf("%d requests were made, not 2: %+v", len(all), all)
		}
		s.approve(record.ID, "carol")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunPartial)
		s.wantWorld("lock a", "lock c", "lock d", "tell locked: true")
	})
}

func testRenewals(t *testing.T, r Runtime) {
	play(t, r, "what would be done has grown: the request is renewed and votes are void", func(s *scene) {
		record := s.run(strings.Replace(asksFirst, `"group:oncall"]`, `"group:oncall"], needs: 2`, 1), nil)
		before := s.asked(record.ID)
		s.approve(record.ID, "bob")
		s.world.join("e")
		_, err := s.says(record.ID, "asmith", true)
		s.refused(err, r.Refusals.Renewed)
		a := s.asked(record.ID)
		if a.ID != before.ID || a.Round != 2 || a.Digest == before.Digest || len(a.Votes) != 1 || len(s.heard) != 2 {
			s.Errorf("the renewed request is %+v, told %d times", a, len(s.heard))
		}
		s.wantPending(s.set(a.Set), "a", "b", "c", "d", "e")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		_, err = s.process(&Life{}).Decide(s.Context(), Decision{Approval: a.ID, Actor: by("asmith"), Approve: true, Digest: before.Digest})
		s.refused(err, r.Refusals.Decision)
		s.approve(record.ID, "asmith")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "lock e")
	})
	play(t, r, "what has come since it was approved does not get through", func(s *scene) {
		record := s.run(asksFirst, nil)
		s.approve(record.ID, "bob")
		s.world.join("e")
		s.world.turn("b", locked) // and somebody has seen to this one
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock c", "lock d")
	})
	play(t, r, "what is found behind an approved change does not get through", func(s *scene) {
		record := s.run(strings.Replace(asksFirst, "  - id: all", "  - uses: world.lock\n    with: { id: a }\n  - id: all", 1), nil)
		if set := s.set(s.asked(record.ID).Set); set.Complete {
			s.Error("the change set claims to be complete")
		}
		s.approve(record.ID, "bob")
		record = s.drive(s.process(&Life{}), record.ID)
		s.want(record, engine.RunDrifted)
		s.wantWorld("lock a")
	})
	play(t, r, "a target that somebody has changed since it was approved is left alone", func(s *scene) {
		record := s.run(strings.Replace(lockOpenWith(1, ""), "world.lock", "world.erase", 1), nil)
		s.approve(record.ID, "bob")
		s.world.turn("b", locked)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunPartial)
		s.wantWorld("erase a", "erase c", "erase d", "tell locked: true")
	})
}

func testDeadlines(t *testing.T, r Runtime) {
	for _, late := range []time.Duration{4 * time.Hour, 30 * time.Hour} {
		play(t, r, fmt.Sprintf("nobody decides, noticed after %s", late), func(s *scene) {
			record := s.run(lockOpenWith(1, ""), nil)
			id := s.asked(record.ID).ID
			s.wait(late)
			record = s.drive(s.process(&Life{}), record.ID)
			s.want(record, engine.RunDenied)
			s.wantFailure(record, engine.ClassRefused, engine.CodeExpired, "ok")
			if a, err := s.store.Approval(s.Context(), id); err != nil || a.Status != engine.ApprovalExpired {
				s.Errorf("the request is %s: %v", a.Status, err)
			}
			s.wantWorld()
		})
	}
	play(t, r, "a decision behind the deadline counts as none, whoever notices", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		s.wait(4 * time.Hour)
		_, err := s.says(record.ID, "bob", true)
		s.refused(err, r.Refusals.Decision)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld()
	})
	play(t, r, "a decision in time counts, however late the run goes on", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		s.wait(4*time.Hour - time.Second)
		s.approve(record.ID, "bob")
		s.wait(time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
	})
	play(t, r, "of two decisions in time, the order in which they were made counts", func(s *scene) {
		record := s.run(twoQuestions, nil)
		for _, path := range []string{"p/two/b", "p/one/a"} { // the other way round than their paths
			s.wait(50 * time.Minute)
			i := slices.IndexFunc(s.approvals(record.ID), func(a engine.Approval) bool { return a.Path == path })
			if _, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.approvals(record.ID)[i].ID, Actor: by("bob"), Approve: true}); err != nil {
				s.Fatal(err)
			}
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
	})
}

const twoQuestions = `
name: main
steps:
  - id: p
    parallel:
      one:
        - id: a
          approve: { title: 'One?', by: ["group:oncall"], timeout: 2h }
      two:
        - id: b
          approve: { title: 'Two?', by: ["group:oncall"], timeout: 1h }
`

func testApprovalsStopped(t *testing.T, r Runtime) {
	play(t, r, "a run that asks is cancelled", func(s *scene) {
		record := s.run(deniedFinally, nil)
		id := s.asked(record.ID).ID
		record, err := s.process(&Life{}).Cancel(s.Context(), record.ID, "enough")
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunCancelled)
		s.wantWorld("tell cleaned up", "lock b")
		if all := s.approvals(record.ID); len(all) != 1 || all[0].Status != engine.ApprovalObsolete || len(s.heard) != 1 {
			s.Errorf("the requests are %+v, told %d times", all, len(s.heard))
		}
		_, err = s.process(&Life{}).Decide(s.Context(), Decision{Approval: id, Actor: by("bob"), Approve: true})
		s.refused(err, r.Refusals.Decision)
	})
	play(t, r, "a question that nobody asks any more is not asked again", func(s *scene) {
		found := strings.Replace(deniedFinally, "      - uses: world.lock\n        with: { id: b }\n",
			"      - id: b\n        uses: world.look\n        with: { id: b }\n      - id: c\n        uses: world.look\n        with: { id: c }\n      - if: run.id == steps.c.account.id || steps.b.status == \"succeeded\"\n        uses: world.lock\n        with: { id: b }\n", 1)
		s.world.Script("look b", Fault{Err: engine.Fail(engine.ClassPermanent, "x", "x")})
		record := s.run(strings.Replace(found, "with: { id: b }\n      - id: c", "with: { id: b }\n        on_error: continue\n      - id: c", 1), nil)
		record, err := s.process(&Life{}).Cancel(s.Context(), record.ID, "enough")
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunCancelled)
		if all := s.approvals(record.ID); len(all) != 1 {
			s.Errorf("%d requests were made: %+v", len(all), all)
		}
	})
}

// besideIt asks in one branch, while the other changes something.
const besideIt = `
name: main
steps:
  - parallel:
      one:
        - id: ok
          approve: { title: "Lock a?", by: [bob] }
        - uses: world.lock
          with: { id: b }
      two:
        - uses: world.lock
          with: { id: c }
        - uses: world.lock
          with: { id: d }
        - id: late
          uses: world.look
          with: { id: a }
        - if: steps.late.account.state == "locked"
          uses: world.lock
          with: { id: a }
`

const askEach = `
name: main
steps:
  - id: each
    foreach: '["b", "c", "d"]'
    as: who
    key: who
    steps:
      - id: ok
        approve: { title: "Lock ${{ who }}?", by: [bob] }
      - uses: world.lock
        with: { id: "${{ who }}" }
`

// testBeside is about what goes on beside a question.
func testBeside(t *testing.T, r Runtime) {
	play(t, r, "what is beside a question goes on, and the question is about what is left", func(s *scene) {
		s.world.Script("lock c", Fault{Takes: 10 * time.Second})
		record := s.run(besideIt, nil)
		s.want(record, engine.RunWaiting)
		s.wantWorld("lock c", "lock d")
		s.wantPending(s.set(s.asked(record.ID).Set), "b")
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock c", "lock d", "lock b")
	})
	play(t, r, "denied, what was done beside it stays, and nothing follows", func(s *scene) {
		record := s.run(besideIt, nil)
		if _, err := s.says(record.ID, "bob", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld("lock c", "lock d")
	})
	play(t, r, "a question for each item", func(s *scene) {
		record := s.run(askEach, nil)
		s.want(record, engine.RunWaiting)
		s.wantPending(s.set(s.asked(record.ID).Set), "b", "c", "d")
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantWorld("lock b")
		s.wantPending(s.set(s.asked(record.ID).Set), "c", "d")
		if _, err := s.says(record.ID, "bob", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld("lock b")
		if got := s.items(record.ID, "each"); !equal(got, []string{"b done", "c refused", "d refused"}) {
			s.Errorf("the items are %q", got)
		}
	})
	play(t, r, "a question for each item, and all are approved", func(s *scene) {
		s.want(s.decideAll(s.start(s.process(&Life{}), askEach, nil), func() Engine { return s.process(&Life{}) }), engine.RunSucceeded)
		s.wantWorld("lock b", "lock c", "lock d")
	})
	play(t, r, "two questions at once, each about what is left", func(s *scene) {
		record := s.run(twoQuestions, nil)
		s.want(record, engine.RunWaiting)
		if all := s.approvals(record.ID); len(all) != 2 || len(s.heard) != 2 {
			s.Errorf("%d requests, told %d times", len(all), len(s.heard))
		}
		s.want(s.decideAll(record.ID, func() Engine { return s.process(&Life{}) }), engine.RunSucceeded)
	})
}

// testStanding is about people who may decide, and not now.
func testStanding(t *testing.T, r Runtime) {
	play(t, r, "whoever has no standing decides nothing", func(s *scene) {
		s.standing = func(_ context.Context, p engine.Person) error {
			if p.Name == "bob" {
				return errors.New("the account is suspended")
			}
			return nil
		}
		record := s.run(lockOpenWith(1, ""), nil)
		_, err := s.says(record.ID, "bob", true)
		s.refused(err, r.Refusals.Decision)
		s.approve(record.ID, "alice")
	})
	play(t, r, "a run is cancelled while somebody decides", func(s *scene) {
		record := s.run(lockOpenWith(1, ""), nil)
		s.world.Script("read a", Fault{Takes: time.Minute})
		e := s.process(&Life{})
		decided := make(chan error, 1)
		id := s.asked(record.ID).ID
		go func() {
			_, err := e.Decide(s.Context(), Decision{Approval: id, Actor: by("bob"), Approve: true})
			decided <- err
		}()
		synctest.Wait()
		if _, err := e.Cancel(s.Context(), record.ID, "enough"); err != nil {
			s.Fatal(err)
		}
		if err := <-decided; err == nil {
			s.Error("the decision counts")
		}
		s.want(s.drive(e, record.ID), engine.RunCancelled)
		s.wantWorld()
	})
}

// decideAll carries a run out to its end, and lets bob and alice approve
// whatever is asked on the way. Any of the processes may die.
func (s *scene) decideAll(run string, process func() Engine) engine.RunRecord {
	s.Helper()
	for range mostDeaths {
		record, err := process().Drive(s.Context(), run)
		if err == nil && record.Status.Final() {
			return record
		}
		for _, user := range []string{"bob", "asmith"} {
			for _, a := range s.approvals(run) {
				if a.Status == engine.ApprovalPending {
					_, _ = process().Decide(s.Context(), Decision{Approval: a.ID, Actor: by(user), Approve: true}) // it may die
				}
			}
		}
	}
	s.Fatalf("it made no progress in %d processes", mostDeaths)
	return engine.RunRecord{}
}

// testApprovalDeaths kills processes at every commit of a run that asks two
// people, and at every commit of their decisions.
func testApprovalDeaths(t *testing.T, r Runtime) {
	if r.Brief {
		return
	}
	var calm ending
	playbook := lockOpenWith(2, "")
	play(t, r, "alone", func(s *scene) {
		calm = s.ending(s.decideAll(s.start(s.process(&Life{}), playbook, nil), func() Engine { return s.process(&Life{}) }))
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell locked: true")
	})
	for n := 1; n < 30; n++ {
		play(t, r, fmt.Sprintf("dying with commit %d", n), func(s *scene) {
			run := s.start(s.process(&Life{}), playbook, nil)
			life := &Life{dieAt: n, durable: n%2 == 0}
			s.wantEnding(s.decideAll(run, func() Engine {
				if life.Dead() {
					return s.process(&Life{})
				}
				return s.process(life)
			}), calm)
		})
	}
	for _, every := range []int{2, 3, 5} {
		play(t, r, fmt.Sprintf("dying every %d commits", every), func(s *scene) {
			run, n := s.start(s.process(&Life{}), playbook, nil), 0
			s.wantEnding(s.decideAll(run, func() Engine {
				n++
				return s.process(&Life{dieAt: every, durable: n%2 == 0})
			}), calm)
		})
	}
}
