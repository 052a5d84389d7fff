package sim

import (
	"slices"
	"time"
)

const (
	historyPeople = 4000 // of a larger tenant only these have a history, beside the cast
	historyDays   = 14
)

// history is what the Events API remembers, oldest first.
type history struct {
	signIns []signIn
	usages  []usage
	audits  []audit
}

type signIn struct {
	at       time.Time
	user     int    // index; nobody where the service did not know whom
	email    string // as typed; the account's where empty
	from     origin
	category string
	kind     string
}

const nobody = -1

type usage struct {
	at     time.Time
	user   int
	from   origin
	action string
}

// audit is one change in the account.
type audit struct {
	at     time.Time
	actor  int // index; nobody for an integration
	action string
	object string // its type
	whom   int    // index of the person it was done to; nobody for something else
	from   origin
}

// origin is where a request came from.
type origin struct {
	ip    string
	place place
}

// writer collects the history of the people.
type writer struct {
	people  population
	places  []place
	hijacks int // told so far
	history
}

func newHistory(people population, scene *Scene) history {
	w := &writer{people: people, places: places()}
	for i := range min(people.count, historyPeople) {
		if _, cast := people.part(i); !cast {
			w.ordinary(i)
		}
	}
	if scene != nil {
		w.enact(scene)
	} else {
		w.story()
	}
	slices.SortFunc(w.signIns, func(a, b signIn) int { return a.at.Compare(b.at) })
	slices.SortFunc(w.usages, func(a, b usage) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(w.audits, func(a, b audit) int { return a.at.Compare(b.at) })
	return w.history
}

// story is what the cast does, and the noise around it.
func (w *writer) story() {
	for n, part := range w.people.parts {
		w.perform(w.people.place(n), n, part)
	}
	w.spraying()
}

// ago is a moment before the story's present.
func (w *writer) ago(d time.Duration) time.Time { return w.people.now.Add(-d) }

func (w *writer) signIn(i int, at time.Time, from origin, category, kind string) {
	if at.Before(w.people.created(i)) {
		return
	}
	w.signIns = append(w.signIns, signIn{at: at, user: i, from: from, category: category, kind: kind})
}

func (w *writer) succeed(i int, at time.Time, from origin) {
	kind := "credentials_ok"
	if w.people.roll(i, "mfa")%2 == 0 {
		kind = "mfa_ok"
	}
	w.signIn(i, at, from, "success", kind)
}

func (w *writer) fail(i int, at time.Time, from origin) {
	w.signIn(i, at, from, "credentials_failed", "password_secret_bad")
}

func (w *writer) use(i int, at time.Time, from origin, action string) {
	if at.Before(w.people.created(i)) {
		return
	}
	w.usages = append(w.usages, usage{at: at, user: i, from: from, action: action})
}

// ordinary is a person's working life: most days a few sign-ins hours apart,
// now and then a mistyped password, some through a VPN, a few while travelling.
func (w *writer) ordinary(i int) {
	if w.people.beganSuspended(i) {
		return
	}
	sure := w.people.roll(i, "sure") % 5 // a day on which everybody is there
	for d := range historyDays {
		if d == sure || w.people.roll(i, "works"+days(d))%7 < 5 {
			w.workday(i, d)
		}
	}
}

func (w *writer) workday(i, d int) {
	first := 15*time.Minute + time.Duration(w.people.roll(i, "first"+days(d))%300)*time.Minute
	for s := range 1 + w.people.roll(i, "sessions"+days(d))%3 {
		about := days(d) + "." + days(s)
		later := time.Duration(s)*5*time.Hour + time.Duration(w.people.roll(i, "jitter"+about)%3000)*time.Second
		w.session(i, w.ago(time.Duration(d)*day+first+later), w.whereabouts(i, d, about), about)
	}
}

// session is one sign-in, after at most two mistakes, and what was used then.
func (w *writer) session(i int, at time.Time, from origin, about string) {
	dice := w.people.roll(i, "dice"+about) % 1000
	switch {
	case dice < 60:
		w.fail(i, at.Add(-40*time.Second), from)
	case dice < 80:
		w.fail(i, at.Add(-90*time.Second), from)
		w.fail(i, at.Add(-35*time.Second), from)
	case dice < 100:
		w.signIn(i, at.Add(-25*time.Second), from, "mfa_failed", "totp_bad")
	case dice < 103:
		w.signIn(i, at.Add(-20*time.Minute), from, "modern_version_failed", "modern_version_old")
	case dice < 105:
		w.signIn(i, at.Add(-15*time.Minute), from, "firewall_failed", "country_blocked")
	}
	w.succeed(i, at, from)
	w.manage(i, at.Add(2*time.Minute), from, w.people.roll(i, "manages"+about))
	for n := range w.people.roll(i, "uses"+about) % 3 {
		w.use(i, at.Add(time.Duration(n+1)*7*time.Minute/2), from, usageAction(w.people.roll(i, "what"+about+days(n))))
	}
}

// manage is what a person changes in the account in passing.
func (w *writer) manage(i int, at time.Time, from origin, roll int) {
	if at.Before(w.people.created(i)) {
		return
	}
	what := [][2]string{{"share", "item"}, {"grant", "uva"}, {"revoke", "uva"}, {"join", "gm"}, {"create", "vault"}}[roll%5]
	w.audits = append(w.audits, audit{at: at, actor: i, action: what[0], object: what[1], whom: nobody, from: from})
}

func usageAction(roll int) string {
	return []string{"fill", "fill", "fill", "secure-copy", "reveal", "enter-item-edit-mode", "select-sso-provider"}[roll%7]
}

// whereabouts is home, unless the person travels that week or uses a VPN.
func (w *writer) whereabouts(i, d int, about string) origin {
	habit := w.people.roll(i, "habit") % 100
	switch {
	case habit < 2 && d >= 2 && d <= 5:
		return w.abroad(i, "hotel")
	case habit >= 2 && habit < 6 && w.people.roll(i, "vpn"+about)%3 == 0:
		return w.vpnExit(w.people.roll(i, "exit"+about))
	default:
		return w.home(i)
	}
}

// spraying is the noise every tenant hears: one address that tries one
// password on many accounts, and names that do not exist.
func (w *writer) spraying() {
	from := attacker(9)
	for n := range 60 {
		at := w.ago(11*time.Hour - time.Duration(n)*7*time.Second)
		i := w.people.roll(n, "sprayed") % min(w.people.count, historyPeople)
		w.fail(i, at, from)
	}
	for n, email := range []string{"admin@example.com", "root@example.com", "test@example.com"} {
		at := w.ago(11*time.Hour - time.Duration(500+n)*time.Second)
		w.signIns = append(w.signIns, signIn{
			at: at, user: nobody, email: email, from: from, category: "credentials_failed", kind: "password_secret_bad",
		})
	}
}
