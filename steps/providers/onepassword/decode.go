package onepassword

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

type wireUser struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Name    string    `json:"display_name"`
	State   string    `json:"state"`
	Created time.Time `json:"create_time"`
}

type wirePage struct {
	Results *[]wireUser `json:"results"`
	Next    string      `json:"next_page_token"`
}

// decodePage reads one page of users. The last has no token, or an empty one.
func decodePage(r transport.Response) (transport.Page[identity.User], error) {
	if users, next, ok := scanPage(r.Body); ok && len(next) <= maxToken && r.IsJSON() {
		return transport.Page[identity.User]{Items: users, Next: next, Last: next == ""}, nil
	}
	var wire wirePage
	if err := r.JSON(&wire); err != nil {
		return transport.Page[identity.User]{}, err
	}
	if wire.Results == nil {
		return transport.Page[identity.User]{}, malformed("the page has no `results`")
	}
	if len(wire.Next) > maxToken {
		return transport.Page[identity.User]{}, malformed("the page token is too long")
	}
	page := transport.Page[identity.User]{
		Items: make([]identity.User, len(*wire.Results)), Next: wire.Next, Last: wire.Next == "",
	}
	for i, w := range *wire.Results {
		user, err := w.user()
		if err != nil {
			return transport.Page[identity.User]{}, err
		}
		page.Items[i] = user
	}
	return page, nil
}

// decodeUser reads one user, who must be the one that was asked for.
func decodeUser(r transport.Response, id string) (identity.User, error) {
	var wire wireUser
	if err := r.JSON(&wire); err != nil {
		return identity.User{}, err
	}
	if wire.ID != id {
		return identity.User{}, malformed("the answer is about another user than was asked for")
	}
	return wire.user()
}

// user checks what every decision rests on: who it is, by which e-mail they
// are protected, what state they are in, and since when they exist.
func (w wireUser) user() (identity.User, error) {
	u := identity.User{ID: w.ID, Email: w.Email, Name: w.Name, CreatedAt: w.Created.UTC()}
	state, known := stateNamed(w.State)
	u.State = state
	switch {
	case !known:
		return u, malformed("a user has a state this version of Drawbridge does not know")
	case !validID(w.ID):
		return u, malformed("a user has no usable id")
	case w.Email == "":
		return u, malformed("a user has no e-mail")
	case w.Created.IsZero():
		return u, malformed("a user has no create_time")
	}
	return u, nil
}

func stateNamed(wire string) (identity.State, bool) {
	switch wire {
	case "ACTIVE":
		return identity.Active, true
	case "SUSPENDED":
		return identity.Suspended, true
	}
	return "", false
}

func malformed(what string) error {
	return engine.Fail(engine.ClassPermanent, CodeMalformed, "%s", what)
}

// refusal is a way the service says no that no retry and no grant will change.
type refusal struct {
	words []string // any of them in its message, whose underscores count as spaces
	code  string
	means string
}

// refusals are those that are known. "no_owner_remain" has been seen; how the
// others are worded is not documented, so they are known by their nouns.
func refusals() []refusal {
	return []refusal{
		{[]string{"no owner remain", "last owner"}, CodeLastOwner, "the last owner of an account cannot be suspended"},
		{[]string{"externally managed"}, CodeExternallyManaged, "change the account where it is managed"},
		{[]string{"yourself", "suspend self", "own account"}, CodeSelf, "nobody can suspend themselves"},
		{[]string{"provisioning", "scim"}, CodeProvisioned, "the account is under automated provisioning, where the Users API does not work: use a connection with `provider: scim` for it"},
	}
}

// explain reads the service's error body, and knows the refusals.
func explain(r transport.Response) transport.Explanation {
	var body struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(r.Body, &body) // without words the status has to do
	if r.Status >= 500 && r.Status != http.StatusNotImplemented || r.Status == http.StatusTooManyRequests || r.Status == http.StatusUnauthorized {
		return transport.Explanation{Message: body.Message}
	}
	words := strings.ReplaceAll(strings.ToLower(body.Message), "_", " ")
	for _, known := range refusals() {
		if slices.ContainsFunc(known.words, func(w string) bool { return strings.Contains(words, w) }) {
			return transport.Explanation{
				Class: engine.ClassPermanent, Code: known.code, Message: body.Message + " (" + known.means + ")",
			}
		}
	}
	return transport.Explanation{Message: body.Message}
}
