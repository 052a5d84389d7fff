package screen_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestLines(t *testing.T) {
	var out strings.Builder
	l := screen.NewLines(&out, screen.NewPalette(false))
	ended := began.Add(2 * time.Second)
	l.Begun([]machine.StepView{{Path: "find", Status: engine.StepStarted}})
	l.Begun([]machine.StepView{{Path: "find", Status: engine.StepStarted}})
	l.Update([]engine.StepRecord{{Path: "find", Action: "user.list", Status: engine.StepWaiting, Error: engine.Fail(engine.ClassTransient, "x", "503")}}, nil)
	l.Update([]engine.StepRecord{{Path: "find", Action: "user.list", Status: engine.StepSucceeded, StartedAt: began, EndedAt: &ended}}, nil)
	l.Update([]engine.StepRecord{{Path: "contain", Form: "foreach", Status: engine.StepStarted, StartedAt: began}}, nil)
	l.Begun([]machine.StepView{{Path: "contain", Form: program.FormForeach, Status: engine.StepStarted, Steps: []machine.StepView{{Path: "contain[a]", Status: engine.StepStarted}}}})
	l.Update(
		[]engine.StepRecord{{Path: "contain[a]", Action: "user.suspend", Status: engine.StepSucceeded}},
		[]engine.ItemRecord{
			{Path: "contain", Key: "a", Outcome: engine.OutcomeDone},
			{Path: "contain", Key: "b", Label: "b@example.com", Outcome: engine.OutcomeRefused, Error: engine.Fail(engine.ClassRefused, "protected", "protected")},
		})
	l.Update([]engine.StepRecord{
		{Path: "contain", Form: "foreach", Status: engine.StepPartial, StartedAt: began, EndedAt: &ended},
		{Path: "tell", Action: "message.send", Status: engine.StepSkipped, StartedAt: began, EndedAt: &ended},
	}, nil)
	want := `find: started
find (user.list): waiting: 503
find (user.list): succeeded in 2.0s
contain: started
contain[b@example.com (b)]: refused: protected
contain: partial in 2.0s; items: 1 done, 1 refused
tell (message.send): skipped
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A resumed run has not seen the items of before: it must not count them as none.
func TestLinesOfALoopThatBeganEarlier(t *testing.T) {
	var out strings.Builder
	l := screen.NewLines(&out, screen.NewPalette(false))
	ended := began.Add(2 * time.Second)
	l.Begun([]machine.StepView{{Path: "contain", Form: program.FormForeach, Status: engine.StepStarted}})
	l.Update(
		[]engine.StepRecord{{Path: "contain", Form: "foreach", Status: engine.StepSucceeded, StartedAt: began, EndedAt: &ended}},
		[]engine.ItemRecord{{Path: "contain", Key: "z", Outcome: engine.OutcomeDone}})
	want := "contain: started\ncontain: succeeded in 2.0s\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLinesOfAStepThatIsTriedAgain(t *testing.T) {
	var out strings.Builder
	l := screen.NewLines(&out, screen.NewPalette(false))
	ended := began.Add(time.Second)
	failed := engine.StepRecord{Path: "get", Form: "uses", Status: engine.StepFailed, StartedAt: began, EndedAt: &ended}
	for i := range 2 {
		l.Update([]engine.StepRecord{failed}, nil)
		wait := machine.StepView{Path: "get", Status: engine.StepWaiting, Wake: began.Add(time.Duration(i) * time.Minute)}
		l.Begun([]machine.StepView{wait})
		l.Begun([]machine.StepView{wait})
	}
	want := `get: failed in 1.0s
get: waiting, again at 03:00:00Z
get: failed in 1.0s
get: waiting, again at 03:01:00Z
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReasonOfAReturn(t *testing.T) {
	ended := began.Add(time.Second)
	step := engine.StepRecord{Path: "return~1", Form: "return", Status: engine.StepSucceeded, StartedAt: began, EndedAt: &ended, Why: "nothing\x1b[2J to do"}
	var lines, page strings.Builder
	screen.NewLines(&lines, screen.NewPalette(false)).Update([]engine.StepRecord{step}, nil)
	screen.Steps(&page, []engine.StepRecord{step}, screen.NewPalette(false))
	if diff := cmp.Diff("return~1: succeeded in 1.0s: nothing to do\n", lines.String()); diff != "" {
		t.Errorf("while it runs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("✓ return~1  succeeded  1.0s: nothing to do\n\n", page.String()); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

func TestLinesDoNotFloodALog(t *testing.T) {
	var out strings.Builder
	l := screen.NewLines(&out, screen.NewPalette(false))
	for range 1000 {
		l.Update(nil, []engine.ItemRecord{{Path: "contain", Key: "a", Outcome: engine.OutcomeFailed, Error: engine.AsFailure(errors.New("x"))}})
	}
	if n := strings.Count(out.String(), "\n"); n != 21 {
		t.Errorf("%d lines for 1000 failed items", n)
	}
}

func TestTree(t *testing.T) {
	tree := screen.NewTree(screen.NewPalette(false))
	view := machine.View{Root: []machine.StepView{
		{Path: "find", Title: "Find them", Status: engine.StepSucceeded},
		{
			Path: "contain", Title: "contain", Form: program.FormForeach, Status: engine.StepStarted, Total: 40,
			Counts: map[engine.Outcome]int{engine.OutcomeDone: 18, engine.OutcomeFailed: 2},
			Steps: []machine.StepView{
				{Path: "contain[a]", Title: "a@example.com\x1b[2J", Status: engine.StepStarted},
				{Path: "contain[b]", Status: engine.StepWaiting, Wake: began.Add(3 * time.Second), Failure: engine.Fail(engine.ClassTransient, "x", "503")},
			},
		},
	}}
	tree.Lines(view, began.Add(-time.Second), 80, 24)
	got := tree.Lines(view, began, 60, 24)
	want := []string{
		"✓  Find them",
		"⠹  contain  ██████████░░░░░░░░░░ 20/40  18 done, 2 failed …",
		"  ⠹  a@example.com  1.0s",
		"  …  contain[b]  1.0s  again in 3.0s  503",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	low := tree.Lines(view, began, 60, 5)
	if len(low) != 3 || low[0] != "… 2 lines above" || !strings.Contains(low[2], "contain[b]") {
		t.Errorf("on a low terminal: %q", low)
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 12 * time.Millisecond: "12ms", 1500 * time.Millisecond: "1.5s", 61*time.Second + time.Millisecond: "1m1s", 49 * time.Hour: "49h",
	} {
		if got := screen.Took(d); got != want {
			t.Errorf("Took(%v) = %q, want %q", d, got, want)
		}
	}
}
