package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// decideOptions are the flags of approve and deny.
type decideOptions struct {
	approve    bool
	except     []string
	reason     string
	hash       string
	yes        bool
	noContinue bool
}

func (a *app) approveCommand() *cobra.Command {
	o := decideOptions{approve: true}
	cmd := &cobra.Command{
		Use:   "approve APPROVAL",
		Short: "Approve exactly what the request shows, and carry its run on",
		Long: `Approves a request as the operating-system user, whom the configuration's
"people:" maps to a person. What would be changed is looked at once more: where
it is no longer what the request shows, the request is made anew and this
approval does not count. In a terminal the changes are shown and asked about.`,
		Example: `  drawbridge approvals approve last --reason "called them"
  drawbridge approvals approve apr_01k8xw --except noor.haddad@example.com`,
		Args: cobra.ExactArgs(1),
		RunE: work(func(ctx context.Context, args []string) error { return a.decide(ctx, args[0], o) }),
	}
	cmd.Flags().StringArrayVar(&o.except, "except", nil, "leave this out: an item's key, a target's id or e-mail address, or a path; can be given several times")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the history")
	cmd.Flags().StringVar(&o.hash, "hash", "", "the hash of what was looked at, or its beginning: where the request says something else by now, nothing is approved")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.noContinue, "no-continue", false, "only record it; the run goes on with runs resume")
	return cmd
}

func (a *app) denyCommand() *cobra.Command {
	o := decideOptions{yes: true}
	cmd := &cobra.Command{
		Use:     "deny APPROVAL",
		Short:   "Deny a request; its run ends denied, unless the playbook says otherwise",
		Long:    "Denies a request as the operating-system user. One person who says no is enough.",
		Example: `  drawbridge approvals deny last --reason "they are travelling"`,
		Args:    cobra.ExactArgs(1),
		RunE: work(func(ctx context.Context, args []string) error {
			if err := needsReason(o.reason); err != nil {
				return err
			}
			return a.decide(ctx, args[0], o)
		}),
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the history and whoever started the run")
	cmd.Flags().BoolVar(&o.noContinue, "no-continue", false, "only record it; the run goes on with runs resume")
	return cmd
}

// decide records a decision and carries the run on where it was the last one
// that was needed.
func (a *app) decide(ctx context.Context, argument string, o decideOptions) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	if err := a.refuseLocked(conf); err != nil {
		return err
	}
	one, set, err := a.findApproval(ctx, argument)
	if err != nil {
		return err
	}
	digest, err := looked(one, set, o)
	if err != nil {
		return err
	}
	if o.approve && !o.yes && a.terminal.interactive && !a.json() {
		a.showApproval(one, set.Without(excluded(set, o.except)))
		digest = one.Digest // which is what was just shown
		if !a.confirm("Approve this?") {
			return &exitError{code: exitFailed, err: errors.New("nothing was decided")}
		}
	}
	decided, err := a.recordDecision(ctx, conf, one, set, local.Decision{
		Approval: one.ID, Actor: a.actor(), Approve: o.approve, Digest: digest, Except: o.except, Reason: o.reason,
		Proven: a.house != nil, // by the kernel, of who is at the other end of the socket
	})
	if err != nil {
		return err
	}
	return a.goOn(ctx, conf, asked{Approval: decided, run: one.run}, o)
}

// refuseLocked says who has the database before anybody is asked anything.
func (a *app) refuseLocked(conf *config.Config) error {
	if a.house != nil {
		return nil
	}
	holder, locked, err := sqlite.Locked(a.database(conf))
	if err == nil && locked {
		return fmt.Errorf("%w: by %s; nothing was decided", engine.ErrLocked, holder)
	}
	return err
}

// looked is the hash of what somebody says they have looked at, and refuses
// what would not mean anything here.
func looked(one asked, set engine.ChangeSet, o decideOptions) (string, error) {
	for _, word := range o.except {
		if len(set.Find(word)) == 0 {
			return "", usage("nothing in %s is called %q; `drawbridge approvals show %s` lists what is", one.ID, word, one.ID)
		}
	}
	if o.hash == "" {
		return "", nil
	}
	if len(o.hash) < 8 || !strings.HasPrefix(one.Digest, strings.ToLower(o.hash)) {
		return "", &exitError{code: exitFailed, err: fmt.Errorf("%s is about %s and not %s: look at it again; nothing was decided", one.ID, screen.ShortHash(one.Digest), o.hash)}
	}
	return one.Digest, nil
}

func excluded(set engine.ChangeSet, words []string) []string {
	var paths []string
	for _, word := range words {
		paths = append(paths, set.Find(word)...)
	}
	return paths
}

// confirm asks whoever sits at the terminal; anything but yes is no.
func (a *app) confirm(question string) bool {
	fmt.Fprintf(a.stdout, "\n%s [y/N] ", question)
	_ = a.stdout.Flush()
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n') // whatever ends the line, or the input, counts as its end
	fmt.Fprintln(a.stdout)
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

func (a *app) recordDecision(ctx context.Context, conf *config.Config, one asked, set engine.ChangeSet, dec local.Decision) (engine.Approval, error) {
	var decided engine.Approval
	err := a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		var err error
		decided, err = rt.engine.Decide(ctx, dec)
		if errors.Is(err, local.ErrRenewed) {
			a.tellRenewal(context.WithoutCancel(ctx), rt.store, one, set)
		}
		return err
	})
	return decided, err
}

// tellRenewal says what has changed between the request that was looked at and
// the one that stands in its place.
func (a *app) tellRenewal(ctx context.Context, store engine.Store, one asked, was engine.ChangeSet) {
	renewed, err := store.Approval(ctx, one.ID)
	if err != nil {
		a.log.Warn("reading the renewed request", "approval", one.ID, "error", err)
		return
	}
	is, err := readSet(ctx, store, renewed.Set)
	if err != nil {
		a.log.Warn("reading the renewed request", "approval", one.ID, "error", err)
		return
	}
	out := a.stdout
	if a.json() {
		out = a.stderr
	}
	fmt.Fprintf(out, "What would be done has changed since %s was asked for; earlier votes are void:\n", one.ID)
	screen.WriteDifference(out, screen.Compare(was, is), a.palette)
	fmt.Fprintf(out, "look at it again: %s\n", a.command("approvals show "+one.ID))
}

// goOn carries the run on after a decision, or says why it waits.
func (a *app) goOn(ctx context.Context, conf *config.Config, one asked, o decideOptions) error {
	if one.Kind == engine.ApprovalGrant {
		return a.sayOfGrant(ctx, one)
	}
	a.sayDecision(one, o.noContinue)
	if one.Status != engine.ApprovalPending && !o.noContinue {
		return a.carryOut(ctx, conf, func(context.Context, *opened) (string, error) { return one.Run, nil }, onward)
	}
	if a.json() {
		return a.print(documentOfApproval(one))
	}
	return nil
}

func (a *app) sayDecision(one asked, noContinue bool) {
	have := len(counted(one.Approval))
	switch {
	case one.Status == engine.ApprovalPending:
		a.say("%s: %d of %d votes; the run waits for %s more", one.ID, have, one.Needs, plural(one.Needs-have, "person", "people"))
	case noContinue:
		a.say("%s is %s; %s", one.ID, one.Status, a.next(one.Run))
	default:
		a.say("%s is %s; its run %s goes on", one.ID, one.Status, one.Run)
	}
}
