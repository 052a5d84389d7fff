package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UserFindSuspicious is the action user.find_suspicious.
type UserFindSuspicious struct{}

// SummaryType is the row that the rules of user.find_suspicious are predicates
// over: a user and the facts about their sign-ins.
func SummaryType() engine.Type { return engine.MapOf(append(userFields(), summaryFields()...)...) }

const (
	// maxAddresses is how many addresses evidence names: it is for people to read.
	maxAddresses = 20
	// strangers is how many unknown ids, and not one known, it takes to conclude
	// that the log is of another account than the directory.
	strangers = 10
)

// Spec declares user.find_suspicious.
func (UserFindSuspicious) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "user.find_suspicious",
		Summary: "Find the users whose sign-ins match rules of yours.",
		Doc:     suspiciousDoc,
		Effect:  engine.Observe,
		Needs:   []engine.Capability{CapabilityDirectory, CapabilitySignIns},
		Inputs: []engine.Field{
			{Name: "window", Type: engine.TypeDuration(), Default: 24 * time.Hour, Doc: "How far back to look.", Example: "24h"},
			lagField(),
			rulesField(),
			{
				Name: "include_suspended", Type: engine.TypeBool(), Default: false,
				Doc: "Whether users who are suspended already are judged as well.", Example: "true",
			},
		},
		Outputs:  suspiciousOutputs(),
		Examples: suspiciousExamples(),
	}
}

const suspiciousDoc = `Reads the sign-in attempts of the window, puts those of each user together and applies every rule to the result. A rule is a predicate over one row per user, whose fields are bare names; who matches at least one is returned, with the names of the rules and the facts they were judged by. Users without an attempt in the window are not looked at, nor are suspended ones unless you ask.

**Who is who.** Attempts are joined with the directory by the user's id. An attempt without an id is joined by its address, in lower case, in the same account, and only where exactly one user has it; addresses that several have are listed under ` + "`ambiguous`" + ` and nobody is judged by them. Each attempt counts once, however often the service delivered it.

**Which rules can be turned against innocent people.** Anybody can type a colleague's address and a wrong password. Rules over ` + "`failed`" + `, ` + "`mfa_failed`" + `, ` + "`blocked`" + `, ` + "`ips`" + ` or ` + "`countries`" + ` alone therefore let an outsider choose whom you suspect, and with ` + "`user.suspend`" + ` behind them, whom you lock out: a few guesses, from a rented address in a far country, are enough. Use them to look, or together with a fact that only a successful sign-in makes true.

- ` + "`success_after_failures`" + ` counts guesses only where a success *from the same address* followed within an hour. Without that condition, guessing at somebody until they sign in from home would be enough. People behind one shared address can still harm each other.
- ` + "`km_per_hour`" + ` and ` + "`success_countries`" + ` come from successful attempts only. An outsider cannot forge them, but a VPN, a roaming phone or a wrongly located address can: ask a person, or combine them.
- ` + "`succeeded`" + ` says nothing by itself.

In any case put an ` + "`approve`" + ` or a low ` + "`max_changes`" + ` between this step and one that takes access away.`

func rulesField() engine.Field {
	return engine.Field{
		Name: "rules", Required: true,
		Type: engine.ListOf(engine.MapOf(
			engine.Field{
				Name: "name", Type: engine.TypeString(), Required: true,
				Doc: "What the rule is called in `reasons`. Each name once.", Example: "guessed-then-in",
			},
			engine.Field{
				Name: "when", Type: engine.PredicateOver(SummaryType()), Required: true,
				Doc: "Whether a user matches. The fields of the row are bare names.", Example: "success_after_failures >= 5",
			},
		)),
		Doc:     "What makes a user suspicious; one match is enough.",
		Example: `[{ name: guessed-then-in, when: success_after_failures >= 5 }]`,
	}
}

func suspiciousOutputs() []engine.Field {
	user := append(userFields(),
		engine.Field{Name: "reasons", Type: engine.ListOf(engine.TypeString()), Doc: "The names of the rules that matched, in the order of the rules."},
		engine.Field{
			Name: "evidence", Type: engine.MapOf(summaryFields()...),
			Doc: "The facts they were judged by; of `ips` at most 20.",
		},
	)
	outputs := []engine.Field{
		{Name: "users", Type: engine.ListOf(engine.MapOf(user...)), Doc: "The users that match, by e-mail address."},
		ambiguousField("Nobody was judged by these records."),
		{Name: "unknown", Type: engine.TypeInteger(), Doc: "How many attempts belong to nobody in the directory."},
	}
	return append(outputs, spanOutputs()...)
}

func suspiciousExamples() []engine.Example {
	return []engine.Example{{
		Title: "Passwords that were guessed, and journeys nobody can make",
		YAML: `- id: suspicious
  uses: user.find_suspicious
  with:
    window: 24h
    rules:
      - { name: guessed-then-in, when: success_after_failures >= 5 }
      - { name: impossible-journey, when: "(km_per_hour ?? 0) > 1000 and success_after_failures > 0" }
- if: len(steps.suspicious.users) > 0
  uses: message.send
  with:
    text: "Suspicious: ${{ steps.suspicious.users | map(.email) | join(', ') }}"
`,
	}}
}

// Observe finds the users.
func (UserFindSuspicious) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	dir, conn, err := engine.Offered[Directory](call, CapabilityDirectory)
	if err != nil {
		return engine.Observation{}, err
	}
	log, _, err := engine.Offered[SignIns](call, CapabilitySignIns)
	if err != nil {
		return engine.Observation{}, err
	}
	window, err := spanOf(call, log.SignInsReach())
	if err != nil {
		return engine.Observation{}, err
	}
	judge, err := newJudge(call.Inputs)
	if err != nil {
		return engine.Observation{}, err
	}
	signIns, err := gatherSignIns(log.SignIns(ctx, window.from, window.to))
	if err != nil {
		return engine.Observation{}, fmt.Errorf("reading sign-ins: %w", err)
	}
	people, count, err := joinPeople(dir.Users(ctx, ""), signIns)
	if err != nil {
		return engine.Observation{}, err
	}
	suspects, err := judge.all(people)
	if err != nil {
		return engine.Observation{}, err
	}
	return engine.Observation{
		Outputs: map[string]any{
			"users": suspects, "ambiguous": signIns.ambiguous(), "unknown": signIns.unknown(),
			"from": window.from, "to": window.to,
		},
		Population: population(conn, &count),
	}, nil
}

// gatherSignIns puts the attempts under the id or address they name.
func gatherSignIns(all signInSeq) (*records[[]attempt], error) {
	gathered := newRecords[[]attempt]()
	for s, err := range onceEach(all) {
		if err != nil {
			return nil, err
		}
		if e := gathered.add(s.UserID, s.Email, s.Account); e != nil {
			e.data = append(e.data, attemptOf(s))
		}
	}
	return gathered, nil
}

// person is a user with what was recorded of them.
type person struct {
	user    User
	entries []*entry[[]attempt]
}

// attempts leaves out what could as well be somebody else's.
func (p person) attempts() []attempt {
	var certain []attempt
	for _, e := range p.entries {
		if len(e.claims) == 1 {
			certain = append(certain, e.data...)
		}
	}
	return certain
}

// joinPeople reads the whole directory and keeps the users with attempts, by
// address.
func joinPeople(users userSeq, signIns *records[[]attempt]) ([]person, int64, error) {
	var people []person
	var count int64
	for u, err := range users {
		if err != nil {
			return nil, 0, fmt.Errorf("reading the directory: %w", err)
		}
		count++
		if entries := signIns.claim(u); len(entries) > 0 {
			people = append(people, person{user: u, entries: entries})
		}
	}
	if len(signIns.byID) >= strangers && !signIns.knowsAnID() {
		return nil, 0, engine.Fail(engine.ClassInvalid, "other_account",
			"the sign-ins name %d user ids and the directory knows none of them: the two connections seem to be of different accounts", len(signIns.byID))
	}
	slices.SortFunc(people, func(a, b person) int {
		return cmp.Or(cmp.Compare(emailKey(a.user.Email), emailKey(b.user.Email)), cmp.Compare(a.user.ID, b.user.ID))
	})
	return people, count, nil
}
