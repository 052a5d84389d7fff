package email

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// What `tls` may say.
const (
	modeSTARTTLS = "starttls"
	modeImplicit = "implicit"
	modeNone     = "none"
)

// settings are those of a connection, checked.
type settings struct {
	name     string // of the connection
	host     string
	port     int
	mode     string
	username string
	password secret.Reference
	from     *mail.Address
	to, cc   []*mail.Address
	helo     string
	prefix   string
}

// readSettings refuses what could send mail in the clear, to nobody, or as
// nobody. Its failures are invalid ones that name the setting.
func readSettings(o engine.Opening) (s settings, err error) {
	s = settings{name: o.Name, host: text(o, "host"), mode: text(o, "tls"), username: text(o, "username"), helo: text(o, "helo"), prefix: text(o, "subject_prefix")}
	s.password, _ = o.Settings["password"].(secret.Reference)
	if err := s.readServer(o); err != nil {
		return s, err
	}
	if s.from, err = s.address("from", text(o, "from")); err != nil {
		return s, err
	}
	if s.to, err = s.addresses("to", o.Settings["to"]); err != nil {
		return s, err
	}
	if s.cc, err = s.addresses("cc", o.Settings["cc"]); err != nil {
		return s, err
	}
	if len(s.to) == 0 {
		err = s.wrong("to", "it names nobody")
		return s, err
	}
	if s.helo == "" {
		s.helo = domain(s.from)
	}
	if !isHostLike(s.helo) {
		err = s.wrong("helo", "write a host name such as soar.example.com")
		return s, err
	}
	return s, nil
}

func (s *settings) readServer(o engine.Opening) error {
	if s.mode == "" {
		s.mode = modeSTARTTLS
	}
	s.port = map[string]int{modeSTARTTLS: 587, modeImplicit: 465, modeNone: 25}[s.mode]
	if port, given := o.Settings["port"].(int64); given {
		if port < 1 || port > 65535 {
			return s.wrong("port", "%d is no port", port)
		}
		s.port = int(port)
	}
	plaintext, _ := o.Settings["allow_plaintext"].(bool)
	switch {
	case !isHostLike(s.host) || strings.Contains(s.host, ":") && !isAddress(s.host):
		return s.wrong("host", "write the name of the mail server alone, such as smtp.example.com; its port is `port`")
	case (s.username == "") != (s.password == ""):
		return s.wrong("username", "`username` and `password` go together")
	case s.mode == modeNone && s.username != "":
		return s.wrong("tls", "with `none` the credentials would go over the network unencrypted, so they are not sent; use `starttls`, or take `username` and `password` out")
	case s.mode == modeNone && !isLoopback(s.host) && !plaintext:
		return s.wrong("tls", "with `none` everybody on the way to %s could read and change the mails; use `starttls`, or say `allow_plaintext: true`", s.host)
	case plaintext && s.mode != modeNone:
		return s.wrong("allow_plaintext", "it goes with `tls: none` only; with `%s` nothing is ever sent unencrypted", s.mode)
	}
	return nil
}

func (s *settings) addresses(name string, value any) ([]*mail.Address, error) {
	list, _ := value.([]any)
	var out []*mail.Address
	for _, elem := range list {
		written, _ := elem.(string)
		a, err := s.address(name, written)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func (s *settings) address(name, written string) (*mail.Address, error) {
	a, err := mail.ParseAddress(written)
	switch {
	case err != nil || strings.ContainsAny(a.Address, "<> \t\r\n\"") || domain(a) == "":
		return nil, s.wrong(name, "%q is not an address such as sam@example.com or Sam <sam@example.com>", written)
	case !isPrintable(a.Address):
		return nil, s.wrong(name, "the address %q is not ASCII, which many mail servers do not take; write its domain as xn--…", written)
	case strings.ContainsAny(a.Name, "\r\n"):
		return nil, s.wrong(name, "the name of %s has a line break", a.Address)
	}
	return a, nil
}

func (s *settings) wrong(setting, format string, args ...any) error {
	return engine.Fail(engine.ClassInvalid, "setting", "connection %q: %s: %s", s.name, setting, fmt.Sprintf(format, args...))
}

// recipients are all of them, for the envelope.
func (s *settings) recipients() []string {
	var out []string
	seen := map[string]bool{}
	for _, list := range [][]*mail.Address{s.to, s.cc} {
		for _, a := range list {
			if !seen[a.Address] {
				seen[a.Address] = true
				out = append(out, a.Address)
			}
		}
	}
	return out
}

// server is the server's host and port.
func (s *settings) server() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

func (s *settings) fingerprint() string {
	return "email " + s.server() + " " + s.from.Address + " " + strings.Join(s.recipients(), ",")
}

func text(o engine.Opening, setting string) string {
	value, _ := o.Settings[setting].(string)
	return strings.TrimSpace(value)
}

func domain(a *mail.Address) string {
	return a.Address[strings.LastIndexByte(a.Address, '@')+1:]
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// isHostLike reports what can stand in a command of SMTP as a host: a name, an
// IP address, or an address in brackets.
func isHostLike(s string) bool {
	return s != "" && isPrintable(s) && !strings.ContainsAny(s, " /@<>\"\\")
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
