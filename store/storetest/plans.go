package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// withPlans writes plans, and run_1 with all it takes.
func withPlans(t *testing.T, s engine.Store, plans ...engine.PlanRecord) {
	t.Helper()
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Plans: plans})
}

func planIDs(t *testing.T, s engine.Store, q engine.PlanQuery) []string {
	t.Helper()
	var out []string
	for _, p := range must[[]engine.PlanRecord](t)(s.Plans(t.Context(), q)) {
		out = append(out, p.ID)
	}
	return out
}

// questions are what an owner has answers to, as PATH?ARGUMENTS.
func questions(t *testing.T, s engine.Store, owner string) []string {
	t.Helper()
	var out []string
	for _, a := range must[[]engine.Answer](t)(s.Answers(t.Context(), owner)) {
		out = append(out, a.Path+"?"+a.Arguments)
	}
	return out
}

func plansComeBack(t *testing.T, s engine.Store) {
	full, plain := fullPlan("plan_1"), plainPlan("plan_2")
	withPlans(t, s, full, plain)
	same(t, "the full plan", must[engine.PlanRecord](t)(s.Plan(t.Context(), "plan_1")), full)
	same(t, "the list", must[[]engine.PlanRecord](t)(s.Plans(t.Context(), engine.PlanQuery{})), []engine.PlanRecord{plain, full})

	local := fullPlan("plan_3")
	local.CreatedAt = noon().Add(time.Nanosecond).In(time.FixedZone("CEST", 2*60*60))
	commit(t, s, engine.Batch{Plans: []engine.PlanRecord{local}})
	same(t, "the time", must[engine.PlanRecord](t)(s.Plan(t.Context(), "plan_3")).CreatedAt, noon())

	local.Inputs[0], local.Blocked.Message, *local.MaxChanges = 'X', "X", 9
	local.Inputs, local.Blocked, local.MaxChanges, local.CreatedAt = full.Inputs, full.Blocked, full.MaxChanges, noon()
	same(t, "the store's own copy", must[engine.PlanRecord](t)(s.Plan(t.Context(), "plan_3")), local)
}

func plansReplaced(t *testing.T, s engine.Store) {
	withPlans(t, s, fullPlan("plan_1"), plainPlan("plan_2"))
	commit(t, s, engine.Batch{Answers: []engine.Answer{answer("plan_1", "a", "")}})
	a, b := plainPlan("plan_1"), fullPlan("plan_2")
	a.Playbook, a.Hash, a.Digest, a.Set = "other", "b7", "d7", "s7"
	other := engine.StoredValue{Ref: "s7", Data: []byte("other")}
	commit(t, s, engine.Batch{Values: []engine.StoredValue{other}, Plans: []engine.PlanRecord{a, b}})
	same(t, "the plans", must[[]engine.PlanRecord](t)(s.Plans(t.Context(), engine.PlanQuery{})), []engine.PlanRecord{b, a})
	same(t, "its answers", questions(t, s, "plan_1"), []string{"a?"})
}

func plansListed(t *testing.T, s engine.Store) {
	var plans []engine.PlanRecord
	for i := range 5 {
		p := plainPlan(fmt.Sprintf("plan_%d", i))
		p.CreatedAt = noon().Add(time.Duration(i/2) * time.Hour) // two together at a time
		p.Playbook = []string{"contain", "sweep"}[i%2]
		plans = append(plans, p)
	}
	withPlans(t, s, plans...)
	for name, c := range map[string]struct {
		query engine.PlanQuery
		want  []string
	}{
		"all":                    {engine.PlanQuery{}, []string{"plan_4", "plan_3", "plan_2", "plan_1", "plan_0"}},
		"a page":                 {engine.PlanQuery{Limit: 2}, []string{"plan_4", "plan_3"}},
		"the next":               {engine.PlanQuery{Limit: 2, After: "plan_3"}, []string{"plan_2", "plan_1"}},
		"beyond":                 {engine.PlanQuery{After: "plan_0"}, nil},
		"a playbook":             {engine.PlanQuery{Playbook: "contain"}, []string{"plan_4", "plan_2", "plan_0"}},
		"its next page":          {engine.PlanQuery{Playbook: "contain", After: "plan_4", Limit: 1}, []string{"plan_2"}},
		"after one not selected": {engine.PlanQuery{Playbook: "contain", After: "plan_3"}, []string{"plan_2", "plan_0"}},
		"no such playbook":       {engine.PlanQuery{Playbook: "con"}, nil},
	} {
		same(t, name, planIDs(t, s, c.query), c.want)
	}
	many := make([]engine.PlanRecord, 101)
	for i := range many {
		many[i] = plainPlan(fmt.Sprintf("plan_x%03d", i))
	}
	commit(t, s, engine.Batch{Plans: many})
	same(t, "a page unless told", len(planIDs(t, s, engine.PlanQuery{})), 100)
	same(t, "more than a page", len(planIDs(t, s, engine.PlanQuery{Limit: 1000})), 106)
}

// answersOfOwners: the first run and the first plan are not taken for each other.
func answersOfOwners(t *testing.T, s engine.Store) {
	withPlans(t, s, plainPlan("plan_1"), plainPlan("plan_2"))
	population := answer("plan_1", "list", "h1")
	population.Population = &engine.Population{Connection: "op", Count: 12000}
	empty := answer("plan_1", "list", "h2")
	empty.Population = &engine.Population{}
	commit(t, s, engine.Batch{Answers: []engine.Answer{population, empty, answer("run_1", "a", "h3")}})
	answers := func(owner string) []engine.Answer {
		return must[[]engine.Answer](t)(s.Answers(t.Context(), owner))
	}
	same(t, "those of the plan", answers("plan_1"), []engine.Answer{population, empty})
	same(t, "those of the run", answers("run_1"), []engine.Answer{answer("run_1", "a", "h3")})
	same(t, "those of the other plan", answers("plan_2"), []engine.Answer(nil))

	population.Population.Count = 1
	same(t, "the store's own copy", answers("plan_1")[0].Population.Count, int64(12000))
	same(t, "what is referred to", must[[]byte](t)(s.Value(t.Context(), answers("plan_1")[0].Value)), changeSet().Data)
}

func answersInOrder(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	commit(t, s, engine.Batch{Answers: []engine.Answer{
		answer("run_1", "look[b]", "h1"), answer("run_1", "look[a]", "h2"), answer("run_1", "look", "h3"), answer("run_1", "Z", ""),
	}})
	commit(t, s, engine.Batch{Answers: []engine.Answer{answer("run_1", "look[a]", "h1"), answer("run_1", "look[a]", "")}})
	same(t, "the answers", questions(t, s, "run_1"), []string{"Z?", "look?h3", "look[a]?", "look[a]?h1", "look[a]?h2", "look[b]?h1"})
}

func answersReplaced(t *testing.T, s engine.Store) {
	withRuns(t, s, "run_1")
	first := answer("run_1", "a", "h1")
	first.Population = &engine.Population{Connection: "op", Count: 3}
	commit(t, s, engine.Batch{Answers: []engine.Answer{first}})
	second := answer("run_1", "a", "h1")
	second.Value, second.At = "v7", noon().Add(time.Hour)
	commit(t, s, engine.Batch{Values: []engine.StoredValue{{Ref: "v7", Data: []byte("7")}}, Answers: []engine.Answer{second}})
	same(t, "the answers", must[[]engine.Answer](t)(s.Answers(t.Context(), "run_1")), []engine.Answer{second})
}

func manyAnswers(t *testing.T, s engine.Store) {
	const many = 10_000
	withPlans(t, s, plainPlan("plan_1"))
	var b engine.Batch
	for i := range many {
		ref := engine.Reference(fmt.Sprintf("v%d", i))
		a := answer("plan_1", fmt.Sprintf("look[%05d]", i), "h")
		a.Value = ref
		b.Values = append(b.Values, engine.StoredValue{Ref: ref, Data: fmt.Appendf(nil, `{"n":%d}`, i)})
		b.Answers = append(b.Answers, a)
	}
	commit(t, s, b)
	same(t, "the answers", must[[]engine.Answer](t)(s.Answers(t.Context(), "plan_1")), b.Answers)
}
