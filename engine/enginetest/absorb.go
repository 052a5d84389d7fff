package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

// swept is a playbook that a schedule starts, and that asks on its way.
func swept(overlap string) string {
	return strings.Replace(lockOpenWith(1, ""), "steps:", "triggers:\n  - { schedule: \"@every 1h\", overlap: "+overlap+" }\nsteps:", 1)
}

// sweepRun starts a playbook as its schedule does, and carries it out.
func (s *scene) sweepRun(life *Life, playbook string) string {
	s.Helper()
	s.wait(time.Minute)
	e := s.process(life)
	req := s.request(playbook, nil)
	req.Series, req.Actor = "main#0", engine.Actor{Name: "schedule", Via: "schedule"}
	run, err := e.Start(s.Context(), req)
	if err != nil {
		s.Fatalf("starting: %v", err)
	}
	if _, err := e.Drive(s.Context(), run); err != nil && !life.Dead() {
		s.Fatalf("carrying out: %v", err)
	}
	return run
}

// is checks how a run stands, and returns it.
func (s *scene) is(run string, status engine.RunStatus) engine.RunRecord {
	s.Helper()
	record, err := s.store.Run(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	s.want(record, status)
	return record
}

// wantWords checks what a run's error says.
func (s *scene) wantWords(record engine.RunRecord, words ...string) {
	s.Helper()
	for _, word := range words {
		if record.Error == nil || !strings.Contains(record.Error.Message, word) {
			s.Errorf("the error of %s does not say %q: %+v", record.ID, word, record.Error)
		}
	}
}

// testAbsorbing is about runs of a schedule that would ask what earlier ones ask.
func testAbsorbing(t *testing.T, r Runtime) {
	for gate, prepare := range map[string]func(s *scene) string{
		"a step": func(*scene) string { return swept("skip") },
		"the policy": func(s *scene) string {
			s.mandatory(guard.PolicyApproval{})
			return strings.Replace(findAndLock, "steps:", "triggers:\n  - { schedule: \"@every 1h\" }\nsteps:", 1)
		},
	} {
		testStandingRequest(t, r, gate, prepare)
		testDeniedBefore(t, r, gate, prepare)
	}
	play(t, r, "where runs may overlap, each asks for itself", func(s *scene) {
		first, second := s.sweepRun(&Life{}, swept("allow")), s.sweepRun(&Life{}, swept("allow"))
		s.is(first, engine.RunWaiting)
		s.is(second, engine.RunWaiting)
	})
	play(t, r, "runs started by hand ask for themselves", func(s *scene) {
		s.sweepRun(&Life{}, swept("skip"))
		s.want(s.run(swept("skip"), nil), engine.RunWaiting)
	})
	testAbsorbingDeaths(t, r)
}

func testStandingRequest(t *testing.T, r Runtime, gate string, prepare func(*scene) string) {
	play(t, r, gate+": a sweep that finds nothing new leaves the request as it is", func(s *scene) {
		playbook := prepare(s)
		first := s.sweepRun(&Life{}, playbook)
		request := s.asked(first)
		s.world.turn("b", locked) // less than before
		second := s.is(s.sweepRun(&Life{}, playbook), engine.RunCancelled)
		s.wantWords(second, request.ID, first, "that one stands")
		if still := s.asked(first); still.ID != request.ID || still.Round != 1 || len(s.approvals(second.ID)) != 0 || len(s.heard) != 1 {
			s.Errorf("the request is %+v, told %d times", still, len(s.heard))
		}
	})
	play(t, r, gate+": a sweep that finds more replaces the request", func(s *scene) {
		playbook := prepare(s)
		first := s.sweepRun(&Life{}, playbook)
		old := s.asked(first)
		s.world.join("e")
		second := s.sweepRun(&Life{}, playbook)
		s.is(second, engine.RunWaiting)
		request := s.asked(second)
		s.wantPending(s.set(request.Set), "a", "b", "c", "d", "e")
		if !strings.Contains(request.Title, old.ID) || !strings.Contains(request.Title, first) {
			s.Errorf("it does not say what it replaces: %s", request.Title)
		}
		s.wantWords(s.is(first, engine.RunCancelled), "superseded", request.ID, second)
		if closed := s.approvals(first); len(closed) != 1 || closed[0].Status != engine.ApprovalObsolete {
			s.Errorf("the earlier requests are %+v", closed)
		}
		s.approve(second, "bob")
		s.want(s.drive(s.process(&Life{}), second), engine.RunSucceeded)
		if len(s.world.Done()) < 5 {
			s.Errorf("only %v was done", s.world.Done())
		}
	})
}

func testDeniedBefore(t *testing.T, r Runtime, gate string, prepare func(*scene) string) {
	deny := func(s *scene, run string) {
		if _, err := s.says(run, "bob", false); err != nil {
			s.Fatal(err)
		}
		s.want(s.drive(s.process(&Life{}), run), engine.RunDenied)
	}
	play(t, r, gate+": what was denied is not asked again for a day", func(s *scene) {
		playbook := prepare(s)
		first := s.sweepRun(&Life{}, playbook)
		id := s.asked(first).ID
		deny(s, first)
		until := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		s.wait(23*time.Hour + 58*time.Minute)
		second := s.is(s.sweepRun(&Life{}, playbook), engine.RunDenied)
		s.wantWords(second, "bob denied this", id, "because", "not asked again before "+until)
		if len(s.heard) != 1 || len(s.world.Done()) != 0 {
			s.Errorf("told %d times, done %v", len(s.heard), s.world.Done())
		}
		s.is(s.sweepRun(&Life{}, playbook), engine.RunWaiting)
	})
	play(t, r, gate+": what was denied is asked again when there is more", func(s *scene) {
		playbook := prepare(s)
		deny(s, s.sweepRun(&Life{}, playbook))
		s.world.join("e")
		s.is(s.sweepRun(&Life{}, playbook), engine.RunWaiting)
	})
	play(t, r, gate+": what nobody decided is asked again", func(s *scene) {
		playbook := prepare(s)
		first := s.sweepRun(&Life{}, playbook)
		s.wait(25 * time.Hour)
		s.want(s.drive(s.process(&Life{}), first), engine.RunDenied)
		s.is(s.sweepRun(&Life{}, playbook), engine.RunWaiting)
	})
}

// testAbsorbingDeaths is about processes that die while a request replaces another.
func testAbsorbingDeaths(t *testing.T, r Runtime) {
	play(t, r, "at any moment, one request survives", func(s *scene) {
		first := s.sweepRun(&Life{}, swept("skip"))
		s.world.join(newcomer(1))
		for commit := 2; ; commit++ { // the first one starts it
			life := &Life{dieAt: commit, durable: true}
			second := s.sweepRun(life, swept("skip"))
			s.want(s.drive(s.process(&Life{}), second), engine.RunWaiting)
			s.want(s.drive(s.process(&Life{}), first), engine.RunCancelled) // it may have died while it ended
			s.asked(second)
			if !life.Dead() {
				return
			}
			first = second
			s.world.turn(newcomer(commit-1), locked)
			s.world.join(newcomer(commit))
		}
	})
}

func newcomer(n int) string { return fmt.Sprintf("new%d", n) }
