package sim

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"

	"github.com/drawbridge-soar/drawbridge/steps/sim/mailbox"
)

// Mailbox is the tenant's mail server, made when it is first asked for. Whoever
// starts it closes it. What it takes is among the tenant's Messages, and faults
// of OpEmail hit it.
func (t *Tenant) Mailbox() (*mailbox.Server, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mailbox != nil {
		return t.mailbox, nil
	}
	m, err := mailbox.New(mailbox.Options{Trouble: t.mailTrouble, Deliver: t.keepMail, Wait: t.opts.Sleep})
	if err != nil {
		return nil, fmt.Errorf("preparing the tenant's mail server: %w", err)
	}
	t.mailbox = m
	return m, nil
}

// Dialer reaches the tenant's mail server without a socket, whatever address it
// is asked for.
func (t *Tenant) Dialer() Dialer { return Dialer{tenant: t} }

// Dialer is an engine.Dialer.
type Dialer struct{ tenant *Tenant }

// Dial begins a conversation.
func (d Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	m, err := d.tenant.Mailbox()
	if err != nil {
		return nil, err
	}
	return m.Dial(ctx, network, address)
}

// TLS is not spoken within a process.
func (Dialer) TLS(string) *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// mailTrouble is what a fault of the tenant is in the language of mail.
func (t *Tenant) mailTrouble() mailbox.Fault {
	fault := t.strike(OpEmail, "")
	kinds := map[FaultKind]mailbox.Kind{
		FaultRateLimited: mailbox.Greylist, FaultUnavailable: mailbox.Busy, FaultServerError: mailbox.Quota, FaultGateway: mailbox.Busy,
		FaultNoReply: mailbox.CutData, FaultSlow: mailbox.Slow,
		FaultLostReply: mailbox.LostReply, FaultCutBody: mailbox.LostReply, FaultHalfJSON: mailbox.LostReply, FaultNotJSON: mailbox.LostReply,
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.request(Request{At: t.opts.Clock(), Operation: OpEmail, Method: "MAIL", Fault: fault.Kind})
	return mailbox.Fault{Kind: kinds[fault.Kind], Delay: fault.Delay}
}

func (t *Tenant) keepMail(m mailbox.Mail) {
	body, err := json.Marshal(m)
	if err != nil { // a mail always encodes
		body = nil
	}
	t.keep(Message{Sink: OpEmail, Text: m.Said(), Body: body, IdempotencyKey: m.Header.Get("Message-ID"), Lost: m.Lost})
}
