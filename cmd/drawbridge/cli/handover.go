package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

func (a *app) handoverCommand() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use:   "handover",
		Short: "What the next shift needs to know",
		Long: `Lists what waits for approval and until when, the freeze that holds, temporary
changes that are overdue, that end within 12 hours or about which people are
asked, what is held as it is, runs that are not over, runs that ended otherwise
than they should have since --since, and plans that nobody has applied yet.`,
		Example: "  drawbridge handover --since 8h",
		Args:    cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error {
			from, err := a.instant(since)
			if err != nil {
				return err
			}
			return a.handover(ctx, from)
		}),
	}
	cmd.Flags().StringVar(&since, "since", "12h", "how far back ended runs are listed: a duration, or a time")
	return cmd
}

// handoverDocument is what handover prints with -o json.
type handoverDocument struct {
	Since     string             `json:"since"`
	Approvals []waitingDocument  `json:"approvals"` // pending, the newest first
	Freeze    *freezeDocument    `json:"freeze"`    // the one that holds; null where none does
	Runs      []listedRun        `json:"runs"`      // that need a look, the newest first
	Plans     []openPlanDocument `json:"plans"`     // not applied, the newest first

	lastingDocument
}

type waitingDocument struct {
	ID        string  `json:"id"`
	Run       string  `json:"run"`
	Playbook  string  `json:"playbook"`
	Title     string  `json:"title"`
	ExpiresAt *string `json:"expires_at"`
}

type openPlanDocument struct {
	ID        string `json:"id"`
	Playbook  string `json:"playbook"`
	Changes   int    `json:"changes"`
	CreatedAt string `json:"created_at"`
	Until     string `json:"until"` // when it can no longer be applied
}

func (a *app) handover(ctx context.Context, since time.Time) error {
	store, driven, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	doc := handoverDocument{Since: stamp(since), Approvals: []waitingDocument{}, Runs: []listedRun{}, Plans: []openPlanDocument{}, lastingDocument: noLasting()}
	if store != nil {
		defer func() { _ = store.Close() }() // it was only read
		if err := a.gatherHandover(ctx, store, &doc, since, driven); err != nil {
			return err
		}
	}
	if a.json() {
		return a.print(doc)
	}
	return a.showHandover(doc)
}

func (a *app) gatherHandover(ctx context.Context, store engine.Store, doc *handoverDocument, since time.Time, driven bool) error {
	pending, err := listApprovals(ctx, store, false)
	if err != nil {
		return err
	}
	for _, one := range pending {
		doc.Approvals = append(doc.Approvals, waitingDocument{
			ID: one.ID, Run: one.Run, Playbook: one.run.Playbook, Title: one.Title, ExpiresAt: stampOf(one.ExpiresAt),
		})
	}
	f, err := store.Frozen(ctx)
	if err == nil {
		freeze := documentOfFreeze(f)
		doc.Freeze = &freeze
	} else if !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("looking for a freeze: %w", err)
	}
	if err := a.gatherLasting(ctx, store, &doc.lastingDocument); err != nil {
		return err
	}
	if doc.Runs, err = troubled(ctx, store, since, driven); err != nil {
		return err
	}
	doc.Plans, err = a.openPlans(ctx, store)
	return err
}

// troubled are the runs that are not over and not being carried out, whenever
// they began, and those that ended otherwise than they should have since a time.
func troubled(ctx context.Context, store engine.Store, since time.Time, driven bool) ([]listedRun, error) {
	q := engine.RunQuery{Limit: pageSize, Statuses: []engine.RunStatus{
		engine.RunQueued, engine.RunRunning, engine.RunUnsettled, engine.RunInterrupted,
		engine.RunPartial, engine.RunFailed, engine.RunDenied, engine.RunBlocked, engine.RunDrifted,
	}}
	out := []listedRun{}
	for {
		page, err := store.Runs(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing runs: %w", err)
		}
		for _, r := range page {
			r = seen(r, driven)
			if needsALook(r, since) {
				out = append(out, documentOfListed(r))
			}
		}
		if len(page) < q.Limit {
			return out, nil
		}
		q.After = page[len(page)-1].ID
	}
}

func needsALook(r engine.RunRecord, since time.Time) bool {
	if r.Status.Final() {
		return r.FinishedAt == nil || !r.FinishedAt.Before(since)
	}
	return r.Status == engine.RunUnsettled || r.Status == engine.RunInterrupted
}

// openPlans are the plans that can still be applied and were not.
func (a *app) openPlans(ctx context.Context, store engine.Store) ([]openPlanDocument, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	out, oldest := []openPlanDocument{}, a.now().Add(-planAge(conf))
	all := every(func(after string) ([]engine.PlanRecord, error) {
		return store.Plans(ctx, engine.PlanQuery{After: after, Limit: pageSize})
	}, func(p engine.PlanRecord) string { return p.ID })
	applied, err := appliedPlans(ctx, store, oldest)
	if err != nil {
		return nil, err
	}
	for p, err := range all {
		if err != nil {
			return nil, fmt.Errorf("listing plans: %w", err)
		}
		if p.CreatedAt.Before(oldest) {
			break
		}
		if p.Pending > 0 && !slices.Contains(applied, p.ID) {
			out = append(out, openPlanDocument{
				ID: p.ID, Playbook: p.Playbook, Changes: p.Pending, CreatedAt: stamp(p.CreatedAt), Until: stamp(p.CreatedAt.Add(planAge(conf))),
			})
		}
	}
	return out, nil
}

// appliedPlans are the plans that runs since a time have applied.
func appliedPlans(ctx context.Context, store engine.Store, since time.Time) ([]string, error) {
	var out []string
	runs := every(func(after string) ([]engine.RunRecord, error) {
		return store.Runs(ctx, engine.RunQuery{After: after, Limit: pageSize})
	}, func(r engine.RunRecord) string { return r.ID })
	for r, err := range runs {
		if err != nil {
			return nil, fmt.Errorf("listing runs: %w", err)
		}
		if r.CreatedAt.Before(since) {
			break
		}
		if r.Plan != "" {
			out = append(out, r.Plan)
		}
	}
	return out, nil
}

func (a *app) showHandover(doc handoverDocument) error {
	if doc.Freeze != nil {
		fmt.Fprintf(a.stdout, "%s since %s by %s: %s\n\n", a.palette.Warn("Changes are frozen"), doc.Freeze.At, screen.Clean(doc.Freeze.By.Name, 60), screen.Clean(doc.Freeze.Reason, 300))
	}
	var approvals, runs, plans [][]string
	for _, w := range doc.Approvals {
		until := "for ever"
		if w.ExpiresAt != nil {
			until = *w.ExpiresAt
		}
		approvals = append(approvals, []string{w.ID, w.Playbook, w.Title, until})
	}
	for _, r := range doc.Runs {
		why := ""
		if r.Error != nil {
			why = r.Error.Message
		}
		runs = append(runs, []string{r.ID, r.Playbook, string(r.Status), r.CreatedAt, why})
	}
	for _, p := range doc.Plans {
		plans = append(plans, []string{p.ID, p.Playbook, strconv.Itoa(p.Changes), p.Until})
	}
	return errors.Join(
		a.section("Waiting for approval", []string{"APPROVAL", "PLAYBOOK", "TITLE", "UNTIL"}, approvals),
		a.showLasting(doc.lastingDocument),
		a.section("Runs to look at", []string{"RUN", "PLAYBOOK", "STATUS", "STARTED", "WHY"}, runs),
		a.section("Plans not applied", []string{"PLAN", "PLAYBOOK", "CHANGES", "UNTIL"}, plans),
	)
}

// section is a table under a title; without rows it says so in one line.
func (a *app) section(title string, header []string, rows [][]string) error {
	if len(rows) == 0 {
		fmt.Fprintf(a.stdout, "%s: none\n", title)
		return nil
	}
	fmt.Fprintf(a.stdout, "%s:\n", title)
	err := a.table(header, rows, "")
	fmt.Fprintln(a.stdout)
	return err
}
