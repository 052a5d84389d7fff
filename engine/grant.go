package engine

import (
	"encoding/json"
	"time"
)

// GrantState is where a grant stands.
type GrantState string

// The states of a grant; the last three are final.
const (
	GrantArmed  GrantState = "armed"  // durable, and its change not known to be made
	GrantActive GrantState = "active" // the change was made; it ends at its time
	GrantAsking GrantState = "asking" // its time is up, and people are asked what shall become of it
	GrantEnded  GrantState = "ended"  // taken back, or there was nothing to take back
	GrantKept   GrantState = "kept"   // its time is up, and what it changed stays
	GrantVoid   GrantState = "void"   // its change was never made
)

// Final reports whether nothing more will happen with the grant.
func (s GrantState) Final() bool { return s == GrantEnded || s == GrantKept || s == GrantVoid }

// Grant is a temporary change: a durable record that outlives its run.
type Grant struct {
	ID          string `json:"id"` // gnt_…
	Run         string `json:"run"`
	Path        string `json:"path"`
	Playbook    string `json:"playbook"`
	Action      string `json:"action"`
	Access      Access `json:"access"`
	AtEnd       string `json:"at_end"` // ask, keep, lift
	Connection  string `json:"connection"`
	Fingerprint string `json:"-"` // of the connection
	Target      Target `json:"target"`
	// Inverse takes the change back. Of several grants that overlap on one
	// target and the same fields, each has that of the first: the state before it.
	Inverse json.RawMessage `json:"-"`
	Before  json.RawMessage `json:"before"` // what it goes back to
	After   json.RawMessage `json:"after"`
	State   GrantState      `json:"state"`
	Lasts   time.Duration   `json:"-"`
	Most    time.Duration   `json:"-"` // how long it may last when it is extended; 0: the playbook does not say
	Warn    time.Duration   `json:"-"` // how long before its end people are told; 0: not at all
	// EndsAt is when it is due; of an armed one the latest time at which its
	// change could still be made, and how long it lasts after that.
	EndsAt    time.Time  `json:"ends_at"`
	NextTry   time.Time  `json:"next_try"` // not before then
	Tries     int        `json:"tries"`
	Error     *Failure   `json:"error"` // of the last try
	Approval  string     `json:"approval,omitempty"`
	WarnedAt  *time.Time `json:"warned_at"` // when people were told that it ends soon
	AlarmedAt *time.Time `json:"alarmed_at"`
	CreatedAt time.Time  `json:"created_at"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	EndedBy   string     `json:"ended_by"` // who ended or extended it by hand
	Reason    string     `json:"reason"`
}

// OverdueAfter is how long after its time a grant that could not be ended
// raises an alarm.
const OverdueAfter = 5 * time.Minute

// Overdue reports whether the grant should have ended some time ago and nobody
// has decided that it has not: it is not held, and people are not being asked.
func (g Grant) Overdue(now time.Time) bool {
	switch {
	case g.State.Final(), now.Sub(g.EndsAt) < OverdueAfter, g.Error != nil && g.Error.Class == ClassRefused:
		return false
	default:
		return g.State != GrantAsking || g.Error != nil // approved, and not taken back
	}
}

// NextLook is when something is due of an active grant as far as all goes well:
// telling people that it ends soon, while they were not told yet, or its end.
func (g Grant) NextLook() time.Time {
	if g.Warn > 0 && g.WarnedAt == nil {
		return g.EndsAt.Add(-g.Warn)
	}
	return g.EndsAt
}

// GrantQuery selects grants, those that end first before the others.
type GrantQuery struct {
	Run        string
	States     []GrantState // any when empty
	Connection string       // with Target: all of one target
	Target     string
	DueBy      time.Time // not zero: only those not final whose NextTry is not after it
	After      string    // id of the last one of the page before
	Limit      int       // 0 means 100
}

// Hold keeps a target as it is: no grant ends, no undo and nothing else that
// gives access touches it until it is released.
type Hold struct {
	ID            string     `json:"id"`         // hld_…
	Connection    string     `json:"connection"` // "" for every connection
	Target        string     `json:"target"`     // an id or an e-mail address
	Reason        string     `json:"reason"`
	By            Actor      `json:"by"`
	At            time.Time  `json:"at"`
	ReleasedBy    *Actor     `json:"released_by"`
	ReleaseReason string     `json:"release_reason"`
	ReleasedAt    *time.Time `json:"released_at"` // nil: it holds
}

// Signal is something a run may wait for.
type Signal struct {
	Run  string          `json:"run"`
	ID   string          `json:"id"` // given by the sender; the same twice is one signal
	Name string          `json:"name"`
	Body json.RawMessage `json:"body"`
	By   Actor           `json:"by"`
	At   time.Time       `json:"at"`
	// Taken is the number of the event it became; 0 while the run has not heard it.
	Taken uint64 `json:"taken"`
}

// ScheduleState is what is remembered of a trigger between fire times.
type ScheduleState struct {
	ID       string     `json:"id"` // playbook and place of the trigger: "sweep#0"
	Playbook string     `json:"playbook"`
	Spec     string     `json:"spec"`    // expression and zone it was last seen with
	LastAt   time.Time  `json:"last_at"` // up to when fire times were decided
	PausedAt *time.Time `json:"paused_at"`
	PausedBy string     `json:"paused_by"`
	Reason   string     `json:"reason"`
}

// Delivery is a webhook call that was taken, so that none is taken twice.
type Delivery struct {
	Hook string    `json:"hook"`
	ID   string    `json:"id"` // signature or de-duplication key
	Run  string    `json:"run"`
	At   time.Time `json:"at"`
}

// Throttle is until when a connection's service asked not to be called.
type Throttle struct {
	Connection string    `json:"connection"`
	Until      time.Time `json:"until"`
}
