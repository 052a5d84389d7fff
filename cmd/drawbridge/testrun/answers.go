package testrun

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

// answers carries requests in place of the network: to the tenant, and to web
// services that answer as the test says.
type answers struct {
	tenant http.RoundTripper

	mu   sync.Mutex
	list []playbooktest.Reply
}

func newAnswers(tenant http.RoundTripper, list []playbooktest.Reply) *answers {
	return &answers{tenant: tenant, list: append([]playbooktest.Reply{}, list...)}
}

// errCut is what becomes of a request whose answer is lost.
var errCut = errors.New("the connection was cut")

// RoundTrip answers with the first that fits and is not used up.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(address, r.URL.Host) {
		return a.tenant.RoundTrip(r) //nolint:wrapcheck // a round tripper hands errors on as they are
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	found, there := a.take(r)
	switch {
	case !there:
		return nil, engine.Fail(engine.ClassInvalid, "no_answer",
			"the test has no answer for %s %s: add one under `http`", r.Method, r.URL.RequestURI())
	case found.Lost:
		return nil, lost(r)
	}
	header := http.Header{}
	for name, text := range found.Headers {
		header.Set(name, text)
	}
	return &http.Response{
		StatusCode: found.Status, Status: http.StatusText(found.Status), Header: header, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(found.Body)), ContentLength: int64(len(found.Body)),
	}, nil
}

func (a *answers) take(r *http.Request) (playbooktest.Reply, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.list {
		one := &a.list[i]
		if one.Times == 0 || one.Method != r.Method || !fits(one.Address, r.URL) {
			continue
		}
		if one.Times > 0 {
			one.Times--
		}
		return *one, true
	}
	return playbooktest.Reply{}, false
}

// fits reports whether an address is the one that is answered.
func fits(answered, asked *url.URL) bool {
	if answered == nil || answered.Host != "" && (answered.Scheme != asked.Scheme || !strings.EqualFold(answered.Host, asked.Host)) {
		return false
	}
	sameQuery := answered.RawQuery == "" || answered.Query().Encode() == asked.Query().Encode()
	return answered.EscapedPath() == asked.EscapedPath() && sameQuery
}

// lost tells whoever traces the request that it was sent, and is the error of
// the answer that does not come.
func lost(r *http.Request) error {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	return errCut
}

// Guarded is the same: nothing here leads anywhere.
func (a *answers) Guarded(*network.Guard) http.RoundTripper { return a }
