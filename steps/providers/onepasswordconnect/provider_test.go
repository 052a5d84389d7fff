package onepasswordconnect_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordconnect"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
	"github.com/drawbridge-soar/drawbridge/steps/vault/vaulttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a Connect server with a connection to it.
type house struct {
	sim  *sim.Connect
	env  map[string]string
	conn *engine.Connection
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{sim: sim.NewConnect("the-first-token", vaulttest.Content()), env: map[string]string{"TOKEN": "the-first-token"}}
	srv := httptest.NewServer(h.sim)
	t.Cleanup(srv.Close)
	keeper, err := secret.NewKeeper(secret.KeeperConfig{
		Redactor: &secret.Redactor{}, Lookup: func(name string) (string, bool) { v, ok := h.env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.conn, err = onepasswordconnect.OpenHasty(engine.Opening{
		Name: "connect", Secrets: keeper, Settings: map[string]any{"base_url": srv.URL + "/", "token": secret.Reference("env://TOKEN")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) fail(status int) {
	h.sim.Fail = func(*http.Request) int { return status }
}

func TestConformance(t *testing.T) {
	t.Parallel()
	vaulttest.TestVault(t, func(t *testing.T) vaulttest.World {
		t.Helper()
		h := newHouse(t)
		v, _ := h.conn.Offers[vault.CapabilityVault].(vault.Vault)
		return vaulttest.World{
			Vault: v, Canaries: []string{"the-first-token", "the-second-token"},
			Break: func(f vaulttest.Fault) {
				switch f {
				case vaulttest.TokenRotated:
					h.env["TOKEN"] = "the-second-token"
					h.sim.Rotate("the-second-token")
				case vaulttest.TokenRefused:
					h.sim.Rotate("another")
				case vaulttest.Forbidden:
					h.fail(http.StatusForbidden)
				case vaulttest.Unavailable:
					h.fail(http.StatusServiceUnavailable)
				case vaulttest.Limited:
					h.fail(http.StatusTooManyRequests)
				default:
					t.Fatalf("the fault %d cannot be made", f)
				}
			},
		}
	})
}

func TestItDoesNotShare(t *testing.T) {
	t.Parallel()
	if _, offered := newHouse(t).conn.Offers[vault.CapabilitySharing]; offered {
		t.Error("a Connect server cannot share")
	}
}

func TestRevealReadsByReference(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v, err := h.conn.Reveal(t.Context(), "op://Infra/db prod/password")
	if err != nil || v.Reveal() != "hunter2-of-the-database" {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
	if _, err := h.conn.Reveal(t.Context(), "op://Infra"); engine.AsFailure(err) == nil || engine.AsFailure(err).Class != engine.ClassInvalid {
		t.Errorf("got %v", err)
	}
	for _, asked := range h.sim.Asked() {
		if !strings.HasPrefix(asked, "GET /v1/vaults") {
			t.Errorf("it asked %s", asked)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{}`, `[{"name":"Infra"}]`, `[{"id":"../../x","name":"Infra"}]`, `<html>`, `[{"id":"`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(answer))
		}))
		keeper, err := secret.NewKeeper(secret.KeeperConfig{Redactor: &secret.Redactor{}, Lookup: func(string) (string, bool) { return "some-token", true }})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := onepasswordconnect.OpenHasty(engine.Opening{
			Name: "connect", Secrets: keeper, Settings: map[string]any{"base_url": srv.URL, "token": secret.Reference("env://TOKEN")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Reveal(t.Context(), "op://Infra/db/password"); err == nil {
			t.Errorf("%s was taken for an answer", answer)
		}
		srv.Close()
	}
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
		{"nothing to see", func(h *house) { h.sim.Stored = nil }, false, "*Read* on a vault"},
		{"another token", func(h *house) { h.sim.Rotate("another") }, false, "Make an access token on 1password.com"},
		{"another server", func(h *house) { h.fail(http.StatusNotFound) }, false, "without /v1?"},
	} {
		h := newHouse(t)
		tt.spoil(h)
		tester, _ := h.conn.Offers[engine.CapabilityTest].(engine.Tester)
		found, err := tester.Test(t.Context())
		if err != nil || len(found) != 1 || found[0].Works != tt.works || !strings.Contains(found[0].Detail, tt.says) {
			t.Errorf("%s: %+v, %v", tt.name, found, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://connect.example.com", "ftp://localhost", "https://me:pw@localhost", ""} {
		if _, err := onepasswordconnect.Provider().Open(engine.Opening{Name: "c", Settings: map[string]any{"base_url": address}}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
