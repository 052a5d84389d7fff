package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drawbridge-soar/drawbridge/steps/network/networktest"
)

// The tenant of `behind`: what only the proxy can find, and what it wants.
const (
	hiddenHost    = "tenant.example.com"
	proxyPassword = "correct-horse-battery"
)

// putBehind puts the tenant behind a proxy that wants a password, and has it
// speak TLS with a certificate of a private authority, to those who have one of
// it too. It writes ca.pem, client.pem and client.key, and adds to
// drawbridge.yaml how all that is reached; variants lack a part of it.
func putBehind(ts *testscript.TestScript, _ bool, _ []string) {
	authority, err := networktest.NewAuthority("Private Authority", time.Time{}, time.Time{})
	ts.Check(err)
	certificate, err := authority.Issue(networktest.Wish{Name: "tenant", Hosts: []string{hiddenHost}})
	ts.Check(err)
	server := httptest.NewUnstartedServer(of(ts))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}
	server.StartTLS()
	ts.Defer(server.Close)
	proxy := &networktest.Proxy{
		User: "drawbridge", Password: proxyPassword, Known: map[string]string{hiddenHost + ":443": server.Listener.Addr().String()},
	}
	door := httptest.NewServer(proxy)
	ts.Defer(door.Close)

	dir := ts.MkAbs(".")
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), authority.PEM(), 0o600))
	client, err := authority.Issue(networktest.Wish{Name: "runner", Client: true})
	ts.Check(err)
	_, _, err = networktest.Files(dir, "client", client)
	ts.Check(err)
	expired, err := authority.Issue(networktest.Wish{Name: "runner", Client: true, From: time.Unix(0, 0), Until: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)})
	ts.Check(err)
	_, _, err = networktest.Files(dir, "expired", expired)
	ts.Check(err)
	for name, value := range credentials(of(ts), "https://"+hiddenHost) {
		ts.Setenv(name, value)
	}
	ts.Setenv("PROXY_PASSWORD", proxyPassword)
	ts.Check(writeNetworks(ts, door.URL))
}

// writeNetworks writes the configurations.
func writeNetworks(ts *testscript.TestScript, proxy string) error {
	t, _ := ts.Value(tenantKey{}).(*tenant)
	conf := strings.ReplaceAll(ts.ReadFile("drawbridge.yaml"), t.url, "https://"+hiddenHost)
	through := "  proxy: " + proxy + "\n  proxy_user: drawbridge\n  proxy_password: env://PROXY_PASSWORD\n"
	ours, own := "      ca_file: ca.pem\n", "      client_cert: client.pem\n      client_key: client.key\n"
	host := "  hosts:\n    " + hiddenHost + ":\n"
	var errs []error
	for name, network := range map[string]string{
		"drawbridge.yaml": through + host + ours + own,
		"noca.yaml":       through + host + own,
		"noclient.yaml":   through + host + ours,
		"expired.yaml":    through + host + ours + strings.ReplaceAll(own, "client.", "expired."),
		"unverified.yaml": through + host + "      verify: none\n" + own,
		"direct.yaml":     "  proxy: none\n" + host + ours + own,
		"nobody.yaml":     "  proxy: " + proxy + "\n" + host + ours + own,
	} {
		errs = append(errs, os.WriteFile(ts.MkAbs(name), []byte(conf+"\nnetwork:\n"+network), 0o600))
	}
	return errors.Join(errs...)
}
