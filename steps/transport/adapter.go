package transport

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// HTTP is the client for libraries that want an *http.Client, such as oauth2:
// every request goes through Do, with Route, Effect, MaxBody, Decode and
// Explain of the template. It answers successes only; everything else is an
// error that wraps an *engine.Failure (inside a *url.Error, whose own text
// holds the URL: take the failure out).
func (c *Client) HTTP(template Request) *http.Client {
	return &http.Client{Transport: adapter{client: c, template: template}}
}

type adapter struct {
	client   *Client
	template Request
}

// RoundTrip sends the request through Do.
func (a adapter) RoundTrip(r *http.Request) (*http.Response, error) {
	req := a.template
	req.Method, req.URL, req.Header = r.Method, r.URL.String(), r.Header
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, engine.Fail(engine.ClassInvalid, "body", "%s: the request's body could not be read", a.template.Route)
		}
		req.Body = body
	}
	var body []byte
	req.Decode = func(res Response) error {
		body = bytes.Clone(res.Body)
		if a.template.Decode == nil {
			return nil
		}
		return a.template.Decode(res)
	}
	res, err := a.client.Do(r.Context(), req)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(res.Status), StatusCode: res.Status, Header: res.Header, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// BaseURL checks the address of a service: https, or http where it is this
// machine, without credentials, query or fragment. It comes back without a
// slash at its end. Errors do not repeat it, since it may hold a credential.
func BaseURL(raw string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "", engine.Fail(engine.ClassInvalid, "base_url", "the address must be a URL such as https://api.example.com")
	case u.User != nil:
		return "", engine.Fail(engine.ClassInvalid, "base_url", "the address must not contain a user name or a password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", engine.Fail(engine.ClassInvalid, "base_url", "the address must not contain a query or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return "", engine.Fail(engine.ClassInvalid, "base_url", "the address must begin with https://, because credentials are sent to it")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
