package scim

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Users lists everybody page by page, the next page being fetched while the
// consumer works on this one. Services disagree about filters, so that the
// state is looked at here: one that ignored the filter could not be told from
// one that has nobody else.
func (s *service) Users(ctx context.Context, state identity.State) iter.Seq2[identity.User, error] {
	return func(yield func(identity.User, error) bool) {
		for user, err := range s.users(ctx, "") {
			if err == nil && state != "" && user.State != state {
				continue
			}
			if !yield(user, err) {
				return
			}
		}
	}
}

func (s *service) users(ctx context.Context, filter string) iter.Seq2[identity.User, error] {
	return all(ctx, s, "/Users", filter, s.user, func(u identity.User) string { return u.ID })
}

// User finds one account by its id.
func (s *service) User(ctx context.Context, id string) (identity.User, error) {
	user, _, err := s.readUser(ctx, id)
	return user.User, err
}

// account is a user with what only this package looks at.
type account struct {
	identity.User

	groups []string // ids; nil also where the service does not say
}

// readUser also gives the version, "" where the service has none.
func (s *service) readUser(ctx context.Context, id string) (account, string, error) {
	var found account
	var etag string
	if !validID(id) {
		return found, "", engine.Fail(engine.ClassInvalid, "user_id", "%q is not the id of a user", id)
	}
	err := s.do(ctx, request{
		method: http.MethodGet, path: "/Users/" + url.PathEscape(id), route: "/Users/{user}", limit: maxUserBody,
		decode: func(r transport.Response) (err error) {
			found, etag, err = s.decodeUser(r, id)
			return err
		},
	})
	return found, etag, err
}

// decodeUser reads one user, who must be the one that was asked for.
func (s *service) decodeUser(r transport.Response, id string) (account, string, error) {
	var wire wireUser
	if err := r.JSON(&wire); err != nil {
		return account{}, "", err
	}
	if wire.ID != id {
		return account{}, "", malformed("the answer is about another user than was asked for")
	}
	user, err := s.user(wire)
	found := account{User: user}
	for _, g := range wire.Groups {
		found.groups = append(found.groups, g.Value)
	}
	return found, version(r, wire.Meta), err
}

// UserByEmail finds the one account with an address. The service is asked for
// it where it understands filters; that nobody has it is believed only of the
// whole listing, because services leave out of a filter what they do not know.
func (s *service) UserByEmail(ctx context.Context, email string) (identity.User, error) {
	if !s.noFilter.Load() {
		value := quoted(email)
		found, err := s.having(ctx, email, "userName eq "+value+" or emails.value eq "+value)
		switch {
		case err == nil && len(found) > 0:
			return identity.OneByEmail(email, found)
		case err != nil && !refusesFilter(err):
			return identity.User{}, err
		case err != nil:
			s.noFilter.Store(true)
		}
	}
	found, err := s.having(ctx, email, "")
	if err != nil {
		return identity.User{}, err
	}
	return identity.OneByEmail(email, found)
}

// having are the accounts with an address among those that a filter lets pass.
func (s *service) having(ctx context.Context, email, filter string) ([]identity.User, error) {
	var found []identity.User
	for u, err := range s.users(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if identity.SameEmail(u.Email, email) {
			found = append(found, u)
		}
	}
	return found, nil
}

// refusesFilter reports whether a service could not do with a filter: it says
// so, or has another word for it.
func refusesFilter(err error) bool {
	f := engine.AsFailure(err)
	return f.Code == CodeFilter || slices.Contains([]string{"http_400", "http_501", "invalid_syntax", "invalid_path", "invalid_value"}, f.Code)
}

// Suspend takes the account's access away.
func (s *service) Suspend(ctx context.Context, id string) (identity.User, error) {
	return s.set(ctx, id, identity.Suspended)
}

// Reactivate gives the account its access back.
func (s *service) Reactivate(ctx context.Context, id string) (identity.User, error) {
	return s.set(ctx, id, identity.Active)
}

// set changes the version that was read, where the service has versions. When
// somebody else was faster it is read once more: it may be what was wanted, as
// it is when the reply to this very change was lost.
func (s *service) set(ctx context.Context, id string, want identity.State) (identity.User, error) {
	for again := false; ; again = true {
		user, etag, err := s.readUser(ctx, id)
		if err != nil || user.State == want {
			return user.User, err
		}
		changed, err := s.patchUser(ctx, id, etag, want)
		if again || !hasCode(err, CodeChanged) {
			return changed, contended(err)
		}
	}
}

// patchUser answers with the account as it is afterwards.
func (s *service) patchUser(ctx context.Context, id, etag string, want identity.State) (identity.User, error) {
	var changed account
	silent := false
	err := s.do(ctx, request{
		method: http.MethodPatch, path: "/Users/" + url.PathEscape(id), route: "/Users/{user}", limit: maxUserBody, match: etag,
		body: patchOf(operation{Op: "replace", Path: "active", Value: want == identity.Active}),
		decode: func(r transport.Response) (err error) {
			if silent = len(r.Body) == 0; silent {
				return nil // 204, or a 200 without a body
			}
			changed, _, err = s.decodeUser(r, id)
			return err
		},
	})
	if err != nil {
		return identity.User{}, err
	}
	if silent {
		if changed, _, err = s.readUser(ctx, id); err != nil {
			return identity.User{}, engine.Fail(engine.ClassUnsettled, "state",
				"PATCH /Users/{user} was answered with success, and reading the account then failed: %s", engine.AsFailure(err).Message)
		}
	}
	if changed.State != want {
		return identity.User{}, engine.Fail(engine.ClassUnsettled, "state",
			"PATCH /Users/{user} was answered with success, but the account is %s", changed.State)
	}
	return changed.User, nil
}
