package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault  sim.Fault
		status int // 0 for no whole answer
		says   string
		change bool // the suspension happened
	}{
		"none":         {sim.Fault{Operation: sim.OpWebhook, Kind: sim.FaultServerError}, 200, "SUSPENDED", true},
		"rate limited": {sim.Fault{Kind: sim.FaultRateLimited, RetryAfter: "7"}, 429, `"code":8`, false},
		"unavailable":  {sim.Fault{Kind: sim.FaultUnavailable}, 503, `"code":14`, false},
		"server error": {sim.Fault{Kind: sim.FaultServerError}, 500, `"code":13`, false},
		"gateway":      {sim.Fault{Kind: sim.FaultGateway}, 502, "<html>", false},
		"expired":      {sim.Fault{Kind: sim.FaultExpireToken}, 401, `"code":16`, false},
		"slow":         {sim.Fault{Kind: sim.FaultSlow, Delay: time.Millisecond}, 200, "SUSPENDED", true},
		"lost reply":   {sim.Fault{Kind: sim.FaultLostReply}, 0, "", true},
		"cut body":     {sim.Fault{Kind: sim.FaultCutBody}, 0, "", true},
		"half JSON":    {sim.Fault{Kind: sim.FaultHalfJSON}, 200, `{"id"`, true},
		"not JSON":     {sim.Fault{Kind: sim.FaultNotJSON}, 200, "<html>", true},
		"any":          {sim.Fault{Operation: "", Kind: sim.FaultUnavailable, After: 1}, 200, "SUSPENDED", true},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, server := start(t, sim.Options{})
			c, who := tenant.Credentials(), tenant.Cast().Hijacked[0]
			token := bearerOf(t, server, c, "/v1/oauth/token")
			if tt.fault.Operation == "" && tt.fault.After == 0 {
				tt.fault.Operation = sim.OpSuspend
			}
			tenant.Inject(tt.fault)
			status, body, err := tryAsk(t, "POST", server.URL+"/v1/accounts/"+c.Account+"/users/"+who.ID+":suspend", "", token)
			if tt.status == 0 {
				if err == nil {
					t.Errorf("answered %d %s", status, body)
				}
			} else if status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %.100s %v, want %d with %s", status, body, err, tt.status, tt.says)
			}
			closed, _ := tenant.Suspended(who.ID)
			changes := tenant.Changes()
			if closed != tt.change || tt.change && (len(changes) != 1 || changes[0].Lost != (tt.status == 0)) {
				t.Errorf("suspended: %v, recorded %+v", closed, changes)
			}
		})
	}
}

func TestHalfJSONIsNoJSON(t *testing.T) {
	tenant, server := start(t, sim.Options{Faults: []sim.Fault{{Operation: sim.OpIntrospect, Kind: sim.FaultHalfJSON}}})
	_, body := ask(t, "GET", server.URL+"/api/v2/auth/introspect", "", "Authorization: Bearer "+tenant.Credentials().EventsToken)
	if json.Valid([]byte(body)) {
		t.Errorf("%s is whole", body)
	}
}

func TestFaultsCount(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	url, token := server.URL+"/api/v2/auth/introspect", "Authorization: Bearer "+tenant.Credentials().EventsToken
	for name, tt := range map[string]struct {
		fault sim.Fault
		want  string // one letter a request: o for 200, x for 503
	}{
		"once":            {sim.Fault{}, "xooooo"},
		"twice":           {sim.Fault{Times: 2}, "xxoooo"},
		"the third":       {sim.Fault{After: 2}, "ooxooo"},
		"from the third":  {sim.Fault{After: 2, Times: -1}, "ooxxxx"},
		"every second":    {sim.Fault{Every: 2, Times: -1}, "xoxoxo"},
		"two of each 2nd": {sim.Fault{After: 1, Every: 2, Times: 2}, "oxoxoo"},
	} {
		t.Run(name, func(t *testing.T) {
			tenant.Heal()
			tt.fault.Operation, tt.fault.Kind = sim.OpIntrospect, sim.FaultUnavailable
			tenant.Inject(tt.fault)
			got := ""
			for range len(tt.want) {
				status, _ := ask(t, "GET", url, "", token)
				got += map[int]string{200: "o", 503: "x"}[status]
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNoReplyHoldsTheRequest(t *testing.T) {
	tenant, server := start(t, sim.Options{Faults: []sim.Fault{{Operation: sim.OpSlack, Kind: sim.FaultNoReply}}})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = server.Close() // a held request must not keep the tenant from closing
	}()
	_, _, err := tryAsk(t, "POST", server.SlackURL(), `{"text":"x"}`, jsonType)
	<-stopped
	if err == nil || len(tenant.Messages()) != 0 {
		t.Errorf("%v; kept %v", err, tenant.Messages())
	}
}

func TestControlFromAnotherProcess(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	c, who := tenant.Credentials(), tenant.Cast().Hijacked[0]
	if status, body := ask(t, "POST", server.URL+"/_sim/faults", `[{"operation":"users.suspend","kind":"unavailable"}]`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := ask(t, "POST", server.URL+"/_sim/faults", `[{"opration":"users.suspend"}]`); status != 400 {
		t.Error("a misspelt fault was taken")
	}
	token := bearerOf(t, server, c, "/v1/oauth/token")
	suspend := server.URL + "/v1/accounts/" + c.Account + "/users/" + who.ID + ":suspend"
	for _, want := range []int{503, 200, 200} {
		if status, _ := ask(t, "POST", suspend, "", token); status != want {
			t.Errorf("got %d, want %d", status, want)
		}
	}
	ask(t, "POST", server.SlackURL(), `{"text":"done"}`, jsonType)
	var state sim.State
	get(t, server.URL+"/_sim/state", &state)
	if len(state.Suspended) != 1 || state.Suspended[0] != who.ID || state.Credentials != c || state.Counts[sim.OpSuspend] != 3 {
		t.Errorf("state %+v", state)
	}
	var log struct {
		Changes  []sim.Change
		Messages []sim.Message
		Requests []sim.Request
	}
	for _, what := range []string{"changes", "messages", "requests"} {
		get(t, server.URL+"/_sim/"+what, &log)
	}
	if len(log.Changes) != 2 || len(log.Messages) != 1 || log.Messages[0].Seq <= log.Changes[1].Seq || len(log.Requests) < 5 {
		t.Errorf("log %+v", log)
	}
	var cast sim.Cast
	get(t, server.URL+"/_sim/cast", &cast)
	if len(cast.Hijacked) != 3 || cast.Hijacked[0] != who {
		t.Errorf("cast %+v", cast)
	}
	checkStatus(t, "DELETE", server.URL+"/_sim/tokens", 200)
	checkStatus(t, "DELETE", server.URL+"/_sim/faults", 200)
	checkStatus(t, "GET", server.URL+"/_sim/secrets", 404)
	if status, _ := ask(t, "POST", suspend, "", token); status != 401 {
		t.Errorf("a deleted token gave %d", status)
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	status, body := ask(t, "GET", url, "")
	if err := json.Unmarshal([]byte(body), into); err != nil || status != 200 {
		t.Fatalf("%s: %d %.200s %v", url, status, body, err)
	}
}

func checkStatus(t *testing.T, method, url string, want int) {
	t.Helper()
	if status, body := ask(t, method, url, ""); status != want {
		t.Errorf("%s %s: %d %s", method, url, status, body)
	}
}

func TestStartKeepsToThisMachine(t *testing.T) {
	for addr, ok := range map[string]bool{
		"": true, ":0": true, "127.0.0.1:0": true, "localhost:0": true, "0.0.0.0:0": false, "192.0.2.1:80": false, "example.com:80": false, "nonsense": false,
	} {
		server, err := sim.New(sim.Options{}).Start(t.Context(), addr)
		if (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
		if err == nil && (!strings.HasPrefix(server.URL, "http://127.0.0.1:") || server.Close() != nil || server.Close() != nil) {
			t.Errorf("%q: %s", addr, server.URL)
		}
	}
	if _, err := sim.New(sim.Options{}).Start(t.Context(), "0.0.0.0:0"); !errors.Is(err, sim.ErrNotLoopback) {
		t.Errorf("got %v", err)
	}
}

func TestTheContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, err := sim.New(sim.Options{}).Start(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := tryAsk(t, "GET", server.URL+"/_sim/state", ""); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("it still listens: %v", err)
	}
}
