package identity_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepassword"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordevents"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// plain resolves a reference to what stands behind its scheme.
type plain map[secret.Reference]string

func (p plain) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	return secret.New(p[ref]), nil
}

// service is a simulated tenant with both its connections, through the wire.
type service struct {
	tenant      *sim.Tenant
	connections map[engine.Capability]*engine.Connection
}

func startService(t *testing.T, features ...string) service {
	t.Helper()
	tenant := sim.New(sim.Options{Users: 200, Features: features}) // few, so that their history is short
	server, err := tenant.Start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	known := tenant.Credentials()
	opening := func(settings map[string]any) engine.Opening {
		return engine.Opening{
			Name: "sim", Settings: settings, Now: tenant.Now,
			Secrets: plain{"env://ID": known.ClientID, "env://SECRET": known.ClientSecret, "env://TOKEN": known.EventsToken},
		}
	}
	directory := connect(t, onepassword.Provider(), opening(map[string]any{
		"account": known.Account, "base_url": server.URL,
		"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://SECRET"),
	}))
	events := connect(t, onepasswordevents.Provider(), opening(map[string]any{
		"base_url": server.URL, "token": secret.Reference("env://TOKEN"),
	}))
	return service{tenant, map[engine.Capability]*engine.Connection{
		identity.CapabilityDirectory: directory, identity.CapabilitySignIns: events, identity.CapabilityEvents: events,
	}}
}

func connect(t *testing.T, provider engine.Provider, o engine.Opening) *engine.Connection {
	t.Helper()
	conn, err := provider.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// call is a call of an action through the wire.
func (s service) call(action engine.Action, inputs map[string]any) engine.Call {
	call := callOf(action, nil, nil, inputs)
	call.Connections, call.Now = s.connections, s.tenant.Now()
	return call
}

func idsOf(people ...sim.Person) []string {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	slices.Sort(ids)
	return ids
}

func idsIn(list any) []string {
	ids := []string{}
	for _, id := range pick(list, "id") {
		ids = append(ids, id.(string))
	}
	slices.Sort(ids)
	return ids
}

func TestServiceUserList(t *testing.T) {
	s := startService(t)
	seen := observe(t, identity.UserList{}, s.call(identity.UserList{}, map[string]any{"where": where(`email startsWith "breakglass-"`)}))
	if diff := cmp.Diff(idsOf(s.tenant.Cast().BreakGlass), idsIn(seen.Outputs["users"])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&engine.Population{Connection: "sim", Count: int64(s.tenant.Users())}, seen.Population); diff != "" {
		t.Error(diff)
	}
}

func TestServiceUserGet(t *testing.T) {
	s := startService(t)
	hostile := s.tenant.Cast().Hostile
	seen := observe(t, identity.UserGet{}, s.call(identity.UserGet{}, map[string]any{"email": hostile.Email}))
	user := seen.Outputs["user"].(map[string]any)
	if user["id"] != hostile.ID || user["name"] != sim.HostileName {
		t.Errorf("got %v", user)
	}
	twin := s.tenant.Cast().Ambiguous[0]
	fails(t, identity.UserGet{}, s.call(identity.UserGet{}, map[string]any{"email": twin.Email}), engine.ClassInvalid, "ambiguous")
}

func TestServiceSuspendAndReactivate(t *testing.T) {
	s := startService(t)
	id := s.tenant.Cast().Hijacked[0].ID
	steps := []struct {
		action    engine.Changer
		suspended bool
	}{{identity.UserSuspend{}, true}, {identity.UserReactivate{}, false}}
	for _, step := range steps {
		call := s.call(step.action, map[string]any{"id": id})
		before, err := step.action.Read(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		outputs, err := step.action.Perform(t.Context(), call, before)
		if err != nil {
			t.Fatal(err)
		}
		checkOutputs(t, step.action, outputs)
		if got, err := s.tenant.Suspended(id); err != nil || got != step.suspended {
			t.Errorf("after %s the account is suspended: %v, %v", call.Action, got, err)
		}
	}
	if n := len(s.tenant.Changes()); n != 2 {
		t.Errorf("%d changes were made", n)
	}
}

func TestServiceSuspendIsRefused(t *testing.T) {
	s := startService(t)
	refused := map[string]sim.Person{"last_owner": s.tenant.Cast().LastOwner, "externally_managed": s.tenant.Cast().External[0]}
	for code, person := range refused {
		call := s.call(identity.UserSuspend{}, map[string]any{"id": person.ID})
		before, err := identity.UserSuspend{}.Read(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		_, err = identity.UserSuspend{}.Perform(t.Context(), call, before)
		if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassPermanent || f.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

func TestServiceSignInList(t *testing.T) {
	s := startService(t)
	victim := s.tenant.Cast().Hijacked[0]
	seen := observe(t, identity.SignInList{}, s.call(identity.SignInList{}, map[string]any{
		"window": day, "where": where(`(user_id ?? "") == "` + victim.ID + `" and result == "failed"`),
	}))
	if n := len(seen.Outputs["signins"].([]any)); n < 5 {
		t.Errorf("%d failures of %s", n, victim.Email)
	}
}

func TestServiceFindSuspicious(t *testing.T) {
	s := startService(t)
	cast := s.tenant.Cast()
	seen := observe(t, identity.UserFindSuspicious{}, s.call(identity.UserFindSuspicious{}, map[string]any{
		"rules": rules("guessed-then-in", "success_after_failures >= 5"),
	}))
	if diff := cmp.Diff(idsOf(cast.Hijacked...), idsIn(seen.Outputs["users"])); diff != "" {
		t.Error(diff)
	}
	var shared []string
	for _, row := range seen.Outputs["ambiguous"].([]any) {
		for _, id := range row.(map[string]any)["users"].([]any) {
			shared = append(shared, id.(string))
		}
	}
	slices.Sort(shared)
	if diff := cmp.Diff(idsOf(cast.Ambiguous...), shared); diff != "" {
		t.Error(diff)
	}
}

// TestServiceDangerousRules keeps the documentation honest: these rules really
// select people who did nothing but be guessed at.
func TestServiceDangerousRules(t *testing.T) {
	s := startService(t)
	seen := observe(t, identity.UserFindSuspicious{}, s.call(identity.UserFindSuspicious{}, map[string]any{
		"rules": rules("guessed-at", "failed >= 9"),
	}))
	ids := idsIn(seen.Outputs["users"])
	for _, innocent := range []sim.Person{s.tenant.Cast().Guessed, s.tenant.Cast().Framed} {
		if !slices.Contains(ids, innocent.ID) {
			t.Errorf("%s is not selected", innocent.Email)
		}
	}
}

func TestServiceFindDormant(t *testing.T) {
	s := startService(t)
	cast := s.tenant.Cast()
	seen := observe(t, identity.UserFindDormant{}, s.call(identity.UserFindDormant{}, map[string]any{"for": 90 * day}))
	if diff := cmp.Diff(idsOf(append(cast.Dormant, cast.BreakGlass)...), idsIn(seen.Outputs["users"])); diff != "" {
		t.Error(diff)
	}
	remembered := 0
	for _, at := range pick(seen.Outputs["users"], "last_seen") {
		if last, ok := at.(time.Time); ok && last.Before(s.tenant.Now().Add(-90*day)) {
			remembered++
		}
	}
	if remembered == 0 {
		t.Error("nobody's last use before the period is remembered")
	}
}

func TestServiceFindDormantAsFarAsItRemembers(t *testing.T) {
	s := startService(t)
	seen := observe(t, identity.UserFindDormant{}, s.call(identity.UserFindDormant{}, map[string]any{"for": 120 * day}))
	for _, last := range pick(seen.Outputs["users"], "last_seen") {
		if last != nil {
			t.Errorf("somebody who was seen at %v is dormant", last)
		}
	}
}

func TestServiceFindDormantNeedsBothFeatures(t *testing.T) {
	for _, feature := range []string{"signinattempts", "itemusages"} {
		s := startService(t, feature)
		_, err := identity.UserFindDormant{}.Observe(t.Context(), s.call(identity.UserFindDormant{}, nil))
		if f := engine.AsFailure(err); f == nil || f.Class != engine.ClassAuth {
			t.Errorf("with %s alone: %v", feature, err)
		}
	}
}
