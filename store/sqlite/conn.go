package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// driverConn is what the driver's connection can do.
type driverConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	AutoCommit() bool // no transaction is open
}

// conn is one connection, used by one goroutine at a time. It goes to the
// driver directly: database/sql costs more than inserting a row does.
type conn struct{ driverConn }

// exec runs a script without arguments.
func (c conn) exec(script string) error {
	_, err := c.ExecContext(context.Background(), script, nil)
	return err
}

// rows runs a query and returns all it finds.
func (c conn) rows(query string, args ...any) ([][]driver.Value, error) {
	found, err := c.QueryContext(context.Background(), query, arguments(args...))
	if err != nil {
		return nil, err
	}
	out, err := drain(found)
	return out, errors.Join(err, found.Close())
}

func drain(found driver.Rows) ([][]driver.Value, error) {
	var out [][]driver.Value
	for {
		row := make([]driver.Value, len(found.Columns()))
		switch err := found.Next(row); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		out = append(out, row)
	}
}

// integer runs a query for one number.
func (c conn) integer(query string, args ...any) (int64, error) {
	found, err := c.rows(query, args...)
	if err != nil {
		return 0, err
	}
	if len(found) != 1 || len(found[0]) != 1 {
		return 0, fmt.Errorf("%q found %d rows", query, len(found))
	}
	n, ok := found[0][0].(int64)
	if !ok {
		return 0, fmt.Errorf("%q found a %T", query, found[0][0])
	}
	return n, nil
}

// statement is a prepared statement.
type statement struct {
	driver.Stmt
	query driver.StmtQueryContext
}

func (c conn) prepare(query string) (statement, error) {
	s, err := c.Prepare(query)
	if err != nil {
		return statement{}, fmt.Errorf("preparing %q: %w", query, err)
	}
	q, ok := s.(driver.StmtQueryContext)
	if !ok {
		return statement{}, fmt.Errorf("the driver's statement is a %T", s)
	}
	return statement{Stmt: s, query: q}, nil
}

// run carries the statement out and reports whether it found a row. It goes
// through the driver's query, which binds all arguments and steps in one call
// into C, where its exec makes one call for each argument.
func (s statement) run(args []driver.NamedValue) (found bool, err error) {
	rows, err := s.query.QueryContext(context.Background(), args)
	if err != nil {
		return false, err
	}
	err = rows.Next(nil)
	if errors.Is(err, io.EOF) {
		return false, rows.Close()
	}
	return err == nil, errors.Join(err, rows.Close())
}

// arguments numbers values that are of the driver's types already.
func arguments(values ...any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(values))
	for i, v := range values {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

// values are the values of numbered arguments.
func values(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i := range args {
		out[i] = args[i].Value
	}
	return out
}
