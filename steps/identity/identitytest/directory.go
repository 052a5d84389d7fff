package identitytest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// Fault is something a service can be made to do wrong.
type Fault string

// The faults the suites ask for.
const (
	PageFails      Fault = "the second page fails, however often it is asked for"
	PageRepeats    Fault = "the second page names itself as the next"
	PageDuplicates Fault = "the second page has its records twice"
	PageCut        Fault = "the second page is cut once"
	PageEndless    Fault = "after the first page there are empty pages without end"
	PageDisorder   Fault = "the second page has its records in the wrong order"
	TokenExpires   Fault = "the access token expires between two calls"
	ReplyLost      Fault = "the next change is carried out and its reply is lost"
	RepliesLost    Fault = "every change is carried out and its reply is lost"
	Refused        Fault = "the credentials are refused from now on"
)

// DirectoryWorld is a directory whose content is known. A listing must take at
// least three pages.
type DirectoryWorld struct {
	Directory identity.Directory
	Users     []identity.User // everybody, as they are
	Target    string          // the id of an active user who may be suspended
	LastOwner string          // the id of one who cannot be; "" where the service has none such
	External  string          // likewise, being managed elsewhere
	Canaries  []string        // the secrets the connection was opened with

	// Break makes the service fail; false where it cannot fail so.
	Break func(Fault) bool
}

// TestDirectory runs the suite; open makes a fresh world for each test.
func TestDirectory(t *testing.T, open func(*testing.T) DirectoryWorld) {
	for name, test := range map[string]func(*testing.T, DirectoryWorld){
		"lists everybody as they are":               listsEverybody,
		"lists by state":                            listsByState,
		"a listing can be left":                     canBeLeft,
		"a listing is complete or fails":            isComplete,
		"a broken page is asked for again":          asksAgain,
		"finds one by id":                           findsOne,
		"ids are not paths":                         idsAreNotPaths,
		"suspends and reactivates":                  suspends,
		"says who cannot be suspended":              refuses,
		"a lost reply is not a lost change":         survivesLostReply,
		"a change nobody confirms is unsettled":     admitsNotKnowing,
		"an expired token is renewed":               renews,
		"cancelling ends it":                        endsWhenCancelled,
		"refused credentials are an auth failure":   isRefused,
		"a listing after a change shows the change": showsChange,
		"one page on request":                       givesPages,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// list reads a listing to its end or its error.
func list(ctx context.Context, d identity.Directory, state identity.State) (users []identity.User, err error) {
	for user, e := range d.Users(ctx, state) {
		if e != nil {
			return users, e
		}
		users = append(users, user)
	}
	return users, nil
}

func sorted(users []identity.User) []identity.User {
	users = slices.Clone(users)
	slices.SortFunc(users, func(a, b identity.User) int { return strings.Compare(a.ID, b.ID) })
	return users
}

func (w DirectoryWorld) fail(t *testing.T, f Fault) {
	t.Helper()
	if w.Break == nil || !w.Break(f) {
		t.Skipf("the service cannot be made to fail so: %s", f)
	}
}

// check looks at an error: its class, and that it says no secret.
func (w DirectoryWorld) check(t *testing.T, err error, want ...engine.Class) {
	t.Helper()
	checkError(t, err, w.Canaries, want...)
}

func checkError(t *testing.T, err error, canaries []string, want ...engine.Class) {
	t.Helper()
	NoLeakingError(t, err, canaries...)
	var f *engine.Failure
	if !errors.As(err, &f) {
		t.Errorf("got %v, want a failure of class %v", err, want)
	} else if !slices.Contains(want, f.Class) {
		t.Errorf("got class %s (%v), want %v", f.Class, err, want)
	}
}

func listsEverybody(t *testing.T, w DirectoryWorld) {
	got, err := list(t.Context(), w.Directory, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sorted(w.Users), sorted(got)); diff != "" {
		t.Errorf("the listing differs (-want +got):\n%.2000s", diff)
	}
}

func listsByState(t *testing.T, w DirectoryWorld) {
	for _, state := range []identity.State{identity.Active, identity.Suspended} {
		got, err := list(t.Context(), w.Directory, state)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(w.Users), func(u identity.User) bool { return u.State != state })
		if len(want) == 0 {
			t.Errorf("the world has nobody who is %s", state)
		}
		if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Errorf("the listing of the %s differs (-want +got):\n%.2000s", state, diff)
		}
	}
}

func canBeLeft(t *testing.T, w DirectoryWorld) {
	for range 3 {
		for _, err := range w.Directory.Users(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func isComplete(t *testing.T, w DirectoryWorld) {
	for _, fault := range []Fault{PageFails, PageRepeats, PageDuplicates} {
		t.Run(string(fault), func(t *testing.T) {
			w.fail(t, fault)
			got, err := list(t.Context(), w.Directory, "")
			if err == nil {
				t.Fatalf("it ended after %d of %d people as if it were complete", len(got), len(w.Users))
			}
			w.check(t, err, engine.ClassTransient, engine.ClassPermanent)
			seen := map[string]bool{}
			for _, u := range got {
				if seen[u.ID] {
					t.Errorf("%s was handed out twice", u.ID)
				}
				seen[u.ID] = true
			}
		})
	}
}

func asksAgain(t *testing.T, w DirectoryWorld) {
	w.fail(t, PageCut)
	got, err := list(t.Context(), w.Directory, "")
	if err != nil || len(got) != len(w.Users) {
		t.Errorf("got %d of %d people, %v", len(got), len(w.Users), err)
	}
}

func findsOne(t *testing.T, w DirectoryWorld) {
	for _, want := range []identity.User{w.Users[0], w.Users[len(w.Users)-1]} {
		got, err := w.Directory.User(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("found somebody else (-want +got):\n%s", diff)
		}
	}
	unknown := strings.Repeat("Z", len(w.Target))
	_, err := w.Directory.User(t.Context(), unknown)
	w.check(t, err, engine.ClassNotFound)
	_, err = w.Directory.Suspend(t.Context(), unknown)
	w.check(t, err, engine.ClassNotFound)
}

func idsAreNotPaths(t *testing.T, w DirectoryWorld) {
	for _, id := range []string{"", ".", "..", "../users", w.Target + "/..", w.Target + "?x=y", w.Target + ":suspend", w.Target + "%3Asuspend", w.Target + "\n"} {
		_, err := w.Directory.User(t.Context(), id)
		w.check(t, err, engine.ClassInvalid, engine.ClassNotFound)
		_, err = w.Directory.Reactivate(t.Context(), id)
		w.check(t, err, engine.ClassInvalid, engine.ClassNotFound)
	}
	w.is(t, w.Target, identity.Active)
}

// is reads somebody's state.
func (w DirectoryWorld) is(t *testing.T, id string, want identity.State) {
	t.Helper()
	user, err := w.Directory.User(t.Context(), id)
	if err != nil || user.State != want {
		t.Errorf("%s is %q (%v), want %s", id, user.State, err, want)
	}
}

func suspends(t *testing.T, w DirectoryWorld) {
	for _, step := range []struct {
		do   func(context.Context, string) (identity.User, error)
		want identity.State
	}{
		{w.Directory.Suspend, identity.Suspended},
		{w.Directory.Suspend, identity.Suspended},
		{w.Directory.Reactivate, identity.Active},
		{w.Directory.Reactivate, identity.Active},
	} {
		user, err := step.do(t.Context(), w.Target)
		if err != nil || user.ID != w.Target || user.State != step.want {
			t.Errorf("answered %+v, %v; want %s to be %s", user, err, w.Target, step.want)
		}
		w.is(t, w.Target, step.want)
	}
}

func refuses(t *testing.T, w DirectoryWorld) {
	for code, id := range map[string]string{"last_owner": w.LastOwner, "externally_managed": w.External} {
		if id == "" {
			continue
		}
		_, err := w.Directory.Suspend(t.Context(), id)
		w.check(t, err, engine.ClassPermanent)
		if f := engine.AsFailure(err); f == nil || f.Code != code {
			t.Errorf("got %v, want the code %s", err, code)
		}
		w.is(t, id, identity.Active)
	}
}

func survivesLostReply(t *testing.T, w DirectoryWorld) {
	w.fail(t, ReplyLost)
	if _, err := w.Directory.Suspend(t.Context(), w.Target); err != nil {
		w.check(t, err, engine.ClassUnsettled)
	}
	w.is(t, w.Target, identity.Suspended)
}

func admitsNotKnowing(t *testing.T, w DirectoryWorld) {
	w.fail(t, RepliesLost)
	_, err := w.Directory.Suspend(t.Context(), w.Target)
	w.check(t, err, engine.ClassUnsettled)
}

func renews(t *testing.T, w DirectoryWorld) {
	w.is(t, w.Target, identity.Active)
	w.fail(t, TokenExpires)
	w.is(t, w.Target, identity.Active)
}

func endsWhenCancelled(t *testing.T, w DirectoryWorld) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	var ended error
	for _, err := range w.Directory.Users(ctx, "") {
		if ended = err; err != nil {
			break
		}
		count++
		cancel()
	}
	w.check(t, ended, engine.ClassCancelled)
	if count == len(w.Users) {
		t.Error("the whole listing came in spite of it")
	}
	_, err := w.Directory.User(ctx, w.Target)
	w.check(t, err, engine.ClassCancelled)
}

func isRefused(t *testing.T, w DirectoryWorld) {
	w.fail(t, Refused)
	_, err := list(t.Context(), w.Directory, "")
	w.check(t, err, engine.ClassAuth)
	_, err = w.Directory.Suspend(t.Context(), w.Target)
	w.check(t, err, engine.ClassAuth)
}

func showsChange(t *testing.T, w DirectoryWorld) {
	if _, err := w.Directory.Suspend(t.Context(), w.Target); err != nil {
		t.Fatal(err)
	}
	suspended, err := list(t.Context(), w.Directory, identity.Suspended)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(suspended, func(u identity.User) bool { return u.ID == w.Target }) {
		t.Error("the listing of the suspended does not have who was just suspended")
	}
}
