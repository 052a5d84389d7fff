package config

import (
	"strings"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (d *decoder) people(n *yamldoc.Node) []Person {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.Map {
		d.report(n.Errorf("type", "people must be a map from names to people, not %s", n.Describe()))
		return nil
	}
	var out []Person
	owners := map[string]string{}
	for _, e := range n.Entries() {
		if !d.isMap(e.Value, "a person", []string{"os_user", "email", "groups"}) {
			continue
		}
		p := Person{
			Name: e.Name(), OSUser: d.text(e.Value.Get("os_user")),
			Email: d.email(e.Value.Get("email")), Groups: d.texts(e.Value.Get("groups")),
		}
		if other, taken := owners[p.OSUser]; taken && p.OSUser != "" {
			d.report(e.Value.Get("os_user").Errorf("duplicate", "%s is the os_user of %s already", p.OSUser, other).
				WithHint("one account stands for one person, or nobody can tell who decided"))
		}
		owners[p.OSUser] = p.Name
		out = append(out, p)
	}
	return out
}

func (d *decoder) email(n *yamldoc.Node) string {
	text := d.text(n)
	if text != "" && !strings.Contains(text, "@") {
		d.report(n.Errorf("email", "%q is not an e-mail address", text))
	}
	return text
}
