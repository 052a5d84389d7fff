package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// firstVersion makes a database as the first version did, with what a script
// writes to it.
func firstVersion(t *testing.T, script string) string {
	t.Helper()
	path := newPath(t)
	known, err := Options{}.known()
	check(t, err)
	check(t, makePrivate(path))
	c, err := openConn(writerDSN(path), writerSettings())
	check(t, err)
	check(t, migrate(c, path, 0, known[:1], time.Unix(0, 0)))
	check(t, c.exec(script))
	check(t, c.Close())
	return path
}

const oldRuns = `
	INSERT INTO bundle (hash, name, data) VALUES ('b', 'test', x'00');
	INSERT INTO run (id, playbook, hash, status, actor, via, inputs, attempt, max_changes, semantics, created_at)
		VALUES ('run_1', 'test', 'b', 'interrupted', 'alice', 'cli', CAST('{"n":1}' AS BLOB), 1, 3, 1, 1000000),
		       ('run_2', 'test', 'b', 'succeeded', 'bob', 'cli', NULL, 1, NULL, 1, 2000000);
	INSERT INTO snapshot (run, seq, semantics, data) VALUES (1, 1, 1, x'01');
	INSERT INTO event (run, seq, at, kind, data) VALUES (1, 2, 1000000, 'step_done', CAST('{}' AS BLOB));`

// TestFirstVersion: the runs of a database of the first version are found, and
// go on, after the migration.
func TestFirstVersion(t *testing.T) {
	path := firstVersion(t, oldRuns)
	if _, err := Open(path, Options{Mode: ReadOnly}); !errors.Is(err, ErrOlder) {
		t.Errorf("reading: got the error %v, want %v", err, ErrOlder)
	}
	s := open(t, path, Options{Mode: Engine})
	runs, err := s.Runs(t.Context(), engine.RunQuery{})
	check(t, err)
	if len(runs) != 2 || runs[0].ID != "run_2" || runs[1].ID != "run_1" {
		t.Fatalf("got the runs %v", runs)
	}
	r := runs[1]
	if string(r.Inputs) != `{"n":1}` || r.Status != engine.RunInterrupted || r.Starters != nil || r.ChangeSet != "" || r.Strict || r.UndoOf != "" || r.Key != "" {
		t.Errorf("got the run %+v", r)
	}
	r.Starters, r.Status = []string{"alice"}, engine.RunRunning
	commit(t, s, engine.Batch{Runs: []engine.RunRecord{r}})
	commit(t, s, numbered("run_1", 3))
	if got := journalLength(t, s, "run_1"); got != 2 {
		t.Errorf("%d events", got)
	}
	intact(t, s)
	if found, err := filepath.Glob(path + ".v1-*.bak"); err != nil || len(found) != 1 {
		t.Errorf("copies: %v, %v", found, err)
	}
}

// TestBudgetOfTheFirstVersion: the changes that a budget counts are the same
// whether they were recorded before the migration or after it.
func TestBudgetOfTheFirstVersion(t *testing.T) {
	records := everyEnd()
	script, want := oldRuns, int64(0)
	for i, r := range records {
		script += oldStep(t, i, r)
		if r.MayHaveChanged() {
			want++
		}
	}
	s := open(t, firstVersion(t, script), Options{Mode: Engine})
	spends(t, s, want)
	commit(t, s, engine.Batch{Steps: records}) // the same again, written by this version
	spends(t, s, want)
	if want == 0 || want == int64(len(records)) {
		t.Errorf("%d of %d records count: the test proves nothing", want, len(records))
	}
}

func spends(t *testing.T, s *Store, want int64) {
	t.Helper()
	if got, err := s.Spent(context.Background(), "op", time.Unix(0, 0)); err != nil || got != want {
		t.Errorf("spent: got %d, %v, want %d", got, err, want)
	}
}

// everyEnd are records of changes, each of a target of its own, in all
// combinations of status, outcome and error.
func everyEnd() []engine.StepRecord {
	var out []engine.StepRecord
	for _, effect := range []engine.Effect{engine.Change, engine.Observe} {
		for _, status := range []engine.StepStatus{engine.StepStarted, engine.StepWaiting, engine.StepFailed, engine.StepUnsettled} {
			for _, outcome := range []engine.Outcome{"", engine.OutcomeDone, engine.OutcomeUnchanged, engine.OutcomeFailed, engine.OutcomeUnsettled} {
				for _, class := range []engine.Class{"", engine.ClassTransient, engine.ClassTimeout, engine.ClassCancelled, engine.ClassUnsettled, engine.ClassPermanent} {
					r := engine.StepRecord{
						Run: "run_1", Path: fmt.Sprint(len(out)), Effect: effect, Connection: "op", Status: status, Outcome: outcome,
						Target: &engine.Target{ID: fmt.Sprint("U", len(out))}, StartedAt: time.Unix(1, 0),
					}
					if class != "" {
						r.Error = engine.Fail(class, "x", "x")
					}
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// oldStep is the statement that the first version wrote a step with.
func oldStep(t *testing.T, i int, r engine.StepRecord) string {
	t.Helper()
	failure := "NULL"
	if r.Error != nil {
		data, err := json.Marshal(r.Error)
		check(t, err)
		failure = fmt.Sprintf("x'%x'", data)
	}
	return fmt.Sprintf(`INSERT INTO step (run, path, attempt, first_at, form, action, effect, connection, status, outcome,
		target_id, target_name, arguments, error, started_at, why)
		VALUES (1, '%d', 0, 1000000, 'uses', '', '%s', 'op', '%s', '%s', 'U%d', '', '', %s, 1000000, '');`,
		i, r.Effect, r.Status, r.Outcome, i, failure)
}
