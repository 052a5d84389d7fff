package guard_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func noGuard() program.Guard { return program.Guard{} }

func of[T any](v T) *T { return &v }

func rules(t *testing.T, c guard.Configuration, own program.Guard) *guard.Rules {
	t.Helper()
	r, err := guard.NewRules(c, "offboard", own)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheLowestLimitWins(t *testing.T) {
	config := func(n int64) guard.Configuration {
		return guard.Configuration{Limits: guard.Limits{MaxChanges: &n}}
	}
	special := config(25)
	special.Playbooks = map[string]guard.Limits{"offboard": {MaxChanges: of[int64](200)}, "other": {MaxChanges: of[int64](1)}}
	for _, c := range []struct {
		name   string
		config guard.Configuration
		own    *int64
		want   int64
	}{
		{"the default", guard.Configuration{}, nil, 10},
		{"a playbook below the default", guard.Configuration{}, of[int64](3), 3},
		{"a playbook cannot raise the default", guard.Configuration{}, of[int64](100), 10},
		{"the configuration raises the default", config(25), nil, 25},
		{"the configuration lowers the default", config(2), nil, 2},
		{"a playbook below the configuration", config(25), of[int64](5), 5},
		{"a playbook cannot raise the configuration", config(5), of[int64](25), 5},
		{"the configuration for this playbook", special, nil, 200},
		{"a playbook below its own configuration", special, of[int64](150), 150},
		{"nothing at all", guard.Configuration{}, of[int64](0), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rules(t, c.config, program.Guard{MaxChanges: c.own}).MaxChanges(); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestOneRunCanOnlyBeLimitedFurther(t *testing.T) {
	all := rules(t, guard.Configuration{Limits: guard.Limits{Protect: []string{"a"}}}, program.Guard{})
	for limit, want := range map[int64]int64{0: 0, 3: 3, 10: 10, 50: 10} {
		got := all.Lowered(limit)
		if got.MaxChanges() != want || got.Protects(engine.Subject{Target: engine.Target{ID: "a"}}) == nil {
			t.Errorf("lowered to %d: %d", limit, got.MaxChanges())
		}
	}
	if all.MaxChanges() != 10 {
		t.Error("lowering changed the rules themselves")
	}
}

func TestCalledPlaybooksCanOnlyLowerAndAdd(t *testing.T) {
	config := guard.Configuration{
		Limits:    guard.Limits{MaxChanges: of[int64](25)},
		Playbooks: map[string]guard.Limits{"wide": {MaxChanges: of[int64](200)}, "narrow": {MaxChanges: of[int64](2), Protect: []string{"boss"}}},
	}
	outer := rules(t, config, program.Guard{MaxChanges: of[int64](20)})
	for _, c := range []struct {
		called string
		own    program.Guard
		want   int64
	}{
		{"plain", program.Guard{}, 20},
		{"wide", program.Guard{MaxChanges: of[int64](100)}, 20},
		{"wide", program.Guard{MaxChanges: of[int64](7)}, 7},
		{"narrow", program.Guard{MaxChanges: of[int64](7)}, 2},
		{"narrow", program.Guard{MaxChanges: of[int64](1)}, 1},
	} {
		got, err := outer.Calling(config, c.called, c.own)
		if err != nil || got.MaxChanges() != c.want {
			t.Errorf("%s with %v: %d, %v, want %d", c.called, c.own, got.MaxChanges(), err, c.want)
		}
		if boss := got.Protects(engine.Subject{Target: engine.Target{ID: "boss"}}); (boss != nil) != (c.called == "narrow") {
			t.Errorf("%s protects: %v", c.called, boss)
		}
	}
	if outer.MaxChanges() != 20 || outer.Protects(engine.Subject{Target: engine.Target{ID: "boss"}}) != nil {
		t.Error("calling changed the rules themselves")
	}
	own := program.Guard{Protect: []string{"directory-group:vip"}}
	if _, err := outer.Calling(config, "plain", own); !errors.Is(err, guard.ErrUnavailable) || !strings.Contains(err.Error(), "guard") {
		t.Errorf("%+v: %v", own, err)
	}
	own = program.Guard{MaxChanges: of[int64](-1)}
	if _, err := outer.Calling(config, "plain", own); !errors.Is(err, guard.ErrSetting) || !strings.Contains(err.Error(), "the called playbook plain") {
		t.Errorf("%+v: %v", own, err)
	}
}

func TestWhatCannotBeHeldIsNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		config guard.Configuration
		own    program.Guard
		is     error
		want   string
	}{
		{"groups", guard.Configuration{}, program.Guard{Protect: []string{"directory-group:Admins"}}, guard.ErrUnavailable, `"directory-group:Admins"`},
		{"groups, written otherwise", guard.Configuration{}, program.Guard{Protect: []string{" Directory-Group:Admins"}}, guard.ErrUnavailable, `"Directory-Group:Admins"`},
		{"empty entry", guard.Configuration{Limits: guard.Limits{Protect: []string{" "}}}, program.Guard{}, guard.ErrSetting, "empty entry"},
		{"invisible entry", guard.Configuration{Limits: guard.Limits{Protect: []string{"\u200b"}}}, program.Guard{}, guard.ErrSetting, "empty entry"},
		{"negative", guard.Configuration{}, program.Guard{MaxChanges: of[int64](-1)}, guard.ErrSetting, "less than 0"},
		{
			"negative of this playbook", guard.Configuration{Playbooks: map[string]guard.Limits{"offboard": {MaxChanges: of[int64](-1)}}}, program.Guard{},
			guard.ErrSetting, "max_changes of offboard under `guard:`",
		},
		{"negative percent", guard.Configuration{Limits: guard.Limits{MaxPercent: of(-0.5)}}, program.Guard{}, guard.ErrSetting, "is -0.5; it must be between 0 and 100"},
		{"more than everybody", guard.Configuration{}, program.Guard{MaxPercent: of(100.5)}, guard.ErrSetting, "max_percent of the playbook's"},
		{"no number", guard.Configuration{}, program.Guard{MaxPercent: of(math.NaN())}, guard.ErrSetting, "is NaN"},
		{"infinite", guard.Configuration{}, program.Guard{MaxPercent: of(math.Inf(1))}, guard.ErrSetting, "is +Inf"},
		{"budget without a time", guard.Configuration{Limits: guard.Limits{Budget: &guard.Budget{Changes: 1}}}, program.Guard{}, guard.ErrSetting, "budget under `guard:`"},
		{"negative budget", guard.Configuration{Limits: guard.Limits{Budget: &guard.Budget{Changes: -1, Per: 1}}}, program.Guard{}, guard.ErrSetting, "at least 0 changes"},
		{"another word", guard.Configuration{}, program.Guard{OnBlock: "go on"}, guard.ErrSetting, `is "go on"; it is either stop or ask`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := guard.NewRules(c.config, "offboard", c.own)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	both := guard.Configuration{Limits: guard.Limits{MaxPercent: of(101.0), Protect: []string{"directory-group:A"}}}
	if _, err := guard.NewRules(both, "x", program.Guard{}); !errors.Is(err, guard.ErrSetting) || !errors.Is(err, guard.ErrUnavailable) {
		t.Errorf("both should be named: %v", err)
	}
	if _, err := guard.NewRules(guard.Configuration{Playbooks: map[string]guard.Limits{"other": {OnBlock: "never"}}}, "x", program.Guard{OnBlock: "stop"}); err != nil {
		t.Errorf("another playbook's limits were held against this one: %v", err)
	}
}

func TestProtect(t *testing.T) {
	for _, c := range []struct {
		entry, id, email string
		want             bool
	}{
		{"ABC123", "ABC123", "", true},
		{"abc123", "ABC123", "", true},
		{"ABC12", "ABC123", "", false},
		{"BC123", "ABC123", "", false},
		{"sam@example.com", "U1", "Sam@Example.COM", true},
		{"sam@example.com", "U1", "sam@example.com.evil.test", false},
		{"breakglass-*@example.com", "U1", "breakglass-7@example.com", true},
		{"breakglass-*@example.com", "U1", "breakglass-@example.com", true},
		{"breakglass-*@example.com", "U1", "breakglass@example.com", false},
		{"*@example.com", "U1", "a@b@example.com", true},
		{"a?c@example.com", "U1", "abc@example.com", true},
		{"a?c@example.com", "U1", "ac@example.com", false},
		{"*a*b*c*", "xxaxxbxxcxx", "", true},
		{"*a*b*c*", "xxaxxcxxbxx", "", false},
		{"*", "anything", "", true},
		{"[ab]", "a", "", false},
		{"ren\u00e9@example.com", "U1", "rene\u0301@example.com", true},
		{"admin@example.com", "U1", "\uff41dmin@example.com ", true},
		{"admin@example.com", "U1", "ad\u200bmin@example.com", true},
		{"stra\u00dfe@example.com", "U1", "STRASSE@example.com", true},
		{"\u03a3@example.com", "U1", "\u03c2@example.com", true},
	} {
		t.Run(c.entry+" "+c.id+c.email, func(t *testing.T) {
			r := rules(t, guard.Configuration{Limits: guard.Limits{Protect: []string{c.entry}}}, program.Guard{})
			s := engine.Subject{Target: engine.Target{ID: c.id, Name: "Sam\u202e"}, Aliases: []string{c.email}}
			f := r.Protects(s)
			if (f != nil) != c.want {
				t.Fatalf("got %v", f)
			}
			if f == nil {
				return
			}
			if f.Class != engine.ClassRefused || f.Code != engine.CodeProtected || !strings.Contains(f.Message, c.entry) ||
				!strings.Contains(f.Message, c.id) || strings.Contains(f.Message, "\u202e") {
				t.Errorf("the refusal does not tell: %+v", f)
			}
		})
	}
}

func TestProtectListsAddUp(t *testing.T) {
	c := guard.Configuration{
		Limits:    guard.Limits{Protect: []string{"a"}},
		Playbooks: map[string]guard.Limits{"offboard": {Protect: []string{"b"}}, "other": {Protect: []string{"d"}}},
	}
	r := rules(t, c, program.Guard{Protect: []string{"c"}})
	for id, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
		if got := r.Protects(engine.Subject{Target: engine.Target{ID: id}}) != nil; got != want {
			t.Errorf("%s: protected is %v", id, got)
		}
	}
}

func TestLedgerCountsDistinctTargets(t *testing.T) {
	l := guard.NewLedger(rules(t, guard.Configuration{Limits: guard.Limits{MaxChanges: of[int64](2)}}, program.Guard{}))
	reserve := func(connection, id string, want bool) {
		t.Helper()
		f := l.Reserve(connection, engine.Target{ID: id, Name: "Sam"})
		if (f == nil) != want {
			t.Fatalf("reserving %s of %s: %v", id, connection, f)
		}
		if f != nil && (f.Code != engine.CodeMaxChanges || f.Class != engine.ClassRefused ||
			!strings.Contains(f.Message, `"Sam" (`+id+`) would be target number 3`) || !strings.Contains(f.Message, "at most 2 targets (max_changes under")) {
			t.Errorf("the refusal does not tell: %+v", f)
		}
	}
	reserve("one", "a", true)
	reserve("one", "a", true) // the same pair again
	reserve("two", "a", true) // another account of the same id
	reserve("one", "b", false)
	l.Settle("two", engine.Target{ID: "a"}, false) // certainly not changed
	reserve("one", "b", true)
	l.Settle("one", engine.Target{ID: "a"}, false)
	reserve("one", "c", false) // the second reservation of a is still open
	l.Settle("one", engine.Target{ID: "a"}, true)
	l.Settle("one", engine.Target{ID: "b"}, true)
	reserve("one", "c", false)
	reserve("one", "b", true)
	l.Settle("one", engine.Target{ID: "b"}, false) // it was changed the first time
	if l.Count() != 2 {
		t.Errorf("%d targets count", l.Count())
	}
}

func TestLedgerRecalls(t *testing.T) {
	l := guard.NewLedger(rules(t, guard.Configuration{}, program.Guard{}))
	record := func(id string, status engine.StepStatus, outcome engine.Outcome, err *engine.Failure) engine.StepRecord {
		return engine.StepRecord{Effect: engine.Change, Connection: "one", Target: &engine.Target{ID: id}, Status: status, Outcome: outcome, Error: err}
	}
	unread := record("unread", engine.StepStarted, "", nil)
	unread.Target = nil
	looked := record("looked", engine.StepSucceeded, engine.OutcomeDone, nil)
	looked.Effect = engine.Observe
	l.Recall(
		record("done", engine.StepSucceeded, engine.OutcomeDone, nil),
		record("done", engine.StepSucceeded, engine.OutcomeUnchanged, nil),
		record("open", engine.StepStarted, "", nil),
		record("unsettled", engine.StepUnsettled, engine.OutcomeUnsettled, nil),
		record("timeout", engine.StepFailed, engine.OutcomeFailed, engine.Fail(engine.ClassTimeout, "", "")),
		record("denied", engine.StepFailed, engine.OutcomeFailed, engine.Fail(engine.ClassAuth, "", "")),
		record("unread failure", engine.StepFailed, "", engine.Fail(engine.ClassTimeout, "", "")),
		record("unchanged", engine.StepSucceeded, engine.OutcomeUnchanged, nil),
		record("refused", engine.StepRefused, engine.OutcomeRefused, engine.Fail(engine.ClassRefused, "", "")),
		unread, looked,
	)
	if l.Count() != 4 {
		t.Errorf("%d targets count; done, open, unsettled and timeout should", l.Count())
	}
}

func TestLedgerHoldsUnderConcurrency(t *testing.T) {
	l := guard.NewLedger(rules(t, guard.Configuration{}, program.Guard{}))
	var granted sync.Map
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			target := engine.Target{ID: fmt.Sprint(i)}
			if l.Reserve("c", target) == nil {
				granted.Store(i, true)
				l.Settle("c", target, true)
			}
		})
	}
	wg.Wait()
	n := 0
	granted.Range(func(any, any) bool { n++; return true })
	if n != guard.DefaultMaxChanges {
		t.Errorf("%d changes were granted", n)
	}
}
