package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CodeNoPages is the code of an invalid failure: one page was asked of a
// connection that only has whole listings.
const CodeNoPages = "no_pages"

// pageInputs are the inputs that ask for one page.
func pageInputs() []engine.Field {
	one := int64(1)
	return []engine.Field{
		{
			Name: "page_size", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one, Needs: CapabilityUserPages,
			Doc: "Read one page of so many users instead of everybody. 1Password takes 1 to 1000.", Example: "200",
		},
		{
			Name: "page_token", Type: engine.Maybe(engine.TypeString()), Needs: CapabilityUserPages,
			Doc:     "Read the page that the `next_page_token` of an earlier step names. `state` must be the same as there.",
			Example: `"${{ steps.first.next_page_token ?? '' }}"`,
		},
	}
}

// asksForPage reports whether a call of user.list wants one page.
func asksForPage(call engine.Call) bool {
	_, sized := call.Inputs["page_size"].(int64)
	_, named := call.Inputs["page_token"].(string)
	return sized || named // also by an empty token: never everybody where one page was meant
}

// onePage answers a call of user.list with one page. It is never a population:
// nobody knows of how many it is a part.
func onePage(ctx context.Context, call engine.Call, keep *filter[User]) (engine.Observation, error) {
	if _, limited := call.Inputs["limit"]; limited {
		return engine.Observation{}, engine.Fail(engine.ClassInvalid, "limit", "`limit` goes with a whole listing, and `page_size` and `page_token` with one page; leave one of them out")
	}
	dir, err := engine.OfferedFor[UserPages](call, CapabilityDirectory, CapabilityUserPages, "page_size or page_token", CodeNoPages)
	if err != nil {
		return engine.Observation{}, err
	}
	state, _ := call.Inputs["state"].(string)
	token, _ := call.Inputs["page_token"].(string)
	size, _ := call.Inputs["page_size"].(int64)
	page, next, err := dir.UserPage(ctx, State(state), token, int(size))
	if err != nil {
		return engine.Observation{}, fmt.Errorf("listing one page of users: %w", err)
	}
	users := []any{}
	for _, u := range page {
		matches, err := keep.match(u)
		if err != nil {
			return engine.Observation{}, fmt.Errorf("user %s: %w", u.ID, err)
		}
		if matches {
			users = append(users, userValue(u))
		}
	}
	return engine.Observation{Outputs: map[string]any{"users": users, "next_page_token": orNull(next)}}, nil
}
