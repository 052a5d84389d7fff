package scim

import (
	"cmp"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// wireList is a ListResponse (RFC 7644, 3.4.2; RFC 9865, 2.1).
type wireList[T any] struct {
	Total     *int   `json:"totalResults"`
	Start     int    `json:"startIndex"`
	Next      string `json:"nextCursor"`
	Resources *[]T   `json:"Resources"`
}

type wireMeta struct {
	Created *time.Time `json:"created"`
	Version string     `json:"version"`
}

type wireUser struct {
	ID       string `json:"id"`
	UserName string `json:"userName"`
	Display  string `json:"displayName"`
	Name     struct {
		Formatted string `json:"formatted"`
		Given     string `json:"givenName"`
		Family    string `json:"familyName"`
	} `json:"name"`
	Active *bool        `json:"active"`
	Emails []wireEmail  `json:"emails"`
	Groups []wireMember `json:"groups"`
	Meta   wireMeta     `json:"meta"`
}

type wireEmail struct {
	Value   string `json:"value"`
	Type    string `json:"type"`
	Primary bool   `json:"primary"`
}

type wireGroup struct {
	ID      string        `json:"id"`
	Display string        `json:"displayName"`
	Members *[]wireMember `json:"members"`
	Meta    wireMeta      `json:"meta"`
}

// wireMember is a member of a group, or a group a user is in.
type wireMember struct {
	Value   string `json:"value"`
	Display string `json:"display"`
	Type    string `json:"type"`
	Ref     string `json:"$ref"`
}

// isGroup reports whether a member is a group: its type says so, or where it
// has none the address it refers to.
func (m wireMember) isGroup() bool {
	return strings.EqualFold(m.Type, "Group") || m.Type == "" && strings.Contains(m.Ref, "/Groups/")
}

// user checks what every decision rests on: who it is, by which address they
// are protected, whether they can sign in, and since when they exist.
func (s *service) user(w wireUser) (identity.User, error) {
	u := identity.User{ID: w.ID, Email: w.address(), State: identity.Suspended}
	u.Name = cmp.Or(w.Display, w.Name.Formatted, strings.TrimSpace(w.Name.Given+" "+w.Name.Family))
	switch {
	case !validID(w.ID):
		return u, malformed("a user has no usable id")
	case u.Email == "":
		return u, malformed("a user has neither an e-mail address nor a userName")
	case w.Active == nil:
		return u, malformed("a user does not say whether it is `active`")
	case w.Meta.Created != nil:
		u.CreatedAt = w.Meta.Created.UTC()
	case s.assumeNew:
		u.CreatedAt = s.time().UTC()
	default:
		return u, malformed("a user has no `meta.created`; where the service never says it, set `created: %s`", createdAssumeNew)
	}
	if *w.Active {
		u.State = identity.Active
	}
	return u, nil
}

func (s *service) time() time.Time {
	if s.now == nil {
		return time.Now()
	}
	return s.now()
}

// address is the one address an account is known by.
func (w wireUser) address() string {
	best, rank := w.UserName, 0
	for _, e := range w.Emails {
		r := 1
		switch {
		case e.Value == "":
			continue
		case e.Primary:
			r = 3
		case strings.EqualFold(e.Type, "work"):
			r = 2
		}
		if r > rank {
			best, rank = e.Value, r
		}
	}
	return best
}

func (w wireGroup) group() (identity.Group, error) {
	switch {
	case !validID(w.ID):
		return identity.Group{}, malformed("a group has no usable id")
	case w.Display == "":
		return identity.Group{}, malformed("a group has no displayName")
	}
	return identity.Group{ID: w.ID, Name: w.Display}, nil
}

// version is that of a resource: the header's, else the one in its meta.
func version(r transport.Response, meta wireMeta) string {
	return cmp.Or(r.Header.Get("ETag"), meta.Version)
}
