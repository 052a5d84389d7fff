package sqlite

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// TestIndexesOfTime: what a sweeper and a scheduler ask every second is found in
// an index, however many runs sleep and grants have ended.
func TestIndexesOfTime(t *testing.T) {
	grants := func(q engine.GrantQuery) string {
		where := grantClause(q)
		return grantColumns + where.String()
	}
	live := []engine.GrantState{engine.GrantArmed, engine.GrantActive}
	indexed(t, map[string]string{
		grants(engine.GrantQuery{DueBy: time.Unix(1, 0), States: live}):         "SEARCH grant USING INDEX grant_due (next_try<?)",
		grants(engine.GrantQuery{Run: "run_1"}) + firstEnding:                   "SEARCH grant USING INDEX grant_by_run (run=?)",
		grants(engine.GrantQuery{Connection: "op", Target: "U1"}) + firstEnding: "SEARCH grant USING INDEX grant_by_target (connection=? AND target_id=?)",
		grants(engine.GrantQuery{Connection: "op", Target: "U1", States: live}): "SEARCH grant USING INDEX grant_by_target (connection=? AND target_id=?)",
		grants(engine.GrantQuery{States: live}):                                 "SEARCH grant USING INDEX grant_by_state (state=?)",
		grants(engine.GrantQuery{}) + firstEnding + " LIMIT ?":                  "SCAN grant USING INDEX grant_ends",
		holdColumns + " WHERE released_at IS NULL" + newestHold:                 "SCAN hold USING INDEX hold_holding",
		signalsQuery:   "SEARCH signal USING INDEX signal_unheard (run=?)",
		runByKeyQuery:  "SEARCH run USING INDEX run_by_key (key=?)",
		queuedQuery:    "SCAN run USING COVERING INDEX run_queued",
		wakingQuery:    "SEARCH run USING INDEX run_wakes (wake_at<?)",
		signalledQuery: "SCAN s USING COVERING INDEX signal_unheard",
	})
}

// TestLiveGrantsAmongEnded: a list of live grants does not read those that ended
// before, of which there are more each day.
func TestLiveGrantsAmongEnded(t *testing.T) {
	c := raw(t, closed(t))
	defer c.Close()
	where := grantClause(engine.GrantQuery{States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}})
	rows, err := c.rows("EXPLAIN QUERY PLAN "+grantColumns+where.String()+firstEnding+" LIMIT ?", "", "", "", int64(1))
	check(t, err)
	if len(rows) == 0 || text(rows[0][3]) != "SEARCH grant USING INDEX grant_by_state (state=?)" {
		t.Errorf("got the plan %v", text(rows[0][3]))
	}
}

// TestGrantOutlivesItsRun: a grant can be ended when its run is no longer there.
func TestGrantOutlivesItsRun(t *testing.T) {
	path := closed(t)
	s := open(t, path, Options{Mode: Engine})
	g := engine.Grant{ID: "gnt_1", Run: "run_1", Access: engine.Gives, State: engine.GrantActive}
	commit(t, s, engine.Batch{
		Grants: []engine.Grant{g}, Signals: []engine.Signal{{Run: "run_1", ID: "go", Name: "go"}},
		Deliveries: []engine.Delivery{{Hook: "alert", ID: "d1", Run: "run_1"}},
	})
	meddle(t, path, "PRAGMA foreign_keys = 1; DELETE FROM run WHERE id = 'run_1'")
	g.State, g.EndedBy = engine.GrantEnded, "bob"
	commit(t, s, engine.Batch{Grants: []engine.Grant{g}})
	got, err := s.Grants(t.Context(), engine.GrantQuery{Run: "run_1"})
	if err != nil || len(got) != 1 || got[0].EndedBy != "bob" {
		t.Errorf("got %v, %v", got, err)
	}
	intact(t, s)
}
