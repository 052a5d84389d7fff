package engine

import "time"

// ApprovalStatus is where an approval stands.
type ApprovalStatus string

// The statuses of an approval; all but the first are final.
const (
	ApprovalPending  ApprovalStatus = "pending"
	ApprovalApproved ApprovalStatus = "approved"
	ApprovalDenied   ApprovalStatus = "denied"
	ApprovalExpired  ApprovalStatus = "expired"   // nobody decided in time
	ApprovalObsolete ApprovalStatus = "cancelled" // its run ended or moved on without it
)

// ApprovalKind is why people are asked.
type ApprovalKind string

// The kinds of approvals.
const (
	ApprovalStep   ApprovalKind = "step"   // an `approve` step of the playbook
	ApprovalPolicy ApprovalKind = "policy" // the configuration's `policy:` wants it
	ApprovalGrant  ApprovalKind = "grant"  // access was taken for a time that is up
	ApprovalGuard  ApprovalKind = "guard"  // a limit was exceeded and `on_block: ask` is set
)

// Approval is a request to approve a change set, and what became of it.
type Approval struct {
	ID     string         `json:"id"`
	Run    string         `json:"run"`
	Path   string         `json:"path"` // of the step; "" for the run as a whole
	Kind   ApprovalKind   `json:"kind"`
	Title  string         `json:"title"`
	By     []string       `json:"by"` // people, and groups as group:NAME; empty: anybody known
	Needs  int            `json:"needs"`
	Notify string         `json:"notify"` // connection that hears of it
	Status ApprovalStatus `json:"status"`
	Round  int            `json:"round"` // from 1; a request that was renewed is in its next round
	Set    Reference      `json:"-"`     // the ChangeSet as JSON
	Digest string         `json:"hash"`  // ChangeSet.Hash: what is approved
	Shown  string         `json:"-"`
	// Excluded are the paths that the first approving vote of this round left out.
	Excluded  []string   `json:"excluded"`
	Votes     []Vote     `json:"votes"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // nil: never
	ToldAt    *time.Time `json:"told_at"`    // when the people were told of this round; nil: not yet
	DecidedAt *time.Time `json:"decided_at"`
}

// Vote is one person's decision. Those of earlier rounds no longer count.
type Vote struct {
	Person  string    `json:"person"` // name under `people:`
	User    string    `json:"user"`   // the operating-system user
	Via     string    `json:"via"`
	Proven  bool      `json:"proven"` // false: whoever holds the database file could have written it
	Approve bool      `json:"approve"`
	Round   int       `json:"round"`
	Digest  string    `json:"hash"`   // of exactly what was approved
	Except  []string  `json:"except"` // paths left out
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Person is somebody who may start and decide things.
type Person struct {
	Name   string
	OSUser string
	Email  string
	Groups []string
}

// Freeze stops every change, in every process, until somebody else ends it.
type Freeze struct {
	ID         string     `json:"id"`
	Reason     string     `json:"reason"`
	By         Actor      `json:"by"`
	At         time.Time  `json:"at"`
	ThawedBy   *Actor     `json:"thawed_by"`
	ThawReason string     `json:"thaw_reason"`
	ThawedAt   *time.Time `json:"thawed_at"` // nil: it holds
}

// ApprovalQuery selects approvals, newest first.
type ApprovalQuery struct {
	Run      string           // any when empty
	Statuses []ApprovalStatus // any when empty
	After    string           // id of the last one of the page before
	Limit    int              // 0 means 100
}

// PlanQuery selects plans, newest first.
type PlanQuery struct {
	Playbook string
	After    string
	Limit    int // 0 means 100
}
