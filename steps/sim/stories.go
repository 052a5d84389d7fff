package sim

import (
	"strings"
	"time"
)

// perform writes the history of a member of the cast.
func (w *writer) perform(i, n int, p part) {
	switch p.role {
	case hijacked:
		w.ordinary(i)
		w.hijack(i, w.hijacks%castHijacked)
		w.hijacks++
	case twin:
		w.ordinary(i)
		w.anonymous(n, p)
	case guessed:
		w.ordinary(i)
		w.burst(i, 6*time.Hour, 15, attacker(4))
	case framed:
		w.ordinary(i)
		w.burst(i, 4*time.Hour, 9, attacker(5))
		w.succeed(i, w.ago(4*time.Hour-12*time.Minute), w.home(i))
	case slow:
		w.ordinary(i)
		w.burst(i, 10*time.Hour, 8, w.abroad(i, "hotel"))
		w.succeed(i, w.ago(6*time.Hour), w.abroad(i, "hotel"))
	case service:
		w.machine(i)
	case usageOnly:
		for d := range historyDays {
			w.use(i, w.ago(time.Duration(d)*day+3*time.Hour), w.home(i), "fill")
		}
	case dormant:
		if p.last > 0 {
			w.succeed(i, w.ago(time.Duration(p.last)*day), w.home(i))
		}
	case lastOwner, external, oneself, hostile:
		w.ordinary(i)
	case breakGlass, former, newHire:
		// nothing is remembered of them
	}
}

// burst is a row of failures, half a minute apart, from one address.
func (w *writer) burst(i int, ago time.Duration, count int, from origin) (end time.Time) {
	at := w.ago(ago)
	for range count {
		at = at.Add(25*time.Second + time.Duration(at.Unix()%11)*time.Second)
		w.fail(i, at, from)
	}
	return at
}

// hijack is what the demo looks for: a burst of failures from a foreign
// address, a success from it within the hour, and a hurried look at many items.
// What one of the three did is known by e-mail only, in another case.
func (w *writer) hijack(i, story int) {
	before := len(w.signIns)
	from := attacker(story)
	at := w.burst(i, []time.Duration{9 * time.Hour, 5 * time.Hour, 2 * time.Hour}[story], 7+2*story, from)
	at = at.Add(time.Duration(2+7*story) * time.Minute)
	w.succeed(i, at, from)
	if w.people.person(i).Email == "priya.raman@example.com" {
		w.forget(before, strings.ToUpper(w.people.person(i).Email))
	}
	for k := range 12 {
		w.use(i, at.Add(time.Duration(20+15*k)*time.Second), from, []string{"reveal", "export"}[k%2])
	}
}

// anonymous is a hijacking known only by an e-mail that two accounts share.
func (w *writer) anonymous(n int, p part) {
	if p.email != strings.ToLower(p.email) {
		return // told once, of the first of the two
	}
	before := len(w.signIns)
	i := w.people.place(n)
	at := w.burst(i, 7*time.Hour, 10, attacker(6))
	w.succeed(i, at.Add(4*time.Minute), attacker(6))
	w.forget(before, strings.ToUpper(p.email))
}

// forget makes the attempts written since then known by e-mail only.
func (w *writer) forget(since int, email string) {
	for k := since; k < len(w.signIns); k++ {
		w.signIns[k].user, w.signIns[k].email = nobody, email
	}
}

// machine is a service-like account: always from the same address, by the clock.
func (w *writer) machine(i int) {
	from := origin{ip: "192.0.2.40", place: w.places[0]}
	for h := range historyDays * 24 {
		at := w.ago(time.Duration(h)*time.Hour + 10*time.Minute)
		w.use(i, at, from, "server-fetch")
		if h%6 == 0 {
			w.succeed(i, at, from)
		}
		if h%24 == 3 {
			w.signIn(i, at, from, "modern_version_failed", "modern_version_old")
		}
	}
}
