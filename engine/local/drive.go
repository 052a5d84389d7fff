package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// mostEvents is how many events are committed together at most.
const mostEvents = 256

// Why a call is cut off: the cause of its context.
var (
	errStopped  = errors.New("the step was stopped")
	errDeadline = errors.New("the step took too long")
	errEnded    = errors.New("the run is not carried out any more")
)

// errUnwanted means that a run has nothing to do now.
var errUnwanted = errors.New("the run has nothing to do now")

// Drive carries a run out: a new one, or one that was interrupted or left
// behind, from where it stands. It returns the run as it is then: final;
// unsettled, when a change may or may not have happened and cannot be read
// back now; or interrupted, when ctx was cancelled, and then changes and
// messages under way were given the grace to finish. All of these are no
// errors. Errors are those of the store, after which the run can be continued
// from what was durable; ErrDriven; ErrBusy, and the run stays queued; ErrVersion;
// ErrMoved; and engine.ErrNotFound.
func (e *Engine) Drive(ctx context.Context, run string) (engine.RunRecord, error) {
	return e.drive(ctx, run)
}

// Resume is Drive for somebody who has a hand in the run from then on: like
// those who started it, they may not approve it.
func (e *Engine) Resume(ctx context.Context, run string, by engine.Actor) (engine.RunRecord, error) {
	inbox, err := e.enter(run)
	if err != nil {
		return engine.RunRecord{}, err
	}
	err = e.addStarter(ctx, run, by)
	asked := e.leaveWith(run, inbox)
	if err != nil {
		return engine.RunRecord{}, fmt.Errorf("resuming run %s: %w", run, err)
	}
	return e.drive(ctx, run, asked...)
}

func (e *Engine) addStarter(ctx context.Context, run string, by engine.Actor) error {
	record, err := e.config.Store.Run(ctx, run)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	starters := e.joined(record.Starters, by)
	if record.Status.Final() || slices.Equal(record.Starters, starters) {
		return nil
	}
	record.Starters = starters
	if err := e.config.Store.Commit(ctx, engine.Batch{Runs: []engine.RunRecord{record}}); err != nil {
		return fmt.Errorf("recording who resumed it: %w", err)
	}
	return nil
}

// Cancel asks a run to end: open steps are stopped and `finally` blocks are
// carried out. Where this Engine is carrying the run out, Cancel returns at
// once and that Drive returns the result; otherwise Cancel carries out what is
// left, like Drive. A run that is over stays as it is.
func (e *Engine) Cancel(ctx context.Context, run, reason string) (engine.RunRecord, error) {
	request := machine.Event{Kind: machine.CancelRequested, Reason: e.config.Redact.String(reason)}
	if e.deliver(run, request) {
		record, err := e.config.Store.Run(ctx, run)
		if err != nil {
			return record, fmt.Errorf("reading run %s: %w", run, err)
		}
		return record, nil
	}
	record, err := e.drive(ctx, run, request)
	if err == nil && record.Status == engine.RunInterrupted {
		e.adopt(run) // it was told that it will end
	}
	return record, err
}

// drive carries a run out for somebody outside. What fails is tried again by
// Serve, where it works.
func (e *Engine) drive(ctx context.Context, run string, first ...machine.Event) (engine.RunRecord, error) {
	record, err := e.driveIf(ctx, run, e.admit, first...)
	if err != nil && !errors.Is(err, ErrDriven) && !errors.Is(err, ErrBusy) && !errors.Is(err, engine.ErrNotFound) {
		e.adopt(run)
	}
	return record, err
}

// entry lets a run in to be carried out, when nobody else can carry it out any
// more, or says why it may not be. release gives back the place it takes.
type entry func(ctx context.Context, r engine.RunRecord) (release func(), err error)

// driveIf carries a run out if it is let in.
func (e *Engine) driveIf(ctx context.Context, run string, in entry, first ...machine.Event) (engine.RunRecord, error) {
	inbox, err := e.enter(run)
	if err != nil {
		return engine.RunRecord{}, err
	}
	nudged := e.nudged(run)
	record, err := e.carryOutIf(ctx, run, in, inbox, first)
	e.leave(run)
	if err == nil {
		e.driven(record)
	}
	if err != nil && !errors.Is(err, errUnwanted) || record.Status.Final() || ctx.Err() != nil {
		return record, err
	}
	select {
	case late := <-inbox: // it came when the run had just parked
		return e.driveIf(ctx, run, e.admit, late)
	case <-nudged:
		return e.driveIf(ctx, run, e.admit)
	default:
		return record, err
	}
}

// carryOutIf carries the run out if it is let in. One that only ends is.
func (e *Engine) carryOutIf(ctx context.Context, run string, in entry, inbox <-chan machine.Event, first []machine.Event) (engine.RunRecord, error) {
	durable := context.WithoutCancel(ctx)
	record, err := e.config.Store.Run(durable, run)
	if err != nil {
		return record, fmt.Errorf("continuing run %s: reading it: %w", run, err)
	}
	if !ending(first) {
		release, err := in(durable, record)
		if err != nil {
			return record, fmt.Errorf("continuing run %s: %w", run, err)
		}
		defer release()
	}
	return e.carryOut(ctx, run, inbox, first)
}

func (e *Engine) carryOut(ctx context.Context, run string, inbox <-chan machine.Event, first []machine.Event) (engine.RunRecord, error) {
	d, err := e.load(context.WithoutCancel(ctx), run) // so that an interrupted run is marked as one
	if err != nil {
		return engine.RunRecord{}, fmt.Errorf("continuing run %s: %w", run, err)
	}
	if d.record.Status.Final() {
		return d.record, nil
	}
	d.inbox, d.events, d.nudged = inbox, first, e.nudged(run)
	err = d.carryOut(ctx)
	if err != nil {
		return d.record, fmt.Errorf("carrying out run %s: %w", run, err)
	}
	return d.record, nil
}

// drive is one run being carried out. Everything in it belongs to the
// goroutine of carryOut, except where a comment says otherwise.
type drive struct {
	engine    *Engine
	record    engine.RunRecord
	machine   *machine.Machine
	began     time.Time // when this drive began: calls of earlier ones are over since
	last      time.Time // of the last event
	kept      uint64    // the last event within the stored snapshot
	changed   bool      // the run's row has to be written
	cancelled bool      // a person asked the run to end

	wirings   map[*program.Node]*wiring
	programs  map[string]*program.Program
	rules     *guard.Rules                  // read only
	ahead     *ahead                        // of a drive that only looks ahead; else nil
	may       *license                      // what the run may do; nil before it has looked ahead
	known     known                         // what observations have answered, or would
	settled   map[inquiry]engine.StepRecord // changes of the run this one retries
	said      map[string]engine.StepRecord  // announcements of the run this one retries, by path
	approvals map[string]*engine.Approval   // the newest request of each path
	ledger    *guard.Ledger                 // shared with the calls

	place   *place // where it waits for slots, while it is carried out
	inbox   <-chan machine.Event
	nudged  <-chan struct{}
	signals []engine.Signal // whose events are not applied yet, in their order
	answers chan *answer
	closing chan struct{} // closed when the run is interrupted: nothing new begins
	gone    chan struct{} // closed at the end: nobody takes answers any more

	events    []machine.Event       // that have happened and are not applied yet
	ready     []*job                // to be begun as soon as there is a slot
	held      []*job                // changes that nobody has foreseen yet
	asking    []machine.AskApproval // questions people were not asked yet
	flights   map[machine.FrameID]*job
	open      map[machine.FrameID]*engine.Failure   // unsettled changes, and why they are
	intents   map[attempt]engine.StepRecord         // changes of earlier drives whose result is unknown
	uncertain map[string]engine.StepRecord          // by path: failed changes that may have happened all the same
	records   map[machine.FrameID]engine.StepRecord // of calls whose answer is not applied yet
	batch     engine.Batch                          // being built
	wake      time.Time                             // of the machine; zero: none
	fault     error                                 // the store does not work
}

// attempt names one attempt of one step of the run.
type attempt struct {
	path string
	n    int
}

func newDrive(e *Engine, record engine.RunRecord, p *program.Program) *drive {
	d := &drive{
		engine: e, record: record, began: e.config.Clock.Now(),
		wirings: make(map[*program.Node]*wiring), programs: make(map[string]*program.Program),
		answers: make(chan *answer, e.slots.size), closing: make(chan struct{}), gone: make(chan struct{}),
		flights: make(map[machine.FrameID]*job), open: make(map[machine.FrameID]*engine.Failure),
		known: make(known), settled: make(map[inquiry]engine.StepRecord), said: make(map[string]engine.StepRecord),
		approvals: make(map[string]*engine.Approval),
		intents:   make(map[attempt]engine.StepRecord), uncertain: make(map[string]engine.StepRecord), records: make(map[machine.FrameID]engine.StepRecord),
	}
	everyProgram(p, func(p *program.Program) { d.programs[p.Hash] = p })
	return d
}
