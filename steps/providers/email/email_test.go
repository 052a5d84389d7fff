package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"
	"github.com/xdg-go/scram"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity/identitytest"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/messagetest"
	"github.com/drawbridge-soar/drawbridge/steps/sim/mailbox"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const canary = "xyzzy-canary/+secret"

// now is the time of these tests.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// secrets resolves references from a map.
type secrets map[secret.Reference]string

func (s secrets) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	plain, ok := s[ref]
	if !ok {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, "secret", "%s is not set", ref)
	}
	return secret.New(plain), nil
}

// trusting connects directly, trusts one authority and counts connections.
type trusting struct {
	direct

	roots  *x509.CertPool
	dialed atomic.Int32
}

func (n *trusting) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.dialed.Add(1)
	return n.direct.Dial(ctx, network, address)
}

func (n *trusting) TLS(string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots}
}

// post is a mail server and a connection to it.
type post struct {
	server   *mailbox.Server
	network  *trusting
	secrets  secrets
	settings map[string]any
	now      func() time.Time
}

func serve(t *testing.T, o mailbox.Options) *post {
	t.Helper()
	o.Username, o.Password = "alerts@example.com", canary
	server, err := mailbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &post{server: server, network: &trusting{roots: x509.NewCertPool()}, secrets: secrets{"env://SMTP": canary}, now: now}
	if !p.network.roots.AppendCertsFromPEM(server.CA()) {
		t.Fatal("the authority is no certificate")
	}
	host, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	p.settings = map[string]any{
		"host": host, "port": number, "from": "Drawbridge <alerts@example.com>", "to": []any{"sam@example.com", "Zoë <alex@example.com>"},
		"username": "alerts@example.com", "password": secret.Reference("env://SMTP"),
	}
	return p
}

func (p *post) open(t *testing.T) *engine.Connection {
	t.Helper()
	conn, err := open(engine.Opening{
		Name: "mail", Settings: p.settings, Secrets: p.secrets, Now: p.now, Version: "1.2", Dialer: p.network,
	}, transport.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func (p *post) send(t *testing.T, msg message.Message) error {
	t.Helper()
	return p.open(t).Offers[message.CapabilityMessages].(message.Messenger).Send(t.Context(), msg)
}

// only is the one mail that arrived.
func (p *post) only(t *testing.T) mailbox.Mail {
	t.Helper()
	mails := p.server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails arrived; the server saw %q", len(mails), p.server.Log())
	}
	return mails[0]
}

func hello() message.Message {
	return message.Message{Text: engine.Text{{S: "Hello"}}, Key: "run_1/say"}
}

func TestAMail(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	p.settings["cc"] = []any{"sam@example.com", "lee@example.com"}
	p.settings["subject_prefix"] = "[Drawbridge]"
	text := engine.Text{{S: "Suspended "}, {S: "Zoë <b>Müller</b>", Foreign: true}, {S: " — see https://example.com/why?a=1&b=2.\r\n\r\n.\nAll of it"}}
	err := p.send(t, message.Message{
		Text: text, Key: "run_1/say", Fields: map[string]any{"severity": "high"},
		Link: message.Link{Title: "Look at it and decide", URL: "https://console.example.com/a?x=1&y=2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := p.only(t)
	wantText := "Suspended Zoë <b>Müller</b> — see https://example.com/why?a=1&b=2.\n\n.\nAll of it\nLook at it and decide: https://console.example.com/a?x=1&y=2"
	if strings.TrimSuffix(got.Text, "\n") != wantText {
		t.Errorf("the text is %q", got.Text)
	}
	wantHTML := `<p>Suspended Zoë &lt;b&gt;Müller&lt;/b&gt; — see <a href="https://example.com/why?a=1&amp;b=2">https://example.com/why?a=1&amp;b=2</a>.<br>
<br>
.<br>
All of it</p>
<p>Look at it and decide: <a href="https://console.example.com/a?x=1&amp;y=2">https://console.example.com/a?x=1&amp;y=2</a></p>`
	if !strings.Contains(got.HTML, wantHTML) {
		t.Errorf("the HTML is %s", got.HTML)
	}
	if want := "[Drawbridge] Suspended Zoë <b>Müller</b> — see https://example.com/why?a=1&b=2."; got.Subject != want {
		t.Errorf("the subject is %q", got.Subject)
	}
	if diff := cmp.Diff([]string{"sam@example.com", "alex@example.com", "lee@example.com"}, got.To); diff != "" || got.From != "alerts@example.com" {
		t.Errorf("from %s, %s", got.From, diff)
	}
	want := map[string]string{
		"From": `"Drawbridge" <alerts@example.com>`, "Date": "Sun, 01 Mar 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated",
		"User-Agent": "Drawbridge/1.2", "Cc": "<sam@example.com>, <lee@example.com>", "To": "<sam@example.com>, =?utf-8?q?Zo=C3=AB?= <alex@example.com>",
	}
	for name, value := range want {
		if got := got.Header.Get(name); got != value {
			t.Errorf("%s is %q", name, got)
		}
	}
	wantLog := []string{
		"EHLO example.com (tls false)", "EHLO example.com (tls true)", "AUTH PLAIN", "MAIL alerts@example.com",
		"RCPT sam@example.com", "RCPT alex@example.com", "RCPT lee@example.com", "DATA",
	}
	if diff := cmp.Diff(wantLog, p.server.Log()); diff != "" {
		t.Error(diff)
	}
}

// shown is what people see of an HTML mail: what stands in its paragraph.
func shown(t *testing.T, html string) string {
	t.Helper()
	_, rest, begun := strings.Cut(html, "<p>")
	inner, _, ended := strings.Cut(rest, "</p>")
	if !begun || !ended {
		t.Fatalf("there is no paragraph in %s", html)
	}
	return inner
}

func TestHostileNames(t *testing.T) { // not parallel: each looks at the last mail
	p := serve(t, mailbox.Options{})
	deliver := func(read func(t *testing.T, m mailbox.Mail) string) func(t *testing.T, text engine.Text) string {
		return func(t *testing.T, text engine.Text) string {
			if err := p.send(t, message.Message{Text: text}); err != nil {
				t.Fatalf("%v; the server saw %q", err, p.server.Log())
			}
			mails := p.server.Mails()
			last := mails[len(mails)-1]
			if len(last.To) != 2 || last.Header.Get("Bcc") != "" || len(last.Header) != 10 {
				t.Errorf("the name got into the header: %v", last.Header)
			}
			return read(t, last)
		}
	}
	t.Run("subject", func(t *testing.T) {
		messagetest.Hostile(t, deliver(func(_ *testing.T, m mailbox.Mail) string { return m.Subject }), "Bcc: everybody@example.com?=")
	})
	t.Run("text", func(t *testing.T) {
		messagetest.Hostile(t, deliver(func(_ *testing.T, m mailbox.Mail) string { return m.Text }))
	})
	t.Run("html", func(t *testing.T) {
		messagetest.Hostile(t, deliver(func(t *testing.T, m mailbox.Mail) string { return shown(t, m.HTML) }), "<", ">", `"`)
	})
}

// TestASubjectIsReadAsItIs has a name that is an encoded word, which programs
// decode.
func TestASubjectIsReadAsItIs(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	for _, name := range []string{"=?utf-8?B?4oCuZ3Bq?=", "=", "=?utf-8?q?=E2=80=AE?= x"} {
		text := engine.Text{{S: "About "}, {S: name, Foreign: true}, {S: "?utf-8?q?=E2=80=AEgpj?="}}
		if err := p.send(t, message.Message{Text: text}); err != nil {
			t.Fatal(err)
		}
		mails := p.server.Mails()
		if got := mails[len(mails)-1].Subject; strings.ContainsRune(got, '\u202e') || !strings.HasPrefix(got, "About =") {
			t.Errorf("%q is read as %q", name, got)
		}
	}
}

func TestEveryAttemptHasTheSameMessageID(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	p.server.Inject(mailbox.Fault{Kind: mailbox.LostReply})
	if err := p.send(t, hello()); err != nil {
		t.Fatalf("a lost reply is no reason to tell nobody: %v", err)
	}
	mails := p.server.Mails()
	if len(mails) != 2 || !mails[0].Lost || mails[0].Header.Get("Message-ID") != mails[1].Header.Get("Message-ID") {
		t.Fatalf("got %+v", mails)
	}
	if id := mails[0].Header.Get("Message-ID"); strings.Contains(id, "run_1") || !strings.HasSuffix(id, "@example.com>") {
		t.Errorf("the Message-ID is %s", id)
	}
	for range 2 {
		if err := p.send(t, message.Message{Text: engine.Text{{S: "x"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if mails = p.server.Mails(); mails[2].Header.Get("Message-ID") == mails[3].Header.Get("Message-ID") {
		t.Error("two messages without a key have one Message-ID")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault    mailbox.Kind
		class    engine.Class
		code     string
		attempts int32
		says     string
	}{
		"busy":             {mailbox.Busy, engine.ClassTransient, "smtp_421", 3, "Too busy"},
		"greylisted":       {mailbox.Greylist, engine.ClassTransient, "smtp_451", 3, "refused: sam@example.com, alex@example.com"},
		"mailbox full":     {mailbox.Quota, engine.ClassTransient, "smtp_452", 3, "The mailbox is full"},
		"wrong password":   {mailbox.BadLogin, engine.ClassAuth, "smtp_535", 1, "are `username` and `password` right"},
		"echoed":           {mailbox.Echo, engine.ClassAuth, "smtp_535", 1, "no account alerts@example.com with " + secret.Placeholder},
		"auth unavailable": {mailbox.Unavailable, engine.ClassTransient, "smtp_454", 3, "signing in"},
		"sender":           {mailbox.NotAllowed, engine.ClassPermanent, "smtp_550", 1, "sending as alerts@example.com: 550 5.7.1 Sender address rejected"},
		"spam":             {mailbox.Refused, engine.ClassPermanent, "smtp_554", 1, "Message rejected as spam"},
		"cut":              {mailbox.CutData, engine.ClassTransient, transport.CodeUnreachable, 3, "may have been sent"},
		"lost reply":       {mailbox.LostReply, engine.ClassTransient, transport.CodeUnreachable, 3, "may have been sent"},
		"no mail server":   {mailbox.Garbage, engine.ClassPermanent, "not_smtp", 1, "are `host`, `port` and `tls` right?"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, mailbox.Options{})
			p.server.Inject(mailbox.Fault{Kind: tt.fault, Times: -1})
			err := p.send(t, hello())
			f := engine.AsFailure(err)
			if f == nil || f.Class != tt.class || f.Code != tt.code || !strings.Contains(f.Message, tt.says) {
				t.Errorf("got %#v, want %s/%s", f, tt.class, tt.code)
			}
			if n := p.network.dialed.Load(); n != tt.attempts {
				t.Errorf("there were %d attempts", n)
			}
			if len(p.server.Mails()) > 0 && tt.fault != mailbox.LostReply {
				t.Errorf("a mail arrived")
			}
			identitytest.NoLeakingError(t, err, canary)
		})
	}
}

// TestOneRefusedRecipient gets nobody a mail: it would look as if it was sent.
func TestOneRefusedRecipient(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{Unknown: []string{"alex@example.com"}})
	err := p.send(t, hello())
	if !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: "smtp_550"}) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"addressing alex@example.com: 550 5.1.1 User unknown", "nothing was sent to anybody"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if len(p.server.Mails()) > 0 || slices.Contains(p.server.Log(), "DATA") {
		t.Errorf("the message was handed over: %q", p.server.Log())
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options mailbox.Options
		change  func(p *post)
		code    string // "" where a mail arrives
		says    string
	}{
		"not offered":              {mailbox.Options{NoSTARTTLS: true}, nil, "no_starttls", "nothing is sent unencrypted"},
		"expired":                  {mailbox.Options{Certificate: mailbox.Expired}, nil, "tls", "expired"},
		"other name":               {mailbox.Options{Certificate: mailbox.OtherName}, nil, "tls", "mail.elsewhere.example"},
		"unknown authority":        {mailbox.Options{}, func(p *post) { p.network.roots = x509.NewCertPool() }, "tls", "authority"},
		"implicit":                 {mailbox.Options{Implicit: true}, func(p *post) { p.settings["tls"] = "implicit" }, "", ""},
		"implicit where it is not": {mailbox.Options{}, func(p *post) { p.settings["tls"] = "implicit" }, "tls", "does not speak TLS"},
		"implicit, expired": {
			mailbox.Options{Implicit: true, Certificate: mailbox.Expired}, func(p *post) { p.settings["tls"] = "implicit" }, "tls", "expired",
		},
		"none, and no credentials": {mailbox.Options{}, func(p *post) {
			p.settings["tls"] = "none"
			delete(p.settings, "username")
			delete(p.settings, "password")
		}, "smtp_530", "set `username` and `password`"},
		"no way to sign in":     {mailbox.Options{Mechanisms: []string{}}, nil, "no_auth", "take `username` and `password` out"},
		"other ways to sign in": {mailbox.Options{Mechanisms: []string{"CRAM-MD5", "XOAUTH2"}}, nil, "no_auth", "PLAIN and LOGIN"},
		"LOGIN":                 {mailbox.Options{Mechanisms: []string{"LOGIN"}}, nil, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.options.Now = time.Now
			p := serve(t, tt.options)
			if tt.change != nil {
				tt.change(p)
			}
			err := p.send(t, hello())
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				p.only(t)
				return
			}
			f := engine.AsFailure(err)
			if f == nil || f.Code != tt.code || f.Retryable() || !strings.Contains(f.Message, tt.says) {
				t.Errorf("got %#v, want %s", f, tt.code)
			}
			for _, line := range p.server.Log() {
				if strings.HasPrefix(line, "AUTH") && !strings.Contains(strings.Join(p.server.Log(), "\n"), "tls true") {
					t.Errorf("credentials were offered in the clear: %q", p.server.Log())
				}
			}
			identitytest.NoLeakingError(t, err, canary)
		})
	}
}

// scramServer is the other side of SCRAM-SHA-256 (RFC 5802, RFC 7677).
type scramServer struct {
	conversation *scram.ServerConversation
	signedIn     func()
	asked        bool
}

func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && !s.asked {
		s.asked = true
		return nil, false, nil
	}
	if s.conversation.Done() {
		if !s.conversation.Valid() {
			return nil, false, errors.New("the proof is wrong")
		}
		s.signedIn()
		return nil, true, nil
	}
	answer, err := s.conversation.Step(string(response))
	return []byte(answer), false, err
}

func TestSCRAM(t *testing.T) {
	t.Parallel()
	client, err := scram.SHA256.NewClient("alerts@example.com", canary, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, mailbox.Options{Further: map[string]func(func()) sasl.Server{
		"SCRAM-SHA-256": func(signedIn func()) sasl.Server {
			return &scramServer{conversation: verifier.NewConversation(), signedIn: signedIn}
		},
	}})
	if err := p.send(t, hello()); err != nil {
		t.Fatal(err)
	}
	p.only(t)
	if !slices.Contains(p.server.Log(), "AUTH SCRAM-SHA-256") {
		t.Errorf("the best way was not taken: %q", p.server.Log())
	}
	p.secrets["env://SMTP"] = "another-one"
	if err := p.send(t, hello()); err == nil {
		t.Error("a wrong password was accepted")
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		begin func(context.Context) (context.Context, context.CancelFunc)
		want  engine.Class
	}{
		"by a person": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, engine.ClassCancelled},
		"by its timeout": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, engine.ClassTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, mailbox.Options{})
			p.server.Inject(mailbox.Fault{Kind: mailbox.Silent, Times: -1})
			conn := p.open(t)
			ctx, cancel := tt.begin(t.Context())
			defer cancel()
			err := conn.Offers[message.CapabilityMessages].(message.Messenger).Send(ctx, hello())
			if f := engine.AsFailure(err); f == nil || f.Class != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if n := p.network.dialed.Load(); n != 1 {
				t.Errorf("there were %d attempts", n)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	if err := p.server.Close(); err != nil {
		t.Fatal(err)
	}
	err := p.send(t, hello())
	if !errors.Is(err, &engine.Failure{Class: engine.ClassTransient, Code: transport.CodeUnreachable}) {
		t.Errorf("got %v", err)
	}
	if n := p.network.dialed.Load(); n != 3 {
		t.Errorf("there were %d attempts", n)
	}
}

func TestAMissingPassword(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	p.secrets = secrets{}
	if err := p.send(t, hello()); !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "secret"}) {
		t.Errorf("got %v", err)
	}
}

func TestATooLargeMail(t *testing.T) {
	t.Parallel()
	p := serve(t, mailbox.Options{})
	err := p.send(t, message.Message{Text: engine.Text{{S: strings.Repeat("long ", mailbox.MaxMessage/8)}}})
	if !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: "too_large"}) {
		t.Errorf("got %v", err)
	}
	if slices.Contains(p.server.Log(), "DATA") {
		t.Error("it was handed over")
	}
}

func TestTest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  mailbox.Kind
		change func(p *post)
		works  []bool
		says   string
	}{
		"all well":       {"", nil, []bool{true, true, true}, "nothing was sent"},
		"wrong password": {mailbox.BadLogin, nil, []bool{true, false}, "app password"},
		"expired":        {"", func(p *post) { p.network.roots = x509.NewCertPool() }, []bool{false}, "certificate"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, mailbox.Options{})
			p.server.Inject(mailbox.Fault{Kind: tt.fault, Times: -1})
			if tt.change != nil {
				tt.change(p)
			}
			findings, err := p.open(t).Offers[engine.CapabilityTest].(engine.Tester).Test(t.Context())
			if err != nil || len(findings) != len(tt.works) {
				t.Fatalf("got %v, %v", findings, err)
			}
			for i, f := range findings {
				if f.Works != tt.works[i] {
					t.Errorf("%+v", f)
				}
				identitytest.NoLeak(t, f.Detail, canary)
			}
			if last := findings[len(findings)-1]; !strings.Contains(last.Detail, tt.says) {
				t.Errorf("it ends with %q", last.Detail)
			}
			if log := strings.Join(p.server.Log(), "\n"); strings.Contains(log, "MAIL") {
				t.Errorf("a mail was begun: %s", log)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change map[string]any // nil takes out
		says   string         // "" where it is good
	}{
		"good":                      {nil, ""},
		"no recipients":             {map[string]any{"to": []any{}}, "to: it names nobody"},
		"no address":                {map[string]any{"to": []any{"sam"}}, `to: "sam" is not an address`},
		"two addresses in one":      {map[string]any{"to": []any{"sam@example.com, alex@example.com"}}, "is not an address"},
		"an injected header":        {map[string]any{"to": []any{"sam@example.com\r\nBcc: all@example.com"}}, "is not an address"},
		"an address of other signs": {map[string]any{"to": []any{"zoë@example.com"}}, "is not ASCII"},
		"no sender":                 {map[string]any{"from": "Drawbridge"}, "from: "},
		"a wrong copy":              {map[string]any{"cc": []any{"@"}}, "cc: "},
		"port in the host":          {map[string]any{"host": "smtp.example.com:587"}, "host: write the name of the mail server alone"},
		"host is a URL":             {map[string]any{"host": "smtp://smtp.example.com"}, "host: "},
		"host is an address":        {map[string]any{"host": "::1"}, ""},
		"wrong port":                {map[string]any{"port": int64(70000)}, "port: 70000 is no port"},
		"half of the credentials":   {map[string]any{"password": nil}, "`username` and `password` go together"},
		"the other half":            {map[string]any{"username": nil}, "`username` and `password` go together"},
		"credentials in the clear":  {map[string]any{"tls": "none", "host": "localhost"}, "they are not sent"},
		"mails in the clear":        {map[string]any{"tls": "none", "username": nil, "password": nil}, "allow_plaintext: true"},
		"mails in the clear, meant": {map[string]any{"tls": "none", "username": nil, "password": nil, "allow_plaintext": true}, ""},
		"a relay on this machine":   {map[string]any{"tls": "none", "username": nil, "password": nil, "host": "127.0.0.1"}, ""},
		"plaintext with TLS":        {map[string]any{"allow_plaintext": true}, "allow_plaintext: it goes with `tls: none` only"},
		"a wrong introduction":      {map[string]any{"helo": "soar example"}, "helo: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := map[string]any{
				"host": "smtp.example.com", "from": "alerts@example.com", "to": []any{"sam@example.com"},
				"username": "alerts", "password": secret.Reference("env://SMTP"),
			}
			for name, value := range tt.change {
				settings[name] = value
				if value == nil {
					delete(settings, name)
				}
			}
			_, err := Provider().Open(engine.Opening{Name: "mail", Settings: settings, Now: now})
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, &engine.Failure{Class: engine.ClassInvalid, Code: "setting"}) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]int{"": 587, "starttls": 587, "implicit": 465, "none": 25} {
		s, err := readSettings(engine.Opening{Settings: map[string]any{
			"host": "localhost", "tls": mode, "from": "a@example.com", "to": []any{"b@example.com"},
		}})
		if err != nil || s.port != want {
			t.Errorf("%q: got %d, %v", mode, s.port, err)
		}
	}
}

// FuzzCompose sends any text through any subject, and has it read as a strict
// server reads it.
func FuzzCompose(f *testing.F) {
	f.Add("Suspended ", "Sam\r\nBcc: x@example.com", " today")
	f.Add("", "=?utf-8?q?=0D=0A?=", "=")
	f.Add("https://example.com/ü <b>", "\x00\xff.", "\n.\n")
	for _, hostile := range messagetest.HostileNames() {
		f.Add("About ", hostile.Name, "\r")
	}
	m := &messenger{settings: settings{
		from: &mail.Address{Address: "alerts@example.com"}, to: []*mail.Address{{Name: "Zoë", Address: "sam@example.com"}}, prefix: "[D]",
	}, now: now, version: "1"}
	f.Fuzz(func(t *testing.T, before, name, after string) {
		text := engine.Text{{S: before}, {S: name, Foreign: true}, {S: after}}
		raw, err := m.compose(message.Message{Text: text, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := mailbox.Parse(raw)
		if err != nil {
			t.Fatalf("%v: %q", err, raw)
		}
		if len(got.Header) != 10 {
			t.Errorf("the header is %v", got.Header)
		}
		if strings.ContainsAny(got.Subject, "\r\n\x00") {
			t.Errorf("the subject is %q", got.Subject)
		}
	})
}
