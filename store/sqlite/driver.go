//go:build cgo

package sqlite

import (
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
