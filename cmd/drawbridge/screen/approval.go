package screen

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Approval is a request for approval as people look at it.
type Approval struct {
	engine.Approval

	Run engine.RunRecord
	Set engine.ChangeSet // without what was left out
	Now time.Time
}

// WriteApproval writes what is asked, by which run, who may decide and until
// when, everything that would be changed, and the votes.
func WriteApproval(w io.Writer, a Approval, p Palette) {
	fmt.Fprintf(w, "%s  %s  %s\n", p.Bold(a.ID), Clean(a.Run.Playbook, nameWidth), p.approval(a.Status))
	fmt.Fprintln(w, p.Bold(Clean(a.Title, 200)))
	fmt.Fprintf(w, "asked %s (%s ago) by %s%s: %s\n", a.CreatedAt.UTC().Format(time.RFC3339), Took(a.Now.Sub(a.CreatedAt)), a.Run.ID, at(a.Path), asking(a.Kind))
	fmt.Fprintf(w, "may decide: %s; never who started it (%s) or is changed by it\n", Deciders(a.By, a.Needs), starters(a.Run))
	if a.ExpiresAt != nil {
		fmt.Fprintf(w, "until %s%s\n", a.ExpiresAt.UTC().Format(time.RFC3339), p.Warn(late(a)))
	}
	if a.Round > 1 {
		fmt.Fprintln(w, p.Warn(fmt.Sprintf("asked anew (round %d): what would be done had changed, and earlier votes are void", a.Round)))
	}
	fmt.Fprintf(w, "hash %s\n\n", ShortHash(a.Digest))
	ChangeSet(w, a.Set, p)
	fmt.Fprintln(w)
	writeVotes(w, a.Approval, p)
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return " at " + Clean(path, nameWidth)
}

func asking(kind engine.ApprovalKind) string {
	switch kind {
	case engine.ApprovalPolicy:
		return "the configuration's policy wants it"
	case engine.ApprovalGuard:
		return "a limit was exceeded"
	case engine.ApprovalGrant:
		return "it was for a time that is up: approve takes it back now, deny lets it stay, and so does no answer"
	default:
		return "the playbook asks for it"
	}
}

// late says that the time is up where nobody has noticed yet.
func late(a Approval) string {
	if a.Status == engine.ApprovalPending && !a.ExpiresAt.After(a.Now) {
		return "  the time is up: a decision would not count"
	}
	return ""
}

// starters are all who had a hand in a run.
func starters(run engine.RunRecord) string {
	names := run.Starters
	if len(names) == 0 {
		names = []string{run.Actor.Name}
	}
	clean := make([]string, len(names))
	for i, name := range names {
		clean[i] = Clean(name, nameWidth)
	}
	return strings.Join(clean, ", ")
}

func writeVotes(w io.Writer, a engine.Approval, p Palette) {
	counted := 0
	for _, v := range a.Votes {
		if v.Approve && v.Round == a.Round {
			counted++
		}
	}
	fmt.Fprintf(w, "%s: %d of %d\n", p.Bold("Votes"), counted, a.Needs)
	for _, v := range a.Votes {
		fmt.Fprintln(w, "  "+voteLine(v, a.Round, p))
	}
}

func voteLine(v engine.Vote, round int, p Palette) string {
	word := p.Good("approved")
	if !v.Approve {
		word = p.Bad("denied  ")
	}
	who := Clean(v.Person, nameWidth)
	if v.User != "" && v.User != v.Person {
		who += " (" + Clean(v.User, nameWidth) + ")"
	}
	line := fmt.Sprintf("%s %s  %s", word, who, v.At.UTC().Format(time.RFC3339))
	if len(v.Except) > 0 {
		except := slices.Clone(v.Except)
		for i := range except {
			except[i] = Clean(except[i], nameWidth)
		}
		line += "  except " + strings.Join(except, ", ")
	}
	if v.Reason != "" {
		line += "  reason: " + Clean(v.Reason, 300)
	}
	if !v.Proven {
		line += p.Dim("  unproven")
	}
	if v.Round != round {
		line += p.Dim("  void: of an earlier round")
	}
	return line
}

func (p Palette) approval(s engine.ApprovalStatus) string {
	switch s {
	case engine.ApprovalApproved:
		return p.Good(string(s))
	case engine.ApprovalPending:
		return p.Warn(string(s))
	default:
		return p.Bad(string(s))
	}
}
