package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// changes are n pending changes of different targets of a connection: T0, T1, …
func changes(connection string, n int) []engine.PlannedChange {
	out := make([]engine.PlannedChange, n)
	for i := range out {
		out[i] = engine.PlannedChange{
			Path: fmt.Sprintf("contain[%d]/suspend", i), Connection: connection,
			Target: engine.Target{ID: fmt.Sprintf("T%d", i), Name: fmt.Sprintf("Sam %d", i)},
		}
	}
	return out
}

func set(lines ...[]engine.PlannedChange) engine.ChangeSet {
	return engine.ChangeSet{Changes: slices.Concat(lines...)}
}

// listing adds a complete listing of a connection to a set.
func listing(s engine.ChangeSet, connection string, count int64) engine.ChangeSet {
	s.Populations = append(slices.Clone(s.Populations), engine.Population{Connection: connection, Count: count})
	return s
}

// wantRefusal checks the code of a judgement and what its message says.
func wantRefusal(t *testing.T, f *engine.Failure, code string, says ...string) {
	t.Helper()
	if code == "" {
		if f != nil {
			t.Fatalf("it was refused: %v", f)
		}
		return
	}
	if f == nil || f.Code != code || f.Class != engine.ClassRefused {
		t.Fatalf("got %+v, want the code %s", f, code)
	}
	for _, s := range says {
		if !strings.Contains(f.Message, s) {
			t.Errorf("the message does not say %q:\n%s", s, f.Message)
		}
	}
}

func limits(c guard.Limits) guard.Configuration { return guard.Configuration{Limits: c} }

func TestTooManyChangesAreRefusedBeforeTheFirst(t *testing.T) {
	ten := guard.Configuration{}
	protected := changes("one", 14)
	for i := range 4 {
		protected[i].Outcome = engine.OutcomeRefused
	}
	for _, c := range []struct {
		name  string
		rules *guard.Rules
		set   engine.ChangeSet
		says  []string
	}{
		{"as many as allowed", rules(t, ten, program.Guard{}), set(changes("one", 10)), nil},
		{"nothing", rules(t, limits(guard.Limits{MaxChanges: of[int64](0)}), program.Guard{}), engine.ChangeSet{}, nil},
		{"the same target twice", rules(t, ten, program.Guard{}), set(changes("one", 10), changes("one", 10)), nil},
		{"those that are not to be made", rules(t, ten, program.Guard{}), set(protected), nil},
		{
			"the default", rules(t, ten, program.Guard{}), set(changes("one", 40)), []string{
				"40 targets would be changed, 30 too many: a run of this playbook may change at most 10 targets (the default; max_changes under `guard:` in the configuration raises it)",
				`It would have hit "Sam 0" (T0), "Sam 1" (T1), `, `"Sam 9" (T9) and 30 more`,
			},
		},
		{"one too many", rules(t, ten, program.Guard{}), set(changes("one", 11)), []string{"1 too many", " and 1 more"}},
		{"the same ids of two connections", rules(t, ten, program.Guard{}), set(changes("one", 6), changes("two", 6)), []string{"12 targets would be changed, 2 too many"}},
		{"the playbook", rules(t, ten, program.Guard{MaxChanges: of[int64](1)}), set(changes("one", 2)), []string{"at most 1 target (max_changes of the playbook's `guard:`)"}},
		{"this run", rules(t, ten, program.Guard{}).Lowered(0), set(changes("one", 1)), []string{"1 target would be changed", "at most 0 targets (the limit this run was started with)", `hit "Sam 0" (T0)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := ""
			if c.says != nil {
				code = engine.CodeMaxChanges
			}
			wantRefusal(t, guard.NewLedger(c.rules).Judge(c.set, nil), code, c.says...)
		})
	}
}

func TestWhatWasChangedAlreadyCountsToo(t *testing.T) {
	l := guard.NewLedger(rules(t, limits(guard.Limits{MaxChanges: of[int64](5)}), program.Guard{}))
	l.Recall(engine.StepRecord{Effect: engine.Change, Connection: "one", Target: &engine.Target{ID: "gone"}, Outcome: engine.OutcomeDone})
	if f := l.Reserve("one", engine.Target{ID: "T0"}); f != nil {
		t.Fatal(f)
	}
	wantRefusal(t, l.Judge(set(changes("one", 4)), nil), "") // T0 is one of them
	f := l.Judge(set(changes("one", 6)), nil)
	wantRefusal(t, f, engine.CodeMaxChanges, "7 targets would be changed (2 of them already are), 2 too many", `hit "Sam 1" (T1)`)
	if strings.Contains(f.Message, "T0") {
		t.Errorf("it names who is changed already: %s", f.Message)
	}
}

func TestPercent(t *testing.T) {
	none := guard.Configuration{Limits: guard.Limits{MaxChanges: of[int64](1000)}}
	five := guard.Configuration{Limits: guard.Limits{MaxChanges: of[int64](1000), MaxPercent: of(5.0)}}
	special := guard.Configuration{
		Limits:    guard.Limits{MaxChanges: of[int64](1000), MaxPercent: of(5.0)},
		Playbooks: map[string]guard.Limits{"offboard": {MaxPercent: of(50.0)}},
	}
	own := func(p float64) program.Guard { return program.Guard{MaxPercent: &p} }
	const unknown = -1
	for _, c := range []struct {
		name       string
		config     guard.Configuration
		own        program.Guard
		changes    int
		population int64
		says       []string // nil: it passes
	}{
		{"the default, held", none, program.Guard{}, 6, 120, nil},
		{
			"the default, exceeded", none, program.Guard{}, 40, 120,
			[]string{"changing 40 of 120 targets (33.3 %) of one is 34 too many: a run of this playbook may change at most 5 % (the default; max_percent under `guard:` in the configuration raises it)", `hit "Sam 0" (T0)`, "and 30 more"},
		},
		{"the default, unknown", none, program.Guard{}, 40, unknown, nil},
		{"the default, empty, few", none, program.Guard{}, 3, 0, nil},
		{"the default, empty, more", none, program.Guard{}, 4, 0, []string{"its complete listing is empty"}},
		{"the first three are free", none, program.Guard{}, 3, 3, nil},
		{"four are not", none, program.Guard{}, 4, 4, []string{"changing 4 of 4 targets (100.0 %) of one is 1 too many"}},
		{"the configuration, held", five, program.Guard{}, 5, 100, nil},
		{"the configuration, exceeded", five, program.Guard{}, 6, 100, []string{"is 1 too many", "at most 5 % (max_percent under `guard:` in the configuration)"}},
		{"the configuration, unknown, few", five, program.Guard{}, 3, unknown, nil},
		{
			"the configuration, unknown, more", five, program.Guard{}, 4, unknown,
			[]string{"4 targets of one would be changed, and nobody knows which share that is: no complete listing of one was read, without which at most 5 % (max_percent under"},
		},
		{"the configuration, empty", five, program.Guard{}, 1, 0, []string{"1 target of one would be changed, and its complete listing is empty: that reading is wrong"}},
		{"less than nobody", five, program.Guard{}, 1, -7, []string{"is empty"}},
		{"the playbook, held", five, own(2), 4, 200, nil},
		{"the playbook, exceeded", five, own(2), 5, 200, []string{"is 1 too many", "at most 2 % (max_percent of the playbook's `guard:`)"}},
		{"the playbook cannot raise", five, own(50), 6, 100, []string{"at most 5 % (max_percent under"}},
		{"the playbook cannot raise the default", none, own(50), 6, 100, []string{"at most 5 % (the default"}},
		{"the playbook, unknown", none, own(50), 1, unknown, []string{"nobody knows which share that is"}},
		{"the playbook, empty", none, own(50), 1, 0, []string{"is empty"}},
		{"the configuration for this playbook", special, program.Guard{}, 50, 100, nil},
		{"the configuration for this playbook, exceeded", special, program.Guard{}, 51, 100, []string{"at most 50 % (max_percent of offboard under"}},
		{"nobody", none, own(0), 4, 1_000_000, []string{"at most 0 %", "is 1 too many"}},
		{"nobody but the first three", none, own(0), 3, 1_000_000, nil},
		{"everybody", limits(guard.Limits{MaxChanges: of[int64](1000), MaxPercent: of(100.0)}), program.Guard{}, 100, 100, nil},
		{"a third", none, own(3.3), 33, 1000, nil},
		{"a fraction that binary numbers cannot hold", none, own(0.29), 29, 10000, nil},
		{"and one more", none, own(0.29), 30, 10000, []string{"is 1 too many", "0.29 %"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(changes("one", c.changes))
			if c.population != unknown {
				s = listing(s, "one", c.population)
			}
			code := ""
			if c.says != nil {
				code = engine.CodeMaxPercent
			}
			wantRefusal(t, guard.NewLedger(rules(t, c.config, c.own)).Judge(s, nil), code, c.says...)
		})
	}
}

func TestThePercentageIsOfTheConnectionThatIsChanged(t *testing.T) {
	l := guard.NewLedger(rules(t, limits(guard.Limits{MaxChanges: of[int64](100), MaxPercent: of(5.0)}), program.Guard{}))
	wantRefusal(t, l.Judge(listing(set(changes("one", 4)), "two", 100_000), nil), engine.CodeMaxPercent, "nobody knows which share")
	both := set(changes("one", 4), changes("two", 4))
	wantRefusal(t, l.Judge(listing(listing(both, "one", 80), "two", 100_000), nil), "")
	wantRefusal(t, l.Judge(listing(listing(both, "one", 100_000), "two", 79), nil), engine.CodeMaxPercent, "changing 4 of 79 targets (5.1 %) of two")
	wantRefusal(t, l.Judge(listing(listing(set(changes("one", 4)), "one", 10), "one", 80), nil), "") // the largest listing
	for i := range 4 {
		if f := l.Reserve("one", engine.Target{ID: fmt.Sprint("before", i)}); f != nil {
			t.Fatal(f)
		}
	}
	wantRefusal(t, l.Judge(listing(set(changes("one", 1)), "one", 80), nil), engine.CodeMaxPercent, "changing 5 of 80 targets")
	wantRefusal(t, l.Judge(set(changes("two", 1)), nil), "") // what was judged before is not judged again
}

func TestCalledPlaybooksLowerThePercentage(t *testing.T) {
	config := guard.Configuration{
		Limits:    guard.Limits{MaxChanges: of[int64](1000), MaxPercent: of(20.0)},
		Playbooks: map[string]guard.Limits{"wide": {MaxPercent: of(80.0)}, "narrow": {MaxPercent: of(1.0)}},
	}
	outer := rules(t, config, program.Guard{})
	ten := listing(set(changes("one", 10)), "one", 100)
	for _, c := range []struct {
		name, called string
		own          program.Guard
		set          engine.ChangeSet
		says         string
	}{
		{"says nothing", "plain", program.Guard{}, ten, ""},
		{"cannot raise", "wide", program.Guard{MaxPercent: of(60.0)}, listing(set(changes("one", 21)), "one", 100), "at most 20 %"},
		{"lowers", "plain", program.Guard{MaxPercent: of(5.0)}, ten, "max_percent of the called playbook plain"},
		{"lowered by the configuration", "narrow", program.Guard{}, ten, "at most 1 % (max_percent of narrow under"},
		{"must be measured", "plain", program.Guard{MaxPercent: of(60.0)}, set(changes("one", 1)), "nobody knows which share"},
		{"must be measured beyond three", "wide", program.Guard{}, set(changes("one", 3)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := outer.Calling(config, c.called, c.own)
			if err != nil {
				t.Fatal(err)
			}
			code := ""
			if c.says != "" {
				code = engine.CodeMaxPercent
			}
			wantRefusal(t, guard.NewLedger(r).Judge(c.set, nil), code, c.says)
		})
	}
	wantRefusal(t, guard.NewLedger(outer).Judge(ten, nil), "")
}

func TestBudget(t *testing.T) {
	day := 24 * time.Hour
	config := guard.Configuration{
		Limits: guard.Limits{MaxChanges: of[int64](1000), Budget: &guard.Budget{Changes: 30, Per: day}},
		Playbooks: map[string]guard.Limits{
			"leavers": {Budget: &guard.Budget{Changes: 200, Per: day}},
			"slow":    {Budget: &guard.Budget{Changes: 50, Per: 7 * day}},
		},
	}
	r := rules(t, config, program.Guard{})
	l := guard.NewLedger(r)
	wantRefusal(t, l.Judge(set(changes("one", 5)), map[string]int64{"one": 25, "two": 1000}), "")
	wantRefusal(t, l.Judge(set(changes("one", 30)), nil), "")
	wantRefusal(t, l.Judge(set(changes("one", 7)), map[string]int64{"one": 25}), engine.CodeBudget,
		"7 targets more of one would be changed, and its budget of 30 changes per 24h (budget under `guard:` in the configuration) has 5 left: all runs together have used 25", `"Sam 6" (T6)`)
	wantRefusal(t, l.Judge(set(changes("one", 1)), map[string]int64{"one": 45}), engine.CodeBudget, "has 0 left", "1 target more")
	if f := l.Reserve("one", engine.Target{ID: "T0"}); f != nil {
		t.Fatal(f)
	}
	wantRefusal(t, l.Judge(set(changes("one", 5)), map[string]int64{"one": 26}), "") // T0 is spent already
	if b := r.Budget(); b == nil || *b != *config.Budget {
		t.Errorf("the budget is %v", b)
	}
	if rules(t, guard.Configuration{}, program.Guard{}).Budget() != nil {
		t.Error("there is a budget nobody has set")
	}
	leavers, err := guard.NewRules(config, "leavers", program.Guard{})
	if err != nil || leavers.Budget().Changes != 200 {
		t.Errorf("the budget of this playbook is %v, %v", leavers.Budget(), err)
	}
	for called, want := range map[string]guard.Budget{"leavers": {Changes: 30, Per: day}, "slow": {Changes: 30, Per: 7 * day}} {
		if c, err := r.Calling(config, called, program.Guard{}); err != nil || *c.Budget() != want {
			t.Errorf("calling %s: %v, %v", called, c.Budget(), err)
		}
	}
	if c, _ := rules(t, guard.Configuration{}, program.Guard{}).Calling(config, "slow", program.Guard{}); c.Budget().Changes != 50 {
		t.Errorf("the budget of a called playbook is not held: %v", c.Budget())
	}
}

func TestEveryLimitThatIsExceededIsNamed(t *testing.T) {
	l := guard.NewLedger(rules(t, limits(guard.Limits{MaxPercent: of(5.0), Budget: &guard.Budget{Changes: 3, Per: time.Hour}}), program.Guard{}))
	f := l.Judge(listing(set(changes("one", 12)), "one", 20), nil)
	wantRefusal(t, f, engine.CodeMaxChanges, "2 too many", "changing 12 of 20 targets", "its budget of 3 changes")
	if strings.Count(f.Message, "It would have hit") != 1 {
		t.Errorf("the targets are not named once: %s", f.Message)
	}
}

func TestOnBlock(t *testing.T) {
	with := func(general, special string) guard.Configuration {
		return guard.Configuration{Limits: guard.Limits{OnBlock: general}, Playbooks: map[string]guard.Limits{"offboard": {OnBlock: special}}}
	}
	for _, c := range []struct {
		general, special, own, called string
		want                          bool
	}{
		{"", "", "", "", false},
		{"ask", "", "", "", true},
		{"", "ask", "", "", true},
		{"", "", "ask", "", true},
		{"", "", "", "ask", true},
		{"stop", "", "ask", "", false},
		{"stop", "", "", "ask", false},
		{"", "stop", "ask", "", false},
		{"ask", "stop", "", "", false},
		{"stop", "ask", "", "", true}, // what is set for this playbook takes the place of the general
		{"stop", "ask", "stop", "", false},
		{"ask", "", "stop", "", false},
		{"ask", "", "ask", "stop", false},
		{"ask", "", "ask", "ask", true},
	} {
		r, err := rules(t, with(c.general, c.special), program.Guard{OnBlock: c.own}).Calling(guard.Configuration{}, "called", program.Guard{OnBlock: c.called})
		if err != nil || r.Asks() != c.want {
			t.Errorf("%+v: asks %v, %v", c, r.Asks(), err)
		}
	}
	r, _ := rules(t, with("ask", ""), program.Guard{}).Calling(guard.Configuration{Playbooks: map[string]guard.Limits{"called": {OnBlock: "stop"}}}, "called", program.Guard{})
	if r.Asks() {
		t.Error("the configuration's stop for a called playbook does not count")
	}
}

func TestWhatWasApprovedPasses(t *testing.T) {
	l := guard.NewLedger(rules(t, limits(guard.Limits{MaxPercent: of(5.0), Budget: &guard.Budget{Changes: 3, Per: time.Hour}}), program.Guard{}))
	big := listing(set(changes("one", 40)), "one", 50)
	wantRefusal(t, l.Judge(big, nil), engine.CodeMaxChanges)
	l.Allow(big.Without([]string{"contain[7]/suspend"}))
	wantRefusal(t, l.Judge(big.Without([]string{"contain[7]/suspend"}), nil), "")
	wantRefusal(t, l.Judge(big, nil), engine.CodeMaxChanges) // one is in it that nobody has approved
	reserve := func(id string, want bool) {
		t.Helper()
		if f := l.Reserve("one", engine.Target{ID: id}); (f == nil) != want {
			t.Errorf("reserving %s: %v", id, f)
		}
	}
	for i := range 40 {
		if i != 7 {
			reserve(fmt.Sprint("T", i), true)
		}
	}
	reserve("T7", false)
	reserve("T40", false)
	if f := l.Reserve("two", engine.Target{ID: "T1"}); f == nil {
		t.Error("a target of another connection passed")
	}
	wantRefusal(t, l.Judge(set(changes("one", 3)), nil), "")
	wantRefusal(t, l.Judge(set(changes("one", 41)[40:]), nil), engine.CodeMaxChanges, "(39 of them already are)")
}

// TestWhatJudgeLetsPassIsNotStoppedOnTheWay holds the two lines of defence
// against each other, over every small limit, set and history.
func TestWhatJudgeLetsPassIsNotStoppedOnTheWay(t *testing.T) {
	for limit := range int64(6) {
		for before := range 6 {
			for n := range 8 {
				l := guard.NewLedger(rules(t, limits(guard.Limits{MaxChanges: &limit}), program.Guard{}))
				for i := range before {
					l.Recall(engine.StepRecord{Effect: engine.Change, Connection: "one", Target: &engine.Target{ID: fmt.Sprint("T", 2*i)}, Outcome: engine.OutcomeDone})
				}
				judged := l.Judge(set(changes("one", n)), nil)
				stopped := false
				for _, c := range changes("one", n) {
					stopped = l.Reserve(c.Connection, c.Target) != nil || stopped
				}
				if (judged != nil) != stopped {
					t.Errorf("%d of at most %d after %d: judged %v, stopped %v", n, limit, before, judged, stopped)
				}
			}
		}
	}
}

func TestUndo(t *testing.T) {
	own := program.Guard{MaxPercent: of(5.0), MaxChanges: of[int64](5), Protect: []string{"T1"}}
	r := rules(t, limits(guard.Limits{Budget: &guard.Budget{Changes: 4, Per: time.Hour}}), own)
	protected := engine.Subject{Target: engine.Target{ID: "T1"}}
	held, lifted := r.ForUndo(false), r.ForUndo(true)
	if held.Protects(protected) != nil || lifted.Protects(protected) != nil {
		t.Error("protection stops an undo")
	}
	if r.Protects(protected) == nil || r.MaxChanges() != 5 || r.Budget() == nil {
		t.Error("the rules themselves were changed")
	}
	wantRefusal(t, guard.NewLedger(held).Judge(set(changes("one", 4)), nil), "") // nobody has counted them
	wantRefusal(t, guard.NewLedger(held).Judge(listing(set(changes("one", 4)), "one", 10), nil), engine.CodeMaxPercent)
	wantRefusal(t, guard.NewLedger(held).Judge(set(changes("one", 6)), nil), engine.CodeMaxChanges, "its budget")
	l := guard.NewLedger(lifted)
	wantRefusal(t, l.Judge(listing(set(changes("one", 600)), "one", 10), map[string]int64{"one": 4}), "")
	for i := range 600 {
		if f := l.Reserve("one", engine.Target{ID: fmt.Sprint(i)}); f != nil {
			t.Fatal(f)
		}
	}
}

func TestForeignNamesCannotDisguiseARefusal(t *testing.T) {
	s := set([]engine.PlannedChange{{Connection: "one", Target: engine.Target{ID: "T", Name: "Sam\u202e\x1b[2J"}}})
	f := guard.NewLedger(rules(t, limits(guard.Limits{MaxChanges: of[int64](0)}), program.Guard{})).Judge(s, nil)
	if f == nil || strings.ContainsAny(f.Message, "\u202e\x1b") {
		t.Errorf("got %v", f)
	}
}
