package onepassword_test

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
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestMain(m *testing.M) {
	// idle connections of clients that are gone are closed by the server's end
	goleak.VerifyTestMain(m)
}

// vault is a resolver whose secrets can be changed.
type vault struct {
	mu      sync.Mutex
	values  map[secret.Reference]string
	asked   int
	learned []string
}

func (v *vault) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	plain, ok := v.values[ref]
	if !ok {
		return secret.Value{}, fmt.Errorf("there is no %s", ref)
	}
	return secret.New(plain), nil
}

// Learn makes it a secret.Learner.
func (v *vault) Learn(word secret.Value) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.learned = append(v.learned, word.Reveal())
}

func (v *vault) set(ref secret.Reference, plain string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values[ref] = plain
}

// house is a tenant with a connection to it.
type house struct {
	tenant *sim.Tenant
	server *sim.Server
	vault  *vault
	conn   *engine.Connection
}

func build(t testing.TB, o sim.Options, settings map[string]any) house {
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
	c := h.tenant.Credentials()
	h.server, h.vault = server, &vault{values: map[secret.Reference]string{"env://ID": c.ClientID, "env://SECRET": c.ClientSecret}}
	h.conn, err = onepassword.OpenHasty(h.opening(settings))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h house) opening(more map[string]any) engine.Opening {
	settings := map[string]any{
		"account": h.tenant.Credentials().Account, "base_url": h.server.URL, "page_size": int64(100),
		"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://SECRET"),
	}
	for name, value := range more {
		settings[name] = value
	}
	return engine.Opening{Name: "1password", Settings: settings, Secrets: h.vault, Version: "test", Now: time.Now}
}

func (h house) directory() identity.Directory {
	return h.conn.Offers[identity.CapabilityDirectory].(identity.Directory)
}

func (h house) breaks(f identitytest.Fault) bool {
	h.tenant.Heal()
	switch f {
	case identitytest.PageFails:
		h.tenant.Inject(sim.Fault{Operation: sim.OpListUsers, Kind: sim.FaultUnavailable, After: 1, Times: -1})
	case identitytest.PageRepeats:
		h.tenant.Inject(sim.Fault{Operation: sim.OpListUsers, Kind: sim.FaultRepeatToken, After: 1})
	case identitytest.PageDuplicates:
		h.tenant.Inject(sim.Fault{Operation: sim.OpListUsers, Kind: sim.FaultDuplicate, After: 1})
	case identitytest.PageCut:
		h.tenant.Inject(sim.Fault{Operation: sim.OpListUsers, Kind: sim.FaultCutBody, After: 1})
	case identitytest.ReplyLost:
		h.tenant.Inject(sim.Fault{Operation: sim.OpSuspend, Kind: sim.FaultLostReply})
	case identitytest.RepliesLost:
		h.tenant.Inject(sim.Fault{Operation: sim.OpSuspend, Kind: sim.FaultLostReply, Times: -1})
	case identitytest.TokenExpires:
		h.tenant.ExpireTokens()
	case identitytest.Refused:
		h.vault.set("env://SECRET", "rotated/away+&")
		h.tenant.ExpireTokens()
	default:
		return false
	}
	return true
}

func (h house) world() identitytest.DirectoryWorld {
	cast, c := h.tenant.Cast(), h.tenant.Credentials()
	w := identitytest.DirectoryWorld{
		Directory: h.directory(), Target: cast.Hijacked[0].ID, LastOwner: cast.LastOwner.ID, External: cast.External[0].ID,
		Canaries: []string{c.ClientID, c.ClientSecret, "rotated/away+&"}, Break: h.breaks,
	}
	for a := range h.tenant.Accounts() {
		u := identity.User{ID: a.ID, Email: a.Email, Name: a.Name, State: identity.Active, CreatedAt: a.Created, Account: c.Account}
		if a.Suspended {
			u.State = identity.Suspended
		}
		w.Users = append(w.Users, u)
	}
	return w
}

func TestConformance(t *testing.T) {
	for _, api := range []string{"v1", "v1beta1"} {
		t.Run(api, func(t *testing.T) {
			identitytest.TestDirectory(t, func(t *testing.T) identitytest.DirectoryWorld {
				return build(t, sim.Options{Users: 350}, map[string]any{"api": api}).world()
			})
		})
	}
}

func TestOneTokenServesAll(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	target := h.tenant.Cast().Hijacked[0].ID
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := h.directory().User(context.Background(), target); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := h.tenant.Count(sim.OpToken); n != 1 {
		t.Errorf("%d tokens were fetched for 20 calls at once", n)
	}
	h.tenant.ExpireTokens()
	for range 20 {
		group.Go(func() {
			if _, err := h.directory().User(context.Background(), target); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := h.tenant.Count(sim.OpToken); n > 4 {
		t.Errorf("%d tokens were fetched after one expired", n)
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	h := build(t, sim.Options{Now: now, Clock: clock}, nil)
	opening := h.opening(nil)
	opening.Now = clock
	conn, err := onepassword.OpenHasty(opening)
	if err != nil {
		t.Fatal(err)
	}
	directory := conn.Offers[identity.CapabilityDirectory].(identity.Directory)
	for _, step := range []struct {
		after  time.Duration
		tokens int
	}{{0, 1}, {13*time.Minute + 50*time.Second, 1}, {15 * time.Second, 2}} {
		mu.Lock()
		now = now.Add(step.after)
		mu.Unlock()
		if _, err := directory.User(t.Context(), h.tenant.Cast().Slow.ID); err != nil {
			t.Fatal(err)
		}
		if n := h.tenant.Count(sim.OpToken); n != step.tokens {
			t.Errorf("%v later: %d tokens, want %d", step.after, n, step.tokens)
		}
	}
	for _, r := range h.tenant.Requests() {
		if r.Status == 401 {
			t.Errorf("a token was used after its end: %+v", r)
		}
	}
}

func TestRotatedSecretIsPickedUp(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	good := h.tenant.Credentials().ClientSecret
	h.vault.set("env://SECRET", "old")
	id := h.tenant.Cast().Slow.ID
	if _, err := h.directory().User(t.Context(), id); !errors.Is(err, &engine.Failure{Class: engine.ClassAuth, Code: "client_credentials"}) {
		t.Errorf("with the wrong secret: %v", err)
	}
	h.vault.set("env://SECRET", good)
	if _, err := h.directory().User(t.Context(), id); err != nil {
		t.Errorf("with the right one: %v", err)
	}
}

func TestTokenEndpointFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault sim.Fault
		class engine.Class // "" for success
	}{
		"503 once":        {sim.Fault{Kind: sim.FaultUnavailable}, ""},
		"lost once":       {sim.Fault{Kind: sim.FaultLostReply}, ""},
		"half once":       {sim.Fault{Kind: sim.FaultHalfJSON}, ""},
		"cut once":        {sim.Fault{Kind: sim.FaultCutBody}, ""},
		"429 with header": {sim.Fault{Kind: sim.FaultRateLimited, RetryAfter: "0"}, ""},
		"503 for ever":    {sim.Fault{Kind: sim.FaultUnavailable, Times: -1}, engine.ClassTransient},
		"half for ever":   {sim.Fault{Kind: sim.FaultHalfJSON, Times: -1}, engine.ClassTransient},
		"429 for long":    {sim.Fault{Kind: sim.FaultRateLimited, RetryAfter: "600"}, engine.ClassTransient},
		"a proxy's page":  {sim.Fault{Kind: sim.FaultNotJSON, Times: -1}, engine.ClassPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, sim.Options{}, nil)
			tt.fault.Operation = sim.OpToken
			h.tenant.Inject(tt.fault)
			_, err := h.directory().User(t.Context(), h.tenant.Cast().Slow.ID)
			if (tt.class == "") != (err == nil) || err != nil && !errors.Is(err, &engine.Failure{Class: tt.class}) {
				t.Errorf("got %v, want class %q", err, tt.class)
			}
			c := h.tenant.Credentials()
			identitytest.NoLeakingError(t, err, c.ClientID, c.ClientSecret)
			if calls := h.tenant.Count(sim.OpToken); calls > 3 {
				t.Errorf("asked %d times", calls)
			}
		})
	}
}

func TestSuspendUnderFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   sim.Fault
		class   engine.Class // "" for success
		changes int          // that were performed
		code    string
	}{
		"nothing":               {sim.Fault{Operation: sim.OpWebhook}, "", 1, ""},
		"lost reply":            {sim.Fault{Kind: sim.FaultLostReply}, "", 2, ""},
		"cut body":              {sim.Fault{Kind: sim.FaultCutBody}, "", 2, ""},
		"half the JSON":         {sim.Fault{Kind: sim.FaultHalfJSON}, "", 2, ""},
		"token expired":         {sim.Fault{Kind: sim.FaultExpireToken}, "", 1, ""},
		"429":                   {sim.Fault{Kind: sim.FaultRateLimited}, "", 1, ""},
		"429 for ten minutes":   {sim.Fault{Kind: sim.FaultRateLimited, RetryAfter: "600"}, engine.ClassTransient, 0, "rate_limited"},
		"503 for ever":          {sim.Fault{Kind: sim.FaultUnavailable, Times: -1}, engine.ClassTransient, 0, "http_503"},
		"500 for ever":          {sim.Fault{Kind: sim.FaultServerError, Times: -1}, engine.ClassUnsettled, 0, "http_500"},
		"every reply lost":      {sim.Fault{Kind: sim.FaultLostReply, Times: -1}, engine.ClassUnsettled, 3, "unreachable"},
		"a proxy's page":        {sim.Fault{Kind: sim.FaultNotJSON, Times: -1}, engine.ClassUnsettled, 1, "not_json"},
		"502 from the gateway":  {sim.Fault{Kind: sim.FaultGateway}, "", 1, ""},
		"token always expiring": {sim.Fault{Kind: sim.FaultExpireToken, Times: -1}, engine.ClassAuth, 0, "http_401"},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, sim.Options{}, nil)
			if tt.fault.Operation == "" {
				tt.fault.Operation = sim.OpSuspend
			}
			h.tenant.Inject(tt.fault)
			user, err := h.directory().Suspend(t.Context(), h.tenant.Cast().Hijacked[2].ID)
			if (tt.class == "") != (err == nil) || err != nil && !errors.Is(err, &engine.Failure{Class: tt.class, Code: tt.code}) {
				t.Errorf("got %v, want %q %q", err, tt.class, tt.code)
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

func TestOpen(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	for name, tt := range map[string]struct {
		more map[string]any
		want string // part of the error; "" for none
	}{
		"as it is":          {nil, ""},
		"reads never lag":   {map[string]any{"settle": time.Duration(0)}, ""},
		"region":            {map[string]any{"base_url": nil, "region": "eu"}, ""},
		"plain http":        {map[string]any{"base_url": "http://api.example.com"}, "https"},
		"with a password":   {map[string]any{"base_url": "https://me:hunter2@api.example.com"}, "password"},
		"account is a path": {map[string]any{"account": "../ABC"}, "UUID"},
		"no account":        {map[string]any{"account": ""}, "UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := onepassword.Provider().Open(h.opening(tt.more))
			if tt.want == "" {
				want := 30 * time.Second
				if settle, ok := tt.more["settle"].(time.Duration); ok {
					want = settle
				}
				if err != nil || conn.Settle == nil || *conn.Settle != want {
					t.Errorf("%+v, %v", conn, err)
				}
				return
			}
			identitytest.NoLeakingError(t, err, "hunter2")
			if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
				t.Errorf("got %v", err)
			}
		})
	}
	if h.tenant.Count(sim.OpToken)+h.vault.asked > 0 {
		t.Error("opening reached the service or resolved a secret")
	}
}

func TestAccessTokensAreLearnedAsSecrets(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	for range 2 {
		if _, err := h.directory().User(t.Context(), h.tenant.Cast().Hijacked[0].ID); err != nil {
			t.Fatal(err)
		}
		h.tenant.ExpireTokens()
	}
	if n := len(h.vault.learned); n != 2 || n != h.tenant.Count(sim.OpToken) || h.vault.learned[0] == h.vault.learned[1] {
		t.Errorf("of %d tokens %d were learned", h.tenant.Count(sim.OpToken), n)
	}
}

func TestFingerprintTellsConnectionsApart(t *testing.T) {
	h := build(t, sim.Options{}, nil)
	seen := map[string]bool{}
	for _, more := range []map[string]any{
		nil, {"account": "OTHER"}, {"base_url": nil, "region": "com"}, {"base_url": nil, "region": "eu"},
	} {
		conn, err := onepassword.OpenHasty(h.opening(more))
		if err != nil {
			t.Fatal(err)
		}
		seen[conn.Fingerprint] = true
	}
	same, _ := onepassword.OpenHasty(h.opening(map[string]any{"client_id": secret.Reference("env://OTHER"), "page_size": int64(5)}))
	if len(seen) != 4 || !seen[same.Fingerprint] {
		t.Errorf("fingerprints: %v and %v", seen, same.Fingerprint)
	}
}

func TestTester(t *testing.T) {
	for name, tt := range map[string]struct {
		options sim.Options
		more    map[string]any
		works   []bool
		says    string
	}{
		"all well":        {sim.Options{}, nil, []bool{true, true, true, true, true}, "may be done"},
		"may only look":   {sim.Options{Forbidden: []sim.Operation{sim.OpSuspend, sim.OpReactivate}}, nil, []bool{true, true, true, false, false}, "Grant the application *Reactivate users*"},
		"may not list":    {sim.Options{Forbidden: []sim.Operation{sim.OpListUsers}}, nil, []bool{true, false, true, true, true}, "may be done"},
		"may do nothing":  {sim.Options{Forbidden: []sim.Operation{sim.OpListUsers, sim.OpGetUser, sim.OpSuspend, sim.OpReactivate}}, nil, []bool{true, false, false, false, false, false}, "provider: scim"},
		"provisioned":     {sim.Options{Provisioned: true}, nil, []bool{true, false}, "provider: scim"},
		"other account":   {sim.Options{}, map[string]any{"account": "OTHER"}, []bool{true, false}, "Is `account` right"},
		"missing secret":  {sim.Options{}, map[string]any{"client_secret": secret.Reference("env://GONE")}, []bool{false}, "env://GONE"},
		"wrong secret":    {sim.Options{}, map[string]any{"client_secret": secret.Reference("env://ID")}, []bool{false}, "OAuth Applications"},
		"no such service": {sim.Options{Faults: []sim.Fault{{Kind: sim.FaultGateway, Times: -1}}}, nil, []bool{false}, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, tt.options, nil)
			conn, err := onepassword.OpenHasty(h.opening(tt.more))
			if err != nil {
				t.Fatal(err)
			}
			findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			checkFindings(t, findings, tt.works, tt.says)
			if changes := h.tenant.Changes(); len(changes) > 0 {
				t.Errorf("testing changed %+v", changes)
			}
			c := h.tenant.Credentials()
			identitytest.NoLeak(t, fmt.Sprint(findings), c.ClientSecret)
		})
	}
}

func checkFindings(t *testing.T, findings []engine.Finding, works []bool, says string) {
	t.Helper()
	if len(findings) != len(works) {
		t.Fatalf("found %+v, want %v", findings, works)
	}
	for i, f := range findings {
		if f.Works != works[i] {
			t.Errorf("found %+v, want %v", f, works[i])
		}
	}
	if last := findings[len(findings)-1]; !strings.Contains(last.Detail, says) {
		t.Errorf("%q does not say %q", last.Detail, says)
	}
}

func TestDeclaration(t *testing.T) {
	p := onepassword.Provider()
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
