package identity

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// membershipInputs are those of the actions that change who is in a group.
func membershipInputs() []engine.Field {
	return []engine.Field{
		{Name: "group", Type: engine.TypeString(), Required: true, Doc: "The group's id.", Example: `"${{ steps.admins.group.id }}"`},
		{Name: "user", Type: engine.TypeString(), Required: true, Doc: "The account's id.", Example: `"${{ steps.sam.user.id }}"`},
	}
}

// membershipOutputs are the outputs of the actions that change who is in a group.
func membershipOutputs(already string) []engine.Field {
	return []engine.Field{
		{Name: "changed", Type: engine.TypeBool(), Doc: "Whether this step did it; false where the account was " + already + " already."},
		{Name: "group", Type: GroupType(), Doc: "The group."},
		{Name: "user", Type: MemberType(), Doc: "The account."},
	}
}

// membership is what a call is about.
type membership struct{ group, user string }

func membershipOf(inputs map[string]any) (membership, error) {
	group, _ := inputs["group"].(string)
	user, _ := inputs["user"].(string)
	if group == "" || user == "" {
		return membership{}, engine.Fail(engine.ClassInvalid, "no_member", "both the id of a group and the id of a user must be given")
	}
	return membership{group, user}, nil
}

// id tells this membership from every other target: one account may be in
// several groups, and be suspended as well. "G1/*" is all of a group's.
func (m membership) id() string { return url.PathEscape(m.group) + "/" + url.PathEscape(m.user) }

// readMembership observes the target of a change of who is in a group. It is
// protected by the account's id and address, and by the group's id.
func readMembership(ctx context.Context, call engine.Call) (engine.Subject, error) {
	groups, conn, err := engine.Offered[Groups](call, CapabilityGroups)
	if err != nil {
		return engine.Subject{}, err
	}
	m, err := membershipOf(call.Inputs)
	if err != nil {
		return engine.Subject{}, err
	}
	group, err := groups.Group(ctx, m.group)
	if err != nil {
		return engine.Subject{}, fmt.Errorf("looking up group %s: %w", m.group, err)
	}
	user, in, err := readMember(ctx, groups, conn, m)
	if err != nil {
		return engine.Subject{}, err
	}
	subject := engine.Subject{
		Connection: conn,
		Target: engine.Target{
			ID:   m.id(),
			Name: cmp.Or(user.Name, user.Email, user.ID) + " in " + cmp.Or(group.Name, group.ID),
		},
		State:   map[string]any{"member": in},
		Aliases: []string{user.ID, group.ID},
		Record:  map[string]any{"group": groupValue(group), "user": memberValue(user)},
	}
	if user.Email != "" {
		subject.Aliases = append(subject.Aliases, user.Email)
	}
	return subject, nil
}

// readMember finds out who the account is and whether it is in the group. The
// directory of the connection tells who it is; where there is none, the listing
// of the group does, as far as it goes.
func readMember(ctx context.Context, groups Groups, conn *engine.Connection, m membership) (Member, bool, error) {
	dir, ok := conn.Offers[CapabilityDirectory].(Directory)
	if !ok {
		return lookAmongMembers(ctx, groups, m)
	}
	u, err := dir.User(ctx, m.user)
	if err != nil {
		return Member{}, false, fmt.Errorf("looking up user %s: %w", m.user, err)
	}
	in, err := groups.IsMember(ctx, m.group, m.user)
	if err != nil {
		return Member{}, false, fmt.Errorf("looking whether user %s is in group %s: %w", m.user, m.group, err)
	}
	return Member{ID: u.ID, Email: u.Email, Name: u.Name}, in, nil
}

func lookAmongMembers(ctx context.Context, groups Groups, m membership) (Member, bool, error) {
	for member, err := range groups.Members(ctx, m.group) {
		if err != nil {
			return Member{}, false, fmt.Errorf("reading the members of group %s: %w", m.group, err)
		}
		if member.ID == m.user {
			return member, true, nil
		}
	}
	return Member{ID: m.user}, false, nil
}

// previewMembership says what putting the account into the group, or taking it
// out, would make of the subject.
func previewMembership(call engine.Call, before engine.Subject, after bool, inverse string) (engine.Preview, error) {
	m, err := membershipOf(call.Inputs)
	if err != nil {
		return engine.Preview{}, err
	}
	changes := before.State["member"] != after
	preview := engine.Preview{
		After:   map[string]any{"member": after},
		Outputs: membershipChanged(before, changes),
	}
	if changes {
		preview.Inverse = &engine.Invocation{Action: inverse, Inputs: map[string]any{"group": m.group, "user": m.user}}
	}
	return preview, nil
}

// membershipChanged is the outputs of a step.
func membershipChanged(before engine.Subject, changed bool) map[string]any {
	return map[string]any{"changed": changed, "group": before.Record["group"], "user": before.Record["user"]}
}

// performMembership calls the service with what a call is about.
func performMembership(ctx context.Context, call engine.Call, do func(Groups, context.Context, string, string) error) error {
	groups, _, err := engine.Offered[Groups](call, CapabilityGroups)
	if err != nil {
		return err
	}
	m, err := membershipOf(call.Inputs)
	if err != nil {
		return err
	}
	return do(groups, ctx, m.group, m.user)
}
