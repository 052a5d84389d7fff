package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists means that a file is there already that would be written over.
var ErrExists = errors.New("the file exists already")

// Backup writes a copy of the database to a new file that only its owner can
// read, and returns once it is on the disk. It is the database as it was at one
// moment; an engine may go on writing meanwhile. Where it fails, no file stays.
func (s *Store) Backup(ctx context.Context, target string) error {
	if err := s.backup(ctx, target); err != nil {
		return fmt.Errorf("backing up to %s: %w", target, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, target string) error {
	f, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_RDWR, private)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	err = errors.Join(s.copyTo(ctx, target), f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(target))
	}
	return syncDir(filepath.Dir(target))
}

// backupPages is how many pages are copied between two looks at the context.
const backupPages = 2048

// copyTo copies within one reading transaction, so that what is written
// meanwhile neither shows nor makes the copy begin anew.
func (s *Store) copyTo(ctx context.Context, target string) (err error) {
	name, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	from, err := openConn(s.dsn, readerSettings())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, explain(from.Close())) }()
	if err := from.exec("BEGIN; SELECT count(*) FROM sqlite_schema"); err != nil {
		return explain(err)
	}
	to, err := openConn(dsn(name, copying()), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, explain(to.Close())) }()
	return explain(copyPages(ctx, to, from))
}
