package onepassword

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Codes of this provider's failures, beside those of the transport.
const (
	CodeLastOwner         = "last_owner"         // the last owner cannot be suspended
	CodeExternallyManaged = "externally_managed" // another system manages the account
	CodeSelf              = "self"               // nobody can suspend themselves
	CodeProvisioned       = "provisioned"        // the account is under automated provisioning: the Users API does not work
	CodePageToken         = "page_token"         // a page token that is none of this listing
	CodePageSize          = "page_size"          // a page size the service does not take
	CodeMalformed         = "malformed"          // a record lacks what it must have
	CodeRepeatedID        = "repeated_id"        // a listing named somebody twice
)

const (
	maxUserBody = 64 << 10
	maxPageBody = 8 << 20
	maxToken    = 8 << 10
)

// directory implements identity.Directory and engine.Tester.
type directory struct {
	client   *transport.Client
	tokens   *tokens
	account  string
	base     string // …/accounts/<account>/users
	route    string // the same with placeholders
	pageSize int
}

var (
	_ identity.Directory = (*directory)(nil)
	_ identity.UserPages = (*directory)(nil)
	_ engine.Tester      = (*directory)(nil)
)

// Users lists the account page by page, the next page being fetched while the
// consumer works on this one.
func (d *directory) Users(ctx context.Context, state identity.State) iter.Seq2[identity.User, error] {
	return func(yield func(identity.User, error) bool) {
		seen := newIDs()
		pages := transport.Pages(ctx, "", func(ctx context.Context, token string) (transport.Page[identity.User], error) {
			return d.page(ctx, state, token, d.pageSize)
		})
		for user, err := range pages {
			if err == nil && !seen.add(user.ID) {
				err = engine.Fail(engine.ClassTransient, CodeRepeatedID, "listing users: %s was listed twice, so the listing is not reliable", user.ID)
			}
			if err != nil {
				yield(identity.User{}, err)
				return
			}
			if state != "" && user.State != state {
				continue // changed since the service chose it, or the filter was not honoured
			}
			if !yield(user, nil) {
				return
			}
		}
	}
}

// UserPage reads one page.
func (d *directory) UserPage(ctx context.Context, state identity.State, token string, size int) ([]identity.User, string, error) {
	switch {
	case size < 0 || size > maxPageSize:
		return nil, "", engine.Fail(engine.ClassInvalid, CodePageSize, "a page of the Users API has 1 to %d users, not %d", maxPageSize, size)
	case size == 0:
		size = d.pageSize
	}
	if len(token) > maxToken {
		return nil, "", engine.Fail(engine.ClassInvalid, CodePageToken, "a page token of %d bytes is none of the Users API", len(token))
	}
	page, err := d.page(ctx, state, token, size)
	if f := engine.AsFailure(err); f != nil && token != "" && f.Code == "http_400" {
		return nil, "", engine.Fail(engine.ClassInvalid, CodePageToken, "%s. Is the page token from a listing of this connection, with the same `state`?", f.Message)
	}
	if err != nil {
		return nil, "", err
	}
	seen := newIDs()
	for _, user := range page.Items {
		if !seen.add(user.ID) {
			return nil, "", engine.Fail(engine.ClassTransient, CodeRepeatedID, "listing users: %s was listed twice on one page", user.ID)
		}
	}
	if page.Next != "" && page.Next == token {
		return nil, "", engine.Fail(engine.ClassTransient, transport.CodeRepeatedPage, "listing users: the page names itself as the next")
	}
	return slices.DeleteFunc(page.Items, func(u identity.User) bool { return state != "" && u.State != state }), page.Next, nil
}

func (d *directory) page(ctx context.Context, state identity.State, token string, size int) (transport.Page[identity.User], error) {
	query := url.Values{"max_page_size": {strconv.Itoa(size)}}
	switch state {
	case identity.Active:
		query.Set("filter", "user.isActive()")
	case identity.Suspended:
		query.Set("filter", "user.isSuspended()")
	}
	if token != "" {
		query.Set("page_token", token)
	}
	var page transport.Page[identity.User]
	_, err := d.client.Do(ctx, transport.Request{
		Method: http.MethodGet, URL: d.base + "?" + query.Encode(), Route: "GET " + d.route,
		Effect: transport.Read, MaxBody: maxPageBody, Credential: d.tokens.credential, Explain: explain,
		Decode: func(r transport.Response) (err error) {
			page, err = decodePage(r)
			for i := range page.Items {
				page.Items[i].Account = d.account
			}
			return err
		},
	})
	return page, err
}

// User finds one account by its id.
func (d *directory) User(ctx context.Context, id string) (identity.User, error) {
	return d.user(ctx, http.MethodGet, id, "", transport.Read)
}

// Suspend takes the account's access away.
func (d *directory) Suspend(ctx context.Context, id string) (identity.User, error) {
	return d.change(ctx, id, ":suspend", identity.Suspended)
}

// Reactivate gives the account its access back.
func (d *directory) Reactivate(ctx context.Context, id string) (identity.User, error) {
	return d.change(ctx, id, ":reactivate", identity.Active)
}

// change calls a verb that may be repeated: the service answers the same to
// suspending a suspended account.
func (d *directory) change(ctx context.Context, id, verb string, want identity.State) (identity.User, error) {
	user, err := d.user(ctx, http.MethodPost, id, verb, transport.Repeatable)
	if err == nil && user.State != want {
		return identity.User{}, engine.Fail(engine.ClassUnsettled, "state",
			"POST %s/{user}%s was answered with success, but the account is %s", d.route, verb, user.State)
	}
	return user, err
}

// user calls the path of one account. The verb's colon stands as it is.
func (d *directory) user(ctx context.Context, method, id, verb string, effect transport.Effect) (identity.User, error) {
	if !validID(id) {
		return identity.User{}, engine.Fail(engine.ClassInvalid, "user_id", "%q is not the id of a user", id)
	}
	var user identity.User
	_, err := d.client.Do(ctx, transport.Request{
		Method: method, URL: d.base + "/" + url.PathEscape(id) + verb, Route: method + " " + d.route + "/{user}" + verb,
		Effect: effect, MaxBody: maxUserBody, Credential: d.tokens.credential, Explain: explain,
		Decode: func(r transport.Response) (err error) {
			user, err = decodeUser(r, id)
			user.Account = d.account
			return err
		},
	})
	return user, err
}
