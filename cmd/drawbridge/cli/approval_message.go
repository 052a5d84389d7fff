package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// mostTold is how many changes a message to approvers names.
const mostTold = 10

// approvalSender makes the function that tells people of a request: over the
// connection that the request names, else the configuration's `notify:`. link
// is its `approval_link:`.
func (a *app) approvalSender(connections local.Connections, notify, link string) func(context.Context, engine.Approval, engine.ChangeSet, engine.RunRecord) error {
	return func(ctx context.Context, one engine.Approval, set engine.ChangeSet, run engine.RunRecord) error {
		name := orElse(one.Notify, notify)
		if name == "" {
			return fmt.Errorf("nobody hears of %s: name a connection under `notify:`", one.ID)
		}
		ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
		defer cancel()
		m := message.Message{
			Text: a.approvalMessage(one, set, run), Link: approvalLink(link, one, run), Key: fmt.Sprintf("%s/%d", one.ID, one.Round),
		}
		if err := send(ctx, connections, name, m); err != nil {
			return fmt.Errorf("telling %s of %s: %w", name, one.ID, err)
		}
		return nil
	}
}

// approvalLink leads to where people decide. Opening it decides nothing: Drawbridge
// hears of a decision only from the command that the message names, given by
// somebody it knows.
func approvalLink(link string, one engine.Approval, run engine.RunRecord) message.Link {
	if link == "" {
		return message.Link{}
	}
	filled := strings.NewReplacer("{id}", url.PathEscape(one.ID), "{run}", url.PathEscape(run.ID)).Replace(link)
	return message.Link{Title: "Look at it and decide", URL: filled}
}

// approvalMessage is what people are told of a request for approval. It decides
// nothing by itself: it names the command that does.
func (a *app) approvalMessage(one engine.Approval, set engine.ChangeSet, run engine.RunRecord) engine.Text {
	var t text
	t.own("Drawbridge asks for approval: ").foreign(one.Title)
	if one.Round > 1 {
		t.own(fmt.Sprintf(" (asked anew, round %d: what would be done has changed, earlier votes are void)", one.Round))
	}
	t.own("\n").foreign(run.Playbook).own(" (" + run.ID + "), started by ").foreign(run.Actor.Name)
	pending := set.Without(one.Excluded).Pending()
	t.own(", would make " + plural(len(pending), "change", "changes"))
	if !set.Complete {
		t.own(" and perhaps more, which is known only later")
	}
	for i, c := range pending {
		if i == mostTold {
			t.own(fmt.Sprintf("\n… and %d more", len(pending)-i))
			break
		}
		t.change(c)
	}
	if one.Kind == engine.ApprovalGrant {
		t.own("\nApprove takes it back now; deny lets it stay, and so does no answer")
	}
	t.own("\nMay decide: ").foreign(screen.Deciders(one.By, one.Needs))
	if one.ExpiresAt != nil {
		t.own(", until " + one.ExpiresAt.UTC().Format(time.RFC3339))
	}
	t.own("\nLook at it and decide: " + a.command("approvals show "+one.ID))
	return engine.Text(t)
}

// text is an engine.Text that is being put together.
type text engine.Text

// own adds what Drawbridge itself says.
func (t *text) own(s string) *text {
	*t = append(*t, engine.TextPart{S: s})
	return t
}

// foreign adds what somebody else wrote.
func (t *text) foreign(s string) *text {
	*t = append(*t, engine.TextPart{S: s, Foreign: true})
	return t
}

// change adds a line for a change, the id beside the name.
func (t *text) change(c engine.PlannedChange) {
	t.own("\n• ").foreign(screen.Clean(c.Target.Name, 60)).own(" (").foreign(c.Target.ID).own("): ").foreign(c.Action)
	t.own(", ").foreign(screen.PlannedDelta(c))
	if c.Why != "" {
		t.own(" — ").foreign(screen.Clean(c.Why, 200))
	}
}
