package engine

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Capability names a Go interface that providers implement and actions need.
// The interface stands in the folder of the actions that use it.
type Capability string

// DefaultSettle is how long reads of a connection that does not say it are
// taken to lag.
const DefaultSettle = 30 * time.Second

// Connection is an opened connection.
type Connection struct {
	Name        string
	Provider    string
	Fingerprint string         // changes when the connection points somewhere else: provider, account, base URL
	Edition     string         // changes with what says how the service is called, where that is a file; "" where it is code
	Settle      *time.Duration // how long a read may still show the state before a change; nil means DefaultSettle, 0 that none ever does
	// Reveal reads a secret that is kept here, by the reference of its handle; nil
	// where none is. Errors never hold a secret.
	Reveal func(ctx context.Context, reference string) (secret.Value, error)
	Offers map[Capability]any // the implementation of each capability
}

// Print is what a plan and a run remember of the connection: where it leads, and
// how. A grant remembers only where, so that what was given can be taken back
// after a file that describes the service was mended.
func (c *Connection) Print() string {
	if c.Edition == "" {
		return c.Fingerprint
	}
	return c.Fingerprint + " " + c.Edition
}

// Offered returns a call's implementation of a capability, or an invalid
// failure where the connection does not have it: the checker lets no such
// playbook through, so it means that the configuration changed since.
func Offered[T any](call Call, c Capability) (T, *Connection, error) {
	var none T
	conn := call.Connections[c]
	if conn == nil {
		return none, nil, Fail(ClassInvalid, "connection", "%s needs a connection that offers %q", call.Action, c)
	}
	impl, ok := conn.Offers[c].(T)
	if !ok {
		return none, nil, Fail(ClassInvalid, "connection", "connection %q does not offer %q", conn.Name, c)
	}
	return impl, conn, nil
}

// OfferedFor returns a call's implementation of what one of its inputs needs
// (Field.Needs) of the connection for a capability, or an invalid failure with
// the code: the input can be meant for another connection only.
func OfferedFor[T any](call Call, c, needed Capability, input, code string) (T, error) {
	var none T
	_, conn, err := Offered[any](call, c)
	if err != nil {
		return none, err
	}
	impl, ok := conn.Offers[needed].(T)
	if !ok {
		return none, Fail(ClassInvalid, code, "connection %q does not offer %q, which the input %s of %s needs", conn.Name, needed, input, call.Action)
	}
	return impl, nil
}

// Provider declares how to reach one kind of service.
type Provider struct {
	Name         string
	Summary      string
	Doc          string  // Markdown: what it does, what it cannot, what to beware of
	Setup        string  // Markdown, a numbered list for a newcomer: which screen, which permission, which value goes where
	Settings     []Field // the keys of its connections beside `provider`; KindSecret for references
	ExactlyOne   [][]string
	Capabilities []Capability
	// Open makes the implementations. It must not reach the service: that is
	// what Tester is for.
	Open func(o Opening) (*Connection, error)
}

// Opening is what a provider gets to open a connection with.
type Opening struct {
	Name     string
	Settings map[string]any // by declared type; secrets as secret.Reference
	Secrets  secret.Resolver
	Terminal io.Writer // for providers that print
	Version  string    // of Drawbridge, for User-Agent
	Log      *slog.Logger
	Now      func() time.Time
	// Transport carries requests the way the configuration says, or to a
	// simulation. Nil: directly.
	Transport http.RoundTripper
	// Dialer connects the way the configuration says where HTTP is not spoken.
	// Nil: directly, or not at all where the transport is a simulation.
	Dialer Dialer
	// Sleep waits in place of time, for tests and simulations. Nil for the real one.
	Sleep     func(ctx context.Context, d time.Duration) error
	Pace      Pace      // what the configuration says of this connection
	Throttles Throttles // nil: what services ask for is forgotten with the process
}

// Dialer makes connections to services that do not speak HTTP.
type Dialer interface {
	// Dial connects to "host:port", through a proxy where one is configured.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is how TLS is then spoken with "host:port". It is the caller's own.
	TLS(address string) *tls.Config
}

// Pace is how a connection's service is called, by all runs together. What it
// says takes the place of the provider's own pace; what it does not say leaves
// that as it is.
type Pace struct {
	PerSecond   float64 // calls; 0: as the provider has it
	Burst       int     // calls at once after a pause, with PerSecond; 1 when less
	Concurrency int     // calls under way at the same time; 0: any number
}

// Throttles remembers until when services asked not to be called, beyond the
// process. It may be used by several goroutines.
type Throttles interface {
	// Until is the time before which a connection's service is not to be called;
	// zero where it has not asked for any.
	Until(connection string) time.Time
	// Penalized notes that the service asked not to be called before a time. It
	// returns at once.
	Penalized(connection string, until time.Time)
}

// CapabilityTest is the capability every provider offers so that `connections
// test` can say what works.
const CapabilityTest Capability = "test"

// Tester reaches the service with the least privilege that proves something.
type Tester interface {
	Test(ctx context.Context) ([]Finding, error)
}

// Finding is one thing a test found out.
type Finding struct {
	Works   bool   `json:"works"`
	Subject string `json:"subject"` // "list users"
	Detail  string `json:"detail"`  // what was seen, or what to grant where
}

// ConnectionInfo is what is known of a connection without opening it.
type ConnectionInfo struct {
	Name         string
	Provider     string
	Capabilities []Capability
}

// Offers reports whether the connection has the capability.
func (c ConnectionInfo) Offers(want Capability) bool { return slices.Contains(c.Capabilities, want) }

// Catalog is the connections of a configuration.
type Catalog struct {
	Connections []ConnectionInfo
	Defaults    map[Capability]string
}

// Named finds a connection.
func (c Catalog) Named(name string) (ConnectionInfo, bool) {
	for _, info := range c.Connections {
		if info.Name == name {
			return info, true
		}
	}
	return ConnectionInfo{}, false
}

// Use is a call that a run made through a connection.
type Use struct {
	Connection string
	At         time.Time // when the step began
	Run        string
}

// NewestUses keeps the newest use of each connection, by connection. Steps that
// went through several name them all, with ", " between.
func NewestUses(uses []Use) []Use {
	newest := map[string]Use{}
	for _, use := range uses {
		for name := range strings.SplitSeq(use.Connection, ", ") {
			if known, ok := newest[name]; name != "" && (!ok || use.At.After(known.At)) {
				newest[name] = Use{Connection: name, At: use.At, Run: use.Run}
			}
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Use) int { return strings.Compare(a.Connection, b.Connection) })
}

// ConnectionRef is what a step's `connection:` says: nothing, one name, or a
// name per capability.
type ConnectionRef struct {
	Name         string                `json:"name,omitempty"`
	ByCapability map[Capability]string `json:"by_capability,omitempty"`
}

// IsZero reports whether the step named no connection.
func (r ConnectionRef) IsZero() bool { return r.Name == "" && len(r.ByCapability) == 0 }

// ResolveError says why a capability has no connection.
type ResolveError struct {
	Capability Capability
	Name       string   // the connection that was named; "" when none was
	Unknown    bool     // Name does not exist
	Candidates []string // those that offer the capability
}

// Error names the cause and the candidates.
func (e *ResolveError) Error() string {
	have := "no connection of the configuration offers it"
	if len(e.Candidates) > 0 {
		have = "these offer it: " + strings.Join(e.Candidates, ", ")
	}
	switch {
	case e.Unknown:
		return fmt.Sprintf("there is no connection %q; %q is needed and %s", e.Name, e.Capability, have)
	case e.Name != "":
		return fmt.Sprintf("connection %q does not offer the capability %q; %s", e.Name, e.Capability, have)
	case len(e.Candidates) > 1:
		return fmt.Sprintf("several connections offer the capability %q; name one with `connection:` or in `defaults:`; %s", e.Capability, have)
	default:
		return fmt.Sprintf("the capability %q is needed and %s", e.Capability, have)
	}
}

// Resolve finds the connection for each capability: the one the step names,
// else the only one that offers it, else the default. Errors are *ResolveError.
func (c Catalog) Resolve(needs []Capability, ref ConnectionRef) (map[Capability]string, error) {
	out := make(map[Capability]string, len(needs))
	for _, need := range needs {
		name, err := c.resolveOne(need, ref)
		if err != nil {
			return nil, err
		}
		out[need] = name
	}
	return out, nil
}

func (c Catalog) resolveOne(need Capability, ref ConnectionRef) (string, error) {
	var candidates []string
	for _, info := range c.Connections {
		if info.Offers(need) {
			candidates = append(candidates, info.Name)
		}
	}
	name := ref.Name
	if named, ok := ref.ByCapability[need]; ok {
		name = named
	}
	if name == "" && len(candidates) == 1 {
		return candidates[0], nil
	}
	if name == "" {
		name = c.Defaults[need]
	}
	if name == "" {
		return "", &ResolveError{Capability: need, Candidates: candidates}
	}
	info, known := c.Named(name)
	if !known || !info.Offers(need) {
		return "", &ResolveError{Capability: need, Name: name, Unknown: !known, Candidates: candidates}
	}
	return name, nil
}
