package hook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// vault resolves every reference to the same secret.
type vault string

func (v vault) Resolve(context.Context, secret.Reference) (secret.Value, error) {
	if v == "" {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, "secret", "it is not set")
	}
	return secret.New(string(v)), nil
}

func newHook(t *testing.T, stored vault) *hook.Hook {
	t.Helper()
	h, err := hook.New(engine.Opening{Secrets: stored, Now: time.Now}, "the test", hook.Address{Secret: "env://HOOK"}, transport.Options{
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestASecretAddressIsLookedAtLate(t *testing.T) {
	tests := map[vault]string{
		"":                                "secret",
		"not an address":                  "address",
		"http://chat.example.com/xyzzy":   "address",
		"ftp://127.0.0.1/xyzzy":           "address",
		"https://chat.example.com/%zzxyz": "address",
	}
	for stored, code := range tests {
		h := newHook(t, stored)
		if _, err := h.Host(t.Context()); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: code}) || strings.Contains(err.Error(), "xyz") {
			t.Errorf("%s: got %v", stored, err)
		}
		if err := h.Send(t.Context(), hook.Post{}); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: code}) {
			t.Errorf("%s: got %v", stored, err)
		}
	}
	host, err := newHook(t, "https://user:xyzzy@chat.example.com/xyzzy?k=xyzzy").Host(t.Context())
	if err != nil || host != "chat.example.com" {
		t.Errorf("got %q, %v", host, err)
	}
}

func TestFingerprints(t *testing.T) {
	one, two := hook.Address{Secret: "env://ONE"}.Fingerprint(), hook.Address{Secret: "env://TWO"}.Fingerprint()
	if one == two || strings.Contains(one, "ONE") {
		t.Errorf("got %q and %q", one, two)
	}
	if got := (hook.Address{Plain: "https://siem.example.com"}).Fingerprint(); got != "https://siem.example.com" {
		t.Errorf("got %q", got)
	}
}

func TestAcceptJudgesTheAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no") }))
	defer server.Close()
	refused := engine.Fail(engine.ClassPermanent, "no", "no")
	err := newHook(t, vault(server.URL)).Send(t.Context(), hook.Post{Accept: func(r transport.Response) error {
		if string(r.Body) == "no" {
			return refused
		}
		return nil
	}})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestAPayloadThatIsNoValue(t *testing.T) {
	err := newHook(t, "http://127.0.0.1:1/").Send(t.Context(), hook.Post{Payload: map[string]any{"c": make(chan int)}})
	if !errors.Is(err, engine.ErrValue) {
		t.Errorf("got %v", err)
	}
}

// forgetful is a vault that notes what it is to read anew.
type forgetful struct {
	vault

	forgotten []secret.Reference
}

func (f *forgetful) Forget(ref secret.Reference) { f.forgotten = append(f.forgotten, ref) }

func TestWhatWasRefusedIsReadAnewForTheNextMessage(t *testing.T) {
	for status, want := range map[int]int{http.StatusOK: 0, http.StatusForbidden: 2, http.StatusNotFound: 2, http.StatusServiceUnavailable: 0} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		stored := &forgetful{vault: vault(server.URL)}
		h, err := hook.New(engine.Opening{Secrets: stored, Now: time.Now}, "the test", hook.Address{Secret: "op://v/hook/url"}, transport.Options{
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		})
		if err != nil {
			t.Fatal(err)
		}
		err = h.Send(t.Context(), hook.Post{Payload: map[string]any{}, Secrets: []secret.Reference{"op://v/hook/token", ""}})
		server.Close()
		if len(stored.forgotten) != want {
			t.Errorf("%d: %v is read anew after %v", status, stored.forgotten, err)
		}
	}
}
