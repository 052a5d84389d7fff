package identitytest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// givesPages walks a directory page by page, where it has pages.
func givesPages(t *testing.T, w DirectoryWorld) {
	pages, ok := w.Directory.(identity.UserPages)
	if !ok {
		t.Skip("the service has no pages to ask for")
	}
	for state, size := range map[identity.State]int{"": 7, identity.Active: 50, identity.Suspended: 1} {
		want, err := list(t.Context(), w.Directory, state)
		if err != nil {
			t.Fatal(err)
		}
		got := walkPages(t, pages, state, size, len(want)+len(w.Users)/size+2)
		if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Errorf("pages of %d do not add up to the listing (-want +got):\n%.2000s", size, diff)
		}
	}
	for name, ask := range map[string]func() error{
		"a token of nobody":   func() error { _, _, err := pages.UserPage(t.Context(), "", "no-token-of-ours", 5); return err },
		"a negative size":     func() error { _, _, err := pages.UserPage(t.Context(), "", "", -1); return err },
		"a size without end":  func() error { _, _, err := pages.UserPage(t.Context(), "", "", 1<<30); return err },
		"the token of others": func() error { return askWithOthersToken(t, pages) },
	} {
		err := ask()
		NoLeakingError(t, err, w.Canaries...)
		if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid}) {
			t.Errorf("%s: got %v, want an invalid failure", name, err)
		}
	}
	if users, next, err := pages.UserPage(t.Context(), "", "", 0); err != nil || len(users) == 0 || next == "" {
		t.Errorf("a page of no given size has %d users, then %q: %v", len(users), next, err)
	}
}

func walkPages(t *testing.T, pages identity.UserPages, state identity.State, size, most int) []identity.User {
	t.Helper()
	var all []identity.User
	token := ""
	for range most {
		users, next, err := pages.UserPage(t.Context(), state, token, size)
		if err != nil {
			t.Fatal(err)
		}
		if len(users) > size {
			t.Errorf("a page of %d has %d users", size, len(users))
		}
		all = append(all, users...)
		if token = next; token == "" {
			return all
		}
	}
	t.Fatalf("there was no end after %d pages", most)
	return nil
}

// askWithOthersToken takes the token of one listing to another.
func askWithOthersToken(t *testing.T, pages identity.UserPages) error {
	t.Helper()
	_, next, err := pages.UserPage(t.Context(), "", "", 5)
	if err != nil || next == "" {
		t.Fatalf("the first page: %q, %v", next, err)
	}
	_, _, err = pages.UserPage(t.Context(), identity.Suspended, next, 5)
	return err //nolint:wrapcheck // it is what is looked at
}
