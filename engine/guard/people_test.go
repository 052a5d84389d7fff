package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

func people() guard.People {
	return guard.People{
		{Name: "alice", OSUser: "asmith", Email: "Alice.Smith@example.com", Groups: []string{"Security-Oncall"}},
		{Name: "bob", OSUser: "bob", Email: "bob@example.com", Groups: []string{"security-oncall", "managers"}},
		{Name: "carol", OSUser: "carol"},
		{Name: "Ren\u00e9", Email: "rene@example.com", Groups: []string{"managers"}},
		{Name: "dave", OSUser: "shared"},
		{Name: "erin", OSUser: "erin", Email: "shared"},
		{Name: "alice-admin", OSUser: "adm-asmith", Email: "frank@example.com"},
		{Name: "frank", OSUser: "frank", Email: "frank@example.com"},
	}
}

func TestNamesOfAnActor(t *testing.T) {
	p := guard.People{{Name: "Alice", OSUser: "asmith"}, {Name: "bob"}}
	for user, want := range map[string][]string{
		"ASMITH": {"Alice", "asmith"}, "alice": {"Alice"}, "BOB": {"bob"}, "Eve": {"eve"},
	} {
		if got := p.Names(engine.Actor{Name: user}); !slices.Equal(got, want) {
			t.Errorf("%s has the names %q, want %q", user, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	for user, want := range map[string]string{
		"asmith": "alice", "ASmith": "alice", "alice": "alice", " Alice ": "alice", "\uff41lice": "alice", "al\u200bice": "alice",
		"alice.smith@EXAMPLE.com": "alice", "bob": "bob", "rene\u0301": "Ren\u00e9", "REN\u00c9": "Ren\u00e9",
		"shared": "", "frank@example.com": "", "": "", " ": "", "nobody": "", "rene": "", "alice*": "",
	} {
		got, ok := people().Resolve(user)
		if got.Name != want || ok != (want != "") {
			t.Errorf("%q stands for %q, %v; want %q", user, got.Name, ok, want)
		}
	}
}

func TestWho(t *testing.T) {
	for user, want := range map[string]string{"asmith": "alice", "ALICE": "alice", "Nobody ": "nobody", "Shared": "shared"} {
		for _, via := range []string{"cli", "webhook", "schedule"} {
			if got := people().Who(engine.Actor{Name: user, Via: via}); got != want {
				t.Errorf("%q by %s is %q, want %q", user, via, got, want)
			}
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"alice", "asmith", true},
		{"ASMITH", "alice.smith@example.com", true},
		{"alice", "bob", false},
		{"nobody", "Nobody", true},
		{"nobody", "somebody", false},
		{"shared", "dave", true}, // it may be either
		{"shared", "erin", true},
		{"dave", "erin", true}, // dave's account is erin's address: who can tell them apart?
		{"alice-admin", "frank", true},
		{"alice", "alice-admin", false},
		{"", "alice", false},
		{"", "carol", false}, // who has no address
	} {
		if got := people().Same(c.a, c.b); got != c.want || people().Same(c.b, c.a) != got {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestAble(t *testing.T) {
	for by, want := range map[string]int{
		"alice": 1, "Alice.Smith@example.com": 1, "group:security-oncall": 2, "group: Managers": 2,
		"asmith": 0, "group:": 0, "group:nobody": 0, " ": 0, "security-oncall": 0,
		"alice,alice.smith@example.com,group:security-oncall": 2, "group:security-oncall,group:managers,carol": 4,
	} {
		if got := people().Able(strings.Split(by, ",")); got != want {
			t.Errorf("%d are able by %q, want %d", got, by, want)
		}
	}
	if got := people().Able(nil); got != len(people()) {
		t.Errorf("without entries %d are able", got)
	}
}

func TestEntries(t *testing.T) {
	for _, entry := range people().Entries() {
		if people().Able([]string{entry}) == 0 {
			t.Errorf("%q is about nobody", entry)
		}
		if guard.IsGroup(entry) != strings.HasPrefix(entry, "group:") || guard.IsGroup(strings.ToUpper(entry)) != guard.IsGroup(entry) {
			t.Errorf("%q is a group: %v", entry, guard.IsGroup(entry))
		}
	}
	if got := len(people().Entries()); got != 18 {
		t.Errorf("%d entries: %q", got, people().Entries())
	}
}

// TestNobodyApprovesTheirOwn goes through the ways around it.
func TestNobodyApprovesTheirOwn(t *testing.T) {
	all := people()
	person := func(name string) engine.Person {
		p, ok := all.Resolve(name)
		if !ok && name != "" {
			p = engine.Person{Name: name}
		}
		return p
	}
	line := func(id, name, item string, outcome engine.Outcome, aliases ...string) engine.ChangeSet {
		return engine.ChangeSet{Changes: []engine.PlannedChange{
			{Path: "other", Target: engine.Target{ID: "U0"}},
			{Path: "contain[x]/suspend", Item: item, Target: engine.Target{ID: id, Name: name}, Aliases: aliases, Outcome: outcome},
		}}
	}
	oncall := engine.Approval{By: []string{"group:security-oncall"}, Round: 2, Status: engine.ApprovalPending}
	with := func(change func(*engine.Approval)) engine.Approval {
		a := oncall
		change(&a)
		return a
	}
	nobody := engine.ChangeSet{}
	for _, c := range []struct {
		name     string
		approval engine.Approval
		set      engine.ChangeSet
		starters []string
		person   engine.Person
		says     string // "": they may
	}{
		{"somebody else", oncall, nobody, []string{"carol"}, person("alice"), ""},
		{"the starter", oncall, nobody, []string{"alice"}, person("alice"), "alice has started this run"},
		{"by another spelling of the user", oncall, nobody, []string{"ASmith "}, person("alice"), "has started"},
		{"by their address", oncall, nobody, []string{"ALICE.smith@example.com"}, person("alice"), "has started"},
		{"by other characters", oncall, nobody, []string{"\uff41lice"}, person("alice"), "has started"},
		{"whoever resumed it", oncall, nobody, []string{"carol", "cron", "bob"}, person("bob"), "has started"},
		{"a starter who may be two", with(func(a *engine.Approval) { a.By = nil }), nobody, []string{"shared"}, person("erin"), "has started"},
		{"a second account of the starter", with(func(a *engine.Approval) { a.By = nil }), nobody, []string{"frank"}, person("alice-admin"), "has started"},
		{"a starter in a second group", with(func(a *engine.Approval) { a.By = []string{"group:managers"} }), nobody, []string{"bob"}, person("bob"), "has started"},
		{"a starter nobody knows", oncall, nobody, []string{"siem-alert", ""}, person("alice"), ""},
		{"somebody of no group", oncall, nobody, nil, person("carol"), "not among those who may decide: group:security-oncall"},
		{"somebody of another group", oncall, nobody, nil, person("ren\u00e9"), "not among"},
		{"a group under the name of a person", with(func(a *engine.Approval) { a.By = []string{"security-oncall"} }), nobody, nil, person("alice"), "not among"},
		{"by name", with(func(a *engine.Approval) { a.By = []string{"Alice"} }), nobody, nil, person("alice"), ""},
		{"by address", with(func(a *engine.Approval) { a.By = []string{"zoe", "alice.smith@example.com"} }), nobody, nil, person("alice"), ""},
		{"not by account", with(func(a *engine.Approval) { a.By = []string{"asmith"} }), nobody, nil, person("alice"), "not among"},
		{"an empty entry is nobody", with(func(a *engine.Approval) { a.By = []string{" "} }), nobody, nil, person("carol"), "not among"},
		{"a group written otherwise", with(func(a *engine.Approval) { a.By = []string{"Group: SECURITY-oncall"} }), nobody, nil, person("alice"), ""},
		{"anybody", with(func(a *engine.Approval) { a.By = nil }), nobody, nil, person("carol"), ""},
		{"anybody, but known", with(func(a *engine.Approval) { a.By = nil }), nobody, nil, person("mallory"), `"mallory" is nobody under`},
		{"nobody at all", with(func(a *engine.Approval) { a.By = nil }), nobody, nil, engine.Person{}, "is nobody under"},
		{"groups one claims to have", oncall, nobody, nil, engine.Person{Name: "carol", Groups: []string{"security-oncall"}}, "not among"},
		{"a target by its address", oncall, line("U1", "", "", "", "ALICE.SMITH@example.com"), nil, person("alice"), "alice is U1, which contain[x]/suspend is about"},
		{"a target by its id", oncall, line("asmith", "", "", ""), nil, person("alice"), "is about"},
		{"a target by its name", oncall, line("U1", "Alice", "", ""), nil, person("alice"), `"Alice" (U1)`},
		{"a target by the key of its item", oncall, line("U1", "", "alice.smith@example.com", ""), nil, person("alice"), "is about"},
		{"a target in other characters", oncall, line("U1", "", "", "", "al\u200bice.smith@example\uff0ecom"), nil, person("alice"), "is about"},
		{"a target that is refused", oncall, line("U1", "", "", engine.OutcomeRefused, "bob@example.com"), nil, person("bob"), "is about"},
		{"a target that is unchanged", oncall, line("U1", "", "", engine.OutcomeUnchanged, "bob@example.com"), nil, person("bob"), "is about"},
		{"a target by a second account", with(func(a *engine.Approval) { a.By = nil }), line("frank", "", "", ""), nil, person("alice-admin"), "is about"},
		{"no target", oncall, line("U1", "Alicia", "", "", "alicia@example.com", ""), nil, person("alice"), ""},
		{"who has no address, and a target without one", with(func(a *engine.Approval) { a.By = nil }), line("U1", "", "", "", ""), nil, person("carol"), ""},
		{"who has voted", with(func(a *engine.Approval) { a.Votes = []engine.Vote{{Person: "alice", Round: 2, Approve: true}} }), nobody, nil, person("alice"), "alice has decided already"},
		{"who has voted against it", with(func(a *engine.Approval) { a.Votes = []engine.Vote{{Person: "alice", Round: 2}} }), nobody, nil, person("alice"), "decided already"},
		{"who has voted by another name", with(func(a *engine.Approval) { a.Votes = []engine.Vote{{User: "ASMITH", Round: 2}} }), nobody, nil, person("alice"), "decided already"},
		{"who has voted in an earlier round", with(func(a *engine.Approval) { a.Votes = []engine.Vote{{Person: "alice", Round: 1}} }), nobody, nil, person("alice"), ""},
		{"somebody else has voted", with(func(a *engine.Approval) { a.Votes = []engine.Vote{{Person: "bob", User: "bob", Round: 2}} }), nobody, nil, person("alice"), ""},
		{"a request that is decided", with(func(a *engine.Approval) { a.Status = engine.ApprovalApproved }), nobody, nil, person("alice"), "it is approved already"},
		{"a request that nobody has decided in time", with(func(a *engine.Approval) { a.Status = engine.ApprovalExpired }), nobody, nil, person("alice"), "it is expired already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := all.MayDecide(c.approval, c.set, c.starters, c.person)
			switch {
			case c.says == "" && f != nil:
				t.Errorf("refused: %v", f)
			case c.says != "" && (f == nil || f.Class != engine.ClassRefused || f.Code != guard.CodeDecision || !strings.Contains(f.Message, c.says)):
				t.Errorf("got %v, want %q", f, c.says)
			}
		})
	}
	if f := (guard.People{}).MayDecide(engine.Approval{}, nobody, nil, engine.Person{Name: "alice"}); f == nil {
		t.Error("without `people:` somebody may decide")
	}
}

// FuzzSame holds that whoever is called by a name is one human being with it,
// however it is written.
func FuzzSame(f *testing.F) {
	for _, seed := range []string{"alice", "\u00b4 x", "\u0130stanbul", "\u1e9e", "a\u200bb", "\ufb01n", "\u03a3\u03c2", "\u2000\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p := guard.People{{Name: name, OSUser: "bob", Email: "e@example.com"}}
		if person, known := p.Resolve(name); !known || person.Name != name {
			t.Skip("it is blank")
		}
		spellings := []string{name, " " + name + "\t", "\u200b" + name, strings.ToLower(name), p.Who(engine.Actor{Name: name})}
		if strings.EqualFold(strings.ToUpper(name), name) { // of some characters upper case cannot be undone
			spellings = append(spellings, strings.ToUpper(name))
		}
		for _, written := range spellings {
			if !p.Same(written, name) || !p.Same(written, "BOB") {
				t.Errorf("%q is not %q", written, name)
			}
			if f := p.MayDecide(engine.Approval{}, engine.ChangeSet{}, []string{written}, p[0]); f == nil {
				t.Errorf("%q may approve what %q has started", name, written)
			}
		}
	})
}

// FuzzProtect holds that an entry without wildcards protects what it says, in
// upper case and with space around it too, and that a pattern never hangs.
func FuzzProtect(f *testing.F) {
	f.Add("sam@example.com", "*am@ex?mple.*")
	f.Add("\u00b4", "*\u0301*")
	f.Fuzz(func(t *testing.T, name, entry string) {
		if len(name)+len(entry) > 1000 {
			t.Skip("longer than names are")
		}
		subject := engine.Subject{Target: engine.Target{ID: name}}
		for _, e := range []string{name, entry} {
			r, err := guard.NewRules(guard.Configuration{Limits: guard.Limits{Protect: []string{e}}}, "p", noGuard())
			if err == nil && r.Protects(subject) == nil && e == name {
				t.Errorf("%q does not protect itself", name)
			}
		}
		if everything, _ := guard.NewRules(guard.Configuration{Limits: guard.Limits{Protect: []string{"*"}}}, "p", noGuard()); everything.Protects(subject) == nil {
			t.Errorf("* does not protect %q", name)
		}
	})
}
