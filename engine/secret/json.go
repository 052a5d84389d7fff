package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// keyLength is the length from which a secret is removed from the names of a
// JSON object too. A shorter one could be the name of a declared field, and
// the value would no longer have its type.
const keyLength = 12

// JSON is a JSON document without secrets. Only the contents of strings are
// changed, so that it stays well formed and keeps its shape; a document
// without secrets is returned as it is.
func (r *Redactor) JSON(doc json.RawMessage) (json.RawMessage, error) {
	m := r.current()
	if m == nil {
		return doc, nil
	}
	if start, _ := find(m, doc, 0); start == len(doc) && !bytes.Contains(doc, []byte(`\u`)) {
		return doc, nil // nothing is hidden behind escapes
	}
	w := rewriter{redactor: r, dec: json.NewDecoder(bytes.NewReader(doc))}
	w.dec.UseNumber()
	if err := w.all(); err != nil {
		return nil, fmt.Errorf("removing secrets from a JSON value: %w", err)
	}
	if !w.changed {
		return doc, nil
	}
	return w.out.Bytes(), nil
}

// rewriter copies a document token by token.
type rewriter struct {
	redactor *Redactor
	dec      *json.Decoder
	out      bytes.Buffer
	open     []container
	changed  bool
}

// container is an object or list being copied.
type container struct {
	object bool
	tokens int // so far, names and values alike
}

func (w *rewriter) all() error {
	for {
		tok, err := w.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if err := w.token(tok); err != nil {
			return err
		}
	}
}

func (w *rewriter) token(tok json.Token) error {
	if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
		w.open = w.open[:len(w.open)-1]
		w.out.WriteByte(byte(d))
		return nil
	}
	isName := w.separate()
	switch t := tok.(type) {
	case json.Delim:
		w.open = append(w.open, container{object: t == '{'})
		w.out.WriteByte(byte(t))
		return nil
	case string:
		return w.text(t, isName)
	default:
		return w.encode(t)
	}
}

// separate writes the comma or colon before the next token and reports whether
// that token is a name.
func (w *rewriter) separate() bool {
	if len(w.open) == 0 {
		return false
	}
	c := &w.open[len(w.open)-1]
	isName := c.object && c.tokens%2 == 0
	switch {
	case c.object && !isName:
		w.out.WriteByte(':')
	case c.tokens > 0:
		w.out.WriteByte(',')
	}
	c.tokens++
	return isName
}

func (w *rewriter) text(s string, isName bool) error {
	if !isName || len(s) >= keyLength {
		clean := w.redactor.String(s)
		w.changed = w.changed || clean != s
		s = clean
	}
	return w.encode(s)
}

func (w *rewriter) encode(v any) error {
	enc := json.NewEncoder(&w.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	w.out.Truncate(w.out.Len() - 1) // the encoder's newline
	return nil
}
