// Package message holds the action that tells people something, and the
// capability it needs from a connection.
package message

import (
	"context"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CapabilityMessages is Messenger.
const CapabilityMessages engine.Capability = "messages"

// Message is something to tell people.
type Message struct {
	Text   engine.Text    // foreign parts are escaped for the destination by the messenger
	Fields map[string]any // more data for destinations that take it; ignored by the others
	Link   Link           // where it is followed up; the zero Link leads nowhere
	Key    string         // the same for every attempt, for destinations that de-duplicate
}

// Link leads to where a message is followed up. Opening it does nothing:
// whatever shows a message may open its links by itself, to look what is there.
type Link struct {
	Title string // what one finds there, in plain words of Drawbridge's: "Look at it and decide"
	URL   string // https; "" where there is no link
}

// Linked is the text with the link on a line of its own, for destinations that
// show nothing but text.
func (m Message) Linked() engine.Text {
	if m.Link.URL == "" {
		return m.Text
	}
	line := m.Link.Title + ": " + m.Link.URL
	return append(slices.Clip(m.Text), engine.TextPart{S: "\n" + line})
}

// Messenger is a service that carries messages.
type Messenger interface {
	// Send delivers the message or fails; it may deliver it twice when a reply was lost.
	Send(ctx context.Context, m Message) error
}
