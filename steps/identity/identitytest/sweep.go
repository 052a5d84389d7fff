package identitytest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// Haste is a clock on which waiting takes no time: whoever sleeps moves it on.
// It may be used by several goroutines.
type Haste struct {
	mu  sync.Mutex
	now time.Time
}

// NewHaste makes a clock that shows a time.
func NewHaste(now time.Time) *Haste { return &Haste{now: now} }

// Now is the time it shows.
func (h *Haste) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Sleep moves the clock on; it fails with the context.
func (h *Haste) Sleep(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(max(d, 0))
	return ctx.Err() //nolint:wrapcheck // classified by the caller
}

// Meter is a network that notes when each request went out, and what came back.
type Meter struct {
	Next  http.RoundTripper
	Clock *Haste

	mu       sync.Mutex
	times    []time.Time
	statuses map[int]int // 0 for none
}

// RoundTrip notes the time and passes the request on.
func (m *Meter) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.times = append(m.times, m.Clock.Now())
	m.mu.Unlock()
	res, err := m.Next.RoundTrip(r)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.statuses == nil {
		m.statuses = map[int]int{}
	}
	m.statuses[status]++
	return res, err //nolint:wrapcheck // a round tripper hands errors on as they are
}

// Requests is how many went out.
func (m *Meter) Requests() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.times)
}

// Answered is how many requests were answered with a status; 0 stands for those
// whose connection broke.
func (m *Meter) Answered(status int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.statuses[status]
}

// Within fails the test where more requests went out in some second than a rate
// with that burst allows.
func (m *Meter) Within(t *testing.T, perSecond, burst int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	first := 0
	for i, at := range m.times {
		for at.Sub(m.times[first]) >= time.Second {
			first++
		}
		if n := i - first + 1; n > perSecond+burst {
			t.Fatalf("%d requests went out in the second before %s, and %d a second with %d at once are allowed", n, at, perSecond, burst)
		}
	}
}

// TestSweep lists every account of a service that does what services do in the
// middle of a long listing, and then looks each of them up: it must come out
// complete, without one account twice.
func TestSweep(t *testing.T, d identity.Directory, want map[string]string) {
	t.Helper()
	seen := make(map[string]string, len(want))
	for u, err := range d.Users(t.Context(), "") {
		if err != nil {
			t.Fatalf("after %d accounts: %v", len(seen), err)
		}
		if _, twice := seen[u.ID]; twice {
			t.Fatalf("%s came twice", u.ID)
		}
		seen[u.ID] = u.Email
	}
	if len(seen) != len(want) {
		t.Errorf("the listing has %d accounts, and there are %d", len(seen), len(want))
	}
	for id, email := range want {
		if seen[id] != email {
			t.Fatalf("%s is %q in the listing, and %q", id, seen[id], email)
		}
		u, err := d.User(t.Context(), id)
		if err != nil || u.ID != id || u.Email != email {
			t.Fatalf("looking %s up: %+v, %v", id, u, err)
		}
	}
}
