package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// GroupGet is the action group.get.
type GroupGet struct{}

// Spec declares group.get.
func (GroupGet) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "group.get",
		Summary: "Look up one group, and who is in it, by id or by name.",
		Doc: `Finds exactly one group and reads all its members, or fails. A group that does not exist is an error of class ` + "`not_found`" + `, which ` + "`try`" + ` can catch.

The members are the accounts that are in the group itself: those of groups in it are not among them. By ` + "`name`" + ` all groups are read to find it, and the name must be written as the service has it; a name that several groups have is an error that names them.`,
		Effect: engine.Observe,
		Needs:  []engine.Capability{CapabilityGroups},
		Inputs: []engine.Field{
			{Name: "id", Type: engine.Maybe(engine.TypeString()), Doc: "The group's id.", Example: `"${{ group.id }}"`},
			{Name: "name", Type: engine.Maybe(engine.TypeString()), Doc: "The group's whole name, in the same upper and lower case.", Example: "Production access"},
		},
		ExactlyOne: [][]string{{"id", "name"}},
		Outputs: []engine.Field{
			{Name: "group", Type: GroupType(), Doc: "The group."},
			{Name: "members", Type: engine.ListOf(MemberType()), Doc: "The accounts that are in it, in the service's order."},
		},
		Examples: []engine.Example{{
			Title: "Take everybody out of a group",
			YAML: `- id: visitors
  uses: group.get
  with: { name: Visitors }
- id: leave
  foreach: steps.visitors.members
  as: member
  key: member.id
  uses: group.remove_member
  with: { group: "${{ steps.visitors.group.id }}", user: "${{ member.id }}" }
`,
		}},
	}
}

// Observe looks the group up and reads its members.
func (GroupGet) Observe(ctx context.Context, call engine.Call) (engine.Observation, error) {
	groups, _, err := engine.Offered[Groups](call, CapabilityGroups)
	if err != nil {
		return engine.Observation{}, err
	}
	group, err := selectGroup(ctx, groups, call.Inputs)
	if err != nil {
		return engine.Observation{}, err
	}
	members := []any{}
	for m, err := range groups.Members(ctx, group.ID) {
		if err != nil {
			return engine.Observation{}, fmt.Errorf("reading the members of group %s: %w", group.ID, err)
		}
		members = append(members, memberValue(m))
	}
	return engine.Observation{Outputs: map[string]any{"group": groupValue(group), "members": members}}, nil
}

// selectGroup finds the group a call names by id or by name.
func selectGroup(ctx context.Context, groups Groups, inputs map[string]any) (Group, error) {
	if id, _ := inputs["id"].(string); id != "" {
		group, err := groups.Group(ctx, id)
		if err != nil {
			return Group{}, fmt.Errorf("looking up group %s: %w", id, err)
		}
		return group, nil
	}
	name, _ := inputs["name"].(string)
	if name == "" {
		return Group{}, engine.Fail(engine.ClassInvalid, "no_group", "neither the id nor the name of a group was given")
	}
	var found []Group
	var ids []string
	for g, err := range groups.Groups(ctx) {
		if err != nil {
			return Group{}, fmt.Errorf("looking for %q among the groups: %w", name, err)
		}
		if g.Name == name {
			found, ids = append(found, g), append(ids, g.ID)
		}
	}
	switch len(found) {
	case 0:
		return Group{}, engine.Fail(engine.ClassNotFound, "group_not_found", "no group has the name %q", name)
	case 1:
		return found[0], nil
	default:
		return Group{}, engine.Fail(engine.ClassInvalid, "ambiguous", "%d groups have the name %q: %s; name one by its id",
			len(found), name, strings.Join(ids, ", "))
	}
}
