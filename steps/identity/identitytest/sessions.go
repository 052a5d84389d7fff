package identitytest

import (
	"context"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// SessionsWorld is a service in which people are signed in.
type SessionsWorld struct {
	Sessions identity.Sessions
	User     string              // the id of an account
	Revoked  func(id string) int // how often all sessions of an account were ended
	Canaries []string            // the secrets the connection was opened with
	Break    func(Fault) bool    // as DirectoryWorld's
}

// TestSessions runs the suite; open makes a fresh world for each test.
func TestSessions(t *testing.T, open func(*testing.T) SessionsWorld) {
	for name, test := range map[string]func(*testing.T, SessionsWorld){
		"ends all sessions, as often as asked":       revokes,
		"who is not there has no sessions":           revokesNobody,
		"ids are not paths":                          revokesOnlyIDs,
		"a lost reply is not a lost change":          revokesInSpite,
		"a change nobody confirms is unsettled":      revokesUnsettled,
		"refused credentials are an auth failure":    revokesRefused,
		"cancelling ends it and revokes no sessions": revokesCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func (w SessionsWorld) fail(t *testing.T, f Fault) {
	t.Helper()
	if w.Break == nil || !w.Break(f) {
		t.Skipf("the service cannot be made to fail so: %s", f)
	}
}

func revokes(t *testing.T, w SessionsWorld) {
	for n := range 2 {
		if err := w.Sessions.RevokeSessions(t.Context(), w.User); err != nil {
			t.Fatal(err)
		}
		if got := w.Revoked(w.User); got != n+1 {
			t.Errorf("the sessions were ended %d times, want %d", got, n+1)
		}
	}
}

func revokesNobody(t *testing.T, w SessionsWorld) {
	err := w.Sessions.RevokeSessions(t.Context(), strings.Repeat("Z", len(w.User)))
	checkError(t, err, w.Canaries, engine.ClassNotFound)
}

func revokesOnlyIDs(t *testing.T, w SessionsWorld) {
	for _, id := range []string{"", ".", "..", w.User + "/..", w.User + "/../" + w.User, w.User + "?x=y", w.User + "#", w.User + "\n", w.User + "%2f"} {
		checkError(t, w.Sessions.RevokeSessions(t.Context(), id), w.Canaries, engine.ClassInvalid, engine.ClassNotFound)
	}
	if got := w.Revoked(w.User); got != 0 {
		t.Errorf("the sessions of %s were ended", w.User)
	}
}

func revokesInSpite(t *testing.T, w SessionsWorld) {
	w.fail(t, ReplyLost)
	if err := w.Sessions.RevokeSessions(t.Context(), w.User); err != nil {
		checkError(t, err, w.Canaries, engine.ClassUnsettled)
	}
	if w.Revoked(w.User) == 0 {
		t.Error("the sessions were not ended")
	}
}

func revokesUnsettled(t *testing.T, w SessionsWorld) {
	w.fail(t, RepliesLost)
	checkError(t, w.Sessions.RevokeSessions(t.Context(), w.User), w.Canaries, engine.ClassUnsettled)
}

func revokesRefused(t *testing.T, w SessionsWorld) {
	w.fail(t, Refused)
	checkError(t, w.Sessions.RevokeSessions(t.Context(), w.User), w.Canaries, engine.ClassAuth)
	if got := w.Revoked(w.User); got != 0 {
		t.Errorf("the sessions of %s were ended", w.User)
	}
}

func revokesCancelled(t *testing.T, w SessionsWorld) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	checkError(t, w.Sessions.RevokeSessions(ctx, w.User), w.Canaries, engine.ClassCancelled)
	if got := w.Revoked(w.User); got != 0 {
		t.Errorf("the sessions of %s were ended", w.User)
	}
}
