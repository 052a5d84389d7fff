package network_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/network"
)

func ranges(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, text := range texts {
		p, err := network.ParseRange(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	all := &network.Guard{Allow: ranges(t, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1", "fc00::/7", "100.64.0.0/10", "198.18.0.0/15")}
	none := &network.Guard{}
	for _, tt := range []struct {
		ip              string
		free, permitted bool // without any range allowed, and with all that can be
	}{
		{"8.8.8.8", true, true},
		{"2606:4700::1111", true, true},
		{"172.32.0.1", true, true},
		{"64:ff9b::808:808", true, true}, // NAT64 of 8.8.8.8
		{"2002:808:808::1", true, true},  // 6to4 of 8.8.8.8
		{"::ffff:8.8.8.8", true, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"192.168.1.1", false, true},
		{"100.64.0.1", false, true},
		{"127.0.0.1", false, true},
		{"127.1.2.3", false, true},
		{"::1", false, true},
		{"fd12::1", false, true},
		{"::ffff:10.1.2.3", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"64:ff9b::a01:203", false, true}, // NAT64 of 10.1.2.3
		{"2002:a01:203::1", false, true},  // 6to4 of 10.1.2.3
		{"::ffff:0:10.1.2.3", false, true},
		{"169.254.169.254", false, false},
		{"169.254.170.2", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false}, // NAT64 of 169.254.169.254
		{"2002:a9fe:a9fe::1", false, false},  // 6to4 of 169.254.169.254
		{"fd00:ec2::254", false, false},
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"::", false, false},
		{"::7f00:1", false, false}, // compatible, deprecated
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"255.255.255.255", false, false},
		{"240.0.0.1", false, false},
		{"64:ff9b:1::a01:203", false, false},
		{"2001:0:1::1", false, false},
		{"fec0::1", false, false},
		{"4000::1", false, false},
	} {
		ip := netip.MustParseAddr(tt.ip)
		for g, want := range map[*network.Guard]bool{none: tt.free, all: tt.permitted} {
			err := g.Check(ip)
			if (err == nil) != want {
				t.Errorf("%s, with %d ranges allowed: got %v", tt.ip, len(g.Allow), err)
			}
			if err != nil && !errors.Is(err, &engine.Failure{Class: engine.ClassPermanent, Code: network.CodeAddress}) {
				t.Errorf("%s: got %#v", tt.ip, err)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.1.0.0/16": "", "127.0.0.1": "", "::1": "", "fd12:3456::/32": "", "172.20.0.0/14": "",
		"10.1.2.3/16":     "write 10.1.0.0/16",
		"8.8.8.0/24":      "public addresses need no permission",
		"0.0.0.0/0":       "nothing allows",
		"::/0":            "nothing allows",
		"8.0.0.0/5":       "must not hold any", // holds 10.0.0.0/8 and public ones
		"169.254.0.0/16":  "link-local",
		"fd00:ec2::254":   "a metadata service",
		"100.100.100.200": "a metadata service",
		"fe80::1%eth0":    "is not a range",
		"::ffff:10.0.0.1": "IPv4 range",
		"ten":             "is not a range",
		"10.0.0.0/33":     "is not a range",
		"":                "is not a range",
	} {
		_, err := network.ParseRange(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// FuzzParseRange checks that whatever range is accepted allows no address that
// nothing allows, and only private ones.
func FuzzParseRange(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "fc00::/7", "100.64.0.0/10", "127.0.0.1", "0.0.0.0/0", "fd00::/8", "::1/128"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := network.ParseRange(text)
		if err != nil {
			if engine.AsFailure(err).Class != engine.ClassInvalid {
				t.Errorf("got %v", err)
			}
			return
		}
		if (&network.Guard{}).Check(p.Addr()) == nil {
			t.Errorf("%q begins at a public address", text)
		}
		g := &network.Guard{Allow: []netip.Prefix{p}}
		for _, ip := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "fe80::1"} {
			if g.Check(netip.MustParseAddr(ip)) == nil {
				t.Errorf("%q allows %s", text, ip)
			}
		}
	})
}

// resolving is a guard of a small world of names.
func resolving(names map[string]string, allow ...netip.Prefix) *network.Guard {
	return &network.Guard{Allow: allow, Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		var out []netip.Addr
		for _, ip := range strings.Fields(names[host]) {
			out = append(out, netip.MustParseAddr(ip))
		}
		if len(out) == 0 {
			return nil, errors.New("no such host")
		}
		return out, nil
	}}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	g := resolving(map[string]string{
		"public.example.com": "8.8.8.8 2606:4700::1111", "inner.example.com": "10.1.2.3", "mixed.example.com": "8.8.8.8 127.0.0.1",
		"metadata.google.internal": "169.254.169.254",
	})
	for host, want := range map[string]engine.Class{
		"public.example.com": "", "public.example.com.": "", "8.8.8.8": "", "[2606:4700::1111]": "",
		"inner.example.com": engine.ClassPermanent, "mixed.example.com": engine.ClassPermanent, "metadata.google.internal": engine.ClassPermanent,
		"127.0.0.1": engine.ClassPermanent, "[::1]": engine.ClassPermanent, "[::ffff:7f00:1]": engine.ClassPermanent,
		"nowhere.example.com": engine.ClassTransient,
	} {
		err := g.Host(t.Context(), host)
		if want == "" && err != nil || want != "" && engine.AsFailure(err).Class != want {
			t.Errorf("%s: got %v, want %q", host, err, want)
		}
	}
	g.Unresolvable = true
	if err := g.Host(t.Context(), "nowhere.example.com"); err != nil {
		t.Errorf("a name that only the proxy knows: %v", err)
	}
	if err := g.Host(t.Context(), "inner.example.com"); err == nil {
		t.Error("a name that leads inside passed, because others cannot be looked up")
	}
}

// server counts who comes.
func server(t *testing.T, h http.HandlerFunc) (address string, visits *atomic.Int32) {
	t.Helper()
	visits = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { visits.Add(1); h(w, r) }))
	t.Cleanup(s.Close)
	return s.URL, visits
}

func ask(t *testing.T, rt http.RoundTripper, address string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: rt}
	defer client.CloseIdleConnections()
	res, err := client.Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	return err
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestConnectionsAreLookedAtWhenTheyAreMade(t *testing.T) {
	t.Parallel()
	address, visits := server(t, hello)
	rebound := strings.Replace(address, "127.0.0.1", "localhost", 1)
	lies := resolving(map[string]string{"localhost": "8.8.8.8"}) // what the name led to a moment ago
	var f *engine.Failure
	for _, rt := range []http.RoundTripper{nil, network.Plain()} {
		if err := ask(t, network.Guarded(rt, lies), rebound); !errors.As(err, &f) || f.Class != engine.ClassPermanent {
			t.Errorf("got %v", err)
		}
		if err := ask(t, network.Guarded(rt, &network.Guard{}), address); !errors.As(err, &f) || f.Class != engine.ClassPermanent {
			t.Errorf("got %v", err)
		}
	}
	if visits.Load() != 0 {
		t.Errorf("%d connections were made", visits.Load())
	}
	allowed := &network.Guard{Allow: ranges(t, "127.0.0.0/8", "::1")}
	if err := ask(t, network.Guarded(nil, allowed), rebound); err != nil || visits.Load() != 1 {
		t.Errorf("what is allowed: %v, %d visits", err, visits.Load())
	}
}

func TestRedirectsAreLookedAt(t *testing.T) {
	t.Parallel()
	inner, visits := server(t, hello)
	outer, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(inner, "127.0.0.1", "127.0.0.2", 1), http.StatusFound)
	})
	one := &network.Guard{Allow: ranges(t, "127.0.0.1")}
	var f *engine.Failure
	if err := ask(t, network.Guarded(nil, one), outer); !errors.As(err, &f) || f.Class != engine.ClassPermanent || visits.Load() != 0 {
		t.Errorf("got %v, and %d visits", err, visits.Load())
	}
}

// TestBehindAProxyNamesAreLookedUpFirst uses a proxy on a private address, which
// carries out whatever it is asked for.
func TestBehindAProxyNamesAreLookedUpFirst(t *testing.T) {
	t.Parallel()
	address, visits := server(t, hello)
	proxy, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g := resolving(map[string]string{"public.example.com": "8.8.8.8", "inner.example.com": "10.1.2.3"})
	rt := network.Guarded(&http.Transport{Proxy: http.ProxyURL(proxy)}, g)
	if err := ask(t, rt, "http://public.example.com/"); err != nil || visits.Load() != 1 {
		t.Errorf("a public name: %v, %d visits", err, visits.Load())
	}
	for _, host := range []string{"inner.example.com", "169.254.169.254", "nowhere.example.com"} {
		if err := ask(t, rt, "http://"+host+"/"); err == nil || visits.Load() != 1 {
			t.Errorf("%s passed: %v, %d visits", host, err, visits.Load())
		}
	}
}

// own guards itself.
type own struct {
	http.RoundTripper

	guard *network.Guard
}

func (o own) Guarded(g *network.Guard) http.RoundTripper {
	return own{o.RoundTripper, g}
}

func TestWhatGuardsItself(t *testing.T) {
	t.Parallel()
	g := &network.Guard{}
	if got, ok := network.Guarded(own{}, g).(own); !ok || got.guard != g {
		t.Errorf("it was not asked: %#v", got)
	}
	carried := network.Guarded(carrier{}, g)
	var f *engine.Failure
	if err := ask(t, carried, "http://127.0.0.1/"); !errors.As(err, &f) || f.Class != engine.ClassPermanent {
		t.Errorf("an unknown carrier went inside: %v", err)
	}
}

// carrier answers everything.
type carrier struct{}

func (carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
