package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// defaultPage is how many runs, plans, approvals or grants a query without a limit gets.
const defaultPage = 100

// Run finds a run by its id.
func (s *Store) Run(ctx context.Context, id string) (engine.RunRecord, error) {
	r, err := one(ctx, s, scanRun, runColumns+" WHERE id = ?", id)
	return r, wrap(err, "reading run %q", id)
}

// Runs lists runs, newest first.
func (s *Store) Runs(ctx context.Context, q engine.RunQuery) ([]engine.RunRecord, error) {
	runs, err := s.runs(ctx, q)
	return runs, wrap(err, "listing runs")
}

func (s *Store) runs(ctx context.Context, q engine.RunQuery) ([]engine.RunRecord, error) {
	var where clause
	where.in("status", texts(q.Statuses))
	if q.Playbook != "" {
		where.add("playbook = ?", q.Playbook)
	}
	if q.Series != "" {
		where.add("series = ?", q.Series)
	}
	if q.Group != "" {
		where.add("\"group\" = ? AND \"group\" <> ''", q.Group) // the second term lets the index serve
	}
	if err := where.behind(ctx, s, "run", q.After); err != nil {
		return nil, err
	}
	return newest(ctx, s, scanRun, runColumns, where, q.Limit)
}

// Bundle finds a bundle by its hash.
func (s *Store) Bundle(ctx context.Context, hash string) (engine.Bundle, error) {
	b, err := one(ctx, s, func(r *sql.Rows) (b engine.Bundle, err error) {
		err = r.Scan(&b.Hash, &b.Name, &b.Data)
		return b, err
	}, "SELECT hash, name, data FROM bundle WHERE hash = ?", hash)
	return b, wrap(err, "reading bundle %q", hash)
}

// Snapshot is the newest snapshot of a run.
func (s *Store) Snapshot(ctx context.Context, run string) (engine.Snapshot, error) {
	snap, err := one(ctx, s, func(r *sql.Rows) (snap engine.Snapshot, err error) {
		err = r.Scan(&snap.Run, &snap.Seq, &snap.Semantics, &snap.Data)
		return snap, err
	}, "SELECT r.id, s.seq, s.semantics, s.data FROM snapshot s JOIN run r ON r.n = s.run WHERE r.id = ?", run)
	return snap, wrap(err, "reading the snapshot of run %q", run)
}

// Events is the journal of a run behind a sequence number.
func (s *Store) Events(ctx context.Context, run string, after uint64) ([]engine.Event, error) {
	events, err := s.events(ctx, run, after)
	return events, wrap(err, "reading the journal of run %q", run)
}

func (s *Store) events(ctx context.Context, run string, after uint64) ([]engine.Event, error) {
	n, err := s.number(ctx, run)
	if err != nil {
		return nil, err
	}
	return all(ctx, s, func(r *sql.Rows) (engine.Event, error) {
		e := engine.Event{Run: run}
		err := r.Scan(&e.Seq, asTime{&e.At}, &e.Kind, (*[]byte)(&e.Data))
		return e, err
	}, "SELECT seq, at, kind, data FROM event WHERE run = ? AND seq > ? ORDER BY seq", n, int64(after))
}

// Steps lists the steps of a run.
func (s *Store) Steps(ctx context.Context, q engine.StepQuery) ([]engine.StepRecord, error) {
	steps, err := s.steps(ctx, q)
	return steps, wrap(err, "listing the steps of run %q", q.Run)
}

func (s *Store) steps(ctx context.Context, q engine.StepQuery) ([]engine.StepRecord, error) {
	n, err := s.number(ctx, q.Run)
	if err != nil {
		return nil, err
	}
	var where clause
	where.add("run = ?", n)
	where.in("effect", texts(q.Effects))
	if q.Prefix != "" {
		where.add("path >= ?", q.Prefix)
		if end, bounded := behind(q.Prefix); bounded {
			where.add("path < ?", end)
		}
	}
	query := stepColumns + where.String() + " ORDER BY first_at, n LIMIT ? OFFSET ?"
	steps, err := all(ctx, s, scanStep, query, append(where.args, limit(q.Limit), max(q.After, 0))...)
	for i := range steps {
		steps[i].Run = q.Run
	}
	return steps, err
}

// Items lists the items of a foreach by index.
func (s *Store) Items(ctx context.Context, q engine.ItemQuery) ([]engine.ItemRecord, error) {
	items, err := s.items(ctx, q)
	return items, wrap(err, "listing the items of %s of run %q", q.Path, q.Run)
}

func (s *Store) items(ctx context.Context, q engine.ItemQuery) ([]engine.ItemRecord, error) {
	n, err := s.number(ctx, q.Run)
	if err != nil {
		return nil, err
	}
	return all(ctx, s, func(r *sql.Rows) (engine.ItemRecord, error) {
		i := engine.ItemRecord{Run: q.Run, Path: q.Path}
		err := r.Scan(&i.Index, &i.Key, &i.Label, &i.Outcome, fromJSON(&i.Error), asTime{&i.EndedAt})
		return i, errors.Join(err, enumeration("outcome", i.Outcome, i.Outcome.Known()))
	}, "SELECT idx, key, label, outcome, error, ended_at FROM item WHERE run = ? AND path = ? ORDER BY idx LIMIT ? OFFSET ?",
		n, q.Path, limit(q.Limit), max(q.After, 0))
}

// Value is a stored value.
func (s *Store) Value(ctx context.Context, ref engine.Reference) ([]byte, error) {
	parts, err := all(ctx, s, func(r *sql.Rows) (data []byte, err error) {
		err = r.Scan(&data)
		return data, err
	}, "SELECT data FROM value WHERE ref = ? ORDER BY part", string(ref))
	if err == nil && len(parts) == 0 {
		err = engine.ErrNotFound
	}
	if len(parts) == 1 {
		return parts[0], wrap(err, "reading value %q", ref)
	}
	return slices.Concat(parts...), wrap(err, "reading value %q", ref)
}

// number is what the other tables know a run by.
func (s *Store) number(ctx context.Context, run string) (int64, error) {
	return one(ctx, s, func(r *sql.Rows) (n int64, err error) {
		err = r.Scan(&n)
		return n, err
	}, "SELECT n FROM run WHERE id = ?", run)
}

// exists makes sure that a table has a record of that id.
func (s *Store) exists(ctx context.Context, table, id string) error {
	_, err := one(ctx, s, func(*sql.Rows) (none struct{}, err error) { return none, nil }, "SELECT 1 FROM "+table+" WHERE id = ?", id)
	return err
}

// behind is the first text after all those that begin with the prefix; there
// is none behind a prefix of the highest bytes only.
func behind(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// limit is SQLite's: -1 means all.
func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

func texts[T ~string](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// clause is a WHERE clause in the making.
type clause struct {
	terms []string
	args  []any
}

func (c *clause) add(term string, args ...any) {
	c.terms, c.args = append(c.terms, term), append(c.args, args...)
}

func (c *clause) in(column string, values []any) {
	if len(values) > 0 {
		c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	}
}

// behind selects what comes behind a record in a list that has the newest first;
// everything where the id is empty.
func (c *clause) behind(ctx context.Context, s *Store, table, id string) error {
	if id == "" {
		return nil
	}
	if err := s.exists(ctx, table, id); err != nil {
		return fmt.Errorf("the page after %q: %w", id, err)
	}
	c.add("(created_at, id) < (SELECT created_at, id FROM "+table+" WHERE id = ?)", id)
	return nil
}

// String is the clause as SQL; nothing where there are no terms.
func (c *clause) String() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// one reads the row a query finds; without any it is engine.ErrNotFound.
func one[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), query string, args ...any) (T, error) {
	found, err := all(ctx, s, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = engine.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// newest reads a page of a table, newest first.
func newest[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), columns string, where clause, page int) ([]T, error) {
	query := columns + where.String() + newestFirst + " LIMIT ?"
	return all(ctx, s, scan, query, append(where.args, cmp.Or(page, defaultPage))...)
}

// all reads every row a query finds.
func all[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	if s.closed.Load() {
		return nil, engine.ErrClosed
	}
	out, err := collect(ctx, s.readers, scan, query, args...)
	if err != nil && s.closed.Load() {
		return nil, fmt.Errorf("%w (%w)", engine.ErrClosed, err)
	}
	return out, err
}

func collect[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, explain(err)
		}
		out = append(out, v)
	}
	return out, explain(rows.Err())
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

const newestFirst = " ORDER BY created_at DESC, id DESC"

const runColumns = `SELECT id, playbook, hash, status, actor, via, inputs, "trigger", outputs, error,
	attempt, semantics, created_at, finished_at, wake_at, max_changes, connections,
	starters, plan, undo_of, retry_of, lifted, (SELECT ref FROM value WHERE n = change_set), strict, key, series, "group" FROM run`

func scanRun(rows *sql.Rows) (engine.RunRecord, error) {
	var (
		r   engine.RunRecord
		set sql.NullString
	)
	err := rows.Scan(&r.ID, &r.Playbook, &r.Hash, &r.Status, &r.Actor.Name, &r.Actor.Via,
		(*[]byte)(&r.Inputs), (*[]byte)(&r.Trigger), (*[]byte)(&r.Outputs), fromJSON(&r.Error),
		&r.Attempt, &r.Semantics, asTime{&r.CreatedAt}, asOptionalTime{&r.FinishedAt}, asOptionalTime{&r.WakeAt}, &r.MaxChanges,
		(*[]byte)(&r.Connections), fromJSON(&r.Starters), &r.Plan, &r.UndoOf, &r.RetryOf, &r.Lifted, &set, &r.Strict, &r.Key, &r.Series, &r.Group)
	r.ChangeSet = engine.Reference(set.String)
	return r, errors.Join(err, enumeration("status", r.Status, r.Status.Known()))
}

const stepColumns = `SELECT path, attempt, form, action, effect, connection, status, outcome, target_id, target_name,
	"before", "after", arguments, inverse, error, started_at, ended_at, why, "of" FROM step`

func scanStep(rows *sql.Rows) (engine.StepRecord, error) {
	var (
		s        engine.StepRecord
		id, name sql.NullString
	)
	err := rows.Scan(&s.Path, &s.Attempt, &s.Form, &s.Action, &s.Effect, &s.Connection, &s.Status, &s.Outcome,
		&id, &name, (*[]byte)(&s.Before), (*[]byte)(&s.After), &s.Arguments, (*[]byte)(&s.Inverse),
		fromJSON(&s.Error), asTime{&s.StartedAt}, asOptionalTime{&s.EndedAt}, &s.Why, &s.Of)
	if id.Valid {
		s.Target = &engine.Target{ID: id.String, Name: name.String}
	}
	return s, errors.Join(err,
		enumeration("status", s.Status, s.Status.Known()),
		enumeration("outcome", s.Outcome, s.Outcome == "" || s.Outcome.Known()),
		enumeration("effect", s.Effect, s.Effect == "" || s.Effect.Known()))
}

// enumeration is an error where a value is none of those the program knows:
// whoever wrote it, it is not for us to guess what it means.
func enumeration[T ~string](name string, v T, known bool) error {
	if known {
		return nil
	}
	return fmt.Errorf("%w: the %s %q is unknown", ErrDamaged, name, v)
}

// asTime scans Unix microseconds.
type asTime struct{ to *time.Time }

// Scan is called by database/sql.
func (t asTime) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%w: a time is a %T", ErrDamaged, v)
	}
	*t.to = time.UnixMicro(n).UTC()
	return nil
}

// asOptionalTime scans Unix microseconds or NULL.
type asOptionalTime struct{ to **time.Time }

// Scan is called by database/sql.
func (t asOptionalTime) Scan(v any) error {
	if v == nil {
		*t.to = nil
		return nil
	}
	*t.to = new(time.Time)
	return asTime{*t.to}.Scan(v)
}

// fromJSON scans JSON; NULL leaves the target as it is.
func fromJSON[T any](to *T) sql.Scanner { return asJSON[T]{to} }

type asJSON[T any] struct{ to *T }

// Scan is called by database/sql.
func (j asJSON[T]) Scan(v any) error {
	if v == nil {
		return nil
	}
	data, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("%w: JSON is a %T", ErrDamaged, v)
	}
	if err := json.Unmarshal(data, j.to); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}
