package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

func TestExitCodesOfRuns(t *testing.T) {
	want := map[engine.RunStatus]int{
		engine.RunSucceeded: 0, engine.RunFailed: 1, engine.RunDenied: 1, engine.RunCancelled: 1, engine.RunWaiting: 3,
		engine.RunUnsettled: 3, engine.RunBlocked: 4, engine.RunDrifted: 4, engine.RunPartial: 5, engine.RunInterrupted: 130,
	}
	for status, code := range want {
		if got := exitOf(status); got != code {
			t.Errorf("%s: %d, want %d", status, got, code)
		}
	}
}

func TestARunWithAChangeThatNobodyKnowsOfWaitsForAPerson(t *testing.T) {
	unsettled := engine.RunRecord{Status: engine.RunFailed, Error: engine.Fail(engine.ClassUnsettled, "unsettled", "nobody knows")}
	failed := engine.RunRecord{Status: engine.RunFailed, Error: engine.Fail(engine.ClassPermanent, "no", "no")}
	if a, b, c := exitOfRun(unsettled), exitOfRun(failed), exitOfRun(engine.RunRecord{Status: engine.RunFailed}); a != 3 || b != 1 || c != 1 {
		t.Errorf("codes %d, %d, %d", a, b, c)
	}
}

func TestExitCodesOfErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("the disk is full"), 1},
		{fmt.Errorf("looking: %w", engine.ErrNotFound), 2},
		{usage("no"), 2},
		{quit(5), 5},
		{asUsage(fmt.Errorf("starting: %w", local.ErrInputs)), 2},
		{asUsage(fmt.Errorf("starting: %w", guard.ErrUnavailable)), 2},
		{asUsage(fmt.Errorf("starting: %w", engine.Fail(engine.ClassInvalid, "connection", "none"))), 2},
		{asUsage(engine.ErrLocked), 1},
		{asUsage(quit(3)), 3},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestReadInputs(t *testing.T) {
	text := engine.TypeString()
	declared := []engine.Field{
		{Name: "names", Type: engine.ListOf(text)},
		{Name: "numbers", Type: engine.ListOf(engine.TypeInteger())},
		{Name: "anything", Type: engine.Type{Kind: engine.KindList}},
		{Name: "text", Type: text},
		{Name: "on", Type: engine.TypeBool()},
	}
	for _, c := range []struct {
		given string
		want  any
		wrong string
	}{
		{given: "names=a, b,,c", want: []any{"a", "b", "c"}},
		{given: "names=", want: []any{}},
		{given: `names=["a,b"]`, want: []any{"a,b"}},
		{given: `names=say "hi"`, want: []any{`say "hi"`}},
		{given: "numbers=1,2", want: []any{int64(1), int64(2)}},
		{given: "numbers=1,x", wrong: "numbers must be"},
		{given: "anything=a,b", want: []any{"a", "b"}},
		{given: "text=a=b,c", want: "a=b,c"},
		{given: "text=", want: ""},
		{given: "on=true", want: true},
		{given: "on=yes", wrong: "on must be true or false"},
		{given: "on", wrong: "name=value"},
		{given: "=x", wrong: "name=value"},
	} {
		t.Run(c.given, func(t *testing.T) {
			got, err := readInputs(declared, []string{c.given})
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || exitCode(err) != exitUsage {
					t.Errorf("got %v, want %q", err, c.wrong)
				}
				return
			}
			name, _, _ := strings.Cut(c.given, "=")
			if diff := cmp.Diff(c.want, got[name]); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"plain-1.db": "plain-1.db", "my file": "'my file'", "it's": `'it'\''s'`, "$(x)": "'$(x)'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("quoted(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestRunsAreFoundByTheirBeginning(t *testing.T) {
	runs := []engine.RunRecord{{ID: "run_01abc"}, {ID: "run_01abd"}, {ID: "run_02"}}
	for argument, want := range map[string]string{
		"run_01abc": "run_01abc", "02": "run_02", "RUN_02": "run_02", "01abd": "run_01abd", "01": "", "run_": "", "x": "",
	} {
		got, err := only(beginningWith(runs, argument), argument)
		if got.ID != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", argument, got.ID, err)
		}
	}
}

func TestLeftBehindRunsAreSeenAsInterrupted(t *testing.T) {
	for _, c := range []struct {
		status engine.RunStatus
		driven bool
		want   engine.RunStatus
	}{
		{engine.RunRunning, false, engine.RunInterrupted},
		{engine.RunRunning, true, engine.RunRunning},
		{engine.RunUnsettled, false, engine.RunUnsettled},
		{engine.RunSucceeded, false, engine.RunSucceeded},
	} {
		if got := seen(engine.RunRecord{Status: c.status}, c.driven).Status; got != c.want {
			t.Errorf("%s, driven %v: %s", c.status, c.driven, got)
		}
	}
}
