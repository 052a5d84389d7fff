package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Mode is what a database is opened for.
type Mode int

const (
	// ReadOnly takes no lock and writes nothing to the database. It also works
	// while an engine has it open, and after one was killed. This is the default.
	ReadOnly Mode = iota
	// Engine takes the lock, creates the database where there is none,
	// migrates it where it is older, and writes.
	Engine
	// Beside writes a little beside an engine, which may have the database open.
	// It takes no lock, creates and migrates nothing, and reads like ReadOnly.
	// What it may write are freezes and holds: no engine keeps in memory what they say.
	Beside
)

// Options says how to open a database.
type Options struct {
	Mode Mode
	// Command is what others are told has the database open, such as
	// "drawbridge run contain". It is stored: no arguments that may be secret.
	Command string

	migrations fs.FS // in tests; those embedded when nil
	maxPages   int   // in tests: the size at which the disk is "full"; 0 for none
}

// Store is an engine.Store in a SQLite file. Make one with Open.
type Store struct {
	path    string
	mode    Mode
	epoch   int64
	dsn     string // how its readers open it
	readers *sql.DB
	writer  *writer   // nil when opened ReadOnly
	lock    *fileLock // nil unless opened as Engine

	pruning  sync.Mutex // held by the one who prunes
	closed   atomic.Bool
	close    sync.Once
	closeErr error
}

var _ engine.Store = (*Store)(nil)

// Open opens the database at a path. Opened as Engine a second time, by
// whomever, the error is engine.ErrLocked and says who has it; opened ReadOnly or
// Beside where there is none, it is engine.ErrNotFound. The other errors are
// those of this package.
func Open(path string, o Options) (*Store, error) {
	if err := available(); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	name, err := canonical(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, err)
	}
	s := &Store{path: name, mode: o.Mode}
	if err := s.open(o); err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, errors.Join(err, s.abort()))
	}
	return s, nil
}

func (s *Store) open(o Options) error {
	known, err := o.known()
	if err != nil {
		return err
	}
	switch o.Mode {
	case Engine:
		return s.openToWrite(o, known)
	case Beside:
		return s.openBeside(o, known)
	default:
		return s.openToRead(known)
	}
}

func (o Options) known() ([]migration, error) {
	if o.migrations != nil {
		return migrations(o.migrations)
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	return migrations(files)
}

func (s *Store) openToRead(known []migration) error {
	dsn, err := s.examine(known)
	if err != nil {
		return err
	}
	s.dsn = dsn
	s.readers = openReaders(s.dsn)
	return nil
}

// examine makes sure that the database is there, ours and of the newest
// version, without writing to it, and says how to open it for reading.
func (s *Store) examine(known []migration) (dsn string, err error) {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no database yet: %w", engine.ErrNotFound)
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrUnopenable, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: it is no regular file", ErrForeign)
	}
	if err := recognize(s.path); err != nil {
		return "", err
	}
	dsn = readerDSN(s.path, false)
	version, err := inspect(dsn, known)
	if (errors.Is(err, ErrUnopenable) || errors.Is(err, ErrUnwritable)) && settled(s.path) {
		// SQLite wants files beside the database even to read it, and may not
		// create them here. As all is in the main file, it does without.
		dsn = readerDSN(s.path, true)
		version, err = inspect(dsn, known)
	}
	switch {
	case err != nil:
		return "", err
	case version == 0:
		return "", fmt.Errorf("the database is empty: %w", engine.ErrNotFound)
	case version < len(known):
		return "", fmt.Errorf("%w (version %d, this one is %d)", ErrOlder, version, len(known))
	}
	return dsn, nil
}

func (s *Store) openBeside(o Options, known []migration) error {
	if _, err := s.examine(known); err != nil {
		return err
	}
	c, err := openConn(besideDSN(s.path), writerSettings())
	if err != nil {
		return err
	}
	if err := c.exec(tuning(o.maxPages) + ";" + besideTuning); err != nil {
		return errors.Join(explain(err), c.Close())
	}
	if s.writer, err = newWriter(c, sameVersion(len(known)), besidePatience); err != nil {
		return errors.Join(explain(err), c.Close())
	}
	s.dsn = readerDSN(s.path, false)
	s.readers = openReaders(s.dsn)
	return nil
}

func (s *Store) openToWrite(o Options, known []migration) error {
	now := time.Now()
	me := Holder{PID: os.Getpid(), Command: o.Command, Started: now.UTC()}
	me.Host, _ = os.Hostname() // only shown; the pid says enough where the name is unknown
	if me.Command == "" {
		me.Command = "an engine"
	}
	var err error
	if s.lock, err = acquire(s.path, me); err != nil {
		return err
	}
	if err := recognize(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makePrivate(s.path); err != nil {
		return err
	}
	version, err := inspect(readerDSN(s.path, settled(s.path)), known)
	if err != nil {
		return err
	}
	c, err := openConn(writerDSN(s.path), writerSettings())
	if err != nil {
		return err
	}
	if err := s.prepare(c, o, version, known, me); err != nil {
		return errors.Join(err, c.Close())
	}
	s.dsn = readerDSN(s.path, false)
	s.readers = openReaders(s.dsn)
	return syncDir(filepath.Dir(s.path))
}

// prepare makes an open connection the writer's.
func (s *Store) prepare(c conn, o Options, version int, known []migration, me Holder) error {
	if err := c.exec(tuning(o.maxPages)); err != nil {
		return explain(err)
	}
	if err := migrate(c, s.path, version, known, me.Started); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	var err error
	if s.epoch, err = own(c, me); err != nil {
		return explain(err)
	}
	s.writer, err = newWriter(c, sameOwner(s.epoch), 0)
	return explain(err)
}

// own makes the holder the owner of the database and returns its epoch.
func own(c conn, me Holder) (int64, error) {
	return c.integer(`INSERT INTO owner (one, epoch, pid, host, command, started) VALUES (1, 1, ?1, ?2, ?3, ?4)
		ON CONFLICT (one) DO UPDATE SET epoch = epoch + 1, pid = ?1, host = ?2, command = ?3, started = ?4
		RETURNING epoch`, int64(me.PID), me.Host, me.Command, me.Started.UnixMicro())
}

// Epoch counts the engines that opened the database, up to this one; 0 when it
// was not opened as Engine.
func (s *Store) Epoch() int64 { return s.epoch }

// Path is the file, absolute and without symbolic links.
func (s *Store) Path() string { return s.path }

// Stats is what was written since the store was opened.
func (s *Store) Stats() Stats {
	if s.writer == nil {
		return Stats{}
	}
	return s.writer.stats.read()
}

// Commit writes a batch. See engine.Store; on a store opened ReadOnly it is
// ErrReadOnly, and on one opened Beside ErrBeside for all but freezes and holds.
func (s *Store) Commit(ctx context.Context, b engine.Batch) error {
	if err := s.commit(ctx, b); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

func (s *Store) commit(ctx context.Context, b engine.Batch) error {
	if s.writer == nil {
		return ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	ops, err := encode(b)
	if err != nil {
		return err
	}
	if s.mode == Beside && !orders(b, ops) {
		return ErrBeside
	}
	return s.writer.submit(ctx, ops)
}

// orders reports whether a batch writes freezes and holds, and their audit entries.
func orders(b engine.Batch, ops []operation) bool {
	return len(b.Audit) <= len(b.Freezes)+len(b.Holds) && !slices.ContainsFunc(ops, func(op operation) bool {
		return op.kind != putFreeze && op.kind != putHold && op.kind != addAudit
	})
}

// Close finishes the commits under way and gives the database free.
func (s *Store) Close() error {
	s.close.Do(func() { s.closeErr = s.abort() })
	if s.closeErr != nil {
		return fmt.Errorf("closing the database: %w", s.closeErr)
	}
	return nil
}

// abort closes whatever is open. The writing connection is the last but for
// the lock, so that it can put everything into the main file.
func (s *Store) abort() error {
	var errs []error
	if s.writer != nil {
		s.writer.close()
		s.pruning.Lock() // whoever prunes finds the writer closed, and its connection goes
		defer s.pruning.Unlock()
	}
	s.closed.Store(true)
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, explain(s.writer.finalize()))
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}
