package cli

import (
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// advice says what to do next, by how a run stands and what it leaves for a time.
func (a *app) advice(p *past) []string { return append(a.lasting(p), a.adviceOn(p)...) }

func (a *app) adviceOn(p *past) []string {
	run := p.run
	show := "look at it again: " + a.command("runs show "+run.ID)
	resume := a.command("runs resume " + run.ID)
	switch run.Status {
	case engine.RunInterrupted, engine.RunRunning, engine.RunQueued:
		return []string{"nothing is lost, and nothing will be done twice", "continue: " + resume, show}
	case engine.RunUnsettled:
		return []string{
			"a change may or may not have happened, and its target could not be read back; look at the account",
			"read it back again and continue: " + resume, show,
		}
	case engine.RunWaiting:
		return append(a.waiting(p, resume), show)
	case engine.RunDenied:
		return append(denied(p), show)
	case engine.RunBlocked:
		return append(a.blocked(p), show)
	case engine.RunDrifted:
		return []string{
			"what is there is no longer what was planned or approved; " + done(p),
			"plan it anew: " + a.command("plan "+quoted(screen.Clean(run.Playbook, 60))), show,
		}
	case engine.RunPartial:
		return []string{"not everything was done: what failed or was refused is listed above", "repeat what failed: " + a.command("runs resume --failed "+run.ID), show}
	case engine.RunFailed:
		if p.counts[engine.OutcomeFailed]+p.counts[engine.OutcomeUnsettled] > 0 {
			return []string{"repeat what failed: " + a.command("runs resume --failed "+run.ID), show}
		}
		return []string{show}
	default:
		return []string{show}
	}
}

// waiting says which approvals are open, who may decide, until when and how, and
// which signals it waits for.
func (a *app) waiting(p *past, resume string) []string {
	var lines []string
	for _, one := range p.approvals {
		if one.Status != engine.ApprovalPending {
			continue
		}
		lines = append(lines, fmt.Sprintf("it waits for an approval: %s (%s)", screen.Clean(one.Title, 200), one.ID),
			"may decide: "+screen.Deciders(one.By, one.Needs)+until(one), "look at it and decide: "+a.command("approvals show "+one.ID))
	}
	for _, name := range p.awaits {
		lines = append(lines, "it waits for the signal "+screen.Clean(name, 60)+": "+a.command("signal "+p.run.ID+" "+quoted(name)))
	}
	if p.run.WakeAt != nil && len(lines) == 0 {
		lines = append(lines, "it waits until "+p.run.WakeAt.UTC().Format(time.RFC3339)+"; continue then: "+resume)
	}
	if len(lines) == 0 {
		return []string{"it waits for a signal: " + a.command("signal "+p.run.ID+" NAME"), "continue: " + resume}
	}
	return lines
}

func until(one engine.Approval) string {
	if one.ExpiresAt == nil {
		return ""
	}
	return ", until " + one.ExpiresAt.UTC().Format(time.RFC3339)
}

// denied says who said no and why, or that nobody said anything in time.
func denied(p *past) []string {
	var lines []string
	for _, one := range p.approvals {
		if one.Status == engine.ApprovalExpired {
			lines = append(lines, fmt.Sprintf("nobody decided %s in time: %s", one.ID, screen.Clean(one.Title, 200)))
		}
		for _, v := range one.Votes {
			if one.Status == engine.ApprovalDenied && !v.Approve {
				lines = append(lines, fmt.Sprintf("%s denied %s: %s", screen.Clean(v.Person, 60), one.ID, screen.Clean(v.Reason, 300)))
			}
		}
	}
	return append(lines, done(p))
}

// blocked says what kind of limit it was, and what can be done about it.
func (a *app) blocked(p *past) []string {
	lines := []string{"the guard stopped it: " + done(p)}
	if p.run.Error == nil {
		return lines
	}
	switch p.run.Error.Code {
	case engine.CodeMaxChanges:
		return append(lines, "the limit is max_changes: the lowest of the configuration's, the playbook's and --max-changes")
	case engine.CodeMaxPercent:
		return append(lines, "the limit is max_percent, of everybody on the connection: the lower of the configuration's and the playbook's")
	case engine.CodeBudget:
		return append(lines, "the limit is the configuration's budget, which all runs share; it frees up with time")
	case engine.CodeFrozen:
		return append(lines, "changes are frozen; another person than who froze them can end that with "+a.command("thaw"))
	case engine.CodePolicy:
		return append(lines, "the configuration's policy does not let this playbook do that")
	default:
		return lines
	}
}

// done says whether anything was changed before a run ended.
func done(p *past) string {
	if p.counts[engine.OutcomeDone]+p.counts[engine.OutcomeUnsettled] == 0 {
		return "zero changes were made"
	}
	return "what is listed as done stays done, nothing else was changed"
}
