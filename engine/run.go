package engine

import (
	"encoding/json"
	"time"
)

// RunStatus is where a run stands.
type RunStatus string

// The statuses of a run; those after RunInterrupted are final.
const (
	RunQueued      RunStatus = "queued"
	RunRunning     RunStatus = "running"
	RunWaiting     RunStatus = "waiting"     // for a time, a person or a signal
	RunUnsettled   RunStatus = "unsettled"   // a change may or may not have happened; a person must look
	RunInterrupted RunStatus = "interrupted" // its process ended; `runs resume` continues it

	RunSucceeded RunStatus = "succeeded"
	RunPartial   RunStatus = "partial" // some items failed or were refused
	RunFailed    RunStatus = "failed"
	RunDenied    RunStatus = "denied"
	RunBlocked   RunStatus = "blocked" // by the guard
	RunDrifted   RunStatus = "drifted"
	RunCancelled RunStatus = "cancelled"
)

// Final reports whether nothing more will happen in the run.
func (s RunStatus) Final() bool {
	switch s {
	case RunSucceeded, RunPartial, RunFailed, RunDenied, RunBlocked, RunDrifted, RunCancelled:
		return true
	default:
		return false
	}
}

// StepStatus is how a step stands or ended; steps.<id>.status.
type StepStatus string

// The statuses of a step; "started" and "waiting" are not final.
const (
	StepStarted   StepStatus = "started"
	StepWaiting   StepStatus = "waiting" // for a retry or a timer
	StepSucceeded StepStatus = "succeeded"
	StepPartial   StepStatus = "partial" // a foreach of which some items failed or were refused
	StepFailed    StepStatus = "failed"
	StepSkipped   StepStatus = "skipped" // its `if` was false
	StepRefused   StepStatus = "refused"
	StepCancelled StepStatus = "cancelled"
	StepUnsettled StepStatus = "unsettled"
)

// Outcome is what became of an item of a foreach, or of a change.
type Outcome string

// The outcomes of items and changes.
const (
	OutcomeDone      Outcome = "done"
	OutcomeUnchanged Outcome = "unchanged"
	OutcomeSkipped   Outcome = "skipped"
	OutcomeRefused   Outcome = "refused"
	OutcomeFailed    Outcome = "failed"
	OutcomeUnsettled Outcome = "unsettled"
)

// ItemType is the type of one element of steps.<foreach>.items.
func ItemType() Type {
	return MapOf(
		Field{Name: "key", Type: TypeString()},
		Field{Name: "label", Type: TypeString()},
		Field{Name: "outcome", Type: EnumOf("done", "unchanged", "skipped", "refused", "failed", "unsettled")},
		Field{Name: "error", Type: Maybe(FailureType())},
	)
}

// Actor is who started or decided something.
type Actor struct {
	Name string `json:"name"` // the operating-system user on the command line
	Via  string `json:"via"`  // "cli", "schedule", "webhook"
}

// TriggerType is the type of `trigger` in expressions: what started a run that
// was not started by hand.
func TriggerType() Type {
	return MapOf(
		Field{Name: "kind", Type: EnumOf("schedule", "webhook")},
		Field{Name: "time", Type: TypeTime()},
		Field{Name: "webhook", Type: Maybe(TypeString())},
		Field{Name: "body", Type: TypeAny()},
	)
}

// RunRecord is a run as lists and screens see it.
type RunRecord struct {
	ID         string          `json:"id"`
	Playbook   string          `json:"playbook"`
	Hash       string          `json:"hash"` // of the playbook and those it calls
	Status     RunStatus       `json:"status"`
	Actor      Actor           `json:"actor"`
	Inputs     json.RawMessage `json:"inputs"`
	Trigger    json.RawMessage `json:"trigger"`
	Outputs    json.RawMessage `json:"outputs"`
	Error      *Failure        `json:"error"`
	Attempt    int             `json:"attempt"`
	MaxChanges *int64          `json:"max_changes"` // a lower cap on changes for this run alone; nil for none
	// Connections holds the fingerprint of each connection that something may
	// be changed through, by its name: {"1password": "onepassword …"}.
	Connections json.RawMessage `json:"connections"`
	// Starters are all who had a hand in it: whoever planned, applied, resumed or
	// triggered it, by the name of the person and by that of the user. None of
	// them may approve it.
	Starters []string `json:"starters"`
	Plan     string   `json:"plan"`     // id of the plan it applies; ""
	UndoOf   string   `json:"undo_of"`  // the run whose changes it takes back; ""
	RetryOf  string   `json:"retry_of"` // the run whose failed items it repeats; ""
	// Key is its idempotency key: no two runs have the same. "" for none.
	Key string `json:"key"`
	// Series is the trigger that started it, "sweep#0": the playbook and the
	// trigger's place. "" where it was started otherwise.
	Series string `json:"series"`
	// Group is what its playbook's `concurrency` counts it with: of one group no
	// more than that many runs are under way. "" where nothing counts it.
	Group  string `json:"group"`
	Lifted string `json:"lifted"` // why an undo's limits were lifted; "" where they hold
	// ChangeSet is what the run may do, as it was foreseen or approved last; ""
	// before it has looked ahead.
	ChangeSet Reference `json:"-"`
	// Strict means that ChangeSet was planned or approved: a change outside it
	// stops the run as drifted.
	Strict     bool       `json:"-"`
	Semantics  int        `json:"semantics"` // of the machine that started it
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
	WakeAt     *time.Time `json:"wake_at"`
}

// StepRecord is one attempt of one step, and for a change its ledger line. A
// change's record is durable with StepStarted before the service is called.
type StepRecord struct {
	Run        string          `json:"run"`
	Path       string          `json:"path"`
	Attempt    int             `json:"attempt"`
	Form       string          `json:"form"` // uses, steps, foreach, …
	Action     string          `json:"action,omitempty"`
	Effect     Effect          `json:"effect,omitempty"`
	Connection string          `json:"connection,omitempty"`
	Status     StepStatus      `json:"status"`
	Outcome    Outcome         `json:"outcome,omitempty"` // of a change
	Target     *Target         `json:"target,omitempty"`
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	Arguments  string          `json:"arguments,omitempty"` // hash of the resolved arguments
	Inverse    json.RawMessage `json:"inverse,omitempty"`   // Invocation
	Why        string          `json:"why,omitempty"`       // of a change: why this target, in words; of a return: its reason; foreign text
	Error      *Failure        `json:"error,omitempty"`
	// Of is the run that really did it, where this one only carried its answer
	// over; "" for what was done in this run.
	Of        string     `json:"of,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// MayHaveChanged counts a change that was made here or whose end is unknown,
// and a failure after which the service may have carried it out all the same.
func (s StepRecord) MayHaveChanged() bool {
	switch {
	case s.Effect != Change, s.Of != "":
		return false
	case s.Outcome == OutcomeDone, s.Outcome == OutcomeUnsettled:
		return true
	case s.Status == StepStarted, s.Status == StepUnsettled:
		return true
	default:
		return s.Outcome == OutcomeFailed && s.Error != nil && s.Error.Uncertain()
	}
}

// ItemRecord is one item of a foreach. They live apart from the run's state,
// so that a loop over 100,000 items costs no more per item than one over ten.
type ItemRecord struct {
	Run     string    `json:"run"`
	Path    string    `json:"path"` // of the foreach step
	Index   int       `json:"index"`
	Key     string    `json:"key"`
	Label   string    `json:"label"`
	Outcome Outcome   `json:"outcome"`
	Error   *Failure  `json:"error,omitempty"`
	EndedAt time.Time `json:"ended_at"`
}
