package cli

import (
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// kindRefused and kindBroken are the kinds of notes that are not the engine's.
const (
	kindRefused = "refused"
	kindBroken  = "broken"
)

// hear tells of what the engine found; it returns at once.
func (n *notifier) hear(one local.Notice) {
	switch {
	case one.Kind == local.NoticeRun && one.Run != nil:
		n.hearRun(*one.Run)
	case one.Kind == local.NoticeMissed:
		n.tell(note{kind: string(one.Kind), subject: one.Series, text: missedNote(one)})
	case one.Kind == local.NoticeExpiry && one.Grant != nil:
		n.tell(note{kind: string(one.Kind), subject: one.Grant.ID, text: expiryNote(*one.Grant)})
	case one.Kind == local.NoticeOverdue && one.Grant != nil:
		n.tell(note{kind: string(one.Kind), subject: one.Grant.ID, text: overdueNote(*one.Grant)})
	default:
		n.tell(note{kind: string(one.Kind), subject: one.Series + one.Text, text: foreignText(one.Text)})
	}
}

// hearRun tells of a run that somebody must look at.
func (n *notifier) hearRun(run engine.RunRecord) {
	switch run.Status {
	case engine.RunBlocked, engine.RunFailed, engine.RunPartial, engine.RunDrifted, engine.RunDenied, engine.RunUnsettled:
		n.tell(note{kind: string(local.NoticeRun), subject: run.ID + "/" + string(run.Status), text: runNote(run)})
	default: // it succeeded, was cancelled by somebody, or goes on
	}
}

// hearProgress tells of protected targets that were refused: a run may succeed
// all the same.
func (n *notifier) hearProgress(p local.Progress) {
	for _, s := range p.Steps {
		if s.Status != engine.StepRefused || s.Error == nil || s.Error.Code != engine.CodeProtected || s.Target == nil {
			continue
		}
		n.tell(note{kind: kindRefused, subject: p.Run.ID + "/" + s.Connection + "/" + s.Target.ID, text: refusedNote(p.Run, s)})
	}
}

// hearBroken tells of a playbook that does not pass the checks, or of folders
// that cannot be read.
func (n *notifier) hearBroken(words string) {
	n.tell(note{kind: kindBroken, subject: words, text: foreignText(words)})
}

// foreignText is a text that somebody else wrote.
func foreignText(s string) engine.Text { return engine.Text{{S: s, Foreign: true}} }

// runNote says what became of a run; what others wrote in it is foreign.
func runNote(run engine.RunRecord) engine.Text {
	var t text
	t.foreign(run.Playbook).own(" is " + string(run.Status))
	if run.Error != nil {
		t.own(": ").foreign(run.Error.Message)
	}
	t.own(" (" + run.ID + ", started by ").foreign(run.Actor.Name).own(")")
	return engine.Text(t)
}

func refusedNote(run engine.RunRecord, s engine.StepRecord) engine.Text {
	var t text
	t.foreign(run.Playbook).own(" was refused ").foreign(s.Action).own(" of ")
	named(&t, *s.Target)
	t.own(": ").foreign(s.Error.Message).own(" (" + run.ID + ", started by ").foreign(run.Actor.Name).own(")")
	return engine.Text(t)
}

func missedNote(one local.Notice) engine.Text {
	var t text
	t.own(plural(one.Missed, "fire time", "fire times") + " of ").foreign(one.Series)
	if one.Missed == 1 {
		t.own(" was missed")
	} else {
		t.own(" were missed")
	}
	if one.Text != "" {
		t.own(": ").foreign(one.Text)
	}
	return engine.Text(t)
}

func expiryNote(g engine.Grant) engine.Text {
	var t text
	t.foreign(g.Action).own(" of ")
	named(&t, g.Target)
	t.own(fmt.Sprintf(" ends at %s (%s): then %s; to let it last longer, use drawbridge grants extend %s",
		g.EndsAt.UTC().Format(time.RFC3339), g.ID, atEnd(g.AtEnd), g.ID))
	return engine.Text(t)
}

func overdueNote(g engine.Grant) engine.Text {
	var t text
	t.own("OVERDUE: ").foreign(g.Action).own(" of ")
	named(&t, g.Target)
	t.own(fmt.Sprintf(" should have ended at %s and could not be ended in %s (%s)", g.EndsAt.UTC().Format(time.RFC3339), plural(g.Tries, "try", "tries"), g.ID))
	if g.Error != nil {
		t.own(": ").foreign(g.Error.Message)
	}
	t.own("; it is tried again until it works")
	return engine.Text(t)
}

// named adds a target by its name and id.
func named(t *text, target engine.Target) {
	if target.Name != "" && target.Name != target.ID {
		t.foreign(target.Name).own(" (").foreign(target.ID).own(")")
		return
	}
	t.foreign(target.ID)
}
