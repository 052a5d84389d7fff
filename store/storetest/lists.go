package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func runsNewestFirst(t *testing.T, s engine.Store) {
	old, young, twin := plainRun("run_9"), plainRun("run_1"), plainRun("run_2")
	old.CreatedAt = noon().Add(-time.Microsecond)
	commit(t, s, engine.Batch{Bundles: []engine.Bundle{bundle()}, Runs: []engine.RunRecord{young, old, twin}})
	same(t, "the runs", runIDs(t, s, engine.RunQuery{}), []string{"run_2", "run_1", "run_9"})
}

func runsInPages(t *testing.T, s engine.Store) {
	b := engine.Batch{Bundles: []engine.Bundle{bundle()}}
	for i := range 5 {
		r := plainRun(fmt.Sprintf("run_%d", i))
		r.CreatedAt = noon().Add(time.Duration(i/2) * time.Hour) // two together at a time
		b.Runs = append(b.Runs, r)
	}
	commit(t, s, b)
	for _, c := range []struct {
		after string
		want  []string
	}{
		{"", []string{"run_4", "run_3"}},
		{"run_3", []string{"run_2", "run_1"}},
		{"run_1", []string{"run_0"}},
		{"run_0", nil},
	} {
		same(t, "the page after "+c.after, runIDs(t, s, engine.RunQuery{After: c.after, Limit: 2}), c.want)
	}
}

func runsSelected(t *testing.T, s engine.Store) {
	b := engine.Batch{Bundles: []engine.Bundle{bundle()}}
	for i, status := range []engine.RunStatus{engine.RunRunning, engine.RunFailed, engine.RunSucceeded, engine.RunFailed} {
		r := plainRun(fmt.Sprintf("run_%d", i))
		r.Status, r.Playbook = status, []string{"contain", "sweep"}[i%2]
		b.Runs = append(b.Runs, r)
	}
	commit(t, s, b)
	failed := []engine.RunStatus{engine.RunFailed}
	for name, c := range map[string]struct {
		query engine.RunQuery
		want  []string
	}{
		"one status":             {engine.RunQuery{Statuses: failed}, []string{"run_3", "run_1"}},
		"two statuses":           {engine.RunQuery{Statuses: append(failed, engine.RunSucceeded)}, []string{"run_3", "run_2", "run_1"}},
		"a playbook":             {engine.RunQuery{Playbook: "contain"}, []string{"run_2", "run_0"}},
		"both":                   {engine.RunQuery{Playbook: "contain", Statuses: failed}, nil},
		"a page of one status":   {engine.RunQuery{Statuses: failed, Limit: 1, After: "run_3"}, []string{"run_1"}},
		"after one not selected": {engine.RunQuery{Statuses: failed, After: "run_2"}, []string{"run_1"}},
	} {
		same(t, name, runIDs(t, s, c.query), c.want)
	}
}

func runsDefaultPage(t *testing.T, s engine.Store) {
	b := engine.Batch{Bundles: []engine.Bundle{bundle()}}
	for i := range 101 {
		b.Runs = append(b.Runs, plainRun(fmt.Sprintf("run_%03d", i)))
	}
	commit(t, s, b)
	first := runIDs(t, s, engine.RunQuery{})
	if len(first) != 100 || first[0] != "run_100" || first[99] != "run_001" {
		t.Errorf("got %d runs, %v", len(first), first)
	}
	same(t, "more than a page", len(runIDs(t, s, engine.RunQuery{Limit: 1000})), 101)
}

func eventsInOrder(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	for seq := uint64(1); seq <= 3; seq++ {
		commit(t, s, engine.Batch{Events: []engine.Event{event("run_1", seq), event("run_2", seq)}})
	}
	same(t, "the journal", must[[]engine.Event](t)(s.Events(t.Context(), "run_1", 0)), journal("run_1", 1, 3))
	same(t, "its end", must[[]engine.Event](t)(s.Events(t.Context(), "run_1", 2)), journal("run_1", 3, 3))
	same(t, "what is behind it", must[[]engine.Event](t)(s.Events(t.Context(), "run_1", 3)), []engine.Event(nil))
}

func stepsInOrder(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	at := func(path string, attempt int, after time.Duration) engine.StepRecord {
		st := plainStep("run_1", path)
		st.Attempt, st.StartedAt = attempt, noon().Add(after)
		return st
	}
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{
		at("late", 1, time.Second), at("together-z", 1, 0), at("together-a", 1, 0), plainStep("run_2", "other"),
	}})
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{at("late", 2, 2*time.Second), at("early", 1, -time.Second)}})
	want := []string{"early#1", "together-z#1", "together-a#1", "late#1", "late#2"}
	same(t, "the steps", stepPaths(t, s, engine.StepQuery{Run: "run_1"}), want)

	again := at("early", 1, time.Hour) // written again, it keeps its place
	again.Status = engine.StepSucceeded
	commit(t, s, engine.Batch{Steps: []engine.StepRecord{again}})
	same(t, "the steps", stepPaths(t, s, engine.StepQuery{Run: "run_1"}), want)
}

func stepsSelected(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	b := engine.Batch{}
	for path, effect := range map[string]engine.Effect{
		"contain": "", "contain[a]/suspend": engine.Change, "contain[a]/look": engine.Observe,
		"contain[b]/suspend": engine.Change, "containment": engine.Announce, "contain_": "", "contain%": "",
	} {
		st := plainStep("run_1", path)
		st.Effect = effect
		b.Steps = append(b.Steps, st)
	}
	commit(t, s, b)
	for name, c := range map[string]struct {
		query engine.StepQuery
		want  int
	}{
		"everything":           {engine.StepQuery{}, 7},
		"an item":              {engine.StepQuery{Prefix: "contain[a]/"}, 2},
		"every item":           {engine.StepQuery{Prefix: "contain["}, 3},
		"no wildcard %":        {engine.StepQuery{Prefix: "contain%"}, 1},
		"no wildcard _":        {engine.StepQuery{Prefix: "contain_"}, 1},
		"a prefix of no path":  {engine.StepQuery{Prefix: "x"}, 0},
		"letters have a case":  {engine.StepQuery{Prefix: "CONTAIN"}, 0},
		"changes":              {engine.StepQuery{Effects: []engine.Effect{engine.Change}}, 2},
		"two effects":          {engine.StepQuery{Effects: []engine.Effect{engine.Change, engine.Announce}}, 3},
		"prefix and effect":    {engine.StepQuery{Prefix: "contain[a]", Effects: []engine.Effect{engine.Change}}, 1},
		"a page of the latter": {engine.StepQuery{Prefix: "contain[", Effects: []engine.Effect{engine.Change}, After: 1}, 1},
	} {
		c.query.Run = "run_1"
		same(t, name, len(stepPaths(t, s, c.query)), c.want)
	}
}

func stepsInPages(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	b := engine.Batch{}
	for i := range 5 {
		b.Steps = append(b.Steps, plainStep("run_1", string(rune('a'+i))))
	}
	commit(t, s, b)
	same(t, "a page", stepPaths(t, s, engine.StepQuery{Run: "run_1", Limit: 2}), []string{"a#1", "b#1"})
	same(t, "the next", stepPaths(t, s, engine.StepQuery{Run: "run_1", Limit: 2, After: 2}), []string{"c#1", "d#1"})
	same(t, "the rest", stepPaths(t, s, engine.StepQuery{Run: "run_1", After: 3}), []string{"d#1", "e#1"})
	same(t, "beyond", stepPaths(t, s, engine.StepQuery{Run: "run_1", After: 9}), []string(nil))
}

func itemsInOrder(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1", "run_2")
	other := item("run_1", 0)
	other.Path = "container"
	commit(t, s, engine.Batch{Items: []engine.ItemRecord{item("run_1", 10), item("run_1", 2), other, item("run_2", 7)}})
	commit(t, s, engine.Batch{Items: []engine.ItemRecord{item("run_1", 9), item("run_1", 0)}})
	q := engine.ItemQuery{Run: "run_1", Path: "contain"}
	same(t, "the items", indexes(t, s, q), []int{0, 2, 9, 10})
	q.After, q.Limit = 1, 2
	same(t, "a page", indexes(t, s, q), []int{2, 9})
	same(t, "no such loop", indexes(t, s, engine.ItemQuery{Run: "run_1", Path: "con"}), []int(nil))
}
