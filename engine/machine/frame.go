package machine

import (
	"cmp"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// kind is which of the three sorts of frames a frame is.
type kind uint8

const (
	kindSequence kind = iota // steps in order: a body, a branch, an item over steps, …
	kindStep                 // one step of a sequence
	kindItem                 // an item of a foreach over one action
)

// partName says what a frame is to the one above it.
type partName string

const (
	partRoot    partName = "root"
	partStep    partName = "step" // the step its sequence has come to
	partBody    partName = "steps"
	partElse    partName = "else"
	partBranch  partName = "branch" // the n-th of a parallel or a switch
	partDefault partName = "default"
	partTry     partName = "try"
	partCatch   partName = "catch"
	partFinally partName = "finally"
	partCall    partName = "call"
	partRound   partName = "round" // the n-th of a while
	partItem    partName = "item"  // the n-th of a foreach
)

// part is a frame's place under its parent: with the parent it decides what
// the frame runs, sees and is called, so that nothing of it need be stored.
type part struct {
	name   partName
	n      int64
	offset int // of an item in its frozen list
}

// frame is a node of the running tree.
type frame struct {
	id     FrameID
	kind   kind
	part   part
	parent *frame
	kids   []*frame // open ones, by id
	code   *code
	env    *env          // the names visible inside
	node   *program.Node // the step; of a sequence or an item the step it belongs to, nil at the root
	path   string
	began  time.Time

	due  time.Time // its timer; zero: none
	slot int       // in timers, from 1; 0: not there

	stop     stop // why it is being stopped
	timedOut bool // by its own timeout
	yielded  bool
	deeds    deeds

	list []*program.Node // of a sequence
	pc   int             // which of them it has come to
	past []byte          // how those before it ended

	ask   *ask   // of an approve that waits for people
	pause string // of a wait: what for; "" where it does not wait
	call  *call  // of an action's call
	loop  *loop  // of a foreach
	join  ending // of a parallel or a try: what its parts amount to so far
	round int64  // of a while: rounds begun
}

// deeds is what was done inside a frame; it decides an item's outcome.
type deeds struct {
	ran       bool // some step did something
	changed   bool
	unchanged bool      // some change had nothing to do
	by        []NodeRef // the steps that changed something or may have, sorted
	after     string    // while looking ahead: something in it is known only after this path
}

func (d deeds) with(o deeds) deeds {
	out := deeds{
		ran: d.ran || o.ran, changed: d.changed || o.changed, unchanged: d.unchanged || o.unchanged,
		by: united(d.by, o.by), after: d.after,
	}
	if out.after == "" {
		out.after = o.after
	}
	return out
}

// ending is how a frame ended.
type ending struct {
	status   engine.StepStatus
	failure  *engine.Failure
	returned bool   // a return unwinds the playbook
	reason   string // what it said
	value    val    // a step's outputs
	after    string // while looking ahead: its outputs are known only after this path
}

func succeeded() ending { return ending{status: engine.StepSucceeded} }

func failed(f *engine.Failure) ending { return ending{status: statusOf(f), failure: f} }

// statusOf is the status of a step that ended with a failure.
func statusOf(f *engine.Failure) engine.StepStatus {
	switch f.Class {
	case engine.ClassRefused:
		return engine.StepRefused
	case engine.ClassUnsettled:
		return engine.StepUnsettled
	default:
		return engine.StepFailed
	}
}

// weight orders endings by what must not be lost when several meet.
func (e ending) weight() int {
	switch {
	case e.status == engine.StepRefused:
		return 4
	case e.status == engine.StepFailed, e.status == engine.StepUnsettled:
		return 3
	case e.status == engine.StepCancelled:
		return 2
	case e.returned:
		return 1
	default:
		return 0
	}
}

// fine reports whether what follows may run.
func (e ending) fine() bool { return e.weight() == 0 }

// heavier is the ending that counts of two, the first where they weigh the same.
func heavier(a, b ending) ending {
	if b.weight() > a.weight() {
		return b
	}
	return a
}

// open makes a frame under its parent, without beginning it.
func (m *Machine) open(parent *frame, p part) *frame {
	m.last++
	f := &frame{id: m.last, began: m.now}
	f.place(m.code, parent, p)
	m.attach(f)
	return f
}

func (m *Machine) attach(f *frame) {
	m.frames[f.id] = f
	if f.parent == nil {
		m.root = f
		return
	}
	f.parent.kids = append(f.parent.kids, f)
}

// close takes an ended frame out of the tree. A step's result goes to its scope.
func (m *Machine) close(f *frame, e ending) ending {
	m.disarm(f)
	if m.looking && f.kind != kindSequence {
		e = m.foresee(f, e)
	}
	if f.kind == kindStep {
		e = m.stepOver(f, e)
	}
	if f.kind != kindSequence {
		m.recordEnd(f, e)
	}
	delete(m.frames, f.id)
	if f.yielded {
		m.yields = slices.DeleteFunc(m.yields, func(id FrameID) bool { return id == f.id })
	}
	if p := f.parent; p != nil {
		p.deeds = p.deeds.with(f.deeds)
		i := slices.Index(p.kids, f)
		p.kids = slices.Delete(p.kids, i, i+1)
	}
	return e
}

// launch begins a frame. The bool reports whether it has ended already; it is
// closed then.
func (m *Machine) launch(f *frame) (ending, bool) {
	var e ending
	done := false
	switch f.kind {
	case kindSequence:
		e, done = m.proceed(f)
	case kindStep:
		e, done = m.enter(f)
	case kindItem:
		e, done = m.invoke(f)
	}
	if done {
		e = m.close(f, e)
	}
	return e, done
}

// run opens a part of a step and begins it.
func (m *Machine) run(f *frame, p part) (ending, bool) { return m.launch(m.open(f, p)) }

// finish ends a frame and lets those above it continue, as far up as they end too.
func (m *Machine) finish(f *frame, e ending) {
	for {
		e = m.close(f, e)
		parent := f.parent
		if parent == nil {
			m.conclude(e)
			return
		}
		var done bool
		if e, done = m.resume(parent, f, e); !done {
			return
		}
		f = parent
	}
}

// resume continues a frame whose child has ended. The bool reports whether the
// frame has ended with that.
func (m *Machine) resume(f, child *frame, e ending) (ending, bool) {
	if f.kind == kindSequence {
		if out, done := m.stepEnded(f, child, e); done {
			return out, true
		}
		return m.proceed(f)
	}
	switch f.node.Form {
	case program.FormForeach:
		m.itemEnded(f, child, e)
		return m.fill(f)
	case program.FormWhile:
		return m.roundEnded(f, e)
	case program.FormParallel:
		return m.branchEnded(f, e)
	case program.FormTry:
		return m.tryEnded(f, child, e)
	case program.FormCall:
		return m.called(f, child, e)
	default: // a block, a case of a switch, an else
		return e, true
	}
}

// walk visits every open frame, parents first.
func (m *Machine) walk(visit func(*frame)) {
	if m.root != nil {
		m.root.walk(visit)
	}
}

func (f *frame) walk(visit func(*frame)) {
	visit(f)
	for _, kid := range f.kids {
		kid.walk(visit)
	}
}

func byID(a, b *frame) int { return cmp.Compare(a.id, b.id) }
