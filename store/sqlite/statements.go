package sqlite

import (
	"database/sql/driver"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
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
	putPlan
	putAnswer
	putApproval
	putFreeze
	putGrant
	putHold
	putSignal
	putSchedule
	addDelivery
	putThrottle
	putPosition
	putSnapshot
	trimJournal
	holdValue
	addAudit
	kinds
)

// operation is one prepared statement to run, with its arguments in the
// driver's types. The first names the run, for everything that is of one.
type operation struct {
	kind  kind
	args  []driver.NamedValue
	entry *engine.AuditEntry // of addAudit, whose arguments the writer makes
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
	case putPlan:
		return fmt.Sprintf("plan %v", arg(0))
	case putAnswer:
		return fmt.Sprintf("answer to %v of %v", arg(1), arg(0))
	case putApproval:
		return fmt.Sprintf("approval %v of %v", arg(1), arg(0))
	case putFreeze:
		return fmt.Sprintf("freeze %v", arg(0))
	case putGrant, putHold, putSignal, putSchedule, addDelivery, putThrottle, putPosition:
		return o.timeString()
	case putSnapshot, trimJournal:
		return fmt.Sprintf("snapshot %v of %v", arg(1), arg(0))
	case holdValue:
		return fmt.Sprintf("value %v held by %v", arg(1), arg(0))
	case addAudit:
		return fmt.Sprintf("audit entry %s of %s", o.entry.Verb, o.entry.Object)
	default:
		return fmt.Sprint(arg(0))
	}
}

// The number of a run that does not exist is NULL, which no table takes; so is
// that of an owner or value that does not exist, of an event that does not
// follow the last one, and of a snapshot older than the one there is. Which of
// these it was is found out afterwards.
const (
	runNumber = `(SELECT n FROM run WHERE id = ?1)`

	// The numbers of plans are below zero, so that they are none of a run.
	ownerNumber = `coalesce((SELECT n FROM run WHERE id = ?1), (SELECT -n FROM plan WHERE id = ?1))`

	// A number is not given again while parts of what had it are still there.
	nextRun  = `(SELECT max(coalesce((SELECT max(n) FROM run), 0), coalesce((SELECT max(run) FROM doomed), 0)) + 1)`
	nextPlan = `(SELECT max(coalesce((SELECT max(n) FROM plan), 0), -coalesce((SELECT min(run) FROM doomed), 0)) + 1)`

	runBeforeEvent = `(SELECT n FROM run r WHERE id = ?1 AND ?2 = 1 + coalesce(
		(SELECT max(seq) FROM event WHERE run = r.n), (SELECT seq FROM snapshot WHERE run = r.n), 0))`

	// SQLite would number a NULL key itself; no run has the number 0.
	runBeforeSnapshot = `coalesce((SELECT n FROM run r WHERE id = ?1 AND NOT EXISTS (
		SELECT 1 FROM snapshot WHERE run = r.n AND seq > ?2)), 0)`

	lastEvent = `SELECT coalesce((SELECT max(seq) FROM event WHERE run = r.n), (SELECT seq FROM snapshot WHERE run = r.n), 0)
		FROM run r WHERE id = ?1`
)

// valueNumber is the number of the value whose reference is that parameter.
func valueNumber(parameter string) string {
	return `(SELECT n FROM value WHERE ref = ` + parameter + ` AND part = 0)`
}

// maybeValueNumber takes no reference for NULL, and one of a value that does not
// exist for 0, which none has.
func maybeValueNumber(parameter string) string {
	return `coalesce(` + valueNumber(parameter) + `, CASE WHEN ` + parameter + ` <> '' THEN 0 END)`
}

func (k kind) query() string {
	switch k {
	case putBundle:
		return `INSERT INTO bundle (hash, name, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`
	case putValue:
		return `INSERT INTO value (ref, part, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`
	case putRun:
		return `INSERT INTO run (n, id, hash, playbook, status, actor, via, inputs, "trigger", outputs, error,
			attempt, semantics, created_at, finished_at, wake_at, max_changes, connections,
			starters, plan, undo_of, retry_of, lifted, change_set, strict, key, series, "group")
			VALUES (` + nextRun + `, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
			?18, ?19, ?20, ?21, ?22, ` + maybeValueNumber("?23") + `, ?24, ?25, ?26, ?27)
			ON CONFLICT (id) DO UPDATE SET hash = ?2, playbook = ?3, status = ?4, actor = ?5, via = ?6, inputs = ?7,
			"trigger" = ?8, outputs = ?9, error = ?10, attempt = ?11, semantics = ?12, created_at = ?13,
			finished_at = ?14, wake_at = ?15, max_changes = ?16, connections = ?17, starters = ?18, plan = ?19,
			undo_of = ?20, retry_of = ?21, lifted = ?22, change_set = excluded.change_set, strict = ?24, key = ?25, series = ?26, "group" = ?27`
	case addEvent:
		return `INSERT INTO event (run, seq, at, kind, data) VALUES (` + runBeforeEvent + `, ?2, ?3, ?4, ?5)`
	case putStep:
		return `INSERT INTO step (run, path, attempt, first_at, form, action, effect, connection, status, outcome,
			target_id, target_name, "before", "after", arguments, inverse, error, started_at, ended_at, why, "of", changed)
			VALUES (` + runNumber + `, ?2, ?3, ?17, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
			ON CONFLICT (run, path, attempt) DO UPDATE SET form = ?4, action = ?5, effect = ?6, connection = ?7,
			status = ?8, outcome = ?9, target_id = ?10, target_name = ?11, "before" = ?12, "after" = ?13,
			arguments = ?14, inverse = ?15, error = ?16, started_at = ?17, ended_at = ?18, why = ?19,
			"of" = ?20, changed = ?21`
	case putItem:
		return `INSERT INTO item (run, path, idx, key, label, outcome, error, ended_at)
			VALUES (` + runNumber + `, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
			ON CONFLICT (run, path, idx) DO UPDATE SET key = ?4, label = ?5, outcome = ?6, error = ?7, ended_at = ?8`
	case putPlan, putAnswer, putApproval, putFreeze:
		return k.planQuery()
	case putGrant, putHold, putSignal, putSchedule, addDelivery, putThrottle, putPosition:
		return k.timeQuery()
	case putSnapshot:
		return `INSERT INTO snapshot (run, seq, semantics, data) VALUES (` + runBeforeSnapshot + `, ?2, ?3, ?4)
			ON CONFLICT (run) DO UPDATE SET seq = ?2, semantics = ?3, data = ?4`
	case holdValue:
		return `INSERT INTO held (run, value) VALUES (` + runNumber + `, ` + valueNumber("?2") + `) ON CONFLICT DO NOTHING`
	case addAudit:
		return `INSERT INTO audit (seq, at, actor, via, verb, object, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`
	default: // trimJournal
		return `DELETE FROM event WHERE run = ` + runNumber + ` AND seq <= ?2`
	}
}

// planQuery is the query of what plans, approvals and freezes are written with.
func (k kind) planQuery() string {
	switch k {
	case putPlan:
		return `INSERT INTO plan (n, id, playbook, hash, source, undo_of, actor, via, inputs, max_changes, lifted, connections,
			semantics, change_set, digest, shown, pending, complete, blocked, created_at)
			VALUES (` + nextPlan + `, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ` + valueNumber("?13") + `, ?14, ?15, ?16, ?17, ?18, ?19)
			ON CONFLICT (id) DO UPDATE SET playbook = ?2, hash = ?3, source = ?4, undo_of = ?5, actor = ?6, via = ?7,
			inputs = ?8, max_changes = ?9, lifted = ?10, connections = ?11, semantics = ?12, change_set = excluded.change_set,
			digest = ?14, shown = ?15, pending = ?16, complete = ?17, blocked = ?18, created_at = ?19`
	case putAnswer:
		return `INSERT INTO answer (owner, path, arguments, value, population_of, population, at)
			VALUES (` + ownerNumber + `, ?2, ?3, ` + valueNumber("?4") + `, ?5, ?6, ?7)
			ON CONFLICT (owner, path, arguments) DO UPDATE SET value = excluded.value, population_of = ?5, population = ?6, at = ?7`
	case putApproval:
		return `INSERT INTO approval (run, id, path, kind, title, "by", needs, notify, status, round, change_set, digest, shown,
			excluded, votes, created_at, expires_at, told_at, decided_at)
			VALUES (` + runNumber + `, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ` + valueNumber("?11") + `, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
			ON CONFLICT (id) DO UPDATE SET run = excluded.run, path = ?3, kind = ?4, title = ?5, "by" = ?6, needs = ?7, notify = ?8,
			status = ?9, round = ?10, change_set = excluded.change_set, digest = ?12, shown = ?13, excluded = ?14, votes = ?15,
			created_at = ?16, expires_at = ?17, told_at = ?18, decided_at = ?19`
	default: // putFreeze
		return `INSERT INTO freeze (id, reason, actor, via, at, thaw_actor, thaw_via, thaw_reason, thawed_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
			ON CONFLICT (id) DO UPDATE SET reason = ?2, actor = ?3, via = ?4, at = ?5, thaw_actor = ?6, thaw_via = ?7,
			thaw_reason = ?8, thawed_at = ?9`
	}
}

// referral is something that a record refers to and that must exist.
type referral struct {
	what  string // for errors
	arg   int    // which argument of the operation names it; "" there refers to nothing
	count string // the query that finds out whether it exists
}

// refersTo is what a record of the kind refers to; the first argument of all
// others names the run they belong to.
func (k kind) refersTo() []referral {
	const runs, values = "SELECT count(*) FROM run WHERE id = ?", "SELECT count(*) FROM value WHERE ref = ?"
	switch k {
	case putBundle, putValue, putFreeze, putHold, putSchedule, putThrottle, putPosition, addAudit:
		return nil
	case putRun:
		return []referral{{"its bundle", 1, "SELECT count(*) FROM bundle WHERE hash = ?"}, {"its change set", 22, values}}
	case putPlan:
		return []referral{{"its change set", 12, values}}
	case putAnswer:
		const owners = "SELECT (SELECT count(*) FROM run WHERE id = ?1) + (SELECT count(*) FROM plan WHERE id = ?1)"
		return []referral{{"the run or plan", 0, owners}, {"its value", 3, values}}
	case putApproval:
		return []referral{{"the run", 0, runs}, {"its change set", 10, values}}
	case addDelivery:
		return []referral{{"its run", 2, runs}}
	default:
		return []referral{{"the run", 0, runs}}
	}
}
