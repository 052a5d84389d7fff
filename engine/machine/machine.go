package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Errors of Apply and Restore.
var (
	// ErrEvent means that an event cannot be: out of order, from the past, or
	// with a value that is not JSON. The machine is as it was before.
	ErrEvent = errors.New("the event does not fit the run")
	// ErrSnapshot means that a snapshot is damaged or belongs to another program.
	ErrSnapshot = errors.New("the snapshot cannot be used")
	// ErrSemantics means that a snapshot was written by a machine that decides otherwise.
	ErrSemantics = errors.New("the snapshot has other semantics")
)

// burst is how many items and rounds that end without waiting are carried out
// for one event. What is left goes on with the next: NextWake is then at once.
const burst = 1000

// Machine is one run of a program. It is not safe for concurrent use.
type Machine struct {
	code  *code
	seq   uint64
	now   time.Time // of the last event
	last  FrameID
	start *origin // nil before Started

	root    *frame // nil before Started and after the end
	frames  map[FrameID]*frame
	timers  timers
	yields  []FrameID // loops that go on with the next event
	signals []signal  // that came before anybody waited for them

	spoilt    bool            // something failed or was refused, and the run went on: partial at best
	cancelled *engine.Failure // a person asked for it
	halted    *engine.Failure // no change may follow: a limit, a denial, a drift
	result    *finished
	looking   bool // it looks ahead: nothing of it is ever stored

	// Of the event being applied:
	commands []Command
	cut      []*frame // stopped frames with nothing to wait for
	budget   int      // what is left of burst
}

// origin is what a run began with.
type origin struct {
	run     string
	actor   engine.Actor
	attempt int
	at      time.Time
	trigger val
	names   map[string]any // `run` as expressions see it
}

// New makes the machine of a run that has not started. It reads p and never
// changes it.
func New(p *program.Program) *Machine {
	return &Machine{code: newCode(p), frames: make(map[FrameID]*frame)}
}

// Seq is the number of the last event applied; 0 before the first.
func (m *Machine) Seq() uint64 { return m.seq }

// Done is how the run ended, once it has.
func (m *Machine) Done() (Result, bool) {
	if m.result == nil {
		return Result{}, false
	}
	return m.result.public(), true
}

// NextWake is when the machine needs a TimerDue at the latest, if ever: the
// earliest timer, or a time that is not after the last event where work is left
// that waits for nothing.
func (m *Machine) NextWake() (time.Time, bool) {
	if len(m.yields) > 0 {
		return m.now, true
	}
	if f := m.timers.first(); f != nil {
		return f.due, true
	}
	return time.Time{}, false
}

// Outstanding are the commands whose answers the run is waiting for, in frame
// order, as they were first given: what a driver issues again after a restart.
// A step that was asked to stop is followed by its CancelStep.
func (m *Machine) Outstanding() []Command {
	var open []*frame
	m.walk(func(f *frame) {
		if f.call.running() || f.loop.collecting() || f.ask != nil || m.looking && f.pause != "" {
			open = append(open, f)
		}
	})
	slices.SortFunc(open, byID)
	var out []Command
	for _, f := range open {
		switch {
		case f.loop.collecting():
			out = append(out, CollectItems{Frame: f.id, Path: f.path})
		case f.ask != nil:
			out = append(out, f.question())
		case f.pause != "":
			out = append(out, PassWait{Frame: f.id})
		default:
			out = append(out, m.runStep(f))
			if f.call.stopping {
				out = append(out, CancelStep{Frame: f.id})
			}
		}
	}
	return out
}

// Apply takes one event and gives the commands that follow from it, in the
// order they are to be carried out. An answer for something that is over or
// was asked again since is ignored. Errors wrap ErrEvent and leave the machine
// unchanged; whatever goes wrong in the playbook is state, not an error.
func (m *Machine) Apply(ev Event) ([]Command, error) {
	if err := m.check(ev); err != nil {
		return nil, fmt.Errorf("applying event %d (%s): %w", ev.Seq, ev.Kind, err)
	}
	var begin *beginning
	if ev.Kind == Started {
		var err error
		if begin, err = m.parseStart(ev); err != nil {
			return nil, fmt.Errorf("applying event %d (%s): %w", ev.Seq, ev.Kind, err)
		}
	}
	m.seq, m.now = ev.Seq, instant(ev.At)
	m.commands, m.budget = nil, burst
	m.fire()
	m.goOn()
	m.handle(ev, begin)
	m.dropCut()
	out := m.issued()
	m.commands = nil
	return out, nil
}

// handle carries out what the event itself says.
func (m *Machine) handle(ev Event, begin *beginning) {
	switch ev.Kind {
	case Started:
		m.begin(begin)
	case StepDone:
		m.stepDone(ev)
	case ItemsCollected:
		m.itemsCollected(ev)
	case CancelRequested:
		m.cancel(ev.Reason)
	case Decided:
		m.decided(ev)
	case Halted:
		m.haltedBy(ev)
	case Signalled:
		m.signalled(ev)
	case Passed:
		m.passed(ev)
	case TimerDue: // what is due has been done
	}
}

// check refuses what cannot be applied, before anything is changed.
func (m *Machine) check(ev Event) error {
	switch {
	case ev.Seq != m.seq+1:
		return fmt.Errorf("%w: its number must be %d", ErrEvent, m.seq+1)
	case instant(ev.At).Before(m.now):
		return fmt.Errorf("%w: its time is before the last one", ErrEvent)
	case ev.At.Year() < 1 || ev.At.Year() > 9000:
		return fmt.Errorf("%w: its time is not one of this calendar", ErrEvent)
	case (ev.Kind == Started) != (m.start == nil):
		return fmt.Errorf("%w: a run starts once, with its first event", ErrEvent)
	case ev.Value.Ref != "" && ev.Value.Inline == nil:
		return fmt.Errorf("%w: the value %s is missing", ErrEvent, ev.Value.Ref)
	case ev.Value.Inline != nil && !json.Valid(ev.Value.Inline):
		return fmt.Errorf("%w: its value is not JSON", ErrEvent)
	}
	switch ev.Kind {
	case Started, StepDone, ItemsCollected, TimerDue, CancelRequested, Decided, Passed:
		return nil
	case Signalled:
		if ev.Name == "" {
			return fmt.Errorf("%w: it does not say which signal", ErrEvent)
		}
		return nil
	case Halted:
		if ev.Failure == nil {
			return fmt.Errorf("%w: it does not say why", ErrEvent)
		}
		return nil
	}
	return fmt.Errorf("%w: its kind is not known", ErrEvent)
}

// beginning is a Started event, understood.
type beginning struct {
	start  Start
	inputs map[string]any
}

func (m *Machine) parseStart(ev Event) (*beginning, error) {
	var b beginning
	if err := json.Unmarshal(ev.Value.Inline, &b.start); err != nil {
		return nil, fmt.Errorf("%w: reading how it starts: %w", ErrEvent, err)
	}
	if b.start.Inputs == nil {
		b.start.Inputs = json.RawMessage("{}")
	}
	inputs, err := engine.DecodeJSON(b.start.Inputs, engine.MapOf(m.code.prog.Inputs...))
	if err != nil {
		return nil, fmt.Errorf("%w: reading the inputs: %w", ErrEvent, err)
	}
	b.inputs, _ = inputs.(map[string]any)
	return &b, nil
}

// begin opens the root of the tree.
func (m *Machine) begin(b *beginning) {
	s := b.start
	m.start = &origin{run: s.Run, actor: s.Actor, attempt: s.Attempt, at: m.now}
	if !s.Time.IsZero() {
		m.start.at = instant(s.Time)
	}
	m.start.trigger = m.keep(s.Trigger)
	m.root = m.open(nil, part{name: partRoot})
	m.root.env.inputs = m.keep(s.Inputs)
	m.root.env.given = b.inputs
	if e, done := m.launch(m.root); done {
		m.conclude(e)
	}
}

// goOn continues the loops that paused after a burst.
func (m *Machine) goOn() {
	waiting := m.yields
	m.yields = nil
	for _, id := range waiting {
		f := m.frames[id]
		if f == nil {
			continue
		}
		f.yielded = false
		if e, done := m.nextTurn(f); done {
			m.finish(f, e)
		}
		m.dropCut()
	}
}

// pause lets a loop go on with the next event once a burst is used up.
func (m *Machine) pause(f *frame) bool {
	if m.budget > 0 {
		m.budget--
		return false
	}
	if !f.yielded {
		f.yielded = true
		m.yields = append(m.yields, f.id)
	}
	return true
}

func (m *Machine) emit(c Command) { m.commands = append(m.commands, c) }

// issued are the commands of this event, without requests to stop what its own
// answer has just ended.
func (m *Machine) issued() []Command {
	return slices.DeleteFunc(m.commands, func(c Command) bool {
		stop, ok := c.(CancelStep)
		return ok && m.frames[stop.Frame] == nil
	})
}

// instant is a time as the state keeps it: the same after a snapshot.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }
