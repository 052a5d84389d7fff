package machine

import (
	"encoding/json"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Semantics is the version of Apply's decisions. It is bumped whenever the
// same events would lead to other commands.
const Semantics = 1

// InlineLimit is the size in bytes from which a value leaves the state and is
// kept by reference.
const InlineLimit = 4 << 10

// EventKind is what an event reports.
type EventKind string

// The kinds of events.
const (
	Started         EventKind = "started"          // Value: a Start as JSON
	StepDone        EventKind = "step_done"        // Frame, Attempt, Value or Failure, Outcome
	ItemsCollected  EventKind = "items_collected"  // Frame, Value: the list for steps.<foreach>.items
	TimerDue        EventKind = "timer_due"        // At is the only thing it says
	CancelRequested EventKind = "cancel_requested" // Reason
	Decided         EventKind = "decided"          // Frame; Failure says why it is denied, nil approves
	Halted          EventKind = "halted"           // Failure: no change may follow, and why
	Signalled       EventKind = "signalled"        // Name, Value: what came with it; null for nothing
	Passed          EventKind = "passed"           // Frame; only for a machine that looks ahead: the answer to PassWait
)

// FrameID names a node of the running tree. Ids are given in order and never
// reused within a run.
type FrameID uint64

// Event is something that happened. Seq is given by the driver, from 1 without gaps.
type Event struct {
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"` // the only clock the machine sees; never before the last one
	Kind    EventKind       `json:"kind"`
	Frame   FrameID         `json:"frame,omitempty"`
	Attempt int             `json:"attempt,omitempty"`
	Value   Value           `json:"value,omitzero"`
	Outcome engine.Outcome  `json:"outcome,omitempty"` // of a change: done or unchanged
	Failure *engine.Failure `json:"failure,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Name    string          `json:"name,omitempty"`
	// Unforeseen is only for a machine that looks ahead: the outputs of the step
	// are known only after the step of this path.
	Unforeseen string `json:"-"`
}

// Start is the value of the Started event.
type Start struct {
	Run     string          `json:"run"`
	Actor   engine.Actor    `json:"actor"`
	Time    time.Time       `json:"time,omitzero"` // what run.time says; that of the event when zero
	Attempt int             `json:"attempt"`
	Inputs  json.RawMessage `json:"inputs"`  // complete: defaults filled in, by declared type
	Trigger json.RawMessage `json:"trigger"` // null when started by hand
}

// Value is a JSON value, in the event or by reference. The machine gets Inline
// always; a driver that stored it under Ref may leave Inline out of the journal
// and must put it back before Apply.
type Value struct {
	Inline json.RawMessage  `json:"inline,omitempty"`
	Ref    engine.Reference `json:"ref,omitempty"`
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return v.Inline == nil && v.Ref == "" }

// Command is something the driver shall do once the event that led to it, and
// every record among the commands, is durable.
type Command interface{ command() }

// RunStep asks for an action to be carried out; the answer is StepDone with
// the same frame and attempt.
type RunStep struct {
	Frame    FrameID
	Call     Call
	Deadline time.Time // zero: none. After it the answer must be a timeout failure
}

// Call is an invocation as the machine knows it, before connections are resolved.
type Call struct {
	Path       string // unique among open steps
	Attempt    int
	Node       int    // program node; with Program, tells the driver everything static
	Program    string // hash of the program the node belongs to
	Action     string
	Effect     engine.Effect
	Connection engine.ConnectionRef
	Inputs     json.RawMessage // canonical JSON by declared type, defaults filled in
	At         time.Time       // when the machine asked; stays the same when re-issued
	Why        string          // of a change: why this target
	For        time.Duration   // of a temporary change: how long it lasts; 0: for ever
	AtEnd      string          // what becomes of it then: ask, keep, lift; "" by the action's access
	Most       time.Duration   // how long it may last in all where it is extended; 0: the playbook does not say
	Warn       time.Duration   // how long before its end people are told; 0: not at all
	// Earlier are the steps before this one, in its own or an enclosing sequence,
	// that changed something or may have: what was seen of their connections
	// before is not so any more.
	Earlier []NodeRef
	Item    string // key of the innermost loop's item it belongs to; "" outside of loops
	// Row is the element of that loop and RowOf the step that answered with it.
	// It is given only while looking ahead, and where a step did.
	Row   json.RawMessage
	RowOf NodeRef
}

// NodeRef names a step of a program.
type NodeRef struct {
	Program string `json:"program"` // its hash
	Node    int    `json:"node"`
}

// AskApproval asks people; the answer is Decided with the same frame. Without
// one by Expires the machine takes it for denied by itself. A machine that
// looks ahead takes it for approved at once.
type AskApproval struct {
	Frame   FrameID
	Path    string
	Title   string
	By      []string // people, and groups as group:NAME
	Needs   int
	Notify  string    // connection; "" for the configuration's
	Expires time.Time // zero: never
}

// PassWait tells of a wait the run stood at when a machine began to look ahead
// from there; the answer is Passed with the same frame.
type PassWait struct{ Frame FrameID }

// Unforeseen says that a step cannot be foreseen, nor whatever depends on it.
// Only a machine that looks ahead gives it.
type Unforeseen struct {
	Path    string
	After   string // path of the step after which it is known
	Changes bool   // it may change something
}

// CancelStep asks for a running step to be stopped. Its StepDone is awaited all the same.
type CancelStep struct{ Frame FrameID }

// PutValue must be durable with the event: the state refers to it.
type PutValue struct{ Value engine.StoredValue }

// PutItem records a finished item of a foreach; upserted by path and index.
type PutItem struct{ Item engine.ItemRecord }

// PutStep records a step that began or ended, for the history. The calls of
// actions are recorded by the driver, who knows more of them; the machine
// records only those no answer ends: skipped, not to be evaluated, or
// stopped before the next attempt began.
type PutStep struct{ Step engine.StepRecord }

// CollectItems asks for the records of a finished foreach, as the JSON list of
// engine.ItemType by index; the answer is ItemsCollected.
type CollectItems struct {
	Frame FrameID
	Path  string
}

func (RunStep) command()      {}
func (CancelStep) command()   {}
func (PutValue) command()     {}
func (PutItem) command()      {}
func (PutStep) command()      {}
func (CollectItems) command() {}
func (AskApproval) command()  {}
func (Unforeseen) command()   {}
func (PassWait) command()     {}

// Lookup gives the bytes of a stored value. The machine calls it only in Restore.
type Lookup func(engine.Reference) ([]byte, error)

// Result is how a run ended.
type Result struct {
	Status  engine.RunStatus
	Outputs json.RawMessage // by the playbook's declared outputs; null unless succeeded or partial
	Failure *engine.Failure // why it failed, was blocked or cancelled
	Reason  string          // what a `return` of the playbook itself said
}

// View is the running tree, for screens.
type View struct {
	Status engine.RunStatus
	Now    time.Time
	Root   []StepView
}

// StepView is one step of a View.
type StepView struct {
	Path    string
	Node    int
	Form    program.Form
	Title   string // name, id, or what it does
	Status  engine.StepStatus
	Total   int                    // items of a foreach
	Counts  map[engine.Outcome]int // finished items
	Wake    time.Time              // when it waits for a time
	Failure *engine.Failure
	Steps   []StepView // open or finished children; of a foreach only the open items
}
