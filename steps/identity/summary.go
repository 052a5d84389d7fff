package identity

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	guessingWindow  = time.Hour   // how long before a success a failure counts as a guess at it
	nearby          = 100.0       // km; addresses are not located better than that
	shortestJourney = time.Minute // two devices at once are no journey of infinite speed
)

// attempt is what a summary needs of a sign-in.
type attempt struct {
	at          time.Time
	result      SignInResult
	ip, country string
	place       *place
}

type place struct{ latitude, longitude float64 }

func attemptOf(s SignIn) attempt {
	a := attempt{at: s.At.UTC(), result: s.Result, ip: s.IP, country: s.Country}
	if s.Latitude != nil && s.Longitude != nil {
		a.place = &place{*s.Latitude, *s.Longitude}
	}
	return a
}

// summaryFields are the facts about one user's sign-ins that rules are written
// over and that come back as evidence.
func summaryFields() []engine.Field {
	return []engine.Field{
		{Name: "failed", Type: engine.TypeInteger(), Doc: "Attempts with a wrong password or key."},
		{Name: "succeeded", Type: engine.TypeInteger(), Doc: "Successful attempts."},
		{Name: "blocked", Type: engine.TypeInteger(), Doc: "Attempts a firewall rule or policy stopped."},
		{Name: "mfa_failed", Type: engine.TypeInteger(), Doc: "Attempts with a wrong or missing second factor."},
		{Name: "countries", Type: engine.ListOf(engine.TypeString()), Doc: "The countries of all attempts, failed ones too, sorted."},
		{Name: "success_countries", Type: engine.ListOf(engine.TypeString()), Doc: "The countries of the successful attempts, sorted."},
		{Name: "ips", Type: engine.ListOf(engine.TypeString()), Doc: "The addresses of all attempts, failed ones too, sorted."},
		{Name: "first_seen", Type: engine.TypeTime(), Doc: "When the first attempt of the window was."},
		{Name: "last_seen", Type: engine.TypeTime(), Doc: "When the last attempt of the window was."},
		{
			Name: "success_after_failures", Type: engine.TypeInteger(),
			Doc: "The most failed attempts (password or second factor) within the hour before a successful one from the same address.",
		},
		{
			Name: "success_after_failures_ip", Type: engine.Maybe(engine.TypeString()),
			Doc: "The address that `success_after_failures` is about; missing when that is 0.",
		},
		{
			Name: "km_per_hour", Type: engine.Maybe(engine.TypeNumber()),
			Doc: "The fastest journey between the places of two successful attempts in a row. Places less than 100 km apart count as the same, less than a minute as a minute. " +
				"Missing with fewer than two successes whose place is known.",
		},
	}
}

// summarize writes the facts about a user's attempts into a row.
func summarize(row map[string]any, attempts []attempt) {
	slices.SortStableFunc(attempts, byTimeFailuresFirst)
	counts := make(map[SignInResult]int64, 4)
	countries, entered, ips := make(set), make(set), make(set)
	for _, a := range attempts {
		counts[a.result]++
		countries.add(a.country)
		ips.add(a.ip)
		if a.result == SignInSuccess {
			entered.add(a.country)
		}
	}
	row["failed"] = counts[SignInFailed]
	row["succeeded"] = counts[SignInSuccess]
	row["blocked"] = counts[SignInBlocked]
	row["mfa_failed"] = counts[SignInMFAFailed]
	row["countries"] = countries.list()
	row["success_countries"] = entered.list()
	row["ips"] = ips.list()
	row["first_seen"] = attempts[0].at
	row["last_seen"] = attempts[len(attempts)-1].at
	guesses, ip := successAfterFailures(attempts)
	row["success_after_failures"] = guesses
	row["success_after_failures_ip"] = orNull(ip)
	row["km_per_hour"] = numberOrNull(fastestJourney(attempts))
}

// byTimeFailuresFirst orders attempts so that a failure at the instant of a
// success counts as before it.
func byTimeFailuresFirst(a, b attempt) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(rank(a), rank(b)))
}

func rank(a attempt) int {
	if a.result == SignInSuccess {
		return 1
	}
	return 0
}

// set is a set of what attempts had in common.
type set map[string]struct{}

// add leaves out the empty string, which stands for unknown.
func (s set) add(member string) {
	if member != "" {
		s[member] = struct{}{}
	}
}

func (s set) list() []any {
	list := make([]any, 0, len(s))
	for _, member := range slices.Sorted(maps.Keys(s)) {
		list = append(list, member)
	}
	return list
}

// successAfterFailures is the most failures within an hour before a success
// from the same address, and that address. The address matters: without it,
// guessing at a colleague's password until they sign in would make them look
// hijacked. Attempts must be in order.
func successAfterFailures(attempts []attempt) (most int64, from string) {
	failures := make(map[string][]time.Time)
	for _, a := range attempts {
		switch {
		case a.ip == "":
		case a.result == SignInFailed, a.result == SignInMFAFailed:
			failures[a.ip] = append(failures[a.ip], a.at)
		case a.result == SignInSuccess:
			recent := since(failures[a.ip], a.at.Add(-guessingWindow))
			failures[a.ip] = recent
			if n := int64(len(recent)); n > most {
				most, from = n, a.ip
			}
		}
	}
	return most, from
}

// since is the times from the given one on.
func since(times []time.Time, from time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	return times[i:]
}

// fastestJourney is the highest speed in km/h that two successes in a row
// would have taken, nil where fewer than two have a place. Attempts must be in order.
func fastestJourney(attempts []attempt) *float64 {
	var last *attempt
	var fastest *float64
	for i := range attempts {
		a := &attempts[i]
		if a.result != SignInSuccess || a.place == nil {
			continue
		}
		if last != nil {
			speed := math.Round(kmPerHour(last, a))
			if fastest == nil || speed > *fastest {
				fastest = &speed
			}
		}
		last = a
	}
	return fastest
}

func kmPerHour(from, to *attempt) float64 {
	km := distance(*from.place, *to.place)
	if km < nearby {
		return 0
	}
	return km / max(to.at.Sub(from.at), shortestJourney).Hours()
}

// distance is the great-circle distance in kilometres.
func distance(a, b place) float64 {
	const earthRadius, degree = 6371.0, math.Pi / 180
	north := math.Sin((b.latitude - a.latitude) * degree / 2)
	east := math.Sin((b.longitude - a.longitude) * degree / 2)
	h := north*north + math.Cos(a.latitude*degree)*math.Cos(b.latitude*degree)*east*east
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}
