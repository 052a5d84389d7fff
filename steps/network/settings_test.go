package network_test

import (
	"net"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/steps/network"
)

func TestHostNames(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"API.Example.com": "api.example.com", "api.example.com.": "api.example.com", "mail.example.com:587": "mail.example.com:587",
		"*.Example.com": "*.example.com", "*.example.com:443": "*.example.com:443", "10.0.0.1": "10.0.0.1", "::1": "::1", "[::1]": "::1",
		"[2001:DB8::1]:8443": "[2001:db8::1]:8443", "localhost": "localhost",
		"": "", "https://api.example.com": "", "api.example.com/x": "", "me@api.example.com": "", "api.example.com:": "", "api.example.com:0": "",
		"api.example.com:99999": "", "api.example.com:https": "", "*": "", "*.": "", "a.*.com": "", "a b": "",
	} {
		got, err := network.HostName(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", given, got, err, want)
		}
	}
}

func TestProxyAddresses(t *testing.T) {
	t.Parallel()
	for given, why := range map[string]string{
		"http://proxy.example.com:3128": "", "https://proxy.example.com": "", "socks5://127.0.0.1:1080/": "", "http://[::1]:3128": "",
		"proxy.example.com:3128": "not an address", "http://": "not an address", "": "not an address", "http://:3128": "not an address", "http://me:" + password + "@[": "not an address",
		"ftp://proxy.example.com": "must begin with", "http://me:" + password + "@proxy.example.com": "must not contain", "http://proxy.example.com/path": "end with its port",
		"http://proxy.example.com:0": "port",
	} {
		err := network.CheckProxy(given)
		if (err == nil) != (why == "") || err != nil && (!strings.Contains(err.Error(), why) || strings.Contains(err.Error(), password)) {
			t.Errorf("%q: %v", given, err)
		}
	}
}

// FuzzHostName finds what is looked up under another name than it was stored.
func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"api.example.com", "*.example.com:443", "[::1]:8443", "1.2.3.4", "a:b:c", "*.*", "[a]:1", "é.example.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		name, err := network.HostName(entry)
		if err != nil {
			return
		}
		again, err := network.HostName(name)
		if err != nil || again != name {
			t.Fatalf("%q became %q, and that %q: %v", entry, name, again, err)
		}
		if host, port, err := net.SplitHostPort(name); err == nil && (host == "" || port == "") {
			t.Errorf("%q has the host %q and the port %q", name, host, port)
		}
	})
}

func FuzzCheckProxy(f *testing.F) {
	for _, seed := range []string{"http://proxy.example.com:3128", "socks5://[::1]", "http://a:b@c", "http://%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if network.CheckProxy(address) != nil {
			return
		}
		if n, problems := network.New(network.Settings{General: network.Host{Proxy: &network.Proxy{URL: address}}}, network.Options{}); n == nil {
			t.Errorf("%q: %v", address, problems)
		}
		if strings.Contains(address, "@") {
			t.Errorf("%q may hold a password", address)
		}
	})
}
