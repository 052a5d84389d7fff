// Package floor measures what the bare driver needs to write as much as a
// store did: the same rows, bytes, transactions and durability, with nothing
// around them. Benchmarks print the store's time beside it.
package floor

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver that is measured

	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// Table is where the bare driver inserts.
type Table string

const (
	// Keyed is the least from which the rows of a run can be read again: one
	// table with the run and a sequence number as its key.
	Keyed Table = "CREATE TABLE row (run INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID"
	// Appended has no key but the order of insertion. Nothing can write less,
	// and no run can be found again but by reading everything.
	Appended Table = "CREATE TABLE row (n INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL) STRICT"
)

// Insert makes a database in dir, inserts what the figures say through
// database/sql, spread evenly over so many runs and transactions, and returns
// how long the inserting took.
func Insert(ctx context.Context, dir string, table Table, load sqlite.Stats, runs int) (took time.Duration, err error) {
	if load.Transactions < 1 || load.Rows < load.Transactions || runs < 1 {
		return 0, fmt.Errorf("measuring the floor: %d rows of %d runs in %d transactions make no sense", load.Rows, runs, load.Transactions)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "floor.db")+
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=5000&_foreign_keys=1")
	if err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, string(table)); err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO row (run, seq, data) VALUES (?, ?, ?)")
	if err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	// Watching a context would cost the driver a goroutine for every row, and
	// the floor would not be one.
	return insertAll(context.WithoutCancel(ctx), db, insert, load, int64(runs))
}

func insertAll(ctx context.Context, db *sql.DB, insert *sql.Stmt, load sqlite.Stats, runs int64) (time.Duration, error) {
	data := bytes.Repeat([]byte("x"), int(max(0, load.Bytes/load.Rows-16))) // the two numbers count as eight each
	start := time.Now()
	for i := range load.Transactions {
		from, to := load.Rows*i/load.Transactions, load.Rows*(i+1)/load.Transactions
		if err := transaction(ctx, db, insert, data, from, to, runs); err != nil {
			return 0, fmt.Errorf("measuring the floor: %w", err)
		}
	}
	return time.Since(start), nil
}

func transaction(ctx context.Context, db *sql.DB, insert *sql.Stmt, data []byte, from, to, runs int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	statement := tx.StmtContext(ctx, insert) //nolint:sqlclosecheck // the transaction closes it
	for row := from; row < to; row++ {
		if _, err := statement.ExecContext(ctx, row%runs, row/runs, data); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
