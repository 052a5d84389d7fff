package sqlite

import "fmt"

// keyOfRun is which argument of putRun is the run's key.
const keyOfRun = 24

// othersWithKey counts the runs that have a key and are not of that id.
const othersWithKey = `SELECT count(*) FROM run WHERE key = ?1 AND key <> '' AND id <> ?2`

// timeString names a record that has to do with time, for errors.
func (o operation) timeString() string {
	first, second := o.args[0].Value, o.args[1].Value
	switch o.kind {
	case putGrant:
		return fmt.Sprintf("grant %v of %v", second, first)
	case putHold:
		return fmt.Sprintf("hold %v", first)
	case putSignal:
		return fmt.Sprintf("signal %v to %v", second, first)
	case putSchedule:
		return fmt.Sprintf("schedule %v", first)
	case addDelivery:
		return fmt.Sprintf("delivery %v to %v", second, first)
	case putPosition:
		return fmt.Sprintf("position %v", first)
	default: // putThrottle
		return fmt.Sprintf("throttle of %v", first)
	}
}

// runOfGrant is a grant's run: one that does not exist is NULL, which the table
// does not take, unless the grant is there already and has outlived it.
const runOfGrant = `CASE WHEN EXISTS (SELECT 1 FROM run WHERE id = ?1) OR EXISTS (SELECT 1 FROM grant WHERE id = ?2) THEN ?1 END`

// followingPosition is the revision of a position that follows the stored one,
// or is it: the first where there is none.
const followingPosition = `CASE WHEN ?6 = 1 + coalesce((SELECT revision FROM position WHERE key = ?1), 0)
			OR EXISTS (SELECT 1 FROM position WHERE key = ?1 AND revision = ?6 AND cursor = ?5) THEN ?6 END`

// timeQuery is the query of what grants, holds, signals, schedules, deliveries,
// throttles and positions are written with.
func (k kind) timeQuery() string {
	switch k {
	case putGrant:
		return `INSERT INTO grant (run, id, path, playbook, action, access, at_end, connection, fingerprint, target_id, target_name,
			inverse, "before", "after", state, lasts, ends_at, next_try, tries, error, approval, warned_at, alarmed_at, created_at,
			started_at, ended_at, ended_by, reason, most, warn)
			VALUES (` + runOfGrant + `, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
			?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)
			ON CONFLICT (id) DO UPDATE SET run = excluded.run, path = ?3, playbook = ?4, action = ?5, access = ?6, at_end = ?7,
			connection = ?8, fingerprint = ?9, target_id = ?10, target_name = ?11, inverse = ?12, "before" = ?13, "after" = ?14,
			state = ?15, lasts = ?16, ends_at = ?17, next_try = ?18, tries = ?19, error = ?20, approval = ?21, warned_at = ?22,
			alarmed_at = ?23, created_at = ?24, started_at = ?25, ended_at = ?26, ended_by = ?27, reason = ?28,
			most = ?29, warn = ?30`
	case putHold:
		return `INSERT INTO hold (id, connection, target, reason, actor, via, at, release_actor, release_via, release_reason, released_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
			ON CONFLICT (id) DO UPDATE SET connection = ?2, target = ?3, reason = ?4, actor = ?5, via = ?6, at = ?7,
			release_actor = ?8, release_via = ?9, release_reason = ?10, released_at = ?11`
	case putSignal: // NULL, which the table does not take, where it is not the same signal
		return `INSERT INTO signal (run, id, name, body, actor, via, at, taken)
			VALUES (` + runNumber + `, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
			ON CONFLICT (run, id) DO UPDATE SET taken = CASE WHEN name = ?3 AND body IS ?4 THEN coalesce(nullif(?8, 0), taken) END`
	case putSchedule:
		return `INSERT INTO schedule (id, playbook, spec, last_at, paused_at, paused_by, reason)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (id) DO UPDATE SET playbook = ?2, spec = ?3, last_at = ?4, paused_at = ?5, paused_by = ?6, reason = ?7`
	case addDelivery:
		return `INSERT INTO delivery (hook, id, run, at)
			VALUES (?1, ?2, CASE WHEN ?3 = '' OR EXISTS (SELECT 1 FROM run WHERE id = ?3) THEN ?3 END, ?4)`
	case putPosition: // NULL, which the table does not take, where it neither follows nor is the one there
		return `INSERT INTO position (key, connection, log, reader, cursor, revision, at)
			VALUES (?1, ?2, ?3, ?4, ?5, ` + followingPosition + `, ?7)
			ON CONFLICT (key) DO UPDATE SET connection = ?2, log = ?3, reader = ?4, cursor = ?5, revision = excluded.revision, at = ?7`
	default: // putThrottle
		return `INSERT INTO throttle (connection, until) VALUES (?1, ?2) ON CONFLICT (connection) DO UPDATE SET until = ?2`
	}
}
