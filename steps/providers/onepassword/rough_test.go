package onepassword_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepassword"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestFiftyThousandUsersOfARoughService sweeps a service that answers every
// 20th call with 429, lets tokens expire after 60 seconds or before, and drops
// every 500th connection. The configuration allows 50 calls a second.
func TestFiftyThousandUsersOfARoughService(t *testing.T) {
	t.Parallel()
	const users, perSecond, burst = 50_000, 50, 10
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := identitytest.NewHaste(start)
	tenant := sim.New(sim.Options{
		Users: users, Now: clock.Now(), Clock: clock.Now, Sleep: clock.Sleep, TokenLife: time.Minute,
		Faults: []sim.Fault{
			{Kind: sim.FaultRateLimited, After: 19, Every: 20, Times: -1, RetryAfter: "2"},
			{Kind: sim.FaultLostReply, After: 499, Every: 500, Times: -1},
			{Operation: sim.OpGetUser, Kind: sim.FaultExpireToken, After: 998, Every: 999, Times: -1},
		},
	})
	meter := &identitytest.Meter{Next: tenant.Network(), Clock: clock}
	c := tenant.Credentials()
	conn, err := onepassword.Provider().Open(engine.Opening{
		Name: "1password", Version: "test", Now: clock.Now, Sleep: clock.Sleep, Transport: meter,
		Pace:    engine.Pace{PerSecond: perSecond, Burst: burst},
		Secrets: &vault{values: map[secret.Reference]string{"env://ID": c.ClientID, "env://SECRET": c.ClientSecret}},
		Settings: map[string]any{
			"account": c.Account, "base_url": "https://api.1password.com", "page_size": int64(100),
			"client_id": secret.Reference("env://ID"), "client_secret": secret.Reference("env://SECRET"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string, users)
	for a := range tenant.Accounts() {
		want[a.ID] = a.Email
	}
	identitytest.TestSweep(t, conn.Offers[identity.CapabilityDirectory].(identity.Directory), want)
	meter.Within(t, perSecond, burst)
	calls, tokens := meter.Requests(), tenant.Count(sim.OpToken)
	limited, dropped, refused := meter.Answered(http.StatusTooManyRequests), meter.Answered(0), meter.Answered(http.StatusUnauthorized)
	if len(want) != users || calls < users || limited < calls/25 || dropped < calls/600 || tokens < 50 || refused < 10 {
		t.Errorf("it was not rough: %d users, %d calls, of which %d were limited, %d dropped, %d refused; %d tokens", len(want), calls, limited, dropped, refused, tokens)
	}
	t.Logf("%d calls, of which %d were limited, %d dropped, %d refused; %d tokens; %s of the service's time", calls, limited, dropped, refused, tokens, clock.Now().Sub(start))
}
