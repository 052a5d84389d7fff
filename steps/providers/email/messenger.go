package email

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// How long the server may take.
const (
	connectTime = 10 * time.Second
	answerTime  = 30 * time.Second // to one command
	takeTime    = 2 * time.Minute  // to say that it has the message: many look through it first
)

// messenger sends mail through one server, one conversation per mail.
type messenger struct {
	settings

	secrets secret.Resolver
	now     func() time.Time
	version string
	network engine.Dialer
	client  *transport.Client // for its attempts and its pace
}

// Send sends the message to all recipients or to none. Where a reply was lost
// it sends it again, under the same Message-ID, because a message is better
// heard twice than never.
func (m *messenger) Send(ctx context.Context, msg message.Message) error {
	raw, err := m.compose(msg)
	if err != nil {
		return err
	}
	return m.client.Retry(ctx, func(ctx context.Context) error {
		done, err := m.client.Turn(ctx)
		if err != nil {
			return m.failure(ctx, "waiting for a turn", err)
		}
		defer done()
		return m.deliver(ctx, raw)
	})
}

func (m *messenger) deliver(ctx context.Context, raw []byte) error {
	d, err := m.connect(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	if err := m.authenticate(ctx, d); err != nil {
		return err
	}
	if err := d.send(ctx, raw); err != nil {
		return err
	}
	d.quit()
	return nil
}

// authenticate signs in where there are credentials. A password that was
// refused is read anew by the next attempt: somebody may have replaced it.
func (m *messenger) authenticate(ctx context.Context, d *dialog) error {
	if m.username == "" {
		return nil
	}
	password, err := m.secrets.Resolve(ctx, m.password)
	if err != nil {
		return fmt.Errorf("resolving the password of %s: %w", m.server(), err)
	}
	err = d.signIn(ctx, m.username, password)
	if f := engine.AsFailure(err); f != nil && f.Class == engine.ClassAuth {
		secret.Forget(m.secrets, m.password)
	}
	return err
}

// config is how to speak TLS with the server.
func (m *messenger) config() *tls.Config {
	conf := m.network.TLS(m.server())
	if conf.ServerName == "" {
		conf.ServerName = m.host
	}
	return conf
}

// direct is the network where the configuration says nothing about it.
type direct struct{}

// Dial connects.
func (direct) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 30 * time.Second}
	return d.DialContext(ctx, network, address) //nolint:wrapcheck // the caller explains it
}

// TLS trusts whom the system trusts.
func (direct) TLS(string) *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
