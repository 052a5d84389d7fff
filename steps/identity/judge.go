package identity

import (
	"fmt"
	"maps"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

// judge applies the rules of user.find_suspicious.
type judge struct {
	rules     []rule
	suspended bool           // suspended users are judged as well
	row       map[string]any // reused
}

type rule struct {
	name string
	when *expression.Predicate
}

// newJudge compiles the rules of a call.
func newJudge(inputs map[string]any) (*judge, error) {
	suspended, _ := inputs["include_suspended"].(bool)
	j := &judge{suspended: suspended, row: make(map[string]any)}
	list, _ := inputs["rules"].([]any)
	if len(list) == 0 {
		return nil, engine.Fail(engine.ClassInvalid, "no_rules", "user.find_suspicious needs at least one rule")
	}
	names := make(set, len(list))
	for i, item := range list {
		fields, _ := item.(map[string]any)
		name, _ := fields["name"].(string)
		if _, twice := names[name]; twice || name == "" {
			return nil, engine.Fail(engine.ClassInvalid, "rule_name", "rule %d needs a name of its own, not %q", i+1, name)
		}
		names.add(name)
		source, _ := fields["when"].(engine.Predicate)
		when, err := expression.CompilePredicate(source, SummaryType())
		if err != nil {
			return nil, fmt.Errorf("compiling rule %q: %w", name, err)
		}
		j.rules = append(j.rules, rule{name: name, when: when})
	}
	return j, nil
}

// all judges people and gives those that matched a rule.
func (j *judge) all(people []person) ([]any, error) {
	suspects := []any{}
	for _, p := range people {
		if p.user.State == Suspended && !j.suspended {
			continue
		}
		attempts := p.attempts()
		if len(attempts) == 0 {
			continue
		}
		suspect, err := j.one(p.user, attempts)
		if err != nil {
			return nil, fmt.Errorf("judging user %s: %w", p.user.ID, err)
		}
		if suspect != nil {
			suspects = append(suspects, suspect)
		}
	}
	return suspects, nil
}

// one gives the user with reasons and evidence, nil where no rule matched.
func (j *judge) one(u User, attempts []attempt) (map[string]any, error) {
	setUser(j.row, u)
	facts := make(map[string]any, len(summaryFields()))
	summarize(facts, attempts)
	maps.Copy(j.row, facts)
	reasons := []any{}
	for _, r := range j.rules {
		matches, err := r.when.Match(j.row)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.name, err)
		}
		if matches {
			reasons = append(reasons, r.name)
		}
	}
	if len(reasons) == 0 {
		return nil, nil
	}
	suspect := userValue(u)
	suspect["reasons"] = reasons
	suspect["evidence"] = evidence(facts)
	return suspect, nil
}

// evidence is the facts, short enough to read.
func evidence(facts map[string]any) map[string]any {
	if ips, _ := facts["ips"].([]any); len(ips) > maxAddresses {
		facts["ips"] = ips[:maxAddresses:maxAddresses]
	}
	return facts
}
