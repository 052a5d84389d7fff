package identitytest

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
)

// Faults that only services with counts or with members in one answer have.
const (
	PageMiscounts   Fault = "the second page counts one record more than there are"
	MembersRepeated Fault = "a group lists one of its members twice"
)

// GroupsWorld is a directory of groups whose content is known. A listing must
// take at least three pages.
type GroupsWorld struct {
	Groups  identity.Groups
	All     []identity.Group
	Members map[string][]string // ids of the members that are accounts, by group
	Group   string              // the id of a group with members, to which others can be added
	Member  string              // the id of an account that is in it and may be taken out
	Other   string              // the id of an account that is not
	// Canaries and Break are as DirectoryWorld's.
	Canaries []string
	Break    func(Fault) bool
}

// TestGroups runs the suite; open makes a fresh world for each test.
func TestGroups(t *testing.T, open func(*testing.T) GroupsWorld) {
	for name, test := range map[string]func(GroupsWorld, *testing.T){
		"lists every group":                        GroupsWorld.listsAll,
		"a listing of groups can be left":          GroupsWorld.canBeLeft,
		"a listing of groups is complete or fails": GroupsWorld.isComplete,
		"a broken page is asked for again":         GroupsWorld.asksAgain,
		"finds one group by id":                    GroupsWorld.findsOne,
		"lists the members of every group":         GroupsWorld.listsMembers,
		"members are complete or fail":             GroupsWorld.membersAreComplete,
		"says who is a member":                     GroupsWorld.knowsMembers,
		"ids of groups are not paths":              GroupsWorld.idsAreNotPaths,
		"adds and removes":                         GroupsWorld.addsAndRemoves,
		"leaves the other members alone":           GroupsWorld.leavesOthers,
		"adding nobody is an error":                GroupsWorld.knowsNobody,
		"a lost reply is not a lost change":        GroupsWorld.survivesLostReply,
		"a change nobody confirms is unsettled":    GroupsWorld.admitsNotKnowing,
		"refused credentials are an auth failure":  GroupsWorld.isRefused,
		"cancelling ends it":                       GroupsWorld.endsWhenCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(open(t), t) })
	}
}

func (w GroupsWorld) breaks(t *testing.T, f Fault) {
	t.Helper()
	if w.Break == nil || !w.Break(f) {
		t.Skipf("the service cannot be made to fail so: %s", f)
	}
}

func (w GroupsWorld) check(t *testing.T, err error, want ...engine.Class) {
	t.Helper()
	checkError(t, err, w.Canaries, want...)
}

// drain reads a stream to its end or its error.
func drain[T any](all iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for thing, err := range all {
		if err != nil {
			return out, err
		}
		out = append(out, thing)
	}
	return out, nil
}

// members are the sorted ids of a group's members.
func (w GroupsWorld) members(t *testing.T, group string) []string {
	t.Helper()
	list, err := drain(w.Groups.Members(t.Context(), group))
	if err != nil {
		t.Fatalf("the members of %s: %v", group, err)
	}
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}

func byID(a, b identity.Group) int { return strings.Compare(a.ID, b.ID) }

func (w GroupsWorld) listsAll(t *testing.T) {
	got, err := drain(w.Groups.Groups(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.SortedFunc(slices.Values(w.All), byID), slices.SortedFunc(slices.Values(got), byID)); diff != "" {
		t.Errorf("the listing differs (-want +got):\n%.2000s", diff)
	}
}

func (w GroupsWorld) canBeLeft(t *testing.T) {
	for range 3 {
		for _, err := range w.Groups.Groups(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		for _, err := range w.Groups.Members(t.Context(), w.Group) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func (w GroupsWorld) isComplete(t *testing.T) {
	for _, fault := range []Fault{PageFails, PageRepeats, PageDuplicates, PageMiscounts} {
		t.Run(string(fault), func(t *testing.T) {
			w.breaks(t, fault)
			got, err := drain(w.Groups.Groups(t.Context()))
			if err == nil {
				t.Fatalf("it ended after %d of %d groups as if it were complete", len(got), len(w.All))
			}
			w.check(t, err, engine.ClassTransient, engine.ClassPermanent)
			slices.SortFunc(got, byID)
			if once := slices.CompactFunc(slices.Clone(got), func(a, b identity.Group) bool { return a.ID == b.ID }); len(once) != len(got) {
				t.Errorf("a group was handed out twice: %v", got)
			}
		})
	}
}

func (w GroupsWorld) asksAgain(t *testing.T) {
	w.breaks(t, PageCut)
	w.listsAll(t)
}

func (w GroupsWorld) findsOne(t *testing.T) {
	for _, want := range []identity.Group{w.All[0], w.All[len(w.All)-1]} {
		got, err := w.Groups.Group(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("found another group (-want +got):\n%s", diff)
		}
	}
	unknown := strings.Repeat("z", len(w.Group))
	_, err := w.Groups.Group(t.Context(), unknown)
	w.check(t, err, engine.ClassNotFound)
	_, err = drain(w.Groups.Members(t.Context(), unknown))
	w.check(t, err, engine.ClassNotFound)
	_, err = w.Groups.IsMember(t.Context(), unknown, w.Member)
	w.check(t, err, engine.ClassNotFound)
	w.check(t, w.Groups.AddMember(t.Context(), unknown, w.Member), engine.ClassNotFound)
}

func (w GroupsWorld) listsMembers(t *testing.T) {
	empty := 0
	for _, group := range w.All {
		want := slices.Sorted(slices.Values(w.Members[group.ID]))
		if got := w.members(t, group.ID); !slices.Equal(want, got) {
			t.Errorf("the members of %s differ (-want +got):\n%.2000s", group.ID, cmp.Diff(want, got))
		}
		if len(want) == 0 {
			empty++
		}
	}
	if empty == 0 || empty == len(w.All) {
		t.Errorf("of %d groups %d are empty; some should be, and not all", len(w.All), empty)
	}
}

func (w GroupsWorld) membersAreComplete(t *testing.T) {
	w.breaks(t, MembersRepeated)
	_, err := drain(w.Groups.Members(t.Context(), w.Group))
	w.check(t, err, engine.ClassTransient, engine.ClassPermanent)
	_, err = w.Groups.IsMember(t.Context(), w.Group, w.Other)
	w.check(t, err, engine.ClassTransient, engine.ClassPermanent)
}

// is reads whether an account is in the group.
func (w GroupsWorld) is(t *testing.T, user string, want bool) {
	t.Helper()
	got, err := w.Groups.IsMember(t.Context(), w.Group, user)
	if err != nil || got != want {
		t.Errorf("%s in %s: %v (%v), want %v", user, w.Group, got, err, want)
	}
	if listed := slices.Contains(w.members(t, w.Group), user); listed != want {
		t.Errorf("%s among the members of %s: %v, want %v", user, w.Group, listed, want)
	}
}

func (w GroupsWorld) knowsMembers(t *testing.T) {
	w.is(t, w.Member, true)
	w.is(t, w.Other, false)
}

func (w GroupsWorld) idsAreNotPaths(t *testing.T) {
	before := w.members(t, w.Group)
	for _, id := range []string{"", ".", "..", "../Groups", w.Group + "/..", w.Group + "?x=y", w.Group + "\n", `x"] or members[value pr`} {
		_, err := w.Groups.Group(t.Context(), id)
		w.check(t, err, engine.ClassInvalid, engine.ClassNotFound)
		w.check(t, w.Groups.AddMember(t.Context(), id, w.Other), engine.ClassInvalid, engine.ClassNotFound)
		if err := w.Groups.RemoveMember(t.Context(), w.Group, id); err != nil {
			w.check(t, err, engine.ClassInvalid, engine.ClassNotFound, engine.ClassPermanent)
		}
	}
	if diff := cmp.Diff(before, w.members(t, w.Group)); diff != "" {
		t.Errorf("the group has changed: %s", diff)
	}
}

func (w GroupsWorld) addsAndRemoves(t *testing.T) {
	for _, step := range []struct {
		do   func(ctx context.Context, group, user string) error
		want bool
	}{
		{w.Groups.AddMember, true},
		{w.Groups.AddMember, true},
		{w.Groups.RemoveMember, false},
		{w.Groups.RemoveMember, false},
	} {
		if err := step.do(t.Context(), w.Group, w.Other); err != nil {
			t.Error(err)
		}
		w.is(t, w.Other, step.want)
	}
}

func (w GroupsWorld) leavesOthers(t *testing.T) {
	before := w.members(t, w.Group)
	for _, do := range []func(ctx context.Context, group, user string) error{w.Groups.RemoveMember, w.Groups.AddMember} {
		if err := do(t.Context(), w.Group, w.Member); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, w.members(t, w.Group)); diff != "" {
		t.Errorf("somebody else was touched: %s", diff)
	}
}

func (w GroupsWorld) knowsNobody(t *testing.T) {
	err := w.Groups.AddMember(t.Context(), w.Group, strings.Repeat("Z", len(w.Other)))
	w.check(t, err, engine.ClassNotFound, engine.ClassPermanent, engine.ClassInvalid)
}

func (w GroupsWorld) survivesLostReply(t *testing.T) {
	for _, step := range []struct {
		do   func(ctx context.Context, group, user string) error
		want bool
	}{{w.Groups.AddMember, true}, {w.Groups.RemoveMember, false}} {
		w.breaks(t, ReplyLost)
		if err := step.do(t.Context(), w.Group, w.Other); err != nil {
			w.check(t, err, engine.ClassUnsettled)
		}
		w.is(t, w.Other, step.want)
	}
}

func (w GroupsWorld) admitsNotKnowing(t *testing.T) {
	w.breaks(t, RepliesLost)
	w.check(t, w.Groups.AddMember(t.Context(), w.Group, w.Other), engine.ClassUnsettled)
}

func (w GroupsWorld) isRefused(t *testing.T) {
	w.breaks(t, Refused)
	_, err := drain(w.Groups.Groups(t.Context()))
	w.check(t, err, engine.ClassAuth)
	_, err = w.Groups.IsMember(t.Context(), w.Group, w.Member)
	w.check(t, err, engine.ClassAuth)
	w.check(t, w.Groups.AddMember(t.Context(), w.Group, w.Other), engine.ClassAuth)
	w.check(t, w.Groups.RemoveMember(t.Context(), w.Group, w.Member), engine.ClassAuth)
}

func (w GroupsWorld) endsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	var ended error
	for _, err := range w.Groups.Groups(ctx) {
		if ended = err; err != nil {
			break
		}
		count++
		cancel()
	}
	w.check(t, ended, engine.ClassCancelled)
	if count == len(w.All) {
		t.Error("the whole listing came in spite of it")
	}
	_, err := w.Groups.IsMember(ctx, w.Group, w.Member)
	w.check(t, err, engine.ClassCancelled)
}
