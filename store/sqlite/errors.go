package sqlite

import (
	"errors"
	"fmt"
)

// Errors of opening and writing a database. Those of the port are in package engine.
var (
	// ErrNoCgo means that the binary was built without C and so without SQLite.
	ErrNoCgo = errors.New("this binary was built without SQLite: build it with CGO_ENABLED=1 and a C compiler")
	// ErrForeign means that the file is something else; it is left untouched.
	ErrForeign = errors.New("the file is not a Drawbridge database")
	// ErrNewer means that a newer Drawbridge wrote the database; it is left untouched.
	ErrNewer = errors.New("the database was written by a newer Drawbridge")
	// ErrOlder means that a command that only reads, or writes beside an engine,
	// met a database that an engine has to migrate first.
	ErrOlder = errors.New("the database was written by an older Drawbridge: the next run migrates it")
	// ErrChanged means that the database was migrated by other statements than
	// this binary contains for the same version.
	ErrChanged = errors.New("the database was migrated differently from what this Drawbridge does")
	// ErrReadOnly means a write to a store that was opened to read.
	ErrReadOnly = errors.New("the store was opened to read only")
	// ErrBeside means a write of something else than freezes and holds to a
	// store that was opened beside an engine.
	ErrBeside = errors.New("beside an engine only freezes and holds are written")
	// ErrUnwritable means that the system does not let the database be written.
	ErrUnwritable = errors.New("the database cannot be written: its file or folder is read-only: let the user that runs this write there")
	// ErrUnopenable means that the system does not let the database be opened.
	ErrUnopenable = errors.New("the database cannot be opened: its file or folder is missing or not accessible")
	// ErrPermissions means that others may read the database and that this cannot be mended.
	ErrPermissions = errors.New("the database can be read by others")
	// ErrFull means that the disk is full. Commits work again when it no longer is.
	ErrFull = errors.New("the disk is full: make room, and it goes on")
	// ErrBusy means that another program kept the database locked for seconds.
	ErrBusy = errors.New("another program keeps the database locked")
	// ErrDamaged means that what is in the file makes no sense.
	ErrDamaged = errors.New("the database is damaged")
	// ErrDisk means that reading or writing the disk failed. A store that met
	// it when writing has to be opened again.
	ErrDisk = errors.New("the disk failed: look after it, and start again")
	// ErrSettings means that SQLite did not take a setting that durability or
	// integrity depend on.
	ErrSettings = errors.New("the database refuses a setting")
)

// SQLite's result codes, of which it promises that they never change.
const (
	codeBusy       = 5
	codeReadOnly   = 8
	codeIO         = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeConstraint = 19
	codeNotADB     = 26
)

// explain says what an error of SQLite means to the one who reads it.
func explain(err error) error {
	code, _ := codes(err)
	var meaning error
	switch code {
	case codeBusy:
		meaning = ErrBusy
	case codeReadOnly:
		meaning = ErrUnwritable
	case codeIO:
		meaning = ErrDisk
	case codeCorrupt:
		meaning = ErrDamaged
	case codeFull:
		meaning = ErrFull
	case codeCantOpen:
		meaning = ErrUnopenable
	case codeNotADB:
		meaning = ErrForeign
	default:
		return err
	}
	return fmt.Errorf("%w (%w)", meaning, err)
}

// fatal reports whether nothing may be written after the error: whether the
// last transaction is on the disk is known only after opening it again.
func fatal(err error) bool {
	code, _ := codes(err)
	return code == codeIO || code == codeCorrupt || code == codeNotADB
}
