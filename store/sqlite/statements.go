package sqlite

import (
	"database/sql/driver"
	"fmt"
)

// kind is what an operation writes.
type kind int

const (
	putBundle kind = iota
	putValue
	putRun
	addEvent
	putStep
	putItem
	putSnapshot
	trimJournal
	kinds
)

// operation is one prepared statement to run, with its arguments in the
// driver's types. The first names the run, for everything that is of one.
type operation struct {
	kind kind
	args []driver.NamedValue
}

// String names the record for errors.
func (o operation) String() string {
	arg := func(i int) driver.Value { return o.args[i].Value }
	switch o.kind {
	case putBundle:
		return fmt.Sprintf("bundle %v", arg(0))
	case putValue:
		return fmt.Sprintf("value %v", arg(0))
	case addEvent:
		return fmt.Sprintf("event %v of %v", arg(1), arg(0))
	case putStep:
		return fmt.Sprintf("step %v of %v", arg(1), arg(0))
	case putItem:
		return fmt.Sprintf("item %v of %v of %v", arg(2), arg(1), arg(0))
	case putSnapshot, trimJournal:
		return fmt.Sprintf("snapshot %v of %v", arg(1), arg(0))
	default:
		return fmt.Sprint(arg(0))
	}
}

// The number of a run that does not exist is NULL, which no table takes; so is
// that of an event that does not follow the last one, and of a snapshot older
// than the one there is. Which of these it was is found out afterwards.
const (
	runNumber = `(SELECT n FROM run WHERE id = ?1)`

	runBeforeEvent = `(SELECT n FROM run r WHERE id = ?1 AND ?2 = 1 + coalesce(
		(SELECT max(seq) FROM event WHERE run = r.n), (SELECT seq FROM snapshot WHERE run = r.n), 0))`

	// SQLite would number a NULL key itself; no run has the number 0.
	runBeforeSnapshot = `coalesce((SELECT n FROM run r WHERE id = ?1 AND NOT EXISTS (
		SELECT 1 FROM snapshot WHERE run = r.n AND seq > ?2)), 0)`

	lastEvent = `SELECT coalesce((SELECT max(seq) FROM event WHERE run = r.n), (SELECT seq FROM snapshot WHERE run = r.n), 0)
		FROM run r WHERE id = ?1`
)

func (k kind) query() string {
	switch k {
	case putBundle:
		return `INSERT INTO bundle (hash, name, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`
	case putValue:
		return `INSERT INTO value (ref, part, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`
	case putRun:
		return `INSERT INTO run (id, hash, playbook, status, actor, via, inputs, "trigger", outputs, error,
			attempt, semantics, created_at, finished_at, wake_at, max_changes, connections)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
			ON CONFLICT (id) DO UPDATE SET hash = ?2, playbook = ?3, status = ?4, actor = ?5, via = ?6, inputs = ?7,
			"trigger" = ?8, outputs = ?9, error = ?10, attempt = ?11, semantics = ?12, created_at = ?13,
			finished_at = ?14, wake_at = ?15, max_changes = ?16, connections = ?17`
	case addEvent:
		return `INSERT INTO event (run, seq, at, kind, data) VALUES (` + runBeforeEvent + `, ?2, ?3, ?4, ?5)`
	case putStep:
		return `INSERT INTO step (run, path, attempt, first_at, form, action, effect, connection, status, outcome,
			target_id, target_name, "before", "after", arguments, inverse, error, started_at, ended_at, why)
			VALUES (` + runNumber + `, ?2, ?3, ?17, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
			ON CONFLICT (run, path, attempt) DO UPDATE SET form = ?4, action = ?5, effect = ?6, connection = ?7,
			status = ?8, outcome = ?9, target_id = ?10, target_name = ?11, "before" = ?12, "after" = ?13,
			arguments = ?14, inverse = ?15, error = ?16, started_at = ?17, ended_at = ?18, why = ?19`
	case putItem:
		return `INSERT INTO item (run, path, idx, key, label, outcome, error, ended_at)
			VALUES (` + runNumber + `, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
			ON CONFLICT (run, path, idx) DO UPDATE SET key = ?4, label = ?5, outcome = ?6, error = ?7, ended_at = ?8`
	case putSnapshot:
		return `INSERT INTO snapshot (run, seq, semantics, data) VALUES (` + runBeforeSnapshot + `, ?2, ?3, ?4)
			ON CONFLICT (run) DO UPDATE SET seq = ?2, semantics = ?3, data = ?4`
	default: // trimJournal
		return `DELETE FROM event WHERE run = ` + runNumber + ` AND seq <= ?2`
	}
}
