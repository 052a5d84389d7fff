package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The bounds of what the server takes.
const (
	MaxMessage    = 1 << 20 // bytes; it says so after EHLO
	MaxRecipients = 50
)

// ErrNotLoopback is returned by Start for an address that others could reach.
var ErrNotLoopback = errors.New("the simulated mail server listens on a loopback address only")

// Options say how the server behaves. The zero Options are a good server.
type Options struct {
	Username, Password string // "mailer" and "a-simulated-password" by default
	Certificate        Certificate
	NoSTARTTLS         bool // it does not offer STARTTLS
	Implicit           bool // it speaks TLS from the first byte, as port 465 does
	// Mechanisms are the ways to sign in it offers; PLAIN and LOGIN by default.
	Mechanisms []string
	// Further are more ways to sign in, by their names; they say when somebody is.
	Further map[string]func(signedIn func()) sasl.Server
	// Unknown are recipients it refuses.
	Unknown []string
	// Trouble is asked at each mail what goes wrong with it; nil for what was
	// injected. Wait is how Slow waits; with real time by default.
	Trouble func() Fault
	Wait    func(ctx context.Context, d time.Duration) error
	// Deliver hears of each mail that was taken, beside Mails.
	Deliver func(Mail)
	// Now is the clock certificates are valid by; time.Now by default.
	Now func() time.Time
}

// Server is a mail server. It may be used by several goroutines.
type Server struct {
	opts   Options
	ca     []byte          // PEM
	ctx    context.Context //nolint:containedctx // what sessions under way wait for, which nobody calls
	cancel context.CancelFunc
	smtp   *smtp.Server // for those who come over the network
	near   *smtp.Server // for those who come from this process: without TLS and credentials

	mu     sync.Mutex
	mails  []Mail
	log    []string
	faults []Fault
	served []serving
	addr   string
}

// New makes a server that does not listen yet, with a certificate of its own.
func New(o Options) (*Server, error) {
	if o.Username == "" {
		o.Username, o.Password = "mailer", "a-simulated-password"
	}
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	ca, cert, err := certify(o.Certificate, o.Now())
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, ca: ca}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.smtp, s.near = s.newSMTP(false), s.newSMTP(true)
	if !o.NoSTARTTLS {
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

func (s *Server) newSMTP(near bool) *smtp.Server {
	out := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return s.session(c, near) }))
	out.Domain = "mail.sim.example"
	out.MaxMessageBytes, out.MaxRecipients = MaxMessage, MaxRecipients
	out.ReadTimeout, out.WriteTimeout = time.Minute, time.Minute
	out.ErrorLog = log.New(io.Discard, "", 0)
	return out
}

// Start makes the server listen on the address ("" finds a free port) until it
// is closed.
func (s *Server) Start(ctx context.Context, addr string) error {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%w, not on %q", ErrNotLoopback, addr)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("starting the simulated mail server: %w", err)
	}
	s.addr = listener.Addr().String()
	if s.opts.Implicit {
		listener = tls.NewListener(listener, s.smtp.TLSConfig)
	}
	s.serve(s.smtp, listener)
	return nil
}

func (s *Server) serve(server *smtp.Server, l net.Listener) {
	done := make(chan error, 1)
	s.mu.Lock()
	s.served = append(s.served, serving{listener: l, done: done})
	s.mu.Unlock()
	go func() { done <- server.Serve(l) }()
}

// serving is a listener on its way. It is closed here too: the library knows it
// only once it has begun.
type serving struct {
	listener net.Listener
	done     chan error
}

// Dial reaches the server from within the process, without a socket, whatever
// the address. It takes mail there as a relay on the same machine does: without
// TLS and credentials.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	if s.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	ours, theirs := net.Pipe()
	go func() { _ = s.near.Serve(&once{conn: theirs}) }() // it ends with net.ErrClosed at once; the conversation goes on
	return ours, nil
}

// Addr is where the server listens: host and port.
func (s *Server) Addr() string { return s.addr }

// CA is the PEM of the authority that signed the server's certificate.
func (s *Server) CA() []byte { return slices.Clone(s.ca) }

// Credentials are what the server lets sign in.
func (s *Server) Credentials() (username, password string) { return s.opts.Username, s.opts.Password }

// Mails are the mails it took, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Log are the commands that got as far as its sessions, such as "AUTH PLAIN"
// and "RCPT sam@example.com", and what it refused of the messages. Without
// credentials.
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Close cuts all connections and stops listening.
func (s *Server) Close() error {
	s.cancel()
	errs := []error{closed(s.smtp.Close()), closed(s.near.Close())}
	s.mu.Lock()
	served := s.served
	s.served = nil
	s.mu.Unlock()
	for _, one := range served {
		_ = one.listener.Close() // again, or for the first time
		errs = append(errs, <-one.done)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the simulated mail server: %w", err)
	}
	return nil
}

// closed forgives closing twice.
func closed(err error) error {
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, line)
}

func (s *Server) take(m Mail) {
	s.mu.Lock()
	s.mails = append(s.mails, m)
	s.mu.Unlock()
	if s.opts.Deliver != nil {
		s.opts.Deliver(m)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // nobody asks why
	}
}

// once is a listener to which one connection comes.
type once struct {
	mu   sync.Mutex
	conn net.Conn
}

// Accept is the connection, and then the end.
func (o *once) Accept() (net.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	conn := o.conn
	if o.conn = nil; conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close has nothing to do: the connection is closed by those who speak.
func (*once) Close() error { return nil }

// Addr says that there is none.
func (*once) Addr() net.Addr { return &net.UnixAddr{Name: "in-process", Net: "pipe"} }
