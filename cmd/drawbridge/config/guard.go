package config

import (
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// guard reads the ceiling. What cannot be held is read all the same: the guard
// refuses to run under it, and knows best what that is.
func (d *decoder) guard(n *yamldoc.Node) guard.Configuration {
	if n == nil || !d.isMap(n, "guard", append(limitKeys(), "playbooks")) {
		return guard.Configuration{}
	}
	return guard.Configuration{Limits: d.limits(n), Playbooks: d.playbookLimits(n.Get("playbooks"))}
}

// asked checks that every `on_block: ask` has somebody to ask, and a way to
// reach them.
func (d *decoder) asked(n *yamldoc.Node, c *Config) {
	limits := n.Get("guard")
	list := []*yamldoc.Node{limits}
	for _, e := range limits.Get("playbooks").Entries() {
		list = append(list, e.Value)
	}
	for _, l := range list {
		if ask := l.Get("on_block"); ask.Text() == "ask" {
			d.heard(ask, "on_block: ask", nil, c)
		}
	}
}

func limitKeys() []string {
	return []string{"max_changes", "max_percent", "protect", "budget", "on_block"}
}

func (d *decoder) limits(n *yamldoc.Node) guard.Limits {
	onBlock, _ := d.value(n.Get("on_block"), engine.Field{Type: engine.EnumOf("stop", "ask")}).(string)
	return guard.Limits{
		MaxChanges: d.integer(n.Get("max_changes"), "max_changes", 0),
		MaxPercent: d.percent(n.Get("max_percent")),
		Protect:    d.protect(n.Get("protect")),
		Budget:     d.budget(n.Get("budget")),
		OnBlock:    onBlock,
	}
}

func (d *decoder) percent(n *yamldoc.Node) *float64 {
	v, ok := d.value(n, engine.Field{Type: engine.TypeNumber()}).(float64)
	if !ok {
		return nil
	}
	if v < 0 || v > 100 {
		d.report(n.Errorf("range", "max_percent must be between 0 and 100"))
	}
	return &v
}

func (d *decoder) protect(n *yamldoc.Node) []string {
	for _, item := range n.Items() {
		if item.Kind() == yamldoc.Scalar && strings.TrimSpace(item.Text()) == "" {
			d.report(item.Errorf("protect", "an empty entry protects nobody").
				WithHint("write an id, an e-mail address or a pattern such as \"breakglass-*@example.com\""))
		}
	}
	return d.texts(n)
}

func (d *decoder) budget(n *yamldoc.Node) *guard.Budget {
	if n == nil || !d.isMap(n, "budget", []string{"changes", "per"}) {
		return nil
	}
	for _, name := range []string{"changes", "per"} {
		if n.Get(name) == nil {
			d.report(n.FirstKey().Errorf("missing", "a budget needs %q", name).WithHint("write { changes: 60, per: 24h }"))
		}
	}
	out := &guard.Budget{}
	if changes := d.integer(n.Get("changes"), "changes", 0); changes != nil {
		out.Changes = *changes
	}
	out.Per = d.positive(n.Get("per"), "per", 0)
	return out
}

func (d *decoder) playbookLimits(n *yamldoc.Node) map[string]guard.Limits {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "playbooks must be a map from playbook names to limits, not %s", n.Describe()))
		return nil
	}
	out := map[string]guard.Limits{}
	for _, e := range n.Entries() {
		if d.isMap(e.Value, "the guard of a playbook", limitKeys()) {
			out[e.Name()] = d.limits(e.Value)
		}
	}
	return out
}
