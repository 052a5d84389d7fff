package config

import (
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (d *decoder) people(n *yamldoc.Node) []engine.Person {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "people must be a map from names to people, not %s", n.Describe()))
		return nil
	}
	var out []engine.Person
	for _, e := range n.Entries() {
		if !d.isMap(e.Value, "a person", []string{"os_user", "email", "groups"}) {
			continue
		}
		if name := strings.TrimSpace(e.Name()); name == "" || guard.IsGroup(name) {
			d.report(e.Key.Errorf("name", "%q cannot be the name of a person", e.Name()).WithHint("write the person's short name; groups stand under their people"))
		}
		p := engine.Person{
			Name: e.Name(), OSUser: d.text(e.Value.Get("os_user")),
			Email: d.email(e.Value.Get("email")), Groups: d.texts(e.Value.Get("groups")),
		}
		d.distinct(e, p, out)
		out = append(out, p)
	}
	return out
}

// distinct reports a name that leads to somebody else already: who started
// something and who approves it is told apart by these names.
func (d *decoder) distinct(e yamldoc.Entry, p engine.Person, others guard.People) {
	for _, word := range []struct {
		at   *yamldoc.Node
		text string
	}{{e.Key, p.Name}, {e.Value.Get("os_user"), p.OSUser}, {e.Value.Get("email"), p.Email}} {
		other, taken := others.Resolve(word.text)
		if !taken {
			continue
		}
		what := "the name"
		switch {
		case strings.EqualFold(word.text, other.OSUser):
			what = "the os_user"
		case strings.EqualFold(word.text, other.Email):
			what = "the email"
		}
		d.report(word.at.Errorf("duplicate", "%s is %s of %s already", word.text, what, other.Name).
			WithHint("one account stands for one person, or nobody can tell who decided"))
	}
}

func (d *decoder) email(n *yamldoc.Node) string {
	text := d.text(n)
	if text != "" && !strings.Contains(text, "@") {
		d.report(n.Errorf("email", "%q is not an e-mail address", text))
	}
	return text
}
