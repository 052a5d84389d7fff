package scim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/providers/scim"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// spiteful is a network whose every answer quotes the credential it was sent.
type spiteful struct {
	status int
	kind   string // content type
	body   string // %s is the Authorization header
	err    error
}

func (s spiteful) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.err != nil {
		return nil, s.err
	}
	authorization := r.Header.Get("Authorization")
	body := s.body
	if strings.Contains(body, "%s") {
		body = fmt.Sprintf(body, authorization)
	}
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {s.kind}, "X-Echo": {authorization}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// TestNothingLeaks carries everything out against services that answer with the
// credential, in every way a service fails.
func TestNothingLeaks(t *testing.T) {
	const canary = "canary/scim+token&value"
	quoting := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"%d","detail":"refused %%s"}`
	networks := map[string]spiteful{
		"garbage":          {status: 200, kind: "application/scim+json", body: `{"id":"%s`},
		"a user of it":     {status: 200, kind: "application/scim+json", body: `{"id":"U1","userName":"%s","active":"%s"}`},
		"a page":           {status: 200, kind: "text/html", body: "<html>%s</html>"},
		"not its resource": {status: 200, kind: "application/scim+json", body: `{"id":"%s","displayName":"%s"}`},
		"timeout":          {err: context.DeadlineExceeded},
		"TLS":              {err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
		"broken":           {err: errors.New("reset")},
	}
	for _, status := range []int{400, 401, 403, 404, 409, 412, 429, 500, 501, 503} {
		networks[fmt.Sprint(status)] = spiteful{status: status, kind: "application/scim+json", body: fmt.Sprintf(quoting, status)}
	}
	for name, network := range networks {
		t.Run(name, func(t *testing.T) {
			conn, err := scim.OpenHasty(engine.Opening{
				Name: "people", Settings: map[string]any{"base_url": "https://scim.example.com/scim", "token": secret.Reference("env://TOKEN")},
				Secrets: &vault{token: canary}, Version: "test", Now: time.Now, Transport: network,
			})
			if err != nil {
				t.Fatal(err)
			}
			for what, err := range carryOut(t, conn) {
				if err == nil {
					t.Errorf("%s: it succeeded", what)
				}
				identitytest.NoLeakingError(t, err, canary)
			}
			findings, err := conn.Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			identitytest.NoLeakingError(t, err, canary)
			identitytest.NoLeak(t, fmt.Sprint(findings), canary)
			for _, f := range findings {
				if f.Works {
					t.Errorf("it says that it works: %+v", f)
				}
			}
		})
	}
}

// carryOut does everything a connection offers, and gives how each ended.
func carryOut(t *testing.T, conn *engine.Connection) map[string]error {
	t.Helper()
	dir, groups := conn.Offers[identity.CapabilityDirectory].(identity.Directory), conn.Offers[identity.CapabilityGroups].(identity.Groups)
	out := map[string]error{}
	for _, err := range dir.Users(t.Context(), "") {
		out["users"] = err
	}
	for _, err := range groups.Groups(t.Context()) {
		out["groups"] = err
	}
	for _, err := range groups.Members(t.Context(), "G1") {
		out["members"] = err
	}
	_, out["user"] = dir.User(t.Context(), "U1")
	_, out["suspend"] = dir.Suspend(t.Context(), "U1")
	_, out["reactivate"] = dir.Reactivate(t.Context(), "U1")
	_, out["by e-mail"] = dir.(identity.EmailFinder).UserByEmail(t.Context(), "sam@example.com")
	_, out["group"] = groups.Group(t.Context(), "G1")
	_, out["is member"] = groups.IsMember(t.Context(), "G1", "U1")
	return out
}

// TestFiftyThousandUsersOfARoughService sweeps a service that answers every
// 20th call with 429, takes another token from time to time, and drops every
// 500th connection.
func TestFiftyThousandUsersOfARoughService(t *testing.T) {
	t.Parallel()
	const users, perSecond, burst = 50_000, 50, 10
	clock := identitytest.NewHaste(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	tenant := sim.New(sim.Options{
		Users: users, Now: clock.Now(), Clock: clock.Now, Sleep: clock.Sleep,
		Faults: []sim.Fault{
			{Kind: sim.FaultRateLimited, After: 19, Every: 20, Times: -1, RetryAfter: "2"},
			{Kind: sim.FaultLostReply, After: 499, Every: 500, Times: -1},
		},
	})
	meter := &identitytest.Meter{Next: tenant.Network(), Clock: clock}
	conn, err := scim.Provider().Open(engine.Opening{
		Name: "people", Version: "test", Now: clock.Now, Sleep: clock.Sleep, Transport: meter,
		Pace: engine.Pace{PerSecond: perSecond, Burst: burst}, Secrets: &vault{token: tenant.Credentials().SCIMToken},
		Settings: map[string]any{"base_url": "https://scim.example.com/scim", "token": secret.Reference("env://TOKEN")},
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
	if calls, limited, dropped := meter.Requests(), meter.Answered(429), meter.Answered(0); len(want) != users || calls < users || limited < calls/25 || dropped < calls/600 {
		t.Errorf("it was not rough: %d users, %d calls, of which %d were limited and %d dropped", len(want), calls, limited, dropped)
	}
}
