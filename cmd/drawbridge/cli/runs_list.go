package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// runsOptions are the flags of runs list.
type runsOptions struct {
	status   []string
	playbook string
	limit    int
}

func (a *app) runsListCommand() *cobra.Command {
	var o runsOptions
	cmd := &cobra.Command{
		Use: "list", Short: "List runs, the newest first", Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error { return a.runsList(ctx, o) }),
	}
	cmd.Flags().StringSliceVar(&o.status, "status", nil, "only runs that stand like this, such as interrupted,failed")
	cmd.Flags().StringVar(&o.playbook, "playbook", "", "only runs of this playbook")
	cmd.Flags().IntVar(&o.limit, "limit", 50, "how many at most")
	return cmd
}

// listedRun is a run in the list of -o json.
type listedRun struct {
	ID         string           `json:"id"`
	Playbook   string           `json:"playbook"`
	Status     engine.RunStatus `json:"status"`
	Actor      engine.Actor     `json:"actor"`
	CreatedAt  string           `json:"created_at"`
	FinishedAt *string          `json:"finished_at"`
	Error      *failureDocument `json:"error"`
}

func documentOfListed(r engine.RunRecord) listedRun {
	return listedRun{
		ID: r.ID, Playbook: r.Playbook, Status: r.Status, Actor: r.Actor,
		CreatedAt: stamp(r.CreatedAt), FinishedAt: stampOf(r.FinishedAt), Error: documentOfFailure(r.Error),
	}
}

func (a *app) runsList(ctx context.Context, o runsOptions) error {
	wanted, err := statuses(o.status)
	if err != nil {
		return err
	}
	if o.limit < 1 {
		return usage("--limit must be at least 1")
	}
	store, driven, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	runs := []engine.RunRecord{}
	if store != nil {
		defer func() { _ = store.Close() }() // it was only read
		a.mentionFreeze(ctx, store)
		if runs, err = selectRuns(ctx, store, o, wanted, driven); err != nil {
			return err
		}
	}
	return a.showRuns(runs)
}

// selectRuns filters by how runs are seen, which for those left behind is not
// how they are recorded.
func selectRuns(ctx context.Context, store engine.Store, o runsOptions, wanted []engine.RunStatus, driven bool) ([]engine.RunRecord, error) {
	out := []engine.RunRecord{}
	q := engine.RunQuery{Playbook: o.playbook, Limit: pageSize}
	for {
		page, err := store.Runs(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing runs: %w", err)
		}
		for _, r := range page {
			r = seen(r, driven)
			if len(wanted) == 0 || slices.Contains(wanted, r.Status) {
				out = append(out, r)
			}
			if len(out) == o.limit {
				return out, nil
			}
		}
		if len(page) < q.Limit {
			return out, nil
		}
		q.After = page[len(page)-1].ID
	}
}

func statuses(names []string) ([]engine.RunStatus, error) {
	all := []engine.RunStatus{
		engine.RunQueued, engine.RunRunning, engine.RunWaiting, engine.RunUnsettled, engine.RunInterrupted, engine.RunSucceeded,
		engine.RunPartial, engine.RunFailed, engine.RunDenied, engine.RunBlocked, engine.RunDrifted, engine.RunCancelled,
	}
	var out []engine.RunStatus
	for _, name := range names {
		status := engine.RunStatus(name)
		if !slices.Contains(all, status) {
			return nil, usage("there is no status %q; there are %s", name, join(all))
		}
		out = append(out, status)
	}
	return out, nil
}

func (a *app) showRuns(runs []engine.RunRecord) error {
	docs, rows := []listedRun{}, [][]string{}
	for _, r := range runs {
		docs = append(docs, documentOfListed(r))
		rows = append(rows, []string{r.ID, r.Playbook, string(r.Status), r.CreatedAt.UTC().Format(time.DateTime), tookOf(r), r.Actor.Name})
	}
	if a.json() {
		return a.print(map[string]any{"runs": docs})
	}
	return a.table([]string{"RUN", "PLAYBOOK", "STATUS", "STARTED (UTC)", "TOOK", "BY"}, rows, "there are no runs")
}

func tookOf(r engine.RunRecord) string {
	if r.FinishedAt == nil {
		return ""
	}
	return screen.Took(r.FinishedAt.Sub(r.CreatedAt))
}
