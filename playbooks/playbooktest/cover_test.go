package playbooktest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
)

const branching = `inputs:
  mode: { type: string }
steps:
  - id: first
    if: inputs.mode == "a"
    set: { x: "${{ 1 }}" }
  - id: either
    if: inputs.mode == "a"
    steps:
      - id: yes
        set: { x: "${{ 1 }}" }
    else:
      - id: no
        set: { x: "${{ 1 }}" }
  - switch: inputs.mode
    cases:
      a/b:
        - id: in_case
          set: { x: "${{ 1 }}" }
    default:
      - id: in_default
        set: { x: "${{ 1 }}" }
  - try:
      - id: tried
        call: called
    catch:
      - id: caught
        set: { x: "${{ 1 }}" }
    finally:
      - id: at_last
        set: { x: "${{ 1 }}" }
  - id: loop
    foreach: '["p", "q"]'
    key: item
    steps:
      - id: inside
        set: { x: "${{ 1 }}" }
`

const called = `steps:
  - id: deep
    set: { x: "${{ 1 }}" }
`

func TestCover(t *testing.T) {
	prog := compile(t, map[string]string{"playbook.yaml": branching, "called.yaml": called})
	var cover playbooktest.Cover
	name := func(p *program.Program) string { return p.Name + ".yaml" }
	add := func(paths ...string) {
		var steps []engine.StepRecord
		for _, path := range paths {
			path, skipped := strings.CutPrefix(path, "!")
			s := engine.StepRecord{Path: path, Status: engine.StepSucceeded}
			if skipped {
				s.Status = engine.StepSkipped
			}
			steps = append(steps, s)
		}
		cover.Add(prog, name, steps)
	}
	uncovered := func() (out []string) {
		for _, c := range cover.Result() {
			out = append(out, fmt.Sprintf("%s %d/%d", c.Playbook, c.Reached, c.Total))
			for _, u := range c.Uncovered {
				out = append(out, fmt.Sprintf("%d %s", u.Line, u.What))
			}
		}
		return out
	}

	add()
	if got := uncovered(); got[0] != "called.yaml 0/1" || got[2] != "playbook.yaml 0/14" {
		t.Errorf("nothing was reached, and it says %v", got)
	}
	add("first", "either", "either/yes", "switch~3", "switch~3/a%2Fb/in_case", "try~4", "try~4/try/tried", "try~4/try/tried/call/deep",
		"try~4/finally/at_last", "loop", "loop[p]/inside", "loop[q]/inside")
	want := []string{
		"called.yaml 1/1", "playbook.yaml 10/14", "4 the `if` of first is never false", "13 no never runs", "21 in_default never runs", "27 caught never runs",
	}
	if diff := cmp.Diff(want, uncovered()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	add("!first", "either/else/no", "switch~3/default/in_default", "try~4/catch/caught")
	if diff := cmp.Diff([]string{"called.yaml 1/1", "playbook.yaml 14/14"}, uncovered()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
