package network

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/proxy"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
)

// schemeKey is the key under which a request's context holds its scheme: the
// environment has a proxy for each.
type schemeKey struct{}

// keepAlive is how often a silent connection is probed.
const keepAlive = 30 * time.Second

// maxProxyAnswer bounds what a proxy may say before there is a tunnel, in bytes.
const maxProxyAnswer = 64 << 10

// Dial connects to an address, "host:port", the way the settings say, for what
// does not speak HTTP: through the proxy that the configuration names, or
// directly. The proxy of the environment is not asked: it is for HTTP.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return n.dialer(n.route(address))(ctx, network, address)
}

// dialer makes connections to the hosts of a route.
func (n *Network) dialer(rt *route) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := n.dial(ctx, rt, network, address)
		if errors.Is(err, &engine.Failure{Class: engine.ClassAuth, Code: codeProxy}) && n.renew(rt) {
			return n.dial(ctx, rt, network, address)
		}
		return conn, err
	}
}

// renew has the password of a route's proxy read anew: it was refused, so it may
// have been replaced.
func (n *Network) renew(rt *route) bool {
	forgetful, ok := n.options.Secrets.(interface{ Forget(ref secret.Reference) })
	if p := rt.host.Proxy; ok && p != nil && p.Password != "" {
		forgetful.Forget(p.Password)
		return true
	}
	return false
}

func (n *Network) dial(ctx context.Context, rt *route, network, address string) (net.Conn, error) {
	via, err := n.proxyFor(ctx, rt, address)
	switch {
	case err != nil:
		return nil, err
	case via == nil:
		direct := net.Dialer{Timeout: rt.host.Timeouts.Connect, KeepAlive: keepAlive, ControlContext: n.options.Control}
		return direct.DialContext(ctx, network, address) //nolint:wrapcheck // the transport explains it
	case via.Scheme == "socks5" || via.Scheme == "socks5h":
		return n.socks(ctx, via, address)
	default:
		return n.tunnel(ctx, via, address)
	}
}

// proxyFor is the proxy for an address, with its credentials; nil for none.
func (n *Network) proxyFor(ctx context.Context, rt *route, address string) (*url.URL, error) {
	p := rt.host.Proxy
	host, _ := split(address)
	switch {
	case p == nil:
		return n.environProxy(ctx, address)
	case p.None, n.settings.Hosts[rt.entry].Proxy == nil && loopback(host):
		return nil, nil //nolint:nilnil // as in http.Transport: no proxy
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, trouble{engine.Fail(engine.ClassInvalid, codeProxy, "the proxy is not an address")}
	}
	if p.User == "" {
		return u, nil
	}
	if n.options.Secrets == nil {
		return nil, trouble{engine.Fail(engine.ClassInvalid, codeProxy, "there is nothing that resolves the proxy's password")}
	}
	password, err := n.options.Secrets.Resolve(ctx, p.Password)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() //nolint:wrapcheck // classified by the caller
		}
		return nil, trouble{engine.Fail(engine.ClassAuth, codeProxy, "the password of the proxy %s is not there: %v", u.Host, err)}
	}
	u.User = url.UserPassword(p.User, password.Reveal())
	return u, nil
}

// environProxy is the proxy that the environment names.
func (n *Network) environProxy(ctx context.Context, address string) (*url.URL, error) {
	scheme, _ := ctx.Value(schemeKey{}).(string)
	if scheme == "" {
		return nil, nil //nolint:nilnil // not HTTP
	}
	return n.environ(&url.URL{Scheme: scheme, Host: address})
}

// environ is what the environment says of proxies: HTTPS_PROXY, HTTP_PROXY and
// NO_PROXY, as net/http reads them; but one that cannot be understood is an
// error, not a direct connection. A password in them is kept out of logs.
func environ(secrets secret.Resolver) func(*url.URL) (*url.URL, error) {
	c := httpproxy.FromEnvironment()
	unusable := &url.URL{Scheme: "http", Host: "unusable.invalid"}
	for _, p := range []*string{&c.HTTPProxy, &c.HTTPSProxy} {
		u, err := url.Parse(*p)
		if !strings.Contains(*p, "://") {
			u, err = url.Parse("http://" + *p)
		}
		if err != nil || *p != "" && (u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)) {
			*p = unusable.String()
			continue
		}
		if password, set := u.User.Password(); set {
			if learner, ok := secrets.(secret.Learner); ok {
				learner.Learn(secret.New(password))
			}
		}
	}
	ask := c.ProxyFunc()
	return func(target *url.URL) (*url.URL, error) {
		u, err := ask(target)
		if err != nil || u != nil && u.Host == unusable.Host {
			return nil, trouble{engine.Fail(engine.ClassInvalid, codeProxy,
				"the environment names a proxy (HTTPS_PROXY or HTTP_PROXY) that is not an address such as http://proxy.example.com:3128")}
		}
		return u, nil
	}
}

// socks has a SOCKS5 proxy connect to an address, whose name it looks up.
func (n *Network) socks(ctx context.Context, via *url.URL, address string) (net.Conn, error) {
	rt := n.route(proxyAddress(via))
	var auth *proxy.Auth
	if via.User != nil {
		password, _ := via.User.Password()
		auth = &proxy.Auth{User: via.User.Username(), Password: password}
	}
	direct := &net.Dialer{Timeout: rt.host.Timeouts.Connect, KeepAlive: keepAlive}
	d, err := proxy.SOCKS5("tcp", proxyAddress(via), auth, direct)
	if err != nil {
		return nil, fmt.Errorf("preparing the proxy: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, rt.host.Timeouts.Connect+rt.host.Timeouts.Response)
	defer cancel()
	through, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the proxy's library cannot be stopped")
	}
	conn, err := through.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, proxyTrouble(ctx, via, address, err)
	}
	return conn, nil
}

// tunnel has an HTTP proxy connect to an address, with the method CONNECT
// (RFC 9110, section 9.3.6).
func (n *Network) tunnel(ctx context.Context, via *url.URL, address string) (net.Conn, error) {
	rt := n.route(proxyAddress(via))
	direct := net.Dialer{Timeout: rt.host.Timeouts.Connect, KeepAlive: keepAlive}
	conn, err := direct.DialContext(ctx, "tcp", proxyAddress(via))
	if err != nil {
		return nil, proxyTrouble(ctx, via, address, err)
	}
	out, err := n.ask(ctx, rt, conn, via, address)
	if err != nil {
		_ = conn.Close() // what went wrong is known
		return nil, err
	}
	return out, nil
}

// ask makes a connection to a proxy one to an address.
func (n *Network) ask(ctx context.Context, rt *route, conn net.Conn, via *url.URL, address string) (net.Conn, error) {
	if via.Scheme == "https" {
		secured := tls.Client(conn, proxyTLS(rt, via))
		limited, cancel := context.WithTimeout(ctx, rt.host.Timeouts.TLS)
		defer cancel()
		if err := secured.HandshakeContext(limited); err != nil {
			return nil, proxyTrouble(ctx, via, address, err)
		}
		conn = secured
	}
	limited, cancel := context.WithTimeout(ctx, rt.host.Timeouts.Response)
	defer cancel()
	stop := context.AfterFunc(limited, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	out, err := connect(conn, via, address)
	if !stop() && err == nil { // the deadline may have come just now
		err = context.Cause(limited)
	}
	if err != nil {
		return nil, proxyTrouble(ctx, via, address, errors.Join(limited.Err(), err))
	}
	return out, nil
}

// proxyTLS is how TLS is spoken with the proxy itself: as its own host's entry
// says, and without HTTP/2.
func proxyTLS(rt *route, via *url.URL) *tls.Config {
	c := rt.tls.Clone()
	if c.ServerName == "" {
		c.ServerName = via.Hostname()
	}
	c.NextProtos = nil
	return c
}

// connect asks for a tunnel. What the other end has said already is not lost:
// a mail server speaks first.
func connect(conn net.Conn, via *url.URL, address string) (net.Conn, error) {
	header := http.Header{}
	if via.User != nil {
		password, _ := via.User.Password()
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(via.User.Username()+":"+password)))
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: header}
	if err := request.Write(conn); err != nil {
		return nil, fmt.Errorf("asking for a tunnel: %w", err)
	}
	limited := &io.LimitedReader{R: conn, N: maxProxyAnswer}
	reader := bufio.NewReader(limited)
	answer, err := http.ReadResponse(reader, request) //nolint:bodyclose // of an answer to CONNECT the body is the tunnel
	if err != nil {
		return nil, fmt.Errorf("reading the proxy's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, statusError(answer.StatusCode)
	}
	limited.N = math.MaxInt64
	return tunneled{Conn: conn, reader: reader}, nil
}

// tunneled is a connection whose first bytes may have been read already.
type tunneled struct {
	net.Conn

	reader *bufio.Reader
}

// Read reads what the other end says.
func (t tunneled) Read(p []byte) (int, error) {
	return t.reader.Read(p) //nolint:wrapcheck // a connection hands errors on as they are
}

// proxyAddress is where a proxy listens.
func proxyAddress(via *url.URL) string {
	port := via.Port()
	switch {
	case port != "":
	case via.Scheme == "http":
		port = "80"
	case via.Scheme == "https":
		port = "443"
	default:
		port = "1080"
	}
	return net.JoinHostPort(via.Hostname(), port)
}
