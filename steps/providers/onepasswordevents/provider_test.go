package onepasswordevents_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepassword"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordevents"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vault is a resolver of one secret that can be changed.
type vault struct {
	mu    sync.Mutex
	plain string
	asked int
}

func (v *vault) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if ref != "env://TOKEN" {
		return secret.Value{}, fmt.Errorf("there is no %s", ref)
	}
	return secret.New(v.plain), nil
}

func (v *vault) set(plain string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.plain = plain
}

type house struct {
	tenant *sim.Tenant
	server *sim.Server
	vault  *vault
	conn   *engine.Connection
}

func build(t *testing.T, o sim.Options) house {
	t.Helper()
	h := house{tenant: sim.New(o)}
	server, err := h.tenant.Start(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	h.server, h.vault = server, &vault{plain: h.tenant.Credentials().EventsToken}
	h.conn = h.open(t, h.vault, "env://TOKEN")
	return h
}

func (h house) open(t *testing.T, v *vault, ref secret.Reference) *engine.Connection {
	t.Helper()
	conn, err := onepasswordevents.OpenHasty(engine.Opening{
		Name: "signins", Secrets: v, Version: "test", Now: h.tenant.Now,
		Settings: map[string]any{"base_url": h.server.URL, "token": ref},
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func (h house) breaks(op sim.Operation) func(identitytest.Fault) bool {
	return func(f identitytest.Fault) bool {
		h.tenant.Heal()
		switch f {
		case identitytest.PageFails:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultUnavailable, After: 1, Times: -1})
		case identitytest.PageRepeats:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultRepeatToken, After: 1, Times: -1})
		case identitytest.PageDuplicates:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultDuplicate, Times: -1})
		case identitytest.PageEndless:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultEndless, After: 1, Times: -1})
		case identitytest.PageDisorder:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultReversed, Times: -1})
		case identitytest.PageCut:
			h.tenant.Inject(sim.Fault{Operation: op, Kind: sim.FaultCutBody, After: 1})
		case identitytest.Refused:
			h.vault.set("rotated.away.token")
		default:
			return false
		}
		return true
	}
}

func TestSignInsConformance(t *testing.T) {
	identitytest.TestSignIns(t, func(t *testing.T) identitytest.SignInsWorld {
		h := build(t, sim.Options{Users: 400})
		to := h.tenant.Now().Add(-5 * time.Minute)
		from := to.Add(-7 * 24 * time.Hour)
		return identitytest.SignInsWorld{
			SignIns: h.conn.Offers[identity.CapabilitySignIns].(identity.SignIns), From: from, To: to,
			Count: h.tenant.SignIns(from, to), Break: h.breaks(sim.OpSignIns), Canaries: h.canaries(),
		}
	})
}

func TestEventsConformance(t *testing.T) {
	features := map[identity.EventKind]string{
		identity.EventSignIns: "signinattempts", identity.EventItemUsages: "itemusages", identity.EventAudit: "auditevents",
	}
	operations := map[identity.EventKind]sim.Operation{
		identity.EventSignIns: sim.OpSignIns, identity.EventItemUsages: sim.OpItemUsages, identity.EventAudit: sim.OpAudit,
	}
	for _, api := range []string{"v2", "v1"} {
		t.Run(api, func(t *testing.T) {
			identitytest.TestEvents(t, func(t *testing.T) identitytest.EventsWorld {
				h := build(t, sim.Options{Users: 400})
				h.conn = h.openAt(t, h.vault, api)
				to := h.tenant.Now().Add(-5 * time.Minute)
				from := to.Add(-10 * 24 * time.Hour)
				w := identitytest.EventsWorld{
					Events: events(h.conn), Unread: unread(h.conn), From: from, To: to, Canaries: h.canaries(),
					Count: map[identity.EventKind]int{
						identity.EventSignIns: h.tenant.SignIns(from, to), identity.EventItemUsages: h.tenant.ItemUsages(from, to),
						identity.EventAudit: h.tenant.AuditEvents(from, to),
					},
					Break:   func(kind identity.EventKind, f identitytest.Fault) bool { return h.breaks(operations[kind])(f) },
					Lacking: map[identity.EventKind]identitytest.Lacking{},
					Happen:  h.happens,
				}
				if api == "v1" { // which reads the others in the same way
					delete(w.Count, identity.EventSignIns)
					delete(w.Count, identity.EventItemUsages)
				}
				for kind, feature := range features {
					var others []string
					for _, other := range features {
						if other != feature {
							others = append(others, other)
						}
					}
					conn := h.openAt(t, &vault{plain: h.tenant.EventsToken(others...)}, api)
					w.Lacking[kind] = identitytest.Lacking{Events: events(conn), Unread: unread(conn), Feature: feature}
				}
				return w
			})
		})
	}
}

func events(conn *engine.Connection) identity.Events {
	return conn.Offers[identity.CapabilityEvents].(identity.Events)
}

func unread(conn *engine.Connection) identity.UnreadEvents {
	return conn.Offers[identity.CapabilityUnread].(identity.UnreadEvents)
}

// openAt opens a connection to a version of the API.
func (h house) openAt(t *testing.T, v *vault, api string) *engine.Connection {
	t.Helper()
	conn, err := onepasswordevents.OpenHasty(engine.Opening{
		Name: "events", Secrets: v, Version: "test", Now: h.tenant.Now,
		Settings: map[string]any{"base_url": h.server.URL, "token": secret.Reference("env://TOKEN"), "api": api},
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// happens suspends somebody through the Users API, which the audit log records.
func (h house) happens(kind identity.EventKind) bool {
	if kind != identity.EventAudit {
		return false
	}
	c := h.tenant.Credentials()
	conn, err := onepassword.Provider().Open(engine.Opening{
		Name: "users", Version: "test", Now: h.tenant.Now,
		Secrets: both{"env://ID": c.ClientID, "env://SECRET": c.ClientSecret},
		Settings: map[string]any{
			"account": c.Account, "base_url": h.server.URL,
			"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://SECRET"),
		},
	})
	if err != nil {
		return false
	}
	_, err = conn.Offers[identity.CapabilityDirectory].(identity.Directory).Suspend(context.Background(), h.tenant.Cast().Slow.ID)
	return err == nil
}

// both is a resolver of a few secrets.
type both map[secret.Reference]string

func (b both) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	return secret.New(b[ref]), nil
}

func (h house) canaries() []string {
	return []string{h.tenant.Credentials().EventsToken, "rotated.away.token"}
}

func (h house) count(t *testing.T) (n int, err error) {
	t.Helper()
	now := h.tenant.Now()
	for _, e := range h.conn.Offers[identity.CapabilitySignIns].(identity.SignIns).SignIns(t.Context(), now.Add(-time.Hour), now) {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

func TestRotatedTokenIsPickedUp(t *testing.T) {
	h := build(t, sim.Options{})
	good := h.tenant.Credentials().EventsToken
	h.vault.set("old.token.value")
	if _, err := h.count(t); !errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) {
		t.Errorf("with the old one: %v", err)
	}
	h.vault.set(good)
	if n, err := h.count(t); err != nil || n == 0 {
		t.Errorf("with the new one: %d, %v", n, err)
	}
	if asked := h.vault.asked; asked != 3 {
		t.Errorf("resolved %d times: at first use, after the refusal, after the next one", asked)
	}
}

func TestTheStoryComesThrough(t *testing.T) {
	h := build(t, sim.Options{})
	cast, now := h.tenant.Cast(), h.tenant.Now()
	results, unknown := map[identity.SignInResult]int{}, 0
	signIns := h.conn.Offers[identity.CapabilitySignIns].(identity.SignIns)
	for s, err := range signIns.SignIns(t.Context(), now.Add(-24*time.Hour), now) {
		if err != nil {
			t.Fatal(err)
		}
		results[s.Result]++
		if s.IP == "" || s.Country == "" || s.Latitude == nil || s.Longitude == nil || s.Reason == "" {
			t.Errorf("incomplete: %+v", s)
		}
		if s.UserID == "" && strings.EqualFold(s.Email, cast.Hijacked[2].Email) {
			unknown++
		}
	}
	if len(results) != 4 || unknown < 5 {
		t.Errorf("results %v; %d attempts known by e-mail only", results, unknown)
	}
}

func TestOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		settings map[string]any
		base     string // the end of the fingerprint; "" for an error
	}{
		"com":       {map[string]any{"region": "com"}, "https://events.1password.com"},
		"eu":        {map[string]any{"region": "eu"}, "https://events.1password.eu"},
		"ent":       {map[string]any{"region": "ent"}, "https://events.ent.1password.com"},
		"base_url":  {map[string]any{"base_url": "https://proxy.example/events/"}, "https://proxy.example/events"},
		"plain":     {map[string]any{"base_url": "http://events.example.com"}, ""},
		"with user": {map[string]any{"base_url": "https://a:hunter2@events.example.com"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := &vault{}
			tt.settings["token"] = secret.Reference("env://TOKEN")
			conn, err := onepasswordevents.Provider().Open(engine.Opening{Name: "x", Settings: tt.settings, Secrets: v})
			identitytest.NoLeakingError(t, err, "hunter2")
			if (err == nil) != (tt.base != "") || err == nil && !strings.HasSuffix(conn.Fingerprint, " "+tt.base) {
				t.Errorf("%+v, %v", conn, err)
			}
			if v.asked > 0 {
				t.Error("opening resolved the secret")
			}
		})
	}
}

func TestTester(t *testing.T) {
	for name, tt := range map[string]struct {
		token func(*sim.Tenant) string
		works []bool
	}{
		"all well":    {func(s *sim.Tenant) string { return s.Credentials().EventsToken }, []bool{true, true, true, true}},
		"one feature": {func(s *sim.Tenant) string { return s.EventsToken("itemusages") }, []bool{true, false, true, false}},
		"refused":     {func(*sim.Tenant) string { return "not.our.token" }, []bool{false}},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, sim.Options{})
			h.vault.set(tt.token(h.tenant))
			findings, err := h.conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			works := make([]bool, 0, len(findings))
			for _, f := range findings {
				works = append(works, f.Works)
			}
			if fmt.Sprint(works) != fmt.Sprint(tt.works) {
				t.Errorf("found %+v, want %v", findings, tt.works)
			}
			identitytest.NoLeak(t, fmt.Sprint(findings), tt.token(h.tenant))
		})
	}
}

func TestRateLimit(t *testing.T) {
	h := build(t, sim.Options{})
	h.tenant.Inject(sim.Fault{Operation: sim.OpSignIns, Kind: sim.FaultRateLimited, RetryAfter: "120", Times: -1})
	for range 2 {
		_, err := h.count(t)
		f := engine.AsFailure(err)
		if f == nil || f.Code != "rate_limited" || f.NotBefore.Before(h.tenant.Now().Add(time.Minute)) {
			t.Errorf("got %v, not before %v", err, f)
		}
	}
	if calls := h.tenant.Count(sim.OpSignIns); calls != 1 {
		t.Errorf("%d calls, though the service asked for two minutes of peace", calls)
	}
}

func TestDeclaration(t *testing.T) {
	p := onepasswordevents.Provider()
	for _, group := range p.ExactlyOne {
		for _, name := range group {
			if _, ok := engine.FieldNamed(p.Settings, name); !ok {
				t.Errorf("there is no setting %s", name)
			}
		}
	}
	for _, f := range p.Settings {
		if f.Doc == "" {
			t.Errorf("%s is not explained", f.Name)
		}
		if f.Default == nil {
			continue
		}
		if got, err := engine.Conform(f.Default, f.Type); err != nil || got != f.Default {
			t.Errorf("the default of %s does not have its type: %v", f.Name, err)
		}
	}
	h := build(t, sim.Options{})
	for _, c := range p.Capabilities {
		if h.conn.Offers[c] == nil {
			t.Errorf("%s is declared and not offered", c)
		}
	}
	if len(h.conn.Offers) != len(p.Capabilities) {
		t.Errorf("offers %v, declares %v", h.conn.Offers, p.Capabilities)
	}
}
