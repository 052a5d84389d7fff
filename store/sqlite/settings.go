package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"time"
)

// readers is how many reads go on at once; more would only wait for the disk.
const readers = 4

// writerDSN opens an engine's connection, the only one of it that writes.
func writerDSN(path string) string { return dsn(path, writing()) }

// besideDSN opens a connection that writes to a database that is there.
func besideDSN(path string) string {
	values := writing()
	values.Set("mode", "rw")
	return dsn(path, values)
}

// keeperDSN opens a connection that removes what nobody refers to any more.
func keeperDSN(path string) string {
	values := writing()
	values.Set("mode", "rw")
	values.Set("_foreign_keys", "0")
	return dsn(path, values)
}

func keeperSettings() []setting {
	return []setting{{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "0"}}
}

// keeperTuning lets the keeper wait for nobody for long: who commits waits for it.
const keeperTuning = `PRAGMA busy_timeout = 20; PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 16777216;
	PRAGMA wal_autocheckpoint = 4000`

func writing() url.Values {
	return url.Values{
		"_auto_vacuum":  {"incremental"}, // so that retention can give space back without rewriting the file
		"_journal_mode": {"WAL"},
		"_txlock":       {"immediate"},
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
	}
}

// copying opens a file that a copy is written to: it is flushed when it is
// complete, and removed where it is not.
func copying() url.Values {
	return url.Values{"mode": {"rw"}, "_journal_mode": {"OFF"}, "_synchronous": {"OFF"}}
}

// readerDSN opens a connection that cannot write. An immutable one needs no
// files beside the database, and must not be used while somebody writes.
func readerDSN(path string, immutable bool) string {
	values := url.Values{"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}}
	if immutable {
		values.Set("immutable", "1")
	}
	return dsn(path, values)
}

func dsn(path string, values url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

// setting is a PRAGMA and the value it must have.
type setting struct {
	name string
	want string
}

func writerSettings() []setting {
	return []setting{
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL
		{"foreign_keys", "1"},
		{"busy_timeout", "5000"},
		{"query_only", "0"},
	}
}

// tuning makes the writer fast and nothing less safe: the WAL goes into the main
// file every 4000 pages (16 MiB), and is cut back to that after a burst.
func tuning(maxPages int) string {
	script := `PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192`
	if maxPages > 0 {
		script += fmt.Sprintf("; PRAGMA max_page_count = %d", maxPages)
	}
	return script
}

// What a writer beside an engine waits for its turn. SQLite looks ever more
// rarely whether the database is free, and would overlook the moments between the
// transactions of an engine at work: it is let wait in short turns, many times.
const (
	besidePatience = 30 * time.Second
	besideTuning   = "PRAGMA busy_timeout = 5"
)

func readerSettings() []setting {
	return []setting{{"query_only", "1"}, {"busy_timeout", "5000"}}
}

// verify reads settings back: an unknown key of a DSN is ignored, and a file
// system without shared memory answers WAL with another mode.
func verify(c conn, settings []setting) error {
	for _, s := range settings {
		rows, err := c.rows("PRAGMA " + s.name)
		if err != nil {
			return fmt.Errorf("reading the setting %s: %w", s.name, explain(err))
		}
		if len(rows) != 1 || fmt.Sprint(text(rows[0][0])) != s.want {
			return fmt.Errorf("%w: %s is %v and not %s", ErrSettings, s.name, rows, s.want)
		}
	}
	return nil
}

// text is a driver's value without the difference between text and bytes.
func text(v driver.Value) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

// openConn opens a connection and makes sure of its settings.
func openConn(dsn string, settings []setting) (conn, error) {
	raw, err := connect(dsn)
	if err != nil {
		return conn{}, explain(err)
	}
	c := conn{raw}
	if err := verify(c, settings); err != nil {
		_ = c.Close() // nothing was done with it
		return conn{}, err
	}
	return c, nil
}

// connector makes the connections of the read pool.
type connector struct{ dsn string }

// Connect opens one connection of the pool.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	opened, err := openConn(c.dsn, readerSettings())
	if err != nil {
		return nil, err
	}
	return opened.driverConn, nil
}

// Driver is not used by the pool.
func (c connector) Driver() driver.Driver { return nil }

// openReaders makes the pool for reading.
func openReaders(dsn string) *sql.DB {
	db := sql.OpenDB(connector{dsn})
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return db
}
