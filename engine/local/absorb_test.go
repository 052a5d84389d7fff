package local_test

import (
	"encoding/json"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

func TestWhatARequestAbsorbs(t *testing.T) {
	line := func(change func(*engine.PlannedChange)) engine.PlannedChange {
		c := engine.PlannedChange{
			Path: "each[mara]", Action: "user.suspend", Connection: "okta", Target: engine.Target{ID: "mara"},
			Before: json.RawMessage(`{"state":"open"}`), After: json.RawMessage(`{"state":"suspended"}`), Why: "3 failed sign-ins",
		}
		change(&c)
		return c
	}
	same := func(*engine.PlannedChange) {}
	set := func(lines ...engine.PlannedChange) engine.ChangeSet { return engine.ChangeSet{Changes: lines} }
	for _, c := range []struct {
		name string
		set  engine.ChangeSet
		want bool
	}{
		{"the same", set(line(same)), true},
		{"nothing", set(), true},
		{"nothing to do any more", set(line(func(c *engine.PlannedChange) { c.Path, c.Outcome = "each[noor]", engine.OutcomeUnchanged })), true},
		{"made at another time", set(line(func(c *engine.PlannedChange) { c.Arguments = "another" })), true},
		{"more evidence", set(line(func(c *engine.PlannedChange) { c.Why = "4 failed sign-ins" })), false},
		{"another step", set(line(func(c *engine.PlannedChange) { c.Path = "other[mara]" })), false},
		{"somebody else", set(line(same), line(func(c *engine.PlannedChange) { c.Path, c.Target.ID = "each[noor]", "noor" })), false},
		{"a target of another id", set(line(func(c *engine.PlannedChange) { c.Target.ID = "noor" })), false},
		{"another state before", set(line(func(c *engine.PlannedChange) { c.Before = json.RawMessage(`{}`) })), false},
		{"another state after", set(line(func(c *engine.PlannedChange) { c.After = json.RawMessage(`{}`) })), false},
		{"for longer", set(line(func(c *engine.PlannedChange) { c.For = "4h" })), false},
		{"a change nobody foresees", engine.ChangeSet{Unforeseen: []engine.Unforeseen{{Path: "later", After: "ok", Changes: true}}}, false},
	} {
		if got := local.NothingNew(c.set, set(line(same))); got != c.want {
			t.Errorf("%s: nothing new is %v, want %v", c.name, got, c.want)
		}
	}
}
