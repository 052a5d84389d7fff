package sqlite

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// applicationID marks the file as ours: "DRWB".
const applicationID = 0x44525742

//go:embed migrations/*.sql
var embedded embed.FS

// migration takes a database from the version before to its own.
type migration struct {
	version  int
	name     string
	script   string
	checksum [sha256.Size]byte
}

// migrations reads the numbered scripts of a folder: 0001_name.sql, without gaps.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out []migration
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s is not number %d", name, i+1)
		}
		script, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{version: i + 1, name: name, script: string(script), checksum: sha256.Sum256(script)})
	}
	return out, nil
}

// inspect says of which version the database is; 0 means that nothing is in it
// yet. It writes nothing, so that what is not ours is left as it is.
func inspect(dsn string, known []migration) (version int, err error) {
	c, err := openConn(dsn, readerSettings())
	if err != nil {
		return 0, err
	}
	version, err = versionOf(c, known)
	return version, errors.Join(err, c.Close())
}

func versionOf(c conn, known []migration) (int, error) {
	id, err := c.integer("PRAGMA application_id")
	if err != nil {
		return 0, explain(err)
	}
	version, err := c.integer("PRAGMA user_version")
	if err != nil {
		return 0, explain(err)
	}
	objects, err := c.integer("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, explain(err)
	}
	switch {
	case id == 0 && version == 0 && objects == 0:
		return 0, nil
	case id != applicationID || version < 1:
		return 0, fmt.Errorf("%w, but of the application %#x", ErrForeign, id)
	case version > int64(len(known)):
		return 0, fmt.Errorf("%w: it is of version %d, and this one knows up to %d", ErrNewer, version, len(known))
	}
	return int(version), compareChecksums(c, known[:version])
}

// compareChecksums makes sure that the database was made by the same scripts.
func compareChecksums(c conn, applied []migration) error {
	rows, err := c.rows("SELECT checksum FROM migration ORDER BY version")
	if err != nil {
		return explain(err)
	}
	if len(rows) != len(applied) {
		return fmt.Errorf("%w: it records %d migrations and not %d", ErrChanged, len(rows), len(applied))
	}
	for i, m := range applied {
		if sum, ok := rows[i][0].([]byte); !ok || !bytes.Equal(sum, m.checksum[:]) {
			return fmt.Errorf("%w: %s is not what was applied", ErrChanged, m.name)
		}
	}
	return nil
}

// migrate brings the database from a version to the newest, in one transaction.
// What is in it is copied aside before; the copy goes when the migration fails
// and so leaves the database as it was.
func migrate(c conn, path string, from int, known []migration, now time.Time) error {
	if from == len(known) {
		return nil
	}
	aside := ""
	if from > 0 {
		aside = fmt.Sprintf("%s.v%d-%s.bak", path, from, now.UTC().Format("20060102T150405.000000Z"))
		if err := copyAside(c, aside); err != nil {
			return fmt.Errorf("copying the database aside: %w", explain(err))
		}
	}
	err := applyAll(c, known[from:], now)
	if err == nil {
		return nil
	}
	if !c.AutoCommit() {
		err = errors.Join(err, c.exec("ROLLBACK"))
	}
	if aside != "" {
		err = errors.Join(err, os.Remove(aside))
	}
	return err
}

func applyAll(c conn, pending []migration, now time.Time) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return explain(err)
	}
	if err := c.exec(`CREATE TABLE IF NOT EXISTS migration (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT`); err != nil {
		return explain(err)
	}
	for _, m := range pending {
		if err := m.apply(c, now); err != nil {
			return fmt.Errorf("applying %s: %w", m.name, explain(err))
		}
	}
	return explain(c.exec("COMMIT"))
}

func (m migration) apply(c conn, now time.Time) error {
	if err := c.exec(m.script); err != nil {
		return err
	}
	if _, err := c.rows("INSERT INTO migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
		int64(m.version), m.name, m.checksum[:], now.UnixMicro()); err != nil {
		return err
	}
	return c.exec(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, m.version))
}

// copyAside writes a copy of the database that only its owner can read, and
// waits until it is on the disk.
func copyAside(c conn, target string) error {
	f, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_RDWR, private)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	_, err = c.rows("VACUUM INTO ?", target)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
