// Package sqlite keeps runs in one SQLite file: the store of a single machine.
//
// # Durability
//
// The file is in WAL mode with synchronous=FULL: what Commit returned for
// survives kill -9 and a power failure. One goroutine writes. Commits that wait
// for it at the same time share a transaction, and so a disk flush; where that
// transaction fails each is written alone, so one that fails takes no other
// with it. After a
// failure of the disk under a commit the store writes nothing more until it is
// opened again, because only then it is known what is on the disk.
//
// # One engine
//
// A database has one engine at a time, held apart by a lock on the file beside
// it, PATH.lock, which the system releases when the process ends, however it
// ends. Should somebody delete that file, the epoch in the table "owner", which
// every engine counts up, stops the older one at its next commit. Commands that
// only read open the store ReadOnly: they take no lock and never write to the
// database, also while an engine runs and after one was killed.
//
// # Beside an engine
//
// A freeze or a hold must reach an engine that has the database open, so the
// command that writes it opens the store Beside: it takes no lock, creates and
// migrates nothing, and its transactions and the engine's wait for each other. It
// may write freezes and holds and nothing else: an engine asks for them anew
// before every change, whereas it takes what is recorded of runs to be as it
// wrote it last.
//
// # Files
//
// PATH, PATH-wal and PATH-shm are created for their owner only; an engine
// tightens the permissions of existing ones, and refuses to start where it may
// not. A database of an older version is copied to PATH.vN-TIME.bak before it
// is migrated, in one transaction; one of a newer version is left untouched.
package sqlite
