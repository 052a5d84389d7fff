package mailbox

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one conversation, from EHLO on; STARTTLS begins another.
type session struct {
	server *Server
	conn   *smtp.Conn
	near   bool // from within the process
	signed bool // in
	from   string
	to     []string
	fault  Fault // what goes wrong with this mail
}

func (s *Server) session(c *smtp.Conn, near bool) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	s.note(fmt.Sprintf("EHLO %s (tls %t)", c.Hostname(), encrypted))
	return &session{server: s, conn: c, near: near}, nil
}

// AuthMechanisms are the ways to sign in it offers over TLS.
func (s *session) AuthMechanisms() []string {
	if s.near {
		return nil
	}
	return append(slices.Clone(s.server.opts.Mechanisms), slices.Sorted(maps.Keys(s.server.opts.Further))...)
}

// Auth begins to sign in.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	s.server.note("AUTH " + mechanism)
	if !slices.Contains(s.AuthMechanisms(), mechanism) {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, username, password string) error { return s.signIn(username, password) }), nil
	case "LOGIN":
		return &login{accept: s.signIn}, nil
	}
	if further := s.server.opts.Further[mechanism]; further != nil {
		return further(func() { s.signed = true }), nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *session) signIn(username, password string) error {
	switch s.server.strike(true).Kind {
	case BadLogin:
		return smtp.ErrAuthFailed
	case Echo:
		code := base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password))
		return reply(535, smtp.EnhancedCode{5, 7, 8}, "no account "+username+" with "+password+" ("+code+")")
	case Unavailable:
		return reply(454, smtp.EnhancedCode{4, 7, 0}, "Temporary authentication failure")
	default:
	}
	o := s.server.opts
	if subtle.ConstantTimeCompare([]byte(username), []byte(o.Username))&subtle.ConstantTimeCompare([]byte(password), []byte(o.Password)) != 1 {
		return reply(535, smtp.EnhancedCode{5, 7, 8}, "Error: authentication failed: the user name or the password is wrong")
	}
	s.signed = true
	return nil
}

// Mail begins a message.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.server.note("MAIL " + from)
	switch {
	case !s.signed && !s.near:
		return reply(530, smtp.EnhancedCode{5, 7, 0}, "Authentication required")
	case s.from != "":
		return reply(503, smtp.EnhancedCode{5, 5, 1}, "Error: nested MAIL command")
	case !isASCII(from):
		return reply(553, smtp.EnhancedCode{5, 6, 7}, "The sender is not ASCII, and SMTPUTF8 was not agreed upon")
	}
	s.fault = s.server.strike(false)
	switch s.fault.Kind {
	case Busy:
		s.conn.Reject()
		return reply(421, smtp.EnhancedCode{4, 4, 5}, "Too busy")
	case NotAllowed:
		return reply(550, smtp.EnhancedCode{5, 7, 1}, "Sender address rejected: not owned by user "+s.server.opts.Username)
	case Garbage:
		_, _ = io.WriteString(s.conn.Conn(), "HTTP/1.1 400 Bad Request\r\n\r\n")
		_ = s.conn.Close()
		return io.ErrClosedPipe
	default:
	}
	s.from = from
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.note("RCPT " + to)
	unknown := func(address string) bool { return strings.EqualFold(address, to) }
	switch {
	case s.fault.Kind == Greylist:
		return reply(451, smtp.EnhancedCode{4, 7, 1}, "Greylisted, please try again later")
	case slices.ContainsFunc(s.server.opts.Unknown, unknown):
		return reply(550, smtp.EnhancedCode{5, 1, 1}, "User unknown in virtual mailbox table")
	case !isASCII(to):
		return reply(553, smtp.EnhancedCode{5, 6, 7}, "The recipient is not ASCII, and SMTPUTF8 was not agreed upon")
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	s.server.note("DATA")
	if s.fault.Kind == CutData {
		_ = s.conn.Close()
		return io.ErrClosedPipe
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err //nolint:wrapcheck // it is what the library gave
	}
	switch s.fault.Kind {
	case Quota:
		return reply(452, smtp.EnhancedCode{4, 2, 2}, "The mailbox is full")
	case Refused:
		return reply(554, smtp.EnhancedCode{5, 7, 1}, "Message rejected as spam")
	case Silent:
		_ = s.server.opts.Wait(s.server.ctx, silence)
		_ = s.conn.Close()
		return io.ErrClosedPipe
	case Slow:
		_ = s.server.opts.Wait(s.server.ctx, s.fault.Delay)
	default:
	}
	m, err := Parse(raw)
	if err != nil {
		s.server.note("refused: " + err.Error())
		return reply(550, smtp.EnhancedCode{5, 6, 0}, err.Error())
	}
	m.From, m.To, m.Lost = s.from, s.to, s.fault.Kind == LostReply
	s.server.take(m)
	if m.Lost {
		_ = s.conn.Close()
		return io.ErrClosedPipe
	}
	return nil
}

// Reset forgets the message that was begun.
func (s *session) Reset() { s.from, s.to, s.fault = "", nil, Fault{} }

// Logout ends the conversation.
func (s *session) Logout() error { return nil }

// login is the server's side of AUTH LOGIN, which no standard describes:
// https://datatracker.ietf.org/doc/html/draft-murchison-sasl-login
type login struct {
	accept   func(username, password string) error
	asked    int
	username string
}

// Next asks for the name and then for the password.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch {
	case l.asked == 1 && response == nil:
		return []byte("Username:"), false, nil
	case l.asked == 1, l.asked == 2 && l.username == "":
		l.asked, l.username = 2, string(response)
		return []byte("Password:"), false, nil
	case l.asked == 3:
		return nil, true, l.accept(l.username, string(response))
	default:
		return nil, false, errors.New("the exchange is over")
	}
}
