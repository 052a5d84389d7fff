package identity

import (
	"context"
	"maps"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// stateOutputs are the outputs of the actions that change a user's state.
func stateOutputs(after string) []engine.Field {
	return []engine.Field{
		{Name: "changed", Type: engine.TypeBool(), Doc: "Whether this step did it; false where the user was " + after + " already."},
		{Name: "user", Type: UserType(), Doc: "The user as it is after the step."},
	}
}

// readState observes the target of a change of state.
func readState(ctx context.Context, call engine.Call) (engine.Subject, error) {
	dir, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Subject{}, err
	}
	u, _, err := selectUser(ctx, dir, call.Inputs)
	if err != nil {
		return engine.Subject{}, err
	}
	subject := engine.Subject{
		Connection: conn,
		Target:     engine.Target{ID: u.ID, Name: u.Name},
		State:      map[string]any{"state": string(u.State)},
		Record:     userValue(u),
	}
	if u.Name == "" {
		subject.Target.Name = u.Email
	}
	if u.Email != "" {
		subject.Aliases = []string{u.Email}
	}
	return subject, nil
}

// previewState says what bringing the subject into a state would make of it.
func previewState(before engine.Subject, after State, inverse string) engine.Preview {
	changes := before.State["state"] != string(after)
	preview := engine.Preview{
		After:   map[string]any{"state": string(after)},
		Outputs: stateChanged(before, after, changes),
	}
	if changes {
		preview.Inverse = &engine.Invocation{Action: inverse, Inputs: map[string]any{"id": before.Target.ID}}
	}
	return preview
}

// stateChanged is the outputs of a step after which the subject is in a state.
func stateChanged(before engine.Subject, after State, changed bool) map[string]any {
	user := make(map[string]any, len(before.Record))
	maps.Copy(user, before.Record)
	user["state"] = string(after)
	return map[string]any{"changed": changed, "user": user}
}
