package connector

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// SettingBaseURL is the setting every connection of a connector has: where the
// service is.
const SettingBaseURL = "base_url"

// Definition is a checked connector file. It is immutable.
type Definition struct {
	Name    string // of the provider, and what its actions' names begin with
	Summary string
	Doc     string // Markdown: how to set the service up
	Path    string // of the file, for messages
	Hash    string // hex SHA-256 of the file

	Settings []engine.Field // of a connection, SettingBaseURL first
	Prefix   Path           // what every request's path begins with; empty for nothing
	Headers  []Param        // of every request
	Auth     Auth
	Rate     Rate
	Settle   time.Duration // how long a read may still show the state before a change
	Errors   Errors

	Test      *Call // nil where the file names none
	Directory *Directory
	Groups    *Groups
	Sessions  *Sessions
	Actions   []Action
}

// Path is a path of the service: literal stretches, and expressions of which
// each becomes a part of one segment and never more.
type Path []expression.Part

// Param is a query parameter, a header or a field of a form. One whose value
// is null is left out.
type Param struct {
	Name  string
	Value expression.Value
}

// Call is one request of the service, or a listing over several pages.
type Call struct {
	Name       string // where it stands: "directory.list", "actions.unlock.perform"
	Route      string // the request for messages: GET /users/{id}
	Method     string
	Path       Path
	Query      []Param
	Headers    []Param
	JSON       expression.Value // the body, where there is one
	Form       []Param          // the body, as a form
	Reads      bool             // it does nothing to the service
	Repeatable bool             // it does, and twice is as good as once

	Returns engine.Type // of the answer; the zero type: it is not read
	Listing bool        // the rows of all pages, and not one answer
	Rows    Place       // of a listing: where the rows of a page are
	Row     engine.Type // of a listing: what a row is
	Paging  Paging      // of a listing
}

// Place is a place within an answer: the names of fields that lead there. The
// empty one is the answer itself.
type Place []string

// PagingBy says how a service names the next page.
type PagingBy string

// The ways of paging.
const (
	PagingNone   PagingBy = ""       // one page is all
	PagingLink   PagingBy = "link"   // a Link header with rel="next"
	PagingToken  PagingBy = "token"  // a token in the answer, sent as a query parameter
	PagingURL    PagingBy = "url"    // an address in the answer, of the same origin
	PagingPage   PagingBy = "page"   // a query parameter that counts pages; an empty page is behind the last
	PagingOffset PagingBy = "offset" // a query parameter that counts rows, likewise
)

// Paging is how one listing goes on.
type Paging struct {
	By        PagingBy
	Next      Place  // the token or the address; null or "" after the last page
	Absent    bool   // Next may be missing after the last page
	Parameter string // of a token, a page and an offset
	First     int64  // of a page and an offset: that of the first page
}

// AuthKind is how requests are authenticated.
type AuthKind string

// The kinds of authentication.
const (
	AuthNone   AuthKind = ""
	AuthBearer AuthKind = "bearer"
	AuthBasic  AuthKind = "basic"
	AuthHeader AuthKind = "header"
	AuthOAuth  AuthKind = "oauth"
	AuthHMAC   AuthKind = "hmac"
)

// Auth is how requests are authenticated. Secrets are names of settings.
type Auth struct {
	Kind   AuthKind
	Secret string // the setting: a token, a password, a client's secret, a key
	User   string // the setting with the user of basic, or the client of oauth

	Header string // of header and hmac
	Prefix string // what stands before the value in it

	TokenPath Path     // of oauth
	Scopes    []string // of oauth
	InBody    bool     // of oauth: the client's credentials stand in the form, not in the header

	Algorithm string   // of hmac: sha256 or sha512
	Encoding  string   // of hmac: hex or base64
	Sign      []string // of hmac, in order: method, path, timestamp, body
	Separator string   // of hmac: what stands between what is signed
	Timestamp string   // of hmac: the header of the time, in seconds since 1970; "" for none
}

// Rate is how often the service may be called, and the headers in which it says so.
type Rate struct {
	PerSecond   float64 // 0: any
	Burst       int
	Concurrency int    // 0: any
	Remaining   string // header: how many calls are left; "" for none
	Reset       string // header: when there are more again
}

// Errors is what a refusal's body says, as expressions over `response`, which
// is dynamic; nil for nothing.
type Errors struct {
	Message *expression.Expression
	Code    *expression.Expression
}

// Mapping is how a row of the service becomes a value, field by field.
type Mapping struct {
	Fields []Mapped
}

// Mapped is one field: an expression over `row`.
type Mapped struct {
	Name string
	Expr *expression.Expression
}

// Reading is a call whose answer, or each of whose rows, is a user, a group or
// a member.
type Reading struct {
	Call
	Map Mapping
}

// Directory fulfils the capability directory.
type Directory struct {
	List       Reading  // inputs.state: active, suspended or null for all
	Get        Reading  // inputs.id
	Find       *Reading // inputs.email: those with the address, or more; nil where the service cannot be asked
	Suspend    Call     // inputs.id
	Reactivate Call     // inputs.id
}

// Groups fulfils the capability groups.
type Groups struct {
	List    Reading
	Get     Reading  // inputs.id
	Members Reading  // inputs.group
	Of      *Reading // inputs.user: the groups of one user; nil where the service cannot be asked
	Add     Call     // inputs.group, inputs.user
	Remove  Call     // likewise
}

// Sessions fulfils the capability sessions.
type Sessions struct {
	Revoke Call // inputs.user
}

// Action is an action of the connector's own.
type Action struct {
	Spec   engine.ActionSpec
	Call   Call // of an observation or an announcement: the request; of a change: what carries it out
	Change *Change
	Out    []Mapped // the outputs, over `response` (or `rows` of a listing), inputs and settings
}

// Change is what a change has beside its request.
type Change struct {
	Read    *Call                  // how the target is now; nil where no read shows it
	ID      *expression.Expression // of the target, over `response` of the read
	Target  *expression.Expression // its name; nil for the id
	Aliases []*expression.Expression
	State   []Mapped // what the change is about, as it was read
	After   []Param  // the same, as the change leaves it
	Inverse *Inverse // nil where it cannot be taken back
}

// Inverse is how a change is taken back.
type Inverse struct {
	Action string // its whole name
	With   []Param
}
