package enginetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const withFinally = `
name: main
steps:
  - try:
      - uses: world.look
        with: { id: a }
      - uses: world.lock
        with: { id: b }
    finally:
      - uses: world.tell
        with: { text: cleaned up }
  - uses: world.tell
    with: { text: never }
`

// driven is a run being carried out in the background.
type driven struct {
	run    string
	engine Engine
	stop   context.CancelFunc // interrupts it
	result chan engine.RunRecord
}

// begin starts a run and carries it out in the background until everything waits.
func (s *scene) begin(playbook string) *driven {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	e := s.process(&Life{})
	d := &driven{run: s.start(e, playbook, nil), engine: e, stop: cancel, result: make(chan engine.RunRecord, 1)}
	go func() {
		defer close(d.result)
		record, err := e.Drive(ctx, d.run)
		if err != nil {
			s.Errorf("carrying out: %v", err)
		}
		d.result <- record
	}()
	s.Cleanup(cancel)
	synctest.Wait()
	return d
}

// testStopping is about runs that are cancelled or interrupted.
func testStopping(t *testing.T, r Runtime) {
	play(t, r, "a run that is cancelled cleans up", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		d := s.begin(withFinally)
		if _, err := d.engine.Cancel(s.Context(), d.run, "somebody thought better of it"); err != nil {
			s.Fatal(err)
		}
		record := <-d.result
		s.want(record, engine.RunCancelled)
		s.wantWorld("tell cleaned up")
	})
	play(t, r, "a change under way is awaited when its run is cancelled", func(s *scene) {
		s.world.Script("lock b", Fault{Takes: 5 * time.Second})
		d := s.begin(withFinally)
		if _, err := d.engine.Cancel(s.Context(), d.run, ""); err != nil {
			s.Fatal(err)
		}
		s.want(<-d.result, engine.RunCancelled)
		s.wantWorld("lock b", "tell cleaned up")
		if got := s.step(d.run, "try~1/try/uses~2"); got.Outcome != engine.OutcomeDone {
			s.Errorf("the change is recorded as %+v", got)
		}
	})
	testCancelling(t, r)
}

// testCancelling is about requests that come at an odd moment.
func testCancelling(t *testing.T, r Runtime) {
	play(t, r, "a run that nobody carries out is cancelled too", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		d := s.begin(withFinally)
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		record, err := s.process(&Life{}).Cancel(s.Context(), d.run, "")
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunCancelled)
		s.wantWorld("tell cleaned up")
		if again, err := d.engine.Cancel(s.Context(), d.run, ""); err != nil || again.Status != engine.RunCancelled {
			s.Errorf("cancelled again it is %s: %v", again.Status, err)
		}
	})
	play(t, r, "a change is not made once its run is cancelled, though its intent is durable", func(s *scene) {
		s.store = slowIntents{s.store}
		d := s.begin(withFinally)
		if _, err := d.engine.Cancel(s.Context(), d.run, ""); err != nil {
			s.Fatal(err)
		}
		s.want(<-d.result, engine.RunCancelled)
		s.wantWorld("tell cleaned up")
		if got := s.step(d.run, "try~1/try/uses~2"); got.Status != engine.StepCancelled {
			s.Errorf("the change is recorded as %+v", got)
		}
	})
	testInterrupting(t, r)
}

// slowIntents is a store that takes a second for the intent of a change.
type slowIntents struct{ engine.Store }

// Commit takes its time with an intent.
func (s slowIntents) Commit(ctx context.Context, b engine.Batch) error {
	if len(b.Events) == 0 && len(b.Steps) == 1 && b.Steps[0].Status == engine.StepStarted {
		time.Sleep(time.Second) //nolint:forbidigo // virtual: a slow disk
	}
	return s.Store.Commit(ctx, b)
}

func testInterrupting(t *testing.T, r Runtime) {
	play(t, r, "an interrupted observation is made again", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		d := s.begin(withFinally)
		began := time.Now()
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		s.wantElapsed(began, 0)
		s.wantWorld()
		s.want(s.drive(d.engine, d.run), engine.RunSucceeded)
		s.wantWorld("lock b", "tell cleaned up", "tell never")
	})
	play(t, r, "a change under way may finish when its run is interrupted", func(s *scene) {
		s.world.Script("lock b", Fault{Takes: 5 * time.Second})
		d := s.begin(withFinally)
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		s.wantWorld("lock b")
		began := time.Now()
		s.want(s.drive(s.process(&Life{}), d.run), engine.RunSucceeded)
		s.wantElapsed(began, 0) // nothing had to be read back
		s.wantWorld("lock b", "tell cleaned up", "tell never")
	})
	testGrace(t, r)
}

// testGrace is about what may finish when a run is interrupted.
func testGrace(t *testing.T, r Runtime) {
	play(t, r, "a message under way may finish when its run is interrupted", func(s *scene) {
		s.world.Script("tell cleaned up", Fault{Takes: 5 * time.Second})
		d := s.begin(withFinally)
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		s.want(s.drive(s.process(&Life{}), d.run), engine.RunSucceeded)
		s.wantWorld("lock b", "tell cleaned up", "tell never")
		if s.world.Calls("tell cleaned up") != 1 {
			s.Errorf("it was called %d times", s.world.Calls("tell cleaned up"))
		}
	})
	play(t, r, "a change that takes longer than the grace is read back", func(s *scene) {
		s.world.Script("lock b", Fault{Takes: time.Minute})
		d := s.begin(withFinally)
		d.stop()
		s.want(<-d.result, engine.RunInterrupted)
		s.wantWorld()
		s.want(s.drive(s.process(&Life{}), d.run), engine.RunSucceeded)
		s.wantWorld("lock b", "tell cleaned up", "tell never")
		if s.world.Calls("lock b") != 2 {
			s.Errorf("it was called %d times", s.world.Calls("lock b"))
		}
	})
	testDrivers(t, r)
}

// testDrivers is about runs carried out twice, or not at all.
func testDrivers(t *testing.T, r Runtime) {
	play(t, r, "a run is carried out once at a time", func(s *scene) {
		s.world.Script("look a", Fault{Blocks: true})
		d := s.begin(withFinally)
		if _, err := d.engine.Drive(s.Context(), d.run); err == nil {
			s.Error("it was carried out twice at once")
		}
		d.stop()
		<-d.result
	})
	play(t, r, "nothing to interrupt", func(s *scene) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		e := s.process(&Life{})
		run := s.start(e, withFinally, nil)
		record, err := e.Drive(ctx, run)
		if err != nil {
			s.Fatal(err)
		}
		s.want(record, engine.RunInterrupted)
		s.wantWorld()
		s.want(s.drive(e, run), engine.RunSucceeded)
	})
}
