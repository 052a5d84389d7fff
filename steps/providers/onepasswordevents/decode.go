package onepasswordevents

import (
	"cmp"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

type wirePage[W any] struct {
	Cursor  string `json:"cursor"`
	HasMore *bool  `json:"has_more"`
	Items   *[]W   `json:"items"`
}

// decodePage reads a page. It is the last when the service says that there is
// no more, never because it is empty.
func decodePage[W, T any](r transport.Response, convert func(W) (T, error)) (transport.Page[T], error) {
	var wire wirePage[W]
	if err := r.JSON(&wire); err != nil {
		return transport.Page[T]{}, err
	}
	switch {
	case wire.HasMore == nil:
		return transport.Page[T]{}, malformed("the page does not say whether it has_more")
	case wire.Items == nil && *wire.HasMore:
		wire.Items = new([]W)
	case wire.Items == nil:
		return transport.Page[T]{}, malformed("the page has no items")
	}
	if *wire.HasMore && wire.Cursor == "" || len(wire.Cursor) > maxCursor {
		return transport.Page[T]{}, malformed("the page has no usable cursor")
	}
	page := transport.Page[T]{Items: make([]T, len(*wire.Items)), Next: wire.Cursor, Last: !*wire.HasMore}
	for i, w := range *wire.Items {
		record, err := convert(w)
		if err != nil {
			return transport.Page[T]{}, err
		}
		page.Items[i] = record
	}
	return page, nil
}

type wirePerson struct {
	UUID    string `json:"uuid"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Account string `json:"user_account_uuid"` // where it differs from the record's
}

type wireSignIn struct {
	UUID     string     `json:"uuid"`
	At       time.Time  `json:"timestamp"`
	Country  string     `json:"country"`
	Category string     `json:"category"`
	Type     string     `json:"type"`
	Account  string     `json:"account_uuid"`
	Target   wirePerson `json:"target_user"`
	Client   struct {
		IP string `json:"ip_address"`
	} `json:"client"`
	Location struct {
		Country   string   `json:"country"`
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
	} `json:"location"`
}

// signIn takes a record whose person, client or place is missing as it is, but
// not one without id, time or outcome: leaving it out would be silent, and
// guessing would judge somebody.
func (w wireSignIn) signIn() (identity.SignIn, error) {
	s := identity.SignIn{
		ID: w.UUID, At: w.At.UTC(), UserID: w.Target.UUID, Email: w.Target.Email, Name: w.Target.Name,
		Reason: w.Type, IP: w.Client.IP, Country: w.Country,
		Latitude: w.Location.Latitude, Longitude: w.Location.Longitude,
		Account: cmp.Or(w.Target.Account, w.Account),
	}
	if s.Country == "" {
		s.Country = w.Location.Country
	}
	if w.UUID == "" || w.At.IsZero() || w.Category == "" {
		return s, malformed("a sign-in attempt has no uuid, timestamp or category")
	}
	result, known := resultOf(w.Category)
	if !known {
		return s, engine.Fail(engine.ClassPermanent, CodeUnknownCategory,
			"a sign-in attempt (%.40q) has the category %.40q, which this version of Drawbridge does not know", w.UUID, w.Category)
	}
	s.Result = result
	return s, nil
}

// resultOf maps the service's categories. A firewall rule that only reports
// lets the sign-in happen: that is a success.
func resultOf(category string) (identity.SignInResult, bool) {
	switch category {
	case "success", "firewall_reported_success":
		return identity.SignInSuccess, true
	case "credentials_failed", "sso_failed":
		return identity.SignInFailed, true
	case "mfa_failed":
		return identity.SignInMFAFailed, true
	case "firewall_failed", "modern_version_failed":
		return identity.SignInBlocked, true
	}
	return "", false
}

// event is the attempt as one of the three kinds of events.
func (w wireSignIn) event() (identity.Event, error) {
	s, err := w.signIn()
	return identity.Event{
		ID: s.ID, At: s.At, UserID: s.UserID, Email: s.Email, Name: s.Name, Action: cmp.Or(s.Reason, w.Category),
		Result: s.Result, ObjectType: "user", ObjectID: s.UserID, IP: s.IP, Country: s.Country, Account: s.Account,
	}, err
}

type wireUsage struct {
	UUID    string     `json:"uuid"`
	At      time.Time  `json:"timestamp"`
	Action  string     `json:"action"`
	User    wirePerson `json:"user"`
	Item    string     `json:"item_uuid"`
	Vault   string     `json:"vault_uuid"`
	Account string     `json:"account_uuid"`
	Client  struct {
		IP string `json:"ip_address"`
	} `json:"client"`
	Location struct {
		Country string `json:"country"`
	} `json:"location"`
}

func (w wireUsage) event() (identity.Event, error) {
	e := identity.Event{
		ID: w.UUID, At: w.At.UTC(), UserID: w.User.UUID, Email: w.User.Email, Name: w.User.Name, Action: w.Action,
		ObjectType: "item", ObjectID: w.Item, RelatedID: w.Vault, IP: w.Client.IP, Country: w.Location.Country,
		Account: cmp.Or(w.User.Account, w.Account),
	}
	if w.UUID == "" || w.At.IsZero() {
		return e, malformed("an item usage has no uuid or timestamp")
	}
	return e, nil
}

type wireAudit struct {
	UUID       string     `json:"uuid"`
	At         time.Time  `json:"timestamp"`
	Actor      string     `json:"actor_uuid"`
	Details    wirePerson `json:"actor_details"`
	Action     string     `json:"action"`
	ObjectType string     `json:"object_type"`
	Object     string     `json:"object_uuid"`
	Aux        string     `json:"aux_uuid"`
	AuxInfo    string     `json:"aux_info"`
	Account    string     `json:"account_uuid"`
	ByAccount  string     `json:"actor_account_uuid"` // where it differs from the record's
	Session    struct {
		IP string `json:"ip"`
	} `json:"session"`
	Location struct {
		Country string `json:"country"`
	} `json:"location"`
}

func (w wireAudit) event() (identity.Event, error) {
	e := identity.Event{
		ID: w.UUID, At: w.At.UTC(), UserID: cmp.Or(w.Actor, w.Details.UUID), Email: w.Details.Email, Name: w.Details.Name,
		Action: w.Action, ObjectType: w.ObjectType, ObjectID: w.Object, RelatedID: w.Aux, Detail: w.AuxInfo,
		IP: w.Session.IP, Country: w.Location.Country, Account: cmp.Or(w.ByAccount, w.Account),
	}
	if w.UUID == "" || w.At.IsZero() || w.Action == "" {
		return e, malformed("an audit event has no uuid, timestamp or action")
	}
	return e, nil
}

func malformed(what string) error {
	return engine.Fail(engine.ClassPermanent, CodeMalformed, "%s", what)
}
