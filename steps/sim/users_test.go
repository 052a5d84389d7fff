package sim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// start runs a tenant for the test.
func start(t *testing.T, o sim.Options) (*sim.Tenant, *sim.Server) {
	t.Helper()
	tenant := sim.New(o)
	server, err := tenant.Start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return tenant, server
}

// ask sends a request and returns status and body; a header is "Name: value".
func ask(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	status, answer, err := tryAsk(t, method, url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

func tryAsk(t *testing.T, method, url, body string, headers ...string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}

const form = "Content-Type: application/x-www-form-urlencoded"

func basic(c sim.Credentials) string {
	req := &http.Request{Header: http.Header{}}
	req.SetBasicAuth(c.ClientID, c.ClientSecret)
	return "Authorization: " + req.Header.Get("Authorization")
}

// bearerOf fetches an access token at the version's path.
func bearerOf(t *testing.T, server *sim.Server, c sim.Credentials, path string) string {
	t.Helper()
	status, body := ask(t, "POST", server.URL+path, "grant_type=client_credentials", form, basic(c))
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil || status != 200 || token.ExpiresIn != 900 {
		t.Fatalf("token: %d %s (%v)", status, body, err)
	}
	return "Authorization: Bearer " + token.AccessToken
}

func TestTokenEndpointIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	c := tenant.Credentials()
	good := basic(c)
	wrong := basic(sim.Credentials{ClientID: c.ClientID, ClientSecret: "guess"})
	for name, tt := range map[string]struct {
		path, body string
		headers    []string
		want       int
		code       string
	}{
		"v1":             {"/v1/oauth/token", "grant_type=client_credentials", []string{form, good}, 200, ""},
		"v1beta1":        {"/v1beta1/users/oauth2/token", "grant_type=client_credentials&scope=openid", []string{form, good}, 200, ""},
		"mixed paths":    {"/v1/users/oauth2/token", "grant_type=client_credentials", []string{form, good}, 404, ""},
		"other scope":    {"/v1/oauth/token", "grant_type=client_credentials&scope=users", []string{form, good}, 400, "invalid_scope"},
		"in the form":    {"/v1/oauth/token", "grant_type=client_credentials&client_id=a&client_secret=b", []string{form, good}, 400, "invalid_request"},
		"no basic auth":  {"/v1/oauth/token", "grant_type=client_credentials&client_id=" + c.ClientID, []string{form}, 401, "invalid_client"},
		"wrong secret":   {"/v1/oauth/token", "grant_type=client_credentials", []string{form, wrong}, 401, "invalid_client"},
		"json body":      {"/v1/oauth/token", `{"grant_type":"client_credentials"}`, []string{"Content-Type: application/json", good}, 400, "invalid_request"},
		"password grant": {"/v1/oauth/token", "grant_type=password", []string{form, good}, 400, "unsupported_grant_type"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, "POST", server.URL+tt.path, tt.body, tt.headers...)
			if status != tt.want || !strings.Contains(body, tt.code) {
				t.Errorf("got %d %s, want %d %s", status, body, tt.want, tt.code)
			}
		})
	}
}

func TestUsersAPIIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	c, cast := tenant.Credentials(), tenant.Cast()
	token := bearerOf(t, server, c, "/v1/oauth/token")
	users := "/v1/accounts/" + c.Account + "/users"
	hers := users + "/" + cast.Hijacked[0].ID
	for name, tt := range map[string]struct {
		method, path, body string
		want               int
		message            string
	}{
		"list":                {"GET", users, "", 200, `"results":[{`},
		"get":                 {"GET", hers, "", 200, `"state":"ACTIVE"`},
		"camel case":          {"GET", users + "?maxPageSize=10", "", 400, "unknown query parameter"},
		"unknown parameter":   {"GET", users + "?q=x", "", 400, "unknown query parameter"},
		"page of 1001":        {"GET", users + "?max_page_size=1001", "", 400, "max_page_size"},
		"page of 0":           {"GET", users + "?max_page_size=0", "", 400, "max_page_size"},
		"other filter":        {"GET", users + "?filter=" + url.QueryEscape(`user.email == "x"`), "", 400, "invalid filter"},
		"forged page token":   {"GET", users + "?page_token=MTIz", "", 400, "invalid page_token"},
		"other account":       {"GET", "/v1/accounts/ABCDEFGHIJKLMNOPQRSTUVWXYZ/users", "", 404, "account_not_found"},
		"unknown user":        {"GET", users + "/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", 404, "user_not_found"},
		"lower-case id":       {"GET", strings.ToLower(hers), "", 404, ""},
		"suspend by GET":      {"GET", hers + ":suspend", "", 405, "Method Not Allowed"},
		"suspend with a body": {"POST", hers + ":suspend", "{}", 400, "must not have a body"},
		"colon encoded":       {"POST", hers + "%3Asuspend", "", 405, ""},
		"other verb":          {"POST", hers + ":delete", "", 404, ""},
		"last owner":          {"POST", users + "/" + cast.LastOwner.ID + ":suspend", "", 403, `"code":7`},
		"externally managed":  {"POST", users + "/" + cast.External[0].ID + ":suspend", "", 403, "externally_managed"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, tt.method, server.URL+tt.path, tt.body, token)
			if status != tt.want || !strings.Contains(body, tt.message) {
				t.Errorf("got %d %.200s, want %d with %q", status, body, tt.want, tt.message)
			}
		})
	}
	if changes := tenant.Changes(); len(changes) != 0 {
		t.Errorf("nothing was to change, but %v did", changes)
	}
}

func TestTokensEnd(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	tenant, server := start(t, sim.Options{Now: now, Clock: func() time.Time { return now }})
	c := tenant.Credentials()
	users := server.URL + "/v1/accounts/" + c.Account + "/users"
	token := bearerOf(t, server, c, "/v1/oauth/token")
	for _, step := range []struct {
		what  string
		do    func()
		token string
		want  int
	}{
		{"at once", func() {}, token, 200},
		{"without one", func() {}, "X: y", 401},
		{"of the other version", func() {}, bearerOf(t, server, c, "/v1beta1/users/oauth2/token"), 401},
		{"just before 15 minutes", func() { now = now.Add(15*time.Minute - time.Second) }, token, 200},
		{"after 15 minutes", func() { now = now.Add(time.Second) }, token, 401},
	} {
		step.do()
		if status, body := ask(t, "GET", users, "", step.token); status != step.want {
			t.Errorf("%s: got %d %s, want %d", step.what, status, body, step.want)
		}
	}
	fresh := bearerOf(t, server, c, "/v1/oauth/token")
	tenant.ExpireTokens()
	if status, _ := ask(t, "GET", users, "", fresh); status != 401 {
		t.Errorf("a token expired by hand: got %d", status)
	}
}

type listed struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	State string `json:"state"`
}

type page struct {
	Results []listed `json:"results"`
	Next    string   `json:"next_page_token"`
}

func listAll(t *testing.T, url, token, query string) page {
	t.Helper()
	var all page
	for more, next := true, ""; more; more = next != "" {
		status, body := ask(t, "GET", url+"?"+query+"&page_token="+next, "", token)
		var p page
		if err := json.Unmarshal([]byte(body), &p); err != nil || status != 200 {
			t.Fatalf("%d %.300s %v", status, body, err)
		}
		all.Results = append(all.Results, p.Results...)
		next = p.Next
	}
	return all
}

func TestListingIsCompleteAndFiltered(t *testing.T) {
	tenant, server := start(t, sim.Options{Users: 730})
	c := tenant.Credentials()
	users := server.URL + "/v1/accounts/" + c.Account + "/users"
	token := bearerOf(t, server, c, "/v1/oauth/token")
	ids, emails := map[string]bool{}, map[string]bool{}
	for _, u := range listAll(t, users, token, "max_page_size=100").Results {
		if len(u.ID) != 26 || strings.ToUpper(u.ID) != u.ID {
			t.Errorf("id %q", u.ID)
		}
		ids[u.ID], emails[u.Email] = true, true
	}
	if len(ids) != 730 || len(emails) != 730 {
		t.Errorf("%d ids, %d e-mails; want 730 of each", len(ids), len(emails))
	}
	active := listAll(t, users, token, "max_page_size=99&filter=user.isActive()")
	suspended := listAll(t, users, token, "filter=user.isSuspended()")
	if len(active.Results)+len(suspended.Results) != 730 || len(suspended.Results) < 5 {
		t.Errorf("%d active and %d suspended of 730", len(active.Results), len(suspended.Results))
	}
	for _, u := range suspended.Results {
		if u.State != "SUSPENDED" {
			t.Errorf("%s is %s", u.Email, u.State)
		}
	}
	if first := listAll(t, users, token, "max_page_size=1000"); len(first.Results) != 730 {
		t.Errorf("one large page has %d", len(first.Results))
	}
}

func TestSuspendAndReactivateAreIdempotentAndRecorded(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	c, who := tenant.Credentials(), tenant.Cast().Hijacked[1]
	token := bearerOf(t, server, c, "/v1/oauth/token")
	base := server.URL + "/v1/accounts/" + c.Account + "/users/" + who.ID
	for _, verb := range []string{"suspend", "suspend", "reactivate"} {
		if status, body := ask(t, "POST", base+":"+verb, "", token); status != 200 {
			t.Fatalf("%s: %d %s", verb, status, body)
		}
	}
	changes := tenant.Changes()
	want := []struct {
		before, after string
		changed       bool
	}{{"ACTIVE", "SUSPENDED", true}, {"SUSPENDED", "SUSPENDED", false}, {"SUSPENDED", "ACTIVE", true}}
	if len(changes) != len(want) {
		t.Fatalf("recorded %v", changes)
	}
	for i, c := range changes {
		if c.Before != want[i].before || c.After != want[i].after || c.Changed != want[i].changed || c.Email != who.Email {
			t.Errorf("change %d is %+v, want %+v", i, c, want[i])
		}
	}
	if closed, err := tenant.Suspended(who.ID); closed || err != nil {
		t.Errorf("suspended: %v, %v", closed, err)
	}
	if _, err := tenant.Suspended("nobody"); err == nil {
		t.Error("an unknown id has a state")
	}
}

func TestForbiddenOperations(t *testing.T) {
	tenant, server := start(t, sim.Options{Forbidden: []sim.Operation{sim.OpListUsers}})
	c := tenant.Credentials()
	token := bearerOf(t, server, c, "/v1/oauth/token")
	users := server.URL + "/v1/accounts/" + c.Account + "/users"
	if status, body := ask(t, "GET", users, "", token); status != 403 || !strings.Contains(body, "permission_denied") {
		t.Errorf("list: %d %s", status, body)
	}
	if status, body := ask(t, "GET", users+"/"+tenant.Cast().Slow.ID, "", token); status != 200 {
		t.Errorf("get: %d %s", status, body)
	}
}
