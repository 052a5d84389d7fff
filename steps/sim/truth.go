package sim

import (
	"iter"
	"time"
)

// Account is an account as it is now, for a test that knows the truth.
type Account struct {
	Person
	Created   time.Time
	Suspended bool
}

// Accounts are all accounts, in the order of a listing. The tenant must not be
// called while they are looked at.
func (t *Tenant) Accounts() iter.Seq[Account] {
	return func(yield func(Account) bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		for i := range t.opts.Users {
			a := Account{Person: t.people.person(i), Created: t.people.created(i), Suspended: t.isSuspended(i)}
			if !yield(a) {
				return
			}
		}
	}
}

// SignIns is how many sign-in attempts there were in [from, to).
func (t *Tenant) SignIns(from, to time.Time) int {
	return len(window(t.history().signIns, between(from, to), func(s signIn) time.Time { return s.at }))
}

// ItemUsages is how many item usages there were in [from, to).
func (t *Tenant) ItemUsages(from, to time.Time) int {
	return len(window(t.history().usages, between(from, to), func(u usage) time.Time { return u.at }))
}

// AuditEvents is how many audit events there were in [from, to).
func (t *Tenant) AuditEvents(from, to time.Time) int {
	return len(window(t.audits(), between(from, to), func(a audit) time.Time { return a.at }))
}

func between(from, to time.Time) position {
	return position{start: from.UnixNano(), end: to.UnixNano() - 1}
}
