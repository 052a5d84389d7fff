package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxBody = 1 << 20

// ErrNotLoopback is returned by Start for an address that others could reach.
var ErrNotLoopback = errors.New("the simulated tenant listens on a loopback address only")

// Server is a tenant that listens.
type Server struct {
	URL    string // "http://127.0.0.1:port": base_url of the Users API and of the Events API
	tenant *Tenant
	http   *http.Server
	served chan error
	stop   func() bool
}

// Start makes the tenant listen on the address ("" and ":0" find a free port)
// until ctx ends or Close is called.
func (t *Tenant) Start(ctx context.Context, addr string) (*Server, error) {
	addr, err := loopback(addr)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the simulated tenant: %w", err)
	}
	s := &Server{
		URL:    "http://" + listener.Addr().String(),
		tenant: t,
		served: make(chan error, 1),
		http: &http.Server{
			Handler: t, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	go func() { s.served <- s.http.Serve(listener) }()
	s.stop = context.AfterFunc(ctx, func() { _ = s.http.Close() })
	return s, nil
}

func loopback(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if addr == "" {
		return "127.0.0.1:0", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the address %q: %w", addr, err)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("%w, not on %q", ErrNotLoopback, addr)
	}
	return net.JoinHostPort(host, port), nil
}

// SCIMURL is the base of the SCIM service.
func (s *Server) SCIMURL() string { return s.URL + scimBase }

// SlackURL is the Slack-like incoming webhook.
func (s *Server) SlackURL() string { return s.URL + s.tenant.credentials.SlackPath }

// WebhookURL is the generic webhook.
func (s *Server) WebhookURL() string { return s.URL + s.tenant.credentials.WebhookPath }

// TeamsURL is the Teams-like workflow.
func (s *Server) TeamsURL() string { return s.URL + s.tenant.credentials.TeamsPath }

// Close cuts all connections and stops listening.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	s.served <- http.ErrServerClosed // a second Close finds it closed
	if err != nil {
		return fmt.Errorf("closing the simulated tenant: %w", err)
	}
	return nil
}

// call is one request on its way through the tenant.
type call struct {
	op    Operation
	r     *http.Request
	path  []string // the segments of the path
	body  []byte
	fault Fault
}

// lost reports whether the caller will not be told what became of the call.
func (c call) lost() bool { return c.fault.Kind == FaultLostReply || c.fault.Kind == FaultCutBody }

// reply is what the tenant answers.
type reply struct {
	status int
	kind   string // content type
	header map[string]string
	links  []string // each a Link header of its own
	body   []byte
}

// ServeHTTP answers a request, or does to it what a fault wants.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/_sim/"); ok {
		t.control(w, r, rest)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		send(w, plain(http.StatusRequestEntityTooLarge, "too large"))
		return
	}
	c := call{r: r, body: body, path: segments(r)}
	op, perform := t.route(c)
	c.op, c.fault = op, t.strike(op, r.URL.RawQuery)
	answer, silent := t.withhold(r.Context(), c)
	if answer.status == 0 && !silent {
		answer = perform(c)
	}
	t.note(c, answer.status)
	if silent || c.lost() || c.fault.Kind == FaultHalfJSON || c.fault.Kind == FaultNotJSON {
		spoil(w, c, answer)
		return
	}
	send(w, answer)
}

// segments splits the path as it was sent: a percent-encoded colon or slash
// is not one.
func segments(r *http.Request) []string {
	return strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
}

func (t *Tenant) note(c call, status int) {
	path := c.r.URL.Path
	if slices.Contains([]Operation{OpSlack, OpWebhook, OpTeams, ""}, c.op) {
		path = ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.request(Request{
		At: t.opts.Clock(), Operation: c.op, Method: c.r.Method, Path: path,
		Status: status, Fault: c.fault.Kind, UserAgent: c.r.UserAgent(),
	})
}

// withhold carries out the faults that keep an operation from being performed:
// it answers instead, or says that there will be no answer.
func (t *Tenant) withhold(ctx context.Context, c call) (answer reply, silent bool) {
	switch c.fault.Kind {
	case FaultRateLimited:
		answer = t.refusal(c.op, http.StatusTooManyRequests, "rate limit exceeded")
	case FaultUnavailable:
		answer = t.refusal(c.op, http.StatusServiceUnavailable, "unavailable")
	case FaultServerError:
		answer = t.refusal(c.op, http.StatusInternalServerError, "internal error")
	case FaultGateway:
		answer = reply{status: http.StatusBadGateway, kind: "text/html", body: []byte("<html><h1>Bad gateway</h1></html>")}
	case FaultExpireToken:
		t.expire(c.r)
	case FaultSlow:
		_ = t.opts.Sleep(ctx, c.fault.Delay) // nobody is there to hear of it
	case FaultNoReply:
		t.keepWaiting(ctx)
		return reply{}, true
	default: // performed, whatever comes of it
	}
	if c.fault.RetryAfter != "" && isOkta(c.op) {
		answer.header = t.oktaAsksToWait(c.fault.RetryAfter)
	} else if c.fault.RetryAfter != "" {
		answer.header = map[string]string{"Retry-After": c.fault.RetryAfter}
	}
	return answer, false
}

// keepWaiting returns when the sender has given up.
func (t *Tenant) keepWaiting(ctx context.Context) {
	for ctx.Err() == nil {
		if err := t.opts.Sleep(ctx, silence); err == nil && t.opts.simulated {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // nobody asks why
	}
}

func (t *Tenant) expire(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tokens, bearer(r))
}

func send(w http.ResponseWriter, a reply) {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Type", a.kind)
		for _, link := range a.links {
			w.Header().Add("Link", link)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// spoil answers with less than was meant, or cuts the connection.
func spoil(w http.ResponseWriter, c call, a reply) {
	switch c.fault.Kind {
	case FaultHalfJSON:
		a.body = a.body[:len(a.body)/2]
		send(w, a)
		return
	case FaultNotJSON:
		send(w, reply{status: http.StatusOK, kind: "text/html", body: []byte("<html>Please sign in to the proxy</html>")})
		return
	default: // the connection is cut
	}
	if near, ok := w.(*wire); ok {
		near.spoil(c.fault.Kind, a)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if c.fault.Kind == FaultCutBody {
		_, _ = fmt.Fprintf(buffered, "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", a.status, a.kind, len(a.body))
		_, _ = buffered.Write(a.body[:len(a.body)/2])
		_ = buffered.Flush()
	}
}

// jsonReply answers with what can always be encoded: strings, numbers, times
// and maps and lists of them.
func jsonReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	return reply{status: status, kind: "application/json", body: body}
}

func plain(status int, text string) reply {
	return reply{status: status, kind: "text/plain; charset=utf-8", body: []byte(text)}
}
