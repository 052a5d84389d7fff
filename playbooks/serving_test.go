package playbooks

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// TestWhatStartsByItselfIsHeldAgainstTheConfiguration is about webhooks that
// nobody could call, and runs nobody hears of.
func TestWhatStartsByItselfIsHeldAgainstTheConfiguration(t *testing.T) {
	t.Parallel()
	const (
		hook    = "triggers: [{ webhook: siem-alert }]\nsteps: [{ fail: x }]\n"
		daily   = "triggers: [{ schedule: \"@daily\" }]\nsteps: [{ fail: x }]\n"
		plain   = "steps: [{ fail: x }]\n"
		calling = "steps: [{ call: b }]\n"
	)
	all := &Serving{Webhooks: []string{"other", "siem-alert"}, Notify: "slack"}
	for _, test := range []struct {
		name, text string
		serving    *Serving
		want       string
	}{
		{"a webhook that is there", hook, all, ""},
		{"a webhook that is not", hook, &Serving{Webhooks: []string{"siem-alerts"}, Notify: "slack"}, "1:23 unknown-webhook siem-alerts"},
		{"no webhooks at all", hook, &Serving{Notify: "slack"}, "1:23 unknown-webhook"},
		{"without a configuration", hook, nil, ""},
		{"a schedule somebody hears of", daily, all, ""},
		{"a schedule nobody hears of", daily, &Serving{}, "1:1 unheard"},
		{"nothing starts by itself", plain, &Serving{}, ""},
		{"only what is called would", calling, &Serving{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := testEnvironment(t)
			env.Serving = test.serving
			p, problems := Compile(load(t, map[string]string{"a.yaml": test.text, "b.yaml": hook}, "a.yaml"), env)
			var got []string
			for _, d := range problems {
				got = append(got, trimmed(d.Line, d.Column, d.Code, d.Suggestion))
			}
			if strings.Join(got, ", ") != test.want || yamldoc.HasErrors(problems) != (p == nil) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if unheard := strings.Contains(test.want, "unheard"); unheard && p == nil {
				t.Error("that nobody hears is no reason not to run")
			}
		})
	}
}
