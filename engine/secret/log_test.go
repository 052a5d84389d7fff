package secret_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

type credentials struct{ Password *string }

type lazy struct{ text string }

func (l lazy) LogValue() slog.Value { return slog.StringValue(l.text) }

func TestHandlerCleansEverything(t *testing.T) {
	const plain = "s3cret-token"
	var out bytes.Buffer
	password := plain
	log := slog.New(knowing(plain).Handler(slog.NewJSONHandler(&out, nil)))
	log = log.With("with", "a "+plain).WithGroup("group")
	log.Info("message "+plain,
		"string", plain, "error", errors.New("calling: "+plain), "bytes", []byte(plain), "lazy", lazy{plain},
		"pointer", credentials{&password}, "list", []string{plain}, slog.Group("inner", "deep", plain), "number", 5)
	if strings.Contains(out.String(), plain) {
		t.Errorf("the secret was logged: %s", out.String())
	}
	if got := strings.Count(out.String(), secret.Placeholder); got != 9 {
		t.Errorf("%d of 9 places are marked: %s", got, out.String())
	}
	if !strings.Contains(out.String(), `"number":5`) {
		t.Errorf("the number is gone: %s", out.String())
	}
}

func TestHandlerAsksTheNextForItsLevel(t *testing.T) {
	h := knowing("s3cret").Handler(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if h.Enabled(t.Context(), slog.LevelInfo) || !h.Enabled(t.Context(), slog.LevelError) {
		t.Error("the level of the next handler does not count")
	}
}
