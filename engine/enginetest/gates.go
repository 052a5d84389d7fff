package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

// mandatory makes an approval mandatory for every playbook.
func (s *scene) mandatory(a guard.PolicyApproval) {
	s.guard.Policies = []guard.Policy{{Playbooks: []string{"*"}, Approve: &a}}
}

func asking(most int64) guard.Limits { return guard.Limits{MaxChanges: &most, OnBlock: "ask"} }

// findAndLock looks for open accounts, and locks them; what it cannot read it
// takes for nothing.
const findAndLock = `
name: main
steps:
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

// testGates is about runs that ask people before they begin.
func testGates(t *testing.T, r Runtime) {
	testPolicyGate(t, r)
	testGuardGate(t, r)
}

func testPolicyGate(t *testing.T, r Runtime) {
	play(t, r, "a policy wants an approval, though the playbook has none", func(s *scene) {
		s.mandatory(guard.PolicyApproval{By: []string{"alice", "bob"}, Needs: 2, Timeout: time.Hour})
		record := s.run(lockEachWith("", "1"), nil)
		s.want(record, engine.RunWaiting)
		a := s.asked(record.ID)
		if a.Kind != engine.ApprovalPolicy || a.Path != "" || a.Needs != 2 || a.ExpiresAt.Sub(a.CreatedAt) != time.Hour || len(s.heard) != 1 {
			s.Errorf("the request is %+v, told %d times", a, len(s.heard))
		}
		s.wantPending(s.set(a.Set), "a", "b", "c", "d")
		_, err := s.says(record.ID, "tester", true)
		s.refused(err, r.Refusals.Decision)
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.approve(record.ID, "alice")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d", "tell behind")
	})
	play(t, r, "denied before it began", func(s *scene) {
		s.mandatory(guard.PolicyApproval{})
		record := s.run(lockEachWith("", "1"), nil)
		if _, err := s.says(record.ID, "carol", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld()
	})
	play(t, r, "nobody decides before it began", func(s *scene) {
		s.mandatory(guard.PolicyApproval{Timeout: time.Hour})
		record := s.run(lockEachWith("", "1"), nil)
		s.wait(time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunDenied)
		s.wantWorld()
	})
	play(t, r, "decided in time, and gone on with late", func(s *scene) {
		s.mandatory(guard.PolicyApproval{Timeout: time.Hour})
		record := s.run(lockEachWith("", "1"), nil)
		s.approve(record.ID, "carol")
		s.wait(2 * time.Hour)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
	})
	play(t, r, "cancelled before it began", func(s *scene) {
		s.mandatory(guard.PolicyApproval{})
		record := s.run(lockEachWith("", "1"), nil)
		record, err := s.process(&Life{}).Cancel(s.Context(), record.ID, "enough")
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunCancelled)
		if all := s.approvals(record.ID); len(all) != 1 || all[0].Status != engine.ApprovalObsolete {
			s.Errorf("the requests are %+v", all)
		}
		s.wantWorld()
	})
	testPolicyGateHolds(t, r)
}

// testPolicyGateHolds is about what nobody was asked about.
func testPolicyGateHolds(t *testing.T, r Runtime) {
	play(t, r, "nobody is asked about nothing", func(s *scene) {
		s.mandatory(guard.PolicyApproval{})
		for _, id := range []string{"a", "b", "c", "d"} {
			s.world.turn(id, locked)
		}
		s.want(s.run(lockEachWith("", "1"), nil), engine.RunSucceeded)
		s.wantWorld("tell behind")
	})
	play(t, r, "a read that fails while looking ahead hides nothing from the policy", func(s *scene) {
		s.mandatory(guard.PolicyApproval{})
		s.world.Script("list", Fault{Err: engine.Fail(engine.ClassPermanent, "x", "x")})
		record := s.run(findAndLock, nil)
		if record.Status.Final() && record.Status != engine.RunDrifted {
			s.Errorf("the run is %s", record.Status)
		}
		s.wantWorld()
	})
	play(t, r, "what is new since it was approved does not get through", func(s *scene) {
		s.mandatory(guard.PolicyApproval{})
		record := s.run(findAndLock, nil)
		s.approve(record.ID, "carol")
		s.world.join("e")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d")
	})
	if r.Brief {
		return
	}
	for n := 1; n < 25; n++ {
		play(t, r, fmt.Sprintf("dying with commit %d", n), func(s *scene) {
			s.mandatory(guard.PolicyApproval{Needs: 2})
			run := s.start(s.process(&Life{}), lockEachWith("", "2"), nil)
			life := &Life{dieAt: n, durable: n%2 == 1}
			s.want(s.decideAll(run, func() Engine {
				if life.Dead() {
					return s.process(&Life{})
				}
				return s.process(life)
			}), engine.RunSucceeded)
			done := sorted(s.world.Done())
			if !equal(done[:4], []string{"lock a", "lock b", "lock c", "lock d"}) {
				s.Errorf("in the world was done %q", done)
			}
		})
	}
}

func testGuardGate(t *testing.T, r Runtime) {
	play(t, r, "over a limit, people are asked, and exactly that goes through", func(s *scene) {
		s.guard.Limits = asking(2)
		record := s.run(lockEachWith("", "2"), nil)
		s.want(record, engine.RunWaiting)
		if a := s.asked(record.ID); a.Kind != engine.ApprovalGuard || !strings.Contains(a.Title, "2 too many") {
			s.Errorf("the request is %+v", a)
		}
		_, err := s.says(record.ID, "tester", true)
		s.refused(err, r.Refusals.Decision)
		s.approve(record.ID, "carol")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		if n := len(s.world.Done()); n != 5 {
			s.Errorf("in the world was done %q", s.world.Done())
		}
	})
	play(t, r, "what is left out does not go through", func(s *scene) {
		s.guard.Limits = asking(2)
		record := s.run(lockEachWith("", "1"), nil)
		if _, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.asked(record.ID).ID, Actor: by("carol"), Approve: true, Except: []string{"b"}}); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunPartial)
		s.wantWorld("lock a", "lock c", "lock d", "tell behind")
	})
	play(t, r, "let through with one left out, a question on the way still is asked", func(s *scene) {
		s.guard.Limits = asking(2)
		record := s.run(lockOpenWith(1, ""), nil)
		if _, err := s.process(&Life{}).Decide(s.Context(), Decision{Approval: s.asked(record.ID).ID, Actor: by("carol"), Approve: true, Except: []string{"b"}}); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantPending(s.set(s.asked(record.ID).Set), "a", "c", "d")
		s.approve(record.ID, "bob")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunPartial)
		s.wantWorld("lock a", "lock c", "lock d", "tell locked: true")
	})
	play(t, r, "what has grown since is asked anew, and not let through", func(s *scene) {
		s.guard.Limits = asking(2)
		record := s.run(findAndLock, nil)
		s.world.join("e")
		_, err := s.says(record.ID, "carol", true)
		s.refused(err, r.Refusals.Renewed)
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunWaiting)
		s.wantPending(s.set(s.asked(record.ID).Set), "a", "b", "c", "d", "e")
		s.wantWorld()
	})
	play(t, r, "a plan over a limit is let through as it is", func(s *scene) {
		s.guard.Limits = asking(2)
		plan := s.plan(findAndLock)
		if plan.Blocked == nil {
			s.Error("nothing is said against the plan")
		}
		record := s.apply(s.process(&Life{}), plan)
		s.want(record, engine.RunWaiting)
		s.approve(record.ID, "carol")
		s.world.join("e")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		s.wantWorld("lock a", "lock b", "lock c", "lock d")
	})
	play(t, r, "where anybody says stop, nobody is asked", func(s *scene) {
		s.guard.Limits = asking(2)
		s.want(s.run(lockEachWith("guard: { on_block: stop }", "1"), nil), engine.RunBlocked)
		s.wantWorld()
	})
}
