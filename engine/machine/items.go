package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// item is one element of a frozen list, as it stands there.
type item struct {
	key, label string
	raw        []byte // the element, encoded
	end        int    // offset of the next item
	value      any    // the element, once somebody has asked for it
	decoded    bool
}

// firstItem is the offset of the first item in a frozen list.
const firstItem = 1

// frozenItems writes a frozen list: a JSON array of [key, label, element]. Each
// is found by its offset and decoded without the others. A label that is the
// key stands as null.
type frozenItems struct {
	buf  []byte
	n    int
	seen map[string]struct{}
}

// errItem is wrapped by what is wrong with an item of a list.
var errItem = errors.New("the list cannot be looped over")

func (z *frozenItems) add(key, label string, raw []byte) error {
	if key == "" {
		return fmt.Errorf("%w: item %d has no key", errItem, z.n)
	}
	if _, twice := z.seen[key]; twice {
		return fmt.Errorf("%w: two of its items have the key %q", errItem, key)
	}
	z.seen[key] = struct{}{}
	if z.n > 0 {
		z.buf = append(z.buf, ',')
	}
	z.n++
	var shown any
	if label != key {
		shown = label
	}
	head, err := engine.EncodeJSON([]any{key, shown})
	if err != nil {
		return fmt.Errorf("%w: item %d: %w", errItem, z.n-1, err)
	}
	z.buf = append(z.buf, head[:len(head)-1]...)
	z.buf = append(z.buf, ',')
	z.buf = append(z.buf, raw...)
	z.buf = append(z.buf, ']')
	return nil
}

// at reads the item at an offset of the frozen list; false when none stands
// there, or there is no loop.
func (l *loop) at(offset int) (item, bool) {
	if l == nil {
		return item{}, false
	}
	data := l.items.data
	if offset < firstItem || offset >= len(data) {
		return item{}, false
	}
	end, ok := skipValue(data, offset)
	if !ok {
		return item{}, false
	}
	it := item{end: end + 1} // past the comma
	n := 0
	for raw := range elements(data[offset:end]) {
		switch n {
		case 0:
			it.key = unquote(raw)
		case 1:
			it.label = unquote(raw)
		case 2:
			it.raw = raw
		}
		n++
	}
	if it.label == "" {
		it.label = it.key
	}
	return it, n == 3 && it.key != ""
}

// freeze evaluates the list of a foreach with the key and label of each item.
func (m *Machine) freeze(f *frame) ([]byte, int, *engine.Failure) {
	fe := f.node.Foreach
	source, size, fail := m.source(f)
	if fail != nil {
		return nil, 0, fail
	}
	z := &frozenItems{buf: make([]byte, 0, size), seen: make(map[string]struct{})}
	z.buf = append(z.buf, '[')
	scope := &env{up: f.env, code: f.code, loop: fe, indexed: true}
	for it, err := range source {
		if err == nil {
			scope.item, scope.index = it, int64(z.n)
			err = m.freezeItem(f, scope, z)
		}
		if err != nil {
			return nil, 0, invalid(f.path, err)
		}
	}
	m.forget(f.env, f.code.readsOf(fe.List))
	return append(z.buf, ']'), z.n, nil
}

func (m *Machine) freezeItem(f *frame, scope *env, z *frozenItems) error {
	fe := f.node.Foreach
	key, err := m.keyOf(f, scope)
	if err != nil {
		return err
	}
	label := key
	if fe.Label != nil {
		v, fail := m.evaluate(scope, f.path, fe.Label)
		if fail != nil {
			return fmt.Errorf("the label of item %d: %w", scope.index, fail)
		}
		if s, ok := written(v); ok && s != "" {
			label = s
		}
	}
	return z.add(key, label, scope.item.raw)
}

// keyOf is the name of the item in scope.
func (m *Machine) keyOf(f *frame, scope *env) (string, error) {
	fe := f.node.Foreach
	var v any
	switch {
	case fe.Key != nil:
		var fail *engine.Failure
		if v, fail = m.evaluate(scope, f.path, fe.Key); fail != nil {
			return "", fmt.Errorf("the key of item %d: %w", scope.index, fail)
		}
	case fe.KeyField != "":
		raw := member(scope.item.raw, fe.KeyField)
		t := engine.TypeAny()
		if field, declared := fe.Elem.Field(fe.KeyField); declared {
			t = field.Type
		}
		var err error
		if v, err = decode(raw, t); err != nil {
			return "", fmt.Errorf("%w: %s of item %d: %w", errItem, fe.KeyField, scope.index, err)
		}
	default:
		return strconv.FormatInt(scope.index, 10), nil
	}
	key, ok := written(v)
	if !ok {
		return "", fmt.Errorf("%w: the key of item %d is no string or number", errItem, scope.index)
	}
	return key, nil
}

// written is a scalar as a key or label.
func written(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD"), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case engine.Text:
		return v.String(), true
	case bool, float64, time.Duration, time.Time:
		data, err := engine.EncodeJSON(v)
		return strings.Trim(string(data), `"`), err == nil
	}
	return "", false
}

// source yields the elements of the list, and about how many bytes they take
// frozen. A list that stands as such in a step's outputs or in the inputs is
// cut out of its encoding: decoding 100,000 elements at once to encode them
// again would cost many times their size.
func (m *Machine) source(f *frame) (iter.Seq2[*item, error], int, *engine.Failure) {
	if raw, ok := m.encodedList(f.env, f.node.Foreach.List); ok {
		return encodedItems(raw), 2 * len(raw), nil
	}
	v, fail := m.evaluate(f.env, f.path, f.node.Foreach.List)
	if fail != nil {
		return nil, 0, fail
	}
	list, ok := v.([]any)
	if !ok {
		return nil, 0, invalid(f.path, fmt.Errorf("%w: it is no list", errItem))
	}
	return valueItems(list, f.node.Foreach), 64 * len(list), nil
}

func encodedItems(list []byte) iter.Seq2[*item, error] {
	return func(yield func(*item, error) bool) {
		for raw := range elements(list) {
			if !yield(&item{raw: raw}, nil) {
				return
			}
		}
	}
}

func valueItems(list []any, fe *program.Foreach) iter.Seq2[*item, error] {
	return func(yield func(*item, error) bool) {
		for i, v := range list {
			v, err := engine.Conform(v, fe.Elem)
			var raw []byte
			if err == nil {
				raw, err = engine.EncodeJSON(v)
			}
			if err != nil {
				err = fmt.Errorf("%w: item %d: %w", errItem, i, err)
			}
			if !yield(&item{raw: raw, value: v, decoded: true}, err) {
				return
			}
		}
	}
}

// encodedList finds the encoding of a list that is named and not computed:
// `steps.<id>.<output>` or `inputs.<name>`.
func (m *Machine) encodedList(e *env, x *expression.Expression) ([]byte, bool) {
	reads := e.code.readsOf(x)
	if len(reads) != 1 || strings.TrimSpace(x.Source()) != strings.Join(reads[0], ".") {
		return nil, false
	}
	var raw []byte
	switch path := reads[0]; {
	case len(path) == 3 && path[0] == "steps":
		if o := e.find(path[1]); o != nil {
			raw = member(o.value.data, path[2])
		}
	case len(path) == 2 && path[0] == "inputs":
		raw = member(e.home().inputs.data, path[1])
	}
	return raw, len(raw) > 0 && raw[0] == '['
}

// unquote reads an encoded string; anything else is "".
func unquote(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return ""
	}
	return s
}
