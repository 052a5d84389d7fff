package sim

import (
	"strings"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. Those before the line keep the operation from being
// performed, those after it perform it and spoil the answer.
const (
	FaultRateLimited FaultKind = "rate_limited" // 429, with RetryAfter as the header where it is not empty
	FaultUnavailable FaultKind = "unavailable"  // 503, likewise
	FaultServerError FaultKind = "server_error" // 500
	FaultGateway     FaultKind = "gateway"      // 502 with an HTML page, as a proxy answers
	FaultExpireToken FaultKind = "expire_token" // the bearer token has just become invalid
	FaultNoReply     FaultKind = "no_reply"     // the request is taken and never answered

	FaultSlow        FaultKind = "slow"         // performed after Delay
	FaultLostReply   FaultKind = "lost_reply"   // performed, then the connection is cut
	FaultCutBody     FaultKind = "cut_body"     // performed, then the connection is cut half-way through the body
	FaultHalfJSON    FaultKind = "half_json"    // performed, and answered with half the body as if it were all
	FaultNotJSON     FaultKind = "not_json"     // performed, and answered with an HTML page and status 200
	FaultRepeatToken FaultKind = "repeat_token" // the page names itself as the next one
	FaultDuplicate   FaultKind = "duplicate"    // every record of the page, or member of the group, comes twice
	FaultMiscount    FaultKind = "miscount"     // a listing of the SCIM service counts one more than there are
	FaultEndless     FaultKind = "endless"      // the page is empty, and there is always one more after it
	FaultReversed    FaultKind = "reversed"     // the records of the page come in the wrong order
	FaultForget      FaultKind = "forget"       // the service does not know the cursor any more
)

// Fault is something that goes wrong with some requests.
type Fault struct {
	Operation  Operation     `json:"operation"` // any when empty
	Kind       FaultKind     `json:"kind"`
	Match      string        `json:"match"` // only requests whose query contains it: "startIndex=101"; any when empty
	After      int           `json:"after"` // so many matching requests pass first: 6 breaks page 7
	Every      int           `json:"every"` // then only each n-th is hit; 0 and 1 mean each
	Times      int           `json:"times"` // how many are hit; 0 means one, -1 all
	RetryAfter string        `json:"retry_after"`
	Delay      time.Duration `json:"delay_ns"`
}

type armedFault struct {
	Fault
	seen, hit int
}

// Inject arms faults beside those already there. Of several that would hit the
// same request the first injected does.
func (t *Tenant) Inject(faults ...Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range faults {
		t.faults = append(t.faults, armedFault{Fault: f})
	}
}

// Heal removes all faults.
func (t *Tenant) Heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

// strike says what goes wrong with a request that has the query; the zero
// Fault for nothing.
func (t *Tenant) strike(op Operation, query string) Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.faults {
		if f := &t.faults[i]; (f.Operation == "" || f.Operation == op) && strings.Contains(query, f.Match) {
			if f.strikes() {
				return f.Fault
			}
		}
	}
	return Fault{}
}

func (f *armedFault) strikes() bool {
	n := f.seen - f.After
	f.seen++
	if n < 0 || n%max(f.Every, 1) != 0 {
		return false
	}
	if f.Times >= 0 && f.hit >= max(f.Times, 1) {
		return false
	}
	f.hit++
	return true
}
