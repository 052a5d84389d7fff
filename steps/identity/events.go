package identity

import (
	"context"
	"iter"
	"time"
)

// EventKind is one of the logs of a service.
type EventKind string

// The kinds of events.
const (
	EventSignIns    EventKind = "sign_ins"    // attempts to sign in
	EventItemUsages EventKind = "item_usages" // uses of stored items by people
	EventAudit      EventKind = "audit"       // what was changed in the account, and by whom
)

// EventKinds are all kinds.
func EventKinds() []EventKind { return []EventKind{EventSignIns, EventItemUsages, EventAudit} }

// Event is one record of a log, whichever.
type Event struct {
	ID         string // unique in its log; the same event may be delivered twice
	At         time.Time
	UserID     string       // who did it; of a sign-in whose account it was; "" where the service did not know
	Email      string       // "" where unknown
	Name       string       // foreign text; "" where unknown
	Action     string       // the service's own word: "credentials_ok", "reveal", "suspend"
	Result     SignInResult // of a sign-in; "" of others
	ObjectType string       // what it was done to, in the service's own word: "item", "user", "gm"; "" where it does not say
	ObjectID   string
	RelatedID  string // what else it was about: of a membership the member, of an item usage the vault
	Detail     string // the service's own remark; foreign text
	IP         string // "" where unknown
	Country    string // ISO 3166 alpha-2; "" where unknown
	Account    string // the tenant it was recorded in; "" where the service does not say
}

// Events is a service that remembers what people did.
type Events interface {
	// Events yields every event of the kind in [from, to), in the order
	// delivered. It is complete or ends with an error.
	Events(ctx context.Context, kind EventKind, from, to time.Time) iter.Seq2[Event, error]
	// EventsReach is how far back the service remembers.
	EventsReach() time.Duration
	// Require asks the service whether the credentials may read the logs of
	// these kinds: nil, or an auth failure that names what is missing.
	Require(ctx context.Context, kinds ...EventKind) error
}

// Codes of failures of reading only what is new.
const (
	CodeCursorRefused = "cursor_refused" // the service does not take a cursor any more
	CodeNoPosition    = "no_position"    // an acknowledgement of nothing that was read
)

// UnreadEvents is an Events that can go on where an earlier reading stopped. It
// is offered beside CapabilityEvents.
type UnreadEvents interface {
	// EventLog asks the service which log the credentials lead to, as far as its
	// cursors are concerned: one of an EventLog is good for that one only. An auth
	// failure where they may not read it.
	EventLog(ctx context.Context, kind EventKind) (EventLog, error)
	// EventsAfter yields, page by page, everything the service recorded behind
	// the cursor, or where that is "" since a time. It is complete or ends with an
	// error. There is at least one page, whose cursor is where to go on, even if
	// nothing was recorded; going on from the cursor of any page misses nothing.
	// A cursor that the service refuses is an invalid failure, CodeCursorRefused.
	EventsAfter(ctx context.Context, kind EventKind, cursor string, from time.Time) iter.Seq2[EventPage, error]
}

// EventLog is what tells logs apart.
type EventLog struct {
	Credentials string // stands for the credentials without being any: the hash of their id
	Version     string // of the service's interface
}

// EventPage is one page of a log.
type EventPage struct {
	Events []Event
	Cursor string // where the next begins
}
