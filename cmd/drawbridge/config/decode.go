package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// decoder turns nodes into a Config and gathers everything that is wrong.
type decoder struct {
	dir           string
	providers     []engine.Provider
	problems      []yamldoc.Diagnostic
	inOnePassword []*yamldoc.Node // references that lead into 1Password
	notifyWrong   bool            // `notify` names a connection that cannot be it, which is reported already
}

func (d *decoder) config(n *yamldoc.Node, c *Config) {
	known := []string{
		"playbooks", "connectors", "connections", "defaults", "guard", "policy", "people", "notify", "approval_link", "max_plan_age", "retention", "network", "secrets", "serve", "webhooks",
	}
	if !d.isMap(n, "the configuration", known) {
		return
	}
	c.Playbooks = d.folders(n.Get("playbooks"), "playbooks")
	d.connectors(n.Get("connectors"), c)
	c.Connections = d.connections(n.Get("connections"))
	c.Defaults = d.defaults(n.Get("defaults"), c)
	c.Guard = d.guard(n.Get("guard"))
	c.People = d.people(n.Get("people"))
	c.Notify = d.notify(n.Get("notify"), c)
	c.ApprovalLink = d.approvalLink(n.Get("approval_link"))
	c.Guard.Policies = d.policies(n.Get("policy"), c)
	c.MaxPlanAge = d.positive(n.Get("max_plan_age"), "max_plan_age", DefaultMaxPlanAge)
	c.Retention = d.retention(n.Get("retention"))
	d.asked(n, c)
	c.Network = d.network(n.Get("network"))
	c.Serve = d.serve(n.Get("serve"))
	c.Webhooks = d.webhooks(n.Get("webhooks"))
	c.Secrets = d.secrets(n.Get("secrets"))
}

func (d *decoder) report(p ...yamldoc.Diagnostic) { d.problems = append(d.problems, p...) }

// isMap checks that a node is a map with known keys only.
func (d *decoder) isMap(n *yamldoc.Node, where string, known []string) bool {
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "%s must be a map, not %s", where, n.Describe()))
		return false
	}
	d.report(yamldoc.UnknownKeys(n, where, known)...)
	return true
}

// value reads a node by its type; nil where it is absent or wrong.
func (d *decoder) value(n *yamldoc.Node, f engine.Field) any {
	if n == nil {
		return nil
	}
	v, problems := yamldoc.DecodeField(n, f)
	d.report(problems...)
	if len(problems) > 0 {
		return nil
	}
	return v
}

func (d *decoder) text(n *yamldoc.Node) string {
	s, _ := d.value(n, engine.Field{Type: engine.TypeString()}).(string)
	return s
}

func (d *decoder) texts(n *yamldoc.Node) []string {
	list, _ := d.value(n, engine.Field{Type: engine.ListOf(engine.TypeString())}).([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (d *decoder) integer(n *yamldoc.Node, name string, minimum int64) *int64 {
	v, ok := d.value(n, engine.Field{Name: name, Type: engine.TypeInteger(), Minimum: &minimum}).(int64)
	if !ok {
		return nil
	}
	return &v
}

// positive reads a duration of more than 0.
func (d *decoder) positive(n *yamldoc.Node, name string, otherwise time.Duration) time.Duration {
	v, ok := d.value(n, engine.Field{Type: engine.TypeDuration()}).(time.Duration)
	if !ok {
		return otherwise
	}
	if v <= 0 {
		d.report(n.Errorf("range", "%s must be more than 0", name))
	}
	return v
}

// path makes a path of the file absolute.
func (d *decoder) path(n *yamldoc.Node) string {
	p := d.text(n)
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(d.dir, p)
}

func (d *decoder) folders(n *yamldoc.Node, what string) []string {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.List {
		d.report(n.Errorf("type", "%s must be a list of folders, not %s", what, n.Describe()).WithHint("write [./%s]", what))
		return nil
	}
	var out []string
	for _, item := range n.Items() {
		out = append(out, d.path(item))
	}
	return out
}

func (d *decoder) defaults(n *yamldoc.Node, c *Config) map[engine.Capability]string {
	out := map[engine.Capability]string{}
	if n == nil || !d.isMap(n, "defaults", d.capabilities()) {
		return out
	}
	for _, e := range n.Entries() {
		need := engine.Capability(e.Name())
		if !slices.Contains(d.capabilities(), e.Name()) {
			continue // reported as an unknown key
		}
		if name, ok := d.connectionOffering(e.Value, need, c); ok {
			out[need] = name
		}
	}
	return out
}

// connectionOffering reads the name of a connection that has a capability.
func (d *decoder) connectionOffering(n *yamldoc.Node, need engine.Capability, c *Config) (string, bool) {
	name := d.text(n)
	var names, offering []string
	for _, conn := range c.Connections {
		names = append(names, conn.Name)
		if slices.Contains(conn.Provider.Capabilities, need) {
			offering = append(offering, conn.Name)
		}
	}
	switch {
	case name == "":
		return "", false
	case slices.Contains(offering, name):
		return name, true
	case slices.Contains(names, name):
		d.report(n.Errorf("capability", "connection %q does not offer the capability %q", name, need).
			WithHint("%s", offers(offering)))
	default:
		d.report(n.Unknown("connection", "", names))
	}
	return "", false
}

func offers(names []string) string {
	if len(names) == 0 {
		return "no connection of this file does"
	}
	return "these do: " + quoteAll(names)
}

// capabilities are those that a default can be chosen for.
func (d *decoder) capabilities() []string {
	var out []string
	for _, p := range d.providers {
		for _, c := range p.Capabilities {
			if c != engine.CapabilityTest {
				out = append(out, string(c))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (d *decoder) notify(n *yamldoc.Node, c *Config) string {
	if n == nil {
		return ""
	}
	name, ok := d.connectionOffering(n, "messages", c)
	d.notifyWrong = !ok
	return name
}

// approvalLink reads the address of a page about an approval. It is shown to
// whoever reads the channel, so it must be neither in clear nor a credential.
func (d *decoder) approvalLink(n *yamldoc.Node) string {
	link := d.text(n)
	if link == "" {
		return ""
	}
	filled := strings.NewReplacer("{id}", "id", "{run}", "run").Replace(link)
	u, err := url.Parse(filled)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(filled, "{} \t\n<>|\\") {
		d.report(n.Errorf("approval-link", "approval_link must be an address that begins with https://, with nothing in braces but {id} and {run}").
			WithHint("such as https://soar.example.com/approvals/{id}"))
		return ""
	}
	return link
}
