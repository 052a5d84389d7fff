// Package storetest says what an engine.Store must do, as a suite that every
// implementation runs. A backend's own test is three lines:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) engine.Store { return memory.New() })
//	}
package storetest

import (
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Open makes an empty store for one test. The suite closes it.
type Open func(t *testing.T) engine.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			c.run(t, s)
		})
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, s engine.Store)
}

func cases() []testCase {
	return []testCase{
		{"records come back as they were written", recordsComeBack},
		{"optional fields stay absent", optionalFieldsStayAbsent},
		{"empty data is not absent data", emptyData},
		{"the store keeps copies", keepsCopies},
		{"times are UTC to the microsecond", times},
		{"text of any kind comes back", anyText},
		{"what is missing is ErrNotFound", missing},
		{"records of a run that does not exist are refused", orphans},

		{"an empty batch is fine", emptyBatch},
		{"records that make no sense are refused", nonsense},
		{"a batch is all or nothing", allOrNothing},
		{"an existing event is ErrConflict", eventConflict},
		{"a trimmed event is ErrConflict", trimmedConflict},
		{"a gap in the journal is refused", eventGap},
		{"within a batch runs come before what refers to them", batchOrder},

		{"runs, steps and items are replaced", upserts},
		{"an equal value is stored once", valuesOnce},
		{"an equal bundle is stored once", bundlesOnce},
		{"a snapshot trims the journal", snapshotTrims},
		{"a snapshot concerns its own run only", snapshotOfOneRun},
		{"an older snapshot is ErrConflict", olderSnapshot},

		{"runs are listed newest first", runsNewestFirst},
		{"runs are listed in pages", runsInPages},
		{"runs are selected by status and playbook", runsSelected},
		{"a hundred runs are a page", runsDefaultPage},
		{"events follow their sequence", eventsInOrder},
		{"steps are listed as they first started", stepsInOrder},
		{"steps are selected by prefix and effect", stepsSelected},
		{"steps are listed in pages", stepsInPages},
		{"items are listed by index, in pages", itemsInOrder},

		{"plans come back as they were written", plansComeBack},
		{"plans are replaced", plansReplaced},
		{"plans are listed newest first, in pages", plansListed},
		{"answers belong to a run or a plan", answersOfOwners},
		{"answers are listed by path and arguments", answersInOrder},
		{"an answer is replaced by one to the same question", answersReplaced},
		{"ten thousand answers are kept", manyAnswers},
		{"approvals come back as they were written", approvalsComeBack},
		{"approvals are replaced", approvalsReplaced},
		{"approvals are selected by run and status", approvalsSelected},
		{"approvals are listed newest first, in pages", approvalsInPages},
		{"the newest freeze holds until it is ended", freezes},
		{"freezes come back as they were written", freezesComeBack},
		{"the undoes of a run are listed newest first", undoes},
		{"a budget counts what may have been changed", spentOutcomes},
		{"a budget counts each target once", spentTargets},
		{"a budget counts since a time", spentSince},
		{"a budget is of one connection", spentConnections},
		{"a budget does not count what was carried over", spentCarriedOver},
		{"a budget follows the record of a change", spentReplaced},

		{"the audit trail comes back as it was written", auditComesBack},
		{"the audit trail is selected by place and time", auditSelected},
		{"an audit entry is there exactly where its batch is", auditWithItsBatch},
		{"audit entries of concurrent commits are one chain", auditConcurrently},
		{"the audit trail is verified", auditVerified},

		{"runs go by age", prunesByAge},
		{"runs go by count", prunesByCount},
		{"deliveries go by age", prunesDeliveries},
		{"runs go by size", prunesBySize},
		{"nothing goes without a limit, or in a dry run", prunesNothing},
		{"with a run goes everything of it", prunesWhatIsOfARun},
		{"what is needed never goes", prunesNeverWhatIsNeeded},
		{"a run that was kept by one that goes goes too", prunesChains},
		{"plans go that nobody applied in time", prunesPlans},
		{"values and bundles go that nobody refers to", prunesValues},
		{"runs go on while others go", prunesWhileRunsGoOn},

		{"grants come back as they were written", grantsComeBack},
		{"grants are replaced", grantsReplaced},
		{"grants are selected by run, state and target", grantsSelected},
		{"grants are due by their next try, until they are final", grantsDue},
		{"grants are listed by when they end, in pages", grantsInPages},
		{"holds hold until they are released", holds},
		{"holds come back as they were written", holdsComeBack},
		{"a signal waits until it is taken", signals},
		{"the same signal twice is one", signalsOnce},
		{"another signal of the same id is ErrConflict", signalsConflict},
		{"schedules are listed by id and replaced", schedules},
		{"a delivery is taken once", deliveries},
		{"throttles are listed by connection and replaced", throttles},
		{"the last use of a connection is its newest call", lastUses},
		{"a reader's position moves on, and never back", positions},
		{"of many that move a position one does", positionsRace},
		{"a run is found by its key", runsByKey},
		{"a key of another run is ErrDuplicate", keysDuplicate},
		{"of many with one key one wins", keysRace},
		{"runs are due that are queued or wake", runsDue},
		{"runs are due that have not heard a signal", dueBySignal},
		{"playbooks and groups take turns in being due", dueFairly},
		{"the runs that waited longest are due first", dueInOrder},
		{"a run, its grant and its signal are written together", togetherWithARun},

		{"a commit is seen once it returned", readsAfterCommit},
		{"concurrent commits all arrive", concurrentCommits},
		{"a failing batch takes no other with it", failingAmongOthers},
		{"of two engines one loses", twoEngines},
		{"a cancelled commit writes nothing", cancelledCommit},
		{"a commit cancelled under way does not lie", cancelledUnderWay},
		{"a cancelled read says so", cancelledRead},
		{"closing waits, then everything is ErrClosed", closing},
	}
}
