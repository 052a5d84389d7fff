package sim

import (
	"encoding/json"
	"slices"
	"time"
)

// Change is one change of an account or of a group's members that was
// performed, in order.
type Change struct {
	Seq       int       `json:"seq"` // over everything the tenant recorded
	At        time.Time `json:"at"`
	Operation Operation `json:"operation"`
	User      string    `json:"user"`
	Email     string    `json:"email"`
	Group     string    `json:"group,omitempty"` // whose member it became or was; "" for a change of the account
	Before    string    `json:"before"`          // ACTIVE or SUSPENDED; of a group NO_MEMBER or MEMBER
	After     string    `json:"after"`
	Changed   bool      `json:"changed"` // false when it was so already
	Lost      bool      `json:"lost"`    // the caller was never told
}

// Message is one message a sink took.
type Message struct {
	Seq            int             `json:"seq"`
	At             time.Time       `json:"at"`
	Sink           Operation       `json:"sink"` // OpSlack, OpWebhook, OpSlackPost, OpTeams, OpPagerDuty or OpEmail
	Text           string          `json:"text"` // as people read it, where the service shows what it is sent
	Body           json.RawMessage `json:"body"`
	IdempotencyKey string          `json:"idempotency_key"` // the header of that name; of a mail, its Message-ID
	Lost           bool            `json:"lost"`
}

// Request is one request, as far as it may be shown: no credentials and no query.
type Request struct {
	Seq       int       `json:"seq"`
	At        time.Time `json:"at"`
	Operation Operation `json:"operation"` // "" for an unknown path
	Method    string    `json:"method"`
	Path      string    `json:"path"` // "" for the sinks, whose paths are secrets
	Status    int       `json:"status"`
	Fault     FaultKind `json:"fault,omitempty"`
	UserAgent string    `json:"user_agent"`
}

const keptRequests = 20_000

// record is what the tenant remembers of what it was asked.
type record struct {
	seq      int
	changes  []Change
	messages []Message
	requests []Request // the last ones
	counts   map[Operation]int
}

func (r *record) next() int {
	r.seq++
	return r.seq
}

func (r *record) request(q Request) {
	q.Seq = r.next()
	if len(r.requests) >= keptRequests {
		r.requests = append(r.requests[:0], r.requests[keptRequests/2:]...)
	}
	r.requests = append(r.requests, q)
	if r.counts == nil {
		r.counts = map[Operation]int{}
	}
	r.counts[q.Operation]++
}

// Changes are all changes performed so far, in order.
func (t *Tenant) Changes() []Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.log.changes)
}

// Messages are all messages taken so far, in order.
func (t *Tenant) Messages() []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.log.messages)
}

// Requests are the last requests, in the order they were answered.
func (t *Tenant) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.log.requests)
}

// Count is how often the operation was asked for.
func (t *Tenant) Count(op Operation) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.log.counts[op]
}
