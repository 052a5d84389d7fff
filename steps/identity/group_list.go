package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// GroupList is the action group.list.
type GroupList struct{}

// Spec declares group.list.
func (GroupList) Spec() engine.ActionSpec {
	one := int64(1)
	return engine.ActionSpec{
		Name:    "group.list",
		Summary: "List the groups of a directory.",
		Doc: `Reads the groups page by page and keeps those that match. It reads every page or fails: half a list is never taken for a whole one.

The members are not read; ` + "`group.get`" + ` reads those of one group. A list of groups is no population: percentages of the guard are of people.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityGroups},
		Inputs: []engine.Field{
			{
				Name: "where", Type: engine.Maybe(engine.PredicateOver(GroupType())),
				Doc: "Only groups for which this is true. The fields of a group are bare names.", Example: `name startsWith "temp-"`,
			},
			{
				Name: "limit", Type: engine.Maybe(engine.TypeInteger()), Minimum: &one,
				Doc: "Stop after this many matches. Which ones they are is up to the service's order.", Example: "100",
			},
		},
		Outputs: []engine.Field{
			{Name: "groups", Type: engine.ListOf(GroupType()), Doc: "The groups that match, in the service's order."},
		},
		Examples: []engine.Example{{
			Title: "The groups whose name begins with a word",
			YAML: `- id: temporary
  uses: group.list
  with:
    where: name startsWith "temp-"
`,
		}},
	}
}

// Observe lists the groups.
func (GroupList) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	groups, _, err := engine.Offered[Groups](call, CapabilityGroups)
	if err != nil {
		return engine.Observation{}, err
	}
	keep, err := newFilter(call.Inputs["where"], GroupType(), setGroup)
	if err != nil {
		return engine.Observation{}, err
	}
	limit, _ := call.Inputs["limit"].(int64)
	found := []any{}
	for g, err := range groups.Groups(ctx) {
		if err != nil {
			return engine.Observation{}, fmt.Errorf("listing groups: %w", err)
		}
		matches, err := keep.match(g)
		if err != nil {
			return engine.Observation{}, fmt.Errorf("group %s: %w", g.ID, err)
		}
		if matches {
			found = append(found, groupValue(g))
		}
		if matches && int64(len(found)) == limit {
			break
		}
	}
	return engine.Observation{Outputs: map[string]any{"groups": found}}, nil
}
