package playbooks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// many is a playbook of so many steps, each of which reads the one before.
func many(steps int) string {
	var b strings.Builder
	b.WriteString("steps:\n  - id: s0\n    uses: user.list\n")
	for i := 1; i < steps; i++ {
		fmt.Fprintf(&b, "  - id: s%d\n    if: len(steps.s0.users) > 0 and steps.s%d.status == 'succeeded'\n    uses: user.list\n", i, i-1)
	}
	return b.String()
}

func TestTheLargestPlaybook(t *testing.T) {
	t.Parallel()
	b := load(t, map[string]string{"a.yaml": many(MaxSteps)}, "a.yaml")
	p, problems := Compile(b, testEnvironment(t))
	if p == nil || len(p.Nodes) != MaxSteps {
		t.Fatal(yamldoc.Render(problems))
	}
}

func TestTooManySteps(t *testing.T) {
	t.Parallel()
	b := load(t, map[string]string{"a.yaml": many(MaxSteps + 3)}, "a.yaml")
	_, problems := Compile(b, testEnvironment(t))
	if len(problems) != 1 || problems[0].Code != "too-many-steps" {
		t.Errorf("problems:\n%s", yamldoc.Render(problems))
	}
}

func TestProblemsAreClipped(t *testing.T) {
	t.Parallel()
	text := "steps:\n" + strings.Repeat("  - uses: user.lst\n", maxProblems+50)
	_, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), testEnvironment(t))
	if len(problems) != maxProblems+1 {
		t.Fatalf("%d problems", len(problems))
	}
	if last := problems[maxProblems]; last.Message != "50 more problems from here on" || last.Line != maxProblems+2 {
		t.Errorf("the last is %s", last.Headline())
	}
}

func BenchmarkCompile(b *testing.B) {
	source := Source{Name: "a", Path: "a.yaml", Data: []byte(many(100))}
	bundle, env := Bundle{Root: "a", Sources: map[string]Source{"a": source}}, testEnvironment(b)
	for b.Loop() {
		if p, problems := Compile(bundle, env); p == nil {
			b.Fatal(yamldoc.Render(problems))
		}
	}
}
