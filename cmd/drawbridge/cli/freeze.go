package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

func (a *app) freezeCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "freeze",
		Short: "Stop every change at once, in every process",
		Long: `Stops all changes of all runs that use this database, also of those under way:
the one that is being made ends, and no other begins. Taking back access that
was given goes on. It holds until another person ends it with "drawbridge thaw".
It works while an engine has the database open, and with a configuration that
has errors.`,
		Example: `  drawbridge freeze --reason "INC-4711: the directory is being restored"`,
		Args:    cobra.NoArgs,
		RunE:    work(func(ctx context.Context, _ []string) error { return a.freeze(ctx, reason) }),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everybody whose runs stop")
	return cmd
}

func (a *app) thawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "thaw",
		Short: "End a freeze; it takes another person than the one who froze",
		Long: `Lets changes be made again. Runs that were blocked meanwhile stay so: start
them anew. Who one is, is the operating-system user, whom the configuration's
"people:" maps to a person.`,
		Example: `  drawbridge thaw --reason "restored and checked"`,
		Args:    cobra.NoArgs,
		RunE:    work(func(ctx context.Context, _ []string) error { return a.thaw(ctx, reason) }),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return cmd
}

// freezeDocument is what freeze and thaw print with -o json.
type freezeDocument struct {
	ID         string        `json:"id"`
	Reason     string        `json:"reason"`
	By         engine.Actor  `json:"by"`
	At         string        `json:"at"`
	ThawedBy   *engine.Actor `json:"thawed_by"`
	ThawReason string        `json:"thaw_reason"`
	ThawedAt   *string       `json:"thawed_at"`
}

func documentOfFreeze(f engine.Freeze) freezeDocument {
	return freezeDocument{
		ID: f.ID, Reason: f.Reason, By: f.By, At: stamp(f.At), ThawedBy: f.ThawedBy, ThawReason: f.ThawReason, ThawedAt: stampOf(f.ThawedAt),
	}
}

func (a *app) freeze(ctx context.Context, reason string) error {
	if err := needsReason(reason); err != nil {
		return err
	}
	conf := a.whateverConfig()
	if _, err := a.secrets(ctx, conf); err != nil { // so that no secret gets into the reason
		return err
	}
	store, err := a.beside(conf) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	f, err := a.recordFreeze(ctx, store, reason)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	if a.json() {
		return a.print(documentOfFreeze(f))
	}
	fmt.Fprintf(a.stdout, "%s since %s, by %s: %s\n", a.palette.Warn("Changes are frozen"), f.At.UTC().Format(time.RFC3339), screen.Clean(f.By.Name, 60), screen.Clean(f.Reason, 300))
	fmt.Fprintf(a.stdout, "for all runs of %s; another person ends it with %s\n", a.database(conf), a.command("thaw"))
	return nil
}

// recordFreeze writes a freeze, unless one holds already.
func (a *app) recordFreeze(ctx context.Context, store engine.Store, reason string) (engine.Freeze, error) {
	f, err := store.Frozen(ctx)
	if !errors.Is(err, engine.ErrNotFound) {
		if err == nil {
			a.say("%s a freeze held already", a.palette.Warn("note:"))
		}
		return f, err
	}
	id, err := ulid.New(ulid.Timestamp(a.now()), rand.Reader)
	if err != nil {
		return f, fmt.Errorf("making an id: %w", err)
	}
	f = engine.Freeze{ID: "frz_" + strings.ToLower(id.String()), Reason: a.redactor.String(reason), By: a.actor(), At: a.now().UTC().Truncate(time.Microsecond)}
	if err := store.Commit(ctx, engine.Batch{Freezes: []engine.Freeze{f}, Audit: []engine.AuditEntry{engine.AuditFreeze(f)}}); err != nil {
		return f, fmt.Errorf("recording the freeze: %w", err)
	}
	return f, nil
}

func (a *app) thaw(ctx context.Context, reason string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	if _, err := a.secrets(ctx, conf); err != nil { // so that no secret gets into the reason
		return err
	}
	store, err := a.beside(conf) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	f, err := a.recordThaw(ctx, conf, store, reason)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	if a.json() {
		return a.print(documentOfFreeze(f))
	}
	fmt.Fprintf(a.stdout, "Changes can be made again. They were frozen by %s for %s: %s\n",
		screen.Clean(f.By.Name, 60), screen.Took(f.ThawedAt.Sub(f.At)), screen.Clean(f.Reason, 300))
	return nil
}

func (a *app) recordThaw(ctx context.Context, conf *config.Config, store engine.Store, reason string) (engine.Freeze, error) {
	f, err := store.Frozen(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return f, usage("changes are not frozen")
	}
	if err != nil {
		return f, err
	}
	me := a.actor()
	if guard.People(conf.People).Same(f.By.Name, me.Name) {
		return f, fmt.Errorf("%s froze changes, so another person must let them be made again", f.By.Name)
	}
	now := a.now().UTC().Truncate(time.Microsecond)
	f.ThawedBy, f.ThawReason, f.ThawedAt = &me, a.redactor.String(reason), &now
	if err := store.Commit(ctx, engine.Batch{Freezes: []engine.Freeze{f}, Audit: []engine.AuditEntry{engine.AuditThaw(f)}}); err != nil {
		return f, fmt.Errorf("recording the thaw: %w", err)
	}
	return f, nil
}

// whateverConfig is the configuration, or as much of it as says where the
// database is: a mistake in it must not keep anybody from stopping everything.
func (a *app) whateverConfig() *config.Config {
	if a.house != nil {
		return a.house.conf
	}
	path, err := config.Find(a.configPath)
	if err != nil || path == "" {
		return &config.Config{}
	}
	conf, problems := config.Load(path, providers.All())
	fmt.Fprint(a.stderr, yamldoc.Render(problems))
	if conf == nil {
		return &config.Config{Path: path}
	}
	return conf
}

// beside opens the database to write a little while an engine may have it open.
// Where there is none yet, or an older one, it is made or brought up to date first.
func (a *app) beside(conf *config.Config) (engine.Store, error) {
	if a.house != nil {
		return lent{a.house.rt.store}, nil
	}
	path := a.database(conf)
	command := "drawbridge " + a.running
	store, err := sqlite.Open(path, sqlite.Options{Mode: sqlite.Beside, Command: command})
	if !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, sqlite.ErrOlder) {
		return store, err
	}
	made, err := sqlite.Open(path, sqlite.Options{Mode: sqlite.Engine, Command: command})
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, fmt.Errorf("making the database: %w", err)
	}
	return sqlite.Open(path, sqlite.Options{Mode: sqlite.Beside, Command: command})
}

// mentionFreeze says that a freeze holds. Not knowing keeps nothing from being
// run, because the guard asks for itself.
func (a *app) mentionFreeze(ctx context.Context, store engine.Store) {
	f, err := store.Frozen(ctx)
	switch {
	case err == nil:
		a.say("%s changes are frozen since %s by %s: %s", a.palette.Warn("note:"), f.At.UTC().Format(time.RFC3339),
			screen.Clean(f.By.Name, 60), screen.Clean(f.Reason, 300))
	case !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, context.Canceled):
		a.log.Warn("looking for a freeze", "error", err)
	}
}
