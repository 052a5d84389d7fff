// Package identity holds the actions on people's accounts and their sign-ins,
// and the capabilities they need from a connection.
package identity

import (
	"context"
	"iter"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Capabilities the actions of this package need.
const (
	CapabilityDirectory engine.Capability = "directory" // Directory
	CapabilitySignIns   engine.Capability = "signins"   // SignIns
	CapabilityEvents    engine.Capability = "events"    // Events
	CapabilityUnread    engine.Capability = "unread"    // UnreadEvents
)

// State is whether an account can be used.
type State string

// The states of an account.
const (
	Active    State = "active"
	Suspended State = "suspended"
)

// User is an account of a directory.
type User struct {
	ID        string
	Email     string
	Name      string // foreign text: never markup
	State     State
	CreatedAt time.Time
	Account   string // the tenant it belongs to; "" where the service does not say
}

// Directory is a service that keeps accounts.
type Directory interface {
	// Users yields every account in the state, or all for "". It is complete or
	// ends with an error: a broken page, a repeated page token or a repeated id
	// is one. Breaking off is allowed.
	Users(ctx context.Context, state State) iter.Seq2[User, error]
	// User finds one account by its id; not_found when there is none.
	User(ctx context.Context, id string) (User, error)
	// Suspend takes the account's access away; no error when it was so already.
	Suspend(ctx context.Context, id string) (User, error)
	// Reactivate is the inverse of Suspend.
	Reactivate(ctx context.Context, id string) (User, error)
}

// EmailFinder is a Directory that can be asked for an address. Without it the
// whole directory is read.
type EmailFinder interface {
	// UserByEmail finds the one account whose Email is the address by SameEmail.
	// None and several are the errors of OneByEmail.
	UserByEmail(ctx context.Context, email string) (User, error)
}

// CapabilityUserPages is offered beside CapabilityDirectory by a service that
// can be asked for one page of a listing.
const CapabilityUserPages engine.Capability = "user_pages" // UserPages

// UserPages is a Directory that can be asked for one page of its listing.
type UserPages interface {
	// UserPage reads the page that a token names, "" the first, of all accounts
	// in the state, or of all for "". The size is how many accounts the page
	// should have, 0 what the service likes; one that the service does not take,
	// and a token that is none of its own, are invalid failures. The page may
	// have fewer accounts than that, none even, with more behind it: there is
	// nothing after it where next is "" and only there.
	UserPage(ctx context.Context, state State, token string, size int) (users []User, next string, err error)
}

// SignIn is one attempt to sign in.
type SignIn struct {
	ID        string // unique; the same attempt may be delivered twice
	At        time.Time
	UserID    string // "" where the service did not know whom
	Email     string // as typed; "" where unknown
	Name      string
	Result    SignInResult
	Reason    string // the service's own word: "password_secret_bad"
	IP        string // "" where unknown
	Country   string // ISO 3166 alpha-2; "" where unknown
	Latitude  *float64
	Longitude *float64
	Account   string // the tenant it was recorded in; "" where the service does not say
}

// SignInResult is how an attempt ended.
type SignInResult string

// The results of an attempt.
const (
	SignInSuccess   SignInResult = "success"
	SignInFailed    SignInResult = "failed"     // wrong credentials
	SignInMFAFailed SignInResult = "mfa_failed" // the second factor was wrong or missing
	SignInBlocked   SignInResult = "blocked"    // by a firewall rule or policy
)

// SignIns is a service that remembers sign-in attempts.
type SignIns interface {
	// SignIns yields every attempt in [from, to), in the order delivered. It is
	// complete or ends with an error.
	SignIns(ctx context.Context, from, to time.Time) iter.Seq2[SignIn, error]
	// SignInsReach is how far back the service remembers (1Password: 120 days).
	SignInsReach() time.Duration
}
