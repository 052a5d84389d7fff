package transport

import (
	"context"
	"net/http"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Effect is what a request does to the service, by its meaning and not by its
// method: it decides what may be repeated, and what is known after a lost reply.
type Effect int

// The effects of requests.
const (
	// Once does something every time: it is repeated only where it surely was
	// not performed.
	Once Effect = iota
	// Repeatable does something, but twice is as good as once.
	Repeatable
	// Read does nothing.
	Read
)

// Request is one call of a service.
type Request struct {
	Method string
	URL    string // whole; never shown
	Route  string // what errors show instead: "GET /v1/accounts/{account}/users"
	Header http.Header
	Body   []byte
	Effect Effect

	// Credential gives the value of the Authorization header, just before it
	// is sent. After a 401 it is asked once more, with the value that was
	// refused; where it has another the request is sent again.
	Credential func(ctx context.Context, refused string) (string, error)
	// MaxBody is how many bytes the answer may have; DefaultMaxBody for 0. A
	// longer one is an error, never a cut answer.
	MaxBody int64
	// Decode reads a successful answer within the attempt, so that a broken
	// one can be asked for again. The response's Body is valid only until it
	// returns. Errors that are not failures count as a broken answer.
	Decode func(Response) error
	// Explain reads the service's own words in a refusal.
	Explain func(Response) Explanation
}

// where names the request for people: route and host, nothing that is secret.
func (r Request) where() string {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return r.Route
	}
	return r.Route + " at " + u.Host
}

// Response is a service's answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // empty when the request had a Decode
}

// Explanation is what a refusal's body says. Empty members leave what the
// status says.
type Explanation struct {
	Class   engine.Class
	Code    string
	Message string // foreign text; it is cleaned and shortened here
}

// Do sends the request, again where that is allowed and may help. Every error
// is an *engine.Failure or wraps one. A change of which nobody knows whether
// it was carried out fails as engine.ClassUnsettled.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	d := &delivery{client: c, request: r}
	err := c.Retry(ctx, d.attempt)
	return d.answer, err
}

// delivery is one request over all its attempts.
type delivery struct {
	client     *Client
	request    Request
	credential string // as it was last sent
	renewed    bool
	unknown    bool // an attempt may have been performed
	answer     Response
}

func (d *delivery) attempt(ctx context.Context) error {
	if err := d.authorize(ctx, ""); err != nil {
		return verdict{error: err} // its own attempts are over
	}
	open, err := d.try(ctx)
	refused := d.credential
	if d.request.Credential != nil && !d.renewed && hasCode(err, CodeUnauthorized) {
		d.renewed = true
		if err := d.authorize(ctx, refused); err != nil {
			return verdict{error: err}
		}
		if d.credential != refused {
			open, err = d.try(ctx)
		}
	}
	return d.judge(err, open)
}

func (d *delivery) authorize(ctx context.Context, refused string) (err error) {
	if d.request.Credential == nil {
		return nil
	}
	if refused == "" && d.renewed {
		return nil // the renewed one is in hand
	}
	d.credential, err = d.request.Credential(ctx, refused)
	return err
}

// try sends the request once; open means that it may have been performed
// although it failed.
func (d *delivery) try(ctx context.Context) (open bool, err error) {
	t := &trip{client: d.client, request: d.request, credential: d.credential}
	err = t.run(ctx)
	d.answer = t.answer
	return err != nil && t.sent && t.uncertain(engine.AsFailure(err)), err
}

// judge says what a failed attempt means for a request that changes something.
func (d *delivery) judge(err error, open bool) error {
	if err == nil || d.request.Effect == Read {
		return err
	}
	f := engine.AsFailure(err)
	d.unknown = d.unknown || open
	undecided := f.Retryable() || f.Class == engine.ClassCancelled || f.Code == CodeUnauthorized
	switch {
	case d.unknown && d.request.Effect == Repeatable && f.Retryable():
		return verdict{error: unsettled(f), again: true}
	case open, d.unknown && undecided:
		return unsettled(f)
	default: // nothing was done, or the service has now said so
		return err
	}
}

// unsettled is the failure of a change of which nobody knows whether it happened.
func unsettled(f *engine.Failure) *engine.Failure {
	u := *f
	if u.Class != engine.ClassUnsettled {
		u.Class = engine.ClassUnsettled
		u.Message = f.Message + "; it may have been carried out"
	}
	return &u
}
