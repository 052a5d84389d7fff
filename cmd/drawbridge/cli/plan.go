package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// exitChanges is the code of plan --detailed-exitcode where there is something
// to do; it is the one Terraform has for it.
const exitChanges = 2

// planOptions are the flags of plan.
type planOptions struct {
	runOptions

	detailed bool // --detailed-exitcode
}

func (a *app) planCommand() *cobra.Command {
	var o planOptions
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "plan PLAYBOOK",
		Short: "Show what a playbook would change and why, and keep it to be applied",
		Long: `Looks ahead: carries out what only reads, asks every change what it would do,
and sends nothing. What comes out is printed and stored under an id;
"drawbridge apply" then does exactly that and nothing else.

The exit code is 0 with changes or without, also where a limit would stop them,
and 1 where the run would fail: what could not be read is not nothing. With
--detailed-exitcode it is 0 where there is nothing to change, 2 where there is,
and 4 where the guard would block it.`,
		Example: `  drawbridge plan contain-suspicious-users -i window=48h
  drawbridge plan offboard.yaml -o markdown > plan.md`,
		Args:        cobra.ExactArgs(1),
		Annotations: map[string]string{markdownMark: ""},
		RunE: work(func(ctx context.Context, args []string) error {
			o.limited = cmd.Flags().Changed("max-changes")
			return a.plan(ctx, args[0], o)
		}),
	}
	cmd.Flags().StringArrayVarP(&o.inputs, "input", "i", nil, "an input, as name=value; lists as a,b or JSON")
	cmd.Flags().Int64Var(&o.maxChanges, "max-changes", 0, "change at most this many targets; it can only lower the limit")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "0: nothing to change; 1: it would fail; 2: changes; 4: the guard would block them")
	return cmd
}

func (a *app) plan(ctx context.Context, argument string, o planOptions) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	request, err := a.request(conf, argument, o.runOptions)
	if err != nil {
		return err
	}
	return a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		a.mentionFreeze(ctx, rt.store)
		record, err := rt.engine.Plan(ctx, request)
		if err != nil {
			return err
		}
		set, err := a.showPlan(ctx, rt, record, a.planAdvice(record))
		if err != nil {
			return err
		}
		return planExit(record, set, o.detailed)
	})
}

// planExit is the exit of a plan. One whose run would fail has failed: what it
// could not read is not nothing.
func planExit(record engine.PlanRecord, set engine.ChangeSet, detailed bool) error {
	switch {
	case set.Failure != nil && set.Failure.Class != engine.ClassRefused:
		return quit(exitFailed)
	case !detailed:
		return nil
	case record.Blocked != nil:
		return quit(exitBlocked)
	case record.Pending > 0, !record.Complete: // what is not known yet may change something
		return quit(exitChanges)
	default:
		return nil
	}
}

// showPlan prints a plan in the form that is asked for.
func (a *app) showPlan(ctx context.Context, rt *opened, record engine.PlanRecord, advice []string) (engine.ChangeSet, error) {
	set, err := readSet(ctx, rt.store, record.Set)
	if err != nil {
		return set, err
	}
	if a.json() {
		return set, a.print(documentOfPlan(record, set, rt.planAge))
	}
	pl := screen.Plan{Record: record, Set: set, Advice: advice}
	if a.markdown() {
		screen.WriteMarkdown(a.stdout, pl)
	} else {
		screen.WritePlan(a.stdout, pl, a.palette)
	}
	return set, nil
}

// planAdvice is the one command that comes next.
func (a *app) planAdvice(record engine.PlanRecord) []string {
	if record.Pending == 0 { // what is known only later is in no plan
		return nil
	}
	return []string{a.command("apply " + record.ID)}
}

// readSet reads a change set that was stored; "" is an empty one.
func readSet(ctx context.Context, store engine.Store, ref engine.Reference) (engine.ChangeSet, error) {
	var set engine.ChangeSet
	if ref == "" {
		return set, nil
	}
	data, err := store.Value(ctx, ref)
	if err != nil {
		return set, fmt.Errorf("reading the change set: %w", err)
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return set, fmt.Errorf("reading the change set: %w", err)
	}
	return set, nil
}

// planDocument is a plan as -o json prints it.
type planDocument struct {
	ID            string                 `json:"id"`
	Playbook      string                 `json:"playbook"`
	Hash          string                 `json:"hash"`
	UndoOf        string                 `json:"undo_of,omitempty"`
	Actor         engine.Actor           `json:"actor"`
	Inputs        json.RawMessage        `json:"inputs"`
	Complete      bool                   `json:"complete"`
	Changes       []plannedDocument      `json:"changes"`
	Announcements []announcementDocument `json:"announcements"`
	Approvals     []askedDocument        `json:"approvals"`
	Unforeseen    []engine.Unforeseen    `json:"unforeseen"`
	Populations   []engine.Population    `json:"populations"`
	Error         *failureDocument       `json:"error"` // why the run would fail
	Bound         string                 `json:"bound,omitempty"`
	Blocked       *failureDocument       `json:"blocked"` // what the guard says against it
	CreatedAt     string                 `json:"created_at"`
	MaxAge        string                 `json:"max_age"` // how old it may be when it is applied
}

// plannedDocument is one line of a plan. Its outcome is "" for a change to be made.
type plannedDocument struct {
	Path       string           `json:"path"`
	Item       string           `json:"item"`
	Action     string           `json:"action"`
	Connection string           `json:"connection"`
	Target     engine.Target    `json:"target"`
	For        string           `json:"for,omitempty"`
	Before     json.RawMessage  `json:"before"`
	After      json.RawMessage  `json:"after"`
	Outcome    engine.Outcome   `json:"outcome"`
	Why        string           `json:"why"`
	Error      *failureDocument `json:"error"`
}

type announcementDocument struct {
	Path       string          `json:"path"`
	Action     string          `json:"action"`
	Connection string          `json:"connection"`
	Inputs     json.RawMessage `json:"inputs"`
	After      string          `json:"after"` // the step after which it is known what it says; ""
}

type askedDocument struct {
	Path  string   `json:"path"`
	Title string   `json:"title"`
	By    []string `json:"by"`
	Needs int      `json:"needs"`
}

func documentOfPlan(r engine.PlanRecord, set engine.ChangeSet, maxAge time.Duration) planDocument {
	return planDocument{
		ID: r.ID, Playbook: r.Playbook, Hash: r.Digest, UndoOf: r.UndoOf, Actor: r.Actor, Inputs: orNull(r.Inputs), Complete: r.Complete,
		Changes: documentsOf(set.Changes, documentOfPlanned), Announcements: documentsOf(set.Announcements, documentOfAnnouncement),
		Approvals: documentsOf(set.Approvals, documentOfAsked), Unforeseen: documentsOf(set.Unforeseen, same), Populations: documentsOf(set.Populations, same),
		Error: documentOfFailure(set.Failure), Bound: set.Bound, Blocked: documentOfFailure(r.Blocked),
		CreatedAt: stamp(r.CreatedAt), MaxAge: engine.FormatDuration(maxAge),
	}
}

func documentOfPlanned(c engine.PlannedChange) plannedDocument {
	return plannedDocument{
		Path: c.Path, Item: c.Item, Action: c.Action, Connection: c.Connection, Target: c.Target, For: c.For,
		Before: orNull(c.Before), After: orNull(c.After), Outcome: c.Outcome, Why: c.Why, Error: documentOfFailure(c.Error),
	}
}

func documentOfAnnouncement(p engine.PlannedAnnouncement) announcementDocument {
	return announcementDocument{Path: p.Path, Action: p.Action, Connection: p.Connection, Inputs: orNull(p.Inputs), After: p.After}
}

func documentOfAsked(p engine.PlannedApproval) askedDocument {
	return askedDocument{Path: p.Path, Title: p.Title, By: documentsOf(p.By, same), Needs: p.Needs}
}

// documentsOf is a list of documents that is [] and not null where it is empty.
func documentsOf[T, D any](list []T, document func(T) D) []D {
	out := make([]D, 0, len(list))
	for _, one := range list {
		out = append(out, document(one))
	}
	return out
}

func same[T any](v T) T { return v }
