package network_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/network/networktest"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const password = "correct-horse-battery"

// vault knows the one password there is.
type vault struct{}

func (vault) Resolve(_ context.Context, ref secret.Reference) (secret.Value, error) {
	if ref != "env://PROXY_PASSWORD" {
		return secret.Value{}, errors.New("there is no " + string(ref))
	}
	return secret.New(password), nil
}

func authority(t *testing.T) *networktest.Authority {
	t.Helper()
	a, err := networktest.NewAuthority("Test Authority", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *networktest.Authority, w networktest.Wish) tls.Certificate {
	t.Helper()
	c, err := a.Issue(w)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// service is a server that says hello, and its address.
func service(t *testing.T, c *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	server.Config.ErrorLog = quiet()
	server.TLS = c
	if c == nil {
		server.Start()
	} else {
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func through(t *testing.T, p *networktest.Proxy, c *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = quiet()
	server.TLS = c
	if c == nil {
		server.Start()
	} else {
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server.URL
}

func build(t *testing.T, s network.Settings) *network.Network {
	t.Helper()
	n, problems := network.New(s, network.Options{Secrets: vault{}})
	if n == nil || len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	t.Cleanup(n.CloseIdleConnections)
	return n
}

// get asks for a page, as providers do.
func get(t *testing.T, n http.RoundTripper, address string) error {
	t.Helper()
	client := transport.New(transport.Options{Transport: n, Sleep: func(context.Context, time.Duration) error { return errors.New("it is not tried again") }})
	res, err := client.Do(t.Context(), transport.Request{Method: http.MethodGet, URL: address, Route: "GET /", Effect: transport.Read})
	if err == nil && string(res.Body) != "hello" {
		t.Errorf("it said %q", res.Body)
	}
	return err
}

// wrong checks a failure: its class, words that are in it, and that nothing
// secret is.
func wrong(t *testing.T, err error, class engine.Class, words ...string) {
	t.Helper()
	f := engine.AsFailure(err)
	if err == nil || f.Class != class {
		t.Fatalf("got %v, want a failure of the class %s", err, class)
	}
	for _, w := range words {
		if !strings.Contains(f.Message, w) {
			t.Errorf("%q does not say %q", f.Message, w)
		}
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("it shows the password: %v", err)
	}
}

// TestCertificates connects to servers on loopback, with what the configuration
// says of them, and reads what is said where that is not enough.
func TestCertificates(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	good := issue(t, ca, networktest.Wish{Name: "service", Hosts: []string{"127.0.0.1"}})
	trusting := network.Host{CAData: string(ca.PEM())}
	no := false
	for name, tt := range map[string]struct {
		server *tls.Config
		host   network.Host
		class  engine.Class // "" where it works
		words  []string
	}{
		"private authority": {&tls.Config{Certificates: []tls.Certificate{good}}, trusting, "", nil},
		"nothing but it":    {&tls.Config{Certificates: []tls.Certificate{good}}, network.Host{CAData: string(ca.PEM()), SystemRoots: &no}, "", nil},
		"unknown authority": {
			&tls.Config{Certificates: []tls.Certificate{good}}, network.Host{}, engine.ClassPermanent,
			[]string{"GET / at 127.0.0.1:", `an authority that is not trusted here ("Test Authority")`, "write under network.hosts.\"127.0.0.1:", "ca_file"},
		},
		"other authority": {
			&tls.Config{Certificates: []tls.Certificate{good}}, network.Host{CAData: string(authority(t).PEM())}, engine.ClassPermanent, []string{"not trusted here"},
		},
		"not verified": {&tls.Config{Certificates: []tls.Certificate{good}}, network.Host{Verify: network.VerifyNone}, "", nil},
		"expired": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}, From: time.Unix(0, 0), Until: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)})}},
			trusting, engine.ClassPermanent, []string{"expired on 2024-01-02", "renewed"},
		},
		"not yet valid": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}, From: time.Date(2200, 1, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2201, 1, 2, 0, 0, 0, 0, time.UTC)})}},
			trusting, engine.ClassPermanent, []string{"not valid before 2200-01-02", "clock"},
		},
		"other name": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"other.example.com", "\x1b[31mred.example.com"}})}},
			trusting, engine.ClassPermanent, []string{"is not for 127.0.0.1, but for other.example.com, [31mred.example.com", "server_name: other.example.com"},
		},
		"other name, as configured": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"other.example.com"}})}},
			network.Host{CAData: string(ca.PEM()), ServerName: "other.example.com"}, "", nil,
		},
		"any name": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"other.example.com"}})}},
			network.Host{CAData: string(ca.PEM()), Verify: network.VerifyCertificate}, "", nil,
		},
		"any name, unknown authority": {
			&tls.Config{Certificates: []tls.Certificate{good}}, network.Host{Verify: network.VerifyCertificate}, engine.ClassPermanent, []string{"not trusted here"},
		},
		"any name, expired": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{From: time.Unix(0, 0), Until: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)})}},
			network.Host{CAData: string(ca.PEM()), Verify: network.VerifyCertificate}, engine.ClassPermanent, []string{"expired on 2024-01-02"},
		},
		"no name at all": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Name: "127.0.0.1"})}},
			trusting, engine.ClassPermanent, []string{"names no host", "issued anew"},
		},
		"for a client": {
			&tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}, Client: true})}},
			trusting, engine.ClassPermanent, []string{"not meant for servers"},
		},
		"TLS 1.1": {
			&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			trusting, engine.ClassPermanent, []string{"no version of TLS that is allowed"},
		},
		"TLS 1.2": {&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, trusting, "", nil},
		"TLS 1.2 where 1.3 is wanted": {
			&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12},
			network.Host{CAData: string(ca.PEM()), MinTLS: tls.VersionTLS13}, engine.ClassPermanent, []string{"no version of TLS that is allowed", "min_tls"},
		},
		"no TLS": {nil, trusting, engine.ClassPermanent, []string{"does not speak TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := service(t, tt.server)
			err := get(t, build(t, network.Settings{Hosts: map[string]network.Host{address: tt.host}}), "https://"+address+"/")
			if tt.class != "" {
				wrong(t, err, tt.class, tt.words...)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := authority(t), authority(t)
	dir := t.TempDir()
	pair := func(name string, a *networktest.Authority) (h network.Host) {
		var err error
		h.CAData = string(ca.PEM())
		h.ClientCert, h.ClientKey, err = networktest.Files(dir, name, issue(t, a, networktest.Wish{Name: name, Client: true}))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for name, tt := range map[string]struct {
		version uint16
		host    network.Host
		words   []string
	}{
		"known, 1.3":   {tls.VersionTLS13, pair("known", ca), nil},
		"known, 1.2":   {tls.VersionTLS12, pair("known-2", ca), nil},
		"unknown, 1.3": {tls.VersionTLS13, pair("unknown", stranger), []string{"does not accept the client certificate (unknown certificate authority)", "client_cert"}},
		"unknown, 1.2": {tls.VersionTLS12, pair("unknown-2", stranger), []string{"does not accept the client certificate"}},
		"without, 1.3": {tls.VersionTLS13, network.Host{CAData: string(ca.PEM())}, []string{"wants a client certificate", "client_cert and client_key"}},
		"without, 1.2": {tls.VersionTLS12, network.Host{CAData: string(ca.PEM())}, []string{"client certificate", "client_cert and client_key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := service(t, &tls.Config{
				Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}})},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(), MaxVersion: tt.version,
			})
			err := get(t, build(t, network.Settings{Hosts: map[string]network.Host{"127.0.0.1": tt.host}}), "https://"+address+"/")
			if tt.words != nil {
				wrong(t, err, engine.ClassPermanent, tt.words...)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProxies goes through a proxy to a service that only the proxy can find.
func TestProxies(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"api.example.com"}})}})
	proxyCertificate := &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}})}}
	otherCertificate := &tls.Config{Certificates: []tls.Certificate{issue(t, authority(t), networktest.Wish{Hosts: []string{"127.0.0.1"}})}}
	for name, tt := range map[string]struct {
		proxy    *networktest.Proxy
		tls      *tls.Config
		user     string
		password secret.Reference
		class    engine.Class
		words    []string
	}{
		"plain":             {proxy: &networktest.Proxy{}},
		"over TLS":          {proxy: &networktest.Proxy{}, tls: proxyCertificate},
		"with credentials":  {proxy: &networktest.Proxy{User: "drawbridge", Password: password}, user: "drawbridge", password: "env://PROXY_PASSWORD"},
		"both":              {proxy: &networktest.Proxy{User: "drawbridge", Password: password}, tls: proxyCertificate, user: "drawbridge", password: "env://PROXY_PASSWORD"},
		"no credentials":    {proxy: &networktest.Proxy{User: "drawbridge", Password: password}, class: engine.ClassAuth, words: []string{"the proxy 127.0.0.1:", "proxy_user and proxy_password"}},
		"wrong credentials": {proxy: &networktest.Proxy{User: "drawbridge", Password: "other"}, user: "drawbridge", password: "env://PROXY_PASSWORD", class: engine.ClassAuth, words: []string{"or other ones"}},
		"not resolved":      {proxy: &networktest.Proxy{}, user: "drawbridge", password: "env://OTHER", class: engine.ClassAuth, words: []string{"env://OTHER"}},
		"refused":           {proxy: &networktest.Proxy{Status: 403}, class: engine.ClassPermanent, words: []string{"refused to connect to api.example.com:443: 403 Forbidden", "CONNECT"}},
		"nobody there":      {proxy: &networktest.Proxy{Status: 502}, class: engine.ClassTransient, words: []string{"could not connect to api.example.com:443: 502"}},
		"untrusted proxy":   {proxy: &networktest.Proxy{}, tls: otherCertificate, class: engine.ClassPermanent, words: []string{"the certificate of the proxy 127.0.0.1:", "not trusted", `hosts."127.0.0.1:`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.proxy.Known = map[string]string{"api.example.com:443": address}
			settings := network.Settings{General: network.Host{
				CAData: string(ca.PEM()), Proxy: &network.Proxy{URL: through(t, tt.proxy, tt.tls), User: tt.user, Password: tt.password},
			}}
			err := get(t, build(t, settings), "https://api.example.com/")
			if tt.class != "" {
				wrong(t, err, tt.class, tt.words...)
			} else if err != nil || len(tt.proxy.Asked()) != 1 {
				t.Errorf("%v; the proxy was asked for %v", err, tt.proxy.Asked())
			}
		})
	}
}

// TestAPasswordThatWasReplaced is read anew when the old one is refused.
func TestAPasswordThatWasReplaced(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"api.example.com"}})}})
	proxy := &networktest.Proxy{User: "drawbridge", Password: password, Known: map[string]string{"api.example.com:443": address}}
	secrets := &replaced{}
	n, problems := network.New(network.Settings{General: network.Host{
		CAData: string(ca.PEM()), Proxy: &network.Proxy{URL: through(t, proxy, nil), User: "drawbridge", Password: "env://PROXY_PASSWORD"},
	}}, network.Options{Secrets: secrets})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if err := get(t, n, "https://api.example.com/"); err != nil || len(proxy.Asked()) != 1 || secrets.forgotten != 1 {
		t.Errorf("%v; asked for %v, forgotten %d times", err, proxy.Asked(), secrets.forgotten)
	}
}

// replaced is a vault whose first password is an old one.
type replaced struct {
	vault

	forgotten int
}

func (r *replaced) Resolve(ctx context.Context, ref secret.Reference) (secret.Value, error) {
	if r.forgotten == 0 {
		return secret.New("the-old-password"), nil
	}
	return r.vault.Resolve(ctx, ref)
}

func (r *replaced) Forget(secret.Reference) { r.forgotten++ }

func TestAProxyThatIsNotThere(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	n := build(t, network.Settings{General: network.Host{Proxy: &network.Proxy{URL: "http://" + listener.Addr().String()}}})
	wrong(t, get(t, n, "https://api.example.com/"), engine.ClassTransient, "the proxy 127.0.0.1:", "refused")
}

// TestASilentProxy is given up after the time for it.
func TestASilentProxy(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for scheme, timeouts := range map[string]network.Timeouts{
		"http":   {Response: 30 * time.Millisecond},
		"https":  {TLS: 30 * time.Millisecond},
		"socks5": {Connect: 20 * time.Millisecond, Response: 20 * time.Millisecond},
	} {
		n := build(t, network.Settings{General: network.Host{Timeouts: timeouts, Proxy: &network.Proxy{URL: scheme + "://" + listener.Addr().String()}}})
		wrong(t, get(t, n, "https://api.example.com/"), engine.ClassTimeout, "the proxy 127.0.0.1:")
	}
}

// TestWhichWay says which of the settings holds for an address.
func TestWhichWay(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1", "a.example.com", "b.sub.example.com", "c.other.org"}})}})
	port := address[strings.LastIndex(address, ":"):]
	known := map[string]string{}
	for _, host := range []string{"a.example.com", "b.sub.example.com", "c.other.org"} {
		known[host+":443"], known[host+port] = address, address
	}
	proxies := map[string]*networktest.Proxy{}
	via := func(name string) *network.Proxy {
		proxies[name] = &networktest.Proxy{Known: known}
		return &network.Proxy{URL: through(t, proxies[name], nil)}
	}
	n := build(t, network.Settings{
		General: network.Host{CAData: string(ca.PEM()), Proxy: via("general")},
		Hosts: map[string]network.Host{
			"a.example.com":         {Proxy: via("a")},
			"a.example.com" + port:  {Proxy: via("a with port")},
			"*.example.com":         {Proxy: via("pattern")},
			"*.sub.example.com:443": {Proxy: via("longer pattern")},
			"127.0.0.1":             {Timeouts: network.Timeouts{Connect: time.Second}},
		},
	})
	for target, want := range map[string]string{
		"A.example.com.":           "a",
		"a.example.com" + port:     "a with port",
		"b.sub.example.com":        "longer pattern",
		"b.sub.example.com" + port: "pattern",
		"c.other.org":              "general",
		address:                    "", // loopback is not behind the proxy of all hosts
	} {
		before := map[string]int{}
		for name, p := range proxies {
			before[name] = len(p.Asked())
		}
		if err := get(t, n, "https://"+target+"/"); err != nil && target != "A.example.com." {
			t.Errorf("%s: %v", target, err)
		}
		for name, p := range proxies {
			if asked := len(p.Asked()) > before[name]; asked != (name == want) {
				t.Errorf("%s: the proxy %q was asked: %v, want %q", target, name, asked, want)
			}
		}
	}
}

// TestWhatIsNotHTTP goes through a proxy to a server that speaks first, as mail
// servers do, and turns to TLS later.
func TestWhatIsNotHTTP(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	certificate := issue(t, ca, networktest.Wish{Hosts: []string{"mail.example.com"}})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "220 mail.example.com\r\n")
		_, _ = bufio.NewReader(io.LimitReader(conn, int64(len("STARTTLS\r\n")))).ReadString('\n')
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
		_, _ = io.WriteString(secured, "250 secured\r\n")
	}()
	proxy := &networktest.Proxy{Known: map[string]string{"mail.example.com:587": listener.Addr().String()}}
	n := build(t, network.Settings{
		General: network.Host{Proxy: &network.Proxy{URL: through(t, proxy, nil)}},
		Hosts:   map[string]network.Host{"mail.example.com": {CAData: string(ca.PEM())}},
	})
	conn, err := n.Dial(t.Context(), "tcp", "mail.example.com:587")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	greeting := make([]byte, len("220 mail.example.com\r\n"))
	if _, err := io.ReadFull(conn, greeting); err != nil || !strings.HasPrefix(string(greeting), "220 mail") {
		t.Fatalf("%q, %v", greeting, err)
	}
	_, _ = io.WriteString(conn, "STARTTLS\r\n")
	said, err := bufio.NewReader(tls.Client(conn, n.TLS("mail.example.com:587"))).ReadString('\n')
	if err != nil || said != "250 secured\r\n" {
		t.Errorf("%q, %v", said, err)
	}
	if c := n.TLS("mail.example.com:587"); c.ServerName != "mail.example.com" || len(c.NextProtos) != 0 || c.MinVersion != tls.VersionTLS12 {
		t.Errorf("TLS with %+v", c)
	}
}

// TestTheEnvironment names a proxy where the configuration does not.
func TestTheEnvironment(t *testing.T) {
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"api.example.com"}})}})
	known := map[string]string{"api.example.com:443": address}
	fromEnvironment := &networktest.Proxy{Known: known, User: "me", Password: password}
	configured := &networktest.Proxy{Known: known}
	u, err := url.Parse(through(t, fromEnvironment, nil))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("me", password)
	t.Setenv("HTTPS_PROXY", u.String())
	learned := &learner{}
	n, _ := network.New(network.Settings{General: network.Host{CAData: string(ca.PEM())}}, network.Options{Secrets: learned})
	if err := get(t, n, "https://api.example.com/"); err != nil || len(fromEnvironment.Asked()) != 1 || learned.heard != password {
		t.Errorf("%v; it was asked for %v", err, fromEnvironment.Asked())
	}
	n = build(t, network.Settings{General: network.Host{CAData: string(ca.PEM()), Proxy: &network.Proxy{URL: through(t, configured, nil)}}})
	if err := get(t, n, "https://api.example.com/"); err != nil || len(configured.Asked()) != 1 || len(fromEnvironment.Asked()) != 1 {
		t.Errorf("%v; the configured proxy was asked for %v", err, configured.Asked())
	}
	n = build(t, network.Settings{Hosts: map[string]network.Host{"api.example.com": {Proxy: &network.Proxy{None: true}}}})
	if err := get(t, n, "https://api.example.com/"); err == nil || len(fromEnvironment.Asked()) != 1 {
		t.Errorf("%v; `none` was not heeded: %v", err, fromEnvironment.Asked())
	}
	t.Setenv("NO_PROXY", "example.com")
	if err := get(t, build(t, network.Settings{}), "https://api.example.com/"); err == nil || len(fromEnvironment.Asked()) != 1 {
		t.Errorf("%v; NO_PROXY was not heeded: %v", err, fromEnvironment.Asked())
	}
	t.Setenv("NO_PROXY", "")
	for _, bad := range []string{"http://me:" + password + "@[", "ftp://proxy.example.com", "http://"} {
		t.Setenv("HTTPS_PROXY", bad)
		wrong(t, get(t, build(t, network.Settings{}), "https://api.example.com/"), engine.ClassInvalid, "HTTPS_PROXY")
	}
}

type learner struct {
	vault

	heard string
}

func (l *learner) Learn(v secret.Value) { l.heard = v.Reveal() }

func TestControl(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"127.0.0.1"}})}})
	free := build(t, network.Settings{General: network.Host{CAData: string(ca.PEM())}})
	if err := get(t, free, "https://"+address+"/"); err != nil {
		t.Fatal(err)
	}
	var seen []string
	refuse := func(_ context.Context, _, address string, _ syscall.RawConn) error {
		seen = append(seen, address)
		return engine.Fail(engine.ClassRefused, "address", "not there")
	}
	allow := func(context.Context, string, string, syscall.RawConn) error { return nil }
	for _, n := range []*network.Network{free.Controlled(refuse), free.Controlled(allow).Controlled(refuse), free.Controlled(refuse).Controlled(allow)} {
		wrong(t, get(t, n, "https://"+address+"/"), engine.ClassRefused, "not there")
	}
	if len(seen) != 3 || seen[0] != address {
		t.Errorf("it was shown %v", seen)
	}
	if err := get(t, free.Controlled(allow), "https://"+address+"/"); err != nil {
		t.Error(err)
	}
}
