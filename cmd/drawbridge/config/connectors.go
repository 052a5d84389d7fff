package config

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps"
	"github.com/drawbridge-soar/drawbridge/steps/connector"
)

// connectors reads the connector files of the folders, whose providers are
// known from here on. What is wrong with them is said with their own places.
func (d *decoder) connectors(n *yamldoc.Node, c *Config) {
	if n == nil {
		return
	}
	c.ConnectorFolders = d.folders(n, "connectors")
	for _, folder := range c.ConnectorFolders {
		found, problems := definition.Load(folder)
		d.report(problems...)
		c.Connectors = append(c.Connectors, found...)
	}
	providers := d.providers
	d.report(definition.Distinct(c.Connectors, func(name string) string { return taken(name, providers) })...)
	for _, def := range c.Connectors {
		d.providers = append(slices.Clone(d.providers), connector.Provider(def))
	}
}

// taken says what has a name already; "" where nothing has.
func taken(name string, providers []engine.Provider) string {
	for _, p := range providers {
		if p.Name == name {
			return "it is the name of a provider"
		}
		if slices.Contains(p.Capabilities, engine.Capability(name)) {
			return "it is the name of a capability"
		}
	}
	for _, a := range steps.All() {
		if group, _, _ := strings.Cut(a.Spec().Name, "."); group == name {
			return "there are actions of that name, such as " + a.Spec().Name
		}
	}
	return ""
}

// Actions are the actions of the binary and those of the connector files.
func (c *Config) Actions() []engine.Action {
	all := steps.All()
	for _, def := range c.Connectors {
		all = append(all, connector.Actions(def)...)
	}
	return all
}
