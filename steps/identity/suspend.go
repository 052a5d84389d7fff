package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserSuspend is the action user.suspend, the inverse of user.reactivate.
type UserSuspend struct{}

// Spec declares user.suspend.
func (UserSuspend) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "user.suspend",
		Summary: "Take away a user's access, in a way that can be taken back.",
		Doc: `Suspends one account: nobody can use it until it is reactivated. What it has access to stays configured, so ` + "`user.reactivate`" + ` puts everything back.

An account that is suspended already is left alone: the step ends ` + "`unchanged`" + ` and ` + "`changed`" + ` is false. Some accounts can never be suspended, and trying to is a permanent failure: the last owner of a 1Password account (code ` + "`last_owner`" + `), people who are managed by another system (code ` + "`externally_managed`" + `), and whoever the connection acts as (code ` + "`self`" + `).

Taking access away is not undone by itself: with ` + "`for:`" + ` the engine asks at the time given, and no answer keeps the account suspended.`,
		Effect:     engine.Change,
		Needs:      []engine.Capability{CapabilityDirectory},
		Inputs:     selectorInputs(),
		ExactlyOne: [][]string{{"id", "email"}},
		Outputs:    stateOutputs("suspended"),
		Inverse:    "user.reactivate",
		Access:     engine.Takes,
		Examples: []engine.Example{{
			Title: "Suspend the accounts of a list",
			YAML: `- id: leavers
  uses: user.list
  with:
    state: active
    where: email endsWith "@leavers.example.com"
- id: suspend
  foreach: steps.leavers.users
  as: user
  key: user.id
  label: user.email
  uses: user.suspend
  with: { id: "${{ user.id }}" }
`,
		}},
	}
}

// Read observes the user's state.
func (UserSuspend) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	return readState(ctx, call)
}

// Recognize tells the user from a row of user.list and the like.
func (UserSuspend) Recognize(call engine.Call, row map[string]any) (engine.Subject, bool) {
	return recognize(call, row)
}

// Preview says that the user would be suspended.
func (UserSuspend) Preview(_ engine.Call, before engine.Subject) (engine.Preview, error) {
	return previewState(before, Suspended, "user.reactivate"), nil
}

// Perform suspends the user.
func (UserSuspend) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	dir, _, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return nil, err
	}
	if _, err := dir.Suspend(ctx, before.Target.ID); err != nil {
		return nil, fmt.Errorf("suspending user %s: %w", before.Target.ID, err)
	}
	return stateChanged(before, Suspended, true), nil
}
