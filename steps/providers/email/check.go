package email

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Test connects, encrypts and signs in. It sends nothing: whether the server
// takes mail from this sender for these recipients shows only when there is one.
func (m *messenger) Test(ctx context.Context) ([]engine.Finding, error) {
	d, err := m.connect(ctx)
	if err != nil {
		return []engine.Finding{{Subject: "connect", Detail: engine.AsFailure(err).Message}}, ctx.Err()
	}
	defer d.close()
	findings := []engine.Finding{{Works: true, Subject: "connect", Detail: m.server() + " answers; " + d.encryption()}}
	if m.username != "" {
		if err := m.authenticate(ctx, d); err != nil {
			return append(findings, engine.Finding{Subject: "sign in", Detail: engine.AsFailure(err).Message}), ctx.Err()
		}
		findings = append(findings, engine.Finding{Works: true, Subject: "sign in", Detail: "as " + m.username + ", by " + d.method})
	}
	if err := d.step(ctx, "asking whether it is there", d.client.Noop); err != nil {
		return append(findings, engine.Finding{Subject: "send", Detail: engine.AsFailure(err).Message}), ctx.Err()
	}
	d.quit()
	return append(findings, engine.Finding{
		Works: true, Subject: "send",
		Detail: fmt.Sprintf("nothing was sent, so whether it takes mail from %s for %s is not known", m.from.Address, strings.Join(m.recipients(), ", ")),
	}), nil
}

// encryption says how the conversation is protected.
func (d *dialog) encryption() string {
	state, encrypted := d.client.TLSConnectionState()
	if !encrypted {
		return "nothing is encrypted"
	}
	said := tls.VersionName(state.Version)
	if len(state.PeerCertificates) > 0 {
		said += ", its certificate is valid until " + state.PeerCertificates[0].NotAfter.UTC().Format("2006-01-02")
	}
	return said
}
