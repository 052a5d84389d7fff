package rest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Do carries one request out. Errors are failures of the transport's classes:
// one of class unsettled means that nobody knows whether it was carried out.
func (s *Service) Do(ctx context.Context, r Request) (Answer, error) {
	at, err := s.address(r)
	if err != nil {
		return Answer{}, err
	}
	return s.ask(ctx, r, at)
}

// Address is where a request would go, or why it cannot go there.
func (s *Service) Address(r Request) (*url.URL, error) { return s.address(r) }

func (s *Service) ask(ctx context.Context, r Request, at *url.URL) (Answer, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Route == "" {
		r.Route = r.Method + " " + at.EscapedPath()
	}
	header, err := s.header(r)
	if err != nil {
		return Answer{}, err
	}
	var body []byte
	if r.Body != nil {
		body = r.Body.Data
	}
	if s.auth.sign == nil {
		return s.exchange(ctx, r, at, header, body)
	}
	if _, err := s.auth.sign(ctx, header, signed{r.Method, at, body}); err != nil {
		return Answer{}, err
	}
	answer, err := s.exchange(ctx, r, at, header, body)
	if f := (*engine.Failure)(nil); !errors.As(err, &f) || f.Code != transport.CodeUnauthorized {
		return answer, err
	}
	if renewed, failed := s.auth.sign(ctx, header, signed{r.Method, at, body}); failed != nil || !renewed {
		return answer, err
	}
	return s.exchange(ctx, r, at, header, body) // nothing was done: it was refused
}

// exchange sends a request whose headers are complete, but for Authorization.
func (s *Service) exchange(ctx context.Context, r Request, at *url.URL, header http.Header, body []byte) (Answer, error) {
	x := exchange{service: s, request: r, header: header}
	_, err := s.config.Client.Do(ctx, transport.Request{
		Method: r.Method, URL: at.String(), Route: r.Route, Header: header, Body: body, Effect: r.Effect,
		MaxBody: r.MaxBody, Credential: s.auth.credential, Decode: x.decode, Explain: x.explain,
	})
	if err != nil && x.refused != nil {
		return *x.refused, nil
	}
	return x.answer, err //nolint:wrapcheck // names the route
}

// exchange is one request with what came back.
type exchange struct {
	service *Service
	request Request
	header  http.Header
	answer  Answer
	refused *Answer // of a status that is no success, and was expected
}

func (x *exchange) decode(res transport.Response) (err error) {
	x.service.slowDown(res)
	if expect := x.request.Expect; len(expect) > 0 && !slices.Contains(expect, res.Status) {
		return engine.Fail(engine.ClassPermanent, CodeStatus, "it was answered with %d, which was not expected", res.Status)
	}
	x.answer, err = read(x.request.Answer, res)
	return err
}

// explain reads a refusal: the answer, where its status was expected, and what
// the service says in its own words.
func (x *exchange) explain(res transport.Response) transport.Explanation {
	x.service.slowDown(res)
	x.refused = nil
	if slices.Contains(x.request.Expect, res.Status) && res.Status < http.StatusInternalServerError {
		res.Body = bytes.Clone(res.Body)
		if a, err := read(AnswerAny, res); err == nil {
			x.refused = &a
		}
		return transport.Explanation{Class: engine.ClassPermanent} // not to be asked again
	}
	if x.service.config.Explain != nil {
		return x.clean(x.service.config.Explain(res))
	}
	if x.service.config.Message == "" {
		return transport.Explanation{}
	}
	v, err := document(res)
	if err != nil {
		return transport.Explanation{}
	}
	words, _ := x.service.config.Message.Find(v)
	message, _ := words.(string)
	return x.clean(transport.Explanation{Message: message})
}

// clean drops words in which the service repeats what authorized the request.
// The transport removes an Authorization header itself.
func (x *exchange) clean(e transport.Explanation) transport.Explanation {
	if s := x.header.Get(x.service.auth.header); s != "" && x.service.auth.sign != nil {
		e.Message = hide(e.Message, s, x.service.config.Auth.Prefix)
	}
	return e
}

// slowDown lets everybody wait while the service says that no call is left.
func (s *Service) slowDown(res transport.Response) {
	if until := s.config.Rate.until(res.Header, s.config.Now()); !until.IsZero() {
		s.config.Client.Pause(until)
	}
}
