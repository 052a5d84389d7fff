package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// trip is one attempt at a request.
type trip struct {
	client     *Client
	request    Request
	credential string
	answer     Response
	sent       bool // the service may have seen the request
	refused    bool // the service answered, and the answer means that nothing was done
	accepted   bool // the service answered that all is well
}

// uncertain reports whether the failure leaves open what became of the request.
func (t *trip) uncertain(f *engine.Failure) bool {
	return t.accepted || !t.refused && (f.Retryable() || f.Class == engine.ClassCancelled)
}

func (t *trip) run(ctx context.Context) error {
	done, err := t.client.Turn(ctx)
	if err != nil {
		return t.failure(err)
	}
	defer done()
	var wrote atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := t.build(traced)
	if err != nil {
		return err
	}
	res, err := t.client.http.Do(req)
	t.sent = wrote.Load()
	if err != nil {
		return t.failure(err)
	}
	defer drain(res)
	return t.read(res)
}

func (t *trip) build(ctx context.Context) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if len(t.request.Body) > 0 {
		body = bytes.NewReader(t.request.Body)
	}
	req, err := http.NewRequestWithContext(ctx, t.request.Method, t.request.URL, body)
	if err != nil {
		return nil, engine.Fail(engine.ClassInvalid, "url", "%s: the address is not a URL", t.request.Route)
	}
	for name, values := range t.request.Header {
		req.Header[name] = values
	}
	if t.credential != "" {
		req.Header.Set("Authorization", t.credential)
	}
	return req, nil
}

// drain reads a little of what is left, so that the connection can be used again.
func drain(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}

func (t *trip) read(res *http.Response) error {
	t.accepted = res.StatusCode < http.StatusMultipleChoices
	buffer := t.client.takeBuffer()
	defer t.client.giveBuffer(buffer)
	limit := t.request.MaxBody
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	n, err := buffer.ReadFrom(io.LimitReader(res.Body, limit+1))
	answer := Response{Status: res.StatusCode, Header: res.Header, Body: buffer.Bytes()}
	switch {
	case !t.accepted:
		return t.refusal(answer) // with whatever could be read of its body
	case err != nil:
		return t.failure(err)
	case n > limit:
		return engine.Fail(engine.ClassPermanent, CodeTooLarge, "%s: the answer is larger than %d bytes", t.request.where(), limit)
	}
	return t.decode(answer)
}

func (t *trip) decode(answer Response) error {
	if t.request.Decode == nil {
		answer.Body = bytes.Clone(answer.Body)
		t.answer = answer
		return nil
	}
	if err := t.request.Decode(answer); err != nil {
		return t.undecodable(err)
	}
	answer.Body = nil
	t.answer = answer
	return nil
}

// undecodable classifies what Decode said: its own failures keep their class,
// anything else is a broken answer that may come whole the next time.
func (t *trip) undecodable(err error) error {
	if f := new(engine.Failure); errors.As(err, &f) {
		return fmt.Errorf("%s: %w", t.request.where(), err)
	}
	return engine.Fail(engine.ClassTransient, CodeBrokenAnswer, "%s: reading the answer: %s", t.request.where(), t.clean(err.Error()))
}
