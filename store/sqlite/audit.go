package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const newestAudit = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"

// auditChain gives the entries of a batch their places behind the newest record.
// It is asked for anew with each batch: freezes are written by other processes.
type auditChain struct {
	read bool
	last engine.AuditRecord
}

// add makes the arguments of an operation that appends an entry.
func (c *auditChain) add(w *writer, op *operation) error {
	if !c.read {
		var err error
		if c.last, err = w.auditHead(); err != nil {
			return err
		}
		c.read = true
	}
	r := op.entry.Chained(c.last)
	hash, err := hex.DecodeString(r.Hash)
	if err != nil {
		return fmt.Errorf("chaining the audit trail: %w", err)
	}
	c.last = r
	op.args = arguments(int64(r.Seq), r.At.UnixMicro(), r.Actor.Name, r.Actor.Via, string(r.Verb), r.Object, optional(r.Detail), hash)
	return nil
}

// auditHead is where the trail ends: the sequence number and hash of the newest record.
func (w *writer) auditHead() (engine.AuditRecord, error) {
	var r engine.AuditRecord
	found, err := w.control.head.query.QueryContext(context.Background(), nil)
	if err != nil {
		return r, fmt.Errorf("reading the end of the audit trail: %w", err)
	}
	row := make([]driver.Value, 2)
	if err = found.Next(row); err == nil {
		r = headOf(row)
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	return r, errors.Join(err, found.Close())
}

func headOf(row []driver.Value) engine.AuditRecord {
	seq, _ := row[0].(int64)
	hash, _ := row[1].([]byte)
	return engine.AuditRecord{Seq: uint64(seq), Hash: hex.EncodeToString(hash)}
}

const auditColumns = `SELECT seq, at, actor, via, verb, object, detail, hash,
	(SELECT hash FROM audit before WHERE before.seq = audit.seq - 1) FROM audit`

// Audit lists the audit trail, oldest first.
func (s *Store) Audit(ctx context.Context, q engine.AuditQuery) ([]engine.AuditRecord, error) {
	var where clause
	where.add("seq > ?", int64(q.After))
	if !q.Since.IsZero() {
		where.add("at >= ?", q.Since.UnixMicro())
	}
	records, err := all(ctx, s, scanAudit, auditColumns+where.String()+" ORDER BY seq LIMIT ?", append(where.args, limit(q.Limit))...)
	return records, wrap(err, "reading the audit trail")
}

// AuditHead is the newest record of the audit trail.
func (s *Store) AuditHead(ctx context.Context) (engine.AuditRecord, error) {
	r, err := one(ctx, s, scanAudit, auditColumns+" ORDER BY seq DESC LIMIT 1")
	return r, wrap(err, "reading the end of the audit trail")
}

func scanAudit(rows *sql.Rows) (engine.AuditRecord, error) {
	var (
		r          engine.AuditRecord
		hash, prev []byte
	)
	err := rows.Scan(&r.Seq, asTime{&r.At}, &r.Actor.Name, &r.Actor.Via, &r.Verb, &r.Object, (*[]byte)(&r.Detail), &hash, &prev)
	r.Hash, r.Prev = hex.EncodeToString(hash), hex.EncodeToString(prev)
	return r, err
}
