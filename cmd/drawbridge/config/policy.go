package config

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (d *decoder) policies(n *yamldoc.Node, c *Config) []guard.Policy {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.List || len(n.Items()) == 0 {
		d.report(n.Errorf("type", "policy must be a list of entries, not %s", described(n)).
			WithHint("write - { playbooks: [\"contain-*\"], connections: [1password], actions: [\"user.*\"] }; without `policy` every playbook may use everything"))
		return nil
	}
	var out []guard.Policy
	for _, item := range n.Items() {
		if d.isMap(item, "an entry of policy", []string{"playbooks", "connections", "actions", "approve"}) {
			out = append(out, d.policy(item, c))
		}
	}
	return out
}

func described(n *yamldoc.Node) string {
	if n.Kind() == yamldoc.List {
		return "an empty one"
	}
	return n.Describe()
}

func (d *decoder) policy(n *yamldoc.Node, c *Config) guard.Policy {
	if n.Get("playbooks") == nil {
		d.report(n.FirstKey().Errorf("missing", "an entry of policy needs \"playbooks\": the names of those it is about").WithHint("write [\"*\"] for all of them"))
	}
	p := guard.Policy{
		Playbooks:   d.patterns(n.Get("playbooks"), "it is about no playbook", "write [\"*\"] for all of them"),
		Connections: d.patterns(n.Get("connections"), "it allows no connection", "leave it out to allow any"),
		Actions:     d.patterns(n.Get("actions"), "it allows no action", "leave it out to allow any"),
		Approve:     d.policyApproval(n.Get("approve"), c),
	}
	d.knownConnections(n.Get("connections"), c)
	return p
}

// patterns reads a list that is not empty, of entries that are not.
func (d *decoder) patterns(n *yamldoc.Node, empty, hint string) []string {
	if n != nil && n.Kind() == yamldoc.List && len(n.Items()) == 0 {
		d.report(n.Errorf("empty", "the list is empty: %s", empty).WithHint("%s", hint))
	}
	for _, item := range n.Items() {
		if item.Kind() == yamldoc.Scalar && strings.TrimSpace(item.Text()) == "" {
			d.report(item.Errorf("empty", "an empty entry fits nothing").WithHint("write a name, or a pattern with * and ?"))
		}
	}
	return d.texts(n)
}

// knownConnections reports entries that no connection of the file fits.
func (d *decoder) knownConnections(n *yamldoc.Node, c *Config) {
	var names []string
	for _, conn := range c.Connections {
		names = append(names, conn.Name)
	}
	for _, item := range n.Items() {
		entry := strings.TrimSpace(item.Text())
		fits := slices.ContainsFunc(names, func(name string) bool { return guard.Policy{Connections: []string{entry}}.AllowsConnection(name) })
		switch {
		case entry == "" || fits:
		case strings.ContainsAny(entry, "*?"):
			d.report(item.Errorf("unknown-connection", "no connection fits %q", entry).AsWarning())
		default:
			d.report(item.Unknown("connection", "", names))
		}
	}
}

func (d *decoder) policyApproval(n *yamldoc.Node, c *Config) *guard.PolicyApproval {
	if n == nil || !d.isMap(n, "approve", []string{"by", "needs", "timeout"}) {
		return nil
	}
	out := &guard.PolicyApproval{Needs: 1, Timeout: d.positive(n.Get("timeout"), "timeout", 0)}
	by := n.Get("by")
	out.By = d.patterns(by, "nobody could approve", "leave it out to let anybody under `people` decide")
	d.knownPeople(by, c)
	if needs := d.integer(n.Get("needs"), "needs", 1); needs != nil {
		out.Needs = int(*needs)
	}
	if able := guard.People(c.People).Able(out.By); able > 0 && out.Needs > able {
		d.report(n.Get("needs").Errorf("range", "`needs` is %d, but only %d under `people` can decide", out.Needs, able))
	}
	at := n
	if first := n.FirstKey(); first != nil {
		at = first
	}
	d.heard(at, "approve", out.By, c)
	return out
}

// knownPeople reports entries that nobody is called, and groups nobody is in.
func (d *decoder) knownPeople(n *yamldoc.Node, c *Config) {
	people := guard.People(c.People)
	for _, item := range n.Items() {
		entry := strings.TrimSpace(item.Text())
		near := engine.Nearest(entry, people.Entries())
		switch {
		case entry == "" || people.Able([]string{entry}) > 0:
		case guard.IsGroup(entry):
			d.report(item.Errorf("unknown-group", "nobody under `people` is in %q", entry).
				WithSuggestion(near).WithHint("write it under the `groups` of those who are"))
		default:
			d.report(item.Errorf("unknown-person", "nobody under `people` is called %q", entry).
				WithSuggestion(near).WithHint("an entry is a person's name or email, or group:NAME"))
		}
	}
}

// heard reports an approval that nobody can give, or nobody can hear of.
func (d *decoder) heard(at *yamldoc.Node, what string, by []string, c *Config) {
	switch {
	case len(c.People) == 0 && len(by) == 0:
		d.report(at.Errorf("nobody", "`%s` asks people, and there is nobody under `people`", what).
			WithHint("write who may decide: people: { alice: { os_user: alice } }"))
	case c.Notify == "" && !d.notifyWrong:
		d.report(at.Errorf("unheard", "`%s` asks people, and nobody would hear of it", what).
			WithHint("name the connection that tells them: notify: CONNECTION"))
	}
}
