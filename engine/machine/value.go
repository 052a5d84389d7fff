package machine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// val is an encoded value of the state. A large one is stored outside, under
// its reference; its bytes stay in memory all the same.
type val struct {
	data []byte
	ref  engine.Reference // "" when the snapshot holds the value itself
}

// keep makes a value from outside part of the state.
func (m *Machine) keep(data []byte) val {
	if len(data) >= InlineLimit {
		return m.keepOwn(data)
	}
	var b bytes.Buffer
	b.Grow(len(data))
	if err := json.Compact(&b, data); err != nil {
		return val{} // not JSON: Apply has refused that before
	}
	return val{data: b.Bytes()}
}

// keepOwn is keep for a value that is encoded canonically.
func (m *Machine) keepOwn(data []byte) val {
	if len(data) < InlineLimit {
		return val{data: data}
	}
	ref := referenceOf(data)
	m.emit(PutValue{Value: engine.StoredValue{Ref: ref, Data: data}})
	return val{data: data, ref: ref}
}

// keepEvent is keep for an event's value, which the driver may have stored.
func (m *Machine) keepEvent(v Value) val {
	if v.Ref != "" && len(v.Inline) >= InlineLimit {
		return val{data: v.Inline, ref: v.Ref}
	}
	return m.keep(v.Inline)
}

func referenceOf(data []byte) engine.Reference {
	sum := sha256.Sum256(data)
	return engine.Reference(hex.EncodeToString(sum[:]))
}

// decode reads an encoded value by its type; a missing one is null.
func decode(raw []byte, t engine.Type) (any, error) {
	if raw == nil {
		return engine.Conform(nil, t)
	}
	return engine.DecodeJSON(raw, t)
}
