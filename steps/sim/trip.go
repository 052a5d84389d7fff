package sim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"time"
)

// silence is how long a request that is never answered keeps its sender
// waiting: as long as clients wait.
const silence = 30 * time.Second

// ErrCut is what the sender of a request sees whose connection is cut.
var ErrCut = errors.New("connection reset by peer")

// Network carries requests to the tenant without a socket, whatever host they
// are for. What goes over it is the same as over loopback HTTP, faults included.
func (t *Tenant) Network() http.RoundTripper { return network{tenant: t} }

type network struct{ tenant *Tenant }

// RoundTrip hands the request to the tenant.
func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err //nolint:wrapcheck // a round tripper hands errors on as they are
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	asked := r.Clone(r.Context())
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	a := &wire{header: http.Header{}}
	n.tenant.ServeHTTP(a, asked)
	if err := r.Context().Err(); err != nil {
		return nil, err //nolint:wrapcheck // the same
	}
	return a.response(r)
}

// wire is what comes back over a network without sockets.
type wire struct {
	header http.Header
	status int
	body   bytes.Buffer
	length int // of the whole body
	cut    bool
	silent bool
}

// Header is the answer's header.
func (w *wire) Header() http.Header { return w.header }

// WriteHeader begins the answer.
func (w *wire) WriteHeader(status int) { w.status = status }

// Write adds to the answer's body.
func (w *wire) Write(p []byte) (int, error) { return w.body.Write(p) }

// spoil ends the answer the way a fault wants.
func (w *wire) spoil(kind FaultKind, a reply) {
	switch kind {
	case FaultNoReply:
		w.silent = true
	case FaultCutBody:
		w.status, w.length, w.cut = a.status, len(a.body), true
		w.header.Set("Content-Type", a.kind)
		w.body.Write(a.body[:len(a.body)/2])
	default:
		w.cut = true
	}
}

func (w *wire) response(r *http.Request) (*http.Response, error) {
	switch {
	case w.silent:
		return nil, os.ErrDeadlineExceeded
	case w.status == 0:
		return nil, ErrCut
	}
	body, length := io.Reader(&w.body), w.body.Len()
	if w.cut {
		body, length = io.MultiReader(&w.body, broken{}), w.length
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Header: w.header, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(body), ContentLength: int64(length),
	}, nil
}

// broken is a body that ends too early.
type broken struct{}

// Read fails as a connection does that was cut.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
