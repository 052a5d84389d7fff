package secret

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Redactor removes the secrets it has learned from text: as they are, in
// base64 (also within a longer text), URL-escaped and JSON-escaped. It costs
// next to nothing while it knows none. The zero Redactor is ready, a nil one
// knows nothing; it may be used by several goroutines.
type Redactor struct {
	mu      sync.Mutex
	known   map[string]bool
	forms   []string
	matcher atomic.Pointer[matcher]
}

// Learn makes the Redactor remove these values from now on. Values shorter
// than MinLength are ignored: what they would tear out of innocent text helps
// nobody. Surrounding white space is not part of what is looked for.
func (r *Redactor) Learn(values ...Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.known)
	for _, v := range values {
		r.learn(strings.TrimSpace(v.plain))
	}
	if len(r.known) != before {
		r.matcher.Store(newMatcher(r.forms))
	}
}

func (r *Redactor) learn(plain string) {
	if len(plain) < MinLength || r.known[plain] {
		return
	}
	if r.known == nil {
		r.known = make(map[string]bool)
	}
	r.known[plain] = true
	r.forms = append(r.forms, forms(plain)...)
}

func (r *Redactor) current() *matcher {
	if r == nil {
		return nil
	}
	return r.matcher.Load()
}

// String is s without secrets.
func (r *Redactor) String(s string) string {
	m := r.current()
	if m == nil {
		return s
	}
	start, end := find(m, s, 0)
	if start == len(s) {
		return s
	}
	return string(appendRedacted(nil, m, s, start, end))
}

// Bytes is b without secrets; b itself where there are none.
func (r *Redactor) Bytes(b []byte) []byte {
	m := r.current()
	if m == nil {
		return b
	}
	start, end := find(m, b, 0)
	if start == len(b) {
		return b
	}
	return appendRedacted(make([]byte, 0, len(b)), m, b, start, end)
}

// Contains reports whether a secret stands in b.
func (r *Redactor) Contains(b []byte) bool {
	m := r.current()
	if m == nil {
		return false
	}
	start, _ := find(m, b, 0)
	return start < len(b)
}

// appendRedacted copies s behind out, from the first match on.
func appendRedacted[T text](out []byte, m *matcher, s T, start, end int) []byte {
	from := 0
	for start < len(s) {
		out = append(out, s[from:start]...)
		out = append(out, Placeholder...)
		from = end
		start, end = find(m, s, from)
	}
	return append(out, s[from:]...)
}
