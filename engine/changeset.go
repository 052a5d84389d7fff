package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ChangeSet is what a run would do from where it stands, as looking ahead has
// foreseen it: observations were carried out, changes previewed, messages listed.
type ChangeSet struct {
	Playbook      string                `json:"playbook"` // hash of the program
	Changes       []PlannedChange       `json:"changes"`  // by path
	Announcements []PlannedAnnouncement `json:"announcements"`
	Approvals     []PlannedApproval     `json:"approvals"`
	Unforeseen    []Unforeseen          `json:"unforeseen"`  // by path
	Populations   []Population          `json:"populations"` // the largest complete listing of each connection, by name
	Failure       *Failure              `json:"failure"`     // why the run would fail; nil where it would not
	// Complete reports that nothing that may change something is unforeseen, and
	// that the run would not fail on the way.
	Complete bool `json:"complete"`
	// Bound says why looking ahead ended early; "" where it came to the end.
	Bound string `json:"bound,omitempty"`
}

// PlannedChange is one line of a change set.
type PlannedChange struct {
	Path        string `json:"path"`
	Item        string `json:"item,omitempty"` // key of the innermost loop's item it belongs to
	Action      string `json:"action"`
	Connection  string `json:"connection"`
	Fingerprint string `json:"fingerprint"` // of the connection
	Target      Target `json:"target"`
	// Aliases are the target's other names, such as e-mail addresses.
	Aliases   []string        `json:"aliases,omitempty"`
	Arguments string          `json:"arguments"`     // hash of the resolved arguments
	For       string          `json:"for,omitempty"` // how long; "" for ever
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
	// Outcome is "" for a change to be made, unchanged where there is nothing to
	// do, refused where the target is protected or excluded, skipped where an
	// undo leaves it because somebody has changed it since.
	Outcome Outcome         `json:"outcome,omitempty"`
	Error   *Failure        `json:"error,omitempty"`   // why it is refused or skipped
	Inverse json.RawMessage `json:"inverse,omitempty"` // Invocation
	Why     string          `json:"why,omitempty"`     // reasons and evidence; foreign text
}

// PlannedAnnouncement is a message that would be sent. It never is before the
// run really comes to it.
type PlannedAnnouncement struct {
	Path       string          `json:"path"`
	Action     string          `json:"action"`
	Connection string          `json:"connection"`
	Inputs     json.RawMessage `json:"inputs"` // null where they are known only later
	After      string          `json:"after,omitempty"`
}

// PlannedApproval is a place where people would be asked.
type PlannedApproval struct {
	Path  string   `json:"path"`
	Title string   `json:"title"`
	By    []string `json:"by"`
	Needs int      `json:"needs"`
}

// Unforeseen is a step that cannot be foreseen: it depends on what is known
// only after another one.
type Unforeseen struct {
	Path    string `json:"path"`
	After   string `json:"after"`   // path of the step after which it is known
	Changes bool   `json:"changes"` // it may change something
}

// Pending are the lines that are changes to be made.
func (s ChangeSet) Pending() []PlannedChange {
	return slices.DeleteFunc(slices.Clone(s.Changes), func(c PlannedChange) bool { return c.Outcome != "" })
}

// Hash is the canonical hash of what would be done: the playbook and, of each
// change, the connection and where it leads, the path, the action, the target's
// id, the resolved arguments, how long, and before → after. Approvals are
// given to it.
func (s ChangeSet) Hash() string {
	pending := s.Pending()
	rows := make([]any, 0, len(pending))
	for _, c := range pending {
		rows = append(rows, []any{c.Path, c.Action, c.Connection, c.Fingerprint, c.Target.ID, c.Arguments, c.For, c.Before, c.After})
	}
	return digest(s.Playbook, rows)
}

// ShownHash is the hash of what was shown beside that: names, reasons, evidence.
func (s ChangeSet) ShownHash() string {
	rows := make([]any, 0, len(s.Changes))
	for _, c := range s.Changes {
		rows = append(rows, []any{c.Path, c.Target.Name, c.Aliases, c.Outcome, c.Why})
	}
	return digest(s.Playbook, rows)
}

func digest(playbook string, rows []any) string {
	data, err := json.Marshal([]any{playbook, rows})
	if err != nil { // raw JSON that is none: what cannot be read must equal nothing
		data = fmt.Append(nil, playbook, err, rows)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Without is the set without the lines that somebody excluded: they stay in it
// as refused.
func (s ChangeSet) Without(paths []string) ChangeSet {
	out := s
	out.Changes = slices.Clone(s.Changes)
	for i := range out.Changes {
		c := &out.Changes[i]
		if c.Outcome == "" && slices.Contains(paths, c.Path) {
			c.Outcome = OutcomeRefused
			c.Error = Fail(ClassRefused, CodeExcluded, "it was excluded from what was approved")
		}
	}
	return out
}

// Find are the paths of the lines that a word names: a path, an item's key, or
// a target's id, name or alias. Letter case does not count.
func (s ChangeSet) Find(word string) []string {
	var paths []string
	for _, c := range s.Changes {
		names := append([]string{c.Path, c.Item, c.Target.ID, c.Target.Name}, c.Aliases...)
		if slices.ContainsFunc(names, func(n string) bool { return n != "" && strings.EqualFold(n, word) }) {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// PlanRecord is a saved plan: what a playbook would do, to be applied exactly.
type PlanRecord struct {
	ID          string          `json:"id"`
	Playbook    string          `json:"playbook"`
	Hash        string          `json:"-"` // of the playbook and those it calls
	Source      string          `json:"-"` // the file it was read from; "" for an undo
	UndoOf      string          `json:"undo_of,omitempty"`
	Actor       Actor           `json:"actor"`
	Inputs      json.RawMessage `json:"inputs"`
	MaxChanges  *int64          `json:"-"`
	Lifted      string          `json:"-"` // why an undo's limits were lifted; "" where they hold
	Connections json.RawMessage `json:"-"` // fingerprints by name
	Semantics   int             `json:"-"`
	Set         Reference       `json:"-"`    // the ChangeSet as JSON
	Digest      string          `json:"hash"` // ChangeSet.Hash
	Shown       string          `json:"-"`    // ChangeSet.ShownHash
	Pending     int             `json:"-"`    // how many changes would be made
	Complete    bool            `json:"complete"`
	Blocked     *Failure        `json:"blocked"` // what the guard says against it; nil for nothing
	CreatedAt   time.Time       `json:"created_at"`
}

// Answer is what a call has answered, kept for the same question: looking
// ahead for the execution that follows, a plan for its apply, a run for the one
// that retries it.
type Answer struct {
	Owner      string // id of the run or plan
	Path       string
	Arguments  string    // hash of the resolved arguments
	Value      Reference // the outputs as JSON
	Population *Population
	At         time.Time
}
