//go:build !cgo

package sqlite

import "context"

// available reports whether this binary contains SQLite: not this one.
func available() error { return ErrNoCgo }

func connect(string) (driverConn, error) { return nil, ErrNoCgo }

func codes(error) (code, extended int) { return 0, 0 }

func copyPages(context.Context, conn, conn) error { return ErrNoCgo }
