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

Only the users that match are held in memory, so a directory of a million is no trouble while ` + "`where`" + ` picks a few. Where all of it is read, it also counts as the population that percentages of the guard are taken of.

With ` + "`page_size`" + ` or ` + "`page_token`" + ` it reads one page instead, on a connection that offers ` + "`user_pages`" + `, and ` + "`next_page_token`" + ` leads to the next. A page can be shorter than asked for, empty even, with more behind it. It is for looking and for piecewise exports: one page is never the population, and what is not on it says nothing about the directory.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityDirectory},
		Inputs: append([]engine.Field{
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
				Doc: "Stop after this many matches. Which ones they are is up to the service's order. Not with `page_size` or `page_token`.", Example: "100",
			},
		}, pageInputs()...),
		Outputs: []engine.Field{
			{Name: "users", Type: engine.ListOf(UserType()), Doc: "The users that match, in the service's order."},
			{
				Name: "next_page_token", Type: engine.Maybe(engine.TypeString()),
				Doc: "Where the page after this one begins; missing on the last page, and where everybody was read.",
			},
		},
		Examples: []engine.Example{{
			Title: "One page, and the one after it",
			YAML: `- id: first
  uses: user.list
  with: { page_size: 200 }
- id: second
  if: steps.first.next_page_token != nil
  uses: user.list
  with: { page_size: 200, page_token: "${{ steps.first.next_page_token ?? '' }}" }
`,
		}, {
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
	if asksForPage(call) {
		return onePage(ctx, call, keep)
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
	return engine.Observation{Outputs: map[string]any{"users": users, "next_page_token": nil}, Population: population(conn, count)}, nil
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
