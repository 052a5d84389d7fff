package sim

import (
	"fmt"
	"strings"
	"time"
)

// role is somebody's part in the tenant's story.
type role int

const (
	hijacked   role = iota + 1 // many failures from a foreign address, then a success from it
	breakGlass                 // an emergency account nobody uses
	lastOwner                  // cannot be suspended
	external                   // an externally managed admin: cannot be suspended either
	oneself                    // whom the application acts as: cannot suspend itself; only in scenes
	service                    // a machine's account
	former                     // left, and suspended before the story begins
	hostile                    // has a display name that attacks whoever shows it
	twin                       // shares an e-mail, but for its case, with somebody else
	guessed                    // many failures from a foreign address, and no success
	framed                     // the same, and then a success from their usual address
	slow                       // failures, and a success from the same address hours later
	newHire                    // created yesterday, never signed in
	usageOnly                  // one long session: items used, no sign-in remembered
	dormant                    // nothing for a long time
)

type part struct {
	role      role
	name      string
	email     string
	age       time.Duration // of the account; ordinary when 0
	suspended bool          // when the story begins
	last      int           // of a dormant account: days since its last sign-in; 0 for never

	id      string    // of a scene: "" for one that is made up
	created time.Time // of a scene: zero for an ordinary age
}

const day = 24 * time.Hour

// parts are the cast. Their family names are not those of ordinary people, so
// that no e-mail exists twice by accident.
func parts() []part {
	return []part{
		{role: hijacked, name: "Mara Lindqvist", email: "mara.lindqvist@example.com"},
		{role: breakGlass, name: "Break Glass 1", email: "breakglass-1@example.com", age: 900 * day},
		{role: former, name: "Tobias Quist", email: "tobias.quist@example.com", suspended: true},
		{role: lastOwner, name: "Olivia Stern", email: "olivia.stern@example.com", age: 2000 * day},
		{role: dormant, name: "Viktor Halloran", email: "viktor.halloran@example.com", age: 700 * day},
		{role: external, name: "Rahel Amsel", email: "rahel.amsel@example.com"},
		{role: hostile, name: HostileName, email: "eve.underhill@example.com"},
		{role: hijacked, name: "Tomás Herrera", email: "tomas.herrera@example.com"},
		{role: service, name: "CI Deploy", email: "ci-deploy@example.com"},
		{role: guessed, name: "Greta Vasquez", email: "greta.vasquez@example.com"},
		{role: dormant, name: "Ines Rautio", email: "ines.rautio@example.com", age: 500 * day},
		{role: twin, name: "Sam Taylor", email: "sam.taylor@example.com"},
		{role: newHire, name: "Dana Whitlock", email: "dana.whitlock@example.com", age: day},
		{role: external, name: "Piet Overmars", email: "piet.overmars@example.com"},
		{role: framed, name: "Noor Haddad", email: "noor.haddad@example.com"},
		{role: dormant, name: "Kenji Arakawa", email: "kenji.arakawa@example.com", age: 800 * day, last: 101},
		{role: hijacked, name: "Priya Raman", email: "priya.raman@example.com"},
		{role: usageOnly, name: "Lotte Zander", email: "lotte.zander@example.com"},
		{role: twin, name: "Sam Taylor", email: "Sam.Taylor@example.com"},
		{role: former, name: "Imke Dorn", email: "imke.dorn@example.com", suspended: true},
		{role: slow, name: "Bruno Calloway", email: "bruno.calloway@example.com"},
		{role: dormant, name: "Selma Ostrow", email: "selma.ostrow@example.com", age: 400 * day, last: 112},
		{role: dormant, name: "Ruben Falk", email: "ruben.falk@example.com", age: 300 * day},
	}
}

// castHijacked is how many of the cast are hijacked.
const castHijacked = 3

// victims are those who are hijacked beside the cast. Their addresses are those
// of a branch, so that nobody else has one.
func victims(o Options) []part {
	given, family := givenNames(), familyNames()
	var out []part
	for n := range max(0, o.Hijacked-castHijacked) {
		first, last := given[n%len(given)], family[7*n%len(family)]
		out = append(out, part{
			role: hijacked, name: first + " " + last,
			email: fmt.Sprintf("%s.%s%d@branch.example.com", strings.ToLower(first), strings.ToLower(last), n+1),
		})
	}
	return out
}

// HostileName is the display name of the cast's hostile account: Slack markup,
// a line break, a terminal's escape sequences and a bidirectional override.
const HostileName = "Eve <!channel> <https://evil.example|Approve>\n\x1b[2J\x1b[31mALL CLEAR\x1b[0m \u202etxt.exe"

// Cast names the people with a part in a story, so that a test can say who
// must be found and who must be left alone.
type Cast struct {
	Hijacked   []Person `json:"hijacked"`    // exactly these are suspicious by success_after_failures
	Dormant    []Person `json:"dormant"`     // active, and without any activity for 100 days or more
	BreakGlass Person   `json:"break_glass"` // as dormant as they, and to be protected
	LastOwner  Person   `json:"last_owner"`
	External   []Person `json:"external"`
	Service    Person   `json:"service"`
	Former     []Person `json:"former"` // suspended from the start; ordinary people may be too
	Hostile    Person   `json:"hostile"`
	Ambiguous  []Person `json:"ambiguous"` // looks hijacked, by an e-mail that two accounts share
	Guessed    Person   `json:"guessed"`
	Framed     Person   `json:"framed"`
	Slow       Person   `json:"slow"`
	NewHire    Person   `json:"new_hire"`
	UsageOnly  Person   `json:"usage_only"`
}

func (p population) cast() Cast {
	one := func(r role) Person {
		if all := p.played(r); len(all) > 0 {
			return all[0]
		}
		return Person{} // a scene has no such part
	}
	return Cast{
		Hijacked: p.played(hijacked), Dormant: p.played(dormant), BreakGlass: one(breakGlass),
		LastOwner: one(lastOwner), External: p.played(external), Service: one(service),
		Former: p.played(former), Hostile: one(hostile), Ambiguous: p.played(twin),
		Guessed: one(guessed), Framed: one(framed), Slow: one(slow),
		NewHire: one(newHire), UsageOnly: one(usageOnly),
	}
}

// played are the people with the role, in the order of the cast.
func (p population) played(r role) []Person {
	var people []Person
	for n, part := range p.parts {
		if part.role == r {
			people = append(people, p.person(p.place(n)))
		}
	}
	return people
}
