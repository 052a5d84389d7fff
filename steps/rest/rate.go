package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Rate names the headers in which a service says how many calls are left, and
// until when. While none is left nobody calls: every caller of the connection
// waits, at most an hour. 429 and Retry-After are honoured without it.
type Rate struct {
	Remaining string // "X-Rate-Limit-Remaining"; "" where the service has no such header
	// Reset is the header with the end: "X-Rate-Limit-Reset". A number up to a
	// billion is seconds from now, a larger one Unix seconds, one from a
	// trillion on Unix milliseconds.
	Reset string
}

// until is the time before which the service is not to be called; zero where it
// may be.
func (r Rate) until(header http.Header, now time.Time) time.Time {
	if r.Remaining == "" || r.Reset == "" {
		return time.Time{}
	}
	left, err := strconv.ParseInt(strings.TrimSpace(header.Get(r.Remaining)), 10, 64)
	if err != nil || left > 0 {
		return time.Time{}
	}
	at, err := strconv.ParseInt(strings.TrimSpace(header.Get(r.Reset)), 10, 64)
	switch {
	case err != nil || at <= 0:
		return time.Time{}
	case at >= 1e12:
		return time.UnixMilli(at)
	case at > 1e9:
		return time.Unix(at, 0)
	default:
		return now.Add(time.Duration(min(at, 3600)) * time.Second)
	}
}
