package enginetest

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const retried = `
name: main
steps:
  - id: look
    uses: world.look
    with: { id: a }
    retry: { attempts: 3, backoff: exponential, first: 1m, max: 10m }
`

// testTime is about retries and timeouts.
func testTime(t *testing.T, r Runtime) {
	play(t, r, "a failure that passes is retried", func(s *scene) {
		s.world.Script("look a", Fault{Err: busy()}, Fault{Err: busy()})
		began := time.Now()
		record := s.run(retried, nil)
		s.want(record, engine.RunSucceeded)
		s.wantElapsed(began, 3*time.Minute)
		s.wantAttempts(record.ID, "look", engine.StepFailed, engine.StepFailed, engine.StepSucceeded)
	})
	play(t, r, "the attempts run out", func(s *scene) {
		s.world.Script("look a", Fault{Err: busy()}, Fault{Err: busy()}, Fault{Err: busy()}, Fault{Err: busy()})
		record := s.run(retried, nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassTransient, "busy", "look")
		if s.world.Calls("look a") != 3 {
			s.Errorf("it was called %d times", s.world.Calls("look a"))
		}
	})
	play(t, r, "a failure that stays is not retried", func(s *scene) {
		s.world.Script("look a", Fault{Err: engine.Fail(engine.ClassAuth, "denied", "no")})
		record := s.run(retried, nil)
		s.want(record, engine.RunFailed)
		s.wantAttempts(record.ID, "look", engine.StepFailed)
	})
	testWaiting(t, r)
	testPauses(t, r)
}

const pausing = `
name: main
steps:
  - uses: world.lock
    with: { id: a }
  - id: pause
    wait: { for: 48h }
  - uses: world.unlock
    with: { id: a }
  - id: later
    wait: { until: "${{ run.time + duration('72h') }}" }
  - uses: world.tell
    with: { text: done }
`

// testPauses is about `wait` where somebody stays to carry the run on.
func testPauses(t *testing.T, r Runtime) {
	play(t, r, "a run waits for a time, and then until another", func(s *scene) {
		began := time.Now()
		s.want(s.run(pausing, nil), engine.RunSucceeded)
		s.wantElapsed(began, 72*time.Hour)
		s.wantWorld("lock a", "unlock a", "tell done")
	})
	play(t, r, "a wait survives a restart, and does not begin anew", func(s *scene) {
		began := time.Now()
		run := s.dieWith(pausing, 5)
		time.Sleep(20 * time.Hour) //nolint:forbidigo // virtual: nobody drives the run meanwhile
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantElapsed(began, 72*time.Hour)
		s.wantWorld("lock a", "unlock a", "tell done")
	})
	play(t, r, "a wait that was over while nobody looked ends at once", func(s *scene) {
		run := s.dieWith(pausing, 5)
		time.Sleep(100 * time.Hour) //nolint:forbidigo // virtual: nobody drives the run meanwhile
		began := time.Now()
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantElapsed(began, 0)
		s.wantWorld("lock a", "unlock a", "tell done")
	})
	play(t, r, "what comes behind a wait is foreseen, and judged before anything is changed", func(s *scene) {
		record := s.run("name: main\nguard: { max_changes: 1 }\nsteps:\n  - uses: world.lock\n    with: { id: a }\n  - wait: { for: 1h }\n  - uses: world.lock\n    with: { id: b }\n", nil)
		s.want(record, engine.RunBlocked)
		s.wantWorld()
	})
}

// testWaiting is about how long a retry waits.
func testWaiting(t *testing.T, r Runtime) {
	play(t, r, "the service says when to come back", func(s *scene) {
		later := engine.Fail(engine.ClassTransient, "rate_limited", "slow down")
		later.NotBefore = time.Now().Add(time.Hour)
		s.world.Script("look a", Fault{Err: later})
		began := time.Now()
		s.want(s.run(retried, nil), engine.RunSucceeded)
		s.wantElapsed(began, time.Hour)
	})
	play(t, r, "a retry survives a restart", func(s *scene) {
		s.world.Script("look a", Fault{Err: busy()})
		began := time.Now()
		run := s.dieWith(retried, 2)
		time.Sleep(20 * time.Second) //nolint:forbidigo // virtual: nobody drives the run meanwhile
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantElapsed(began, time.Minute)
		s.wantAttempts(run, "look", engine.StepFailed, engine.StepSucceeded)
	})
	testTimeouts(t, r)
	testTimeoutsAfterRestart(t, r)
}

func testTimeouts(t *testing.T, r Runtime) {
	play(t, r, "a call that takes too long", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		began := time.Now()
		record := s.run(lookOne+"    timeout: 30s\n", nil)
		s.want(record, engine.RunFailed)
		if record.Error == nil || record.Error.Class != engine.ClassTimeout {
			s.Errorf("the failure is %+v", record.Error)
		}
		s.wantElapsed(began, 30*time.Second)
	})
	play(t, r, "a timeout is retried", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		record := s.run(retried+"    timeout: 10s\n", nil)
		s.want(record, engine.RunSucceeded)
	})
	testTimeoutsOfMore(t, r)
}

// testTimeoutsOfMore is about timeouts of blocks, and of changes.
func testTimeoutsOfMore(t *testing.T, r Runtime) {
	play(t, r, "a block that takes too long", func(s *scene) {
		s.world.Script("look b", Fault{Blocks: true})
		began := time.Now()
		record := s.run(`
name: main
steps:
  - id: block
    timeout: 5s
    steps:
      - uses: world.look
        with: { id: a }
      - uses: world.look
        with: { id: b }
      - uses: world.tell
        with: { text: never }
`, nil)
		s.want(record, engine.RunFailed)
		s.wantElapsed(began, 5*time.Second)
		s.wantWorld()
	})
	play(t, r, "a change that takes too long, and happens", func(s *scene) {
		s.world.Script("lock a", Fault{Blocks: true})
		record := s.run(lockOne[:len(lockOne)-len("outputs:\n  changed: ${{ steps.lock.changed }}\n")]+"    timeout: 30s\n", nil)
		s.want(record, engine.RunFailed)
		s.wantWorld()
		if record.Error == nil || record.Error.Class != engine.ClassTimeout {
			s.Errorf("the failure is %+v", record.Error)
		}
	})
}

// testTimeoutsAfterRestart is about calls that were open when their process
// died: the time during which nobody carried the run out does not count.
func testTimeoutsAfterRestart(t *testing.T, r Runtime) {
	const limited = "    timeout: 30s\n"
	abandoned := func(s *scene, playbook string) string {
		run := s.dieWith(playbook, 2)
		time.Sleep(time.Hour) //nolint:forbidigo // virtual: nobody drives the run meanwhile
		return run
	}
	const lookTwice = lookOne + limited + "  - id: again\n    uses: world.look\n    with: { id: b }\n" + limited
	play(t, r, "an observation has its whole time again", func(s *scene) {
		run := abandoned(s, lookTwice)
		s.world.Script("look b", Fault{Takes: 20 * time.Second})
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
	})
	play(t, r, "and not more than that", func(s *scene) {
		run := abandoned(s, lookTwice)
		s.world.Script("look b", Fault{Blocks: true})
		began := time.Now()
		record := s.drive(s.process(&Life{}), run)
		s.want(record, engine.RunFailed)
		s.wantElapsed(began, 30*time.Second)
		s.wantFailure(record, engine.ClassTimeout, "deadline", "again")
	})
	play(t, r, "a change is made after all", func(s *scene) {
		const playbook = "name: main\nsteps:\n  - id: lock\n    uses: world.lock\n    with: { id: a }\n" + limited
		run := abandoned(s, playbook)
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantWorld("lock a")
	})
	play(t, r, "a change is foreseen after all", func(s *scene) {
		run := s.start(s.process(&Life{}), "name: main\nsteps:\n  - id: lock\n    uses: world.lock\n    with: { id: a }\n"+limited, nil)
		s.wait(time.Hour)
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantWorld("lock a")
	})
	play(t, r, "a person can still stop it", func(s *scene) {
		run := abandoned(s, lookTwice)
		s.world.Script("look b", Fault{Blocks: true})
		record, err := s.process(&Life{}).Cancel(s.Context(), run, "")
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunCancelled)
	})
}

// wantElapsed checks how much virtual time has passed, to the second.
func (s *scene) wantElapsed(since time.Time, want time.Duration) {
	s.Helper()
	if got := time.Since(since).Round(time.Second); got != want {
		s.Errorf("it took %s, not %s", got, want)
	}
}

// wantAttempts checks how the attempts of a step ended.
func (s *scene) wantAttempts(run, path string, want ...engine.StepStatus) {
	s.Helper()
	var got []string
	for _, r := range s.steps(run) {
		if r.Path == path {
			got = append(got, string(r.Status))
		}
	}
	var names []string
	for _, status := range want {
		names = append(names, string(status))
	}
	if !equal(got, names) {
		s.Errorf("the attempts of %s ended %q, not %q", path, got, names)
	}
}
