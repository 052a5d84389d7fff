package identity_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// sessions is an identity.Sessions in memory.
type sessions struct {
	ended []string
	err   error
}

func (s *sessions) RevokeSessions(_ context.Context, user string) error {
	s.ended = append(s.ended, user)
	return s.err
}

// revoking is a call of session.revoke; the connection has a directory where
// there is one.
func revoking(s *sessions, dir identity.Directory, user string) engine.Call {
	conn := &engine.Connection{Name: "okta", Offers: map[engine.Capability]any{identity.CapabilitySessions: s}}
	if dir != nil {
		conn.Offers[identity.CapabilityDirectory] = dir
	}
	return engine.Call{
		Action: "session.revoke", Inputs: map[string]any{"user": user},
		Connections: map[engine.Capability]*engine.Connection{identity.CapabilitySessions: conn},
	}
}

func TestRevokingSessions(t *testing.T) {
	t.Parallel()
	sam := identity.User{ID: "U1", Email: "sam@example.com", Name: "Sam", State: identity.Active, CreatedAt: now()}
	tests := []struct {
		name    string
		dir     identity.Directory
		target  engine.Target
		aliases []string
	}{
		{"with a directory", &directory{users: []identity.User{sam}}, engine.Target{ID: "U1", Name: "Sam"}, []string{"sam@example.com"}},
		{"without one", nil, engine.Target{ID: "U1", Name: "U1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			service := &sessions{}
			call := revoking(service, tt.dir, "U1")
			subject, err := identity.SessionRevoke{}.Read(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if subject.Target != tt.target || !cmp.Equal(subject.Aliases, tt.aliases) || !subject.Blind || !subject.Repeatable {
				t.Errorf("the subject is %+v", subject)
			}
			preview, err := identity.SessionRevoke{}.Preview(call, subject)
			if err != nil || cmp.Equal(preview.After, subject.State) || preview.Inverse != nil {
				t.Errorf("the preview is %+v, %v", preview, err)
			}
			out, err := identity.SessionRevoke{}.Perform(t.Context(), call, subject)
			if err != nil || out["changed"] != true || !cmp.Equal(service.ended, []string{"U1"}) {
				t.Errorf("performed %v, %v, ended %v", out, err, service.ended)
			}
			service.err = engine.Fail(engine.ClassAuth, "refused", "no")
			if _, err := (identity.SessionRevoke{}).Perform(t.Context(), call, subject); !errors.Is(err, &engine.Failure{Class: engine.ClassAuth}) {
				t.Errorf("a refusal is %v", err)
			}
		})
	}
}

func TestRevokingTheSessionsOfNobody(t *testing.T) {
	t.Parallel()
	for user, class := range map[string]engine.Class{"": engine.ClassInvalid, "U9": engine.ClassNotFound} {
		_, err := identity.SessionRevoke{}.Read(t.Context(), revoking(&sessions{}, &directory{}, user))
		if !errors.Is(err, &engine.Failure{Class: class}) {
			t.Errorf("%q: %v, want %s", user, err, class)
		}
	}
}

func TestRevokingRecognizesRows(t *testing.T) {
	t.Parallel()
	call := revoking(&sessions{}, nil, "U1")
	row := map[string]any{"id": "U1", "email": "sam@example.com", "name": "Sam", "state": "active", "created_at": "2026-01-01T00:00:00Z"}
	subject, ok := identity.SessionRevoke{}.Recognize(call, row)
	if !ok || subject.Target.Name != "Sam" || !subject.Blind || !cmp.Equal(subject.Aliases, []string{"sam@example.com"}) {
		t.Errorf("recognized %+v, %v", subject, ok)
	}
	row["id"] = "U2"
	if _, ok := (identity.SessionRevoke{}).Recognize(call, row); ok {
		t.Error("it takes somebody else for the target")
	}
}
