package config_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	services "github.com/drawbridge-soar/drawbridge/steps/providers"
)

// TestTheConfigurationInTheDocumentationIsRight reads the example with the real
// providers, and finds every key explained.
func TestTheConfigurationInTheDocumentationIsRight(t *testing.T) {
	page, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(page))
	if block == nil {
		t.Fatal("there is no example")
	}
	c, problems := config.Parse("drawbridge.yaml", []byte(block[1]), services.All())
	if c == nil || len(problems) > 0 {
		t.Fatalf("the example has mistakes:\n%s", yamldoc.Render(problems))
	}
	if rules, err := guard.NewRules(c.Guard, "offboard", program.Guard{}); err != nil || rules.Asks() || rules.MaxChanges() != 200 {
		t.Errorf("its limits do not hold: %v", err)
	}
	for _, where := range []string{"the configuration", "guard", "an entry of policy", "serve", "socket", "a webhook", "rate", "network", "a host", "timeouts", "onepassword"} {
		for _, key := range knownKeys(t, where) {
			if !strings.Contains(string(page), "\n| `"+prefix(where)+key+"` |") {
				t.Errorf("%s of %s is not explained", key, where)
			}
		}
	}
}

// TestTheConfigurationOnEachProvidersPageIsRight reads what a newcomer copies.
func TestTheConfigurationOnEachProvidersPageIsRight(t *testing.T) {
	t.Parallel()
	for _, p := range services.All() {
		page, err := os.ReadFile("../../../docs/reference/providers/" + p.Name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(page))
		if block == nil {
			t.Errorf("the page of %s has no example", p.Name)
			continue
		}
		if c, problems := config.Parse("drawbridge.yaml", []byte(block[1]), services.All()); c == nil || len(problems) > 0 || len(c.Connections) != 1 {
			t.Errorf("the example of %s has mistakes:\n%s", p.Name, yamldoc.Render(problems))
		}
	}
}

// prefix is what the page writes before keys that would be mistaken for others.
func prefix(where string) string {
	switch where {
	case "socket", "rate", "timeouts", "onepassword":
		return where + "."
	default:
		return ""
	}
}

// misspelt has a wrong key everywhere keys are explained.
const misspelt = `nokey: 1
guard: { nokey: 1 }
policy: [{ playbooks: [a], nokey: 1 }]
secrets: { onepassword: { token: env://OP, nokey: 1 } }
serve: { nokey: 1, socket: { nokey: 1 } }
webhooks: { siem: { secret: env://S, nokey: 1 } }
network: { nokey: 1, timeouts: { nokey: 1 }, hosts: { a.example.com: { nokey: 1 } } }
connections: { team: { provider: slack, webhook_url: env://HOOK, rate: { nokey: 1 } } }
`

// knownKeys are the keys an error about an unknown one names.
func knownKeys(t *testing.T, where string) []string {
	t.Helper()
	_, problems := config.Parse("drawbridge.yaml", []byte(misspelt), services.All())
	for _, d := range problems {
		if strings.HasSuffix(d.Message, " in "+where) {
			return strings.Split(strings.TrimPrefix(d.Hint, "known: "), ", ")
		}
	}
	t.Fatalf("nothing tells the keys of %s:\n%s", where, yamldoc.Render(problems))
	return nil
}
