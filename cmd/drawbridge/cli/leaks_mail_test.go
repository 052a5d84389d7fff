package cli

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	postbox "github.com/drawbridge-soar/drawbridge/steps/sim/mailbox"
)

// TestMailLeaksNothing sends mail over a real SMTP conversation with STARTTLS,
// whose authority the configuration names, to a server that does everything
// wrong, and looks for the password in all that is printed, logged and stored.
func TestMailLeaksNothing(t *testing.T) {
	t.Parallel()
	ways := map[string]postbox.Options{
		"nothing": {}, "an expired certificate": {Certificate: postbox.Expired}, "a certificate of somebody else": {Certificate: postbox.OtherName},
		"no STARTTLS": {NoSTARTTLS: true},
	}
	for _, kind := range []postbox.Kind{
		postbox.Busy, postbox.Greylist, postbox.Quota, postbox.BadLogin, postbox.Echo, postbox.NotAllowed, postbox.Refused,
		postbox.CutData, postbox.Silent, postbox.Garbage, postbox.Unavailable, postbox.LostReply,
	} {
		ways[string(kind)] = postbox.Options{Trouble: func() postbox.Fault { return postbox.Fault{Kind: kind} }}
	}
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Username, o.Password = "mailer", canary("mail")
			server := mailServer(t, o)
			mailLeaking(t, server, true).leak(t, "email", "", nil)
			if mails := server.Mails(); name == "nothing" && len(mails) != 2 {
				t.Errorf("%d mails arrived, of two runs; the server saw %v", len(mails), server.Log())
			}
			if len(server.Log()) == 0 && o.Certificate == postbox.Valid {
				t.Error("the server was not asked")
			}
		})
	}
	t.Run("an authority nobody trusts", func(t *testing.T) {
		t.Parallel()
		server := mailServer(t, postbox.Options{Username: "mailer", Password: canary("mail")})
		mailLeaking(t, server, false).leak(t, "email", "", nil)
		if mails := server.Mails(); len(mails) > 0 {
			t.Errorf("%d mails arrived", len(mails))
		}
	})
}

func mailServer(t *testing.T, o postbox.Options) *postbox.Server {
	t.Helper()
	server, err := postbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() }) // it may be closed already
	return server
}

// mailLeaking is mail to a server, whose authority is trusted or not.
func mailLeaking(t *testing.T, server *postbox.Server, trusted bool) leaking {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c := leaking{
		settings: fmt.Sprintf("host: %q, port: %s, from: drawbridge@example.com, to: [security@example.com], username: mailer, password: env://A", host, port),
		secrets:  map[string]string{"A": canary("mail")},
		steps:    leakings()["slack"].steps,
	}
	if trusted {
		ca := filepath.Join(t.TempDir(), "ca.pem")
		write(t, ca, string(server.CA()))
		c.more = fmt.Sprintf("network:\n  hosts:\n    %q: { ca_file: %q }\n", host, ca)
	}
	return c
}
