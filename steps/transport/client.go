package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

// The defaults of Options and Request.
const (
	DefaultMaxBody = 1 << 20          // bytes of a body
	DefaultTimeout = 30 * time.Second // one attempt, body included
	attempts       = 3
	retryWindow    = 15 * time.Second // no attempt starts later than this after the first
	maxRedirects   = 3
)

// Options configure a Client. The zero Options are usable.
type Options struct {
	Version   string            // of Drawbridge, for User-Agent
	Limit     rate.Limit        // requests per second over all callers; 0 for no limit
	Burst     int               // requests that may go at once under a Limit; at least 1
	Most      int               // requests under way at the same time; 0 for any number
	Timeout   time.Duration     // of one attempt, body included; DefaultTimeout for 0
	Transport http.RoundTripper // what carries requests; by default network.Plain

	// Paused is the time before which the service asked an earlier process not to
	// call it; at most an hour from now counts. Penalized hears whenever it asks.
	Paused    time.Time
	Penalized func(until time.Time)

	Now    func() time.Time                                 // time.Now by default
	Sleep  func(ctx context.Context, d time.Duration) error // waits, or fails with the context
	Jitter func() float64                                   // in [0, 1); random by default
}

// For is the options for a connection that is opened: its version, its clock,
// its pace, and what takes the place of the network and of waiting. What the
// opening does not say stays as it is.
func (o Options) For(opening engine.Opening) Options {
	o.Version, o.Now = opening.Version, opening.Now
	if opening.Transport != nil {
		o.Transport = opening.Transport
	}
	if opening.Sleep != nil {
		o.Sleep = opening.Sleep
	}
	if pace := opening.Pace; pace.PerSecond > 0 {
		o.Limit, o.Burst = rate.Limit(pace.PerSecond), pace.Burst
	}
	o.Most = cmp.Or(opening.Pace.Concurrency, o.Most)
	if known := opening.Throttles; known != nil {
		o.Paused = known.Until(opening.Name)
		o.Penalized = func(until time.Time) { known.Penalized(opening.Name, until) }
	}
	return o
}

// Client sends requests for one connection. It may be used by several
// goroutines, which share its limiter: when the service asks one of them to
// wait, all wait.
type Client struct {
	opts    Options
	http    *http.Client
	limiter *rate.Limiter
	permits *semaphore.Weighted // nil: any number may be under way
	buffers sync.Pool           // of *bytes.Buffer

	mu     sync.Mutex
	paused time.Time // the service asked not to be called before
}

// New makes a client.
func New(o Options) *Client {
	o.Version = cmp.Or(o.Version, "dev")
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.Transport == nil {
		o.Transport = network.Plain()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Penalized == nil {
		o.Penalized = func(time.Time) {}
	}
	c := &Client{opts: o, limiter: rate.NewLimiter(cmp.Or(o.Limit, rate.Inf), max(o.Burst, 1))}
	if o.Most > 0 {
		c.permits = semaphore.NewWeighted(int64(o.Most))
	}
	if latest := o.Now().Add(maxPause); o.Paused.After(latest) {
		o.Paused = latest
	}
	c.paused = o.Paused
	c.http = &http.Client{
		Transport:     identified{next: o.Transport, agent: "Drawbridge/" + o.Version},
		CheckRedirect: checkRedirect,
		Timeout:       o.Timeout,
	}
	return c
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// identified says who is asking.
type identified struct {
	next  http.RoundTripper
	agent string
}

// RoundTrip sends a copy of the request that carries the User-Agent.
func (t identified) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", t.agent)
	return t.next.RoundTrip(r) //nolint:wrapcheck // a round tripper hands errors on as they are
}

// CloseIdleConnections lets http.Client reach the transport's.
func (t identified) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// errRedirect is what a refused redirect ends with. It never names the target:
// that is foreign text.
var errRedirect = errors.New("the service redirected to another place, which is not followed")

// checkRedirect follows a read to the same origin only: elsewhere the
// credentials would go along.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	same := next.URL.Scheme == first.URL.Scheme && next.URL.Host == first.URL.Host
	if !same || first.Method != http.MethodGet || len(via) > maxRedirects {
		return errRedirect
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // classified by the caller
	}
}

// maxKept is the largest buffer that is kept for the next answer.
const maxKept = 4 << 20

func (c *Client) takeBuffer() *bytes.Buffer {
	if buffer, ok := c.buffers.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

func (c *Client) giveBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		c.buffers.Put(b)
	}
}
