package machine

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Restore makes the machine a snapshot was taken of. The program must be the
// one the run is pinned to. Lookup is asked for every large value the state
// refers to. Errors wrap ErrSnapshot, ErrSemantics or what Lookup said.
func Restore(p *program.Program, snapshot []byte, lookup Lookup) (*Machine, error) {
	var s machineState
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	switch {
	case s.Semantics != Semantics:
		return nil, fmt.Errorf("%w: %d instead of %d", ErrSemantics, s.Semantics, Semantics)
	case s.Program != p.Hash:
		return nil, fmt.Errorf("%w: it belongs to the program %s", ErrSnapshot, s.Program)
	}
	r := restorer{m: New(p), lookup: lookup}
	if err := r.machine(&s); err != nil {
		return nil, fmt.Errorf("restoring the run: %w", err)
	}
	return r.m, nil
}

type restorer struct {
	m      *Machine
	lookup Lookup
}

// damaged says what in a snapshot cannot be.
func damaged(what string) error { return fmt.Errorf("%w: %s", ErrSnapshot, what) }

func (r *restorer) machine(s *machineState) error {
	m := r.m
	m.seq, m.now, m.last = s.Seq, instant(s.Now), s.Last
	m.spoilt, m.cancelled, m.halted = s.Spoilt, s.Cancelled, s.Halted
	if s.Start == nil {
		if s.Root != nil || s.Result != nil || s.Seq != 0 {
			return damaged("it did not start but has a state")
		}
		return nil
	}
	if (s.Root == nil) == (s.Result == nil) {
		return damaged("it must either be open or have ended")
	}
	o := s.Start
	m.start = &origin{run: o.Run, actor: o.Actor, attempt: o.Attempt, at: instant(o.At)}
	err := r.value(&m.start.trigger, o.Trigger)
	for _, sig := range s.Signals {
		if sig.Name == "" {
			return damaged("a signal has no name")
		}
		kept := signal{name: sig.Name}
		if err := r.value(&kept.body, sig.Body); err != nil {
			return err
		}
		m.signals = append(m.signals, kept)
	}
	if err == nil && s.Root != nil {
		err = r.frame(nil, s.Root)
	}
	if err == nil && s.Result != nil {
		m.result = &finished{status: s.Result.Status, failure: s.Result.Failure, reason: s.Result.Reason}
		err = r.value(&m.result.outputs, s.Result.Outputs)
	}
	if err != nil {
		return err
	}
	return r.yields(s.Yields)
}

func (r *restorer) yields(ids []FrameID) error {
	paused := 0
	r.m.walk(func(f *frame) {
		if f.yielded {
			paused++
		}
	})
	for _, id := range ids {
		if f := r.m.frames[id]; f == nil || !f.yielded {
			return damaged("a paused loop is not there")
		}
	}
	if paused != len(ids) {
		return damaged("its paused loops do not add up")
	}
	r.m.yields = ids
	return nil
}

// value reads a value of the state back, and checks that it is the one meant.
func (r *restorer) value(into *val, v Value) error {
	if v.Ref == "" {
		*into = val{data: v.Inline}
		return nil
	}
	if r.lookup == nil {
		return damaged("it refers to values, and there are none")
	}
	data, err := r.lookup(v.Ref)
	if err != nil {
		return fmt.Errorf("looking up the value %s: %w", v.Ref, err)
	}
	if referenceOf(data) != v.Ref || !json.Valid(data) {
		return damaged("the value " + string(v.Ref) + " is not the one that was stored")
	}
	*into = val{data: data, ref: v.Ref}
	return nil
}

// frame restores a frame and what is in it.
func (r *restorer) frame(parent *frame, s *frameState) error {
	m := r.m
	p := part{name: s.Part, n: s.N, offset: s.Offset}
	if err := r.checkPlace(parent, p, s); err != nil {
		return err
	}
	f := &frame{
		id: s.ID, began: instant(s.Began), stop: s.Stop, timedOut: s.TimedOut, yielded: s.Yielded,
		deeds: s.Deeds.deeds(), ask: s.Ask, pause: s.Pause,
		past: []byte(s.Past), pc: len(s.Past), round: s.Round,
	}
	f.place(m.code, parent, p)
	if f.ownsScope() && f.kind == kindStep { // of a while
		f.env.index = f.round - 1
	}
	m.attach(f)
	if s.Join != nil {
		f.join = ending{status: s.Join.Status, failure: s.Join.Failure, returned: s.Join.Returned, reason: s.Join.Reason}
	}
	err := errors.Join(r.call(f, s.Call), r.loop(f, s.Loop), r.scope(f, s.Scope))
	if err != nil {
		return err
	}
	if !s.Due.IsZero() {
		m.arm(f, instant(s.Due))
	}
	for i := range s.Kids {
		if err := r.frame(f, &s.Kids[i]); err != nil {
			return err
		}
	}
	return checkFrame(f)
}

// checkPlace makes sure that the frame can be where it says it is.
func (r *restorer) checkPlace(parent *frame, p part, s *frameState) error {
	switch {
	case s.ID == 0 || s.ID > r.m.last || r.m.frames[s.ID] != nil:
		return damaged("a frame's number cannot be")
	case parent == nil && p.name != partRoot:
		return damaged("its root is none")
	case parent != nil && !fits(parent, p):
		return damaged("a frame is where none can be")
	case parent != nil && parent.id >= s.ID:
		return damaged("a frame is older than the one around it")
	}
	if p.name == partItem {
		if it, ok := parent.loop.at(p.offset); !ok || !json.Valid(it.raw) || p.n < 0 || p.n >= int64(parent.loop.next) {
			return damaged("an item is not in its list")
		}
	}
	return nil
}

// checkFrame makes sure that a restored frame is in a state it can go on from.
func checkFrame(f *frame) error {
	var ok bool
	switch {
	case f.kind == kindSequence:
		ok = len(f.kids) == 1 && f.pc < len(f.list) && f.due.IsZero() && !f.yielded
	case f.kind == kindItem || f.node.Form == program.FormUses:
		ok = f.call != nil && len(f.kids) == 0 && len(f.past) == 0 && !f.yielded
	default:
		ok = f.canGoOn() && len(f.past) == 0
	}
	if !ok || !f.waitsWhereItMay() {
		return damaged("a frame has nothing to go on with")
	}
	return nil
}

// waitsWhereItMay reports that nothing but an approve asks people, and nothing
// but a wait waits.
func (f *frame) waitsWhereItMay() bool {
	var form program.Form
	if f.kind == kindStep {
		form = f.node.Form
	}
	return (f.ask == nil || form == program.FormApprove) && (f.pause == "" || form == program.FormWait)
}

// canGoOn is checkFrame for the steps that hold other frames.
func (f *frame) canGoOn() bool {
	kids := len(f.kids)
	switch f.node.Form {
	case program.FormForeach:
		return f.loop.canGoOn(kids, f.yielded)
	case program.FormApprove, program.FormWait:
		return kids == 0 && !f.yielded && (f.ask != nil || f.waitEnds())
	case program.FormWhile:
		return kids == 1 && f.round > 0 && !f.yielded || kids == 0 && f.round >= 0 && f.yielded
	case program.FormParallel:
		return kids > 0 && f.join.status != "" && !f.yielded
	default:
		return kids == 1 && !f.yielded
	}
}

// waitEnds reports whether a wait has something that ends it.
func (f *frame) waitEnds() bool {
	switch f.pause {
	case pauseSignal:
		return true
	case pauseTime, pauseLimit:
		return !f.due.IsZero()
	default:
		return false
	}
}

func (l *loop) canGoOn(kids int, paused bool) bool {
	switch {
	case l == nil:
		return false
	case l.collect:
		return kids == 0 && !paused
	default:
		return kids > 0 || paused
	}
}

func (s *deedsState) deeds() deeds {
	if s == nil {
		return deeds{}
	}
	return deeds{ran: s.Ran, changed: s.Changed, unchanged: s.Unchanged, by: s.By}
}

func (r *restorer) call(f *frame, s *callRecord) error {
	if s == nil {
		return nil
	}
	if f.kind == kindSequence || f.node.Uses == nil || f.kind == kindStep && f.node.Form != program.FormUses {
		return damaged("a call is where none can be")
	}
	if s.State != callRunning && s.State != callWaiting || s.Attempt < 1 {
		return damaged("a call is in no state")
	}
	f.call = &call{
		state: s.State, attempt: s.Attempt, asked: instant(s.Asked), deadline: instant(s.Deadline),
		stopping: s.Stopping, expired: s.Expired, failure: s.Failure, lasts: s.Lasts,
	}
	return r.value(&f.call.inputs, s.Inputs)
}

func (r *restorer) loop(f *frame, s *loopState) error {
	if s == nil {
		return nil
	}
	if f.kind != kindStep || f.node.Form != program.FormForeach {
		return damaged("a loop is where none can be")
	}
	l := &loop{
		total: s.Total, next: s.Next, offset: s.Offset, counts: s.Counts, failure: s.Failure,
		spoilt: s.Spoilt, returned: s.Returned, reason: s.Reason, collect: s.Collect,
	}
	if err := r.value(&l.items, s.Items); err != nil {
		return err
	}
	f.loop = l
	return l.check()
}

// check makes sure that every item that has not begun is there.
func (l *loop) check() error {
	if l.next < 0 || l.next > l.total || l.collect && l.next < l.total {
		return damaged("a loop stands nowhere")
	}
	for _, n := range l.counts {
		if n < 0 {
			return damaged("a loop counts backwards")
		}
	}
	offset := l.offset
	for range l.total - l.next {
		it, ok := l.at(offset)
		if !ok {
			return damaged("a loop has lost items")
		}
		offset = it.end
	}
	lost := l.counts.of(engine.OutcomeFailed, engine.OutcomeUnsettled)
	if lost > 0 && l.failure == nil {
		return damaged("a loop has lost a failure")
	}
	return nil
}

func (r *restorer) scope(f *frame, s *scopeState) error {
	if (s != nil) != f.ownsScope() {
		return damaged("a scope is missing or too much")
	}
	if s == nil {
		return nil
	}
	nodes := f.code.prog.Nodes
	for i := range s.Results {
		res := &s.Results[i]
		if res.Node < 0 || res.Node >= len(nodes) || i > 0 && s.Results[i-1].Node >= res.Node {
			return damaged("a result belongs to no step")
		}
		o := &outcome{node: nodes[res.Node], status: res.Status, failure: res.Failure}
		if err := r.value(&o.value, res.Value); err != nil {
			return err
		}
		f.env.results = append(f.env.results, o)
	}
	return r.value(&f.env.inputs, s.Inputs)
}
