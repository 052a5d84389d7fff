package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserReactivate is the action user.reactivate, the inverse of user.suspend.
type UserReactivate struct{}

// Spec declares user.reactivate.
func (UserReactivate) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "user.reactivate",
		Summary: "Give a suspended user their access back.",
		Doc: `Reactivates one account, with everything it had access to when it was suspended. An account that is active already is left alone: the step ends ` + "`unchanged`" + ` and ` + "`changed`" + ` is false.

Giving access is undone by itself: with ` + "`for:`" + ` the account is suspended again at the time given, whatever became of the run.`,
		Effect:     engine.Change,
		Needs:      []engine.Capability{CapabilityDirectory},
		Inputs:     selectorInputs(),
		ExactlyOne: [][]string{{"id", "email"}},
		Outputs:    stateOutputs("active"),
		Inverse:    "user.suspend",
		Access:     engine.Gives,
		Examples: []engine.Example{{
			Title: "Let somebody in again",
			YAML: `- uses: user.reactivate
  with: { email: sam@example.com }
`,
		}},
	}
}

// Read observes the user's state.
func (UserReactivate) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	return readState(ctx, call)
}

// Recognize tells the user from a row of user.list and the like.
func (UserReactivate) Recognize(call engine.Call, row map[string]any) (engine.Subject, bool) {
	return recognize(call, row)
}

// Preview says that the user would be active.
func (UserReactivate) Preview(_ engine.Call, before engine.Subject) (engine.Preview, error) {
	return previewState(before, Active, "user.suspend"), nil
}

// Perform reactivates the user.
func (UserReactivate) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	dir, _, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return nil, err
	}
	if _, err := dir.Reactivate(ctx, before.Target.ID); err != nil {
		return nil, fmt.Errorf("reactivating user %s: %w", before.Target.ID, err)
	}
	return stateChanged(before, Active, true), nil
}
