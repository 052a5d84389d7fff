package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Usage is how much room a database takes, and what takes it.
type Usage struct {
	File  int64 // bytes of the database file
	WAL   int64 // bytes of the file beside it, that is put into the first from time to time
	Page  int64 // bytes of a page
	Pages int64
	Free  int64 // pages that hold nothing
	// Shrinks reports that Prune gives free pages back; else only Compact does.
	Shrinks bool
	Kinds   []Kind
	Oldest  *time.Time // when the oldest run was started; nil where there is none
}

// Kind is one kind of records.
type Kind struct {
	Name  string
	Rows  int64
	Bytes int64 // of their content, without keys and indexes
}

// Usage reads how much room the database takes. It reads all of it.
func (s *Store) Usage(ctx context.Context) (Usage, error) {
	u, err := s.usage(ctx)
	return u, wrap(err, "measuring the database")
}

func (s *Store) usage(ctx context.Context) (Usage, error) {
	var u Usage
	var err error
	if u.File, err = fileSize(s.path); err != nil {
		return u, err
	}
	if u.WAL, err = fileSize(s.path + "-wal"); err != nil {
		return u, err
	}
	for pragma, into := range map[string]*int64{"page_size": &u.Page, "page_count": &u.Pages, "freelist_count": &u.Free} {
		if *into, err = one(ctx, s, scanInteger, "PRAGMA "+pragma); err != nil {
			return u, err
		}
	}
	mode, err := one(ctx, s, scanInteger, "PRAGMA auto_vacuum")
	if err != nil {
		return u, err
	}
	u.Shrinks = mode == 2
	for _, k := range recordKinds() {
		kind, err := one(ctx, s, func(r *sql.Rows) (k Kind, err error) {
			err = r.Scan(&k.Rows, &k.Bytes)
			return k, err
		}, "SELECT count(*), coalesce(sum("+k.bytes+"), 0) FROM "+k.table)
		if err != nil {
			return u, fmt.Errorf("counting %s: %w", k.name, err)
		}
		kind.Name = k.name
		u.Kinds = append(u.Kinds, kind)
	}
	u.Oldest, err = one(ctx, s, func(r *sql.Rows) (at *time.Time, err error) {
		err = r.Scan(asOptionalTime{&at})
		return at, err
	}, "SELECT min(created_at) FROM run")
	return u, err
}

func scanInteger(r *sql.Rows) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

func fileSize(name string) (int64, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// recordKind is a table, what people call it, and how large one row of it is.
type recordKind struct{ name, table, bytes string }

func recordKinds() []recordKind {
	size := func(columns ...string) string {
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = "coalesce(octet_length(" + c + "), 0)"
		}
		return strings.Join(parts, " + ")
	}
	return []recordKind{
		{"runs", "run", size("id", "playbook", "inputs", "outputs", `"trigger"`, "error", "connections", "starters")},
		{"steps", "step", size("path", "form", "action", "target_id", "target_name", `"before"`, `"after"`, "arguments", "inverse", "why", "error")},
		{"items", "item", size("path", "key", "label", "error")},
		{"events", "event", size("kind", "data")},
		{"snapshots", "snapshot", size("data")},
		{"plans", `"plan"`, size("id", "inputs", "connections", "blocked")},
		{"answers", "answer", size("path", "arguments")},
		{"approvals", "approval", size("id", "title", `"by"`, "excluded", "votes")},
		{"freezes", "freeze", size("id", "reason", "thaw_reason")},
		{"values", "value", size("ref", "data")},
		{"bundles", "bundle", size("hash", "name", "data")},
		{"audit", "audit", size("actor", "via", "verb", "object", "detail", "hash")},
	}
}
