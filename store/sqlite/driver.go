//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"fmt"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// available reports whether this binary contains SQLite.
func available() error { return nil }

// connect opens a connection. It does not reach the file yet.
func connect(dsn string) (driverConn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	dc, ok := c.(driverConn)
	if !ok {
		return nil, fmt.Errorf("the driver's connection is a %T", c)
	}
	return dc, nil
}

// codes are SQLite's result code and extended result code of an error; zero
// where it is not SQLite's.
func codes(err error) (code, extended int) {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return 0, 0
	}
	return int(e.Code), int(e.ExtendedCode)
}

// copyPages copies a whole database from one connection to another.
func copyPages(ctx context.Context, to, from conn) (err error) {
	target, ok1 := to.driverConn.(*sqlite3.SQLiteConn)
	source, ok2 := from.driverConn.(*sqlite3.SQLiteConn)
	if !ok1 || !ok2 {
		return fmt.Errorf("the driver's connections are a %T and a %T", to.driverConn, from.driverConn)
	}
	b, err := target.Backup("main", source, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for {
		done, err := b.Step(backupPages)
		if err != nil || done {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
