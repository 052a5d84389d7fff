package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Plan finds a plan by its id.
func (s *Store) Plan(ctx context.Context, id string) (engine.PlanRecord, error) {
	p, err := one(ctx, s, scanPlan, planColumns+" WHERE id = ?", id)
	return p, wrap(err, "reading plan %q", id)
}

// Plans lists plans, newest first.
func (s *Store) Plans(ctx context.Context, q engine.PlanQuery) ([]engine.PlanRecord, error) {
	plans, err := s.plans(ctx, q)
	return plans, wrap(err, "listing plans")
}

func (s *Store) plans(ctx context.Context, q engine.PlanQuery) ([]engine.PlanRecord, error) {
	var where clause
	if q.Playbook != "" {
		where.add("playbook = ?", q.Playbook)
	}
	if err := where.behind(ctx, s, "plan", q.After); err != nil {
		return nil, err
	}
	return newest(ctx, s, scanPlan, planColumns, where, q.Limit)
}

// Answers lists what a run or plan was answered, by path and arguments.
func (s *Store) Answers(ctx context.Context, owner string) ([]engine.Answer, error) {
	answers, err := s.answers(ctx, owner)
	return answers, wrap(err, "listing the answers of %q", owner)
}

func (s *Store) answers(ctx context.Context, owner string) ([]engine.Answer, error) {
	n, err := one(ctx, s, func(r *sql.Rows) (n sql.NullInt64, err error) {
		err = r.Scan(&n)
		return n, err
	}, "SELECT "+ownerNumber, owner)
	if err == nil && !n.Valid {
		err = engine.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return all(ctx, s, func(r *sql.Rows) (engine.Answer, error) {
		a := engine.Answer{Owner: owner}
		var (
			connection sql.NullString
			count      sql.NullInt64
		)
		err := r.Scan(&a.Path, &a.Arguments, &a.Value, &connection, &count, asTime{&a.At})
		if count.Valid {
			a.Population = &engine.Population{Connection: connection.String, Count: count.Int64}
		}
		return a, err
	}, answersQuery, n.Int64)
}

// Approval finds an approval by its id.
func (s *Store) Approval(ctx context.Context, id string) (engine.Approval, error) {
	a, err := one(ctx, s, scanApproval, approvalColumns+" WHERE id = ?", id)
	return a, wrap(err, "reading approval %q", id)
}

// Approvals lists approvals, newest first.
func (s *Store) Approvals(ctx context.Context, q engine.ApprovalQuery) ([]engine.Approval, error) {
	approvals, err := s.approvals(ctx, q)
	return approvals, wrap(err, "listing approvals")
}

func (s *Store) approvals(ctx context.Context, q engine.ApprovalQuery) ([]engine.Approval, error) {
	var where clause
	if q.Run != "" {
		n, err := s.number(ctx, q.Run)
		if err != nil {
			return nil, wrap(err, "run %q", q.Run)
		}
		where.add("run = ?", n)
	}
	where.in("status", texts(q.Statuses))
	if err := where.behind(ctx, s, "approval", q.After); err != nil {
		return nil, err
	}
	return newest(ctx, s, scanApproval, approvalColumns, where, q.Limit)
}

// Frozen is the freeze that holds, the newest of several.
func (s *Store) Frozen(ctx context.Context) (engine.Freeze, error) {
	f, err := one(ctx, s, scanFreeze, frozenQuery)
	return f, wrap(err, "looking for a freeze")
}

// Undoes lists the runs that took back changes of a run, newest first.
func (s *Store) Undoes(ctx context.Context, run string) ([]engine.RunRecord, error) {
	err := s.exists(ctx, "run", run)
	if err != nil {
		return nil, wrap(err, "listing the undoes of run %q", run)
	}
	runs, err := all(ctx, s, scanRun, undoesQuery, run)
	return runs, wrap(err, "listing the undoes of run %q", run)
}

// Spent counts the targets of a connection that may have been changed since a time.
func (s *Store) Spent(ctx context.Context, connection string, since time.Time) (int64, error) {
	n, err := one(ctx, s, func(r *sql.Rows) (n int64, err error) {
		err = r.Scan(&n)
		return n, err
	}, spentQuery, connection, since.UnixMicro())
	return n, wrap(err, "counting the changes of connection %q", connection)
}

const (
	answersQuery = `SELECT path, arguments, (SELECT ref FROM value WHERE n = answer.value), population_of, population, at
		FROM answer WHERE owner = ? ORDER BY path, arguments`

	frozenQuery = `SELECT id, reason, actor, via, at, thaw_actor, thaw_via, thaw_reason, thawed_at
		FROM freeze WHERE thawed_at IS NULL ORDER BY at DESC, id DESC LIMIT 1`

	// The second term lets the index serve, in which no other run is.
	undoesQuery = runColumns + ` WHERE undo_of = ? AND undo_of <> ''` + newestFirst

	spentQuery = `SELECT count(DISTINCT target_id) FROM step WHERE changed = 1 AND connection = ? AND started_at >= ?`
)

const planColumns = `SELECT id, playbook, hash, source, undo_of, actor, via, inputs, max_changes, lifted, connections,
	semantics, (SELECT ref FROM value WHERE n = change_set), digest, shown, pending, complete, blocked, created_at FROM plan`

func scanPlan(rows *sql.Rows) (engine.PlanRecord, error) {
	var p engine.PlanRecord
	err := rows.Scan(&p.ID, &p.Playbook, &p.Hash, &p.Source, &p.UndoOf, &p.Actor.Name, &p.Actor.Via, (*[]byte)(&p.Inputs),
		&p.MaxChanges, &p.Lifted, (*[]byte)(&p.Connections), &p.Semantics, &p.Set, &p.Digest, &p.Shown, &p.Pending, &p.Complete,
		fromJSON(&p.Blocked), asTime{&p.CreatedAt})
	return p, err
}

const approvalColumns = `SELECT id, (SELECT id FROM run WHERE n = approval.run), path, kind, title, "by", needs, notify, status,
	round, (SELECT ref FROM value WHERE n = change_set), digest, shown, excluded, votes, created_at, expires_at, told_at,
	decided_at FROM approval`

func scanApproval(rows *sql.Rows) (engine.Approval, error) {
	var a engine.Approval
	err := rows.Scan(&a.ID, &a.Run, &a.Path, &a.Kind, &a.Title, fromJSON(&a.By), &a.Needs, &a.Notify, &a.Status, &a.Round,
		&a.Set, &a.Digest, &a.Shown, fromJSON(&a.Excluded), fromJSON(&a.Votes), asTime{&a.CreatedAt},
		asOptionalTime{&a.ExpiresAt}, asOptionalTime{&a.ToldAt}, asOptionalTime{&a.DecidedAt})
	return a, errors.Join(err,
		enumeration("kind", a.Kind, a.Kind.Known()),
		enumeration("status", a.Status, a.Status.Known()))
}

func scanFreeze(rows *sql.Rows) (engine.Freeze, error) {
	var (
		f         engine.Freeze
		name, via sql.NullString
	)
	err := rows.Scan(&f.ID, &f.Reason, &f.By.Name, &f.By.Via, asTime{&f.At}, &name, &via, &f.ThawReason, asOptionalTime{&f.ThawedAt})
	if name.Valid {
		f.ThawedBy = &engine.Actor{Name: name.String, Via: via.String}
	}
	return f, err
}
