package email

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// dialog is one conversation with the server, as far as encryption goes.
type dialog struct {
	m      *messenger
	client *smtp.Client
	hide   *secret.Redactor // what the server says never contains the password
	method string           // how it was signed in
	close  func()
}

// connect begins a conversation and encrypts it. It is over when the context is.
func (m *messenger) connect(ctx context.Context) (*dialog, error) {
	dialing, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := m.network.Dial(dialing, "tcp", m.server())
	if err != nil {
		return nil, m.failure(ctx, "connecting", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	d := &dialog{m: m, hide: &secret.Redactor{}}
	d.close = func() {
		stop()
		_ = conn.Close()
	}
	if err := d.greet(ctx, dialing, conn); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// greet goes as far as an encrypted connection on which nothing was said yet.
func (d *dialog) greet(ctx, dialing context.Context, conn net.Conn) error {
	conf := d.m.config()
	if d.m.mode == modeImplicit {
		encrypted := tls.Client(conn, conf)
		if err := encrypted.HandshakeContext(dialing); err != nil {
			return d.failure(ctx, "encrypting", err)
		}
		conn = encrypted
	}
	if err := conn.SetDeadline(d.deadline()); err != nil {
		return d.failure(ctx, "connecting", err)
	}
	client, err := smtp.NewClient(conn, d.m.host)
	if err != nil {
		return d.failure(ctx, "waiting for its greeting", err)
	}
	d.client = client
	d.client.SkipSMTPUTF8(true) // addresses are ASCII, and what is not needed can be refused
	if err := d.step(ctx, "introducing this machine", func() error { return d.client.Hello(d.m.helo) }); err != nil {
		return err
	}
	if d.m.mode != modeSTARTTLS {
		return nil
	}
	if offered, _ := d.client.Extension("STARTTLS"); !offered {
		return engine.Fail(engine.ClassPermanent, "no_starttls",
			"%s does not offer STARTTLS, and nothing is sent unencrypted; is it the right port? Port 465 needs `tls: implicit`", d.m.server())
	}
	return d.step(ctx, "encrypting", func() error { return d.client.StartTLS(conf) })
}

// step does one thing within the time for an answer.
func (d *dialog) step(ctx context.Context, doing string, do func() error) error {
	if err := d.client.UpdateDeadline(answerTime); err != nil {
		return d.failure(ctx, doing, err)
	}
	if err := do(); err != nil {
		return d.failure(ctx, doing, err)
	}
	return nil
}

// signIn proves who we are, by the best way the server offers.
func (d *dialog) signIn(ctx context.Context, username string, password secret.Value) error {
	if _, encrypted := d.client.TLSConnectionState(); !encrypted { // the settings see to it; this is the lock
		return engine.Fail(engine.ClassInvalid, "setting", "credentials are not sent to %s unencrypted", d.m.server())
	}
	d.hide.Learn(password)
	_, offered := d.client.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	var way smtp.Auth
	switch {
	case slices.Contains(ways, "SCRAM-SHA-256"):
		d.method, way = "SCRAM-SHA-256", smtp.ScramSHA256Auth(username, password.Reveal())
	case slices.Contains(ways, "PLAIN"):
		d.method, way = "PLAIN", smtp.PlainAuth("", username, password.Reveal(), d.m.host, false)
	case slices.Contains(ways, "LOGIN"):
		d.method, way = "LOGIN", smtp.LoginAuth(username, password.Reveal(), d.m.host, false)
	case len(ways) == 0:
		return engine.Fail(engine.ClassPermanent, "no_auth", "%s does not let anybody sign in; take `username` and `password` out, or is it the right port?", d.m.server())
	default:
		return engine.Fail(engine.ClassPermanent, "no_auth", "%s offers none of the ways to sign in that are supported: SCRAM-SHA-256, PLAIN and LOGIN", d.m.server())
	}
	return d.step(ctx, "signing in", func() error { return d.client.Auth(way) })
}

// send hands the message over, for all recipients.
func (d *dialog) send(ctx context.Context, raw []byte) error {
	if _, limit := d.client.Extension("SIZE"); limit != "" {
		if most, err := strconv.Atoi(limit); err == nil && most > 0 && len(raw) > most {
			return engine.Fail(engine.ClassPermanent, "too_large", "%s takes mails of up to %d bytes, and this one has %d", d.m.server(), most, len(raw))
		}
	}
	from := d.m.from.Address
	if err := d.step(ctx, "sending as "+from, func() error { return d.client.Mail("<" + from + ">") }); err != nil {
		return err
	}
	if err := d.address(ctx); err != nil {
		return err
	}
	return d.hand(ctx, raw)
}

// address names the recipients. Where one is refused nobody gets the mail: a
// message that reached some would count as sent.
func (d *dialog) address(ctx context.Context) error {
	var refused []string
	var worst *engine.Failure
	for _, to := range d.m.recipients() {
		err := d.step(ctx, "addressing "+to, func() error { return d.client.Rcpt("<" + to + ">") })
		if err == nil {
			continue
		}
		f := engine.AsFailure(err)
		if !isReply(f) {
			return err // the conversation is over
		}
		refused = append(refused, to)
		if worst == nil || worst.Retryable() {
			worst = f
		}
	}
	switch {
	case worst == nil:
		return nil
	case len(refused) > 1:
		worst.Message = fmt.Sprintf("%s (refused: %s)", worst.Message, strings.Join(refused, ", "))
	}
	worst.Message += "; nothing was sent to anybody"
	_ = d.step(ctx, "starting over", d.client.Reset) // it is the other one's to forget
	d.quit()
	return worst
}

// hand transfers the message. From its end on, only an answer tells whether
// the server has it.
func (d *dialog) hand(ctx context.Context, raw []byte) error {
	if err := d.client.UpdateDeadline(answerTime); err != nil {
		return d.failure(ctx, "sending the message", err)
	}
	w, err := d.client.Data()
	if err != nil {
		return d.failure(ctx, "sending the message", err)
	}
	if _, err := w.Write(raw); err != nil {
		return d.failure(ctx, "sending the message", err)
	}
	if err := d.client.UpdateDeadline(takeTime); err != nil {
		return d.failure(ctx, "sending the message", err)
	}
	if err := w.Close(); err != nil {
		f := d.failure(ctx, "waiting for the word that it has the message", err)
		if !isReply(f) {
			f.Message += "; it may have been sent"
		}
		return f
	}
	return nil
}

// quit says goodbye. What was said before holds whatever comes of it.
func (d *dialog) quit() {
	if d.client.UpdateDeadline(answerTime) == nil {
		_ = d.client.Quit()
	}
}
