package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// signIn is a success of a user from an ordinary place.
func signIn(id string, before time.Duration) identity.SignIn {
	return identity.SignIn{
		ID: id, At: ago(before), UserID: "a", Email: "a@example.com", Name: "User a",
		Result: identity.SignInSuccess, Reason: "credentials_ok", IP: "192.0.2.1", Country: "DE",
	}
}

func TestSignInListWindows(t *testing.T) {
	edges := &log{signIns: []identity.SignIn{
		signIn("now", 0), signIn("4m", 4*time.Minute), signIn("5m", 5*time.Minute), signIn("6m", 6*time.Minute),
		signIn("1h5m", 65*time.Minute), signIn("1h6m", 66*time.Minute), signIn("2h", 2*time.Hour),
	}}
	tests := []struct {
		name   string
		inputs map[string]any
		want   []any
		from   time.Time
		to     time.Time
	}{
		{
			"a window ends before now and includes its beginning", map[string]any{"window": time.Hour},
			[]any{"1h5m", "6m"}, ago(65 * time.Minute), ago(5 * time.Minute),
		},
		{
			"without lag", map[string]any{"window": 5 * time.Minute, "lag": time.Duration(0)},
			[]any{"5m", "4m"}, ago(5 * time.Minute), now(),
		},
		{
			"from a time on", map[string]any{"from": ago(66 * time.Minute)},
			[]any{"1h6m", "1h5m", "6m"}, ago(66 * time.Minute), ago(5 * time.Minute),
		},
		{
			"between times", map[string]any{"from": ago(2 * time.Hour), "to": ago(65 * time.Minute)},
			[]any{"2h", "1h6m"}, ago(2 * time.Hour), ago(65 * time.Minute),
		},
		{
			"a window before a time", map[string]any{"window": time.Hour, "to": ago(time.Hour)},
			[]any{"2h", "1h6m", "1h5m"}, ago(2 * time.Hour), ago(time.Hour),
		},
		{
			"never to now", map[string]any{"window": 2 * time.Minute, "to": now()},
			[]any{"6m"}, ago(7 * time.Minute), ago(5 * time.Minute),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := observe(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, edges, tt.inputs))
			if diff := cmp.Diff(tt.want, pick(seen.Outputs["signins"], "id")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]time.Time{tt.from, tt.to}, []time.Time{seen.Outputs["from"].(time.Time), seen.Outputs["to"].(time.Time)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSignInListReach(t *testing.T) {
	refused := []map[string]any{
		{"window": 120*day + time.Millisecond},
		{"from": ago(120*day + time.Millisecond)},
		{"window": 60 * day, "to": ago(100 * day)},
	}
	for _, inputs := range refused {
		fails(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, &log{}, inputs), engine.ClassInvalid, "reach")
	}
	l := &log{}
	observe(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, l, map[string]any{"window": 120 * day}))
	if diff := cmp.Diff([]string{"signins 2026-07-25T12:00:00Z 2026-11-22T11:55:00Z"}, l.asked); diff != "" {
		t.Errorf("the whole memory must be readable: %s", diff)
	}
}

func TestSignInListEmptyWindow(t *testing.T) {
	for _, inputs := range []map[string]any{
		{"window": time.Duration(0)},
		{"from": now()},
		{"from": ago(time.Hour), "to": ago(time.Hour)},
		{"from": ago(time.Hour), "to": ago(2 * time.Hour)},
	} {
		fails(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, &log{}, inputs), engine.ClassInvalid, "empty_window")
	}
}

func TestSignInListSortsAndTellsEachOnce(t *testing.T) {
	l := &log{signIns: []identity.SignIn{
		signIn("b", time.Hour), signIn("c", 30*time.Minute), signIn("b", time.Hour), signIn("a", time.Hour), signIn("c", 30*time.Minute),
	}}
	seen := observe(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, l, map[string]any{"window": day}))
	if diff := cmp.Diff([]any{"a", "b", "c"}, pick(seen.Outputs["signins"], "id")); diff != "" {
		t.Error(diff)
	}
}

func TestSignInListRows(t *testing.T) {
	latitude := 48.8
	full := signIn("full", time.Hour)
	full.Latitude = &latitude
	bare := identity.SignIn{ID: "bare", At: ago(30 * time.Minute), Result: identity.SignInBlocked}
	seen := observe(t, identity.SignInList{}, callOf(identity.SignInList{}, nil, &log{signIns: []identity.SignIn{full, bare}}, map[string]any{
		"window": day, "where": where(`country == nil or result == "success"`),
	}))
	want := []any{
		map[string]any{
			"id": "full", "at": ago(time.Hour), "user_id": "a", "email": "a@example.com", "name": "User a", "result": "success",
			"reason": "credentials_ok", "ip": "192.0.2.1", "country": "DE", "latitude": 48.8, "longitude": nil,
		},
		map[string]any{
			"id": "bare", "at": ago(30 * time.Minute), "user_id": nil, "email": nil, "name": nil, "result": "blocked",
			"reason": nil, "ip": nil, "country": nil, "latitude": nil, "longitude": nil,
		},
	}
	if diff := cmp.Diff(want, seen.Outputs["signins"]); diff != "" {
		t.Error(diff)
	}
}

func TestSignInListIsCompleteOrFails(t *testing.T) {
	l := &log{signIns: []identity.SignIn{signIn("a", time.Hour)}, err: errBroken}
	seen, err := identity.SignInList{}.Observe(t.Context(), callOf(identity.SignInList{}, nil, l, map[string]any{"window": day}))
	if !errors.Is(err, errBroken) || seen.Outputs != nil {
		t.Errorf("got %v, %v", seen, err)
	}
}
