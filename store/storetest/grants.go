package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func grantIDs(t *testing.T, s engine.Store, q engine.GrantQuery) []string {
	t.Helper()
	var out []string
	for _, g := range must[[]engine.Grant](t)(s.Grants(t.Context(), q)) {
		out = append(out, g.ID)
	}
	return out
}

func grantsComeBack(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	full, plain := fullGrant("gnt_1", "run_1"), plainGrant("gnt_2", "run_2")
	written := fullGrant("gnt_1", "run_1")
	zone := time.FixedZone("CEST", 2*60*60)
	late := func(at *time.Time) { *at = at.Add(time.Nanosecond).In(zone) }
	for _, at := range []*time.Time{
		&written.EndsAt, &written.NextTry, &written.CreatedAt, written.WarnedAt, written.AlarmedAt, written.StartedAt, written.EndedAt,
	} {
		late(at) // kept in UTC, to the microsecond, as all times are
	}
	written.Lasts++
	commit(t, s, engine.Batch{Grants: []engine.Grant{written, plain}})
	written.Inverse[0], written.Before[0], written.After[0], written.Error.Message, *written.EndedAt = 'X', 'X', 'X', "X", time.Now()
	got := must[engine.Grant](t)(s.Grant(t.Context(), "gnt_1"))
	same(t, "the full grant", got, full)
	got.Inverse[0], got.Error.Message, *got.WarnedAt = 'Y', "Y", time.Now()
	same(t, "the list", must[[]engine.Grant](t)(s.Grants(t.Context(), engine.GrantQuery{})), []engine.Grant{full, plain})
}

func grantsReplaced(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	commit(t, s, engine.Batch{Grants: []engine.Grant{plainGrant("gnt_1", "run_1"), fullGrant("gnt_2", "run_1")}})
	a, b := fullGrant("gnt_1", "run_2"), plainGrant("gnt_2", "run_1")
	a.Path, a.Playbook, a.Action, a.Connection, a.Target.ID = "other", "other", "other", "other", "other"
	a.EndsAt, a.NextTry, a.CreatedAt = noon().Add(time.Minute), noon().Add(time.Second), noon().Add(time.Hour)
	commit(t, s, engine.Batch{Grants: []engine.Grant{a, b}})
	same(t, "the grants", must[[]engine.Grant](t)(s.Grants(t.Context(), engine.GrantQuery{})), []engine.Grant{a, b})
}

func grantStates() []engine.GrantState {
	return []engine.GrantState{
		engine.GrantArmed, engine.GrantActive, engine.GrantAsking, engine.GrantEnded, engine.GrantKept, engine.GrantVoid,
	}
}

func grantsSelected(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2", "run_3")
	var b engine.Batch
	for i, state := range grantStates() {
		g := plainGrant(fmt.Sprintf("gnt_%d", i), []string{"run_1", "run_2"}[i%2])
		g.State, g.Target.ID, g.Connection = state, []string{"U1", "U2"}[i/3], []string{"op", "okta", "op"}[i%3]
		b.Grants = append(b.Grants, g)
	}
	commit(t, s, b)
	for name, c := range map[string]struct {
		query engine.GrantQuery
		want  []string
	}{
		"a run":                  {engine.GrantQuery{Run: "run_1"}, []string{"gnt_0", "gnt_2", "gnt_4"}},
		"a run without any":      {engine.GrantQuery{Run: "run_3"}, nil},
		"a state":                {engine.GrantQuery{States: grantStates()[4:5]}, []string{"gnt_4"}},
		"three states":           {engine.GrantQuery{States: grantStates()[:3]}, []string{"gnt_0", "gnt_1", "gnt_2"}},
		"a target":               {engine.GrantQuery{Connection: "op", Target: "U1"}, []string{"gnt_0", "gnt_2"}},
		"a target's live ones":   {engine.GrantQuery{Connection: "op", Target: "U2", States: grantStates()[:3]}, nil},
		"a target of any":        {engine.GrantQuery{Target: "U2"}, []string{"gnt_3", "gnt_4", "gnt_5"}},
		"a connection":           {engine.GrantQuery{Connection: "okta"}, []string{"gnt_1", "gnt_4"}},
		"a run's state":          {engine.GrantQuery{Run: "run_2", States: grantStates()[:2]}, []string{"gnt_1"}},
		"after one not selected": {engine.GrantQuery{Run: "run_1", After: "gnt_1"}, []string{"gnt_2", "gnt_4"}},
	} {
		same(t, name, grantIDs(t, s, c.query), c.want)
	}
}

// grantsDue: a grant ends by its next try, which is not when it was to end.
func grantsDue(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	var b engine.Batch
	for i, state := range grantStates() {
		g := plainGrant(fmt.Sprintf("gnt_%d", i), "run_1")
		g.State, g.NextTry = state, noon().Add(time.Duration(i%3)*time.Second)
		g.EndsAt = noon().Add(-time.Duration(i) * time.Hour)
		b.Grants = append(b.Grants, g)
	}
	commit(t, s, b)
	for name, c := range map[string]struct {
		query engine.GrantQuery
		want  []string
	}{
		"before all":       {engine.GrantQuery{DueBy: noon().Add(-time.Microsecond)}, nil},
		"at the moment":    {engine.GrantQuery{DueBy: noon()}, []string{"gnt_0"}},
		"those that end":   {engine.GrantQuery{DueBy: noon().Add(time.Second)}, []string{"gnt_1", "gnt_0"}},
		"all":              {engine.GrantQuery{DueBy: noon().Add(time.Hour)}, []string{"gnt_2", "gnt_1", "gnt_0"}},
		"of a state":       {engine.GrantQuery{DueBy: noon().Add(time.Hour), States: grantStates()[:2]}, []string{"gnt_1", "gnt_0"}},
		"of a final state": {engine.GrantQuery{DueBy: noon().Add(time.Hour), States: grantStates()[3:]}, nil},
		"of a run":         {engine.GrantQuery{DueBy: noon(), Run: "run_1"}, []string{"gnt_0"}},
		"a page":           {engine.GrantQuery{DueBy: noon().Add(time.Hour), Limit: 1, After: "gnt_2"}, []string{"gnt_1"}},
	} {
		same(t, name, grantIDs(t, s, c.query), c.want)
	}
	tried := b.Grants[0]
	tried.NextTry = noon().Add(time.Minute)
	commit(t, s, engine.Batch{Grants: []engine.Grant{tried}})
	same(t, "after a try that failed", grantIDs(t, s, engine.GrantQuery{DueBy: noon()}), []string(nil))
}

func grantsInPages(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	var b engine.Batch
	for i := range 101 {
		g := plainGrant(fmt.Sprintf("gnt_%03d", i), "run_1")
		g.EndsAt = noon().Add(-time.Duration(i/2) * time.Hour) // two together at a time
		b.Grants = append(b.Grants, g)
	}
	commit(t, s, b)
	same(t, "a page", grantIDs(t, s, engine.GrantQuery{Limit: 2}), []string{"gnt_100", "gnt_098"})
	same(t, "the next", grantIDs(t, s, engine.GrantQuery{Limit: 3, After: "gnt_098"}), []string{"gnt_099", "gnt_096", "gnt_097"})
	same(t, "a page unless told", len(grantIDs(t, s, engine.GrantQuery{})), 100)
	same(t, "the rest", grantIDs(t, s, engine.GrantQuery{After: "gnt_000"}), []string{"gnt_001"})
	same(t, "more than a page", len(grantIDs(t, s, engine.GrantQuery{Limit: 1000})), 101)
	same(t, "beyond", grantIDs(t, s, engine.GrantQuery{Run: "run_1", After: "gnt_001"}), []string(nil))
}

func holdIDs(t *testing.T, s engine.Store, all bool) []string {
	t.Helper()
	var out []string
	for _, h := range must[[]engine.Hold](t)(s.Holds(t.Context(), all)) {
		out = append(out, h.ID)
	}
	return out
}

func holds(t *testing.T, s engine.Store) {
	put := func(h engine.Hold, after time.Duration) {
		t.Helper()
		h.At = noon().Add(after)
		commit(t, s, engine.Batch{Holds: []engine.Hold{h}})
	}
	put(hold("hld_2"), 0)
	put(hold("hld_3"), 0)
	put(hold("hld_1"), time.Hour)
	put(released("hld_4"), time.Minute)
	same(t, "those that hold", holdIDs(t, s, false), []string{"hld_1", "hld_3", "hld_2"})
	same(t, "all", holdIDs(t, s, true), []string{"hld_1", "hld_4", "hld_3", "hld_2"})
	put(released("hld_3"), 0)
	same(t, "after a release", holdIDs(t, s, false), []string{"hld_1", "hld_2"})
	put(hold("hld_4"), time.Minute)
	same(t, "held again", holdIDs(t, s, false), []string{"hld_1", "hld_4", "hld_2"})
}

func holdsComeBack(t *testing.T, s engine.Store) {
	everywhere, freed := hold("hld_2"), released("hld_1")
	everywhere.Connection, everywhere.Target = "", "alice@example.com"
	written := freed
	written.ReleasedBy = pointer(*freed.ReleasedBy)
	written.At = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Holds: []engine.Hold{hold("hld_1"), everywhere}})
	commit(t, s, engine.Batch{Holds: []engine.Hold{written}})
	written.ReleasedBy.Name = "X"
	list := func() []engine.Hold { return must[[]engine.Hold](t)(s.Holds(t.Context(), true)) }
	list()[1].ReleasedBy.Name = "Y"
	same(t, "the holds", list(), []engine.Hold{everywhere, freed})

	other := hold("hld_1")
	other.Connection, other.Target, other.Reason, other.By, other.At = "okta", "U2", "other", engine.Actor{Name: "carol"}, noon().Add(time.Hour)
	commit(t, s, engine.Batch{Holds: []engine.Hold{other}})
	same(t, "replaced", list(), []engine.Hold{other, everywhere})
}
