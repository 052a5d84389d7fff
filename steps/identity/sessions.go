package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CapabilitySessions is what session.revoke needs: Sessions.
const CapabilitySessions engine.Capability = "sessions"

// Sessions is a service in which people are signed in.
type Sessions interface {
	// RevokeSessions ends every session of an account; no error where it had
	// none, and not_found where there is no such account.
	RevokeSessions(ctx context.Context, user string) error
}

// SessionRevoke is the action session.revoke.
type SessionRevoke struct{}

// Spec declares session.revoke.
func (SessionRevoke) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "session.revoke",
		Summary: "End all sessions of a user: they have to sign in again, everywhere.",
		Doc: `Signs one account out everywhere. It takes no access away: who can sign in can do so again at once, so suspend the account as well where it is in the wrong hands.

No service says whether somebody is signed in, so it is always a change, and it cannot be taken back. Twice is as good as once: after a crash or a lost reply it is done again.`,
		Effect: engine.Change,
		Needs:  []engine.Capability{CapabilitySessions},
		Inputs: []engine.Field{{
			Name: "user", Type: engine.TypeString(), Required: true, Doc: "The account's id.", Example: `"${{ user.id }}"`,
		}},
		Outputs: []engine.Field{{Name: "changed", Type: engine.TypeBool(), Doc: "That the sessions were ended: always true."}},
		Examples: []engine.Example{{
			Title: "Sign somebody out everywhere, and keep them out",
			YAML: `- id: sam
  uses: user.get
  with: { email: sam@example.com }
- uses: user.suspend
  with: { id: "${{ steps.sam.user.id }}" }
- uses: session.revoke
  with: { user: "${{ steps.sam.user.id }}" }
`,
		}},
	}
}

// Read observes whose sessions they are, so that who is protected is known by
// their address, too. What sessions there are no service says.
func (SessionRevoke) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	_, conn, err := engine.Offered[Sessions](call, CapabilitySessions)
	if err != nil {
		return engine.Subject{}, err
	}
	id, _ := call.Inputs["user"].(string)
	if id == "" {
		return engine.Subject{}, engine.Fail(engine.ClassInvalid, "no_user", "the id of a user was not given")
	}
	subject := engine.Subject{Connection: conn, Target: engine.Target{ID: id, Name: id}}
	if dir, ok := conn.Offers[CapabilityDirectory].(Directory); ok {
		u, err := dir.User(ctx, id)
		if err != nil {
			return engine.Subject{}, fmt.Errorf("looking up user %s: %w", id, err)
		}
		subject = subjectOf(conn, u)
	}
	return ofSessions(subject), nil
}

// Recognize tells the user from a row of user.list and the like.
func (SessionRevoke) Recognize(call engine.Call, row map[string]any) (engine.Subject, bool) {
	_, conn, err := engine.Offered[Sessions](call, CapabilitySessions)
	u, whole := userOf(row)
	id, _ := call.Inputs["user"].(string)
	if err != nil || !whole || id == "" || u.ID != id {
		return engine.Subject{}, false
	}
	return ofSessions(subjectOf(conn, u)), true
}

func ofSessions(s engine.Subject) engine.Subject {
	s.State, s.Record = map[string]any{"sessions": "unknown"}, nil
	s.Blind, s.Repeatable = true, true
	return s
}

// Preview says that the sessions would be ended.
func (SessionRevoke) Preview(engine.Call, engine.Subject) (engine.Preview, error) {
	return engine.Preview{After: map[string]any{"sessions": "ended"}, Outputs: map[string]any{"changed": true}}, nil
}

// Perform ends the sessions.
func (SessionRevoke) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	sessions, _, err := engine.Offered[Sessions](call, CapabilitySessions)
	if err != nil {
		return nil, err
	}
	if err := sessions.RevokeSessions(ctx, before.Target.ID); err != nil {
		return nil, fmt.Errorf("ending the sessions of user %s: %w", before.Target.ID, err)
	}
	return map[string]any{"changed": true}, nil
}
