package identity_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// attempt is a sign-in of whoever the id and address name.
func attempt(id, user, email string, result identity.SignInResult) identity.SignIn {
	return identity.SignIn{ID: id, At: ago(time.Hour), UserID: user, Email: email, Result: result, IP: "192.0.2.1", Country: "DE"}
}

// rules are the input of that name: name and predicate by turns.
func rules(pairs ...string) []any {
	var list []any
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, map[string]any{"name": pairs[i], "when": where(pairs[i+1])})
	}
	return list
}

func suspicious(t *testing.T, users []identity.User, signIns []identity.SignIn, inputs map[string]any) engine.Observation {
	t.Helper()
	return observe(t, identity.UserFindSuspicious{},
		callOf(identity.UserFindSuspicious{}, &directory{users: users}, &log{signIns: signIns}, inputs))
}

func TestFindSuspicious(t *testing.T) {
	users := []identity.User{user("c"), user("a"), user("b"), user("quiet")}
	guess := attempt("1", "a", "a@example.com", identity.SignInFailed)
	guess.At = ago(2 * time.Hour)
	in := attempt("2", "a", "a@example.com", identity.SignInSuccess)
	in.At = ago(90 * time.Minute)
	seen := suspicious(t, users, []identity.SignIn{
		in, guess,
		attempt("3", "b", "b@example.com", identity.SignInSuccess),
		attempt("4", "c", "c@example.com", identity.SignInMFAFailed),
	}, map[string]any{"rules": rules("guessed", "success_after_failures > 0", "any", "failed + mfa_failed > 0")})

	want := []any{map[string]any{
		"id": "a", "email": "a@example.com", "name": "User a", "state": "active", "created_at": ago(365 * day),
		"reasons": []any{"guessed", "any"},
		"evidence": map[string]any{
			"failed": int64(1), "succeeded": int64(1), "blocked": int64(0), "mfa_failed": int64(0),
			"countries": []any{"DE"}, "success_countries": []any{"DE"}, "ips": []any{"192.0.2.1"},
			"first_seen": ago(2 * time.Hour), "last_seen": ago(90 * time.Minute),
			"success_after_failures": int64(1), "success_after_failures_ip": "192.0.2.1", "km_per_hour": nil,
		},
	}}
	list := seen.Outputs["users"].([]any)
	if diff := cmp.Diff(want, list[:1]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"a", "c"}, pick(list, "id")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&engine.Population{Connection: "people", Count: 4}, seen.Population); diff != "" {
		t.Error(diff)
	}
	if got := seen.Outputs["to"]; got != ago(5*time.Minute) {
		t.Errorf("the window ends at %v", got)
	}
}

// TestFindSuspiciousJoins counts failures to see whose record an attempt became.
func TestFindSuspiciousJoins(t *testing.T) {
	twin := func(id, email, account string) identity.User {
		u := user(id)
		u.Email, u.Account = email, account
		return u
	}
	inAccount := func(s identity.SignIn, account string) identity.SignIn {
		s.Account = account
		return s
	}
	tests := []struct {
		name      string
		users     []identity.User
		signIns   []identity.SignIn
		want      map[string]int64 // failures by user
		ambiguous []any
		unknown   int64
	}{
		{
			name: "by id, whatever the address says", users: []identity.User{user("a"), user("b")},
			signIns: []identity.SignIn{attempt("1", "a", "b@example.com", identity.SignInFailed)},
			want:    map[string]int64{"a": 1},
		},
		{
			name: "an id nobody has is not joined by its address", users: []identity.User{user("a")},
			signIns: []identity.SignIn{attempt("1", "gone", "a@example.com", identity.SignInFailed)},
			want:    map[string]int64{}, unknown: 1,
		},
		{
			name: "by address in any case, together with those by id", users: []identity.User{user("a")},
			signIns: []identity.SignIn{
				attempt("1", "a", "", identity.SignInFailed), attempt("2", "", "A@Example.COM", identity.SignInFailed),
			},
			want: map[string]int64{"a": 2},
		},
		{
			name: "not by an address that only looks the same", users: []identity.User{twin("a", "kim@example.com", "")},
			signIns: []identity.SignIn{attempt("1", "", "\u212aim@example.com", identity.SignInFailed)},
			want:    map[string]int64{}, unknown: 1,
		},
		{
			name: "an address of several is ambiguous", users: []identity.User{twin("b", "Two@example.com", ""), twin("a", "two@example.com", "")},
			signIns: []identity.SignIn{
				attempt("1", "", "two@example.com", identity.SignInFailed), attempt("2", "", "TWO@example.com", identity.SignInFailed),
				attempt("3", "b", "two@example.com", identity.SignInFailed),
			},
			want:      map[string]int64{"b": 1},
			ambiguous: []any{map[string]any{"email": "two@example.com", "users": []any{"a", "b"}, "records": int64(2)}},
		},
		{
			name:  "an address counts within its account",
			users: []identity.User{twin("a", "two@example.com", "ours"), twin("b", "two@example.com", "theirs")},
			signIns: []identity.SignIn{
				inAccount(attempt("1", "", "two@example.com", identity.SignInFailed), "ours"),
				inAccount(attempt("2", "", "two@example.com", identity.SignInFailed), "third"),
			},
			want: map[string]int64{"a": 1}, unknown: 1,
		},
		{
			name:  "an unknown account is any account",
			users: []identity.User{twin("a", "two@example.com", "ours"), twin("b", "two@example.com", "theirs")},
			signIns: []identity.SignIn{
				attempt("1", "", "two@example.com", identity.SignInFailed),
			},
			want:      map[string]int64{},
			ambiguous: []any{map[string]any{"email": "two@example.com", "users": []any{"a", "b"}, "records": int64(1)}},
		},
		{
			name: "delivered twice, counted once", users: []identity.User{user("a")},
			signIns: []identity.SignIn{
				attempt("1", "a", "", identity.SignInFailed), attempt("2", "a", "", identity.SignInFailed), attempt("1", "a", "", identity.SignInFailed),
			},
			want: map[string]int64{"a": 2},
		},
		{
			name: "nobody is named", users: []identity.User{user("a")},
			signIns: []identity.SignIn{attempt("1", "", "", identity.SignInFailed), attempt("2", "", "x@example.com", identity.SignInFailed)},
			want:    map[string]int64{}, unknown: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := suspicious(t, tt.users, tt.signIns, map[string]any{"rules": rules("seen", "failed > 0")})
			got := make(map[string]int64)
			for _, row := range seen.Outputs["users"].([]any) {
				u := row.(map[string]any)
				got[u["id"].(string)] = u["evidence"].(map[string]any)["failed"].(int64)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.ambiguous == nil {
				tt.ambiguous = []any{}
			}
			if diff := cmp.Diff(tt.ambiguous, seen.Outputs["ambiguous"]); diff != "" {
				t.Error(diff)
			}
			if got := seen.Outputs["unknown"]; got != tt.unknown {
				t.Errorf("%v are unknown, want %d", got, tt.unknown)
			}
		})
	}
}

func TestFindSuspiciousLeavesOutTheSuspended(t *testing.T) {
	users := []identity.User{suspended(user("a")), user("b")}
	signIns := []identity.SignIn{
		attempt("1", "a", "", identity.SignInFailed), attempt("2", "b", "", identity.SignInFailed),
	}
	everybody := rules("all", "true")
	seen := suspicious(t, users, signIns, map[string]any{"rules": everybody})
	if diff := cmp.Diff([]any{"b"}, pick(seen.Outputs["users"], "id")); diff != "" {
		t.Error(diff)
	}
	seen = suspicious(t, users, signIns, map[string]any{"rules": everybody, "include_suspended": true})
	if diff := cmp.Diff([]any{"a", "b"}, pick(seen.Outputs["users"], "id")); diff != "" {
		t.Error(diff)
	}
}

// TestFindSuspiciousRowsDoNotMix guards the row that is reused.
func TestFindSuspiciousRowsDoNotMix(t *testing.T) {
	fast := attempt("1", "a", "", identity.SignInSuccess)
	far := attempt("2", "a", "", identity.SignInSuccess)
	fast.Latitude, fast.Longitude, far.Latitude, far.Longitude = degree(52.5), degree(13.4), degree(-33.8), degree(151.2)
	seen := suspicious(t, []identity.User{user("a"), user("b")}, []identity.SignIn{
		fast, far, attempt("3", "b", "", identity.SignInSuccess),
	}, map[string]any{"rules": rules("fast", "km_per_hour != nil")})
	if diff := cmp.Diff([]any{"a"}, pick(seen.Outputs["users"], "id")); diff != "" {
		t.Error(diff)
	}
}

func degree(d float64) *float64 { return &d }

func TestFindSuspiciousRefuses(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]any
		code   string
	}{
		{"no rules", map[string]any{"rules": []any{}}, "no_rules"},
		{"a rule without a name", map[string]any{"rules": rules("", "true")}, "rule_name"},
		{"two rules of one name", map[string]any{"rules": rules("x", "true", "x", "false")}, "rule_name"},
		{"too far back", map[string]any{"rules": rules("x", "true"), "window": 121 * day}, "reach"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fails(t, identity.UserFindSuspicious{},
				callOf(identity.UserFindSuspicious{}, &directory{}, &log{}, tt.inputs), engine.ClassInvalid, tt.code)
		})
	}
}

func TestFindSuspiciousRefusesABrokenRule(t *testing.T) {
	call := callOf(identity.UserFindSuspicious{}, &directory{}, &log{}, map[string]any{"rules": rules("typo", "faild > 0")})
	if _, err := (identity.UserFindSuspicious{}).Observe(t.Context(), call); err == nil {
		t.Error("a rule over an unknown field selected without an error")
	}
}

func TestFindSuspiciousIsCompleteOrFails(t *testing.T) {
	inputs := map[string]any{"rules": rules("all", "true")}
	one := []identity.SignIn{attempt("1", "a", "", identity.SignInFailed)}
	calls := map[string]engine.Call{
		"sign-ins":  callOf(identity.UserFindSuspicious{}, &directory{users: []identity.User{user("a")}}, &log{signIns: one, err: errBroken}, inputs),
		"directory": callOf(identity.UserFindSuspicious{}, &directory{users: []identity.User{user("a")}, err: errBroken}, &log{signIns: one}, inputs),
	}
	for name, call := range calls {
		seen, err := identity.UserFindSuspicious{}.Observe(t.Context(), call)
		if !errors.Is(err, errBroken) || seen.Outputs != nil {
			t.Errorf("%s: got %v, %v", name, seen, err)
		}
	}
}

func TestFindSuspiciousNoticesAnotherAccount(t *testing.T) {
	var strangers []identity.SignIn
	for i := range 10 {
		id := fmt.Sprint("stranger", i)
		strangers = append(strangers, attempt(id, id, "", identity.SignInFailed))
	}
	inputs := map[string]any{"rules": rules("all", "true")}
	dir := &directory{users: []identity.User{user("a")}}
	fails(t, identity.UserFindSuspicious{}, callOf(identity.UserFindSuspicious{}, dir, &log{signIns: strangers}, inputs),
		engine.ClassInvalid, "other_account")

	seen := suspicious(t, dir.users, strangers[:9], inputs)
	if got := seen.Outputs["unknown"]; got != int64(9) {
		t.Errorf("a few strangers are no reason to fail: %v", seen.Outputs)
	}
	suspicious(t, dir.users, append(strangers, attempt("known", "a", "", identity.SignInFailed)), inputs)
}
