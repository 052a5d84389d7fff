package sqlite

import (
	"fmt"
	"strings"
	"testing"
)

// TestIndexes: what is asked before every change, and what is asked of a
// history of years, is found in an index and sorted by it.
func TestIndexes(t *testing.T) {
	indexed(t, map[string]string{
		spentQuery:  "SEARCH step USING COVERING INDEX step_changed (connection=? AND started_at>?)",
		undoesQuery: "SEARCH run USING INDEX run_undoes (undo_of=?)",
		frozenQuery: "SCAN freeze USING INDEX freeze_holding",
		approvalColumns + " WHERE run = ? AND status IN (?)" + newestFirst: "SEARCH approval USING INDEX approval_by_run (run=?)",
		approvalColumns + " WHERE status IN (?)" + newestFirst:             "SEARCH approval USING INDEX approval_by_status (status=?)",
		planColumns + newestFirst:                                          "SCAN plan USING INDEX plan_newest",
		answersQuery:                                                       "SEARCH answer USING PRIMARY KEY (owner=?)",
	})
}

// indexed makes sure that each query is planned as it is wanted, and nothing is
// sorted.
func indexed(t *testing.T, queries map[string]string) {
	t.Helper()
	c := raw(t, closed(t))
	defer c.Close()
	for query, want := range queries {
		args := make([]any, strings.Count(query, "?"))
		rows, err := c.rows("EXPLAIN QUERY PLAN "+query, args...)
		check(t, err)
		plan := ""
		for _, row := range rows {
			plan += fmt.Sprintln(text(row[3]))
		}
		if !strings.Contains(plan, want) || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("%s:\ngot  %s\nwant %s", query, plan, want)
		}
	}
}
