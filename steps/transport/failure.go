package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

// Codes of the failures of this package, beside "http_<status>".
const (
	CodeRateLimited  = "rate_limited"  // 429, or a call not made because of an earlier one
	CodeUnreachable  = "unreachable"   // no connection, or it broke
	CodeRedirect     = "redirect"      // to another place; not followed
	CodeTooLarge     = "too_large"     // the answer is over its limit
	CodeBrokenAnswer = "broken_answer" // cut, or not what the content type says
	CodeNotJSON      = "not_json"      // a page where JSON was expected: a proxy, a portal
	CodeTimeout      = "timeout"
	CodeUnauthorized = "http_401" // the credential is not, or no longer, accepted
)

// maxPause bounds what a service can ask for.
const maxPause = time.Hour

// failure classifies an error of the connection. The error's own text may hold
// the URL, so only what is inside it is shown.
func (t *trip) failure(err error) error {
	if known := network.Explain(err, t.host()); known != nil {
		f := *known
		f.Message = t.request.where() + ": " + f.Message
		return &f
	}
	var f *engine.Failure
	var wrapped *url.Error
	inURL := errors.As(err, &wrapped)
	switch isOurs := errors.As(err, &f); {
	case isOurs && inURL: // what carries the request has said it
		own := *f
		own.Message = t.request.where() + ": " + t.clean(f.Message)
		return &own
	case isOurs:
		return err
	case inURL:
		err = wrapped.Err
	}
	class, code := engine.ClassTransient, CodeUnreachable
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		class, code = engine.ClassCancelled, "cancelled"
	case errors.Is(err, errRedirect):
		class, code = engine.ClassPermanent, CodeRedirect
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		class, code = engine.ClassTimeout, CodeTimeout
	case errors.Is(err, io.ErrUnexpectedEOF):
		code = CodeBrokenAnswer
	}
	return engine.Fail(class, code, "%s: %s", t.request.where(), t.clean(err.Error()))
}

// host is the host the request goes to, with its port where that is not the
// usual one.
func (t *trip) host() string {
	u, err := url.Parse(t.request.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// refusal is the failure of an answer that is not a success.
func (t *trip) refusal(answer Response) error {
	said := Explanation{}
	if t.request.Explain != nil {
		said = t.request.Explain(answer)
	}
	t.refused = !mayHaveDone(answer.Status)
	f := &engine.Failure{
		Class: cmp.Or(said.Class, classOf(answer.Status)),
		Code:  cmp.Or(said.Code, codeOf(answer.Status)),
	}
	f.Message = t.request.where() + ": " + strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status)
	if words := t.clean(said.Message); words != "" {
		f.Message += ": " + words
	}
	now := t.client.opts.Now()
	if wait, asked := retryAfter(answer.Header.Get("Retry-After"), now); asked && f.Retryable() {
		f.NotBefore = now.Add(wait)
		t.client.pause(f.NotBefore)
	}
	return f
}

// mayHaveDone reports whether a refusal leaves open what was done: an error in
// the middle of the work, or between us and the service.
func mayHaveDone(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented && status != http.StatusServiceUnavailable
}

func classOf(status int) engine.Class {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return engine.ClassAuth
	case status == http.StatusNotFound:
		return engine.ClassNotFound
	case status == http.StatusRequestTimeout:
		return engine.ClassTimeout
	case status == http.StatusTooManyRequests, status >= 500:
		return engine.ClassTransient
	default:
		return engine.ClassPermanent
	}
}

func codeOf(status int) string {
	if status == http.StatusTooManyRequests {
		return CodeRateLimited
	}
	return "http_" + strconv.Itoa(status)
}

// retryAfter reads the header in either of its forms.
func retryAfter(header string, now time.Time) (wait time.Duration, ok bool) {
	if header == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxPause/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxPause), true
}

// clean makes foreign text fit for a message and removes from it what the
// request was sent with, however it is encoded: its credential, and its URL,
// whose path may be one. That comes first: of a secret that was cut, the rest
// would not be found any more.
func (t *trip) clean(text string) string {
	hidden := []string{t.request.URL, t.credential}
	if u, err := url.Parse(t.request.URL); err == nil {
		hidden = append(hidden, u.RequestURI())
	}
	hidden = append(hidden, t.request.Header["Authorization"]...)
	var redactor secret.Redactor
	for _, s := range hidden {
		for _, part := range append(strings.Fields(s), s) {
			if len(part) > len("Bearer") {
				redactor.Learn(secret.New(part))
			}
		}
	}
	return clean(redactor.String(text))
}

const maxWords = 200

// clean makes foreign text fit for a message: one line, no control or format
// characters, not too long.
func clean(text string) string {
	var b strings.Builder
	runes := 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			continue
		}
		if runes++; runes > maxWords {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func hasCode(err error, code string) bool {
	var f *engine.Failure
	return errors.As(err, &f) && f.Code == code
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
