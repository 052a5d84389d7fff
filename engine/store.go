package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Errors of a Store.
var (
	ErrNotFound = errors.New("not found")
	// ErrLocked means that another engine holds the database; the error's text says who.
	ErrLocked = errors.New("the database is in use")
	// ErrConflict means that an event with that sequence number exists already:
	// two engines drive the same run, which must never be.
	ErrConflict = errors.New("the run was changed by somebody else")
	// ErrDuplicate means that a run with that key, or a delivery with that id,
	// exists already. Nothing was written.
	ErrDuplicate = errors.New("it exists already")
	// ErrClosed means that the store was closed before.
	ErrClosed = errors.New("the store is closed")
)

// Reference names a stored value: the hex SHA-256 of its bytes.
type Reference string

// Event is one entry of a run's journal, opaque to the store.
type Event struct {
	Run  string
	Seq  uint64 // from 1, without gaps
	At   time.Time
	Kind string
	Data json.RawMessage
}

// Snapshot is a run's state after the event Seq.
type Snapshot struct {
	Run       string
	Seq       uint64
	Semantics int
	Data      []byte
}

// StoredValue is a large value; equal values are stored once.
type StoredValue struct {
	Ref  Reference
	Data []byte
}

// Bundle is the source a run is pinned to.
type Bundle struct {
	Hash string
	Name string
	Data []byte
}

// Batch is what is written together, in one transaction, all or nothing.
// Within it, bundles and values come first and runs before what refers to them.
// Values that come with events of a run are held by that run, because its state
// may refer to them: they stay as long as it does.
type Batch struct {
	Bundles    []Bundle        // ignored where the hash exists
	Values     []StoredValue   // ignored where the reference exists
	Runs       []RunRecord     // inserted or replaced; another run's key is ErrDuplicate
	Events     []Event         // appended; an existing or trimmed sequence number is ErrConflict, a gap ErrRecord
	Steps      []StepRecord    // inserted or replaced by run, path and attempt
	Items      []ItemRecord    // inserted or replaced by run, path and index
	Plans      []PlanRecord    // inserted or replaced
	Answers    []Answer        // inserted or replaced by owner, path and arguments; the owner is a run or a plan that is there
	Approvals  []Approval      // inserted or replaced
	Freezes    []Freeze        // inserted or replaced
	Grants     []Grant         // inserted or replaced; the run must be there only for the first
	Holds      []Hold          // inserted or replaced
	Signals    []Signal        // inserted; one that exists with another name or body is ErrConflict, the same again replaces Taken, but never by 0
	Schedules  []ScheduleState // inserted or replaced
	Deliveries []Delivery      // inserted; one that exists is ErrDuplicate
	Throttles  []Throttle      // inserted or replaced; a time that is past may be forgotten
	Positions  []Position      // inserted or replaced; ErrConflict unless the revision is one more than the stored, or it is the stored one again
	Snapshots  []Snapshot      // replaces the run's, and trims its journal up to Seq; an older one than the run has is ErrConflict
	Audit      []AuditEntry    // appended to the audit trail, in this order, behind what is there by then
}

// RunQuery selects runs, newest first.
type RunQuery struct {
	Statuses []RunStatus // any when empty
	Playbook string      // any when empty
	Series   string      // any when empty
	Group    string      // any when empty
	After    string      // id of the last run of the page before; one that is unknown is ErrNotFound
	Limit    int         // 0 means 100
}

// StepQuery selects steps of a run in the order they first started; those that
// started together in the order they were first written.
type StepQuery struct {
	Run     string
	Prefix  string   // paths beginning with it; all when empty
	Effects []Effect // any when empty
	After   int      // how many to pass over
	Limit   int      // 0 means all
}

// ItemQuery selects items of one foreach, by index.
type ItemQuery struct {
	Run, Path string
	After     int // how many to pass over
	Limit     int // 0 means all
}

// Store keeps runs. Every write is durable when Commit returns; concurrent
// commits share a transaction where the store can, and one that fails does not
// take others with it. Reads see every commit that has returned. Missing
// things are ErrNotFound: also the bundle of a run that is written, a value that
// is referred to by what is written, and the run, plan or page that something is
// written to or listed of. Times come back in UTC, to the microsecond. It may be
// used by several goroutines.
//
// Commit returns a context's error only where nothing was written and nothing
// will be; once it is too late to withdraw the batch, it waits for the outcome
// whatever the context says. After an error that is none of a context's,
// ErrRecord, ErrConflict, ErrDuplicate, ErrNotFound and ErrClosed (the disk
// failed), only opening the store again tells whether the batch was written.
//
// Close waits for the commits under way. Afterwards everything is ErrClosed.
type Store interface {
	Commit(ctx context.Context, b Batch) error
	Run(ctx context.Context, id string) (RunRecord, error)
	Runs(ctx context.Context, q RunQuery) ([]RunRecord, error)
	Bundle(ctx context.Context, hash string) (Bundle, error)
	Snapshot(ctx context.Context, run string) (Snapshot, error)
	Events(ctx context.Context, run string, after uint64) ([]Event, error)
	Steps(ctx context.Context, q StepQuery) ([]StepRecord, error)
	Items(ctx context.Context, q ItemQuery) ([]ItemRecord, error)
	Value(ctx context.Context, ref Reference) ([]byte, error)
	Plan(ctx context.Context, id string) (PlanRecord, error)
	Plans(ctx context.Context, q PlanQuery) ([]PlanRecord, error)
	Answers(ctx context.Context, owner string) ([]Answer, error) // by path and arguments
	Approval(ctx context.Context, id string) (Approval, error)
	Approvals(ctx context.Context, q ApprovalQuery) ([]Approval, error)
	// Frozen is the freeze that holds, the newest of several; ErrNotFound where none does.
	Frozen(ctx context.Context) (Freeze, error)
	// Undoes are the runs that took back changes of a run, newest first.
	Undoes(ctx context.Context, run string) ([]RunRecord, error)
	// Spent counts the distinct targets of a connection that all runs together
	// have changed, or may have changed, since a time: records of changes begun
	// since then whose outcome is done or unsettled, whose end is not known, or
	// that failed without it being certain that nothing happened. What was only
	// carried over from another run does not count.
	Spent(ctx context.Context, connection string, since time.Time) (int64, error)
	// Audit lists the audit trail, oldest first, as it stands: records that were
	// tampered with come back as they are, and VerifyAudit finds them.
	Audit(ctx context.Context, q AuditQuery) ([]AuditRecord, error)
	// AuditHead is the newest record of the audit trail; ErrNotFound where it is empty.
	AuditHead(ctx context.Context) (AuditRecord, error)
	// Prune forgets what a Retention lets go, while others read and commit. It
	// works in small pieces, each of which is complete in itself: where it was
	// cut off, the next one goes on. What it returns beside an error is what went.
	Prune(ctx context.Context, r Retention) (Pruned, error)
	Grant(ctx context.Context, id string) (Grant, error)
	Grants(ctx context.Context, q GrantQuery) ([]Grant, error)
	Holds(ctx context.Context, all bool) ([]Hold, error)       // those that hold, newest first; with all also those released
	Signals(ctx context.Context, run string) ([]Signal, error) // those not taken yet, oldest first
	Schedules(ctx context.Context) ([]ScheduleState, error)    // by id
	Throttles(ctx context.Context) ([]Throttle, error)         // by connection
	// LastUses is the newest recorded call through each connection, by connection.
	// One whose every run was forgotten, or that none has used, is not in it.
	LastUses(ctx context.Context) ([]Use, error)
	// Position is how far a reader of a log has come, by its key.
	Position(ctx context.Context, key string) (Position, error)
	// RunByKey is the run with an idempotency key.
	RunByKey(ctx context.Context, key string) (RunRecord, error)
	// Due are the runs that have something to do by a time: queued ones, since they
	// were created; waiting ones whose WakeAt is not after it, since then; and
	// waiting ones with signals they have not heard, since the first was sent. Of
	// each playbook come those first that waited longest; queued ones of a Group
	// stand in a line of their own, and lines take turns. So do playbooks: the
	// first of each, those that waited longest before the others, then the second
	// of each, and so on. A limit of 0 means 100.
	Due(ctx context.Context, by time.Time, limit int) ([]RunRecord, error)
	Close() error
}
