package identity

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserGet is the action user.get.
type UserGet struct{}

// Spec declares user.get.
func (UserGet) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "user.get",
		Summary: "Look up one user by id or by e-mail address.",
		Doc: `Finds exactly one user. A user who does not exist is an error of class ` + "`not_found`" + `, which ` + "`try`" + ` can catch.

By ` + "`id`" + ` it is one request. By ` + "`email`" + ` it may take more: a service that cannot be asked for an address is read as a whole. Upper and lower case are the same. An address that several accounts have is an error that names them.`,
		Effect:     engine.Observe,
		Needs:      []engine.Capability{CapabilityDirectory},
		Inputs:     selectorInputs(),
		ExactlyOne: [][]string{{"id", "email"}},
		Outputs:    []engine.Field{{Name: "user", Type: UserType(), Doc: "The user."}},
		Examples: []engine.Example{{
			Title: "Find somebody by e-mail address",
			YAML: `- id: sam
  uses: user.get
  with: { email: sam@example.com }
- id: usable
  set: { active: "${{ steps.sam.user.state == 'active' }}" }
`,
		}},
	}
}

// Observe looks the user up.
func (UserGet) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	dir, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Observation{}, err
	}
	u, count, err := selectUser(ctx, dir, call.Inputs)
	if err != nil {
		return engine.Observation{}, err
	}
	return engine.Observation{Outputs: map[string]any{"user": userValue(u)}, Population: population(conn, count)}, nil
}
