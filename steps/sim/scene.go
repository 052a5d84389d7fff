package sim

import (
	"slices"
	"time"
)

// Scene is a tenant made for one test: who is there, and what they did. Named
// people have exactly the history told of them; ordinary ones live ordinary
// lives.
type Scene struct {
	Ordinary int // people beside those named
	People   []ScenePerson
	SignIns  []SceneSignIn
	Usages   []SceneUsage
	Audits   []SceneAudit
}

// ScenePerson is one named account. An empty ID is made up, and a zero Created
// is an ordinary age.
type ScenePerson struct {
	Person

	Created   time.Time
	Suspended bool
	Refuses   Refusal // why it cannot be suspended; "" where it can
}

// Refusal is why a service does not let an account be suspended.
type Refusal string

// The refusals.
const (
	RefusesLastOwner Refusal = "last_owner"
	RefusesExternal  Refusal = "externally_managed"
	RefusesSelf      Refusal = "self"
)

// SceneSignIn is one attempt to sign in. Who is an index into the scene's people.
type SceneSignIn struct {
	Who     int
	At      time.Time
	Success bool
	IP      string
	Country string
}

// SceneUsage is one use of a stored item. Who is an index into the scene's people.
type SceneUsage struct {
	Who int
	At  time.Time
}

// SceneAudit is one change in the account. Who and Whom are indexes into the
// scene's people; a negative Who is an integration, and a negative Whom means
// that it was done to something else.
type SceneAudit struct {
	Who    int
	At     time.Time
	Action string // the service's own word: "suspend"
	Object string // its type: "user"
	Whom   int
}

// parts are the people as the population knows them.
func (s *Scene) parts() []part {
	var out []part
	for _, p := range s.People {
		played := part{id: p.ID, name: p.Name, email: p.Email, created: p.Created.UTC(), suspended: p.Suspended}
		switch p.Refuses {
		case RefusesLastOwner:
			played.role = lastOwner
		case RefusesExternal:
			played.role = external
		case RefusesSelf:
			played.role = oneself
		}
		out = append(out, played)
	}
	return out
}

// enact writes what the scene tells.
func (w *writer) enact(s *Scene) {
	for _, told := range s.SignIns {
		at := signIn{
			at: told.At.UTC(), user: w.people.place(told.Who), from: origin{ip: told.IP, place: w.placeIn(told.Country)},
			category: "credentials_failed", kind: "password_secret_bad",
		}
		if told.Success {
			at.category, at.kind = "success", "credentials_ok"
		}
		w.signIns = append(w.signIns, at)
	}
	for _, told := range s.Usages {
		i := w.people.place(told.Who)
		w.usages = append(w.usages, usage{at: told.At.UTC(), user: i, from: w.home(i), action: "fill"})
	}
	for _, told := range s.Audits {
		a := audit{at: told.At.UTC(), actor: nobody, action: told.Action, object: told.Object, whom: nobody}
		if told.Who >= 0 {
			a.actor = w.people.place(told.Who)
			a.from = w.home(a.actor)
		}
		if told.Whom >= 0 {
			a.whom = w.people.place(told.Whom)
		}
		w.audits = append(w.audits, a)
	}
}

// placeIn is a place of a country, or one that is nothing but the country.
func (w *writer) placeIn(country string) place {
	for _, p := range slices.Concat(w.places, foreignPlaces()) {
		if p.country == country {
			return p
		}
	}
	return place{country: country}
}
