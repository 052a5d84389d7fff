package screen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

func TestApproval(t *testing.T) {
	until := began.Add(time.Hour)
	a := screen.Approval{
		Approval: engine.Approval{
			ID: "apr_01", Run: "run_01", Path: "review", Kind: engine.ApprovalStep, Title: "Suspend\x1b[2J 1 account?", By: []string{"group:oncall"}, Needs: 2,
			Status: engine.ApprovalPending, Round: 2, Digest: "0123456789abcdef", CreatedAt: began, ExpiresAt: &until,
			Votes: []engine.Vote{
				{Person: "bob", User: "rob", Approve: true, Round: 1, At: began, Reason: "fine\nby me"},
				{Person: "carol", User: "carol", Approve: true, Round: 2, At: began, Except: []string{"contain[U9]"}, Proven: true},
			},
		},
		Run: engine.RunRecord{ID: "run_01", Playbook: "contain", Starters: []string{"alice", "dave"}},
		Set: engine.ChangeSet{Changes: []engine.PlannedChange{planned("U1", "Mara", "", nil)}, Complete: true},
		Now: began.Add(2 * time.Hour),
	}
	want := `apr_01  contain  pending
Suspend 1 account?
asked 2026-01-31T03:00:00Z (2h ago) by run_01 at review: the playbook asks for it
may decide: group:oncall: 2 different people; never who started it (alice, dave) or is changed by it
until 2026-01-31T04:00:00Z  the time is up: a decision would not count
asked anew (round 2): what would be done had changed, and earlier votes are void
hash 0123456789ab

Changes: 1 to make
  TARGET     ACTION        CONNECTION  BEFORE → AFTER
  Mara (U1)  user.suspend  1password   state: active → suspended
    contain[U1]

Complete: nothing else would be changed

Votes: 1 of 2
  approved bob (rob)  2026-01-31T03:00:00Z  reason: fine by me  unproven  void: of an earlier round
  approved carol  2026-01-31T03:00:00Z  except contain[U9]
`
	var got strings.Builder
	screen.WriteApproval(&got, a, screen.Palette{})
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoMayDecide(t *testing.T) {
	for want, got := range map[string]string{
		"anybody under `people:` in the configuration: one person": screen.Deciders(nil, 1),
		"alice, group:oncall: 2 different people":                  screen.Deciders([]string{"alice", "group:\x1b[1moncall"}, 2),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
