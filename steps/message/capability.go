// Package message holds the action that tells people something, and the
// capability it needs from a connection.
package message

import (
	"context"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// CapabilityMessages is Messenger.
const CapabilityMessages engine.Capability = "messages"

// Message is something to tell people.
type Message struct {
	Text   engine.Text    // foreign parts are escaped for the destination by the messenger
	Fields map[string]any // more data for destinations that take it; ignored by the others
	Key    string         // the same for every attempt, for destinations that de-duplicate
}

// Messenger is a service that carries messages.
type Messenger interface {
	// Send delivers the message or fails; it may deliver it twice when a reply was lost.
	Send(ctx context.Context, m Message) error
}
