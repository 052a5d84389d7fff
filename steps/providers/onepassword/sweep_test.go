package onepassword_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

const sweepUsers = 200_000

// wanted is a predicate such as a playbook would have.
func wanted(email, name string, created, cut time.Time) bool {
	return strings.HasSuffix(email, "@example.com") && strings.Contains(name, "Zander") && created.Before(cut)
}

// BenchmarkSweep compares listing an account with the least a client could do:
// fetch page after page and decode the same fields.
func BenchmarkSweep(b *testing.B) {
	h := build(b, sim.Options{Users: sweepUsers}, map[string]any{"page_size": int64(1000)})
	cut := time.Now().Add(-100 * 24 * time.Hour)
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if n := bareSweep(b, h, cut); n != sweepUsers {
				b.Fatalf("%d users", n)
			}
		}
		perUser(b)
	})
	b.Run("provider", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for u, err := range h.directory().Users(context.Background(), "") {
				if err != nil {
					b.Fatal(err)
				}
				_ = wanted(u.Email, u.Name, u.CreatedAt, cut)
				n++
			}
			if n != sweepUsers {
				b.Fatalf("%d users", n)
			}
		}
		perUser(b)
	})
}

func perUser(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sweepUsers, "ns/user")
}

func bareSweep(b *testing.B, h house, cut time.Time) (n int) {
	type user struct {
		ID      string    `json:"id"`
		Email   string    `json:"email"`
		Name    string    `json:"display_name"`
		State   string    `json:"state"`
		Created time.Time `json:"create_time"`
	}
	bearer := bareToken(b, h)
	for token := "start"; token != ""; {
		var page struct {
			Results []user `json:"results"`
			Next    string `json:"next_page_token"`
		}
		query := url.Values{"max_page_size": {"1000"}}
		if token != "start" {
			query.Set("page_token", token)
		}
		bareGet(b, h.server.URL+"/v1/accounts/"+h.tenant.Credentials().Account+"/users?"+query.Encode(), bearer, &page)
		for _, u := range page.Results {
			_ = wanted(u.Email, u.Name, u.Created, cut)
			n++
		}
		token = page.Next
	}
	return n
}

func bareToken(b *testing.B, h house) string {
	var token struct {
		Value string `json:"access_token"`
	}
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, h.server.URL+"/v1/oauth/token", strings.NewReader("grant_type=client_credentials"))
	req.SetBasicAuth(h.tenant.Credentials().ClientID, h.tenant.Credentials().ClientSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	bareDo(b, req, &token)
	return "Bearer " + token.Value
}

func bareGet(b *testing.B, url, bearer string, into any) {
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	req.Header.Set("Authorization", bearer)
	bareDo(b, req, into)
}

func bareDo(b *testing.B, req *http.Request, into any) {
	b.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		b.Fatal(err)
	}
}

// TestSweepKeepsLittle holds a long listing to a memory that does not grow
// with it, but for the eight bytes that guard against a repeated id.
func TestSweepKeepsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("lists 200,000 users")
	}
	h := build(t, sim.Options{Users: sweepUsers}, map[string]any{"page_size": int64(1000)})
	n, most := 0, uint64(0)
	start := heap()
	for _, err := range h.directory().Users(t.Context(), identity.Active) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%50_000 == 0 {
			most = max(most, heap())
		}
	}
	if n < sweepUsers*9/10 {
		t.Fatalf("only %d users", n)
	}
	if grown := int64(most) - int64(start); grown > 16<<20 {
		t.Errorf("a sweep of %d users kept %d bytes", n, grown)
	}
}

// heap is what is alive.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
