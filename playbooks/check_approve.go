package playbooks

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// capabilityMessages is what a connection must offer to tell people something.
const capabilityMessages engine.Capability = "messages"

// approve checks an approval: beside its parts, that the people it asks exist
// and hear of it.
func (c *checker) approve(s *step, at view) *program.Approve {
	g := s.inner["approve"]
	switch notify := g["notify"]; {
	case notify.key == nil && len(g) > 0:
		c.heard(s.given["approve"].key, "approve")
	case notify.key != nil && !notify.wrong:
		c.carriesMessages(notify.node)
	}
	c.deciders(g)
	return &program.Approve{
		Title: c.template(g["title"], at), By: g.texts("by"), Needs: int(g.integer("needs")),
		Timeout: g.durationOr("timeout", 0), OnDeny: g.textOr("on_deny", "end"), Notify: g.text("notify"),
	}
}

// heard reports a request that nobody would hear of, or nobody could answer.
func (c *checker) heard(at *yamldoc.Node, what string) {
	switch asking := c.env.Asking; {
	case asking == nil:
	case len(asking.People) == 0:
		c.add(at.Errorf("nobody", "`%s` asks people, and the configuration knows none", what).
			WithHint("write who may decide under `people:` in the configuration"))
	case asking.Notify == "":
		c.add(at.Errorf("unheard", "`%s` asks people, and nobody would hear of it", what).
			WithHint("name the connection that tells them: `notify:` in the configuration, or of an `approve` step"))
	}
}

// carriesMessages checks the connection that tells people of a request.
func (c *checker) carriesMessages(n *yamldoc.Node) {
	if c.env.Catalog == nil {
		return
	}
	info, known := c.env.Catalog.Named(n.Text())
	switch {
	case !known:
		c.add(n.Errorf("unknown-connection", "there is no connection %q", n.Text()).
			WithSuggestion(engine.Nearest(n.Text(), c.connectionNames())))
	case !info.Offers(capabilityMessages):
		c.add(n.Errorf("capability", "connection %q does not offer %q, which approve needs to tell people", info.Name, capabilityMessages).
			WithHint("%s", c.offering(capabilityMessages)))
	}
}

// offering is a hint at the connections that have a capability.
func (c *checker) offering(want engine.Capability) string {
	var names []string
	for _, info := range c.env.Catalog.Connections {
		if info.Offers(want) {
			names = append(names, info.Name)
		}
	}
	if len(names) == 0 {
		return "no connection of the configuration offers it"
	}
	return "these offer it: " + strings.Join(names, ", ")
}

// deciders checks the people of `by` against those the configuration knows.
func (c *checker) deciders(g given) {
	by := g["by"]
	if c.env.Asking == nil || len(c.env.Asking.People) == 0 || by.key == nil || by.wrong {
		return
	}
	people := guard.People(c.env.Asking.People)
	for _, n := range by.node.Items() {
		if n.Kind() == yamldoc.Scalar && people.Able([]string{n.Text()}) == 0 && strings.TrimSpace(n.Text()) != "" {
			c.add(nobody(n, people))
		}
	}
	able := people.Able(g.texts("by"))
	if needs := g.integer("needs"); able > 0 && needs > int64(able) && !fewerNamed(g) {
		c.add(g["needs"].node.Errorf("range", "`needs` is %d, but `by` is about only %d of the configuration's people", needs, able))
	}
}

func nobody(n *yamldoc.Node, people guard.People) yamldoc.Diagnostic {
	near := engine.Nearest(n.Text(), people.Entries())
	if guard.IsGroup(n.Text()) {
		return n.Errorf("unknown-group", "nobody of the configuration's people is in %q", n.Text()).WithSuggestion(near)
	}
	return n.Errorf("unknown-person", "nobody of the configuration's people is called %q", n.Text()).
		WithSuggestion(near).WithHint("an entry is a person's name or email, or group:NAME")
}

// fewerNamed reports whether `by` names fewer people than are needed. How many
// a group has is not known to it.
func fewerNamed(g given) bool {
	by := g.texts("by")
	return len(by) > 0 && !slices.ContainsFunc(by, guard.IsGroup) && g.integer("needs") > int64(distinct(by))
}

func distinct(names []string) int { return len(slices.Compact(slices.Sorted(slices.Values(names)))) }
