package playbooks

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// TestSomebodyMustHearOfAnApproval holds requests against what the
// configuration says of telling people, where one is known.
func TestSomebodyMustHearOfAnApproval(t *testing.T) {
	t.Parallel()
	people := []engine.Person{{Name: "alice"}}
	const (
		told   = "steps: [{ approve: { title: x, by: [alice], notify: slack } }]\n"
		untold = "steps: [{ approve: { title: x, by: [alice] } }]\n"
		ask    = "guard: { on_block: ask }\nsteps: [{ uses: user.list }]\n"
		stop   = "guard: { on_block: stop }\nsteps: [{ uses: user.list }]\n"
	)
	for _, c := range []struct {
		name, playbook string
		asking         *Asking
		want           string // the place and code of what is wrong
	}{
		{"the configuration tells them", untold, &Asking{Notify: "slack", People: people}, ""},
		{"the step tells them", told, &Asking{People: people}, ""},
		{"nobody tells them", untold, &Asking{People: people}, "1:11 unheard"},
		{"there is nobody", untold, &Asking{Notify: "slack"}, "1:11 nobody"},
		{"nothing is known of that", untold, nil, ""},
		{"over a limit they are told", ask, &Asking{Notify: "slack", People: people}, ""},
		{"over a limit nobody tells them", ask, &Asking{People: people}, "1:20 unheard"},
		{"over a limit there is nobody", ask, &Asking{Notify: "slack"}, "1:20 nobody"},
		{"over a limit the run ends", stop, &Asking{}, ""},
		{"over a limit, nothing is known", ask, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := testEnvironment(t)
			env.Asking = c.asking
			_, problems := Compile(load(t, map[string]string{"a.yaml": c.playbook}, "a.yaml"), env)
			var got []string
			for _, d := range problems {
				got = append(got, trimmed(d.Line, d.Column, d.Code, d.Suggestion))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("want %q, got:\n%s", c.want, yamldoc.Render(problems))
			}
		})
	}
}

// TestWithoutAConfigurationAnApprovalIsNotHeldAgainstIt is what `check` does
// where there is none.
func TestWithoutAConfigurationAnApprovalIsNotHeldAgainstIt(t *testing.T) {
	t.Parallel()
	text := "steps: [{ approve: { title: x, by: [nobody, \"group:none\"], notify: nowhere } }]\n"
	p, problems := Compile(load(t, map[string]string{"a.yaml": text}, "a.yaml"), Environment{Actions: testActions(t)})
	if p == nil || len(problems) > 0 {
		t.Errorf("problems:\n%s", yamldoc.Render(problems))
	}
}
