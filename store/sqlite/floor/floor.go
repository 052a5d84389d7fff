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

// Insert makes a database in dir, inserts what the figures say into one plain
// table through database/sql, in as many transactions of equal size, and
// returns how long the inserting took.
func Insert(ctx context.Context, dir string, load sqlite.Stats) (took time.Duration, err error) {
	if load.Transactions < 1 || load.Rows < load.Transactions {
		return 0, fmt.Errorf("measuring the floor: %d rows in %d transactions make no sense", load.Rows, load.Transactions)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "floor.db")+
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=5000&_foreign_keys=1")
	if err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE row (n INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"); err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO row (data) VALUES (?)")
	if err != nil {
		return 0, fmt.Errorf("measuring the floor: %w", err)
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	return insertAll(db, insert, load)
}

func insertAll(db *sql.DB, insert *sql.Stmt, load sqlite.Stats) (time.Duration, error) {
	data := bytes.Repeat([]byte("x"), int(load.Bytes/load.Rows))
	start := time.Now()
	for i := range load.Transactions {
		rows := load.Rows*(i+1)/load.Transactions - load.Rows*i/load.Transactions
		if err := transaction(db, insert, data, rows); err != nil {
			return 0, fmt.Errorf("measuring the floor: %w", err)
		}
	}
	return time.Since(start), nil
}

// transaction has no context: watching one would cost the driver a goroutine
// for every row, and the floor would not be one.
func transaction(db *sql.DB, insert *sql.Stmt, data []byte, rows int64) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	statement := tx.Stmt(insert)
	for range rows {
		if _, err := statement.Exec(data); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
