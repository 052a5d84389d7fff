package examples_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/examples"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

const configuration = "drawbridge.yaml"

// TestExamplesPassTheChecks also with their own configuration: whom they ask and
// which webhooks start them is in it. That they do what they say is what their
// own tests are for.
func TestExamplesPassTheChecks(t *testing.T) {
	actions, err := engine.NewActions(steps.All()...)
	if err != nil {
		t.Fatal(err)
	}
	conf := load(t)
	catalog := conf.Catalog()
	env := playbooks.Environment{
		Actions: actions, Catalog: &catalog,
		Asking:  &playbooks.Asking{Notify: conf.Notify, People: conf.People},
		Serving: &playbooks.Serving{Webhooks: conf.WebhookNames(), Notify: conf.Notify},
	}
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			bundle, problems := playbooks.Load(playbooks.FSFiles(examples.Files()), name)
			prog, more := playbooks.Compile(bundle, env)
			if all := append(problems, more...); len(all) > 0 {
				t.Fatalf("\n%s", yamldoc.Render(all))
			}
			if prog.Name+".yaml" != name {
				t.Errorf("it is called %s", prog.Name)
			}
			if prog.Description == "" {
				t.Error("it has no description")
			}
			if len(prog.Unavailable) > 0 {
				t.Errorf("it cannot be run yet: %v", prog.Unavailable)
			}
		})
	}
}

func TestExamplesSayWhenToUseThem(t *testing.T) {
	for _, name := range names(t) {
		data, err := fs.ReadFile(examples.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(data), "\nname:")
		if !strings.HasPrefix(head, "# When to use it: ") || strings.Count(head, "\n") < 2 {
			t.Errorf("%s does not begin with a paragraph on when to use it", name)
		}
	}
}

// TestConfigurationIsThatOfTheSimulatedTenant keeps the account in the file
// that of the tenant `drawbridge sim` serves.
func TestConfigurationIsThatOfTheSimulatedTenant(t *testing.T) {
	want := sim.New(sim.Options{}).Credentials().Account
	for _, c := range load(t).Connections {
		if got, ok := c.Settings["account"]; ok && got != want {
			t.Errorf("%s is of the account %v, the tenant is %s", c.Name, got, want)
		}
	}
}

func load(t *testing.T) *config.Config {
	t.Helper()
	data, err := fs.ReadFile(examples.Files(), configuration)
	if err != nil {
		t.Fatal(err)
	}
	conf, problems := config.Parse(configuration, data, providers.All())
	if conf == nil || len(problems) > 0 {
		t.Fatalf("\n%s", yamldoc.Render(problems))
	}
	return conf
}

// names are the examples, without the configuration and their tests.
func names(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(examples.Files(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range all {
		if path.Base(name) != configuration && !strings.HasSuffix(name, ".test.yaml") {
			out = append(out, name)
		}
	}
	if len(out) < 5 {
		t.Fatalf("there are only %v", out)
	}
	return out
}
