package sim

import (
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func TestMixCanBeUndone(t *testing.T) {
	if err := quick.Check(func(x uint64) bool { return unmix(mix(x)) == x }, nil); err != nil {
		t.Error(err)
	}
}

func TestIDsNameTheirIndex(t *testing.T) {
	p := newPopulation(Options{Seed: 3, Users: 5000, Now: time.Now()}.withDefaults())
	for i := range p.count {
		id := p.id(i)
		if back, ok := p.indexOf(id); !ok || back != i || len(id) != 26 || strings.ToUpper(id) != id {
			t.Fatalf("%d is %q, and back %d, %v", i, id, back, ok)
		}
	}
	beyond := idOf(p.seed, uint64(p.count))
	for _, id := range []string{"", "A", beyond, strings.ToLower(p.id(1)), p.id(1) + "A", strings.Repeat("7", 26), p.account} {
		if i, ok := p.indexOf(id); ok {
			t.Errorf("%q is the id of %d", id, i)
		}
	}
}

func TestTheSameSeedGivesTheSameTenant(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	one, two, other := New(Options{Seed: 5, Now: now}), New(Options{Seed: 5, Now: now}), New(Options{Seed: 6, Now: now})
	if one.Credentials() != two.Credentials() || !reflect.DeepEqual(one.Cast(), two.Cast()) || !reflect.DeepEqual(one.history(), two.history()) {
		t.Error("two tenants of one seed differ")
	}
	if one.Credentials() == other.Credentials() || one.Cast().LastOwner.ID == other.Cast().LastOwner.ID {
		t.Error("two tenants of different seeds are the same")
	}
}

func TestRecordsHaveTheirOwnIDs(t *testing.T) {
	tenant := New(Options{})
	seen := map[any]bool{}
	for _, s := range tenant.history().signIns {
		seen[tenant.signInRecord(s)["uuid"]] = true
	}
	for _, u := range tenant.history().usages {
		seen[tenant.usageRecord(u)["uuid"]] = true
	}
	if all := len(tenant.history().signIns) + len(tenant.history().usages); len(seen) != all || all < 20_000 {
		t.Errorf("%d records have %d ids", all, len(seen))
	}
}

func TestTheCastIsWhoItIs(t *testing.T) {
	for _, users := range []int{100, 1200, 1_000_000} {
		tenant := New(Options{Users: users})
		cast := tenant.Cast()
		if len(cast.Hijacked) != 3 || len(cast.Ambiguous) != 2 || len(cast.External) != 2 || len(cast.Dormant) != 5 || len(cast.Former) != 2 {
			t.Errorf("%d users: %+v", users, cast)
		}
		if !strings.EqualFold(cast.Ambiguous[0].Email, cast.Ambiguous[1].Email) || cast.Ambiguous[0].ID == cast.Ambiguous[1].ID {
			t.Errorf("the ambiguous are %+v", cast.Ambiguous)
		}
		for _, p := range cast.Former {
			if closed, err := tenant.Suspended(p.ID); !closed || err != nil {
				t.Errorf("%s is not suspended (%v)", p.Email, err)
			}
		}
		if closed, _ := tenant.Suspended(cast.Hijacked[0].ID); closed {
			t.Error("the hijacked are suspended before anything happened")
		}
	}
}

func TestEmailsAreUnlikeButForTheTwins(t *testing.T) {
	tenant := New(Options{Users: 6000})
	seen := map[string]string{}
	for a := range tenant.Accounts() {
		email := strings.ToLower(a.Email)
		if other, twice := seen[email]; twice && email != "sam.taylor@example.com" {
			t.Errorf("%s and %s share %s", a.ID, other, email)
		}
		seen[email] = a.ID
	}
}

func BenchmarkPage(b *testing.B) {
	tenant := New(Options{Users: 1_000_000})
	for i := 0; b.Loop(); i += 1000 {
		body, _ := tenant.appendPage(nil, listQuery{size: 1000}, i%999_000, false)
		b.SetBytes(int64(len(body)))
	}
}
