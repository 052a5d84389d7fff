package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserFindDormant is the action user.find_dormant.
type UserFindDormant struct{}

// memoryMargin keeps a request for everything a service remembers inside its
// memory while the request is under way.
const memoryMargin = time.Hour

// Spec declares user.find_dormant.
func (UserFindDormant) Spec() engine.ActionSpec {
	user := append(userFields(), engine.Field{
		Name: "last_seen", Type: engine.Maybe(engine.TypeTime()),
		Doc: "The last successful sign-in or use of an item; missing where there was none for as long as the services remember.",
	})
	return engine.ActionSpec{
		Name:    "user.find_dormant",
		Summary: "Find active users who have not used their account for a while.",
		Doc: `Returns the active users who existed before the period began and in it neither signed in successfully nor used a stored item. Both logs are needed: an app that stays signed in uses items for months without an attempt to sign in.

What is not known never makes anybody dormant. It is an error, and not *everybody*, to ask further back than a service remembers (120 days at 1Password), to ask with a token that may not read both logs, or where not one user of the directory appears in either log. A record without an id counts for every user who has its address; addresses that several users have are listed under ` + "`ambiguous`" + `.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityDirectory, CapabilitySignIns, CapabilityEvents},
		Inputs: []engine.Field{{
			Name: "for", Type: engine.TypeDuration(), Default: 90 * 24 * time.Hour,
			Doc: "How long an account must have been unused.", Example: "90d",
		}},
		Outputs: []engine.Field{
			{Name: "users", Type: engine.ListOf(engine.MapOf(user...)), Doc: "The dormant users, in the directory's order."},
			ambiguousField("All of these users count as having used their account."),
			{Name: "since", Type: engine.TypeTime(), Doc: "Where the period began."},
		},
		Examples: []engine.Example{{
			Title: "Suspend who has not been there for a quarter of a year, except who never came at all",
			YAML: `- id: dormant
  uses: user.find_dormant
  with: { for: 90d }
- id: sweep
  foreach: steps.dormant.users | filter(.last_seen != nil)
  as: user
  key: user.id
  label: user.email
  uses: user.suspend
  with: { id: "${{ user.id }}" }
`,
		}},
	}
}

// Observe finds the users.
func (UserFindDormant) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	dir, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Observation{}, err
	}
	seen, err := gatherActivity(ctx, call)
	if err != nil {
		return engine.Observation{}, err
	}
	since := call.Now.UTC().Add(-dormancy(call))
	users, count, err := sleepers(dir.Users(ctx, ""), seen, since)
	if err != nil {
		return engine.Observation{}, fmt.Errorf("reading the directory: %w", err)
	}
	if len(users) > 0 && !seen.claimed() {
		return engine.Observation{}, engine.Fail(engine.ClassInvalid, "no_activity",
			"no user of the directory appears in the sign-ins or item usages since %s: the logs seem to be of another account, or empty",
			since.Format(engine.TimeLayout))
	}
	return engine.Observation{
		Outputs:    map[string]any{"users": users, "ambiguous": seen.ambiguous(), "since": since},
		Population: population(conn, &count),
	}, nil
}

func dormancy(call engine.Call) time.Duration {
	d, _ := call.Inputs["for"].(time.Duration)
	return d
}

// gatherActivity is when people were last seen, by the id or address the logs name.
func gatherActivity(ctx context.Context, call engine.Call) (*records[time.Time], error) {
	log, _, err := engine.Offered[SignIns](call, CapabilitySignIns)
	if err != nil {
		return nil, err
	}
	events, _, err := engine.Offered[Events](call, CapabilityEvents)
	if err != nil {
		return nil, err
	}
	if err := rememberEnough(ctx, dormancy(call), log, events); err != nil {
		return nil, err
	}
	seen := newRecords[time.Time]()
	from := beginning(call, log.SignInsReach())
	for s, err := range log.SignIns(ctx, from, call.Now) {
		if err != nil {
			return nil, fmt.Errorf("reading sign-ins: %w", err)
		}
		if s.Result == SignInSuccess {
			note(seen.add(s.UserID, s.Email, s.Account), s.At)
		}
	}
	from = beginning(call, events.EventsReach())
	for u, err := range events.Events(ctx, EventItemUsages, from, call.Now) {
		if err != nil {
			return nil, fmt.Errorf("reading item usages: %w", err)
		}
		note(seen.add(u.UserID, u.Email, ""), u.At)
	}
	return seen, nil
}

// rememberEnough refuses what would make everybody look dormant.
func rememberEnough(ctx context.Context, period time.Duration, log SignIns, events Events) error {
	if period <= 0 {
		return engine.Fail(engine.ClassInvalid, "empty_window", "`for` must be longer than nothing")
	}
	if err := withinReach("sign-ins", period, log.SignInsReach()); err != nil {
		return err
	}
	if err := withinReach("item usages", period, events.EventsReach()); err != nil {
		return err
	}
	if err := events.Require(ctx, EventSignIns, EventItemUsages); err != nil {
		return fmt.Errorf("asking whether both logs may be read: %w", err)
	}
	return nil
}

// beginning is from where to read a log: all that it remembers, so that
// last_seen can be told, and never less than the period.
func beginning(call engine.Call, reach time.Duration) time.Time {
	return call.Now.UTC().Add(-max(dormancy(call), reach-memoryMargin))
}

func note(e *entry[time.Time], at time.Time) {
	if e != nil && at.After(e.data) {
		e.data = at.UTC()
	}
}

// sleepers are the active users who were created before, and not seen since.
func sleepers(all userSeq, seen *records[time.Time], since time.Time) ([]any, int64, error) {
	users := []any{}
	var count int64
	for u, err := range all {
		if err != nil {
			return nil, 0, err
		}
		count++
		last := lastSeen(seen.claim(u))
		if u.State != Active || !last.Before(since) {
			continue
		}
		if u.CreatedAt.IsZero() {
			return nil, 0, engine.Fail(engine.ClassPermanent, "no_creation_time", "the directory does not say when user %s was created", u.ID)
		}
		if !u.CreatedAt.Before(since) {
			continue
		}
		row := userValue(u)
		row["last_seen"] = timeOrNull(last)
		users = append(users, row)
	}
	return users, count, nil
}

func lastSeen(entries []*entry[time.Time]) time.Time {
	var last time.Time
	for _, e := range entries {
		if e.data.After(last) {
			last = e.data
		}
	}
	return last
}

func timeOrNull(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at
}
