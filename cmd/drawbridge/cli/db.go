package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

func (a *app) dbCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "The database: how large it is, what may go, copies, and whether it is intact",
		Long: `Looks after the database. "stats", "backup" and "check" only read, and work while
an engine has it open; "prune" is then carried out by drawbridge serve.`,
		Example: `  drawbridge db stats
  drawbridge db prune --dry-run
  drawbridge db backup /backup/drawbridge-monday.db`,
	}
	cmd.AddCommand(a.dbStatsCommand(), a.dbPruneCommand(), a.dbBackupCommand(), a.dbCheckCommand())
	return cmd
}

// readDatabase opens the database for a command that only reads it, and closes
// it when that is done.
func (a *app) readDatabase(read func(*sqlite.Store) error) error {
	if a.house != nil {
		return read(a.house.rt.file)
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	store, err := sqlite.Open(a.database(conf), sqlite.Options{Mode: sqlite.ReadOnly})
	if errors.Is(err, engine.ErrNotFound) {
		return usage("there is no database %s yet", a.database(conf))
	}
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // it was only read
	return read(store)
}

func (a *app) dbStatsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stats", Short: "How large the database is, and what takes the room", Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			return a.readDatabase(func(store *sqlite.Store) error { return a.dbStats(ctx, store) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
}

// statsDocument is what db stats prints with -o json. Sizes are in bytes.
type statsDocument struct {
	Path    string         `json:"path"`
	File    int64          `json:"file"`
	WAL     int64          `json:"wal"`
	Free    int64          `json:"free"`
	Shrinks bool           `json:"shrinks"`
	Oldest  *string        `json:"oldest_run"`
	Kinds   []kindDocument `json:"kinds"`
}

type kindDocument struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

func (a *app) dbStats(ctx context.Context, store *sqlite.Store) error {
	u, err := store.Usage(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		doc := statsDocument{Path: store.Path(), File: u.File, WAL: u.WAL, Free: u.Free * u.Page, Shrinks: u.Shrinks, Oldest: stampOf(u.Oldest)}
		for _, k := range u.Kinds {
			doc.Kinds = append(doc.Kinds, kindDocument(k))
		}
		return a.print(doc)
	}
	fmt.Fprintf(a.stdout, "%s: %s, %s beside it in the WAL, %s of it free\n", screen.Clean(store.Path(), 200),
		config.FormatSize(u.File), config.FormatSize(u.WAL), config.FormatSize(u.Free*u.Page))
	if u.Oldest != nil {
		fmt.Fprintf(a.stdout, "the oldest run was started at %s\n", u.Oldest.UTC().Format(time.DateTime))
	}
	if !u.Shrinks {
		a.say("%s the file does not shrink by itself: run %s once", a.palette.Warn("note:"), a.command("db prune --compact"))
	}
	fmt.Fprintln(a.stdout)
	var rows [][]string
	for _, k := range u.Kinds {
		rows = append(rows, []string{k.Name, strconv.FormatInt(k.Rows, 10), config.FormatSize(k.Bytes)})
	}
	return a.table([]string{"KIND", "ROWS", "CONTENT"}, rows, "nothing")
}

func (a *app) dbBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Copy the database as it is now, also while an engine writes",
		Long: `Writes a copy of the database to a new file that only you can read. It is the
database at one moment, whatever is written meanwhile. A file that is there
already is never written over. To restore, put the copy in the database's place
while no engine runs, and remove the files NAME-wal and NAME-shm beside it.`,
		Example: "  drawbridge db backup /backup/drawbridge-monday.db",
		Args:    cobra.ExactArgs(1),
		RunE: work(func(ctx context.Context, args []string) error {
			return a.readDatabase(func(store *sqlite.Store) error { return a.dbBackup(ctx, store, args[0]) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
}

func (a *app) dbBackup(ctx context.Context, store *sqlite.Store, target string) error {
	err := store.Backup(ctx, target)
	if errors.Is(err, sqlite.ErrExists) {
		return usage("%s is there already, and is not written over: name a new file", target)
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.print(map[string]any{"file": target})
	}
	fmt.Fprintf(a.stdout, "The database is copied to %s\n", screen.Clean(target, 200))
	return nil
}

func (a *app) dbCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Find out whether the database is intact",
		Long: `Reads all of the database: whether SQLite finds it intact, whether everything
is there that is referred to, whether each stored value is the one that was
stored, and whether the audit trail is unbroken. It ends with 1 where not.`,
		Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			return a.readDatabase(func(store *sqlite.Store) error { return a.dbCheck(ctx, store) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
}

func (a *app) dbCheck(ctx context.Context, store *sqlite.Store) error {
	v, err := store.Check(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.print(map[string]any{
			"intact": len(v.Problems) == 0, "values": v.Values, "audit_records": v.Records, "problems": documentsOf(v.Problems, same),
		})
	} else {
		for _, p := range v.Problems {
			fmt.Fprintf(a.stdout, "%s %s: %s\n", a.palette.Bad("problem:"), p.Where, screen.Clean(p.Message, 300))
		}
		fmt.Fprintf(a.stdout, "%d values and %d audit records were checked: %s\n", v.Values, v.Records, verdictOn(len(v.Problems)))
	}
	if err == nil && len(v.Problems) > 0 {
		return quit(exitFailed)
	}
	return err
}

func verdictOn(problems int) string {
	switch problems {
	case 0:
		return "the database is intact"
	case 1:
		return "1 problem"
	default:
		return fmt.Sprintf("%d problems", problems)
	}
}
