package scim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/providers/scim"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestMain(m *testing.M) {
	// idle connections of clients that are gone are closed by the server's end
	goleak.VerifyTestMain(m)
}

// vault is a resolver whose secret can be changed.
type vault struct {
	mu    sync.Mutex
	token string
	asked int
}

func (v *vault) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if ref != "env://TOKEN" {
		return secret.Value{}, fmt.Errorf("there is no %s", ref)
	}
	return secret.New(v.token), nil
}

func (v *vault) set(token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token = token
}

// house is a tenant with a connection to its SCIM service.
type house struct {
	tenant *sim.Tenant
	server *sim.Server
	vault  *vault
	conn   *engine.Connection
	cursor bool
}

const pageSize = 100

func build(t testing.TB, o sim.Options, settings map[string]any) house {
	t.Helper()
	h := house{tenant: sim.New(o), cursor: o.SCIM.Cursor}
	server, err := h.tenant.Start(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	h.server, h.vault = server, &vault{token: h.tenant.Credentials().SCIMToken}
	h.conn, err = scim.OpenHasty(h.opening(settings))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h house) opening(more map[string]any) engine.Opening {
	settings := map[string]any{"base_url": h.server.SCIMURL(), "page_size": int64(pageSize), "token": secret.Reference("env://TOKEN")}
	maps.Copy(settings, more)
	return engine.Opening{Name: "people", Settings: settings, Secrets: h.vault, Version: "test", Now: h.tenant.Now}
}

func (h house) directory() identity.Directory {
	return h.conn.Offers[identity.CapabilityDirectory].(identity.Directory)
}

func (h house) groups() identity.Groups {
	return h.conn.Offers[identity.CapabilityGroups].(identity.Groups)
}

// breaker breaks one collection: what is listed, what is read and what is
// changed. Which page it is shows in the request, never in how many there were,
// because the next page is fetched while the consumer works on this one.
func (h house) breaker(list, get, change sim.Operation, size int) func(identitytest.Fault) bool {
	second := sim.Fault{Operation: list, Match: fmt.Sprintf("startIndex=%d", size+1)}
	if h.cursor {
		second = sim.Fault{Operation: list, After: 1} // a cursor is not known before; nothing else lists here
	}
	arm := func(f sim.Fault, kind sim.FaultKind, times int) {
		f.Kind, f.Times = kind, times
		h.tenant.Inject(f)
	}
	return func(f identitytest.Fault) bool {
		h.tenant.Heal()
		switch f {
		case identitytest.PageFails:
			arm(second, sim.FaultUnavailable, -1)
		case identitytest.PageRepeats:
			arm(second, sim.FaultRepeatToken, -1)
		case identitytest.PageDuplicates:
			arm(second, sim.FaultDuplicate, -1)
		case identitytest.PageMiscounts:
			arm(second, sim.FaultMiscount, -1)
		case identitytest.PageCut:
			arm(second, sim.FaultCutBody, 1)
		case identitytest.MembersRepeated:
			arm(sim.Fault{Operation: get}, sim.FaultDuplicate, -1)
		case identitytest.ReplyLost:
			arm(sim.Fault{Operation: change}, sim.FaultLostReply, 1)
		case identitytest.RepliesLost:
			arm(sim.Fault{Operation: change}, sim.FaultLostReply, -1)
		case identitytest.TokenExpires:
			h.tenant.SetSCIMToken("renewed")
			h.vault.set("renewed")
		case identitytest.Refused:
			h.vault.set("rotated/away+&")
			h.tenant.SetSCIMToken("renewed")
		default:
			return false
		}
		return true
	}
}

func (h house) canaries() []string {
	return []string{h.tenant.Credentials().SCIMToken, "rotated/away+&"}
}

func (h house) directoryWorld(size int) identitytest.DirectoryWorld {
	cast := h.tenant.Cast()
	w := identitytest.DirectoryWorld{
		Directory: h.directory(), Target: cast.Hijacked[0].ID, LastOwner: cast.LastOwner.ID, External: cast.External[0].ID,
		Canaries: h.canaries(), Break: h.breaker(sim.OpSCIMListUsers, sim.OpSCIMGetUser, sim.OpSCIMPatchUser, size),
	}
	for a := range h.tenant.Accounts() {
		u := identity.User{ID: a.ID, Email: a.Email, Name: a.Name, State: identity.Active, CreatedAt: a.Created}
		if a.Suspended {
			u.State = identity.Suspended
		}
		w.Users = append(w.Users, u)
	}
	return w
}

func (h house) groupsWorld(size int, noMembers bool) identitytest.GroupsWorld {
	cast := h.tenant.Cast()
	breaks := h.breaker(sim.OpSCIMListGroups, sim.OpSCIMGetGroup, sim.OpSCIMPatchGroup, size)
	w := identitytest.GroupsWorld{
		Groups: h.groups(), Members: map[string][]string{}, Member: cast.Framed.ID, Other: cast.NewHire.ID, Canaries: h.canaries(),
		Break: func(f identitytest.Fault) bool { return (f != identitytest.MembersRepeated || !noMembers) && breaks(f) },
	}
	for _, g := range h.tenant.Groups() {
		w.All = append(w.All, identity.Group{ID: g.ID, Name: g.Name})
		for _, p := range g.Members {
			w.Members[g.ID] = append(w.Members[g.ID], p.ID)
		}
		if g.Name == "Production access" {
			w.Group = g.ID
		}
	}
	return w
}

// variants are the kinds of services there are.
func variants() map[string]sim.SCIM {
	return map[string]sim.SCIM{
		"one that can do everything":   {},
		"1Password's bridge":           {NoFilter: true, NoBody: true, NoVersions: true},
		"versions and no bodies":       {NoBody: true},
		"pages by cursor":              {Cursor: true, NoVersions: true},
		"smaller pages than asked for": {PageLimit: 40},
		"no description of itself":     {NoConfig: true, PlainJSON: true},
		"groups without members":       {NoMembers: true, NoVersions: true},
	}
}

// sizeOf is how many records a page of a variant has.
func sizeOf(v sim.SCIM, asked int) int {
	if v.PageLimit > 0 {
		return min(v.PageLimit, asked)
	}
	return asked
}

func TestDirectoryConformance(t *testing.T) {
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			identitytest.TestDirectory(t, func(t *testing.T) identitytest.DirectoryWorld {
				return build(t, sim.Options{Users: 350, SCIM: v}, nil).directoryWorld(sizeOf(v, pageSize))
			})
		})
	}
}

func TestGroupsConformance(t *testing.T) {
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			if v.PageLimit > 0 {
				v.PageLimit = 4
			}
			identitytest.TestGroups(t, func(t *testing.T) identitytest.GroupsWorld {
				h := build(t, sim.Options{Users: 120, SCIM: v}, map[string]any{"page_size": int64(7)})
				return h.groupsWorld(sizeOf(v, 7), v.NoMembers)
			})
		})
	}
}

func TestUserByEmail(t *testing.T) {
	for name, tt := range map[string]struct {
		variant  sim.SCIM
		requests int // listings for somebody who is found
	}{
		"filter":    {sim.SCIM{}, 1},
		"no filter": {sim.SCIM{NoFilter: true}, 1 + 4},
		"cursor":    {sim.SCIM{Cursor: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, sim.Options{Users: 350, SCIM: tt.variant}, nil)
			finder, cast := h.directory().(identity.EmailFinder), h.tenant.Cast()
			who := cast.Hijacked[0]
			got, err := finder.UserByEmail(t.Context(), strings.ToUpper(who.Email))
			if err != nil || got.ID != who.ID || h.tenant.Count(sim.OpSCIMListUsers) != tt.requests {
				t.Errorf("got %+v, %v with %d requests, want %s", got, err, h.tenant.Count(sim.OpSCIMListUsers), who.ID)
			}
			for email, want := range map[string]*engine.Failure{
				cast.Ambiguous[0].Email:               {Class: engine.ClassInvalid, Code: "ambiguous"},
				"nobody@example.com":                  {Class: engine.ClassNotFound, Code: "user_not_found"},
				`x" or active eq true or id eq "`:     {Class: engine.ClassNotFound, Code: "user_not_found"},
				"old-" + strings.ToLower(who.Email):   {Class: engine.ClassNotFound, Code: "user_not_found"},
				strings.ToLower(cast.Slow.ID):         {Class: engine.ClassNotFound, Code: "user_not_found"},
				strings.Split(who.Email, "@")[0]:      {Class: engine.ClassNotFound, Code: "user_not_found"},
				strings.ToLower(cast.Ambiguous[1].ID): {Class: engine.ClassNotFound, Code: "user_not_found"}, // a userName is no address where there is one
			} {
				if _, err := finder.UserByEmail(t.Context(), email); !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", email, err, want)
				}
			}
		})
	}
}

func TestAFilterThatFailsIsNotTakenForNobody(t *testing.T) {
	h := build(t, sim.Options{Users: 350}, nil)
	h.tenant.Inject(sim.Fault{Operation: sim.OpSCIMListUsers, Kind: sim.FaultUnavailable, Times: -1})
	_, err := h.directory().(identity.EmailFinder).UserByEmail(t.Context(), h.tenant.Cast().Slow.Email)
	if !errors.Is(err, &engine.Failure{Class: engine.ClassTransient}) {
		t.Errorf("got %v", err)
	}
}

func TestSomebodyElseWasFaster(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	id := h.tenant.Cast().Hijacked[0].ID
	h.tenant.Inject(sim.Fault{Operation: sim.OpSCIMPatchUser, Kind: sim.FaultLostReply})
	user, err := h.directory().Suspend(t.Context(), id)
	if err != nil || user.State != identity.Suspended {
		t.Errorf("got %+v, %v", user, err)
	}
	if changes := h.tenant.Changes(); len(changes) != 1 {
		t.Errorf("a version that was gone was changed again: %+v", changes)
	}
	statuses := map[int]int{}
	for _, r := range h.tenant.Requests() {
		statuses[r.Status]++
	}
	if statuses[412] != 1 {
		t.Errorf("the repeated change did not name the version it was about: %v", statuses)
	}
}

func TestSuspendUnderFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   sim.Fault
		class   engine.Class // "" for success
		changes int
	}{
		"nothing":              {sim.Fault{Operation: sim.OpWebhook}, "", 1},
		"half the JSON":        {sim.Fault{Kind: sim.FaultHalfJSON}, "", 1},
		"429":                  {sim.Fault{Kind: sim.FaultRateLimited}, "", 1},
		"429 for ten minutes":  {sim.Fault{Kind: sim.FaultRateLimited, RetryAfter: "600"}, engine.ClassTransient, 0},
		"503 for ever":         {sim.Fault{Kind: sim.FaultUnavailable, Times: -1}, engine.ClassTransient, 0},
		"500 for ever":         {sim.Fault{Kind: sim.FaultServerError, Times: -1}, engine.ClassUnsettled, 0},
		"a proxy's page":       {sim.Fault{Kind: sim.FaultNotJSON, Times: -1}, engine.ClassUnsettled, 1},
		"502 from the gateway": {sim.Fault{Kind: sim.FaultGateway}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, sim.Options{}, nil)
			if tt.fault.Operation == "" {
				tt.fault.Operation = sim.OpSCIMPatchUser
			}
			h.tenant.Inject(tt.fault)
			user, err := h.directory().Suspend(t.Context(), h.tenant.Cast().Hijacked[2].ID)
			if (tt.class == "") != (err == nil) || err != nil && !errors.Is(err, &engine.Failure{Class: tt.class}) {
				t.Errorf("got %v, want %q", err, tt.class)
			}
			if err == nil && user.State != identity.Suspended {
				t.Errorf("answered %+v", user)
			}
			if changes := h.tenant.Changes(); len(changes) != tt.changes {
				t.Errorf("%d changes: %+v", len(changes), changes)
			}
		})
	}
}

func TestAReadAfterASilentChangeThatFailsIsUnsettled(t *testing.T) {
	h := build(t, sim.Options{SCIM: sim.SCIM{NoBody: true}}, nil)
	h.tenant.Inject(sim.Fault{Operation: sim.OpSCIMGetUser, Kind: sim.FaultServerError, After: 1, Times: -1})
	_, err := h.directory().Suspend(t.Context(), h.tenant.Cast().Hijacked[0].ID)
	if !errors.Is(err, &engine.Failure{Class: engine.ClassUnsettled}) {
		t.Errorf("got %v", err)
	}
}

func TestAFullGroupSaysSo(t *testing.T) {
	h := build(t, sim.Options{SCIM: sim.SCIM{MaxMembers: 2}}, nil)
	w := h.groupsWorld(pageSize, false)
	err := h.groups().AddMember(t.Context(), w.Group, w.Other)
	if !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: scim.CodeTooMany}) {
		t.Errorf("got %v", err)
	}
}

func TestAccountsWithoutATimeOfCreation(t *testing.T) {
	h := build(t, sim.Options{SCIM: sim.SCIM{NoCreated: true}}, nil)
	id := h.tenant.Cast().Slow.ID
	_, err := h.directory().User(t.Context(), id)
	if !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: scim.CodeMalformed}) || !strings.Contains(err.Error(), "assume_new") {
		t.Errorf("got %v", err)
	}
	h = build(t, sim.Options{SCIM: sim.SCIM{NoCreated: true}}, map[string]any{"created": "assume_new"})
	user, err := h.directory().User(t.Context(), id)
	if age := h.tenant.Now().Sub(user.CreatedAt); err != nil || age < 0 || age > time.Minute {
		t.Errorf("got %+v, %v", user, err)
	}
}

func TestOpen(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	for name, tt := range map[string]struct {
		more map[string]any
		ok   bool
	}{
		"as it is":        {nil, true},
		"reads never lag": {map[string]any{"settle": time.Duration(0)}, true},
		"no address":      {map[string]any{"base_url": ""}, false},
		"plain http":      {map[string]any{"base_url": "http://scim.example.com"}, false},
		"with a password": {map[string]any{"base_url": "https://me:hunter2@scim.example.com"}, false},
		"a client alone":  {map[string]any{"client_id": secret.Reference("env://ID")}, false},
		"no client":       {map[string]any{"token_url": "https://login.example.com/token"}, false},
		"a client's http": {map[string]any{
			"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://WORD"), "token_url": "http://login.example.com/hunter2",
		}, false},
		"with a query": {map[string]any{"base_url": "https://scim.example.com?x=hunter2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := scim.Provider().Open(h.opening(tt.more))
			if !tt.ok {
				identitytest.NoLeakingError(t, err, "hunter2")
				if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
					t.Errorf("got %v", err)
				}
				return
			}
			want := engine.DefaultSettle
			if settle, given := tt.more["settle"].(time.Duration); given {
				want = settle
			}
			if err != nil || conn.Settle == nil || *conn.Settle != want {
				t.Errorf("%+v, %v", conn, err)
			}
		})
	}
	if h.vault.asked > 0 || len(h.tenant.Requests()) > 0 {
		t.Error("opening reached the service or resolved a secret")
	}
}

func TestFingerprintTellsConnectionsApart(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	other, err := scim.OpenHasty(h.opening(map[string]any{"base_url": "https://scim.example.com/scim/v2/"}))
	if err != nil {
		t.Fatal(err)
	}
	same, err := scim.OpenHasty(h.opening(map[string]any{"page_size": int64(5), "token": secret.Reference("env://OTHER")}))
	if err != nil {
		t.Fatal(err)
	}
	if other.Fingerprint == h.conn.Fingerprint || same.Fingerprint != h.conn.Fingerprint {
		t.Errorf("fingerprints: %q, %q and %q", h.conn.Fingerprint, other.Fingerprint, same.Fingerprint)
	}
}

func TestTester(t *testing.T) {
	for name, tt := range map[string]struct {
		options sim.Options
		more    map[string]any
		works   []bool
		says    string
	}{
		"all well":        {sim.Options{}, nil, []bool{true, true}, "listed one"},
		"by cursor":       {sim.Options{SCIM: sim.SCIM{Cursor: true}}, nil, []bool{true, true}, "listed one"},
		"no right":        {sim.Options{Forbidden: []sim.Operation{sim.OpSCIMListGroups}}, nil, []bool{true, false}, "users and groups"},
		"another address": {sim.Options{}, map[string]any{"base_url": ""}, []bool{false, false}, "/scim/v2"},
		"wrong token":     {sim.Options{}, map[string]any{"token": secret.Reference("env://GONE")}, []bool{false}, "env://GONE"},
		"no such service": {sim.Options{Faults: []sim.Fault{{Kind: sim.FaultGateway, Times: -1}}}, nil, []bool{false}, "502"},
		"no creation":     {sim.Options{SCIM: sim.SCIM{NoCreated: true}}, nil, []bool{false, true}, "listed one"},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, tt.options, nil)
			if _, other := tt.more["base_url"]; other {
				tt.more = map[string]any{"base_url": h.server.SCIMURL() + "/v2"}
			}
			conn, err := scim.OpenHasty(h.opening(tt.more))
			if err != nil {
				t.Fatal(err)
			}
			findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var works []bool
			for _, f := range findings {
				works = append(works, f.Works)
			}
			if fmt.Sprint(works) != fmt.Sprint(tt.works) || !strings.Contains(findings[len(findings)-1].Detail, tt.says) {
				t.Errorf("found %+v, want %v and %q", findings, tt.works, tt.says)
			}
			identitytest.NoLeak(t, fmt.Sprint(findings), h.canaries()...)
		})
	}
}

func TestNothingIsReplacedWholeOrDeleted(t *testing.T) {
	h := build(t, sim.Options{Users: 120}, nil)
	w := h.groupsWorld(pageSize, false)
	for _, do := range []func() error{
		func() error { _, err := h.directory().Suspend(t.Context(), w.Other); return err },
		func() error { _, err := h.directory().Reactivate(t.Context(), w.Other); return err },
		func() error { return h.groups().AddMember(t.Context(), w.Group, w.Other) },
		func() error { return h.groups().RemoveMember(t.Context(), w.Group, w.Other) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range h.tenant.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodPatch || !strings.HasPrefix(r.UserAgent, "Drawbridge/") {
			t.Errorf("sent %+v", r)
		}
	}
	if n := len(h.tenant.Changes()); n != 4 {
		t.Errorf("%d changes", n)
	}
}

// twoSecrets resolves a client's id and secret.
type twoSecrets map[secret.Reference]string

func (s twoSecrets) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	return secret.New(s[ref]), nil
}

func TestClientCredentials(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	c := h.tenant.Credentials()
	opening := h.opening(map[string]any{
		"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://WORD"), "token_url": h.server.URL + "/v1/oauth/token",
	})
	delete(opening.Settings, "token")
	secrets := twoSecrets{"env://ID": c.ClientID, "env://WORD": c.ClientSecret}
	opening.Secrets = secrets
	conn, err := scim.OpenHasty(opening)
	if err != nil {
		t.Fatal(err)
	}
	dir := conn.Offers[identity.CapabilityDirectory].(identity.Directory)
	for range 3 {
		if _, err := dir.User(t.Context(), h.tenant.Cast().Slow.ID); err != nil {
			t.Error(err)
		}
	}
	if n := h.tenant.Count(sim.OpToken); n != 1 {
		t.Errorf("%d tokens for three calls", n)
	}
	h.tenant.ExpireTokens()
	if _, err := dir.User(t.Context(), h.tenant.Cast().Slow.ID); err != nil || h.tenant.Count(sim.OpToken) != 2 {
		t.Errorf("after the token expired: %v", err)
	}
	secrets["env://WORD"] = "rotated/away+&"
	h.tenant.ExpireTokens()
	_, err = dir.User(t.Context(), h.tenant.Cast().Slow.ID)
	if !errors.Is(err, &engine.Failure{Class: engine.ClassAuth, Code: scim.CodeCredentials}) {
		t.Errorf("with another secret: %v", err)
	}
	identitytest.NoLeakingError(t, err, c.ClientID, c.ClientSecret, "rotated/away+&")
}

func TestDeclaration(t *testing.T) {
	p := scim.Provider()
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
	h := build(t, sim.Options{}, nil)
	for _, c := range p.Capabilities {
		if h.conn.Offers[c] == nil {
			t.Errorf("%s is declared and not offered", c)
		}
	}
	if len(h.conn.Offers) != len(p.Capabilities) {
		t.Errorf("offers %v, declares %v", h.conn.Offers, p.Capabilities)
	}
}
