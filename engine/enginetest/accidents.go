package enginetest

import (
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// testAccidents is about what has gone wrong elsewhere, each by its name.
func testAccidents(t *testing.T, r Runtime) {
	play(t, r, "a filter that selects everybody changes nobody", func(s *scene) {
		for _, id := range []string{"e", "f", "g", "h", "i", "j", "k"} {
			s.world.join(id)
		}
		record := s.run(strings.Replace(findAndLock, `filter(.state == "open")`, `filter(true)`, 1), nil)
		s.want(record, engine.RunBlocked)
		s.wantFailure(record, engine.ClassRefused, engine.CodeMaxChanges, "")
		if !strings.Contains(record.Error.Message, "1 too many") || !strings.Contains(record.Error.Message, `"Account a" (a)`) {
			s.Errorf("it does not say by how much, and who would have been hit: %s", record.Error.Message)
		}
		s.wantWorld()
	})
	play(t, r, "a read that fails is not taken for nothing found", func(s *scene) {
		playbook := strings.Replace(sweepAndTell, "  - id: last\n    uses: world.lock\n    with: { id: d }\n", "", 1)
		s.world.Script("list", Fault{Err: broken()}, Fault{Err: broken()})
		record := s.run(playbook, nil)
		s.want(record, engine.RunFailed)
		s.wantFailure(record, engine.ClassPermanent, "broken", "all")
		s.wantWorld()
	})
	play(t, r, "a read that fails when people are asked approves nothing", func(s *scene) {
		record := s.run(asksFirst, nil)
		s.world.Script("list", Fault{Err: broken()})
		_, err := s.says(record.ID, "bob", true)
		s.refused(err, r.Refusals.Renewed)
		s.world.Script("list", Fault{Err: broken()})
		s.wantPending(s.set(s.asked(record.ID).Set))
		s.approve(record.ID, "bob")
		record = s.drive(s.process(&Life{}), record.ID)
		if record.Status == engine.RunSucceeded {
			s.Error("the run claims to have succeeded")
		}
		s.wantWorld()
	})
	play(t, r, "a percentage of an empty population is none", func(s *scene) {
		s.world.counted = new(int64)
		record := s.run(strings.Replace(lockCounted, "%GUARD%", "", 1), nil)
		s.want(record, engine.RunBlocked)
		s.wantFailure(record, engine.ClassRefused, engine.CodeMaxPercent, "")
		s.wantWorld()
	})
	play(t, r, "a message is sent once, however often its run is retried", func(s *scene) {
		fault := Fault{Err: broken()}
		s.world.Script("lock b", fault, fault, fault)
		record := s.run(sweepAndTell, nil)
		for range 3 {
			s.want(record, engine.RunPartial)
			record = s.retry(record.ID)
		}
		s.want(record, engine.RunSucceeded)
		s.wantWorld("tell begun", "lock a", "lock c", "lock d", "tell done: 3", "lock b")
	})
}
