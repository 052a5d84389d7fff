package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// What follows is the encoding of a machine. It has no maps, so that equal
// states have equal bytes, and holds nothing that follows from the program and
// a frame's place in the tree. Its shape is part of Semantics.

type machineState struct {
	Semantics int             `json:"semantics"`
	Program   string          `json:"program"`
	Seq       uint64          `json:"seq"`
	Now       time.Time       `json:"now"`
	Last      FrameID         `json:"last"`
	Start     *originState    `json:"start,omitempty"`
	Yields    []FrameID       `json:"yields,omitempty"`
	Signals   []signalState   `json:"signals,omitempty"`
	Spoilt    bool            `json:"spoilt,omitempty"`
	Cancelled *engine.Failure `json:"cancelled,omitempty"`
	Halted    *engine.Failure `json:"halted,omitempty"`
	Root      *frameState     `json:"root,omitempty"`
	Result    *resultState    `json:"result,omitempty"`
}

type originState struct {
	Run     string       `json:"run"`
	Actor   engine.Actor `json:"actor"`
	Attempt int          `json:"attempt"`
	At      time.Time    `json:"at"`
	Trigger Value        `json:"trigger,omitzero"`
}

type resultState struct {
	Status  engine.RunStatus `json:"status"`
	Outputs Value            `json:"outputs,omitzero"`
	Failure *engine.Failure  `json:"failure,omitempty"`
	Reason  string           `json:"reason,omitempty"`
}

type frameState struct {
	ID       FrameID      `json:"id"`
	Part     partName     `json:"part"`
	N        int64        `json:"n,omitempty"`
	Offset   int          `json:"offset,omitempty"`
	Began    time.Time    `json:"began"`
	Due      time.Time    `json:"due,omitzero"`
	Stop     stop         `json:"stop,omitempty"`
	TimedOut bool         `json:"timed_out,omitempty"`
	Yielded  bool         `json:"yielded,omitempty"`
	Deeds    *deedsState  `json:"deeds,omitempty"`
	Past     string       `json:"past,omitempty"`
	Ask      *ask         `json:"ask,omitempty"`
	Pause    string       `json:"pause,omitempty"`
	Call     *callRecord  `json:"call,omitempty"`
	Loop     *loopState   `json:"loop,omitempty"`
	Join     *endingState `json:"join,omitempty"`
	Round    int64        `json:"round,omitempty"`
	Scope    *scopeState  `json:"scope,omitempty"`
	Kids     []frameState `json:"kids,omitempty"`
}

type deedsState struct {
	Ran       bool      `json:"ran,omitempty"`
	Changed   bool      `json:"changed,omitempty"`
	Unchanged bool      `json:"unchanged,omitempty"`
	By        []NodeRef `json:"by,omitempty"`
}

type callRecord struct {
	State    callState       `json:"state,omitempty"`
	Attempt  int             `json:"attempt"`
	Inputs   Value           `json:"inputs"`
	Asked    time.Time       `json:"asked"`
	Deadline time.Time       `json:"deadline,omitzero"`
	Stopping bool            `json:"stopping,omitempty"`
	Expired  bool            `json:"expired,omitempty"`
	Failure  *engine.Failure `json:"failure,omitempty"`
	Lasts    time.Duration   `json:"lasts,omitempty"`
}

type loopState struct {
	Items    Value           `json:"items"`
	Total    int             `json:"total"`
	Next     int             `json:"next"`
	Offset   int             `json:"offset"`
	Counts   counts          `json:"counts"`
	Failure  *engine.Failure `json:"failure,omitempty"`
	Spoilt   bool            `json:"spoilt,omitempty"`
	Returned bool            `json:"returned,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Collect  bool            `json:"collect,omitempty"`
}

type endingState struct {
	Status   engine.StepStatus `json:"status"`
	Failure  *engine.Failure   `json:"failure,omitempty"`
	Returned bool              `json:"returned,omitempty"`
	Reason   string            `json:"reason,omitempty"`
}

// scopeState is what a frame that has names of its own keeps of them.
type scopeState struct {
	Inputs  Value       `json:"inputs,omitzero"`
	Results []stepState `json:"results,omitempty"`
}

type stepState struct {
	Node    int               `json:"node"`
	Status  engine.StepStatus `json:"status"`
	Failure *engine.Failure   `json:"failure,omitempty"`
	Value   Value             `json:"value,omitzero"`
}

// Snapshot encodes the run as it stands, without the large values: those are
// named by their references. Equal runs have equal snapshots.
func (m *Machine) Snapshot() ([]byte, error) {
	s := machineState{
		Semantics: Semantics, Program: m.code.prog.Hash, Seq: m.seq, Now: m.now, Last: m.last,
		Yields: m.yields, Spoilt: m.spoilt, Cancelled: m.cancelled, Halted: m.halted,
	}
	if o := m.start; o != nil {
		s.Start = &originState{Run: o.run, Actor: o.actor, Attempt: o.attempt, At: o.at, Trigger: o.trigger.state()}
	}
	for _, sig := range m.signals {
		s.Signals = append(s.Signals, signalState{Name: sig.name, Body: sig.body.state()})
	}
	if m.root != nil {
		root := m.root.state()
		s.Root = &root
	}
	if r := m.result; r != nil {
		s.Result = &resultState{Status: r.status, Outputs: r.outputs.state(), Failure: r.failure, Reason: r.reason}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // values keep their bytes
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("encoding the state of the run: %w", err)
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

func (v val) state() Value {
	if v.ref != "" {
		return Value{Ref: v.ref}
	}
	return Value{Inline: v.data}
}

func (f *frame) state() frameState {
	s := frameState{
		ID: f.id, Part: f.part.name, N: f.part.n, Offset: f.part.offset, Began: f.began, Due: f.due,
		Stop: f.stop, TimedOut: f.timedOut, Yielded: f.yielded, Past: string(f.past), Round: f.round,
		Deeds: f.deeds.state(), Ask: f.ask, Pause: f.pause, Call: f.call.record(), Loop: f.loop.state(),
	}
	if f.join.status != "" {
		s.Join = &endingState{Status: f.join.status, Failure: f.join.failure, Returned: f.join.returned, Reason: f.join.reason}
	}
	if f.ownsScope() {
		s.Scope = f.env.state()
	}
	for _, kid := range f.kids {
		s.Kids = append(s.Kids, kid.state())
	}
	return s
}

func (d deeds) state() *deedsState {
	if !d.ran && !d.changed && !d.unchanged && len(d.by) == 0 {
		return nil
	}
	return &deedsState{Ran: d.ran, Changed: d.changed, Unchanged: d.unchanged, By: d.by}
}

func (f *frame) ownsScope() bool { return f.parent == nil || f.env != f.parent.env }

func (c *call) record() *callRecord {
	if c == nil {
		return nil
	}
	return &callRecord{
		State: c.state, Attempt: c.attempt, Inputs: c.inputs.state(), Asked: c.asked, Deadline: c.deadline,
		Stopping: c.stopping, Expired: c.expired, Failure: c.failure, Lasts: c.lasts,
	}
}

func (l *loop) state() *loopState {
	if l == nil {
		return nil
	}
	return &loopState{
		Items: l.items.state(), Total: l.total, Next: l.next, Offset: l.offset, Counts: l.counts,
		Failure: l.failure, Spoilt: l.spoilt, Returned: l.returned, Reason: l.reason, Collect: l.collect,
	}
}

func (e *env) state() *scopeState {
	s := &scopeState{Inputs: e.inputs.state()}
	for _, o := range e.results {
		s.Results = append(s.Results, stepState{Node: o.node.Index, Status: o.status, Failure: o.failure, Value: o.value.state()})
	}
	return s
}
