package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// Control looks at an address, an IP with a port, right before a direct
// connection to it is made, after its name was looked up. Its error keeps the
// connection from being made.
type Control func(ctx context.Context, network, address string, c syscall.RawConn) error

// Options are what a Network needs beside its settings. The zero Options are
// usable where no setting is a secret.
type Options struct {
	Secrets secret.Resolver  // of the proxies' passwords
	Now     func() time.Time // for certificates; time.Now by default
	Control Control          // nil: any address; connections to proxies are not asked about
}

// Network connects to services. It is an http.RoundTripper, and may be used by
// several goroutines.
type Network struct {
	settings Settings
	options  Options
	routes   map[string]*route // by entry; "" is for all that have none
	environ  func(*url.URL) (*url.URL, error)
}

// route is how the hosts of an entry are reached.
type route struct {
	entry     string
	host      Host
	tls       *tls.Config
	transport *http.Transport
}

// New reads the files that the settings name and makes a network of them. It is
// nil where a problem is more than a warning. Nothing is reached.
func New(s Settings, o Options) (*Network, []Problem) {
	if o.Now == nil {
		o.Now = time.Now
	}
	n := &Network{settings: s, options: o, routes: map[string]*route{}, environ: environ(o.Secrets)}
	problems := n.build()
	for _, p := range problems {
		if !p.Warning {
			return nil, problems
		}
	}
	return n, problems
}

// Plain is the network where nothing is configured.
func Plain() *Network {
	n, _ := New(Settings{}, Options{}) // without files nothing can be wrong with them
	return n
}

func (n *Network) build() []Problem {
	now := n.options.Now()
	general := reader{now: now}
	shared := general.read(n.settings.General)
	problems := general.problems
	if p := n.add("", shared); p != nil {
		problems = append(problems, *p)
	}
	for entry, h := range n.settings.Hosts {
		own := reader{entry: entry, now: now}
		m := own.read(h)
		problems = append(problems, own.problems...)
		if !h.hasAuthorities() {
			m.authorities = shared.authorities
		}
		if h.ClientCert == "" {
			m.client = shared.client
		}
		if p := n.add(entry, m); p != nil {
			problems = append(problems, *p)
		}
	}
	return problems
}

// add makes the route of an entry.
func (n *Network) add(entry string, m material) *Problem {
	rt := &route{entry: entry, host: n.settings.of(entry)}
	roots, err := pool(rt.host, m.authorities)
	if err != nil {
		return &Problem{Entry: entry, Key: "system_roots", Message: err.Error()}
	}
	rt.tls = n.tlsConfig(rt.host, roots, m.client)
	rt.transport = n.transport(rt)
	n.routes[entry] = rt
	return nil
}

func (n *Network) tlsConfig(h Host, roots *x509.CertPool, client *tls.Certificate) *tls.Config {
	c := &tls.Config{MinVersion: h.MinTLS, RootCAs: roots, ServerName: h.ServerName, Time: n.options.Now}
	if client != nil {
		// Whatever authorities the service says it knows: what it thinks of ours it
		// can say itself, where sending none would only say that it was missing.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
	}
	switch h.Verify {
	case VerifyNone:
		c.InsecureSkipVerify = true // asked for, for single hosts, and warned of at every start
	case VerifyCertificate:
		c.InsecureSkipVerify = true // all but the name is verified below
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyNameless(s, roots, n.options.Now()) }
	case VerifyFull:
	}
	return c
}

// verifyNameless verifies all of a certificate but for whom it is.
func verifyNameless(s tls.ConnectionState, roots *x509.CertPool, now time.Time) error {
	if len(s.PeerCertificates) == 0 {
		return &tls.CertificateVerificationError{Err: errors.New("it has none")}
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}

// transport is bounded in everything a service could do to us by being slow or
// talkative.
func (n *Network) transport(rt *route) *http.Transport {
	return &http.Transport{
		DialContext:            n.dialer(rt),
		TLSClientConfig:        rt.tls.Clone(), // which the transport changes
		TLSHandshakeTimeout:    rt.host.Timeouts.TLS,
		ResponseHeaderTimeout:  rt.host.Timeouts.Response,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// route is how an address, "host:port" or a host, is reached.
func (n *Network) route(address string) *route {
	return n.routes[n.settings.entry(split(address))]
}

// RoundTrip sends a request the way its host is reached.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.Host
	if r.URL.Port() == "" {
		address = joined(r.URL.Hostname(), defaultPort(r.URL.Scheme))
	}
	r = r.WithContext(context.WithValue(r.Context(), schemeKey{}, r.URL.Scheme))
	return n.route(address).transport.RoundTrip(r) //nolint:wrapcheck // a round tripper hands errors on as they are
}

// CloseIdleConnections ends the connections that nothing uses now.
func (n *Network) CloseIdleConnections() {
	for _, rt := range n.routes {
		rt.transport.CloseIdleConnections()
	}
}

// TLS is how TLS is spoken with a host, "host" or "host:port", over a connection
// of Dial. It is the caller's own.
func (n *Network) TLS(host string) *tls.Config {
	name, _ := split(host)
	c := n.route(host).tls.Clone()
	if c.ServerName == "" {
		c.ServerName = name
	}
	return c
}

// Controlled is the same network where every direct connection needs the
// consent of control as well. Connections are not shared with the other.
func (n *Network) Controlled(control Control) *Network {
	out := *n
	out.options.Control, out.routes = control, map[string]*route{}
	if first := n.options.Control; first != nil {
		out.options.Control = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			if err := first(ctx, network, address, c); err != nil {
				return err
			}
			return control(ctx, network, address, c)
		}
	}
	for entry, rt := range n.routes {
		own := &route{entry: entry, host: rt.host, tls: rt.tls}
		own.transport = out.transport(own)
		out.routes[entry] = own
	}
	return &out
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}
