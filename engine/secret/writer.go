package secret

import (
	"fmt"
	"io"
	"sync"
)

// Writer passes on what is written to it, without secrets, also where a secret
// is split over several writes: an end that may be the beginning of a secret
// is held back until it is known. Close, or Flush, passes on the rest.
type Writer struct {
	redactor *Redactor
	to       io.Writer
	mu       sync.Mutex
	held     []byte
}

// Writer makes a Writer in front of w. It may be used by several goroutines.
func (r *Redactor) Writer(w io.Writer) *Writer { return &Writer{redactor: r, to: w} }

// Write takes all of p, or fails as the writer behind it does.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.redactor.current()
	if m == nil && len(w.held) == 0 {
		return w.pass(p, len(p))
	}
	if m == nil {
		m = newMatcher(nil)
	}
	w.held = append(w.held, p...)
	out, rest := settle(m, w.held, m.unfinished(w.held))
	w.held = append(w.held[:0:0], rest...)
	return w.pass(out, len(p))
}

// Flush passes on what is held back, though a secret may have begun in it.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := w.pass(w.redactor.Bytes(held), len(held))
	return err
}

// Close is Flush; it does not close the writer behind it.
func (w *Writer) Close() error { return w.Flush() }

func (w *Writer) pass(p []byte, taken int) (int, error) {
	if len(p) == 0 {
		return taken, nil
	}
	if _, err := w.to.Write(p); err != nil {
		return 0, fmt.Errorf("writing without secrets: %w", err)
	}
	return taken, nil
}

// settle splits s into what can be passed on, without secrets, and the rest,
// which begins at until or behind the secret that reaches over it.
func settle(m *matcher, s []byte, until int) (out, rest []byte) {
	from := 0
	for {
		start, end := find(m, s, from)
		if start >= until {
			break
		}
		out = append(out, s[from:start]...)
		out = append(out, Placeholder...)
		from = end
	}
	if from < until {
		out = append(out, s[from:until]...)
		from = until
	}
	return out, s[from:]
}
