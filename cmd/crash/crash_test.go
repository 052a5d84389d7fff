package main

import (
	"os"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestFourKills kills a real process four times.
func TestFourKills(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts and kills processes for half a minute")
	}
	var out strings.Builder
	err := crash(t.Context(), options{kills: 4, out: &out})
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "4 kills in ") {
		t.Errorf("the summary does not say how often it killed: %q", out.String())
	}
}

// TestCompareNotices makes sure that the harness would see what it looks for.
func TestCompareNotices(t *testing.T) {
	run := func(ids ...string) shownRun {
		var r shownRun
		for _, id := range ids {
			r.Changes = append(r.Changes, shownChange{Target: engine.Target{ID: id}, Outcome: engine.OutcomeDone})
		}
		return r
	}
	did := func(user string, changed bool) sim.Change { return sim.Change{User: user, Changed: changed} }
	for _, c := range []struct {
		name string
		s    scenario
		run  shownRun
		seen []sim.Change
		want string
	}{
		{"all is well", scenario{accounts: 2}, run("a", "b"), []sim.Change{did("a", true), did("b", true), did("b", false)}, ""},
		{"changed twice", scenario{accounts: 1}, run("a"), []sim.Change{did("a", true), did("a", true)}, "changed 2 times"},
		{"asked twice", scenario{accounts: 1, strict: true}, run("a"), []sim.Change{did("a", true), did("a", false)}, "asked to be 2 times"},
		{"missing", scenario{accounts: 2}, run("a"), []sim.Change{did("a", true)}, "1 accounts were changed, not 2"},
		{"not in the ledger", scenario{accounts: 1}, run(), []sim.Change{did("a", true)}, "the ledger has 0"},
		{"only in the ledger", scenario{accounts: 1}, run("b"), []sim.Change{did("a", true)}, "which was changed 0 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := compare(c.s, c.run, c.seen)
			if c.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTheKilledBinaryMustExist(t *testing.T) {
	if err := crash(t.Context(), options{kills: 1, binary: t.TempDir() + "/none", out: os.Stderr}); err == nil {
		t.Error("a binary that is not there was killed")
	}
}
