package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Grant finds a grant by its id.
func (s *Store) Grant(ctx context.Context, id string) (engine.Grant, error) {
	g, err := one(ctx, s, scanGrant, grantColumns+" WHERE id = ?", id)
	return g, wrap(err, "reading grant %q", id)
}

// Grants lists grants, those that end first before the others.
func (s *Store) Grants(ctx context.Context, q engine.GrantQuery) ([]engine.Grant, error) {
	grants, err := s.grants(ctx, q)
	return grants, wrap(err, "listing grants")
}

func (s *Store) grants(ctx context.Context, q engine.GrantQuery) ([]engine.Grant, error) {
	where := grantClause(q)
	if q.After != "" {
		if err := s.exists(ctx, "grant", q.After); err != nil {
			return nil, wrap(err, "the page after %q", q.After)
		}
		where.add("(ends_at, id) > (SELECT ends_at, id FROM grant WHERE id = ?)", q.After)
	}
	query := grantColumns + where.String() + firstEnding + " LIMIT ?"
	grants, err := all(ctx, s, scanGrant, query, append(where.args, cmp.Or(q.Limit, defaultPage))...)
	if err == nil && len(grants) == 0 && q.Run != "" {
		err = wrap(s.known(ctx, q.Run), "run %q", q.Run)
	}
	return grants, err
}

// known makes sure that there is a run of that id, or at least a grant of it.
func (s *Store) known(ctx context.Context, run string) error {
	_, err := one(ctx, s, func(*sql.Rows) (none struct{}, err error) { return none, nil },
		"SELECT 1 FROM run WHERE id = ?1 UNION ALL SELECT 1 FROM grant WHERE run = ?1 LIMIT 1", run)
	return err
}

func grantClause(q engine.GrantQuery) clause {
	var where clause
	if q.Run != "" {
		where.add("run = ?", q.Run)
	}
	if q.Connection != "" {
		where.add("connection = ?", q.Connection)
	}
	if q.Target != "" {
		where.add("target_id = ?", q.Target)
	}
	states := "state"
	if !q.DueBy.IsZero() {
		where.add(notFinal) // in the words of the index grant_due
		where.add("next_try <= ?", q.DueBy.UnixMicro())
		states = "+state" // of those that are due, not of all there are: no index of states
	}
	where.in(states, texts(q.States))
	return where
}

// Holds lists the holds that hold, or all of them, newest first.
func (s *Store) Holds(ctx context.Context, released bool) ([]engine.Hold, error) {
	query := holdColumns + " WHERE released_at IS NULL" + newestHold
	if released {
		query = holdColumns + newestHold
	}
	holds, err := all(ctx, s, scanHold, query)
	return holds, wrap(err, "listing holds")
}

// Signals lists what a run has not heard yet, oldest first.
func (s *Store) Signals(ctx context.Context, run string) ([]engine.Signal, error) {
	signals, err := s.signals(ctx, run)
	return signals, wrap(err, "listing the signals of run %q", run)
}

func (s *Store) signals(ctx context.Context, run string) ([]engine.Signal, error) {
	n, err := s.number(ctx, run)
	if err != nil {
		return nil, err
	}
	return all(ctx, s, func(r *sql.Rows) (engine.Signal, error) {
		sig := engine.Signal{Run: run}
		err := r.Scan(&sig.ID, &sig.Name, (*[]byte)(&sig.Body), &sig.By.Name, &sig.By.Via, asTime{&sig.At})
		return sig, err
	}, signalsQuery, n)
}

// Schedules lists what is remembered of triggers, by id.
func (s *Store) Schedules(ctx context.Context) ([]engine.ScheduleState, error) {
	schedules, err := all(ctx, s, func(r *sql.Rows) (engine.ScheduleState, error) {
		var st engine.ScheduleState
		err := r.Scan(&st.ID, &st.Playbook, &st.Spec, asTime{&st.LastAt}, asOptionalTime{&st.PausedAt}, &st.PausedBy, &st.Reason)
		return st, err
	}, "SELECT id, playbook, spec, last_at, paused_at, paused_by, reason FROM schedule ORDER BY id")
	return schedules, wrap(err, "listing schedules")
}

// Position finds how far a reader of a log has come.
func (s *Store) Position(ctx context.Context, key string) (engine.Position, error) {
	p, err := one(ctx, s, func(r *sql.Rows) (p engine.Position, err error) {
		err = r.Scan(&p.Key, &p.Connection, &p.Log, &p.Reader, &p.Cursor, &p.Revision, asTime{&p.At})
		return p, err
	}, "SELECT key, connection, log, reader, cursor, revision, at FROM position WHERE key = ?", key)
	return p, wrap(err, "reading position %q", key)
}

// Throttles lists until when connections are not to be called, by connection.
func (s *Store) Throttles(ctx context.Context) ([]engine.Throttle, error) {
	throttles, err := all(ctx, s, func(r *sql.Rows) (engine.Throttle, error) {
		var t engine.Throttle
		err := r.Scan(&t.Connection, asTime{&t.Until})
		return t, err
	}, "SELECT connection, until FROM throttle ORDER BY connection")
	return throttles, wrap(err, "listing throttled connections")
}

// LastUses finds the newest recorded call through each connection. It reads
// every step once: an index would cost each step of each run a page to write.
func (s *Store) LastUses(ctx context.Context) ([]engine.Use, error) {
	uses, err := all(ctx, s, func(r *sql.Rows) (engine.Use, error) {
		var u engine.Use
		err := r.Scan(&u.Connection, asTime{&u.At}, &u.Run)
		return u, err
	}, `SELECT s.connection, max(s.started_at), r.id FROM step s JOIN run r ON r.n = s.run
		WHERE s.connection <> '' GROUP BY s.connection`)
	return engine.NewestUses(uses), wrap(err, "reading when connections were used last")
}

// RunByKey finds a run by its idempotency key.
func (s *Store) RunByKey(ctx context.Context, key string) (engine.RunRecord, error) {
	r, err := one(ctx, s, scanRun, runByKeyQuery, key)
	return r, wrap(err, "reading the run with the key %q", key)
}

// Due lists the runs that have something to do, those that waited longest first,
// fairly between playbooks.
func (s *Store) Due(ctx context.Context, by time.Time, limit int) ([]engine.RunRecord, error) {
	runs, err := all(ctx, s, scanRun, dueQuery, by.UnixMicro(), cmp.Or(limit, defaultPage))
	return runs, wrap(err, "listing the runs that are due")
}

const (
	firstEnding = " ORDER BY ends_at, id"
	newestHold  = " ORDER BY at DESC, id DESC"
	notFinal    = "state NOT IN ('ended', 'kept', 'void')"

	signalsQuery = `SELECT id, name, body, actor, via, at FROM signal WHERE run = ? AND taken = 0 ORDER BY at, n`

	// The second term lets the index serve, in which no run without a key is.
	runByKeyQuery = runColumns + ` WHERE key = ? AND key <> ''`

	// Lines are those of a playbook, and of each group of its queued runs.
	dueQuery = `WITH due AS (` + queuedQuery + ` UNION ALL ` + wakingQuery + ` UNION ALL ` + signalledQuery + `),
		lined AS (SELECT *, row_number() OVER (PARTITION BY playbook, line ORDER BY since, id) AS place FROM due),
		turns AS (SELECT n AS k, since, row_number() OVER (PARTITION BY playbook ORDER BY place, since, id) AS turn FROM lined WHERE place <= ?2),
		first AS (SELECT k, turn, since FROM turns ORDER BY turn, since, k LIMIT ?2)
		` + runColumns + ` JOIN first ON n = k ORDER BY turn, since, id`

	queuedQuery = `SELECT n, id, playbook, "group" AS line, created_at AS since FROM run INDEXED BY run_queued WHERE status = 'queued'`

	// SQLite would rather read all that wait, and sort them.
	wakingQuery = `SELECT n, id, playbook, '', wake_at FROM run INDEXED BY run_wakes WHERE status = 'waiting' AND wake_at <= ?1`

	signalledQuery = `SELECT r.n, r.id, r.playbook, '', min(s.at) FROM signal s INDEXED BY signal_unheard CROSS JOIN run r ON r.n = s.run
		WHERE s.taken = 0 AND r.status = 'waiting' AND coalesce(r.wake_at > ?1, 1) GROUP BY r.n`
)

const grantColumns = `SELECT id, run, path, playbook, action, access, at_end, connection, fingerprint, target_id, target_name,
	inverse, "before", "after", state, lasts, ends_at, next_try, tries, error, approval, warned_at, alarmed_at, created_at,
	started_at, ended_at, ended_by, reason, most, warn FROM grant`

func scanGrant(rows *sql.Rows) (engine.Grant, error) {
	var (
		g                 engine.Grant
		lasts, most, warn int64
	)
	err := rows.Scan(&g.ID, &g.Run, &g.Path, &g.Playbook, &g.Action, &g.Access, &g.AtEnd, &g.Connection, &g.Fingerprint,
		&g.Target.ID, &g.Target.Name, (*[]byte)(&g.Inverse), (*[]byte)(&g.Before), (*[]byte)(&g.After), &g.State, &lasts,
		asTime{&g.EndsAt}, asTime{&g.NextTry}, &g.Tries, fromJSON(&g.Error), &g.Approval, asOptionalTime{&g.WarnedAt},
		asOptionalTime{&g.AlarmedAt}, asTime{&g.CreatedAt}, asOptionalTime{&g.StartedAt}, asOptionalTime{&g.EndedAt},
		&g.EndedBy, &g.Reason, &most, &warn)
	g.Lasts, g.Most, g.Warn = time.Duration(lasts)*time.Microsecond, time.Duration(most)*time.Microsecond, time.Duration(warn)*time.Microsecond
	return g, errors.Join(err,
		enumeration("access", g.Access, g.Access.Known()),
		enumeration("state", g.State, g.State.Known()))
}

const holdColumns = `SELECT id, connection, target, reason, actor, via, at, release_actor, release_via, release_reason,
	released_at FROM hold`

func scanHold(rows *sql.Rows) (engine.Hold, error) {
	var (
		h         engine.Hold
		name, via sql.NullString
	)
	err := rows.Scan(&h.ID, &h.Connection, &h.Target, &h.Reason, &h.By.Name, &h.By.Via, asTime{&h.At}, &name, &via,
		&h.ReleaseReason, asOptionalTime{&h.ReleasedAt})
	if name.Valid {
		h.ReleasedBy = &engine.Actor{Name: name.String, Via: via.String}
	}
	return h, err
}
