package testrun

import (
	"errors"
	"io"
	"testing"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// TestEveryProviderIsSimulated finds the one for which nobody has said how.
func TestEveryProviderIsSimulated(t *testing.T) {
	for _, p := range providers.All() {
		c := redirected(config.Connection{Name: p.Name, Provider: p, Settings: map[string]any{}}, sim.New(sim.Options{}).Credentials(), sim.NewSafe(nil))
		_, err := c.Provider.Open(engine.Opening{Name: c.Name, Settings: c.Settings, Terminal: io.Discard})
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestAProviderWithoutASimulatorIsRefused(t *testing.T) {
	c := redirected(config.Connection{Name: "new", Provider: engine.Provider{Name: "new"}}, sim.Credentials{}, sim.NewSafe(nil))
	if _, err := c.Provider.Open(engine.Opening{Name: "new"}); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "no_simulator"}) {
		t.Errorf("the error is %v", err)
	}
}
