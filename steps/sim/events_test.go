package sim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

const jsonType = "Content-Type: application/json"

type attempt struct {
	UUID      string    `json:"uuid"`
	Timestamp time.Time `json:"timestamp"`
	Category  string    `json:"category"`
	User      struct {
		UUID  string `json:"uuid"`
		Email string `json:"email"`
	} `json:"target_user"`
	Client struct {
		IP string `json:"ip_address"`
	} `json:"client"`
}

type eventsPage struct {
	Cursor  string    `json:"cursor"`
	HasMore bool      `json:"has_more"`
	Items   []attempt `json:"items"`
}

// readEvents pages through a feature and counts the empty pages in between.
func readEvents(t *testing.T, server *sim.Server, token, feature string, from, to time.Time, limit int) (all []attempt, empty int) {
	t.Helper()
	body := fmt.Sprintf(`{"limit":%d,"start_time":%q,"end_time":%q}`, limit, from.Format(time.RFC3339), to.Format(time.RFC3339))
	for range 10_000 {
		status, answer := ask(t, "POST", server.URL+"/api/v2/"+feature, body, jsonType, "Authorization: Bearer "+token)
		var p eventsPage
		if err := json.Unmarshal([]byte(answer), &p); err != nil || status != 200 {
			t.Fatalf("%d %.300s %v", status, answer, err)
		}
		all = append(all, p.Items...)
		if !p.HasMore {
			return all, empty
		}
		if len(p.Items) == 0 {
			empty++
		}
		body = fmt.Sprintf(`{"cursor":%q}`, p.Cursor)
	}
	t.Fatal("the events never end")
	return nil, 0
}

func TestEventsAPIIsStrict(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	now := tenant.Now()
	at := func(ago time.Duration) string { return now.Add(-ago).Format(time.RFC3339) }
	full := tenant.Credentials().EventsToken
	_, first := ask(t, "POST", server.URL+"/api/v2/signinattempts", `{"limit":1}`, jsonType, "Authorization: Bearer "+full)
	var p eventsPage
	if err := json.Unmarshal([]byte(first), &p); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path, token, body string
		want              int
		message           string
	}{
		"window":              {"signinattempts", full, `{"limit":10,"start_time":"` + at(time.Hour) + `"}`, 200, `"items"`},
		"cursor":              {"signinattempts", full, `{"cursor":"` + p.Cursor + `"}`, 200, `"items"`},
		"both forms":          {"signinattempts", full, `{"limit":10,"cursor":"` + p.Cursor + `"}`, 400, "combined"},
		"cursor elsewhere":    {"itemusages", full, `{"cursor":"` + p.Cursor + `"}`, 400, "invalid cursor"},
		"forged cursor":       {"signinattempts", full, `{"cursor":"abc.1.2.3.4"}`, 400, "invalid cursor"},
		"limit of 1001":       {"signinattempts", full, `{"limit":1001}`, 400, "limit"},
		"limit of 0":          {"signinattempts", full, `{"limit":0}`, 400, "limit"},
		"unknown field":       {"signinattempts", full, `{"limit":5,"from":"x"}`, 400, "malformed"},
		"no body":             {"signinattempts", full, ``, 400, "malformed"},
		"121 days ago":        {"signinattempts", full, `{"limit":5,"start_time":"` + at(121*24*time.Hour) + `"}`, 400, "120 days"},
		"backwards":           {"signinattempts", full, `{"limit":5,"start_time":"` + at(0) + `","end_time":"` + at(time.Hour) + `"}`, 400, "before"},
		"no token":            {"signinattempts", "", `{"limit":5}`, 401, `{"Error":{"Message":`},
		"not a token of ours": {"signinattempts", "a.b.c", `{"limit":5}`, 401, "Unauthorized"},
		"feature missing":     {"itemusages", tenant.EventsToken("signinattempts"), `{"limit":5}`, 401, "Unauthorized"},
		"unknown path":        {"audit", full, `{"limit":5}`, 404, `"Error"`},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, "POST", server.URL+"/api/v2/"+tt.path, tt.body, jsonType, "Authorization: Bearer "+tt.token)
			if status != tt.want || !strings.Contains(body, tt.message) {
				t.Errorf("got %d %.200s, want %d with %q", status, body, tt.want, tt.message)
			}
		})
	}
}

func TestIntrospectNamesTheFeatures(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	token := tenant.EventsToken("itemusages")
	status, body := ask(t, "GET", server.URL+"/api/v2/auth/introspect", "", "Authorization: Bearer "+token)
	if status != 200 || !strings.Contains(body, `"features":["itemusages"]`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestEventsAreCompleteAcrossEmptyPages(t *testing.T) {
	tenant, server := start(t, sim.Options{})
	token, now := tenant.Credentials().EventsToken, tenant.Now()
	whole, _ := readEvents(t, server, token, "signinattempts", now.Add(-48*time.Hour), now, 1000)
	small, empty := readEvents(t, server, token, "signinattempts", now.Add(-48*time.Hour), now, 70)
	if len(whole) < 1000 || len(whole) != len(small) || empty == 0 {
		t.Errorf("%d in large pages, %d in small ones with %d empty in between", len(whole), len(small), empty)
	}
	seen := map[string]bool{}
	for i, a := range small {
		if seen[a.UUID] {
			t.Errorf("%s is there twice", a.UUID)
		}
		seen[a.UUID] = true
		if i > 0 && a.Timestamp.Before(small[i-1].Timestamp) {
			t.Errorf("record %d is older than the one before", i)
		}
	}
}

// successAfterFailures is, per person and address, the most failures followed
// within an hour by a success from the same address.
func successAfterFailures(all []attempt) map[string]int {
	most := map[string]int{}
	failures := map[[2]string][]time.Time{}
	for _, a := range all {
		who := a.User.UUID
		if who == "" {
			who = strings.ToLower(a.User.Email)
		}
		key := [2]string{who, a.Client.IP}
		switch a.Category {
		case "credentials_failed", "mfa_failed":
			failures[key] = append(failures[key], a.Timestamp)
		case "success":
			n := 0
			for _, at := range failures[key] {
				if a.Timestamp.Sub(at) <= time.Hour {
					n++
				}
			}
			most[who] = max(most[who], n)
		}
	}
	return most
}

func TestExactlyTheHijackedLookHijacked(t *testing.T) {
	for _, o := range []sim.Options{{}, {Seed: 7, Users: 500}, {Seed: 99, Users: 3000}, {Users: 100}} {
		tenant, server := start(t, o)
		now := tenant.Now()
		all, _ := readEvents(t, server, tenant.Credentials().EventsToken, "signinattempts", now.Add(-24*time.Hour), now.Add(-5*time.Minute), 1000)
		cast := tenant.Cast()
		allowed := map[string]bool{"sam.taylor@example.com": true} // ambiguous
		for _, p := range cast.Hijacked {
			allowed[p.ID], allowed[p.Email] = true, true
		}
		found := 0
		for who, n := range successAfterFailures(all) {
			if n < 3 {
				continue
			}
			if !allowed[who] || n < 5 {
				t.Errorf("%+v: %s has %d failures before a success", o, who, n)
			}
			found++
		}
		if found != 4 {
			t.Errorf("%+v: %d look hijacked, want three and the ambiguous one", o, found)
		}
	}
}

func TestExactlyTheDormantAreSilent(t *testing.T) {
	tenant, server := start(t, sim.Options{Users: 400})
	c, now := tenant.Credentials(), tenant.Now()
	active := map[string]bool{}
	attempts, _ := readEvents(t, server, c.EventsToken, "signinattempts", now.Add(-90*24*time.Hour), now, 1000)
	for _, a := range attempts {
		if a.Category == "success" {
			active[a.User.UUID] = true
		}
	}
	for _, id := range usersOfItems(t, server, c.EventsToken, now) {
		active[id] = true
	}
	silent := map[string]bool{}
	users := server.URL + "/v1/accounts/" + c.Account + "/users"
	for _, u := range listAll(t, users, bearerOf(t, server, c, "/v1/oauth/token"), "max_page_size=1000&filter=user.isActive()").Results {
		if !active[u.ID] {
			silent[u.ID] = true
		}
	}
	cast := tenant.Cast()
	for _, p := range append(cast.Dormant, cast.BreakGlass, cast.NewHire) {
		if !silent[p.ID] {
			t.Errorf("%s is not silent", p.Email)
		}
		delete(silent, p.ID)
	}
	if len(silent) > 0 {
		t.Errorf("silent without being dormant: %v", silent)
	}
}

// usersOfItems are the people who used an item; their id stands elsewhere than in an attempt.
func usersOfItems(t *testing.T, server *sim.Server, token string, now time.Time) (ids []string) {
	t.Helper()
	body := fmt.Sprintf(`{"limit":1000,"start_time":%q}`, now.Add(-90*24*time.Hour).Format(time.RFC3339))
	for range 1000 {
		_, answer := ask(t, "POST", server.URL+"/api/v2/itemusages", body, jsonType, "Authorization: Bearer "+token)
		var p struct {
			Cursor  string `json:"cursor"`
			HasMore bool   `json:"has_more"`
			Items   []struct {
				User struct {
					UUID string `json:"uuid"`
				} `json:"user"`
			} `json:"items"`
		}
		if err := json.Unmarshal([]byte(answer), &p); err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			ids = append(ids, item.User.UUID)
		}
		if !p.HasMore {
			return ids
		}
		body = fmt.Sprintf(`{"cursor":%q}`, p.Cursor)
	}
	t.Fatal("the item usages never end")
	return nil
}
