package enginetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// dieBehindIntent is the commit that makes the intent of lockOne durable: the
// first marks the run as running, the second keeps what was foreseen.
const dieBehindIntent = 3

// testSettling is about changes of which nobody heard how they ended.
func testSettling(t *testing.T, r Runtime) {
	lost := errors.New("the connection was lost")
	for _, c := range []struct {
		name   string
		fault  Fault
		status engine.RunStatus
		calls  int
		world  []string
		took   time.Duration
	}{
		{"a lost reply to a change that happened", Fault{Err: lostReply(), After: true}, engine.RunSucceeded, 1, []string{"lock a"}, 0},
		{"a lost reply to a change that did not", Fault{Err: lostReply()}, engine.RunFailed, 1, nil, settleTime},
		{"an error nobody has classified, behind the effect", Fault{Err: lost, After: true}, engine.RunSucceeded, 1, []string{"lock a"}, 0},
		{"a busy service that did it all the same", Fault{Err: busy(), After: true}, engine.RunSucceeded, 1, []string{"lock a"}, 0},
		{"a busy service that did not", Fault{Err: busy()}, engine.RunFailed, 1, nil, 0},
		{"a reply that is lost while reads lag", Fault{Err: lostReply(), After: true, Lag: 3 * time.Second}, engine.RunSucceeded, 1, []string{"lock a"}, 3 * time.Second},
	} {
		play(t, r, c.name, func(s *scene) {
			s.world.Script("lock a", c.fault)
			began := time.Now()
			s.want(s.run(lockOne, nil), c.status)
			s.wantWorld(c.world...)
			if got := s.world.Calls("lock a"); got != c.calls {
				s.Errorf("it was called %d times", got)
			}
			if took := time.Since(began); took < c.took || took > c.took+2*time.Second {
				s.Errorf("it took %s", took)
			}
		})
	}
	testUnreadable(t, r)
}

// testUnreadable is about targets that cannot be read back.
func testUnreadable(t *testing.T, r Runtime) {
	play(t, r, "a change that cannot be read back leaves the run unsettled", func(s *scene) {
		s.world.Script("lock a", Fault{Err: lostReply(), After: true})
		s.world.Script("read a", append(looks(2), many(down(), 100)...)...)
		record := s.run(lockOne+"\n", nil)
		s.want(record, engine.RunUnsettled)
		if record.Error == nil || record.Error.Class != engine.ClassUnsettled || !strings.Contains(record.Error.Message, "world.lock of a") {
			s.Errorf("it does not tell: %+v", record.Error)
		}
		if got := s.step(record.ID, "lock"); got.Status != engine.StepStarted {
			s.Errorf("the step is %s", got.Status)
		}
		s.world.heal("read a")
		record = s.drive(s.process(&Life{}), record.ID)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"changed":true}`)
		s.wantWorld("lock a")
	})
	testSettlingAfterDeath(t, r)
	testSettlingAndMore(t, r)
	testAttribution(t, r)
}

func testSettlingAfterDeath(t *testing.T, r Runtime) {
	play(t, r, "after a crash, a change that happened is not repeated", func(s *scene) {
		run := s.dieBehindIntent(true)
		began := time.Now()
		record := s.drive(s.process(&Life{}), run)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"changed":true}`)
		s.wantWorld("lock a")
		s.wantElapsed(began, 0)
		if got := s.step(run, "lock"); got.Outcome != engine.OutcomeDone || string(got.Before) != `{"state":"open"}` {
			s.Errorf("the record is %+v", got)
		}
	})
	play(t, r, "after a crash, a change that did not happen waits until reads are true", func(s *scene) {
		run := s.dieBehindIntent(false)
		began := time.Now()
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantWorld("lock a")
		s.wantElapsed(began, settleTime)
	})
	for name, settle := range map[string]struct {
		says  *time.Duration
		waits time.Duration
	}{
		"whose reads never lag":           {new(time.Duration(0)), 0},
		"that does not say how reads lag": {nil, engine.DefaultSettle},
	} {
		play(t, r, "after a crash, a change that did not happen at a service "+name, func(s *scene) {
			s.world.settle = settle.says
			run := s.dieBehindIntent(false)
			began := time.Now()
			s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
			s.wantWorld("lock a")
			s.wantElapsed(began, settle.waits)
		})
	}
	testSettlingLate(t, r)
}

// testSettlingLate is about when a state that is read can be believed.
func testSettlingLate(t *testing.T, r Runtime) {
	play(t, r, "long after a crash there is nothing to wait for", func(s *scene) {
		run := s.dieBehindIntent(false)
		time.Sleep(time.Hour) //nolint:forbidigo // virtual: nobody drives the run meanwhile
		began := time.Now()
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantElapsed(began, 0)
	})
	play(t, r, "after a crash, a change that shows late is not repeated", func(s *scene) {
		s.world.Script("lock a", Fault{Lag: 3 * time.Second})
		s.want(s.drive(s.process(&Life{}), s.dieBehindIntent(true)), engine.RunSucceeded)
		s.wantWorld("lock a")
	})
	play(t, r, "after a crash, a service that is down leaves the run unsettled", func(s *scene) {
		run := s.dieBehindIntent(true)
		s.world.Script("read a", many(down(), 100)...)
		s.want(s.drive(s.process(&Life{}), run), engine.RunUnsettled)
		s.want(s.drive(s.process(&Life{}), run), engine.RunUnsettled)
		s.world.heal("read a")
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantWorld("lock a")
	})
}

// testSettlingAndMore is about changes that are open while something else happens.
func testSettlingAndMore(t *testing.T, r Runtime) {
	play(t, r, "a change whose target is somebody else now is not settled", func(s *scene) {
		s.world.name("boss", "a")
		run := s.dieWith("name: main\nsteps:\n  - id: lock\n    uses: world.lock\n    with: { id: boss }\n", dieBehindIntent)
		s.world.name("boss", "b")
		s.want(s.drive(s.process(&Life{}), run), engine.RunUnsettled)
		s.wantWorld()
		s.world.name("boss", "a")
		s.want(s.drive(s.process(&Life{}), run), engine.RunSucceeded)
		s.wantWorld("lock a")
	})
	for happened, want := range map[bool][]string{false: nil, true: {"lock a"}} {
		play(t, r, fmt.Sprintf("a change of a cancelled run that happened: %v", happened), func(s *scene) {
			s.world.Script("lock a", Fault{Err: lostReply(), After: happened})
			s.world.Script("read a", append(looks(2), many(down(), 100)...)...)
			run := s.run(lockOne, nil).ID
			record, err := s.process(&Life{}).Cancel(s.Context(), run, "")
			if err != nil {
				s.Fatal(err)
			}
			s.want(record, engine.RunUnsettled)
			s.world.heal("read a")
			s.want(s.drive(s.process(&Life{}), run), engine.RunCancelled)
			s.wantWorld(want...)
			if got := s.step(run, "lock"); (got.Outcome == engine.OutcomeDone) != happened {
				s.Errorf("the record is %+v", got)
			}
		})
	}
	testSettlingBeside(t, r)
}

// testSettlingBeside is about what goes on beside a change that is open.
func testSettlingBeside(t *testing.T, r Runtime) {
	play(t, r, "an unsettled item holds up no other", func(s *scene) {
		s.world.Script("lock b", Fault{Err: lostReply(), After: true})
		s.world.Script("read b", append(looks(2), many(down(), 100)...)...)
		record := s.run(lockEachWith("", "2"), nil)
		s.want(record, engine.RunUnsettled)
		if got := sorted(s.world.Done()); !equal(got, []string{"lock a", "lock b", "lock c", "lock d"}) {
			s.Errorf("in the world was done %q", got)
		}
		s.world.heal("read b")
		s.want(s.drive(s.process(&Life{}), record.ID), engine.RunSucceeded)
		if got := s.world.Done(); len(got) != 5 || got[4] != "tell behind" {
			s.Errorf("in the world was done %q", got)
		}
	})
	play(t, r, "reading back does not hold up an interrupt", func(s *scene) {
		s.world.Script("lock b", Fault{Err: lostReply(), After: true, Lag: 4 * time.Second})
		d := s.begin(withFinally)
		time.Sleep(time.Second) //nolint:forbidigo // virtual: the target is being read back
		began := time.Now()
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		s.wantElapsed(began, 0)
		s.want(s.drive(s.process(&Life{}), d.run), engine.RunSucceeded)
		s.wantWorld("lock b", "tell cleaned up", "tell never")
	})
}

// testAttribution is about changes that land after their step has failed: the
// next attempt finds nothing to do, and yet the run has made the change.
func testAttribution(t *testing.T, r Runtime) {
	const playbook = `
name: main
steps:
  - id: lock
    uses: world.lock
    with: { id: a }
    retry: { attempts: 2, backoff: fixed, first: 1m }
outputs:
  changed: ${{ steps.lock.changed }}
`
	play(t, r, "a change that lands after its attempt failed", func(s *scene) {
		s.world.Script("lock a", Fault{Err: busy(), After: true, Lag: 10 * time.Second})
		record := s.run(playbook, nil)
		s.want(record, engine.RunSucceeded)
		s.wantOutputs(record, `{"changed":true}`)
		s.wantWorld("lock a")
		if got := s.step(record.ID, "lock"); got.Attempt != 2 || got.Outcome != engine.OutcomeDone || string(got.Before) != `{"state":"open"}` {
			s.Errorf("the record is %+v", got)
		}
	})
}

// dieBehindIntent carries lockOne out until its intent is durable. happened says
// whether the service carried the change out all the same.
func (s *scene) dieBehindIntent(happened bool) (run string) {
	s.Helper()
	run = s.dieWith(lockOne, dieBehindIntent)
	if happened {
		if err := (service{s.world, &Life{}}).change(s.Context(), "lock", "a", locked); err != nil {
			s.Fatal(err)
		}
	}
	return run
}

// dieWith carries a playbook out until the process dies just behind a commit.
func (s *scene) dieWith(playbook string, commit int) (run string) {
	s.Helper()
	e := s.process(&Life{dieAt: commit, durable: true})
	run = s.start(e, playbook, nil)
	if _, err := e.Drive(s.Context(), run); err == nil {
		s.Fatal("the process did not die")
	}
	return run
}

// Failures of the world.

func lostReply() error {
	return engine.Fail(engine.ClassUnsettled, "lost_reply", "the reply was lost")
}

func busy() error { return engine.Fail(engine.ClassTransient, "busy", "it is busy") }

func down() error { return engine.Fail(engine.ClassTransient, "down", "it is down") }

func many(err error, n int) []Fault {
	out := make([]Fault, n)
	for i := range out {
		out[i] = Fault{Err: err}
	}
	return out
}

// heal forgets the faults of a call.
func (w *World) heal(call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.faults, call)
}

// looks are reads that work: the first foresees a change, the second comes
// right before it.
func looks(n int) []Fault { return make([]Fault, n) }
