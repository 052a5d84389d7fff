// Package terminal is the provider that prints messages where Drawbridge runs:
// for a first look, and for playbooks that people start by hand.
package terminal

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

// Provider declares the terminal.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "terminal",
		Summary: "Prints messages where Drawbridge runs.",
		Setup:   "1. Nothing has to be set up: use it to try a playbook before a real destination is there.",
		Doc: `Prints every message, each line with the name of the connection in front: ` + "`[terminal] Suspended: sam@example.com`" + `. It needs no settings and reaches no service. Fields beside the text are not printed.

Terminal escape sequences, control and bidirectional characters are taken out of everything it prints.`,
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open:         open,
	}
}

func open(o engine.Opening) (*engine.Connection, error) {
	if o.Terminal == nil {
		return nil, engine.Fail(engine.ClassInvalid, "no_terminal", "connection %q: there is nothing to print to", o.Name)
	}
	p := &printer{out: o.Terminal, prefix: "[" + message.Clean(o.Name, 0) + "] "}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "terminal",
		Fingerprint: "terminal",
		Offers:      map[engine.Capability]any{message.CapabilityMessages: p, engine.CapabilityTest: p},
	}, nil
}

// printer writes each message in one piece.
type printer struct {
	mu     sync.Mutex
	out    io.Writer
	prefix string
}

// Send prints the message.
func (p *printer) Send(ctx context.Context, m message.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("printing a message: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.out, p.lines(m.Linked())); err != nil {
		return fmt.Errorf("printing a message: %w", err)
	}
	return nil
}

// lines puts the prefix before each line that the author of the playbook
// wrote; foreign text cannot begin one.
func (p *printer) lines(t engine.Text) string {
	text := message.Render(t, func(foreign string) string { return foreign })
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(p.prefix)
		b.WriteString(message.Clean(line, 0))
		b.WriteByte('\n')
	}
	return b.String()
}

// Test finds that a terminal always works.
func (p *printer) Test(context.Context) ([]engine.Finding, error) {
	return []engine.Finding{{Works: true, Subject: "print messages", Detail: "they appear here"}}, nil
}
