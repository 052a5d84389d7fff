package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "The audit trail: who decided and changed what, in a chain that shows tampering",
		Long: `Every decision, change, plan, freeze and loaded configuration is in the audit
trail, written together with what it is about. Each record holds the hash of the
one before it: a row that is edited, removed or moved shows. Whoever can write
the file could write all of it anew, so keep what "head" prints somewhere else.`,
		Example: `  drawbridge audit head
  drawbridge audit verify --head 3f1c…
  drawbridge audit export --since 2026-11-01T00:00:00Z`,
	}
	cmd.AddCommand(a.auditVerifyCommand(), a.auditHeadCommand(), a.auditExportCommand())
	return cmd
}

func (a *app) auditVerifyCommand() *cobra.Command {
	var head string
	cmd := &cobra.Command{
		Use: "verify", Short: "Find rows of the audit trail that were edited, removed or moved",
		Long: `Recomputes the whole trail and says which records are not as they were written.
With --head it proves that the trail still contains what was its end when that
hash was kept. It ends with 1 where something is wrong.`,
		Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			return a.readDatabase(func(store *sqlite.Store) error { return a.auditVerify(ctx, store, head) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
	cmd.Flags().StringVar(&head, "head", "", "a hash that `audit head` has printed")
	return cmd
}

func (a *app) auditVerify(ctx context.Context, store engine.Store, head string) error {
	head = strings.ToLower(strings.TrimSpace(head))
	if head != "" && len(head) != 64 {
		return usage("--head takes the whole hash, of 64 letters")
	}
	report, err := engine.VerifyAudit(ctx, store, head)
	if err != nil {
		return err
	}
	lost := head != "" && !report.Contains
	if a.json() {
		doc := map[string]any{"sound": report.Sound() && !lost, "records": report.Records, "head": report.Head, "faults": documentsOf(report.Faults, same)}
		if head != "" {
			doc["contains_head"] = report.Contains
		}
		err = a.print(doc)
	} else {
		a.showVerified(report, head, lost)
	}
	if err == nil && (lost || !report.Sound()) {
		return quit(exitFailed)
	}
	return err
}

func (a *app) showVerified(report engine.AuditReport, head string, lost bool) {
	for _, f := range report.Faults {
		fmt.Fprintf(a.stdout, "%s record %d: %s\n", a.palette.Bad("tampered:"), f.Seq, f.Message)
	}
	if lost {
		fmt.Fprintf(a.stdout, "%s no record has the hash %s: the end of the trail was cut off, or all of it written anew\n", a.palette.Bad("tampered:"), head)
	}
	if report.Sound() && !lost {
		fmt.Fprintf(a.stdout, "%d records, and every one is as it was written", report.Records)
		if head != "" {
			fmt.Fprint(a.stdout, "; the given head is among them")
		}
		fmt.Fprintln(a.stdout)
	}
}

func (a *app) auditHeadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "head", Short: "Print the place and hash of the newest record, to be kept elsewhere", Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			return a.readDatabase(func(store *sqlite.Store) error { return a.auditHead(ctx, store) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
}

func (a *app) auditHead(ctx context.Context, store engine.Store) error {
	r, err := store.AuditHead(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return usage("nothing was audited yet")
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.print(map[string]any{"seq": r.Seq, "hash": r.Hash, "at": stamp(r.At)})
	}
	fmt.Fprintln(a.stdout, r.Seq, r.Hash)
	return nil
}

func (a *app) auditExportCommand() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "export", Short: "Print the audit trail as JSON, one record a line", Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			from, err := a.instant(since)
			if err != nil {
				return err
			}
			return a.readDatabase(func(store *sqlite.Store) error { return a.auditExport(ctx, store, from) }) //nolint:contextcheck // opening a database takes no context
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "only what happened since a time, such as 2026-11-01T00:00:00Z, or for so long, such as 7d")
	return cmd
}

// instant reads a time, or how long ago it was; "" is the beginning of time.
func (a *app) instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := engine.ParseDuration(text); err == nil {
		return a.now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usage("--since: %q is neither a time such as 2026-11-01T00:00:00Z nor a duration such as 7d", text)
	}
	return at, nil
}

func (a *app) auditExport(ctx context.Context, store engine.Store, since time.Time) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	for q := (engine.AuditQuery{Since: since, Limit: pageSize}); ; {
		page, err := store.Audit(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := enc.Encode(r); err != nil {
				return fmt.Errorf("writing the audit trail: %w", err)
			}
			q.After = r.Seq
		}
		if len(page) < q.Limit {
			return nil
		}
	}
}

// auditConfig records under which configuration an engine is started.
func (a *app) auditConfig(ctx context.Context, store engine.Store, conf *config.Config) error {
	if conf.Path == "" {
		return nil
	}
	entry := engine.AuditConfig(a.now(), a.actor(), screen.Clean(conf.Path, 300), conf.Hash, a.running)
	if err := store.Commit(ctx, engine.Batch{Audit: []engine.AuditEntry{entry}}); err != nil {
		return fmt.Errorf("recording the configuration: %w", err)
	}
	return nil
}
