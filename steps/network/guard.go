package network

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Codes of the failures of a Guard.
const (
	CodeAddress    = "address"    // an address that requests must not go to
	CodeUnresolved = "unresolved" // a name whose addresses nobody knows
)

// Guard keeps requests from places that only this machine can reach: this
// machine itself, private networks, and what a cloud tells its machines. What a
// playbook asks for must not become a way into them. It may be used by several
// goroutines.
type Guard struct {
	// Allow is the private ranges that may be reached all the same. Link-local
	// and metadata addresses never may.
	Allow []netip.Prefix
	// Unresolvable lets names pass that cannot be looked up here, for networks
	// where only the proxy can. Without a proxy nothing can be reached by them.
	Unresolvable bool
	// Lookup finds the addresses of a name; the system's resolver by default.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// span is a range of addresses and what it is.
type span struct{ prefix, what string }

// never are ranges that nothing allows. The metadata services of clouds are
// listed by their addresses, some of which look public or are in ranges that
// can be allowed: AWS, GCP and Azure (link-local, and fd00:ec2::254), Azure's
// 168.63.129.16, Alibaba's 100.100.100.200, Oracle's 192.0.0.192.
func never() []span {
	const metadata = "a metadata service"
	return []span{
		{"168.63.129.16/32", metadata}, {"100.100.100.200/32", metadata}, {"192.0.0.192/32", metadata}, {"fd00:ec2::/32", metadata},
		{"fd20:ce::254/128", metadata},
		{"169.254.0.0/16", "link-local"}, {"fe80::/10", "link-local"},
		{"224.0.0.0/4", "multicast"}, {"ff00::/8", "multicast"},
		{"0.0.0.0/8", "no address"}, {"::/128", "no address"}, {"255.255.255.255/32", "broadcast"},
		{"192.0.0.0/24", "reserved"}, {"192.0.2.0/24", "reserved"}, {"198.51.100.0/24", "reserved"}, {"203.0.113.0/24", "reserved"},
		{"192.88.99.0/24", "reserved"}, {"240.0.0.0/4", "reserved"},
		{"64:ff9b:1::/48", "a private translation to IPv4"}, {"2001::/32", "a tunnel to IPv4"},
		{"2001:db8::/32", "reserved"}, {"fec0::/10", "site-local"}, {"100::/64", "reserved"},
	}
}

// private are ranges that the configuration can allow.
func private() []span {
	return []span{
		{"127.0.0.0/8", "this machine"}, {"::1/128", "this machine"},
		{"10.0.0.0/8", "private"}, {"172.16.0.0/12", "private"}, {"192.168.0.0/16", "private"}, {"fc00::/7", "private"},
		{"100.64.0.0/10", "shared by a carrier"}, {"198.18.0.0/15", "private"},
	}
}

// in finds the range an address is in.
func in(spans []span, ip netip.Addr) (what string, found bool) {
	for _, s := range spans {
		if netip.MustParsePrefix(s.prefix).Contains(ip) {
			return s.what, true
		}
	}
	return "", false
}

// ParseRange reads a range that can be allowed, "10.1.0.0/16", or one address.
// Errors are invalid failures.
func ParseRange(text string) (netip.Prefix, error) {
	bad := func(why string) (netip.Prefix, error) {
		return netip.Prefix{}, engine.Fail(engine.ClassInvalid, "range", "%q %s", text, why)
	}
	prefix, err := netip.ParsePrefix(text)
	if ip, single := netip.ParseAddr(text); single == nil && ip.Zone() == "" {
		prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	switch {
	case err != nil:
		return bad("is not a range of addresses such as 10.1.0.0/16")
	case prefix.Addr().Is4In6():
		return bad("must be written as an IPv4 range")
	case prefix != prefix.Masked():
		return bad("has bits behind its length: write " + prefix.Masked().String())
	}
	for _, s := range private() {
		whole := netip.MustParsePrefix(s.prefix)
		if whole.Contains(prefix.Addr()) && whole.Bits() <= prefix.Bits() {
			if what, forbidden := in(never(), prefix.Addr()); forbidden && prefix.IsSingleIP() {
				return bad("is " + what + ", which nothing allows")
			}
			return prefix, nil
		}
	}
	if what, forbidden := in(never(), prefix.Addr()); forbidden {
		return bad("is " + what + ", which nothing allows")
	}
	return bad("is not within a private range: public addresses need no permission, and a range must not hold any")
}

// Check refuses an address that requests must not go to. An IPv6 address that
// stands for an IPv4 one is judged as that. Errors are permanent failures.
func (g *Guard) Check(ip netip.Addr) error {
	shown := ip.WithZone("")
	ip = embedded(ip)
	if what, forbidden := in(never(), ip); forbidden {
		return engine.Fail(engine.ClassPermanent, CodeAddress, "%s is %s: requests do not go there", shown, what)
	}
	if what, inner := in(private(), ip); inner {
		if slices.ContainsFunc(g.Allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			return nil
		}
		return engine.Fail(engine.ClassPermanent, CodeAddress,
			"%s is %s: requests do not go there unless the connection's `allow_private` has it", shown, what)
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return engine.Fail(engine.ClassPermanent, CodeAddress, "%s is not a public address: requests do not go there", shown)
	}
	return nil
}

// embedded is the IPv4 address that an IPv6 one leads to, or the address itself:
// mapped and translated ones (RFC 4291, 2765), NAT64 (RFC 6052) and 6to4 (RFC
// 3056). Its zone is gone: no range has one.
func embedded(ip netip.Addr) netip.Addr {
	ip = ip.WithZone("").Unmap()
	if ip.Is4() {
		return ip
	}
	b := ip.As16()
	for _, prefix := range []string{"64:ff9b::/96", "::ffff:0:0:0/96"} {
		if netip.MustParsePrefix(prefix).Contains(ip) {
			return netip.AddrFrom4([4]byte(b[12:]))
		}
	}
	if netip.MustParsePrefix("2002::/16").Contains(ip) {
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// Control refuses a direct connection right before it is made, after the name
// was looked up: what a name leads to may change from one moment to the next.
func (g *Guard) Control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return engine.Fail(engine.ClassPermanent, CodeAddress, "a connection to something that is no IP address: requests do not go there")
	}
	return g.Check(at.Addr())
}

// Host refuses a host of which any address must not be reached: before a
// request that a proxy carries out, nobody else would look.
func (g *Guard) Host(ctx context.Context, host string) error {
	host = strings.TrimSuffix(host, ".")
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return g.Check(ip)
	}
	lookup := g.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	found, err := lookup(ctx, host)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() //nolint:wrapcheck // classified by the transport
	case (err != nil || len(found) == 0) && !g.Unresolvable:
		return engine.Fail(engine.ClassTransient, CodeUnresolved, "the name %s cannot be looked up, so nobody knows where a request would go", host)
	}
	for _, ip := range found {
		if err := g.Check(ip); err != nil {
			f := engine.AsFailure(err)
			f.Message = host + ": " + f.Message
			return f
		}
	}
	return nil
}

// Guarded carries requests out with next, and those only that the guard lets
// pass: every one is looked at, also behind a redirect, and every direct
// connection once more when it is made. Nil is Plain. What carries requests in a
// way of its own can say how it is guarded, with a method
// Guarded(*Guard) http.RoundTripper; of others only the names are looked at.
func Guarded(next http.RoundTripper, g *Guard) http.RoundTripper {
	switch t := next.(type) {
	case nil:
		return Plain().Guarded(g)
	case interface {
		Guarded(g *Guard) http.RoundTripper
	}:
		return t.Guarded(g)
	default:
		return guarded{guard: g, next: next}
	}
}

// Guarded is the same network for those requests only that the guard lets pass.
// Proxies may be anywhere.
func (n *Network) Guarded(g *Guard) http.RoundTripper {
	return guarded{guard: g, next: n.Controlled(g.Control)}
}

// guarded is a round tripper with a guard.
type guarded struct {
	guard *Guard
	next  http.RoundTripper
}

// RoundTrip looks at the host, and sends the request.
func (t guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.guard.Host(r.Context(), r.URL.Hostname()); err != nil {
		return nil, err
	}
	return t.next.RoundTrip(r) //nolint:wrapcheck // a round tripper hands errors on as they are
}

// CloseIdleConnections ends the connections that nothing uses now.
func (t guarded) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
