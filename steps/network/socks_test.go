package network_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/network"
	"github.com/drawbridge-soar/drawbridge/steps/network/networktest"
)

// TestSOCKS goes through a SOCKS5 proxy (RFC 1928) that wants a user name and a
// password (RFC 1929), and that looks the name up itself.
func TestSOCKS(t *testing.T) {
	t.Parallel()
	ca := authority(t)
	address := service(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, networktest.Wish{Hosts: []string{"api.example.com"}})}})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var asked atomic.Value
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveSOCKS(conn, address, &asked)
		}
	}()
	for user, class := range map[string]engine.Class{"me": "", "you": engine.ClassAuth} {
		n := build(t, network.Settings{General: network.Host{CAData: string(ca.PEM()), Proxy: &network.Proxy{
			URL: "socks5://" + listener.Addr().String(), User: user, Password: secret.Reference("env://PROXY_PASSWORD"),
		}}})
		err := get(t, n, "https://api.example.com/")
		if class != "" {
			wrong(t, err, class, "the proxy 127.0.0.1:")
		} else if err != nil || asked.Load() != "api.example.com:443" {
			t.Errorf("%v; it was asked for %v", err, asked.Load())
		}
	}
}

// serveSOCKS answers one client, and connects to an address whatever it asks for.
func serveSOCKS(conn net.Conn, address string, asked *atomic.Value) {
	defer conn.Close()
	read := func(n int) []byte {
		p := make([]byte, n)
		if _, err := io.ReadFull(conn, p); err != nil {
			return make([]byte, n)
		}
		return p
	}
	read(int(read(2)[1]))                 // version, methods
	_, _ = conn.Write([]byte{5, 2})       // user name and password
	name := string(read(int(read(2)[1]))) // version, user
	given := string(read(int(read(1)[0])))
	if name != "me" || given != password {
		_, _ = conn.Write([]byte{1, 1})
		return
	}
	_, _ = conn.Write([]byte{1, 0})
	read(4) // version, connect, reserved, a name
	host := string(read(int(read(1)[0])))
	asked.Store(net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(read(2))))))
	there, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer there.Close()
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(there, conn) }()
	_, _ = io.Copy(conn, there)
}
