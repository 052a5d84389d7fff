package connector_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/connector"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestMain(m *testing.M) {
	// idle connections of clients that are gone are closed by the server's end
	goleak.VerifyTestMain(m)
}

// vault is a resolver whose secrets can be changed.
type vault struct {
	mu     sync.Mutex
	values map[secret.Reference]string
}

func (v *vault) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	plain, ok := v.values[ref]
	if !ok {
		return secret.Value{}, fmt.Errorf("there is no %s", ref)
	}
	return secret.New(plain), nil
}

func (v *vault) set(ref secret.Reference, plain string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values[ref] = plain
}

func load(t testing.TB, path string) *definition.Definition {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	def, problems := definition.Parse(path, data)
	if def == nil {
		t.Fatal(yamldoc.Render(problems))
	}
	return def
}

// house is a tenant with a connection to its Okta organisation.
type house struct {
	tenant *sim.Tenant
	vault  *vault
	conn   *engine.Connection
}

const stale = "rotated-away+&/ssws"

func build(t testing.TB, o sim.Options) house {
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
	h.vault = &vault{values: map[secret.Reference]string{"env://TOKEN": h.tenant.Credentials().OktaToken}}
	def := load(t, "../../examples/connectors/okta.yaml")
	h.conn, err = connector.OpenHasty(def, engine.Opening{
		Name: "okta", Secrets: h.vault, Version: "test", Now: time.Now,
		Settings: map[string]any{"base_url": server.URL, "page_size": int64(10), "token": secret.Reference("env://TOKEN")},
		Pace:     engine.Pace{PerSecond: 100_000, Burst: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h house) directory() identity.Directory {
	return h.conn.Offers[identity.CapabilityDirectory].(identity.Directory)
}

// breaks makes a service fail at a listing and at some changes.
func (h house) breaks(listing sim.Operation, changes ...sim.Operation) func(identitytest.Fault) bool {
	each := func(f sim.Fault) bool {
		for _, op := range changes {
			f.Operation = op
			h.tenant.Inject(f)
		}
		return len(changes) > 0
	}
	return func(f identitytest.Fault) bool {
		h.tenant.Heal()
		switch f {
		case identitytest.PageFails:
			h.tenant.Inject(sim.Fault{Operation: listing, Kind: sim.FaultUnavailable, After: 1, Times: -1})
		case identitytest.PageRepeats:
			h.tenant.Inject(sim.Fault{Operation: listing, Kind: sim.FaultRepeatToken, After: 1})
		case identitytest.PageDuplicates:
			h.tenant.Inject(sim.Fault{Operation: listing, Kind: sim.FaultDuplicate, After: 1})
		case identitytest.PageCut:
			h.tenant.Inject(sim.Fault{Operation: listing, Kind: sim.FaultCutBody, After: 1})
		case identitytest.ReplyLost:
			return each(sim.Fault{Kind: sim.FaultLostReply})
		case identitytest.RepliesLost:
			return each(sim.Fault{Kind: sim.FaultLostReply, Times: -1})
		case identitytest.TokenExpires:
			h.vault.set("env://TOKEN", h.tenant.RotateOktaToken())
		case identitytest.Refused:
			h.vault.set("env://TOKEN", stale)
		case identitytest.MembersRepeated:
			h.tenant.Inject(sim.Fault{Operation: sim.OpOktaMembers, Kind: sim.FaultDuplicate, Times: -1}, sim.Fault{Operation: sim.OpOktaGroupsOf, Kind: sim.FaultDuplicate, Times: -1})
		default:
			return false
		}
		return true
	}
}

func (h house) canaries() []string { return []string{h.tenant.Credentials().OktaToken, stale} }

func (h house) users() []identity.User {
	var out []identity.User
	for a := range h.tenant.Accounts() {
		u := identity.User{ID: a.ID, Email: a.Email, Name: a.Name, State: identity.Active, CreatedAt: a.Created}
		if a.Suspended {
			u.State = identity.Suspended
		}
		out = append(out, u)
	}
	return out
}

func TestOktaConforms(t *testing.T) {
	t.Run("directory", func(t *testing.T) {
		identitytest.TestDirectory(t, func(t *testing.T) identitytest.DirectoryWorld {
			h := build(t, sim.Options{Users: 105})
			return identitytest.DirectoryWorld{
				Directory: h.directory(), Users: h.users(), Target: h.tenant.Cast().Hijacked[0].ID, Canaries: h.canaries(),
				Break: h.breaks(sim.OpOktaListUsers, sim.OpOktaSuspend),
			}
		})
	})
	t.Run("groups", func(t *testing.T) {
		identitytest.TestGroups(t, func(t *testing.T) identitytest.GroupsWorld {
			h := build(t, sim.Options{Users: 105})
			w := identitytest.GroupsWorld{
				Groups: h.conn.Offers[identity.CapabilityGroups].(identity.Groups), Members: map[string][]string{}, Canaries: h.canaries(),
				Break: h.breaks(sim.OpOktaListGroups, sim.OpOktaAdd, sim.OpOktaRemove),
			}
			for _, g := range h.tenant.Groups() {
				w.All = append(w.All, identity.Group{ID: g.ID, Name: g.Name})
				for _, m := range g.Members {
					w.Members[g.ID] = append(w.Members[g.ID], m.ID)
				}
				if g.Name == "Production access" {
					w.Group, w.Member = g.ID, g.Members[0].ID
				}
			}
			w.Other = h.tenant.Cast().Hijacked[0].ID
			return w
		})
	})
	t.Run("sessions", func(t *testing.T) {
		identitytest.TestSessions(t, func(t *testing.T) identitytest.SessionsWorld {
			h := build(t, sim.Options{Users: 105})
			return identitytest.SessionsWorld{
				Sessions: h.conn.Offers[identity.CapabilitySessions].(identity.Sessions), User: h.tenant.Cast().Hijacked[0].ID,
				Canaries: h.canaries(), Break: h.breaks(sim.OpOktaListUsers, sim.OpOktaRevoke),
				Revoked: func(id string) int {
					n := 0
					for _, c := range h.tenant.Changes() {
						if c.Operation == sim.OpOktaRevoke && c.User == id {
							n++
						}
					}
					return n
				},
			}
		})
	})
}

func TestOktaFindsByAddress(t *testing.T) {
	h := build(t, sim.Options{Users: 105})
	finder, ok := h.directory().(identity.EmailFinder)
	if !ok {
		t.Fatal("it cannot be asked for an address")
	}
	cast := h.tenant.Cast()
	want := cast.Hijacked[0]
	got, err := finder.UserByEmail(t.Context(), strings.ToUpper(want.Email))
	if err != nil || got.ID != want.ID {
		t.Errorf("found %+v, %v", got, err)
	}
	if n := h.tenant.Count(sim.OpOktaListUsers); n != 1 {
		t.Errorf("it took %d requests", n)
	}
	for email, class := range map[string]engine.Class{
		"nobody@example.com":          engine.ClassNotFound,
		`x" or status eq "ACTIVE`:     engine.ClassNotFound,
		"sam.taylor@example.com":      engine.ClassInvalid, // two have it
		"\u212aim.nobody@example.com": engine.ClassNotFound,
	} {
		_, err := finder.UserByEmail(t.Context(), email)
		if !errors.Is(err, &engine.Failure{Class: class}) {
			t.Errorf("%q: %v, want %s", email, err, class)
		}
	}
}

// TestOktaStatuses are those that are neither active nor suspended.
func TestOktaStatuses(t *testing.T) {
	h := build(t, sim.Options{Users: 105})
	id := h.tenant.Cast().Hijacked[0].ID
	for _, tt := range []struct {
		status    string
		state     identity.State
		suspended bool // that it can be, or is
	}{
		{"STAGED", identity.Active, false}, {"PROVISIONED", identity.Active, false}, {"LOCKED_OUT", identity.Active, false},
		{"RECOVERY", identity.Active, false}, {"PASSWORD_EXPIRED", identity.Active, false}, {"DEPROVISIONED", identity.Suspended, true},
	} {
		h.tenant.SetOktaStatus(id, tt.status)
		user, err := h.directory().User(t.Context(), id)
		if err != nil || user.State != tt.state {
			t.Errorf("%s is %q, %v; want %s", tt.status, user.State, err, tt.state)
		}
		_, err = h.directory().Suspend(t.Context(), id)
		switch {
		case tt.suspended && err != nil:
			t.Errorf("%s: %v", tt.status, err)
		case !tt.suspended && !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: "E0000001"}):
			t.Errorf("%s: %v, want Okta's refusal", tt.status, err)
		}
	}
	h.tenant.SetOktaStatus(id, "LOST")
	if _, err := h.directory().User(t.Context(), id); !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: connector.CodeAnswer}) {
		t.Errorf("a status nobody knows: %v", err)
	}
}

func TestOktaSaysWhatItRefuses(t *testing.T) {
	h := build(t, sim.Options{Users: 105})
	_, err := h.directory().Suspend(t.Context(), h.tenant.Cast().LastOwner.ID)
	f := engine.AsFailure(err)
	if f == nil || f.Class != engine.ClassAuth || f.Code != "E0000006" || !strings.Contains(f.Message, "permission") {
		t.Errorf("the failure is %+v", f)
	}
}
