package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// notifyTimeout is how long a command waits for its notice to be delivered.
const notifyTimeout = 15 * time.Second

// notify tells the connection under `notify:` of a run that did not succeed.
// That it could not be told is said, and does not change how the run ended.
func (a *app) notify(ctx context.Context, o *opened, run engine.RunRecord) {
	if o.notify == "" || run.Status == engine.RunSucceeded || !run.Status.Final() && run.Status != engine.RunUnsettled {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	if err := sendNotice(ctx, o, run); err != nil {
		a.say("%s %q was not told of this run: %v", a.palette.Warn("note:"), o.notify, err)
	}
}

func sendNotice(ctx context.Context, o *opened, run engine.RunRecord) error {
	return send(ctx, o.connections, o.notify, message.Message{Text: notice(run), Key: run.ID + "/" + string(run.Status)})
}

// send delivers a message over the connection of that name.
func send(ctx context.Context, connections local.Connections, name string, m message.Message) error {
	conn, err := connections.Connection(ctx, name)
	if err != nil {
		return err
	}
	messenger, ok := conn.Offers[message.CapabilityMessages].(message.Messenger)
	if !ok {
		return fmt.Errorf("the connection %q carries no messages", name)
	}
	return messenger.Send(ctx, m)
}

// notice is a message about a run.
func notice(run engine.RunRecord) engine.Text {
	return append(engine.Text{{S: "Drawbridge: "}}, runNote(run)...)
}
