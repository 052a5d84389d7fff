package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

func dormant(t *testing.T, users []identity.User, l *log, period time.Duration) engine.Observation {
	t.Helper()
	return observe(t, identity.UserFindDormant{},
		callOf(identity.UserFindDormant{}, &directory{users: users}, l, map[string]any{"for": period}))
}

// present is a log in which "here" signed in yesterday, so that it is not empty.
func present() *log {
	return &log{signIns: []identity.SignIn{{ID: "1", At: ago(day), UserID: "here", Result: identity.SignInSuccess}}}
}

func TestFindDormant(t *testing.T) {
	const period = 90 * day
	created := func(before time.Duration) identity.User {
		u := user("a")
		u.CreatedAt = ago(before)
		return u
	}
	success := func(before time.Duration) []identity.SignIn {
		return []identity.SignIn{{ID: "a1", At: ago(before), UserID: "a", Result: identity.SignInSuccess}}
	}
	usage := func(before time.Duration) []identity.Event {
		return []identity.Event{{ID: "a2", At: ago(before), UserID: "a"}}
	}
	tests := []struct {
		name     string
		user     identity.User
		signIns  []identity.SignIn
		usages   []identity.Event
		dormant  bool
		lastSeen any
	}{
		{name: "never seen", user: user("a"), dormant: true},
		{name: "signed in", user: user("a"), signIns: success(day)},
		{name: "used an item without signing in", user: user("a"), usages: usage(day)},
		{name: "signed in just now", user: user("a"), signIns: success(time.Millisecond)},
		{name: "signed in at the beginning of the period", user: user("a"), signIns: success(period)},
		{name: "signed in before the period", user: user("a"), signIns: success(period + time.Second), dormant: true, lastSeen: ago(period + time.Second)},
		{name: "used an item before the period", user: user("a"), usages: usage(100 * day), signIns: success(110 * day), dormant: true, lastSeen: ago(100 * day)},
		{name: "created during the period", user: created(period - time.Second)},
		{name: "created at its beginning", user: created(period)},
		{name: "created before", user: created(period + time.Second), dormant: true},
		{name: "suspended", user: suspended(user("a"))},
		{name: "only failed to sign in", user: user("a"), signIns: []identity.SignIn{
			{ID: "f", At: ago(day), UserID: "a", Result: identity.SignInFailed},
			{ID: "g", At: ago(day), UserID: "a", Result: identity.SignInMFAFailed},
			{ID: "h", At: ago(day), UserID: "a", Result: identity.SignInBlocked},
		}, dormant: true},
		{name: "signed in without an id", user: user("a"), signIns: []identity.SignIn{
			{ID: "e", At: ago(day), Email: "A@EXAMPLE.com", Result: identity.SignInSuccess},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := present()
			l.signIns = append(l.signIns, tt.signIns...)
			l.usages = tt.usages
			seen := dormant(t, []identity.User{user("here"), tt.user}, l, period)
			var want []any
			if tt.dormant {
				row := map[string]any{"id": "a", "email": "a@example.com", "name": "User a", "state": "active", "created_at": tt.user.CreatedAt}
				row["last_seen"] = tt.lastSeen
				want = []any{row}
			}
			if diff := cmp.Diff(append([]any{}, want...), seen.Outputs["users"]); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(&engine.Population{Connection: "people", Count: 2}, seen.Population); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindDormantSparesTheAmbiguous(t *testing.T) {
	a, b := user("a"), user("b")
	a.Email, b.Email = "two@example.com", "Two@example.com"
	l := present()
	l.usages = []identity.Event{{ID: "u", At: ago(day), Email: "two@example.com"}}
	seen := dormant(t, []identity.User{user("here"), a, b}, l, 90*day)
	if diff := cmp.Diff([]any{}, seen.Outputs["users"]); diff != "" {
		t.Error(diff)
	}
	want := []any{map[string]any{"email": "two@example.com", "users": []any{"a", "b"}, "records": int64(1)}}
	if diff := cmp.Diff(want, seen.Outputs["ambiguous"]); diff != "" {
		t.Error(diff)
	}
}

func TestFindDormantReadsWhatTheServicesRemember(t *testing.T) {
	tests := []struct {
		period     time.Duration
		reach      time.Duration
		usageReach time.Duration
		want       []string
	}{
		{90 * day, 120 * day, 100 * day, []string{
			"signins 2026-07-25T13:00:00Z 2026-11-22T12:00:00Z", "usages 2026-08-14T13:00:00Z 2026-11-22T12:00:00Z",
		}},
		{120 * day, 120 * day, 120 * day, []string{
			"signins 2026-07-25T12:00:00Z 2026-11-22T12:00:00Z", "usages 2026-07-25T12:00:00Z 2026-11-22T12:00:00Z",
		}},
	}
	for _, tt := range tests {
		l := present()
		l.reach, l.usageReach = tt.reach, tt.usageReach
		dormant(t, []identity.User{user("here")}, l, tt.period)
		if diff := cmp.Diff(tt.want, l.asked); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFindDormantIsNeverEverybody(t *testing.T) {
	denied := engine.Fail(engine.ClassAuth, "feature", "the token may not read item usages")
	newcomer := user("a")
	newcomer.CreatedAt = time.Time{}
	tests := []struct {
		name   string
		users  []identity.User
		log    *log
		period time.Duration
		class  engine.Class
		code   string
	}{
		{"further back than the sign-ins", nil, &log{reach: 89 * day}, 90 * day, engine.ClassInvalid, "reach"},
		{"further back than the item usages", nil, &log{usageReach: 89 * day}, 90 * day, engine.ClassInvalid, "reach"},
		{"no period", nil, &log{}, 0, engine.ClassInvalid, "empty_window"},
		{"a token without a feature", nil, &log{requireErr: denied}, 90 * day, engine.ClassAuth, "feature"},
		{"empty logs", []identity.User{user("a")}, &log{}, 90 * day, engine.ClassInvalid, "no_activity"},
		{"logs of another account", []identity.User{user("a")}, present(), 90 * day, engine.ClassInvalid, "no_activity"},
		{"unknown age", []identity.User{user("here"), newcomer}, present(), 90 * day, engine.ClassPermanent, "no_creation_time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fails(t, identity.UserFindDormant{},
				callOf(identity.UserFindDormant{}, &directory{users: tt.users}, tt.log, map[string]any{"for": tt.period}), tt.class, tt.code)
		})
	}
}

func TestFindDormantIsCompleteOrFails(t *testing.T) {
	tests := map[string]struct {
		dir *directory
		log *log
	}{
		"directory":   {&directory{users: []identity.User{user("here")}, err: errBroken}, present()},
		"sign-ins":    {&directory{}, &log{err: errBroken}},
		"item usages": {&directory{}, &log{usagesErr: errBroken}},
		"features":    {&directory{}, &log{requireErr: errBroken}},
	}
	for name, tt := range tests {
		seen, err := identity.UserFindDormant{}.Observe(t.Context(), callOf(identity.UserFindDormant{}, tt.dir, tt.log, nil))
		if !errors.Is(err, errBroken) || seen.Outputs != nil {
			t.Errorf("%s: got %v, %v", name, seen, err)
		}
	}
}
