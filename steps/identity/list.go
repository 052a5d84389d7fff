package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserList is the action user.list.
type UserList struct{}

// Spec declares user.list.
func (UserList) Spec() engine.ActionSpec {
	one := int64(1)
	return engine.ActionSpec{
		Name:    "user.list",
		Summary: "List the users of a directory.",
		Doc: `Reads the directory page by page and keeps the users that match. It reads every page or fails: half a directory is never taken for a whole one.

Only the users that match are held in memory, so a directory of a million is no trouble while ` + "`where`" + ` picks a few. Where all of it is read, it also counts as the population that percentages of the guard are taken of.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityDirectory},
		Inputs: []engine.Field{
			{
				Name: "state", Type: engine.Maybe(stateType()),
				Doc: "Only users in this state. The service filters, so it saves requests.", Example: "active",
			},
			{
				Name: "where", Type: engine.Maybe(engine.PredicateOver(UserType())),
				Doc: "Only users for which this is true. The fields of a user are bare names.", Example: `email endsWith "@example.com"`,
			},
			{
				Name: "limit", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one,
				Doc: "Stop after this many matches. Which ones they are is up to the service's order.", Example: "100",
			},
		},
		Outputs: []engine.Field{
			{Name: "users", Type: engine.ListOf(UserType()), Doc: "The users that match, in the service's order."},
		},
		Examples: []engine.Example{{
			Title: "Contractors whose accounts are older than half a year",
			YAML: `- id: contractors
  uses: user.list
  with:
    state: active
    where: email endsWith "@contractors.example.com" and created_at < ago("180d")
`,
		}},
	}
}

// Observe lists the users.
func (UserList) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	dir, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Observation{}, err
	}
	keep, err := newFilter(call.Inputs["where"], UserType(), setUser)
	if err != nil {
		return engine.Observation{}, err
	}
	state, _ := call.Inputs["state"].(string)
	limit, _ := call.Inputs["limit"].(int64)
	users, count, err := collectUsers(dir.Users(ctx, State(state)), keep, limit)
	if err != nil {
		return engine.Observation{}, fmt.Errorf("listing users: %w", err)
	}
	if state != "" {
		count = nil // the others were never counted
	}
	return engine.Observation{Outputs: map[string]any{"users": users}, Population: population(conn, count)}, nil
}

// collectUsers keeps the matching users, and counts all where it came to the end.
func collectUsers(all userSeq, keep *filter[User], limit int64) ([]any, *int64, error) {
	users := []any{}
	var count int64
	for u, err := range all {
		if err != nil {
			return nil, nil, err
		}
		count++
		matches, err := keep.match(u)
		if err != nil {
			return nil, nil, fmt.Errorf("user %s: %w", u.ID, err)
		}
		if !matches {
			continue
		}
		users = append(users, userValue(u))
		if int64(len(users)) == limit {
			return users, nil, nil
		}
	}
	return users, &count, nil
}
