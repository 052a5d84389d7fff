package secret

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Handler is an slog.Handler in front of another that removes secrets from
// messages and attributes.
type Handler struct {
	redactor *Redactor
	next     slog.Handler
}

// Handler makes a Handler in front of next.
func (r *Redactor) Handler(next slog.Handler) *Handler { return &Handler{redactor: r, next: next} }

// Enabled asks the handler behind it.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle passes the record on without secrets.
func (h *Handler) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.redactor.String(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	if err := h.next.Handle(ctx, clean); err != nil {
		return fmt.Errorf("logging: %w", err)
	}
	return nil
}

// WithAttrs is the handler with attributes, cleaned of the secrets known now.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{redactor: h.redactor, next: h.next.WithAttrs(h.attrs(attrs))}
}

// WithGroup is the handler with a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{redactor: h.redactor, next: h.next.WithGroup(name)}
}

func (h *Handler) attrs(list []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(list))
	for i, a := range list {
		out[i] = h.attr(a)
	}
	return out
}

func (h *Handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.redactor.String(v.String()))
	case slog.KindGroup:
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(h.attrs(v.Group())...)}
	case slog.KindAny:
		return slog.Attr{Key: a.Key, Value: h.anything(v)}
	default:
		return slog.Attr{Key: a.Key, Value: v}
	}
}

// anything keeps a value as it is unless a secret shows in its text or in its
// JSON form, which follows pointers.
func (h *Handler) anything(v slog.Value) slog.Value {
	if h.redactor.current() == nil {
		return v
	}
	if b, ok := v.Any().([]byte); ok {
		return slog.StringValue(string(h.redactor.Bytes(b)))
	}
	shown := fmt.Sprintf("%+v", v.Any())
	if clean := h.redactor.String(shown); clean != shown {
		return slog.StringValue(clean)
	}
	if data, err := json.Marshal(v.Any()); err == nil && h.redactor.Contains(data) {
		return slog.StringValue(string(h.redactor.Bytes(data)))
	}
	return v
}
