package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Problem is something in a database that is not as it must be.
type Problem struct {
	Where   string `json:"where"` // structure, references, values or audit
	Message string `json:"message"`
}

// Verification is what a Check has looked at and found.
type Verification struct {
	Values   int64     // whose bytes were hashed
	Records  uint64    // of the audit trail
	Problems []Problem // at most mostProblems of each kind
}

// mostProblems is how many problems of a kind are named: more say nothing new.
const mostProblems = 100

// Check reads the whole database and looks whether SQLite finds it intact,
// whether everything is there that is referred to, whether the bytes of each
// value are those its reference names, and whether the audit trail is unbroken.
func (s *Store) Check(ctx context.Context) (Verification, error) {
	v := &Verification{}
	for _, look := range []func(context.Context, *Verification) error{s.checkStructure, s.checkReferences, s.checkValues, s.checkAudit} {
		if err := look(ctx, v); err != nil {
			return *v, fmt.Errorf("checking the database: %w", err)
		}
	}
	return *v, nil
}

func (v *Verification) add(where, format string, args ...any) {
	v.Problems = append(v.Problems, Problem{Where: where, Message: fmt.Sprintf(format, args...)})
}

func (s *Store) checkStructure(ctx context.Context, v *Verification) error {
	lines, err := all(ctx, s, func(r *sql.Rows) (line string, err error) {
		err = r.Scan(&line)
		return line, err
	}, fmt.Sprintf("PRAGMA integrity_check(%d)", mostProblems))
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign) {
		v.add("structure", "%v", err)
		return nil
	}
	for _, line := range lines {
		if line != "ok" {
			v.add("structure", "%s", line)
		}
	}
	return err
}

// checkReferences leaves out the parts of runs that are being removed.
func (s *Store) checkReferences(ctx context.Context, v *Verification) error {
	left, err := one(ctx, s, scanInteger, "SELECT count(*) FROM doomed")
	if err != nil {
		return err
	}
	type broken struct{ table, parent string }
	found, err := all(ctx, s, func(r *sql.Rows) (b broken, err error) {
		var row, key sql.NullInt64
		err = r.Scan(&b.table, &row, &b.parent, &key)
		return b, err
	}, "SELECT * FROM pragma_foreign_key_check")
	counts := map[broken]int{}
	for _, b := range found {
		if left == 0 || b.parent != "run" {
			counts[b]++
		}
	}
	for b, n := range counts {
		v.add("references", "%d records of %s refer to a %s that is not there", n, b.table, b.parent)
	}
	return err
}

// valueCheck hashes the parts of one value after the other.
type valueCheck struct {
	report *Verification
	ref    string
	parts  int64
	sum    hash.Hash
	wrong  int
}

func (s *Store) checkValues(ctx context.Context, v *Verification) error {
	c := &valueCheck{report: v}
	type part struct {
		ref  string
		n    int64
		data []byte
	}
	for ref := ""; ; {
		page, err := all(ctx, s, func(r *sql.Rows) (p part, err error) {
			err = r.Scan(&p.ref, &p.n, &p.data)
			return p, err
		}, "SELECT ref, part, data FROM value WHERE (ref, part) > (?, ?) ORDER BY ref, part LIMIT 64", ref, c.parts-1)
		if err != nil {
			return err
		}
		for _, p := range page {
			c.part(p.ref, p.n, p.data)
			ref = p.ref
		}
		if len(page) == 0 {
			c.end()
			return nil
		}
	}
}

func (c *valueCheck) part(ref string, n int64, data []byte) {
	if ref != c.ref {
		c.end()
		c.ref, c.parts, c.sum = ref, 0, sha256.New()
	}
	if n == c.parts {
		c.sum.Write(data)
	}
	c.parts = n + 1
}

func (c *valueCheck) end() {
	if c.sum == nil {
		return
	}
	c.report.Values++
	if hex.EncodeToString(c.sum.Sum(nil)) == c.ref {
		return
	}
	if c.wrong++; c.wrong <= mostProblems {
		c.report.add("values", "the value %.12s… is not the one that was stored", c.ref)
	}
}

func (s *Store) checkAudit(ctx context.Context, v *Verification) error {
	report, err := engine.VerifyAudit(ctx, s, "")
	v.Records = report.Records
	for _, f := range report.Faults {
		v.add("audit", "record %d: %s", f.Seq, f.Message)
	}
	return err
}
