package sim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func stage(faults ...sim.Fault) *sim.Tenant {
	mara := sim.ScenePerson{Person: sim.Person{ID: "MARA", Email: "mara@example.com", Name: "Mara"}, Created: noon().Add(-time.Hour)}
	kim := sim.ScenePerson{Person: sim.Person{Email: "kim@example.com"}, Suspended: true}
	return sim.New(sim.Options{
		Now: noon(), Clock: noon, Faults: faults,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Scene: &sim.Scene{
			Ordinary: 3, People: []sim.ScenePerson{mara, kim},
			SignIns: []sim.SceneSignIn{{Who: 0, At: noon().Add(-time.Minute), Success: true, IP: "203.0.113.9", Country: "RO"}},
			Usages:  []sim.SceneUsage{{Who: 1, At: noon().Add(-time.Minute)}},
		},
	})
}

func TestSceneIsExactlyWhatIsTold(t *testing.T) {
	tenant := stage()
	found := map[string]sim.Account{}
	for a := range tenant.Accounts() {
		found[a.Email] = a
	}
	mara, kim := found["mara@example.com"], found["kim@example.com"]
	if len(found) != 5 || mara.ID != "MARA" || mara.Suspended || !mara.Created.Equal(noon().Add(-time.Hour)) || !kim.Suspended || len(kim.ID) != 26 {
		t.Errorf("%+v", found)
	}
	if closed, err := tenant.Suspended("MARA"); err != nil || closed {
		t.Errorf("%v, %v", closed, err)
	}
	if n := tenant.SignIns(noon().Add(-2*time.Minute), noon()); n != 1 {
		t.Errorf("%d sign-ins in the last minutes", n)
	}
}

// over asks for the generic webhook over the network without sockets.
func over(t *testing.T, tenant *sim.Tenant) (*http.Response, error) {
	t.Helper()
	url := "https://tenant.invalid" + tenant.Credentials().WebhookPath
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"text":"hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return (&http.Client{Transport: tenant.Network()}).Do(r)
}

func TestNetworkWithoutSockets(t *testing.T) {
	for name, c := range map[string]struct {
		kind   sim.FaultKind
		status int
		err    error // of the request
		body   error // of reading the body
		taken  int   // messages
	}{
		"as it should be": {status: http.StatusOK, taken: 1},
		"unavailable":     {kind: sim.FaultUnavailable, status: http.StatusServiceUnavailable},
		"slow":            {kind: sim.FaultSlow, status: http.StatusOK, taken: 1},
		"half the body":   {kind: sim.FaultHalfJSON, status: http.StatusOK, taken: 1},
		"cut body":        {kind: sim.FaultCutBody, status: http.StatusOK, body: io.ErrUnexpectedEOF, taken: 1},
		"lost reply":      {kind: sim.FaultLostReply, err: sim.ErrCut, taken: 1},
		"no reply":        {kind: sim.FaultNoReply, err: os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			var faults []sim.Fault
			if c.kind != "" {
				faults = append(faults, sim.Fault{Kind: c.kind})
			}
			tenant := stage(faults...)
			res, err := over(t, tenant)
			if !errors.Is(err, c.err) {
				t.Fatalf("the error is %v", err)
			}
			if len(tenant.Messages()) != c.taken {
				t.Errorf("%d messages were taken", len(tenant.Messages()))
			}
			if err != nil {
				return
			}
			defer res.Body.Close()
			if _, err := io.ReadAll(res.Body); res.StatusCode != c.status || !errors.Is(err, c.body) {
				t.Errorf("%d, %v", res.StatusCode, err)
			}
		})
	}
}
