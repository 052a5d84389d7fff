package identity

import (
	"context"
	"maps"
	"time"

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
	u, count, err := selectUser(ctx, dir, call.Inputs)
	if err != nil {
		return engine.Subject{}, err
	}
	subject := subjectOf(conn, u)
	subject.Population = population(conn, count)
	return subject, nil
}

// recognize is readState of a user that a row shows which was just read.
func recognize(call engine.Call, row map[string]any) (engine.Subject, bool) {
	_, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Subject{}, false
	}
	u, whole := userOf(row)
	id, _ := call.Inputs["id"].(string)
	if !whole || id == "" || u.ID != id {
		return engine.Subject{}, false
	}
	return subjectOf(conn, u), true
}

// userOf reads a user from a row; false where the row does not show all of it.
func userOf(row map[string]any) (User, bool) {
	var u User
	var state, created string
	fields := map[string]*string{"id": &u.ID, "email": &u.Email, "name": &u.Name, "state": &state, "created_at": &created}
	for name, into := range fields {
		text, ok := row[name].(string)
		if !ok {
			return User{}, false
		}
		*into = text
	}
	at, err := time.Parse(time.RFC3339, created)
	u.State, u.CreatedAt = State(state), at
	return u, err == nil && (u.State == Active || u.State == Suspended)
}

func subjectOf(conn *engine.Connection, u User) engine.Subject {
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
	return subject
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
