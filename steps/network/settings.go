package network

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// The timeouts where nothing else is said. A request as a whole has a limit of
// its own, which the transport keeps.
const (
	DefaultConnect  = 5 * time.Second
	DefaultTLS      = 5 * time.Second
	DefaultResponse = 10 * time.Second
)

// DefaultMinTLS is the oldest version of TLS that is spoken where nothing else
// is said, and the oldest that can be asked for: 1.0 and 1.1 are broken
// (RFC 8996).
const DefaultMinTLS = tls.VersionTLS12

// Verify says how far the certificate of a host is verified.
type Verify string

// The degrees of verification.
const (
	VerifyFull        Verify = "full"        // an authority that is trusted, and the name; "" is the same
	VerifyCertificate Verify = "certificate" // an authority that is trusted, for any name
	VerifyNone        Verify = "none"        // not at all
)

// Settings are how hosts are reached. The zero Settings reach all of them with
// the authorities of the system, and through the proxy that the environment
// names (HTTPS_PROXY, NO_PROXY), if it does.
type Settings struct {
	General Host
	// Hosts are the exceptions, by what HostName returns. The nearest one alone
	// is asked: a name with a port before the name, a name before a pattern, a
	// longer pattern before a shorter one. What it does not say is as General.
	Hosts map[string]Host
}

// Host is how one host is reached, or all of them. Files are paths.
type Host struct {
	Proxy       *Proxy   // nil: as General; there: as the environment says
	CAFiles     []string // PEM; beside the authorities of the system, unless SystemRoots is false
	CAData      string   // the same, in place of a file or beside one
	SystemRoots *bool    // nil: as General; there: true
	ClientCert  string   // PEM, with the authorities in between; "" for none
	ClientKey   string   // PEM; belongs to ClientCert
	MinTLS      uint16   // as in crypto/tls; 0: as General; there: DefaultMinTLS
	ServerName  string   // asked for and found in the certificate, in place of the host's name
	Verify      Verify   // "": full. General has no other.
	Timeouts    Timeouts
}

// Timeouts bound the parts of a connection. 0 is as General; there, the default.
type Timeouts struct {
	Connect  time.Duration // until there is a connection, to the proxy where there is one
	TLS      time.Duration // until TLS is agreed upon
	Response time.Duration // from the request until the answer begins
}

// Proxy is what stands between. Other hosts than loopback ones are reached
// through the proxy of General, all hosts of an entry through that of the entry.
type Proxy struct {
	None     bool             // a direct connection, whatever General or the environment says
	URL      string           // as CheckProxy accepts it
	User     string           // "" where the proxy asks for none
	Password secret.Reference // resolved when it is needed
}

// CheckProxy says what is wrong with the address of a proxy, never repeating it:
// it may hold a password.
func CheckProxy(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return errors.New("the proxy is not an address such as http://proxy.example.com:3128")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5":
		return errors.New("the proxy must begin with http://, https:// or socks5://")
	case u.User != nil:
		return errors.New("the address of the proxy must not contain a user name or a password")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the address of the proxy must end with its port")
	case !validPort(u.Port(), true):
		return errors.New("the port of the proxy must be a number from 1 to 65535")
	}
	return nil
}

// HostName is the name of an entry as it is looked up: in lower case, without a
// dot at its end. An entry is a host name, an IP address, or a pattern
// "*.example.com" for all names below one; each can have a port. IPv6 addresses
// with a port stand in brackets.
func HostName(entry string) (string, error) {
	if strings.Contains(entry, "://") || strings.ContainsAny(entry, "/@? ") {
		return "", errors.New("write the name of the host alone, with a port where only that is meant: api.example.com or mail.example.com:587")
	}
	host, port := split(entry)
	if strings.Contains(entry, ":") && port == "" && !isIP(host) || !validPort(port, true) {
		return "", errors.New("the port must be a number from 1 to 65535")
	}
	name := strings.TrimPrefix(host, "*.")
	if name == "" || strings.ContainsAny(name, "*[]%") || strings.Contains("."+name+".", "..") || strings.ContainsFunc(name, unprintable) {
		return "", errors.New("write the name of a host, its address, or a pattern such as *.example.com")
	}
	return joined(host, port), nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }

// split takes a host and its port apart; the port is "" where there is none.
func split(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), ""
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().WithZone("").String()
	}
	return host, port
}

func joined(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

func validPort(port string, absentToo bool) bool {
	if port == "" {
		return absentToo
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// entry is the name of the entry that is nearest to an address; "" for none.
func (s Settings) entry(host, port string) string {
	for rest, pattern := host, host; ; {
		for _, name := range []string{joined(pattern, port), pattern} {
			if _, found := s.Hosts[name]; found {
				return name
			}
		}
		_, below, more := strings.Cut(rest, ".")
		if !more || isIP(host) {
			return ""
		}
		rest, pattern = below, "*."+below
	}
}

// of is how the hosts of an entry are reached, all told.
func (s Settings) of(entry string) Host {
	out, own := s.General, s.Hosts[entry]
	if own.Proxy != nil {
		out.Proxy = own.Proxy
	}
	if own.hasAuthorities() {
		out.CAFiles, out.CAData = own.CAFiles, own.CAData
	}
	if own.SystemRoots != nil {
		out.SystemRoots = own.SystemRoots
	}
	if own.ClientCert != "" {
		out.ClientCert, out.ClientKey = own.ClientCert, own.ClientKey
	}
	out.ServerName, out.Verify = own.ServerName, own.Verify
	out.MinTLS = cmp.Or(own.MinTLS, out.MinTLS, DefaultMinTLS)
	out.Timeouts = Timeouts{
		Connect:  cmp.Or(own.Timeouts.Connect, out.Timeouts.Connect, DefaultConnect),
		TLS:      cmp.Or(own.Timeouts.TLS, out.Timeouts.TLS, DefaultTLS),
		Response: cmp.Or(own.Timeouts.Response, out.Timeouts.Response, DefaultResponse),
	}
	return out
}

func (h Host) hasAuthorities() bool { return len(h.CAFiles) > 0 || h.CAData != "" }

func (h Host) systemRoots() bool { return h.SystemRoots == nil || *h.SystemRoots }

// Lonely reports whether nothing at all would be trusted for an entry: the
// system's authorities are not wanted, and there are no others. "" is General.
func (s Settings) Lonely(entry string) bool {
	h := s.of(entry)
	return !h.systemRoots() && !h.hasAuthorities()
}
