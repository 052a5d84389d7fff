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

func (a *app) approvalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "approvals",
		Short: "What waits for somebody's approval, and deciding it",
		Long: `A run that needs approval waits until people have decided. They see exactly
what it would change, and approve exactly that: where it has changed by then,
the request is made anew and earlier votes are void. Nobody approves what they
started themselves, or what would be done to them.`,
		Example: `  drawbridge approvals list
  drawbridge approvals show last
  drawbridge approvals approve apr_01k8xw --reason "called the three of them"`,
	}
	cmd.AddCommand(a.approvalsListCommand(), a.approvalsShowCommand(), a.approveCommand(), a.denyCommand())
	return cmd
}

func (a *app) approvalsListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what waits for approval, the newest first", Args: cobra.NoArgs,
		Example: "  drawbridge approvals list --all",
		RunE:    work(func(ctx context.Context, _ []string) error { return a.approvalsList(ctx, all) }),
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that are decided, or that nobody decided in time")
	return cmd
}

func (a *app) approvalsList(ctx context.Context, all bool) error {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	var found []asked
	if store != nil {
		defer func() { _ = store.Close() }() // it was only read
		if found, err = listApprovals(ctx, store, all); err != nil {
			return err
		}
	}
	return a.showApprovals(found, all)
}

// asked is an approval with the run that waits for it.
type asked struct {
	engine.Approval

	run engine.RunRecord
}

func listApprovals(ctx context.Context, store engine.Store, all bool) ([]asked, error) {
	q := engine.ApprovalQuery{}
	if !all {
		q.Statuses = []engine.ApprovalStatus{engine.ApprovalPending}
	}
	var out []asked
	for one, err := range approvals(ctx, store, q) {
		if err != nil {
			return nil, fmt.Errorf("listing approvals: %w", err)
		}
		run, err := store.Run(ctx, one.Run)
		if err != nil {
			return nil, fmt.Errorf("reading the run of %s: %w", one.ID, err)
		}
		out = append(out, asked{Approval: one, run: run})
	}
	return out, nil
}

func (a *app) showApprovals(found []asked, all bool) error {
	if a.json() {
		return a.print(map[string]any{"approvals": documentsOf(found, documentOfApproval)})
	}
	rows := [][]string{}
	for _, one := range found {
		rows = append(rows, []string{
			one.ID, screen.Clean(one.run.Playbook, 30), screen.Clean(one.Title, 50), string(one.Status), one.CreatedAt.UTC().Format(time.DateTime),
			a.remaining(one.Approval), fmt.Sprintf("%d of %d", len(counted(one.Approval)), one.Needs),
		})
	}
	none := "nothing waits for approval"
	if all {
		none = "nobody was asked for approval yet"
	}
	return a.table([]string{"APPROVAL", "PLAYBOOK", "TITLE", "STATUS", "ASKED (UTC)", "OPEN FOR", "VOTES"}, rows, none)
}

// remaining is how long a pending approval can still be decided.
func (a *app) remaining(one engine.Approval) string {
	switch {
	case one.Status != engine.ApprovalPending:
		return ""
	case one.ExpiresAt == nil:
		return "ever"
	case !one.ExpiresAt.After(a.now()):
		return "time is up"
	default:
		return screen.Took(one.ExpiresAt.Sub(a.now()))
	}
}

// counted are the approving votes that count.
func counted(one engine.Approval) []engine.Vote {
	return slices.DeleteFunc(slices.Clone(one.Votes), func(v engine.Vote) bool { return !v.Approve || v.Round != one.Round })
}

// approvalDocument is an approval as -o json prints it.
type approvalDocument struct {
	ID        string                `json:"id"`
	Run       string                `json:"run"`
	Playbook  string                `json:"playbook"`
	Path      string                `json:"path"`
	Kind      engine.ApprovalKind   `json:"kind"`
	Title     string                `json:"title"`
	By        []string              `json:"by"`
	Needs     int                   `json:"needs"`
	Status    engine.ApprovalStatus `json:"status"`
	Round     int                   `json:"round"`
	Hash      string                `json:"hash"`
	Excluded  []string              `json:"excluded"`
	Votes     []voteDocument        `json:"votes"`
	Starters  []string              `json:"starters"` // who may not decide
	CreatedAt string                `json:"created_at"`
	ExpiresAt *string               `json:"expires_at"`
	DecidedAt *string               `json:"decided_at"`
	Complete  *bool                 `json:"complete,omitempty"` // of approvals show
	Changes   []plannedDocument     `json:"changes,omitempty"`  // of approvals show
}

type voteDocument struct {
	Person  string   `json:"person"`
	User    string   `json:"user"`
	Via     string   `json:"via"`
	Proven  bool     `json:"proven"`
	Approve bool     `json:"approve"`
	Counts  bool     `json:"counts"` // false for one of an earlier round
	Round   int      `json:"round"`
	Hash    string   `json:"hash"`
	Except  []string `json:"except"`
	Reason  string   `json:"reason"`
	At      string   `json:"at"`
}

func documentOfApproval(one asked) approvalDocument {
	doc := approvalDocument{
		ID: one.ID, Run: one.Run, Playbook: one.run.Playbook, Path: one.Path, Kind: one.Kind, Title: one.Title,
		By: documentsOf(one.By, same), Needs: one.Needs, Status: one.Status, Round: one.Round, Hash: one.Digest,
		Excluded: documentsOf(one.Excluded, same), Votes: []voteDocument{}, Starters: documentsOf(one.run.Starters, same),
		CreatedAt: stamp(one.CreatedAt), ExpiresAt: stampOf(one.ExpiresAt), DecidedAt: stampOf(one.DecidedAt),
	}
	for _, v := range one.Votes {
		doc.Votes = append(doc.Votes, voteDocument{
			Person: v.Person, User: v.User, Via: v.Via, Proven: v.Proven, Approve: v.Approve, Counts: v.Round == one.Round, Round: v.Round,
			Hash: v.Digest, Except: documentsOf(v.Except, same), Reason: v.Reason, At: stamp(v.At),
		})
	}
	return doc
}

func (a *app) approvalsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show APPROVAL",
		Short: "Show what would be changed, who may decide, and who has",
		Long: `Shows a request for approval, named by its id, by a beginning of it that no
other has, or as "last" for the only one that is pending.`,
		Example: "  drawbridge approvals show last",
		Args:    cobra.ExactArgs(1),
		RunE:    work(func(ctx context.Context, args []string) error { return a.approvalsShow(ctx, args[0]) }),
	}
}

func (a *app) approvalsShow(ctx context.Context, argument string) error {
	one, set, err := a.findApproval(ctx, argument)
	if err != nil {
		return err
	}
	if a.json() {
		doc := documentOfApproval(one)
		doc.Complete, doc.Changes = &set.Complete, documentsOf(set.Changes, documentOfPlanned)
		return a.print(doc)
	}
	a.showApproval(one, set)
	if one.Status == engine.ApprovalPending {
		fmt.Fprintf(a.stdout, "approve: %s\n", a.command("approvals approve "+one.ID+" --hash "+screen.ShortHash(one.Digest)))
		fmt.Fprintf(a.stdout, "deny:    %s\n", a.command("approvals deny "+one.ID+" --reason REASON"))
	}
	return nil
}

func (a *app) showApproval(one asked, set engine.ChangeSet) {
	screen.WriteApproval(a.stdout, screen.Approval{Approval: one.Approval, Run: one.run, Set: set.Without(one.Excluded), Now: a.now()}, a.palette)
}

// findApproval reads an approval, its run and what it is about.
func (a *app) findApproval(ctx context.Context, argument string) (asked, engine.ChangeSet, error) {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return asked{}, engine.ChangeSet{}, err
	}
	if store == nil {
		return asked{}, engine.ChangeSet{}, usage("there is no approval %q: nothing was run yet", argument)
	}
	defer func() { _ = store.Close() }() // it was only read
	one, err := resolveApproval(ctx, store, argument)
	if err != nil {
		return asked{}, engine.ChangeSet{}, err
	}
	run, err := store.Run(ctx, one.Run)
	if err != nil {
		return asked{}, engine.ChangeSet{}, fmt.Errorf("reading the run of %s: %w", one.ID, err)
	}
	set, err := readSet(ctx, store, one.Set)
	return asked{Approval: one, run: run}, set, err
}
