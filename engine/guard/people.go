package guard

import (
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CodeDecision is the code of the failures of MayDecide.
const CodeDecision = "decision"

// GroupPrefix begins an entry of `by` that names a group of people.
const GroupPrefix = "group:"

// People are those under `people:` in the configuration. Names are compared as
// people take them for the same: letter case, Unicode forms, invisible
// characters and surrounding space do not count.
type People []engine.Person

// Resolve finds the person that an operating-system user, a name or an e-mail
// address stands for. Where it stands for two, it stands for nobody.
func (p People) Resolve(user string) (engine.Person, bool) {
	found := p.named(user)
	if len(found) != 1 {
		return engine.Person{}, false
	}
	return p[found[0]], true
}

// Who is the name to record for an actor: that of the person, else the folded
// name of the user.
func (p People) Who(actor engine.Actor) string {
	if person, ok := p.Resolve(actor.Name); ok {
		return person.Name
	}
	return Fold(actor.Name)
}

// Names are the names to record for an actor who may not decide something: that
// of the person, and the folded name of the user where it is another one. A
// person can be renamed in the configuration; the user stays the same.
func (p People) Names(actor engine.Actor) []string {
	who, user := p.Who(actor), Fold(actor.Name)
	if user == "" || user == Fold(who) {
		return []string{who}
	}
	return []string{who, user}
}

// Same reports whether two names may stand for one human being: they are the
// same name, or somebody is called by both.
func (p People) Same(a, b string) bool {
	return overlap(p.allNames(a), p.allNames(b))
}

// MayDecide refuses a person who may not decide an approval, with a failure of
// class refused and code decision; nil lets them. They must be under `people:`
// and in `by` (names, e-mail addresses, group:NAME; empty is anybody), and must
// not be one of the starters of the run, nor a target of the set on any of its
// lines, nor have voted in this round already. Whether the time is up is the
// caller's to know.
func (p People) MayDecide(a engine.Approval, set engine.ChangeSet, starters []string, person engine.Person) *engine.Failure {
	i := slices.IndexFunc(p, func(known engine.Person) bool { return person.Name != "" && known.Name == person.Name })
	if i < 0 {
		return undecided("%q is nobody under `people:` in the configuration, and only they may decide", person.Name)
	}
	person = p[i] // what the configuration says of them, not the caller
	names := p.allNames(person.Name, person.OSUser, person.Email)
	is := func(name string) bool { return overlap(names, p.allNames(name)) }
	switch {
	case a.Status != "" && a.Status != engine.ApprovalPending:
		return undecided("it is %s already", a.Status)
	case slices.ContainsFunc(starters, is):
		return undecided("%s has started this run, or had a hand in it, and cannot approve or deny it: somebody else must", person.Name)
	case len(a.By) > 0 && !slices.ContainsFunc(a.By, func(entry string) bool { return entitles(entry, person) }):
		return undecided("%s is not among those who may decide: %s", person.Name, strings.Join(a.By, ", "))
	case slices.ContainsFunc(a.Votes, func(v engine.Vote) bool { return v.Round == a.Round && (is(v.Person) || is(v.User)) }):
		return undecided("%s has decided already", person.Name)
	}
	if line := target(set, names); line != nil {
		return undecided("%s is %s, which %s is about, and cannot approve or deny it", person.Name, describe(line.Target), line.Path)
	}
	return nil
}

// Entries are all words an entry of `by` can be: names, e-mail addresses, and
// groups as group:NAME.
func (p People) Entries() []string {
	var out []string
	for _, person := range p {
		out = append(out, person.Name)
		if person.Email != "" {
			out = append(out, person.Email)
		}
		for _, group := range person.Groups {
			out = append(out, GroupPrefix+group)
		}
	}
	return out
}

// IsGroup reports whether an entry of `by` names a group.
func IsGroup(entry string) bool { return strings.HasPrefix(Fold(entry), GroupPrefix) }

// Able counts the people who could decide: those the entries of `by` are
// about, each once; without entries, all.
func (p People) Able(by []string) int {
	n := 0
	for _, person := range p {
		if len(by) == 0 || slices.ContainsFunc(by, func(entry string) bool { return entitles(entry, person) }) {
			n++
		}
	}
	return n
}

func undecided(format string, args ...any) *engine.Failure {
	return engine.Fail(engine.ClassRefused, CodeDecision, format, args...)
}

// target is the first line of a set that is about somebody with one of the
// names. A line that is not carried out counts too: whoever was refused,
// excluded or unchanged has a stake in the others.
func target(set engine.ChangeSet, names []string) *engine.PlannedChange {
	for i, c := range set.Changes {
		for _, name := range append([]string{c.Target.ID, c.Target.Name, c.Item}, c.Aliases...) {
			if slices.Contains(names, Fold(name)) {
				return &set.Changes[i]
			}
		}
	}
	return nil
}

// entitles reports whether an entry of `by` is about a person.
func entitles(entry string, person engine.Person) bool {
	word := Fold(entry)
	if group, is := strings.CutPrefix(word, GroupPrefix); is {
		return slices.ContainsFunc(person.Groups, func(g string) bool { return Fold(g) == strings.TrimSpace(group) })
	}
	return word != "" && (word == Fold(person.Name) || word == Fold(person.Email))
}

// named are the places of those who are called so.
func (p People) named(word string) []int {
	var found []int
	name := Fold(word)
	for i, person := range p {
		if slices.Contains(namesOf(person), name) {
			found = append(found, i)
		}
	}
	return found
}

// allNames are the folded words and every other name of those who are called by one.
func (p People) allNames(words ...string) []string {
	var out []string
	for _, word := range words {
		if name := Fold(word); name != "" {
			out = append(out, name)
		}
		for _, i := range p.named(word) {
			out = append(out, namesOf(p[i])...)
		}
	}
	return out
}

// overlap reports whether two lists of folded names have one in common.
func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

// namesOf are the folded names of a person that are not empty.
func namesOf(p engine.Person) []string {
	var out []string
	for _, name := range []string{p.Name, p.OSUser, p.Email} {
		if name := Fold(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}
