package identity

import (
	"context"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// GroupAddMember is the action group.add_member.
type GroupAddMember struct{}

// Spec declares group.add_member.
func (GroupAddMember) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "group.add_member",
		Summary: "Put an account into a group.",
		Doc: `Gives an account what the members of a group may do. An account that is in the group already is left alone: the step ends ` + "`unchanged`" + ` and ` + "`changed`" + ` is false.

Giving access is undone by itself: with ` + "`for:`" + ` the account is taken out again at the time given, whatever became of the run. What it got through the group meanwhile and keeps elsewhere, no engine takes back.

The change is protected by the account's id and e-mail address and by the group's id: an entry under ` + "`protect:`" + ` that fits one of them refuses it.`,
		Effect:  engine.Change,
		Needs:   []engine.Capability{CapabilityGroups},
		Inputs:  membershipInputs(),
		Outputs: membershipOutputs("in it"),
		Inverse: "group.remove_member",
		Access:  engine.Gives,
		Examples: []engine.Example{{
			Title: "Access for four hours",
			YAML: `- id: oncall
  uses: group.get
  with: { name: Production access }
- uses: group.add_member
  with: { group: "${{ steps.oncall.group.id }}", user: ABCDEFGHIJKLMNOPQRSTUVWXYZ }
  for: 4h
`,
		}},
	}
}

// Read observes whether the account is in the group.
func (GroupAddMember) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	return readMembership(ctx, call)
}

// Preview says that the account would be in the group.
func (GroupAddMember) Preview(call engine.Call, before engine.Subject) (engine.Preview, error) {
	return previewMembership(call, before, true, "group.remove_member")
}

// Perform puts the account into the group.
func (GroupAddMember) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	if err := performMembership(ctx, call, Groups.AddMember); err != nil {
		return nil, fmt.Errorf("adding member %s: %w", before.Target.ID, err)
	}
	return membershipChanged(before, true), nil
}

// GroupRemoveMember is the action group.remove_member, the inverse of
// group.add_member.
type GroupRemoveMember struct{}

// Spec declares group.remove_member.
func (GroupRemoveMember) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "group.remove_member",
		Summary: "Take an account out of a group.",
		Doc: `Takes away what an account may do as a member of a group. An account that is not in the group is left alone: the step ends ` + "`unchanged`" + ` and ` + "`changed`" + ` is false. Where it is in a group that is in this one, it stays so.

Taking access away is not undone by itself: with ` + "`for:`" + ` the engine asks at the time given, and no answer leaves the account out of the group. A directory that is filled by another system may have it back at the next synchronisation.`,
		Effect:  engine.Change,
		Needs:   []engine.Capability{CapabilityGroups},
		Inputs:  membershipInputs(),
		Outputs: membershipOutputs("not in it"),
		Inverse: "group.add_member",
		Access:  engine.Takes,
		Examples: []engine.Example{{
			Title: "Take somebody out of the administrators",
			YAML: `- id: admins
  uses: group.get
  with: { name: Administrators }
- uses: group.remove_member
  with: { group: "${{ steps.admins.group.id }}", user: ABCDEFGHIJKLMNOPQRSTUVWXYZ }
`,
		}},
	}
}

// Read observes whether the account is in the group.
func (GroupRemoveMember) Read(ctx context.Context, call engine.Call) (engine.Subject, error) {
	return readMembership(ctx, call)
}

// Preview says that the account would not be in the group.
func (GroupRemoveMember) Preview(call engine.Call, before engine.Subject) (engine.Preview, error) {
	return previewMembership(call, before, false, "group.add_member")
}

// Perform takes the account out of the group.
func (GroupRemoveMember) Perform(ctx context.Context, call engine.Call, before engine.Subject) (map[string]any, error) {
	if err := performMembership(ctx, call, Groups.RemoveMember); err != nil {
		return nil, fmt.Errorf("removing member %s: %w", before.Target.ID, err)
	}
	return membershipChanged(before, true), nil
}
