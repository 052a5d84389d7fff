package playbooktest

import (
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Where sign-ins come from that do not say it: an address set aside for tests.
const (
	defaultFrom    = "198.18.0.10"
	defaultCountry = "DE"
)

func (r *reader) tenant(n *yamldoc.Node) Tenant {
	g := r.keys(n, "tenant")
	t := Tenant{Generated: g.integer("generated", DefaultGenerated)}
	if t.Generated > maxGenerated {
		r.add(g["generated"].node.Errorf("range", "generated must be at most %d", maxGenerated))
	}
	for _, person := range r.list(g["people"], "people") {
		r.person(person, &t)
	}
	for _, told := range r.list(g["sign_ins"], "sign-ins") {
		t.SignIns = append(t.SignIns, r.signIn(told, t))
	}
	for _, told := range r.list(g["item_usages"], "item usages") {
		g := r.keys(told, "usage")
		t.Usages = append(t.Usages, Usage{Who: r.who(g["who"], t), Ago: as[time.Duration](g, "ago")})
	}
	for _, told := range r.list(g["audit_events"], "audit events") {
		t.Audits = append(t.Audits, r.audit(told, t))
	}
	return t
}

func (r *reader) audit(n *yamldoc.Node, t Tenant) Audit {
	g := r.keys(n, "audit")
	a := Audit{Action: g.text("action"), Object: g.text("object"), Ago: as[time.Duration](g, "ago"), Who: -1, Whom: -1}
	if a.Object == "" {
		a.Object = "user"
	}
	if g.has("who") {
		a.Who = r.who(g["who"], t)
	}
	if g.has("whom") {
		a.Whom = r.who(g["whom"], t)
	}
	return a
}

func (r *reader) person(n *yamldoc.Node, t *Tenant) {
	g := r.keys(n, "person")
	p := Person{
		ID: g.text("id"), Email: g.text("email"), Name: g.text("name"), Suspended: g.text("state") == "suspended",
		Created: as[time.Time](g, "created"), Refuses: g.text("refuses"),
	}
	if p.Name == "" {
		p.Name = p.Email
	}
	if g.has("id") && p.ID == "" || strings.ContainsAny(p.ID, "/:% ") {
		r.add(g["id"].node.Errorf("id", "an id consists of letters, digits, - and _"))
	}
	if p.ID != "" && slices.ContainsFunc(t.People, func(other Person) bool { return other.ID == p.ID }) {
		r.add(g["id"].node.Errorf("duplicate", "another person has this id already"))
	}
	t.People = append(t.People, p)
}

func (r *reader) signIn(n *yamldoc.Node, t Tenant) SignIns {
	g := r.keys(n, "sign_in")
	s := SignIns{
		Who: r.who(g["who"], t), Ago: as[time.Duration](g, "ago"), Failures: g.integer("failures", 0),
		From: g.text("from"), Country: g.text("country"),
	}
	s.Success = s.Failures == 0
	if success, ok := g["success"].value.(bool); ok {
		s.Success = success
		if !success && s.Failures == 0 {
			r.add(g["success"].key.Errorf("misplaced-key", "without failures and success nothing happened").WithHint("failures: 1"))
		}
	}
	if s.From == "" {
		s.From = defaultFrom
	}
	if s.Country == "" {
		s.Country = defaultCountry
	}
	return s
}

// who finds a named person: by id, or by an address that only one has.
func (r *reader) who(v value, t Tenant) int {
	named, ok := v.value.(string)
	if !ok {
		return 0
	}
	found := -1
	var known []string
	for i, p := range t.People {
		known = append(known, p.Email)
		if p.ID == named || strings.EqualFold(p.Email, named) {
			if found >= 0 && p.ID != named {
				r.add(v.node.Errorf("ambiguous", "several people have the address %q; name one by id", named))
			}
			found = i
		}
	}
	if found < 0 {
		r.add(v.node.Unknown("person", "the tenant", known))
		return 0
	}
	return found
}
