package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Permissions: nobody but the owner reads what happened to whose account.
const (
	private fs.FileMode = 0o600
	others  fs.FileMode = 0o077
)

// canonical is the one name of a database, whatever links lead to it: two
// names would mean two locks.
func canonical(path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("%w: no path is given", ErrUnopenable)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		return resolved, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnopenable, err)
	}
	return filepath.Join(dir, filepath.Base(abs)), nil
}

// makePrivate creates the file for its owner only, before SQLite would create
// it for everybody, and tightens the permissions of files that exist.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, private)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := tighten(name); err != nil {
			return err
		}
	}
	return nil
}

func tighten(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnopenable, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is no regular file", ErrForeign, path)
	case info.Mode().Perm()&others == 0:
		return nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&^others); err != nil {
		return fmt.Errorf("%w: it has the permissions %v; run: chmod go= %s (%w)", ErrPermissions, info.Mode().Perm(), path, err)
	}
	return nil
}

// recognize makes sure that a file is empty or looks like SQLite's, which
// itself takes some short files for empty ones and would write over them.
func recognize(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnopenable, err)
	}
	defer f.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	if n == 0 && errors.Is(err, io.EOF) || string(head) == magic {
		return nil
	}
	return ErrForeign
}

// settled reports whether everything is in the main file, so that it can be
// read without the files beside it.
func settled(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// syncDir makes the names of new files in the folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
