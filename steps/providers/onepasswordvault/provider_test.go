package onepasswordvault_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordvault"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
	"github.com/drawbridge-soar/drawbridge/steps/vault/vaulttest"
)

// house is a simulated account with a connection to it.
type house struct {
	*sim.Safe

	env     map[string]string
	started atomic.Int32
	valid   string
	conn    *engine.Connection
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Safe: sim.NewSafe(nil), env: map[string]string{"TOKEN": "ops_first-token"}, valid: "ops_first-token"}
	h.Everything, h.Stored = false, vaulttest.Content()
	keeper, err := secret.NewKeeper(secret.KeeperConfig{
		Redactor: &secret.Redactor{}, Lookup: func(name string) (string, bool) { v, ok := h.env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.conn, err = onepasswordvault.Over(h.start).Open(engine.Opening{
		Name: "vault", Secrets: keeper, Version: "1.2.3", Settings: map[string]any{"token": secret.Reference("env://TOKEN")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// signedIn is a core that knows with which token it has signed in.
type signedIn struct {
	*sim.Safe

	house *house
	token string
}

func (h *house) start(_ context.Context, token secret.Value, version string) (onepasswordvault.Core, error) {
	h.started.Add(1)
	if version != "1.2.3" {
		return nil, errors.New("another version is said")
	}
	return signedIn{h.Safe, h, token.Reveal()}, nil
}

// Resolve refuses who has signed in with another token.
func (s signedIn) Resolve(ctx context.Context, reference string) (string, error) {
	if s.token != s.house.valid {
		return "", engine.Fail(engine.ClassAuth, transport.CodeUnauthorized, "the token is not accepted")
	}
	return s.Safe.Resolve(ctx, reference)
}

// Share refuses who has signed in with another token.
func (s signedIn) Share(ctx context.Context, vaultID, itemID string, share vault.Share) (string, error) {
	if s.token != s.house.valid {
		return "", engine.Fail(engine.ClassAuth, transport.CodeUnauthorized, "the token is not accepted")
	}
	return s.Safe.Share(ctx, vaultID, itemID, share)
}

func (h *house) world(t *testing.T) vaulttest.World {
	t.Helper()
	fail := func(f *engine.Failure) { h.Fail = func(string) error { return f } }
	v, _ := h.conn.Offers[vault.CapabilityVault].(vault.Vault)
	s, _ := h.conn.Offers[vault.CapabilitySharing].(vault.Sharer)
	return vaulttest.World{
		Vault: v, Sharer: s, Shared: h.Shared, Policy: func(p vault.Policy) { h.Policies = p },
		Canaries: []string{"ops_first-token", "ops_second-token"},
		Break: func(f vaulttest.Fault) {
			switch f {
			case vaulttest.TokenRotated:
				h.env["TOKEN"], h.valid = "ops_second-token", "ops_second-token"
			case vaulttest.TokenRefused:
				h.valid = "ops_another"
			case vaulttest.Forbidden:
				fail(engine.Fail(engine.ClassAuth, onepasswordvault.CodeForbidden, "no"))
			case vaulttest.Unavailable:
				fail(engine.Fail(engine.ClassTransient, "http_500", "no"))
			case vaulttest.Limited:
				fail(engine.Fail(engine.ClassTransient, transport.CodeRateLimited, "no"))
			case vaulttest.ReplyLost:
				fail(engine.Fail(engine.ClassUnsettled, "lost", "nobody knows"))
			}
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) vaulttest.World { t.Helper(); return newHouse(t).world(t) }
	vaulttest.TestVault(t, open)
	vaulttest.TestSharing(t, open)
}

func TestItStartsWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if h.started.Load() != 0 {
		t.Fatal("opening the connection started it")
	}
	for range 3 {
		if _, err := h.conn.Reveal(t.Context(), "op://Infra/db prod/password"); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.started.Load(); n != 1 {
		t.Errorf("it was started %d times", n)
	}
}

// TestATokenThatStaysRefusedIsNotTriedOverAndOver counts the sign-ins: one for
// each call, not two.
func TestATokenThatStaysRefusedIsNotTriedOverAndOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.valid = "ops_another"
	for range 2 {
		if _, err := h.conn.Reveal(t.Context(), "op://Infra/db prod/password"); engine.AsFailure(err) == nil || engine.AsFailure(err).Class != engine.ClassAuth {
			t.Errorf("got %v", err)
		}
	}
	if n := h.started.Load(); n != 2 {
		t.Errorf("it signed in %d times", n)
	}
}

// TestOneCallAtATime lets callers come at once, and one give up.
func TestOneCallAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		gate, inside, most := make(chan struct{}), atomic.Int32{}, atomic.Int32{}
		h.Fail = func(string) error {
			most.Store(max(most.Load(), inside.Add(1)))
			<-gate
			inside.Add(-1)
			return nil
		}
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if _, err := h.conn.Reveal(t.Context(), "op://Infra/db prod/password"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.conn.Reveal(impatient, "op://Infra/db prod/password"); engine.AsFailure(err).Class != engine.ClassTimeout {
			t.Errorf("who gave up got %v", err)
		}
		close(gate)
		group.Wait()
		if most.Load() != 1 {
			t.Errorf("%d calls were under way at once", most.Load())
		}
	})
}

// TestAShareThatNobodyWaitedFor ends unsettled: the SDK goes on with it.
func TestAShareThatNobodyWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		w := h.world(t)
		item, err := w.Sharer.Find(t.Context(), "Infra", "db prod")
		if err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		h.Fail = func(string) error { <-gate; return nil }
		share := vault.Share{Recipients: []string{"sam@example.com"}, Expires: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = w.Sharer.Share(ctx, item, share)
		if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassUnsettled {
			t.Errorf("got %v", err)
		}
		waiting, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = w.Sharer.Share(waiting, item, share) // it was not its turn yet
		if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassTimeout {
			t.Errorf("got %v", err)
		}
		close(gate)
		synctest.Wait()
	})
}

func TestConnectionsTest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*house)
		works bool
		says  string
	}{
		{"fine", func(*house) {}, true, "it sees 3"},
		{"nothing to see", func(h *house) { h.Stored = nil }, false, "give the service account a vault"},
		{"no token", func(h *house) { h.env = nil }, false, "resolving token"},
		{"refused", func(h *house) {
			h.Fail = func(string) error {
				return engine.Fail(engine.ClassAuth, transport.CodeUnauthorized, "not accepted")
			}
		}, false, "Developer → Directory → Service Account"},
	} {
		h := newHouse(t)
		tt.spoil(h)
		tester, _ := h.conn.Offers[engine.CapabilityTest].(engine.Tester)
		found, err := tester.Test(t.Context())
		if err != nil || len(found) == 0 || found[len(found)-1].Works != tt.works || !strings.Contains(found[len(found)-1].Detail, tt.says) {
			t.Errorf("%s: %+v, %v", tt.name, found, err)
		}
	}
}

// TestTheRealSDKRefuses starts the real core, which takes seconds and needs no
// network, with tokens that are none.
func TestTheRealSDKRefuses(t *testing.T) {
	if os.Getenv("ONEPASSWORD_SDK") != "real" {
		t.Skip("it takes seconds and 130 MiB: set ONEPASSWORD_SDK=real")
	}
	for _, token := range []string{"bogus-token", "ops_bogus-token", "ops_e30"} {
		_, err := onepasswordvault.StartSDK(t.Context(), secret.New(token), "1.2.3")
		f := engine.AsFailure(err)
		if f == nil || f.Class != engine.ClassAuth || f.Code != onepasswordvault.CodeToken || strings.Contains(f.Message, token) {
			t.Errorf("%s: got %v", token, err)
		}
	}
}
